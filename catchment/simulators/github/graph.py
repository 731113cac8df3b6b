"""The vendor's other API: questions in GraphQL, as far as a connector asks them.

What a question may name stands in `SCHEMA`, a part of the vendor's own; anything else is refused as the
vendor refuses it. A question costs points by the lists that it asks for.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Sequence
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any

from graphql import (
    DocumentNode,
    GraphQLError,
    GraphQLSchema,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from catchment.simulators.github import bodies
from catchment.simulators.github.cost import Refusal, cost_of
from catchment.simulators.github.forum import Discussion, Said
from catchment.simulators.github.ids import node_id
from catchment.simulators.github.world import Issue, Repository, Token
from catchment.simulators.wire import Reply

if TYPE_CHECKING:
    from catchment.simulators.github.server import Call, GitHub

SCHEMA = """
scalar DateTime
scalar URI
interface Node { id: ID! }
interface Actor { login: String! url: URI! }
type User implements Actor & Node { id: ID! login: String! url: URI! }
type PageInfo { endCursor: String hasNextPage: Boolean! hasPreviousPage: Boolean! startCursor: String }
type RateLimit { cost: Int! limit: Int! remaining: Int! resetAt: DateTime! used: Int! nodeCount: Int! }
type Label implements Node { id: ID! name: String! }
type LabelConnection { nodes: [Label] pageInfo: PageInfo! totalCount: Int! }
type DiscussionCategory implements Node {
  id: ID! name: String! slug: String! emoji: String! isAnswerable: Boolean!
}
type DiscussionComment implements Node {
  id: ID! databaseId: Int author: Actor body: String! createdAt: DateTime! updatedAt: DateTime!
  deletedAt: DateTime isAnswer: Boolean! url: URI!
  replies(after: String, before: String, first: Int, last: Int): DiscussionCommentConnection!
}
type DiscussionCommentConnection { nodes: [DiscussionComment] pageInfo: PageInfo! totalCount: Int! }
type Discussion implements Node {
  id: ID! databaseId: Int number: Int! title: String! body: String! url: URI! author: Actor
  createdAt: DateTime! updatedAt: DateTime! closed: Boolean! isAnswered: Boolean answer: DiscussionComment
  category: DiscussionCategory! repository: Repository!
  labels(after: String, before: String, first: Int, last: Int): LabelConnection
  comments(after: String, before: String, first: Int, last: Int): DiscussionCommentConnection!
}
type DiscussionConnection { nodes: [Discussion] pageInfo: PageInfo! totalCount: Int! }
enum DiscussionOrderField { CREATED_AT UPDATED_AT }
enum OrderDirection { ASC DESC }
input DiscussionOrder { field: DiscussionOrderField! direction: OrderDirection! }
type Issue implements Node { id: ID! number: Int! title: String! repository: Repository! }
enum PullRequestReviewState { APPROVED CHANGES_REQUESTED COMMENTED DISMISSED PENDING }
type PullRequestReviewComment implements Node { id: ID! body: String! }
type PullRequestReviewCommentConnection { nodes: [PullRequestReviewComment] totalCount: Int! }
type PullRequestReview implements Node {
  id: ID! author: Actor body: String! state: PullRequestReviewState! submittedAt: DateTime
  comments(after: String, before: String, first: Int, last: Int): PullRequestReviewCommentConnection!
}
type PullRequestReviewConnection { nodes: [PullRequestReview] pageInfo: PageInfo! totalCount: Int! }
type PullRequest implements Node {
  id: ID! number: Int! title: String! updatedAt: DateTime! repository: Repository!
  reviews(after: String, before: String, first: Int, last: Int): PullRequestReviewConnection
}
type Repository implements Node {
  id: ID! databaseId: Int name: String! nameWithOwner: String! hasDiscussionsEnabled: Boolean!
  discussion(number: Int!): Discussion
  discussions(after: String, before: String, first: Int, last: Int, orderBy: DiscussionOrder =
    {field: UPDATED_AT, direction: DESC}): DiscussionConnection!
}
type Query {
  node(id: ID!): Node
  nodes(ids: [ID!]!): [Node]!
  rateLimit(dryRun: Boolean = false): RateLimit
  repository(owner: String!, name: String!, followRenames: Boolean = true): Repository
}
"""
Body = dict[str, Any]
_CURSOR = "cursor:v2:"


@cache
def schema() -> GraphQLSchema:
    """Return what questions may name."""
    return build_schema(SCHEMA)


def answer(github: GitHub, call: Call) -> Reply:
    """Answer a question; most refusals have the status 200."""
    sent = call.request.json()
    if not isinstance(sent, dict) or not isinstance(sent.get("query"), str):
        return Reply(400, bodies.error("A query attribute must be specified and must be a string.", 400))
    variables = sent.get("variables") or {}
    document, wrong = _read(sent["query"])
    if document is None:
        return Reply(200, {"errors": [_told(error) for error in wrong]})
    try:
        points, nodes = cost_of(document, variables)
    except Refusal as refusal:
        return Reply(200, {"errors": [{"type": refusal.kind, "message": str(refusal)}]})
    headers, is_over = github.access.count_points(call.token, points)
    if is_over:
        told = {"type": "RATE_LIMITED", "message": "API rate limit exceeded for user ID 1."}
        return Reply(200, {"errors": [told]}, headers)
    if nodes > github.most_nodes:
        told = {"type": "RESOURCE_LIMITS_EXCEEDED", "message": "Resource limits for this query exceeded."}
        return Reply(200, {"data": None, "errors": [told]}, headers)
    found = execute_sync(schema(), document, _Asked(github, call.token).root(), variable_values=variables)
    body: Body = {"data": found.data}
    if found.errors:
        body["errors"] = [_told(error) for error in found.errors]
    return Reply(200, body, headers)


@lru_cache(maxsize=64)
def _read(question: str) -> tuple[DocumentNode | None, list[GraphQLError]]:
    """Read a question once, however often it is asked; without a document there is what is wrong with it."""
    try:
        document = parse(question)
    except GraphQLError as error:
        return None, [error]
    wrong = validate(schema(), document)
    return (None, wrong) if wrong else (document, [])


def _told(error: GraphQLError) -> Body:
    """Write an error as the vendor does: its kind stands beside the message."""
    told: Body = dict(error.formatted)
    kind = (told.pop("extensions", None) or {}).get("type")
    return {"type": kind, **told} if kind else told


def _error(kind: str, message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"type": kind})


class _Asked:
    """Everything that one token may see, as a tree of values and functions."""

    def __init__(self, github: GitHub, token: Token) -> None:
        self._github = github
        self._token = token

    def root(self) -> Body:
        return {"repository": self._repository, "node": self._node, "nodes": self._nodes}

    # -- repositories ---------------------------------------------------------------------------

    def _repository(self, _: Any, owner: str, name: str, **_more: Any) -> Body:
        wanted = f"{owner}/{name}".lower()
        seen = [repo for repo in self._github.repositories.values() if self._github.sees(self._token, repo)]
        found = next((repo for repo in seen if repo.full_name.lower() == wanted), None)
        if found is None:
            moved = self._github.old_names.get(wanted)
            found = next((repo for repo in seen if repo.id == moved), None)
        if found is None:
            raise _error("NOT_FOUND", f"Could not resolve to a Repository with the name '{owner}/{name}'.")
        return self._shown(found)

    def _shown(self, repo: Repository) -> Body:
        def discussions(_: Any, **asked: Any) -> Body:
            self._require(repo)
            order = asked.pop("orderBy")
            field = "updated" if order["field"] == "UPDATED_AT" else "created"
            found = sorted(
                repo.forum.discussions.values() if repo.forum.is_on else (),
                key=lambda one: (int(getattr(one, field)), one.id),
                reverse=order["direction"] == "DESC",
            )
            return _connection(
                found,
                lambda one: self._discussion(repo, one),
                place=lambda one: f"{int(getattr(one, field)):012}/{one.id:012}",
                backwards=order["direction"] == "DESC",
                **asked,
            )

        def discussion(_: Any, number: int) -> Body:
            self._require(repo)
            found = repo.forum.discussions.get(number) if repo.forum.is_on else None
            if found is None:
                raise _error("NOT_FOUND", f"Could not resolve to a Discussion with the number of {number}.")
            return self._discussion(repo, found)

        return {
            "__typename": "Repository",
            "id": node_id("R", repo.id),
            "databaseId": repo.id,
            "name": repo.name,
            "nameWithOwner": repo.full_name,
            "hasDiscussionsEnabled": repo.forum.is_on,
            "discussion": discussion,
            "discussions": discussions,
        }

    def _require(self, repo: Repository) -> None:
        given = self._token.permissions
        if repo.private and given is not None and "discussions" not in given:
            kind = "integration" if self._token.installation is not None else "personal access token"
            raise _error("FORBIDDEN", f"Resource not accessible by {kind}")

    # -- discussions ----------------------------------------------------------------------------

    def _discussion(self, repo: Repository, one: Discussion) -> Body:
        url = f"{bodies.WEB}/{repo.full_name}/discussions/{one.number}"
        answer = next((said for said in one.words() if said.id == one.answer), None)
        return {
            "__typename": "Discussion",
            "id": one.node_id,
            "databaseId": one.id,
            "number": one.number,
            "title": one.title,
            "body": one.body,
            "url": url,
            "author": _actor(one.author),
            "createdAt": bodies.iso(one.created),
            "updatedAt": bodies.iso(one.updated),
            "closed": one.closed is not None,
            "isAnswered": answer is not None if one.is_answerable else None,
            "answer": None if answer is None else _said(url, one, answer),
            "category": _category(one),
            "repository": lambda _: self._shown(repo),
            "labels": lambda _, **asked: _connection(one.labels, _label, **asked),
            "comments": lambda _, **asked: _connection(
                list(one.comments.values()), lambda said: _said(url, one, said), **asked
            ),
        }

    # -- nodes ----------------------------------------------------------------------------------

    def _nodes(self, _: Any, ids: Sequence[str]) -> list[Body | GraphQLError]:
        return [self._seen(one) for one in ids]

    def _node(self, _: Any, id: str) -> Body | GraphQLError:
        return self._seen(id)

    def _seen(self, wanted: str) -> Body | GraphQLError:
        for repo in self._github.repositories.values():
            if not self._github.sees(self._token, repo):
                continue
            for issue in repo.issues.values():
                if issue.node_id == wanted:
                    return self._issue(repo, issue)
            for one in repo.forum.discussions.values() if repo.forum.is_on else ():
                if one.node_id == wanted:
                    return self._permitted(repo, self._discussion(repo, one))
                url = f"{bodies.WEB}/{repo.full_name}/discussions/{one.number}"
                for said in one.words():
                    if said.node_id == wanted:
                        return self._permitted(repo, _said(url, one, said))
        return _error("NOT_FOUND", f"Could not resolve to a node with the global id of '{wanted}'.")

    def _permitted(self, repo: Repository, told: Body) -> Body | GraphQLError:
        try:
            self._require(repo)
        except GraphQLError as error:
            return error
        return told

    def _issue(self, repo: Repository, issue: Issue) -> Body:
        return {
            "__typename": "PullRequest" if issue.is_pull else "Issue",
            "id": issue.node_id,
            "number": issue.number,
            "title": issue.title,
            "updatedAt": bodies.iso(issue.updated),
            "repository": lambda _: self._shown(repo),
            "reviews": lambda _, **asked: self._reviews(repo, issue, **asked),
        }

    def _reviews(self, repo: Repository, issue: Issue, **asked: Any) -> Body:
        given = self._token.permissions
        if repo.private and given is not None and "pull_requests" not in given:
            raise _error("FORBIDDEN", "Resource not accessible by personal access token")
        told = [
            _review(one.id, one.author, one.body, one.state, one.submitted) for one in issue.reviews.values()
        ]
        # A remark beside a line always belongs to a review, one without words where nobody wrote any.
        told += [
            _review(one.id, one.author, "", "COMMENTED", one.created, remarks=1)
            for one in issue.remarks.values()
        ]
        return _connection(told, lambda one: one, place=lambda one: str(one["id"]), **asked)


def _actor(login: str | None) -> Body | None:
    if login is None:
        return None
    told = {"__typename": "User", "id": node_id("U", 1), "login": login}
    return {**told, "url": f"{bodies.WEB}/{login}"}


def _review(
    number: int, author: str | None, body: str, state: str, submitted: float, *, remarks: int = 0
) -> Body:
    return {
        "id": node_id("PRR", number),
        "author": _actor(author),
        "body": body,
        "state": state,
        "submittedAt": bodies.iso(submitted),
        "comments": lambda _, **_asked: {"nodes": [], "totalCount": remarks},
    }


def _label(name: str) -> Body:
    return {"id": node_id("LA", sum(name.encode())), "name": name}


def _category(one: Discussion) -> Body:
    return {
        "id": node_id("DIC", sum(one.category.encode())),
        "name": one.category,
        "slug": one.category.lower().replace("&", "-"),
        "emoji": ":speech_balloon:",
        "isAnswerable": one.is_answerable,
    }


def _said(url: str, discussion: Discussion, one: Said) -> Body:
    return {
        "__typename": "DiscussionComment",
        "id": one.node_id,
        "databaseId": one.id,
        "author": _actor(one.author),
        "body": one.body,
        "createdAt": bodies.iso(one.created),
        "updatedAt": bodies.iso(one.updated),
        "deletedAt": bodies.iso(one.deleted),
        "isAnswer": discussion.answer == one.id,
        "url": f"{url}#discussioncomment-{one.id}",
        "replies": lambda _, **asked: _connection(
            list(one.replies.values()), lambda reply: _said(url, discussion, reply), **asked
        ),
    }


def _place_of(one: Any) -> str:
    return f"{getattr(one, 'id', 0):012}" if not isinstance(one, str) else one


def _connection(
    found: Sequence[Any],
    show: Callable[[Any], Body],
    *,
    place: Callable[[Any], str] = _place_of,
    backwards: bool = False,
    first: int | None = None,
    after: str | None = None,
    **_: Any,
) -> Body:
    """One page of a list; a cursor is a place in its order, so that what goes moves nothing past it."""
    rest = list(found)
    if after is not None:
        least = _uncursor(after)
        rest = [one for one in rest if (place(one) < least if backwards else place(one) > least)]
    page = rest[: first or 0]
    return {
        "nodes": [show(one) for one in page],
        "totalCount": len(found),
        "pageInfo": {
            "hasNextPage": len(rest) > len(page),
            "hasPreviousPage": after is not None,
            "startCursor": _cursor(place(page[0])) if page else None,
            "endCursor": _cursor(place(page[-1])) if page else None,
        },
    }


def _cursor(place: str) -> str:
    return base64.b64encode(f"{_CURSOR}{place}".encode()).decode()


def _uncursor(cursor: str) -> str:
    try:
        place = base64.b64decode(cursor, validate=True).decode()
        if place.startswith(_CURSOR):
            return place.removeprefix(_CURSOR)
    except ValueError:
        pass
    raise _error("INVALID_CURSOR_ARGUMENTS", f"`{cursor}` does not appear to be a valid cursor.")
