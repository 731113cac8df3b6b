"""Search of the ZenSearch face: filters, totals, facets, and who finds what."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import update

from catchment.store.engine import writing
from catchment.store.tables import documents, items
from tests.api.zensearch.conftest import Zen, refused


@pytest.fixture
def stocked(zen: Zen) -> Zen:
    """Three documents about gauges with tags, languages and dates of their own, and one of another source."""
    path = zen.fixture("a.md", "b.md", "c.md")
    zen.sync(path)
    zen.sync(zen.fixture("d.md"))
    facts: dict[str, Any] = {
        "a.md": (["wet"], {"language": "de", "department": "river"}, 1_704_067_200),
        "b.md": (["dry"], {"language": "en"}, 1_706_745_600),
        "c.md": (["wet", "old"], {}, 1_709_251_200),
    }
    with writing(zen.context.engine) as connection:
        for name, (tags, metadata, moment) in facts.items():
            pk = items.select().with_only_columns(items.c.pk).where(items.c.path == name).scalar_subquery()
            changed = update(documents).where(documents.c.pk == pk)
            author = "Ada" if name == "b.md" else None
            connection.execute(changed.values(tags=tags, metadata=metadata, author=author))
            connection.execute(update(items).where(items.c.path == name).values(modified_at=moment))
    return zen


def found(zen: Zen, *, token: str = "admin", **body: Any) -> list[str]:
    """Paths of what a search for words finds, sorted."""
    data = zen.data("POST", "/search", token=token, json={"query": "words", **body})
    assert data["total"] == len(data["results"])
    return sorted(one["path"] for one in data["results"])


class TestResults:
    def test_say_where_they_come_from(self, stocked: Zen) -> None:
        """Id, text around the words, highlights, score, source, collection and time."""
        answer = stocked.ask("POST", "/search", json={"query": "words b"}).json()
        best = answer["data"]["results"][0]
        assert best["path"] == "b.md"
        assert best["content"] == "words of b.md"
        assert best["highlights"] == ["words", "b"]
        assert 0 < best["score"] <= 1
        assert best["metadata"]["collection"] == stocked.collection
        shown = stocked.data("GET", f"/documents/{best['id']}")
        assert shown["connectorId"] == best["metadata"]["source"]
        assert answer["meta"]["took"] >= 0

    def test_come_in_pages_with_one_total(self, stocked: Zen) -> None:
        """The total does not depend on the page."""
        seen = []
        for offset in range(5):
            body = {"query": "words", "limit": 1, "offset": offset}
            data = stocked.data("POST", "/search", json=body)
            assert (data["total"], data["totalIsExact"]) == (4, True)
            seen += [one["path"] for one in data["results"]]
        assert sorted(seen) == ["a.md", "b.md", "c.md", "d.md"]


class TestFilters:
    def test_narrow_before_ranking(self, stocked: Zen) -> None:
        """Any of the values of one list; every one of the lists."""
        assert found(stocked, filters={"topics": ["wet"]}) == ["a.md", "c.md"]
        assert found(stocked, filters={"topics": ["dry", "old"]}) == ["b.md", "c.md"]
        assert found(stocked, filters={"tags": ["wet", "old"]}) == ["c.md"]
        assert found(stocked, filters={"authors": ["Ada", "Bo"]}) == ["b.md"]
        assert found(stocked, filters={"contentTypes": ["text/markdown"], "topics": ["dry"]}) == ["b.md"]
        assert found(stocked, filters={"contentTypes": ["application/pdf"]}) == []
        assert found(stocked, filters={"languages": ["de", "en"]}) == ["a.md", "b.md"]
        assert found(stocked, filters={"languages": ["de"], "departments": ["river"]}) == ["a.md"]
        assert found(stocked, filters={"languages": ["en"], "departments": ["river"]}) == []
        (source,) = (one["id"] for one in stocked.data("GET", "/connectors") if one["documentCount"] == 1)
        assert found(stocked, filters={"sources": [source]}) == ["d.md"]
        assert found(stocked, filters={}, collections=[stocked.collection]) == [
            "a.md",
            "b.md",
            "c.md",
            "d.md",
        ]

    def test_by_date_include_both_ends(self, stocked: Zen) -> None:
        """A day is taken whole; a moment to its second."""
        dates = {"start": "2024-01-01", "end": "2024-02-01"}
        assert found(stocked, filters={"dateRange": dates}) == ["a.md", "b.md"]
        dates = {"start": "2024-01-01T00:00:01Z", "end": "2024-02-01T00:00:00Z"}
        assert found(stocked, filters={"dateRange": dates}) == ["b.md"]
        assert found(stocked, filters={"dateRange": {"end": "2024-01-31"}}) == ["a.md"]

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "query"),
            ({"query": ""}, "query"),
            ({"query": "  "}, "query"),
            ({"query": "x", "limit": 101}, "limit"),
            ({"query": "x", "limit": "5"}, "limit"),
            ({"query": "x", "offset": -1}, "offset"),
            ({"query": "x", "collections": ["col_nope"]}, "collections"),
            ({"query": "x", "filters": {"sources": ["conn_nope"]}}, "filters.sources"),
            ({"query": "x", "filters": {"dateRange": {"start": "soon"}}}, "filters.dateRange.start"),
            ({"query": "x", "filters": {"dateRange": {"end": "9999-99-99"}}}, "filters.dateRange.end"),
        ],
    )
    def test_that_cannot_be_are_refused(self, zen: Zen, body: dict[str, Any], field: str) -> None:
        """400 that names the field."""
        refused(zen.ask("POST", "/search", json=body), 400, "invalid_request", field)

    def test_hold_for_what_a_query_may_hold(self, zen: Zen) -> None:
        """No query is an error of ours."""
        for query in ('"', "*", "AND OR NOT", "a" * 2000, "{title}: x", "'; DROP", "\u202e", "-"):
            assert zen.data("POST", "/search", json={"query": query})["total"] == 0


class TestFacets:
    def test_count_values_among_all_matches(self, stocked: Zen) -> None:
        """Not only among those of the page."""
        body = {"query": "words", "limit": 1}
        facets = stocked.data("POST", "/search/faceted", json=body)["facets"]
        assert facets["topics"] == [
            {"value": "wet", "count": 2},
            {"value": "dry", "count": 1},
            {"value": "old", "count": 1},
        ]
        assert facets["languages"] == [{"value": "de", "count": 1}, {"value": "en", "count": 1}]
        assert [one["count"] for one in facets["sources"]] == [3, 1]
        assert sum(one["count"] for one in facets["contentTypes"]) == 4
        assert stocked.data("POST", "/search", json=body)["facets"] == {}


class TestCallers:
    def test_find_only_what_is_open_to_them(self, stocked: Zen) -> None:
        """A viewer finds what an admin does; without a role in the space, or in another team, nothing."""
        assert found(stocked, token="viewer") == ["a.md", "b.md", "c.md", "d.md"]
        assert found(stocked, token="outsider") == []
        assert found(stocked, token="other_tenant") == []
        body = {"query": "words", "collections": [stocked.collection]}
        refused(stocked.ask("POST", "/search", token="outsider", json=body), 403, "forbidden")
        refused(
            stocked.ask("POST", "/search", token="other_tenant", json=body),
            400,
            "invalid_request",
            "collections",
        )
