"""Reviews of many pull requests in one question: the first API tells those of one at a time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from catchment.core.errors import AuthRejected, SourceError
from connectors.github.client import Client

TOGETHER = 100
"""Most pull requests that one question names."""
_QUESTION = (
    "query($ids: [ID!]!) { nodes(ids: $ids) { __typename ... on PullRequest { id updatedAt"
    " reviews(first: 100) { pageInfo { hasNextPage } nodes {"
    " author { __typename login } body state submittedAt comments { totalCount } } } } } }"
)


class Reviewed(Struct, frozen=True):
    """What was said in the reviews of a pull request.

    Attributes:
        updated: The time of the pull request when it was asked.
        reviews: In the words of the first API.
        remarks: How many comments stand beside lines.
    """

    updated: str
    reviews: list[dict[str, Any]]
    remarks: int


def reviews_of(client: Client, ids: Sequence[str]) -> dict[str, Reviewed]:
    """Return the reviews of pull requests by their node ids, of those alone that are told whole.

    Whatever GitHub does not answer is left out: those pull requests are read one by one.

    Args:
        client: Who asks.
        ids: At most `TOGETHER`.

    Raises:
        AuthRejected: The credentials are refused.
        RunCancelled: The run was asked to stop.
    """
    try:
        told = client.graph.ask(_QUESTION, ids=list(ids))
    except AuthRejected:
        raise
    except SourceError:
        return {}
    return dict(_read(told.get("nodes")))


def _read(nodes: Any) -> Iterator[tuple[str, Reviewed]]:
    for node in nodes if isinstance(nodes, list) else ():
        try:
            if node["__typename"] != "PullRequest" or node["reviews"]["pageInfo"]["hasNextPage"]:
                continue
            found = node["reviews"]["nodes"]
            remarks = sum(one["comments"]["totalCount"] for one in found)
            yield str(node["id"]), Reviewed(str(node["updatedAt"]), [_review(one) for one in found], remarks)
        except (KeyError, TypeError):
            continue  # one that is not there, or of which something is kept back


def _review(raw: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "user": _user(raw.get("author")),
        "body": raw.get("body"),
        "state": raw.get("state"),
        "submitted_at": raw.get("submittedAt"),
    }


def _user(author: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Return who wrote it; the first API marks robots in their names."""
    if author is None:
        return None
    login = str(author.get("login") or "")
    return {"login": f"{login}[bot]" if author.get("__typename") == "Bot" else login}
