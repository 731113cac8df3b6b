"""Answers of the real API, as they were recorded, through the connector's own mapping."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from catchment.core.errors import SourceError
from catchment.kit import Session
from catchment.kit import http as kit_http
from catchment.kit.http import Missing
from connectors.notion import Notion, NotionConfig, NotionCredentials
from connectors.notion.blocks import show
from connectors.notion.body import show_comment
from connectors.notion.items import facts_of, item_of
from connectors.notion.properties import is_cut, property_lines, schema_lines
from connectors.notion.words import Raw, is_trashed, parent_of, plain, title_of
from tests.support.notion import needs_data, recorded

pytestmark = needs_data
NOW = 1_800_000_000.0

Answer = Callable[[httpx.Request], httpx.Response]


def bodies(kind: str) -> list[tuple[str, Raw]]:
    """Return every recorded thing of a kind, from wherever it stands in an answer."""
    found: list[tuple[str, Raw]] = []

    def look(name: str, value: Any) -> None:
        if isinstance(value, dict):
            if value.get("object") == kind:
                found.append((name, value))
            for inner in value.values():
                look(name, inner)
        elif isinstance(value, list):
            for inner in value:
                look(name, inner)

    for name, _, body in recorded():
        look(name, body)
    return found


def replaying(*names: str) -> httpx.MockTransport:
    """Play the recorded answers of some files, by verb and path; the last one of each counts."""
    known: dict[tuple[str, str], Any] = {}
    for name in names:
        for _, request, body in recorded(name):
            known[request["method"], httpx.URL(request["url"]).path] = body

    def answer(request: httpx.Request) -> httpx.Response:
        body = known.get((request.method, request.url.path))
        if body is None:
            return httpx.Response(404, json={"object": "error", "status": 404, "code": "object_not_found"})
        return httpx.Response(200, json=body)

    return httpx.MockTransport(answer)


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Notion]:
    """Make connectors whose wire plays recordings."""

    def make(*names: str) -> Notion:
        monkeypatch.setattr(kit_http, "Wire", lambda *_, **__: replaying(*names))
        credentials = NotionCredentials(integration_token="ntn_1")  # type: ignore[arg-type]
        return Notion(NotionConfig(), credentials, Session())

    return make


@pytest.mark.parametrize("kind", ["page", "data_source", "database", "block", "comment", "user"])
def test_there_is_something_to_look_at(kind: str) -> None:
    """A check of nothing would prove nothing."""
    assert bodies(kind)


def test_every_page_and_data_source_becomes_an_item() -> None:
    """With an id, a title, a version, a path and an address; none is empty where there is a title."""
    for name, raw in bodies("page") + bodies("data_source"):
        if "parent" not in raw:
            continue
        facts = facts_of(raw)
        item = item_of(facts, facts.title, people={}, now=NOW)
        assert item.key == raw["id"], name
        assert len(item.key) == 36
        assert item.version == raw["last_edited_time"]
        assert item.modified_at is not None
        assert item.created_at is not None
        assert item.modified_at >= item.created_at
        assert (item.url or "").startswith("https://")
        assert item.title
        assert isinstance(property_lines(raw["properties"]) if raw["object"] == "page" else [], list)
        assert not any(is_cut(value) for value in raw["properties"].values())
        assert (parent_of(raw) is None) is (raw["parent"]["type"] == "workspace")


def test_no_block_with_text_shows_none() -> None:
    """Its words are in what it becomes."""
    seen = 0
    for name, raw in bodies("block"):
        shown = show(raw)
        words = plain((raw.get(raw.get("type", "")) or {}).get("rich_text"))
        assert words.strip() in shown.text, name
        seen += bool(words.strip())
    assert seen >= 5


def test_every_comment_and_database_is_read() -> None:
    """With their words and names."""
    for _, raw in bodies("comment"):
        assert plain(raw["rich_text"]) in show_comment(raw)
        assert raw["display_name"]["resolved_name"] in show_comment(raw)
    for _, raw in bodies("database"):
        assert title_of(raw)
        assert [each["id"] for each in raw["data_sources"]]
    for _, raw in bodies("data_source"):
        if raw.get("properties"):
            assert all(line.startswith("- ") for line in schema_lines(raw["properties"]))


class TestByHand:
    """What a person reads in the recordings, compared with what comes of them."""

    def test_a_page_below_a_page(self) -> None:
        """Pages of `search`."""
        raw = next(body for name, body in bodies("page") if name == "search")
        facts = facts_of(raw)
        item = item_of(facts, facts.title, people={facts.author or "": "notion-sdk-py"}, now=NOW)
        assert item.key == "393abc1e-edcd-81cd-8d54-d46164cfb59f"
        assert item.title == "Test 2026-07-04 11:08:50.532024"
        assert item.version == "2026-07-04T09:08:00.000Z"
        assert item.modified_at == 1_783_156_080.0
        assert item.author == "notion-sdk-py"
        assert item.metadata == {"kind": "page"}
        assert facts.parent == ("page", "393abc1e-edcd-80f3-813b-e205934558c6")

    def test_a_data_source(self) -> None:
        """The one that `data_sources_retrieve` made: what its database lies in is known without asking."""
        raw = next(body for name, body in bodies("data_source") if name == "data_sources_retrieve")
        facts = facts_of(raw)
        assert facts.kind == "data source"
        assert facts.parent == ("database", "3e631832-5efa-4702-8171-8b8a0e6651ba")
        assert facts.beyond == ("page", "393abc1e-edcd-81e9-afca-e7cba9d39cff")
        assert facts.title == "Test Data Source - 2026-07-04 11:09:14.284382"
        assert schema_lines(raw["properties"]) == ["- Name (title)"]

    def test_a_paragraph(self) -> None:
        """`blocks_retrieve`."""
        raw = next(b for n, b in bodies("block") if n == "blocks_retrieve" and b["type"] == "paragraph")
        assert show(raw).text == "I'm a paragraph."

    def test_a_comment(self) -> None:
        """`comments_list`."""
        raw = next(body for name, body in bodies("comment") if name == "comments_list")
        assert show_comment(raw) == "- notion-sdk-py: This is a test comment."

    def test_what_was_thrown_away(self) -> None:
        """The answer to its deletion lies in the trash, and the page as it was made does not."""
        thrown = [body for name, body in bodies("block") if name == "search"]
        assert [is_trashed(body) for body in thrown] == [True]
        assert not any(is_trashed(body) for name, body in bodies("page") if name == "search")

    def test_a_page_with_its_comments_through_the_wire(self, played: Callable[..., Notion]) -> None:
        """`comments_list` and `blocks_children_list`, asked for as a run asks."""
        source = played("comments_list", "blocks_children_list")
        page = "393abc1e-edcd-8137-bc49-ee507c3c70c6"
        assert [show_comment(raw) for raw in source.api.comments(page)] == [
            "- notion-sdk-py: This is a test comment."
        ]
        assert list(source.api.children("393abc1e-edcd-81c3-a7e3-f719e1e1ec4b")) == []
        with pytest.raises(Missing):
            source.api.page(page)

    def test_who_asks_and_who_is_there(self, played: Callable[..., Notion]) -> None:
        """`users_me` and `users_list`."""
        source = played("users_me", "users_list")
        assert source.check()[0].message == "Signed in as notion-sdk-py in the workspace notion-sdk-py."
        names = [user["name"] for user in source.api.users()]
        assert names[1] == "notion-sdk-py"
        assert len(names) == 2

    def test_refusals(self) -> None:
        """`api_response_error`: a token that is wrong, and an address that is none."""
        import json

        from catchment.core.clock import SystemClock
        from catchment.kit import ConfigRejected
        from catchment.kit.http import Renew
        from connectors.notion.errors import judge_by
        from tests.support.notion import RECORDED

        told = json.loads((RECORDED / "api_response_error.json").read_text())["interactions"]
        found = []
        for each in told:
            request = httpx.Request(each["request"]["method"], each["request"]["url"])
            answer = each["response"]
            response = httpx.Response(answer["status"], json=answer["body"], request=request)
            found.append(judge_by(SystemClock())(response))
        assert isinstance(found[0], ConfigRejected)
        assert isinstance(found[1], Renew)
        assert all(not isinstance(each, SourceError) or "token" not in each.message for each in found)
