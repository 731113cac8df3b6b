"""What those who look from outside ask of the store: documents by filter and page, counts, runs of several.

Every query is told which connectors may be looked into; none given means that nothing is seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, exists, func, or_, select, text, true, tuple_

from catchment.store.documents import DocumentRow, visible
from catchment.store.index import Viewer
from catchment.store.rows import RunRow, as_row, columns_of
from catchment.store.tables import CHUNK_BITS, chunks, document_access, documents, items, runs

SortKey = Literal["indexed", "content", "title"]
_SORTED = {
    "indexed": documents.c.indexed_at,
    "content": func.coalesce(documents.c.created_at, items.c.modified_at),
    "title": documents.c.title,
}
_RUN = columns_of(RunRow, runs)
_HOLDS_TAG = {
    "sqlite": "EXISTS (SELECT 1 FROM json_each(documents.tags) WHERE value = :{0})",
    "postgresql": "documents.tags @> jsonb_build_array(CAST(:{0} AS text))",
}


class DocumentFilter(Struct, frozen=True):
    """Which documents to look at.

    Attributes:
        connector_pks: Only those of these connectors.
        viewer: Who asks; only documents that it may see count.
        author: Only of this author.
        content_types: Only of these types; empty means all.
        other_than: None of these types.
        tags: Carrying every one of these.
        words: Part of the title or the key, in any case.
        since: Changed at or after these POSIX seconds.
        until: Changed before these POSIX seconds.
        indexed_since: Indexed at or after these POSIX seconds.
    """

    connector_pks: tuple[int, ...]
    viewer: Viewer
    author: str | None = None
    content_types: tuple[str, ...] = ()
    other_than: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    words: str | None = None
    since: float | None = None
    until: float | None = None
    indexed_since: float | None = None


def page(
    connection: Connection,
    wanted: DocumentFilter,
    *,
    limit: int,
    offset: int = 0,
    sort: SortKey = "indexed",
    ascending: bool = False,
) -> list[DocumentRow]:
    """Return one page of documents, newest first unless told otherwise."""
    column = _SORTED[sort]
    order = (column.asc(), documents.c.pk.asc()) if ascending else (column.desc(), documents.c.pk.desc())
    statement = _narrowed(connection, visible(), wanted).order_by(*order).limit(limit).offset(offset)
    return [as_row(DocumentRow, row) for row in connection.execute(statement)]


def count(connection: Connection, wanted: DocumentFilter) -> int:
    """Return how many documents there are."""
    inner = _narrowed(connection, visible().with_only_columns(documents.c.pk), wanted).subquery()
    return int(connection.execute(select(func.count()).select_from(inner)).scalar_one())


def count_by_connector(connection: Connection, wanted: DocumentFilter) -> dict[int, int]:
    """Return how many documents each connector has, by its number; those without are left out."""
    return dict(_grouped(connection, wanted, documents.c.connector_pk))


def count_by_content_type(connection: Connection, wanted: DocumentFilter) -> dict[str, int]:
    """Return how many documents there are of each type."""
    return dict(_grouped(connection, wanted, documents.c.content_type))


def by_ids(connection: Connection, ids: Sequence[str], wanted: DocumentFilter) -> dict[str, DocumentRow]:
    """Return documents by their ids; those that are not there, or not to be seen, are left out."""
    statement = _narrowed(connection, visible().where(documents.c.id.in_(ids)), wanted)
    return {row.id: as_row(DocumentRow, row) for row in connection.execute(statement)}


def recent_runs(connection: Connection, connector_pks: Sequence[int], *, limit: int) -> list[RunRow]:
    """Return the newest runs of some connectors, newest first; tries without effect are left out."""
    rows = connection.execute(
        select(*_RUN)
        .where(runs.c.connector_pk.in_(connector_pks), ~runs.c.dry_run)
        .order_by(runs.c.created_at.desc(), runs.c.id.desc())
        .limit(limit)
    )
    return [as_row(RunRow, row) for row in rows]


def _grouped(connection: Connection, wanted: DocumentFilter, column: ColumnElement[Any]) -> list[Any]:
    statement = visible().with_only_columns(column, func.count()).group_by(column)
    return [tuple(row) for row in connection.execute(_narrowed(connection, statement, wanted))]


def _narrowed(connection: Connection, statement: Select[Any], wanted: DocumentFilter) -> Select[Any]:
    clauses = [documents.c.connector_pk.in_(wanted.connector_pks), _may_see(wanted.viewer)]
    if wanted.author is not None:
        clauses.append(documents.c.author == wanted.author)
    if wanted.content_types:
        clauses.append(documents.c.content_type.in_(wanted.content_types))
    if wanted.other_than:
        clauses.append(documents.c.content_type.not_in(wanted.other_than))
    if wanted.words:
        titled = documents.c.title.icontains(wanted.words, autoescape=True)
        clauses.append(or_(titled, items.c.key.icontains(wanted.words, autoescape=True)))
    if wanted.since is not None:
        clauses.append(items.c.modified_at >= wanted.since)
    if wanted.until is not None:
        clauses.append(items.c.modified_at < wanted.until)
    if wanted.indexed_since is not None:
        clauses.append(documents.c.indexed_at >= wanted.indexed_since)
    statement = statement.where(*clauses)
    holds_tag = _HOLDS_TAG[connection.dialect.name]
    for place, tag in enumerate(wanted.tags):
        name = f"tag_{place}"
        statement = statement.where(text(holds_tag.format(name)).bindparams(**{name: tag}))
    return statement


def _may_see(viewer: Viewer) -> ColumnElement[bool]:
    open_to_all = or_(documents.c.acl == "none", documents.c.public == true())
    if not viewer.subjects:
        return open_to_all
    named = tuple_(document_access.c.kind, document_access.c.subject).in_(viewer.subjects)
    return or_(open_to_all, exists().where(document_access.c.document_pk == documents.c.pk, named))


def first_text(connection: Connection, pk: int, *, chunks_at_most: int) -> str:
    """Return the beginning of a document's text, as far as so many chunks go."""
    first = pk << CHUNK_BITS
    statement = select(chunks.c.text).where(chunks.c.id.between(first, first + chunks_at_most - 1))
    return "".join(connection.execute(statement.order_by(chunks.c.id)).scalars())
