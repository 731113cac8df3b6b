"""Queries about what the store keeps itself and can be read from it again: uploads, pushed texts, files."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from msgspec import Struct
from sqlalchemy import Connection, and_, func, insert, or_, select, text, update

from catchment.core.runs import ItemState, Origin
from catchment.core.subjects import Subject
from catchment.store.documents import seen_by
from catchment.store.rows import as_row
from catchment.store.tables import documents, items


class FileRow(Struct, frozen=True):
    """An item as a list of files shows it."""

    pk: int
    key: str
    path: str
    origin: str
    state: str
    version: str | None
    size: int | None
    modified_at: float | None
    url: str | None
    reason: str | None
    error: str | None
    content_type: str | None
    document_id: str | None

    @property
    def id(self) -> str:
        """32 hexadecimal digits, as other ids have."""
        return f"{self.pk:032x}"


_FILE = (
    items.c.pk,
    items.c.key,
    items.c.path,
    items.c.origin,
    items.c.state,
    items.c.version,
    items.c.size,
    items.c.modified_at,
    items.c.url,
    items.c.reason,
    items.c.error,
    documents.c.content_type,
    documents.c.id.label("document_id"),
)
_LIVING = items.c.state != ItemState.DELETED.value


def _files(*conditions: Any) -> Any:
    visible = and_(documents.c.pk == items.c.pk, documents.c.deleted_at.is_(None))
    return select(*_FILE).select_from(items.outerjoin(documents, visible)).where(_LIVING, *conditions)


def files(
    connection: Connection,
    connector_pk: int,
    *,
    limit: int,
    offset: int = 0,
    subjects: Sequence[Subject] | None = None,
) -> list[FileRow]:
    """Return the items of a connector that are not gone, by key.

    Args:
        connection: A connection that reads.
        connector_pk: Whose.
        limit: Most items.
        offset: Items to leave out.
        subjects: Only what was handed in, and that with a document which one of these may see; None for all.
    """
    statement = _files_of(connector_pk, subjects).order_by(items.c.key)
    rows = connection.execute(statement.limit(limit).offset(offset))
    return [as_row(FileRow, row) for row in rows]


def _files_of(connector_pk: int, subjects: Sequence[Subject] | None) -> Any:
    statement = _files(items.c.connector_pk == connector_pk)
    if subjects is None:
        return statement
    is_seen = and_(documents.c.pk.is_not(None), seen_by(subjects))
    return statement.where(or_(items.c.origin == Origin.UPLOAD.value, is_seen))


def count_files(
    connection: Connection, connector_pk: int, *, subjects: Sequence[Subject] | None = None
) -> int:
    """Return how many items `files` goes through."""
    if subjects is not None:
        inner = _files_of(connector_pk, subjects).subquery()
        return int(connection.execute(select(func.count()).select_from(inner)).scalar_one())
    statement = select(func.count()).where(items.c.connector_pk == connector_pk, _LIVING)
    return int(connection.execute(statement).scalar_one())


def files_called(
    connection: Connection, connector_pk: int, names: Sequence[str], pks: Sequence[int] = ()
) -> list[FileRow]:
    """Return the items with one of these keys, paths or numbers that are not gone."""
    meant = or_(items.c.key.in_(names), items.c.path.in_(names), items.c.pk.in_(pks))
    return [
        as_row(FileRow, r) for r in connection.execute(_files(items.c.connector_pk == connector_pk, meant))
    ]


def keys_to_read(
    connection: Connection, connector_pk: int, origin: Origin, *, now: float | None, after: str, limit: int
) -> list[str]:
    """Return keys of items that were taken in and wait, or failed and are due, in their order.

    Args:
        connection: A connection that reads.
        connector_pk: Whose.
        origin: Who brought them.
        now: POSIX seconds by which failed ones are due; None for all that are in the index, too.
        after: The key before the first.
        limit: Most keys.
    """
    conditions = [items.c.connector_pk == connector_pk, items.c.origin == origin.value, items.c.key > after]
    if now is None:
        conditions.append(items.c.state == ItemState.INDEXED.value)
    else:
        due = and_(items.c.state == ItemState.FAILED.value, items.c.next_attempt_at <= now)
        conditions.append(or_(text("state = 'pending'"), due))
    statement = select(items.c.key).where(*conditions).order_by(items.c.key).limit(limit)
    return list(connection.execute(statement).scalars())


def stored(connection: Connection, connector_pk: int, keys: Sequence[str]) -> Iterator[Any]:
    """Yield item and document of pushed documents, as rows with the columns of both that matter."""
    yield from connection.execute(
        select(
            items.c.key,
            items.c.url,
            items.c.size,
            items.c.modified_at,
            items.c.state,
            documents.c.pk,
            documents.c.title,
            documents.c.author,
            documents.c.created_at,
            documents.c.content_type,
            documents.c.tags,
            documents.c.metadata,
        )
        .join(documents, documents.c.pk == items.c.pk)
        .where(
            items.c.connector_pk == connector_pk,
            items.c.key.in_(keys),
            documents.c.deleted_at.is_(None),
        )
    )


def write_uploads(
    connection: Connection, connector_pk: int, rows: Sequence[dict[str, Any]], *, now: float
) -> None:
    """Write ledger rows of files that wait: `pk`, `key`, `path`, `version`, `size` and `is_new` of each."""
    for row in rows:
        values = {
            "path": row["path"],
            "version": row["version"],
            "size": row["size"],
            "state": ItemState.PENDING.value,
            "reason": "waiting for its run",
            "stage": None,
            "error": None,
            "attempts": 0,
            "next_attempt_at": None,
            "modified_at": now,
            "updated_at": now,
        }
        if row["is_new"]:
            values.update(pk=row["pk"], connector_pk=connector_pk, key=row["key"], origin=Origin.UPLOAD.value)
            connection.execute(insert(items).values(**values))
        else:
            connection.execute(update(items).where(items.c.pk == row["pk"]).values(**values))


def hide(connection: Connection, pks: Sequence[int], *, reason: str, now: float) -> None:
    """Record that a person deleted the documents of these items; what is known of the items stays."""
    connection.execute(
        update(items)
        .where(items.c.pk.in_(pks))
        .values(
            state=ItemState.HIDDEN.value,
            reason=reason,
            stage=None,
            error=None,
            attempts=0,
            next_attempt_at=None,
            updated_at=now,
        )
    )


def give_up(connection: Connection, connector_pk: int, origin: Origin, *, now: float) -> None:
    """Record as failed what waits, after run after run died over it."""
    connection.execute(
        update(items)
        .where(
            items.c.connector_pk == connector_pk, items.c.origin == origin.value, text("state = 'pending'")
        )
        .values(
            state=ItemState.QUARANTINED.value,
            stage="parse",
            reason="interrupted",
            error="Every run that was to read it died.",
            updated_at=now,
        )
    )


def waiting_without_run(connection: Connection) -> list[tuple[int, str]]:
    """Return connector and kind of run wherever something was taken in and no run will read it."""
    rows = connection.execute(
        text(
            "SELECT DISTINCT i.connector_pk, CASE i.origin WHEN 'upload' THEN 'upload' ELSE 'transcribe' END"
            " FROM items i JOIN connectors c ON c.pk = i.connector_pk AND c.deleted_at IS NULL"
            " WHERE i.state = 'pending' AND NOT EXISTS (SELECT 1 FROM runs r"
            " WHERE r.connector_pk = i.connector_pk AND r.state IN ('QUEUED', 'RUNNING', 'CANCELLING')"
            " AND r.kind = CASE i.origin WHEN 'upload' THEN 'upload' ELSE 'transcribe' END)"
        )
    )
    return [(int(row[0]), str(row[1])) for row in rows]
