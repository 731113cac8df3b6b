"""What one caller can see: connectors of its spaces, their documents and runs, and what is found in them.

A caller sees the connectors of the spaces that it has a role in; of documents that have access lists at
their source, only those that the lists open to it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from catchment.core.errors import NotFound, UsageError
from catchment.core.runs import RunState
from catchment.services import reach
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.services.search import require_words
from catchment.store import runs, views
from catchment.store.documents import DocumentRow
from catchment.store.engine import reading
from catchment.store.index import Hit, SearchRequest, index_for
from catchment.store.rows import ConnectorRow, RunRow
from catchment.store.views import DocumentFilter

MOST_HITS = 100
MOST_WORDS = 8
"""Words of a topic that are also looked for one by one."""
MOST_QUERY_CHARACTERS = 2000
_LEAST, _MOST = 0.5, 0.95
_PART = 0.55


class FoundDocument(Struct, frozen=True):
    """A hit, and the document that it belongs to.

    Attributes:
        hit: Where it was found.
        document: What was found.
        relevance: 0 to 1: 0.95 for the best hit of a search for all words, 0.5 and more for its others.
    """

    hit: Hit
    document: DocumentRow
    relevance: float


class Findings(Struct, frozen=True):
    """What a search came to.

    Attributes:
        found: Best first.
        total: How many documents match, counted up to 100.
    """

    found: list[FoundDocument]
    total: int


def seen_connectors(context: Context, caller: Caller) -> list[ConnectorRow]:
    """Return the living connectors that a caller may look into, oldest first."""
    with reading(context.engine) as connection:
        return [row for row, _ in reach.open_connectors(connection, caller)]


def seen_connector(
    context: Context, caller: Caller, connector_id: str, *, least: str = "viewer"
) -> ConnectorRow:
    """Return a connector that a caller may look into, or do more with.

    Raises:
        NotFound: There is none with this id, or it lies in a space that the caller has no role in.
        Forbidden: The caller's role in its space is weaker than `least`.
    """
    row, space_id = reach.placed_connector(context, caller, connector_id)
    if caller.space_role(space_id) is None:
        raise NotFound("There is no such connector.")
    caller.require_space_role(space_id, least)
    return row


def document(context: Context, caller: Caller, document_id: str) -> DocumentRow:
    """Return a document that a caller may see.

    Raises:
        NotFound: There is none with this id.
    """
    seen = tuple(row.pk for row in seen_connectors(context, caller))
    with reading(context.engine) as connection:
        wanted = DocumentFilter(seen, reach.viewer(connection, caller))
        found = views.by_ids(connection, [document_id], wanted)
    if document_id not in found:
        raise NotFound("Document not found")
    return found[document_id]


def page(
    context: Context,
    wanted: DocumentFilter,
    *,
    limit: int,
    offset: int = 0,
    sort: views.SortKey = "indexed",
    ascending: bool = False,
) -> list[DocumentRow]:
    """Return one page of documents."""
    with reading(context.engine) as connection:
        return views.page(connection, wanted, limit=limit, offset=offset, sort=sort, ascending=ascending)


def count(context: Context, wanted: DocumentFilter) -> int:
    """Return how many documents there are."""
    with reading(context.engine) as connection:
        return views.count(connection, wanted)


def count_by_connector(context: Context, wanted: DocumentFilter) -> dict[int, int]:
    """Return how many documents each connector has, by its number."""
    with reading(context.engine) as connection:
        return views.count_by_connector(connection, wanted)


def count_by_content_type(context: Context, wanted: DocumentFilter) -> dict[str, int]:
    """Return how many documents there are of each type."""
    with reading(context.engine) as connection:
        return views.count_by_content_type(connection, wanted)


def beginning(context: Context, row: DocumentRow, *, chunks_at_most: int) -> str:
    """Return the beginning of a document's text."""
    with reading(context.engine) as connection:
        return views.first_text(connection, row.pk, chunks_at_most=chunks_at_most)


def recent_runs(context: Context, seen: Sequence[ConnectorRow], *, limit: int) -> list[RunRow]:
    """Return the newest runs of some connectors, newest first."""
    with reading(context.engine) as connection:
        return views.recent_runs(connection, [row.pk for row in seen], limit=limit)


def unfinished_run(context: Context, connector: ConnectorRow) -> RunRow | None:
    """Return the run that holds a connector, else the oldest one that waits, or None."""
    with reading(context.engine) as connection:
        active = runs.active(connection, connector.pk)
        waiting = [] if active else runs.waiting(connection, connector.pk)
    return active or next((row for row in waiting if row.state == RunState.QUEUED), None)


def search(context: Context, caller: Caller, request: SearchRequest) -> Findings:
    """Return the best documents for some words.

    Args:
        context: The surroundings.
        caller: Who asks; the request's own viewer is not looked at.
        request: What to look for; its `connector_pks` must be ones that the caller may look into.

    Raises:
        UsageError: The query is empty or too long.
    """
    _check_query(request.query)
    hits = _hits(context, caller, replace(request, limit=MOST_HITS, offset=0))
    ranked = list(_relevances(hits).items())
    shown = dict(ranked[request.offset : request.offset + request.limit])
    return Findings(_with_documents(context, caller, hits, shown), len(hits))


def discover(context: Context, caller: Caller, request: SearchRequest) -> Findings:
    """Return documents about a topic, those too that have only some of its words.

    Raises:
        UsageError: The topic is empty or too long.
    """
    _check_query(request.query)
    wide = replace(request, limit=MOST_HITS, offset=0)
    hits = _hits(context, caller, wide)
    best = _relevances(hits)
    words = list(dict.fromkeys(request.query.replace('"', " ").split()))[:MOST_WORDS]
    for word in words if len(words) > 1 else ():
        more = _hits(context, caller, replace(wide, query=word))
        hits += more
        for document_id, relevance in _relevances(more).items():
            # One word of several tells less than all of them do.
            best.setdefault(document_id, round(relevance * _PART, 6))
    ranked = sorted(best.items(), key=lambda one: -one[1])[:MOST_HITS]
    return Findings(_with_documents(context, caller, hits, dict(ranked[: request.limit])), len(ranked))


def _relevances(hits: Sequence[Hit]) -> dict[str, float]:
    """Say how well each hit fits beside the best one; scores by themselves depend on the corpus."""
    strengths = {hit.document_id: hit.score / max(1.0 - hit.score, 1e-6) for hit in hits}
    most = max(strengths.values(), default=0.0)
    return {
        name: round(_LEAST + (_MOST - _LEAST) * (strength / most if most > 0 else 1.0), 6)
        for name, strength in strengths.items()
    }


def _check_query(query: str) -> None:
    require_words(query)
    if len(query) > MOST_QUERY_CHARACTERS:
        raise UsageError(f"A query has at most {MOST_QUERY_CHARACTERS:,} characters.")


def _hits(context: Context, caller: Caller, request: SearchRequest) -> list[Hit]:
    if not request.connector_pks:
        return []
    index = index_for(context.engine.dialect.name)
    with reading(context.engine) as connection:
        return index.search(connection, replace(request, viewer=reach.viewer(connection, caller)))


def _with_documents(
    context: Context, caller: Caller, hits: Sequence[Hit], shown: Mapping[str, float]
) -> list[FoundDocument]:
    """Fetch the documents of what is shown: ids and relevances, best first."""
    first = {hit.document_id: hit for hit in reversed(hits)}
    pks = tuple({hit.connector_pk for hit in hits})
    with reading(context.engine) as connection:
        found = views.by_ids(connection, list(shown), DocumentFilter(pks, reach.viewer(connection, caller)))
    # A document that went away between the two looks is not shown.
    return [FoundDocument(first[name], found[name], shown[name]) for name in shown if name in found]
