"""Search over the ZenSearch face, and the overview, which one query of the Trove face gives whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

from catchment.client.asking import data, graphql, read
from catchment.client.ids import prefixed
from catchment.client.replies import Overview, SearchResults
from catchment.client.session import Part
from catchment.client.steps import Call, Steps

SEARCH = "/api/v1/search"
_OVERVIEW = """
{
  stats { totalDocuments }
  connectors {
    id name connectorType status execution schedule documentCount lastSyncedAt nextSyncAt errorMessage
    syncRuns(limit: 1) { id status startedAt completedAt }
  }
}
"""
_STATUSES: Mapping[str, str] = {"SETUP": "inactive"}
Day = str | date


def search(
    here: Part,
    query: str,
    *,
    connectors: Sequence[str] = (),
    collections: Sequence[str] = (),
    authors: Sequence[str] = (),
    tags: Sequence[str] = (),
    topics: Sequence[str] = (),
    content_types: Sequence[str] = (),
    languages: Sequence[str] = (),
    departments: Sequence[str] = (),
    since: Day | None = None,
    until: Day | None = None,
    limit: int = 10,
    offset: int = 0,
    facets: bool = False,
) -> Steps[SearchResults]:
    """Find documents, best first. Every filter must hold; of one filter, any value is enough, but for `tags`.

    Args:
        here: The client.
        query: Words, "quoted phrases" and the beginnings of words followed by a star.
        connectors: Ids of connectors.
        collections: Ids of collections.
        authors: Names of authors.
        tags: Tags, all of which a document must carry.
        topics: Tags, one of which a document must carry.
        content_types: Media types such as ``application/pdf``.
        languages: Languages of documents.
        departments: Departments of documents.
        since: The first day or moment.
        until: The last day or moment.
        limit: Most hits, 1 to 100.
        offset: Hits to leave out.
        facets: Whether to count how often values occur among the matches.
    """
    given = {
        "sources": connectors,
        "authors": authors,
        "tags": tags,
        "topics": topics,
        "contentTypes": content_types,
        "languages": languages,
        "departments": departments,
    }
    filters: dict[str, Any] = {name: list(values) for name, values in given.items() if values}
    moments = {name: _written(day) for name, day in (("start", since), ("end", until)) if day is not None}
    if moments:
        filters["dateRange"] = moments
    body: dict[str, Any] = {"query": query, "limit": limit, "offset": offset}
    if filters:
        body["filters"] = filters
    if collections:
        body["collections"] = list(collections)
    told = yield from data(here, Call("POST", f"{SEARCH}/faceted" if facets else SEARCH, body=body))
    return read(here, SearchResults, told)


def overview(here: Part) -> Steps[Overview]:
    """Return how everything stands that the token may see: all connectors, each with its newest run."""
    told = yield from graphql(here, _OVERVIEW)
    return read(
        here,
        Overview,
        {
            "documents": told["stats"]["totalDocuments"],
            "connectors": [_standing(one) for one in told["connectors"]],
        },
    )


def _standing(told: Mapping[str, Any]) -> dict[str, Any]:
    status = str(told["status"])
    return {
        **told,
        "id": prefixed("conn", str(told["id"])),
        "type": str(told["connectorType"]).replace("-", "_"),
        "status": _STATUSES.get(status, status.lower()),
        "isPushed": told["execution"] == "LOCAL",
        "documents": told["documentCount"],
        "nextSync": told["nextSyncAt"],
        "lastSync": told["lastSyncedAt"],
        "lastRun": next(iter(told["syncRuns"]), None),
    }


def _written(day: Day) -> str:
    if isinstance(day, datetime):
        return day.isoformat(timespec="seconds")
    return day.isoformat() if isinstance(day, date) else day
