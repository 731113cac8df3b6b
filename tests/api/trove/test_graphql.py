"""The transport of GraphQL: statuses, errors, and what a query may cost."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from catchment.api.trove.graphql import SCHEMA
from catchment.services import library
from tests.api.trove.conftest import Trove

STATS = "{ stats { totalDocuments } }"


def sent(trove: Trove, body: Any) -> Any:
    return trove.post("/graphql", body)


class TestTransport:
    @pytest.mark.parametrize(
        "body",
        [
            [],
            [{"query": STATS}],
            "text",
            None,
            {},
            {"query": None},
            {"query": " "},
            {"query": 5},
            {"query": STATS, "variables": []},
            {"query": STATS, "variables": "{}"},
            {"query": STATS, "operationName": 5},
            {"query": "{ stats {"},
            {"query": "{ stats \x00 }"},
        ],
    )
    def test_what_cannot_be_read_is_a_400_with_errors(self, trove: Trove, body: Any) -> None:
        """Bodies and queries that nobody can read; every error has a message and a code."""
        answer = sent(trove, body)
        assert answer.status_code == 400
        assert answer.json()["data"] is None
        assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["BAD_USER_INPUT"]

    @pytest.mark.parametrize(
        "body",
        [
            {"query": "{ nothing }"},
            {"query": STATS, "operationName": "Other"},
            {"query": "query A { stats { totalDocuments } } query B { stats { totalDocuments } }"},
            {"query": "subscription { x }"},
            {"query": "fragment F on Query { stats { totalDocuments } }"},
            {"query": "{ ...F } fragment F on Query { ...F }"},
            {"query": "{ ...Missing }"},
            {"query": "type X { a: Int }"},
            {"query": "{ recent(limit: 99999999999999999999) { id } }"},
            {"query": "{ recent(limit: 1e999) { id } }"},
            {"query": '{ document(id: "a\\u0000") { id } }'},
            {"query": "query Q($l: Int) { recent(limit: $l) { id } }", "variables": {"l": "x"}},
        ],
    )
    def test_a_query_that_fails_is_a_200_with_errors(self, trove: Trove, body: Any) -> None:
        """What parses answers 200, whatever is wrong with it."""
        answer = sent(trove, body)
        assert answer.status_code == 200
        assert answer.json()["data"] is None
        assert {error["extensions"]["code"] for error in answer.json()["errors"]} == {"BAD_USER_INPUT"}

    def test_the_operation_is_chosen_by_name(self, trove: Trove) -> None:
        """Of several operations the named one is carried out."""
        query = "query A { a: stats { totalDocuments } } query B { b: stats { totalDocuments } }"
        assert sent(trove, {"query": query, "operationName": "B"}).json() == {
            "data": {"b": {"totalDocuments": 0}}
        }

    def test_a_bug_is_told_generically_and_logged_once(
        self, trove: Trove, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
    ) -> None:
        """An exception nobody foresaw is INTERNAL, says nothing of itself, and leaves a trace in the log."""

        def broken(*_arguments: Any) -> Any:
            raise RuntimeError("the jewel")

        monkeypatch.setattr(library, "count_by_connector", broken)
        with caplog.at_level(logging.ERROR):
            found = trove.answer(STATS)
        assert found["errors"][0]["extensions"]["code"] == "INTERNAL"
        assert "jewel" not in str(found)
        assert len([record for record in caplog.records if record.levelno >= logging.ERROR]) == 1

    def test_an_error_says_where_it_is(self, trove: Trove) -> None:
        """Line, column and path are told; a missing document is a null answer with an error."""
        found = trove.answer('{\n  document(id: "0000000000000000") { id }\n}')
        assert found == {
            "data": None,
            "errors": [
                {
                    "message": "Document not found",
                    "extensions": {"code": "NOT_FOUND"},
                    "locations": [{"line": 2, "column": 3}],
                    "path": ["document"],
                }
            ],
        }

    def test_the_schema_can_be_explored(self, trove: Trove) -> None:
        """Tools that ask for the whole schema are answered."""
        from graphql import get_introspection_query

        names = {one["name"] for one in trove.ask(get_introspection_query())["__schema"]["types"]}
        assert {"Connector", "SyncRun", "DocumentPage", "SearchResults", "Stats", "DateTime", "JSON"} <= names

    @pytest.mark.parametrize(
        ("query", "variables"),
        [
            ("{ recent(limit: SECRET) { id } }", {}),
            ('{ recent(limit: "SECRET") { id } }', {}),
            ('{ recent(since: "SECRET") { id } }', {}),
            ('{ recent "SECRET" }', {}),
            ('mutation { createConnector(input: {name: "x", config: {token: "SECRET"}}) { id } }', {}),
            ('mutation { createConnector(input: {name: ["SECRET"], execution: "SECRET"}) { id } }', {}),
            (
                "mutation M($i: CreateConnectorInput!) { createConnector(input: $i) { id } }",
                {"i": {"config": {"token": "SECRET"}, "execution": "SECRET", "name": {"a": "SECRET"}}},
            ),
            ("mutation M($i: CreateConnectorInput!) { createConnector(input: $i) { id } }", {"i": "SECRET"}),
            (
                "mutation M($i: CreateConnectorInput!) { createConnector(input: $i) { id } }",
                {
                    "i": {
                        "connectorType": "s3",
                        "name": "n",
                        "execution": "CLOUD",
                        "config": {
                            "bucket": ["SECRET"],
                            "accessKeyId": "SECRET",
                            "secretAccessKey": "SECRET",
                        },
                    }
                },
            ),
        ],
    )
    def test_no_error_repeats_a_value(self, trove: Trove, query: str, variables: Any) -> None:
        """It may be a secret in the wrong place."""
        answer = sent(trove, {"query": query, "variables": variables})
        assert answer.json()["errors"]
        assert "SECRET" not in answer.text


class TestBounds:
    @pytest.mark.parametrize(
        "query",
        [
            "{" + " ".join(f"a{n}: stats {{ totalDocuments }}" for n in range(16)) + "}",
            "{" + "stats { totalDocuments } " * 250 + "}",
            '{ search(query: "x") { results { document { connector { '
            + "... on Connector { " * 3
            + "syncRuns { status } "
            + "} " * 3
            + "} } } } }"
            + " "
            + "fragment Z on Query { stats { totalDocuments } }" * 25,
            "".join(f"fragment F{n} on Query {{ ...F{n + 1} ...F{n + 1} }} " for n in range(18))
            + "fragment F18 on Query { stats { totalDocuments } } { ...F0 }",
            "mutation { createConnector(input: {config: {a: " + "[" * 65 + "]" * 65 + "}}) { id } }",
            "{ __schema { types { fields { type { fields { type { fields { type { name } } } } } } } } }",
        ],
    )
    def test_a_query_that_asks_for_too_much_is_refused(self, trove: Trove, query: str) -> None:
        """Aliases, fields, fragments that multiply, nesting of values and of the schema are bounded."""
        found = trove.answer(query)
        assert found["data"] is None
        assert {error["extensions"]["code"] for error in found["errors"]} == {"BAD_USER_INPUT"}

    @pytest.mark.parametrize(
        "query", ["{a" * 3000, "{ connector(id:" + "[" * 3000, "{" + " a" * 20_000 + "}"]
    )
    def test_a_document_that_is_too_long_or_deep_cannot_be_read(self, trove: Trove, query: str) -> None:
        """The parser gives up before it costs anything."""
        assert sent(trove, {"query": query}).status_code == 400

    def test_depth_is_bounded_through_fragments(self, trove: Trove) -> None:
        """No way of writing goes deeper than another."""
        from graphql import parse

        from catchment.api.trove.bounds import excess

        deep = "{" + "a {" * 11 + "b" + "}" * 12
        spread = "{ a { ...F } } fragment F on X {" + "a {" * 10 + "b" + "}" * 11
        inline = "{ a { ... {" + "a {" * 10 + "b" + "}" * 13
        fine = "{" + "a {" * 9 + "b" + "}" * 10
        assert [excess(parse(one)) is None for one in (deep, spread, inline, fine)] == [
            False,
            False,
            False,
            True,
        ]

    def test_an_answer_holds_only_so_much_text(self, trove: Trove, monkeypatch: pytest.MonkeyPatch) -> None:
        """Full texts beyond the bound are an error of their own field; the others stay."""
        monkeypatch.setattr("catchment.api.trove.asked.MOST_CHARACTERS", 25)
        trove.texts(trove.local(), a="x" * 20, b="y" * 20)
        found = trove.answer("{ documents { nodes { externalId fullText } } }")
        assert sorted(bool(one["fullText"]) for one in found["data"]["documents"]["nodes"]) == [False, True]
        assert [one["extensions"]["code"] for one in found["errors"]] == ["BAD_USER_INPUT"]

    @pytest.mark.parametrize(
        "query",
        [
            '{ search(query: "x", limit: 51) { totalMatches } }',
            '{ search(query: "x", limit: 0) { totalMatches } }',
            '{ search(query: " ") { totalMatches } }',
            '{ discover(topic: "x", limit: 51) { totalMatches } }',
            "{ recent(limit: -1) { id } }",
            "{ documents(limit: 101) { totalCount } }",
            "{ documents(offset: -1) { totalCount } }",
            '{ documents(sortBy: "color") { totalCount } }',
            '{ documents(sortOrder: "up") { totalCount } }',
            '{ documents(contentType: "video") { totalCount } }',
            '{ search(query: "x", contentType: "video") { totalMatches } }',
            "{ stats { recentSyncRuns(limit: 101) { id } } }",
        ],
    )
    def test_what_is_out_of_range_is_an_error_and_not_clamped(self, trove: Trove, query: str) -> None:
        """Limits, orders and types outside of what is offered."""
        assert trove.code(query) == "BAD_USER_INPUT"


def test_the_schema_has_the_fields_of_the_contract() -> None:
    """Types and defaults that clients rely on, word for word."""
    written = SCHEMA.as_str().replace(" = null", "")
    for line in (
        "syncRuns(limit: Int = 20): [SyncRun!]!",
        "documentsByContentType: [ContentCount!]!",
        "recentSyncRuns(limit: Int = 10): [SyncRun!]!",
        "contentDate: DateTime",
        "relevanceScore: Float!",
        "queryTimeMs: Int!",
        "durationMs: Int",
        "connectors(connectorType: String, status: ConnectorStatus): [Connector!]!",
        "connector(id: ID!): Connector\n",
        "document(id: ID!): Document!",
        "discover(topic: String!, connectorId: ID, connectorType: String, limit: Int = 10): SearchResults!",
        "updateConnector(id: ID!, input: UpdateConnectorInput!): Connector!",
        "triggerSync(connectorId: ID!): SyncRun!",
        "cancelSync(connectorId: ID!): SyncRun!",
        "deleteDocument(id: ID!): Boolean!",
        "config: JSON!",
    ):
        assert line in written, line
