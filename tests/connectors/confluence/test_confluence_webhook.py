"""Deliveries: signature first, then age, then what they report."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catchment.core.items import Changed, Deleted, Item
from catchment.kit import PermissionMissing
from catchment.simulators.confluence import Confluence as Site
from connectors.confluence import Confluence, webhook
from tests.support.confluence import DATA, needs_data

SECRET = Site().webhook_secret


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Site:
    """A site whose time is everybody's."""
    made = Site()
    monkeypatch.setattr(webhook.time, "time", made.clock.now)
    return made


@pytest.mark.parametrize(
    ("event", "id_", "told"),
    [
        ("page_updated", 7, Changed(Item("7", "7"))),
        ("page_created", 7, Changed(Item("7", "7"))),
        ("page_restored", 7, Changed(Item("7", "7"))),
        ("page_moved", 7, Changed(Item("7", "7"))),
        ("blog_updated", 8, Changed(Item("8", "8"))),
        ("comment_created", 9, Changed(Item("9", "9"))),
        ("attachment_updated", 5, Changed(Item("att5", "att5"))),
        ("page_trashed", 7, Deleted("7")),
        ("page_removed", 7, Deleted("7")),
        ("page_archived", 7, Deleted("7")),
        ("comment_removed", 9, Deleted("9")),
    ],
)
def test_what_happened_is_told_by_key(site: Site, event: str, id_: int, told: object) -> None:
    """Ids are numbers here, and keys are text."""
    assert Confluence.webhook(*site.delivery(event, id_), SECRET) == [told]


@pytest.mark.parametrize(
    "event", ["page_viewed", "space_logo_updated", "label_added", "user_created", "", "page"]
)
def test_other_events_tell_nothing(site: Site, event: str) -> None:
    """They are well signed, and no error."""
    assert Confluence.webhook(*site.delivery(event, 7), SECRET) == []


def test_a_signature_that_is_absent_or_wrong_is_refused(site: Site) -> None:
    """Also of another body, with another secret, and with none at all."""
    headers, body = site.delivery("page_updated", 7)
    _, other = site.delivery("page_updated", 8)
    signed = headers["X-Hub-Signature"]
    for given, sent, secret in (
        ({}, body, SECRET),
        ({"X-Hub-Signature": ""}, body, SECRET),
        ({"X-Hub-Signature": "sha256="}, body, SECRET),
        ({"X-Hub-Signature": "sha256=äöü"}, body, SECRET),
        ({"X-Hub-Signature": signed[:-1]}, body, SECRET),
        ({"X-Hub-Signature": signed}, other, SECRET),
        ({"X-Hub-Signature": signed}, body, "another secret"),
        (site.delivery("page_updated", 7, secret="")[0], body, ""),
    ):
        with pytest.raises(PermissionMissing) as caught:
            Confluence.webhook(given, sent, secret)
        assert SECRET not in str(caught.value)


def test_names_of_headers_may_be_written_in_any_case(site: Site) -> None:
    """As servers hand them on."""
    headers, body = site.delivery("page_updated", 7)
    assert Confluence.webhook({name.lower(): value for name, value in headers.items()}, body, SECRET)


def test_an_old_delivery_is_refused(site: Site) -> None:
    """And one of a time to come; within a quarter of an hour it is good."""
    delivery = site.delivery("page_updated", 7)
    site.clock.advance(webhook.STALE_SECONDS - 1)
    assert Confluence.webhook(*delivery, SECRET)
    site.clock.advance(2)
    with pytest.raises(PermissionMissing, match="old"):
        Confluence.webhook(*delivery, SECRET)


@pytest.mark.parametrize(
    "body", [b"", b"ping", b"[]", b"{}", b'{"event": "page_updated", "page": {"id": "x"}}']
)
def test_a_body_without_an_event_tells_nothing(body: bytes) -> None:
    """Such as that of the button that tries a webhook."""
    import hashlib
    import hmac

    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert Confluence.webhook({"X-Hub-Signature": f"sha256={signature}"}, body, SECRET) == []


@needs_data
def test_the_example_of_data_center_is_read(site: Site) -> None:
    """And the simulator's deliveries have its form."""
    example: dict[str, Any] = json.loads(
        (DATA / "webhook-examples" / "datacenter.page_updated.json").read_text()
    )
    site.clock.seconds = example["timestamp"] / 1000
    headers, body = site.delivery(example["event"], example["page"]["id"])
    assert {**json.loads(body), "userKey": ""} == {**example, "userKey": ""}
    assert Confluence.webhook(headers, body, SECRET) == [Changed(Item("123456", "123456"))]
