"""Source files: what a connector holds, as it was last seen, and taking our copy of some of it away."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field
from sqlalchemy import Connection

from catchment.core.errors import NotFound
from catchment.core.runs import DELETED_BY_A_PERSON, ItemState
from catchment.core.subjects import Subject
from catchment.kit import registry
from catchment.kit.connector import Acl
from catchment.services import uploads
from catchment.services.context import Context
from catchment.store import connectors, items, kept
from catchment.store.engine import reading, writing
from catchment.store.index import index_for
from catchment.store.kept import FileRow
from catchment.store.rows import ConnectorRow

SLICE = 256
_SHOWN = {
    ItemState.INDEXED: "indexed",
    ItemState.PENDING: "pending",
    ItemState.SKIPPED: "skipped",
    ItemState.FAILED: "failed",
    ItemState.QUARANTINED: "failed",
    ItemState.HIDDEN: "deleted",
    ItemState.DELETED: "deleted",
}


class Removed(Struct):
    """What became of a request to take files away: how many went, and the names that mean nothing."""

    deleted: int = 0
    not_found: list[str] = field(default_factory=list)


def status_of(state: str) -> str:
    """Say how an item stands: indexed, pending, skipped, failed or deleted."""
    return _SHOWN[ItemState(state)]


def listed(
    context: Context,
    connector: ConnectorRow,
    *,
    limit: int,
    offset: int = 0,
    subjects: Sequence[Subject] | None = None,
) -> tuple[list[FileRow], int]:
    """Return the items of a connector that are not gone, by key, and how many there are in all.

    Args:
        context: The surroundings.
        connector: Whose.
        limit: Most items.
        offset: Items to leave out.
        subjects: Who asks; None is the operator. Where the source has access lists, a name is shown to those
            who may see the document: of what has none yet, nobody knows who may.
    """
    only = None if subjects is None or _is_open(connector) else subjects
    with reading(context.engine) as connection:
        found = kept.files(connection, connector.pk, limit=limit, offset=offset, subjects=only)
        return found, kept.count_files(connection, connector.pk, subjects=only)


def _is_open(connector: ConnectorRow) -> bool:
    """Tell whether roles alone decide who sees what a connector brings."""
    try:
        return registry.provider_of(connector).acl is Acl.NONE
    except NotFound:
        return False


def shown(context: Context, connector: ConnectorRow, keys: Sequence[str]) -> list[FileRow]:
    """Return the items with these keys that are not gone, in the order of the keys."""
    with reading(context.engine) as connection:
        found = {row.key: row for row in kept.files_called(connection, connector.pk, keys)}
    return [found[key] for key in keys if key in found]


def delete(
    context: Context, connector: ConnectorRow, *, names: Sequence[str] = (), ids: Sequence[str] = ()
) -> Removed:
    """Take our copy of files away, and their documents; the source is never touched.

    What the source still has stays away until it changes there, or a full or incremental run takes it; a
    file that was handed in is erased.

    Args:
        context: The surroundings.
        connector: Whose.
        names: Keys or paths; one may mean a file of the source and one that was handed in.
        ids: Ids of files: 32 hexadecimal digits.
    """
    numbers = {name: pk for name in ids if (pk := _number(name)) is not None}
    plain = {name: name.lstrip("/") for name in names}
    found: dict[int, FileRow] = {}
    result = Removed()
    with reading(context.engine) as connection:
        for start in range(0, max(len(plain), 1), SLICE):
            part = list(plain.values())[start : start + SLICE]
            for row in kept.files_called(connection, connector.pk, part):
                found[row.pk] = row
        pks = list(numbers.values())
        for start in range(0, len(pks), SLICE):
            for row in kept.files_called(connection, connector.pk, [], pks[start : start + SLICE]):
                found[row.pk] = row
    living = {pk: row for pk, row in found.items() if row.state != ItemState.HIDDEN}
    known = {text for row in living.values() for text in (row.key, row.path)}
    result.not_found = [name for name, text in plain.items() if text not in known]
    result.not_found += [name for name in ids if numbers.get(name) not in living]
    rows = sorted(living.values(), key=lambda row: row.pk)
    for start in range(0, len(rows), SLICE):
        result.deleted += _take_away(context, connector, rows[start : start + SLICE])
    return result


def _number(text: str) -> int | None:
    plain = text.rpartition("_")[2].replace("-", "")
    try:
        number = int(plain, 16)
    except ValueError:
        return None
    return number if len(plain) == 32 and number < 2**62 else None


def _take_away(context: Context, connector: ConnectorRow, rows: Sequence[FileRow]) -> int:
    handed_in = [row for row in rows if uploads.is_upload(row.origin)]
    others = [row.pk for row in rows if not uploads.is_upload(row.origin)]
    with writing(context.engine) as connection:
        connectors.lock(connection, connector.pk)
        now = context.clock.now()
        hide(context, connection, others)
        if handed_in:
            pks = [row.pk for row in handed_in]
            index_for(context.engine.dialect.name).remove(connection, pks, now=now)
            items.mark_deleted(connection, pks, reason=DELETED_BY_A_PERSON, now=now)
    for version in {row.version for row in handed_in if row.version is not None}:
        uploads.forget(context, version)
    return len(rows)


def hide(context: Context, connection: Connection, pks: Sequence[int]) -> int:
    """Take documents out as a person's decision, within a transaction; returns how many were visible."""
    if not pks:
        return 0
    now = context.clock.now()
    removed = index_for(context.engine.dialect.name).remove(connection, sorted(pks), now=now)
    kept.hide(connection, pks, reason=DELETED_BY_A_PERSON, now=now)
    return removed
