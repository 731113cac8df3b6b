"""Deliveries: who may be believed, and what they name."""

from __future__ import annotations

import json
from typing import Any

import pytest

from catchment.core.items import Changed, Deleted
from catchment.kit import PermissionMissing
from catchment.simulators.notion import NotionSimulator
from catchment.simulators.notion.hooks import sign
from connectors.notion import Notion
from connectors.notion.webhook import STALE_SECONDS
from connectors.notion.words import seconds
from tests.support.notion import HOOKS, needs_data

SECRET = "secret_canary"


def told(body: Any, *, secret: str = SECRET, now: float = 0.0) -> list[tuple[str, str]]:
    """Deliver something that is signed well, and return what it reports."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return named(Notion.webhook({"X-Notion-Signature": sign(raw, secret)}, raw, SECRET, now=now))


def deliver(world: NotionSimulator, headers: dict[str, str], body: bytes) -> list[tuple[str, str]]:
    """Deliver something of a workspace at once."""
    return named(Notion.webhook(headers, body, world.verification_token, now=world.clock.now()))


def named(events: list[Any]) -> list[tuple[str, str]]:
    return [
        ("changed", event.item.key) if isinstance(event, Changed) else ("deleted", event.key)
        for event in events
        if isinstance(event, Changed | Deleted)
    ]


class TestSignature:
    @pytest.mark.parametrize(
        "headers",
        [
            {},
            {"X-Notion-Signature": ""},
            {"X-Notion-Signature": "sha256="},
            {"X-Notion-Signature": sign(b"other", SECRET)},
            {"X-Notion-Signature": sign(b'{"type": "page.created"}', "another")},
            {"X-Notion-Signature": sign(b'{"type": "page.created"}', SECRET).removeprefix("sha256=")},
            {"X-Notion-Signature": "sha256=é"},
            {"X-Notion-Signature": "sha256=\ud800"},
        ],
    )
    def test_one_that_is_wrong_is_refused_unread(self, headers: dict[str, str]) -> None:
        """Absent, empty, of other bytes, with another key, in another form; and no secret is told."""
        with pytest.raises(PermissionMissing) as caught:
            Notion.webhook(headers, b'{"type": "page.created"}', SECRET)
        assert "canary" not in str(caught.value)

    def test_without_a_token_nothing_is_believed(self) -> None:
        """An empty key would be everybody's."""
        body = b'{"type": "page.created"}'
        with pytest.raises(PermissionMissing):
            Notion.webhook({"X-Notion-Signature": sign(body, "")}, body, "")

    def test_names_of_headers_have_no_case(self, world: NotionSimulator) -> None:
        """Servers write them as they like."""
        headers, body = world.delivery("page.created", world.page("New"))
        small = {name.lower(): value for name, value in headers.items()}
        assert len(deliver(world, small, body)) == 1

    def test_an_old_one_is_refused(self, world: NotionSimulator) -> None:
        """Notion's last try comes within a day; the time stands under the signature."""
        headers, body = world.delivery("page.created", world.page("New"))
        world.clock.advance(STALE_SECONDS - 1)
        assert len(deliver(world, headers, body)) == 1
        world.clock.advance(2)
        with pytest.raises(PermissionMissing, match="old"):
            deliver(world, headers, body)


class TestEvents:
    @pytest.mark.parametrize(
        ("event", "what"),
        [
            ("page.created", "changed"),
            ("page.content_updated", "changed"),
            ("page.properties_updated", "changed"),
            ("page.moved", "changed"),
            ("page.undeleted", "changed"),
            ("page.locked", "changed"),
            ("page.deleted", "deleted"),
            ("page.sung", "changed"),
            ("data_source.schema_updated", "changed"),
            ("data_source.deleted", "deleted"),
        ],
    )
    def test_name_what_to_look_at(self, world: NotionSimulator, event: str, what: str) -> None:
        """A kind of change that nobody knows yet is one, too."""
        _, source = world.database("Tasks")
        entity = source if event.startswith("data") else world.page("Page", source)
        headers, body = world.delivery(event, entity, attempt=3)
        assert deliver(world, headers, body) == [(what, entity)]
        assert deliver(world, headers, body) == [(what, entity)], "replayed"

    def test_a_comment_means_its_page(self, world: NotionSimulator) -> None:
        """It counts as no edit, so that only the delivery tells of it."""
        page = world.page("Page")
        headers, body = world.delivery("comment.created", world.comment(page, "a remark"), page_id=page)
        assert deliver(world, headers, body) == [("changed", page)]

    @pytest.mark.parametrize(
        "body",
        [
            {
                "type": "view.created",
                "entity": {"id": "393abc1e-edcd-81d5-bf32-d1339d9031c2", "type": "view"},
            },
            {"type": "file_upload.completed", "entity": {"id": "393abc1e-edcd-81d5-bf32-d1339d9031c2"}},
            {"type": "page.created", "entity": {"id": "../../etc"}},
            {"type": "page.created", "entity": None},
            {"type": "comment.created", "data": {"page_id": None}},
            {"type": 7},
            {},
            [],
            b"no json",
            b"",
            b"\xff",
            b"[" * 100_000,
        ],
    )
    def test_what_is_nothing_of_ours_is_nothing(self, body: Any) -> None:
        """Unknown, half, or no event at all, though signed well."""
        assert told(body) == []

    def test_the_handshake_tells_the_token(self, world: NotionSimulator) -> None:
        """It is let in while no token is stored, and never again: anybody could send it."""
        headers, body = world.handshake()
        found = Notion.handshake(headers, body, "")
        assert found is not None
        assert found.secret is not None
        assert found.secret.get_secret_value() == world.verification_token
        assert (found.body, "Paste" in found.remedy) == (b"", True)
        assert Notion.handshake(*world.delivery("page.created", world.page("New")), "") is None
        for stored in (world.verification_token, "another"):
            with pytest.raises(PermissionMissing) as caught:
                Notion.handshake(headers, body, stored)
            assert world.verification_token not in str(caught.value)

    def test_the_handshake_may_come_again_signed(self, world: NotionSimulator) -> None:
        """With the token that is stored; one that would replace it is refused, signed or not."""
        headers, body = world.handshake()
        signed = {**headers, "X-Notion-Signature": sign(body, world.verification_token)}
        assert Notion.handshake(signed, body, world.verification_token) is not None
        other = b'{"verification_token": "secret_other"}'
        for key in (world.verification_token, "secret_other"):
            with pytest.raises(PermissionMissing):
                Notion.handshake({"X-Notion-Signature": sign(other, key)}, other, world.verification_token)

    @pytest.mark.parametrize(
        "body",
        [
            b"[" * 100_000,
            b'{"verification_token": ""}',
            b'{"verification_token": ["secret_a"]}',
            b'{"verification_token": "secret_\\ud800"}',
            '{"verification_token": "secret_é"}'.encode(),
        ],
    )
    def test_an_absurd_greeting_is_none(self, body: bytes) -> None:
        """Anybody may send one while no token is stored: it is taken for an event, and not believed."""
        assert Notion.handshake({}, body, "") is None
        with pytest.raises(PermissionMissing):
            Notion.webhook({}, body, "")

    def test_the_handshake_reports_nothing(self, world: NotionSimulator) -> None:
        """Taken for an event it is not believed without a token."""
        with pytest.raises(PermissionMissing):
            Notion.webhook(*world.handshake(), "")

    @needs_data
    @pytest.mark.parametrize(
        ("name", "key"),
        [
            ("page_created", "153104cd-477e-809d-8dc4-ff2d96ae3090"),
            ("page_content_updated", "337e31d6-4eb9-80fa-b299-c93680d85322"),
            ("data_source_schema_updated", "153104cd-477e-80eb-ae76-e1c2a32c7b35"),
        ],
    )
    def test_of_published_examples(self, name: str, key: str) -> None:
        """The entity is what changed."""
        body = (HOOKS / f"{name}.json").read_bytes()
        sent_at = seconds(json.loads(body)["timestamp"])
        assert sent_at is not None
        assert told(body, now=sent_at) == [("changed", key)]
