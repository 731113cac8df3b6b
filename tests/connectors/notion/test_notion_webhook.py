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
from connectors.notion.webhook import verification_token
from tests.support.notion import HOOKS, needs_data

SECRET = "secret_canary"


def told(body: Any, *, secret: str = SECRET) -> list[tuple[str, str]]:
    """Deliver something that is signed well, and return what it reports."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return named(Notion.webhook({"X-Notion-Signature": sign(raw, secret)}, raw, SECRET))


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
        assert len(Notion.webhook(small, body, world.verification_token)) == 1


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
        assert named(Notion.webhook(headers, body, world.verification_token)) == [(what, entity)]
        assert named(Notion.webhook(headers, body, world.verification_token)) == [(what, entity)], "replayed"

    def test_a_comment_means_its_page(self, world: NotionSimulator) -> None:
        """It counts as no edit, so that only the delivery tells of it."""
        page = world.page("Page")
        headers, body = world.delivery("comment.created", world.comment(page, "a remark"), page_id=page)
        assert named(Notion.webhook(headers, body, world.verification_token)) == [("changed", page)]

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
        ],
    )
    def test_what_is_nothing_of_ours_is_nothing(self, body: Any) -> None:
        """Unknown, half, or no event at all, though signed well."""
        assert told(body) == []

    def test_the_handshake_tells_the_token(self, world: NotionSimulator) -> None:
        """It is let in while no token is stored, and never again: anybody could send it."""
        headers, body = world.handshake()
        assert Notion.webhook(headers, body, "") == []
        assert verification_token(body) == world.verification_token
        assert verification_token(world.delivery("page.created", world.page("New"))[1]) is None
        with pytest.raises(PermissionMissing):
            Notion.webhook(headers, body, world.verification_token)

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
        assert told((HOOKS / f"{name}.json").read_bytes()) == [("changed", key)]
