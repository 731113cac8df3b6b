"""Queries about documents: listed, shown, counted, explained."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import ColumnElement, Connection, Select, delete, exists, func, or_, select

from catchment.store.rows import as_row
from catchment.store.tables import (
    CHUNK_BITS,
    MAX_CHUNKS,
    chunks,
    collections,
    connectors,
    document_access,
    documents,
    held_removals,
    items,
)


class DocumentRow(Struct, frozen=True):
    """A visible document with what the ledger knows of its item."""

    pk: int
    id: str
    connector_pk: int
    connector: str
    key: str
    path: str
    title: str
    content_type: str
    size: int | None
    content_hash: bytes | None
    url: str | None
    author: str | None
    created_at: float | None
    modified_at: float | None
    indexed_at: float
    characters: int
    chunks: int
    stale: bool
    tags: list[str]
    notes: list[str]
    metadata: dict[str, Any]


_COLUMNS = (
    documents.c.pk,
    documents.c.id,
    documents.c.connector_pk,
    connectors.c.slug.label("connector"),
    items.c.key,
    items.c.path,
    documents.c.title,
    documents.c.content_type,
    items.c.size,
    items.c.content_hash,
    items.c.url,
    documents.c.author,
    documents.c.created_at,
    items.c.modified_at,
    documents.c.indexed_at,
    documents.c.characters,
    documents.c.chunks,
    documents.c.stale,
    documents.c.tags,
    documents.c.notes,
    documents.c.metadata,
)


def visible() -> Select[Any]:
    """Begin a query for documents that can be found, of connectors that live."""
    return (
        select(*_COLUMNS)
        .join(items, items.c.pk == documents.c.pk)
        .join(connectors, connectors.c.pk == documents.c.connector_pk)
        .where(documents.c.deleted_at.is_(None), connectors.c.deleted_at.is_(None))
    )


def of_connector(
    connection: Connection, connector_pk: int, *, limit: int | None = None, offset: int = 0
) -> Iterator[DocumentRow]:
    """Yield a connector's visible documents by key; rows are read as they are asked for."""
    statement = visible().where(items.c.connector_pk == connector_pk).order_by(items.c.key)
    statement = statement.limit(limit).offset(offset) if limit is not None or offset else statement
    for row in connection.execution_options(yield_per=500).execute(statement):
        yield as_row(DocumentRow, row)


class ListedDocument(Struct, frozen=True):
    """A visible document, how its item stands, and where it lies.

    Attributes:
        document: The document.
        state: State of its item (`catchment.core.runs.ItemState`).
        connector_id: Id of its connector.
        collection_id: Id of its collection.
    """

    document: DocumentRow
    state: str
    connector_id: str
    collection_id: str


_PLACE = (
    items.c.state,
    connectors.c.id.label("connector_id"),
    collections.c.id.label("collection_id"),
)


def seen_by(subjects: Sequence[tuple[str, str]]) -> ColumnElement[bool]:
    """Return the condition that one of these may see a document."""
    named = [
        (document_access.c.kind == kind) & (document_access.c.subject == subject)
        for kind, subject in subjects
    ]
    conditions: list[Any] = [documents.c.acl == "none", documents.c.public]
    if named:
        conditions.append(exists().where(document_access.c.document_pk == documents.c.pk, or_(*named)))
    return or_(*conditions)


def _seen_by(statement: Select[Any], subjects: Sequence[tuple[str, str]] | None) -> Select[Any]:
    """Leave only what one of these may see; None is the operator, who sees all."""
    return statement if subjects is None else statement.where(seen_by(subjects))


def _listed(row: Any) -> ListedDocument:
    values = dict(row._mapping)
    place = {column.name: values.pop(column.name) for column in _PLACE}
    return ListedDocument(DocumentRow(**values), **place)


def _with_place() -> Select[Any]:
    return visible().join(collections, collections.c.pk == documents.c.collection_pk).add_columns(*_PLACE)


def page(
    connection: Connection,
    connector_pk: int,
    *,
    limit: int,
    offset: int = 0,
    states: Sequence[str] | None = None,
    subjects: Sequence[tuple[str, str]] | None = None,
) -> list[ListedDocument]:
    """Return visible documents of a connector, newest first, whose items stand in one of these states.

    Args:
        connection: A connection that reads.
        connector_pk: Whose.
        limit: Most documents.
        offset: Documents to leave out.
        states: States of items; None for any.
        subjects: Who asks, as pairs of kind and subject; None is the operator.
    """
    statement = _seen_by(_with_place(), subjects).where(documents.c.connector_pk == connector_pk)
    if states is not None:
        statement = statement.where(items.c.state.in_(states))
    statement = statement.order_by(documents.c.pk.desc()).limit(limit).offset(offset)
    return [_listed(row) for row in connection.execute(statement)]


def count_page(
    connection: Connection,
    connector_pk: int,
    *,
    states: Sequence[str] | None = None,
    subjects: Sequence[tuple[str, str]] | None = None,
) -> int:
    """Return how many documents `page` goes through."""
    statement = (
        select(func.count())
        .select_from(documents)
        .where(documents.c.deleted_at.is_(None), documents.c.connector_pk == connector_pk)
    )
    if states is not None:
        statement = statement.join(items, items.c.pk == documents.c.pk).where(items.c.state.in_(states))
    return int(connection.execute(_seen_by(statement, subjects)).scalar_one())


def by_id(
    connection: Connection, document_id: str, *, subjects: Sequence[tuple[str, str]] | None = None
) -> ListedDocument | None:
    """Return the visible document with exactly this id; None too where none of these may see it."""
    statement = _seen_by(_with_place(), subjects).where(documents.c.id == document_id)
    row = connection.execute(statement).one_or_none()
    return _listed(row) if row is not None else None


def labels(
    connection: Connection, pks: Sequence[int]
) -> Iterator[tuple[str, str, list[str], dict[str, Any]]]:
    """Yield id of the connector, media type, tags and small facts of these documents."""
    columns = (connectors.c.id, documents.c.content_type, documents.c.tags, documents.c.metadata)
    statement = select(*columns).join(connectors, connectors.c.pk == documents.c.connector_pk)
    for row in connection.execute(statement.where(documents.c.pk.in_(pks))):
        yield row[0], row[1], row[2], row[3]


def find(connection: Connection, name: str, *, limit: int = 2) -> list[DocumentRow]:
    """Return visible documents whose id is, or begins with, what a person typed."""
    statement = visible().where(documents.c.id.startswith(name, autoescape=True)).limit(limit)
    return [as_row(DocumentRow, row) for row in connection.execute(statement)]


def text_of(connection: Connection, pk: int) -> Iterator[str]:
    """Yield a document's text in order; its chunks cover it without gap or overlap."""
    first = pk << CHUNK_BITS
    statement = select(chunks.c.text).where(chunks.c.id.between(first, first + MAX_CHUNKS - 1))
    for row in connection.execute(statement.order_by(chunks.c.id)):
        yield row.text


def id_of(connection: Connection, pk: int) -> str | None:
    """Return the id of an item's document, if it is visible."""
    return connection.execute(
        select(documents.c.id).where(documents.c.pk == pk, documents.c.deleted_at.is_(None))
    ).scalar_one_or_none()


def is_held(connection: Connection, pk: int) -> bool:
    """Tell whether the guard holds the removal of an item."""
    return bool(connection.execute(select(exists().where(held_removals.c.item_pk == pk))).scalar())


def totals(connection: Connection) -> dict[int, tuple[int, int]]:
    """Return visible documents and chunks of each connector, by its number."""
    rows = connection.execute(
        select(documents.c.connector_pk, func.count(), func.sum(documents.c.chunks))
        .where(documents.c.deleted_at.is_(None))
        .group_by(documents.c.connector_pk)
    )
    return {int(row[0]): (int(row[1]), int(row[2] or 0)) for row in rows}


def counts(connection: Connection, connector_pks: Sequence[int]) -> dict[int, int]:
    """Return how many visible documents these connectors have; those without are left out."""
    rows = connection.execute(
        select(documents.c.connector_pk, func.count())
        .where(documents.c.connector_pk.in_(connector_pks), documents.c.deleted_at.is_(None))
        .group_by(documents.c.connector_pk)
    )
    return {int(row[0]): int(row[1]) for row in rows}


def visible_pks(connection: Connection, connector_pk: int, *, limit: int) -> list[int]:
    """Return the numbers of a connector's visible documents, some at a time."""
    return list(
        connection.execute(
            select(documents.c.pk)
            .where(documents.c.connector_pk == connector_pk, documents.c.deleted_at.is_(None))
            .order_by(documents.c.pk)
            .limit(limit)
        ).scalars()
    )


def forget_items_without_document(connection: Connection, connector_pk: int, *, limit: int) -> int:
    """Erase ledger rows that never became a document, some at a time; returns how many."""
    pks: Sequence[int] = list(
        connection.execute(
            select(items.c.pk)
            .where(items.c.connector_pk == connector_pk, ~exists().where(documents.c.pk == items.c.pk))
            .limit(limit)
        ).scalars()
    )
    if pks:
        connection.execute(delete(held_removals).where(held_removals.c.item_pk.in_(pks)))
        connection.execute(delete(items).where(items.c.pk.in_(pks)))
    return len(pks)


def any_of(connection: Connection, connector_pk: int) -> bool:
    """Tell whether a connector has a visible document."""
    found = select(documents.c.pk).where(
        documents.c.connector_pk == connector_pk, documents.c.deleted_at.is_(None)
    )
    return connection.execute(found.limit(1)).first() is not None


def removed_connectors_with_documents(connection: Connection, *, before: float) -> list[int]:
    """Return connectors that were removed before a time and of which something can still be found."""
    left = exists().where(documents.c.connector_pk == connectors.c.pk, documents.c.deleted_at.is_(None))
    return list(
        connection.execute(select(connectors.c.pk).where(connectors.c.deleted_at < before, left)).scalars()
    )
