"""The vendor's other API as its stand-in has it: what may be asked, what it costs, and what is refused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from graphql import GraphQLEnumType, GraphQLSchema, build_schema

from catchment.simulators.github import GitHub, Repository
from catchment.simulators.github import graph as answering
from tests.support.github import GRAPHQL, needs_graphql

HEADERS = {"Authorization": "Bearer good", "User-Agent": "test"}
LIST = (
    "query($first: Int!, $after: String, $field: DiscussionOrderField = CREATED_AT) {"
    ' repository(owner: "octo-org", name: "weir") { discussions(first: $first, after: $after,'
    " orderBy: {field: $field, direction: ASC}) {"
    " totalCount pageInfo { hasNextPage endCursor } nodes { id number title } } } }"
)
Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def github() -> GitHub:
    made = GitHub()
    made.token("good")
    return made


@pytest.fixture
def repo(github: GitHub) -> Repository:
    made = github.repository("octo-org/weir", collaborators={"octo-ann": "admin"})
    for number in range(5):
        made.forum.open(f"Discussion {number}", "Body", category="Q&A")
        github.clock.advance(60)
    return made


@pytest.fixture
def ask(github: GitHub, repo: Repository) -> Iterator[Ask]:
    with github.serve() as url, httpx.Client(base_url=url, headers=HEADERS, timeout=10) as client:

        def post(query: str, token: str = "good", **variables: Any) -> dict[str, Any]:
            sent = {"query": query, "variables": variables}
            answer = client.post("/graphql", json=sent, headers={"Authorization": f"Bearer {token}"})
            assert answer.status_code == 200
            return {**answer.json(), "headers": answer.headers}

        yield post


def kind_of(told: dict[str, Any]) -> str | None:
    kind: str | None = told["errors"][0].get("type")
    return kind


class TestSchema:
    @needs_graphql
    def test_is_a_part_of_the_vendors(self) -> None:
        """No type, field, argument or value of ours is unknown there, or another."""
        whole = build_schema(GRAPHQL.read_text("utf-8"), assume_valid=True, assume_valid_sdl=True)
        assert differences(answering.schema(), whole) == []

    def test_what_it_does_not_have_is_refused(self, ask: Ask) -> None:
        """Unknown fields, arguments and values; and nothing is answered beside."""
        for query in (
            "{ rateLimit { money } }",
            '{ repository(owner: "octo-org", name: "weir", id: 1) { id } }',
            LIST.replace("CREATED_AT", "TITLE"),
            "{ viewer { login } }",
            "{ nonsense",
        ):
            told = ask(query, first=1)
            assert told["errors"]
            assert "data" not in told


def differences(ours: GraphQLSchema, theirs: GraphQLSchema) -> list[str]:
    """Return what stands in one schema and not, or not so, in another."""
    wrong = []
    for name, one in ours.type_map.items():
        other = theirs.type_map.get(name)
        if name.startswith("__"):
            continue
        if type(one) is not type(other):
            wrong.append(name)
        elif isinstance(one, GraphQLEnumType):
            known = getattr(other, "values", {})
            wrong += [f"{name}.{value}" for value in one.values if value not in known]
        else:
            wrong += field_differences(name, getattr(one, "fields", {}), getattr(other, "fields", {}))
    return wrong


def field_differences(name: str, ours: dict[str, Any], theirs: dict[str, Any]) -> list[str]:
    wrong = []
    for field, one in ours.items():
        other = theirs.get(field)
        if other is None or str(other.type) != str(one.type):
            wrong.append(f"{name}.{field}")
            continue
        known = {key: str(value.type) for key, value in getattr(other, "args", {}).items()}
        own = {key: str(value.type) for key, value in getattr(one, "args", {}).items()}
        wrong += [f"{name}.{field}({key})" for key in own if own[key] != known.get(key)]
    return wrong


class TestPages:
    def test_follow_cursors_past_what_goes_meanwhile(self, ask: Ask, repo: Repository) -> None:
        """A cursor is a place in the order, not a number."""
        seen: list[int] = []
        after = None
        while True:
            page = ask(LIST, first=2, after=after)["data"]["repository"]["discussions"]
            seen += [one["number"] for one in page["nodes"]]
            repo.forum.discussions.pop(1, None)
            after = page["pageInfo"]["endCursor"]
            if not page["pageInfo"]["hasNextPage"]:
                break
        assert seen == [1, 2, 3, 4, 5]
        assert page["totalCount"] == 4

    def test_an_order_is_obeyed(self, ask: Ask, repo: Repository) -> None:
        """By the time of the last change."""
        repo.forum.edit(2, title="Now")
        page = ask(LIST, first=5, field="UPDATED_AT")["data"]["repository"]["discussions"]
        assert [one["number"] for one in page["nodes"]] == [1, 3, 4, 5, 2]

    def test_a_cursor_that_is_none_is_refused(self, ask: Ask) -> None:
        """By the vendor's word for it."""
        assert kind_of(ask(LIST, first=2, after="nonsense")) == "INVALID_CURSOR_ARGUMENTS"


class TestLimits:
    def test_points_are_counted_by_lists(self, ask: Ask, github: GitHub) -> None:
        """One for up to a hundred lists; they are no requests of the other API."""
        inner = LIST.replace(
            "title", "title comments(first: 50) { nodes { replies(first: 10) { totalCount } } }"
        )
        assert ask(LIST, first=100)["headers"]["x-ratelimit-used"] == "1"
        told = ask(inner, first=10)
        assert told["headers"]["x-ratelimit-used"] == str(1 + round((1 + 10 + 500) / 100))
        assert told["headers"]["x-ratelimit-resource"] == "graphql"
        assert github.access.tokens["good"].used == 0

    def test_beyond_them_a_good_status_bears_a_refusal(self, ask: Ask, github: GitHub) -> None:
        """Until the hour is over."""
        github.access.point_limit = 1
        assert "errors" not in ask(LIST, first=1)
        refused = ask(LIST, first=1)
        assert kind_of(refused) == "RATE_LIMITED"
        assert refused["headers"]["x-ratelimit-remaining"] == "0"
        github.clock.seconds = float(refused["headers"]["x-ratelimit-reset"])
        assert "errors" not in ask(LIST, first=1)

    def test_lists_have_bounds(self, ask: Ask, github: GitHub) -> None:
        """None, too wide, too many in all, and too much to answer."""
        bare = LIST.replace("first: $first, ", "").replace("$first: Int!, ", "")
        assert kind_of(ask(bare)) == "MISSING_PAGINATION_BOUNDARIES"
        assert kind_of(ask(LIST, first=101)) == "EXCESSIVE_PAGINATION"
        deep = LIST.replace(
            "title", "title comments(first: 100) { nodes { replies(first: 100) { nodes { id } } } }"
        )
        assert kind_of(ask(deep, first=100)) == "MAX_NODE_LIMIT_EXCEEDED"
        github.most_nodes = 50
        assert kind_of(ask(LIST, first=51)) == "RESOURCE_LIMITS_EXCEEDED"
        assert "errors" not in ask(LIST, first=50)


class TestAccess:
    def test_what_is_hidden_does_not_exist_and_what_is_forbidden_says_so(
        self, ask: Ask, github: GitHub, repo: Repository
    ) -> None:
        """A stranger finds nothing; a token without the permission is told of it."""
        github.token("stranger", "octo-eve")
        github.token("fine", permissions=("contents",))
        assert kind_of(ask(LIST, "stranger", first=1)) == "NOT_FOUND"
        told = ask(LIST, "fine", first=1)
        assert kind_of(told) == "FORBIDDEN"
        assert told["data"] is None or told["data"]["repository"] is None
        github.publish(repo, public=True)
        assert "errors" not in ask(LIST, "stranger", first=1)

    def test_discussions_that_are_off_are_none(self, ask: Ask, repo: Repository) -> None:
        """No error; and back they are."""
        query = '{ repository(owner: "octo-org", name: "weir") { hasDiscussionsEnabled } }'
        repo.forum.is_on = False
        assert ask(LIST, first=5)["data"]["repository"]["discussions"]["totalCount"] == 0
        assert ask(query)["data"]["repository"] == {"hasDiscussionsEnabled": False}
        repo.forum.is_on = True
        assert ask(LIST, first=5)["data"]["repository"]["discussions"]["totalCount"] == 5

    def test_a_node_that_is_none_leaves_the_others(self, ask: Ask, repo: Repository) -> None:
        """Null in its place, with an error about it."""
        known = repo.forum.discussions[1].node_id
        told = ask("query($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }", ids=["D_nobody", known])
        assert told["data"]["nodes"] == [None, {"__typename": "Discussion", "id": known}]
        assert (kind_of(told), told["errors"][0]["path"]) == ("NOT_FOUND", ["nodes", 0])
