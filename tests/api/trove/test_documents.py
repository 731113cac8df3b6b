"""Documents in GraphQL: found, listed, shown, saved and deleted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from tests.api.trove.conftest import Trove, items, opened

LIST = "{ documents(%s) { totalCount hasMore nodes { externalId } } }"
SAVE = (
    "mutation M($input: SaveDocumentInput!) { saveDocument(input: $input)"
    " { id title url author tags contentType metadata wordCount fullText"
    " connector { id name connectorType } } }"
)
DELETE = "mutation M($id: ID!) { deleteDocument(id: $id) }"
TRIGGER = "mutation M($id: ID!) { triggerSync(connectorId: $id) { id } }"


@pytest.fixture(params=["sqlite", "postgresql"])
def trove(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Trove]:
    """The face over each engine in turn."""
    url = None
    if request.param == "postgresql":
        engine: Engine = request.getfixturevalue("postgres_store")
        url = engine.url.render_as_string(hide_password=False)
    with opened(tmp_path, monkeypatch, url) as made:
        yield made


@pytest.fixture
def shelf(trove: Trove) -> str:
    """Four documents of one connector that is pushed to."""
    connector = trove.local()
    done = trove.push(
        connector,
        {
            "external_id": "plan",
            "title": "Plan",
            "text": "build the red bridge",
            "author": "Jane",
            "date": "2026-01-10",
            "tags": ["work", "bridge"],
            "metadata": {"pages": 3},
            "url": "https://e.org/plan",
        },
        {
            "external_id": "talk",
            "title": "Talk",
            "text": "about the blue bridge",
            "author": "John",
            "date": "2026-02-10",
            "tags": ["work"],
            "content_type": "transcript",
        },
        {
            "external_id": "quote",
            "title": "Émile",
            "text": "a quiet river",
            "author": "Jane",
            "date": "2026-03-10",
            "content_type": "highlight",
        },
        {"external_id": "plain", "text": "nothing but words"},
    )
    assert done.json()["documentsIndexed"] == 4, done.text
    return connector


def listed(trove: Trove, arguments: str) -> list[str]:
    found = trove.ask(LIST % arguments)["documents"]
    assert found["totalCount"] == len(found["nodes"])
    return [one["externalId"] for one in found["nodes"]]


def found(trove: Trove, arguments: str) -> list[str]:
    results = trove.ask(
        f"{{ search({arguments}) {{ totalMatches results {{ document {{ externalId }} }} }} }}"
    )
    assert results["search"]["totalMatches"] == len(results["search"]["results"])
    return [one["document"]["externalId"] for one in results["search"]["results"]]


class TestSearch:
    def test_every_filter_narrows(self, trove: Trove, shelf: str) -> None:
        """Words with author, type, tags, dates and connector, alone and together."""
        assert set(found(trove, 'query: "bridge"')) == {"plan", "talk"}
        assert found(trove, 'query: "bridge", author: "Jane"') == ["plan"]
        assert found(trove, 'query: "bridge", contentType: "transcript"') == ["talk"]
        assert found(trove, 'query: "bridge", contentType: "text"') == ["plan"]
        assert found(trove, 'query: "bridge", tags: ["work", "bridge"]') == ["plan"]
        assert found(trove, 'query: "bridge", after: "2026-02-01"') == ["talk"]
        assert found(trove, 'query: "bridge", before: "2026-02-01T00:00:00Z"') == ["plan"]
        assert set(found(trove, f'query: "bridge", connectorId: "conn_{shelf}"')) == {"plan", "talk"}
        assert found(trove, 'query: "bridge", connectorType: "manual"') == []
        assert trove.code('{ search(query: "bridge", connectorId: "00") { totalMatches } }') == "NOT_FOUND"

    def test_a_hit_has_a_snippet_and_a_relevance(self, trove: Trove, shelf: str) -> None:
        """The best one is very strong, and none leaves 0 to 1."""
        query = '{ search(query: "bridge") { queryTimeMs results { snippet relevanceScore } } }'
        results = trove.ask(query)["search"]["results"]
        assert all("bridge" in one["snippet"] for one in results)
        assert results[0]["relevanceScore"] == 0.95
        assert all(0.5 <= one["relevanceScore"] <= 0.95 for one in results)

    def test_files_of_any_format_are_text(self, trove: Trove, shelf: str) -> None:
        """What a connector fetched is found under the content type text, and shown so."""
        connector = trove.cloud(items("a.md", text="over the bridge"))
        trove.ask(TRIGGER, id=connector)
        assert set(found(trove, 'query: "bridge", contentType: "text"')) == {"plan", "a.md"}
        assert set(listed(trove, 'contentType: "text"')) == {"plan", "plain", "a.md"}
        counts = trove.ask("{ stats { documentsByContentType { contentType documentCount } } }")["stats"]
        assert {one["contentType"]: one["documentCount"] for one in counts["documentsByContentType"]} == {
            "text": 3,
            "transcript": 1,
            "highlight": 1,
        }

    def test_discover_finds_what_has_only_some_of_the_words(self, trove: Trove, shelf: str) -> None:
        """Search wants all words where some document has them all; discover shows weaker ones below."""
        assert found(trove, 'query: "red bridge"') == ["plan"]
        query = '{ discover(topic: "red bridge") { results { relevanceScore document { externalId } } } }'
        results = trove.ask(query)["discover"]["results"]
        assert [one["document"]["externalId"] for one in results] == ["plan", "talk"]
        assert results[0]["relevanceScore"] > 0.9 > 0.6 > results[1]["relevanceScore"] > 0

    @pytest.mark.parametrize(
        "query", ['"', "*", "AND OR NOT", "a:b", "(", "NEAR(", "'", "\\\\", "☃", "-", "bridge*"]
    )
    def test_no_query_is_an_error_of_ours(self, trove: Trove, shelf: str, query: str) -> None:
        """Whatever a person types, the answer is a list."""
        results = trove.ask(
            "query Q($q: String!) { search(query: $q) { totalMatches } discover(topic: $q) { queryTimeMs } }",
            q=query,
        )
        assert results["search"]["totalMatches"] >= 0


class TestLists:
    def test_every_filter_narrows(self, trove: Trove, shelf: str) -> None:
        """Author, type, tags, dates, words of the title, connector."""
        assert set(listed(trove, "limit: 10")) == {"plan", "talk", "quote", "plain"}
        assert set(listed(trove, 'author: "Jane"')) == {"plan", "quote"}
        assert listed(trove, 'contentType: "highlight"') == ["quote"]
        assert set(listed(trove, 'tags: ["work"]')) == {"plan", "talk"}
        assert listed(trove, 'tags: ["work", "bridge"]') == ["plan"]
        assert listed(trove, 'after: "2026-01-11", before: "2026-03-01"') == ["talk"]
        assert listed(trove, 'search: "PLA", author: "Jane"') == ["plan"]
        assert listed(trove, 'search: "100%"') == []
        assert listed(trove, 'connectorType: "rss"') == []

    @pytest.mark.parametrize(
        ("arguments", "expected"),
        [
            ('sortBy: "contentDate", sortOrder: "asc", author: "Jane"', ["plan", "quote"]),
            ('sortBy: "content_date", sortOrder: "DESC", author: "Jane"', ["quote", "plan"]),
            ('sortBy: "title", sortOrder: "asc", tags: ["work"]', ["plan", "talk"]),
            ('sortBy: "title", tags: ["work"]', ["talk", "plan"]),
        ],
    )
    def test_the_order_is_chosen(self, trove: Trove, shelf: str, arguments: str, expected: list[str]) -> None:
        """By date or title, either way."""
        assert listed(trove, arguments) == expected

    def test_pages_hold_everything_once(self, trove: Trove, shelf: str) -> None:
        """Offset paging says whether there is more, and leaves nothing out."""
        seen: list[str] = []
        for offset, more in ((0, True), (2, False), (4, False)):
            page = trove.ask(LIST % f"limit: 2, offset: {offset}")["documents"]
            assert (page["totalCount"], page["hasMore"]) == (4, more)
            seen += [one["externalId"] for one in page["nodes"]]
        assert sorted(seen) == ["plain", "plan", "quote", "talk"]

    def test_recent_is_what_was_indexed_last(self, trove: Trove, shelf: str) -> None:
        """By the time of indexing, not of the content."""
        trove.texts(trove.local("Later"), newest="words")
        assert [one["externalId"] for one in trove.ask("{ recent(limit: 1) { externalId } }")["recent"]] == [
            "newest"
        ]
        query = '{ recent(since: "2999-01-01") { id } jane: recent(author: "Jane") { externalId } }'
        data = trove.ask(query)
        assert data["recent"] == []
        assert {one["externalId"] for one in data["jane"]} == {"plan", "quote"}


class TestShow:
    def test_all_fields_are_what_was_pushed(self, trove: Trove, shelf: str) -> None:
        """A document by its id, in every spelling."""
        (node,) = trove.ask('{ documents(search: "plan", author: "Jane") { nodes { id } } }')["documents"][
            "nodes"
        ]
        fields = (
            "externalId title url author contentDate previewText fullText wordCount contentType tags metadata"
            " connector { id } indexedAt createdAt"
        )
        for name in (node["id"], f"doc_{node['id']}", node["id"].upper()):
            shown = trove.ask(f"query Q($id: ID!) {{ document(id: $id) {{ {fields} }} }}", id=name)[
                "document"
            ]
            assert shown.pop("indexedAt") == shown.pop("createdAt")
            assert shown == {
                "externalId": "plan",
                "title": "Plan",
                "url": "https://e.org/plan",
                "author": "Jane",
                "contentDate": "2026-01-10T00:00:00Z",
                "previewText": "build the red bridge",
                "fullText": "build the red bridge",
                "wordCount": 4,
                "contentType": "text",
                "tags": ["work", "bridge"],
                "metadata": {"pages": 3},
                "connector": {"id": shelf},
            }

    def test_what_was_not_sent_is_null(self, trove: Trove, shelf: str) -> None:
        """No title, date or author is made up."""
        nodes = trove.ask(
            '{ documents(search: "plain") { nodes { title author url contentDate tags metadata } } }'
        )
        assert nodes["documents"]["nodes"] == [
            {"title": None, "author": None, "url": None, "contentDate": None, "tags": [], "metadata": {}}
        ]

    def test_a_preview_has_at_most_300_words(self, trove: Trove) -> None:
        """Long texts are shown by their beginning."""
        words = [f"w{n}" for n in range(2000)]
        trove.texts(trove.local(), long=" ".join(words))
        (node,) = trove.ask("{ documents { nodes { previewText wordCount } } }")["documents"]["nodes"]
        assert node["previewText"].split() == words[:300]
        assert node["wordCount"] == 2000

    @pytest.mark.parametrize("token", ["other", "outsider"])
    def test_a_document_of_others_does_not_exist(self, trove: Trove, shelf: str, token: str) -> None:
        """Neither shown nor deleted."""
        name = trove.ask("{ recent(limit: 1) { id } }")["recent"][0]["id"]
        assert (
            trove.code("query Q($id: ID!) { document(id: $id) { id } }", token=token, id=name) == "NOT_FOUND"
        )
        assert trove.code(DELETE, token=token, id=name) == "NOT_FOUND"
        assert trove.code(DELETE, token="viewer", id=name) == "FORBIDDEN"
        assert trove.ask("{ documents { totalCount } }")["documents"]["totalCount"] == 4


class TestSave:
    def test_the_first_save_makes_the_connector(self, trove: Trove) -> None:
        """Manual Saves is made once, and takes what follows."""
        note: dict[str, Any] = {
            "text": "three small words",
            "title": "Note",
            "url": "https://e.org",
            "author": "Ann",
            "tags": ["a", "b"],
            "contentType": "bookmark",
            "metadata": {"k": [1]},
        }
        saved = trove.ask(SAVE, input=note)["saveDocument"]
        connector = saved.pop("connector")
        assert len(saved.pop("id")) == 16
        assert saved == {
            **{k: v for k, v in note.items() if k != "text"},
            "wordCount": 3,
            "fullText": note["text"],
        }
        assert (connector["name"], connector["connectorType"]) == ("Manual Saves", "manual")
        assert trove.ask(SAVE, input={"text": "more"})["saveDocument"]["connector"] == connector
        assert found(trove, 'query: "three small"') == [
            trove.ask('{ documents(search: "Note") { nodes { externalId } } }')["documents"]["nodes"][0][
                "externalId"
            ]
        ]

    @pytest.mark.parametrize(
        "values",
        [
            {"text": " "},
            {"text": "x", "contentType": "video"},
            {"text": "x", "metadata": [1]},
            {"title": "no text"},
        ],
    )
    def test_what_cannot_be_saved_is_refused(self, trove: Trove, values: Any) -> None:
        """BAD_USER_INPUT, and there is no document."""
        assert trove.code(SAVE, input=values) == "BAD_USER_INPUT"
        assert trove.ask("{ documents { totalCount } }")["documents"]["totalCount"] == 0

    def test_saving_needs_a_role(self, trove: Trove) -> None:
        """A viewer may not, nor who has no role in the space."""
        for token in ("viewer", "outsider"):
            assert trove.code(SAVE, token=token, input={"text": "x"}) == "FORBIDDEN"

    def test_every_tenant_has_its_own(self, trove: Trove) -> None:
        """What one saves the other does not see."""
        trove.ask(SAVE, token="other", input={"text": "private words"})
        assert found(trove, 'query: "private"') == []
        assert trove.ask("{ connectors { id } }")["connectors"] == []


class TestDelete:
    def test_a_deleted_document_is_gone_and_can_be_pushed_anew(self, trove: Trove, shelf: str) -> None:
        """From lists, search and figures at once; a second delete finds nothing; a push brings it back."""
        (node,) = trove.ask('{ documents(search: "Plan") { nodes { id } } }')["documents"]["nodes"]
        assert trove.ask(DELETE, id=node["id"]) == {"deleteDocument": True}
        assert trove.code(DELETE, id=node["id"]) == "NOT_FOUND"
        assert found(trove, 'query: "red bridge"') == ["talk"]
        assert trove.ask("{ stats { totalDocuments } }")["stats"]["totalDocuments"] == 3
        trove.texts(shelf, plan="the red bridge again")
        assert found(trove, 'query: "red bridge"') == ["plan"]
