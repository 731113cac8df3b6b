"""Uploads: files that people hand in, kept here and read by a run of their own.

A file's key is ``upload:`` and its path, so it can never be mistaken for one of the source. Handing it in
again replaces it. Nothing here waits for Prefect: the run waits instead.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import partial
from typing import BinaryIO

from msgspec import Struct
from sqlalchemy import Connection

from catchment.core.errors import Conflict, UsageError
from catchment.core.items import UPLOAD_PREFIX
from catchment.core.runs import ItemState, Origin, RunKind
from catchment.services import chores, syncs
from catchment.services.context import Context
from catchment.store import blobs, connectors, items, kept, meta
from catchment.store.blobs import BlobTooLarge, Incoming
from catchment.store.engine import reading, transact, writing
from catchment.store.rows import ConnectorRow, RunRow

MOST_FILES = 100
MOST_PART_BYTES = 255
MOST_PATH_BYTES = 1024
UNNAMED = "unnamed"
# What turns the direction of writing hides the true ending of a name.
_INVISIBLE = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]")


class UploadTooLarge(UsageError):
    """A file has more bytes than one may have; nothing was kept."""

    code = "payload_too_large"


class Upload(Struct, frozen=True):
    """A file on its way in: the name that the client gave it, and its bytes."""

    name: str
    stream: BinaryIO


class Uploaded(Struct, frozen=True):
    """A file that was taken in."""

    key: str
    path: str
    size: int
    version: str


class Uploads(Struct, frozen=True):
    """What an upload came to: its files, and the run that reads them."""

    files: list[Uploaded]
    run: RunRow


def clean_name(name: str) -> str:
    """Return a path that a client's name for a file can safely be shown and matched as.

    It has no empty parts, none that climb, no control characters and no half characters; no part has more
    than 255 bytes, and the whole no more than 1,024. The name decides about no path of this machine.
    """
    text = name.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    text = _INVISIBLE.sub("", unicodedata.normalize("NFC", text)).replace("\\", "/")
    parts = [part.strip() for part in text.split("/")]
    kept_parts = [_short(part, MOST_PART_BYTES) for part in parts if part not in ("", ".", "..")]
    if kept_parts and re.fullmatch("[A-Za-z]:", kept_parts[0]):
        kept_parts = kept_parts[1:]
    while len("/".join(kept_parts).encode()) > MOST_PATH_BYTES and len(kept_parts) > 1:
        kept_parts = kept_parts[1:]
    return "/".join(kept_parts) or UNNAMED


def _short(part: str, most_bytes: int) -> str:
    """Shorten a name in its middle, so that its ending, which tells the format, stays."""
    if len(part.encode()) <= most_bytes:
        return part
    stem, dot, ending = part.rpartition(".")
    tail = f"{dot}{ending}" if dot and len(ending.encode()) <= 20 else ""
    head = (stem if tail else part).encode()[: most_bytes - len(tail.encode())]
    return head.decode("utf-8", "ignore") + tail


def upload(
    context: Context, connector: ConnectorRow, files: Sequence[Upload], *, max_file_bytes: int | None = None
) -> Uploads:
    """Take files in and leave a run that reads them; of two files of one path the last counts.

    Args:
        context: The surroundings.
        connector: Whose documents they become, whatever its provider.
        files: 1 to 100 files; their streams are read once.
        max_file_bytes: Most bytes of one file, by default as for any file.

    Raises:
        UploadTooLarge: A file is larger; nothing was kept.
        UsageError: There is no file, or there are too many.
        Conflict: The connector is paused or deleted.
    """
    if not 1 <= len(files) <= MOST_FILES:
        raise UsageError(f"An upload has 1 to {MOST_FILES} files, not {len(files)}.")
    _require_open(connector)
    most = max_file_bytes or context.sync.max_file_bytes
    arrived: dict[str, Incoming] = {}
    try:
        for file in files:
            path = clean_name(file.name)
            earlier = arrived.pop(path, None)
            if earlier is not None:
                context.blobs.drop(earlier)
            try:
                arrived[path] = context.blobs.take(file.stream, max_bytes=most)
            except BlobTooLarge:
                raise UploadTooLarge(f"{path} has more than {most} bytes.") from None
        run_id = transact(context.engine, partial(_store, context, connector, arrived))
    finally:
        for incoming in arrived.values():
            context.blobs.drop(incoming)
    row = syncs.show(context, run_id)
    chores.start_now(context, run_id)
    made = [Uploaded(UPLOAD_PREFIX + path, path, one.size, one.sha256) for path, one in arrived.items()]
    return Uploads(made, row)


def _require_open(connector: ConnectorRow) -> None:
    if connector.deleted_at is not None:
        raise Conflict("This connector is deleted.")
    if connector.paused:
        raise Conflict("This connector is paused.", remedy="Resume it first.")


def _store(
    context: Context, connector: ConnectorRow, arrived: dict[str, Incoming], connection: Connection
) -> str:
    """Keep the bytes and name them in the ledger, together with the run; done again on a conflict."""
    blobs.exclusive(connection)
    connectors.lock(connection, connector.pk)
    fresh = connectors.by_pk(connection, connector.pk)
    _require_open(fresh)
    keys = {UPLOAD_PREFIX + path: path for path in arrived}
    known = items.lookup(connection, fresh.pk, list(keys))
    new = [key for key in keys if key not in known]
    first = meta.allocate_pks(connection, len(new)) if new else 0
    numbers = {key: first + place for place, key in enumerate(new)}
    rows = []
    for key, path in keys.items():
        incoming, before = arrived[path], known.get(key)
        if incoming.path.exists():
            context.blobs.keep(incoming)
        if before is not None and before.state == ItemState.INDEXED and before.version == incoming.sha256:
            continue  # the very same bytes are in the index; the run will say so
        pk = before.pk if before is not None else numbers[key]
        rows.append(
            {
                "pk": pk,
                "key": key,
                "path": path,
                "version": incoming.sha256,
                "size": incoming.size,
                "is_new": before is None,
            }
        )
    kept.write_uploads(connection, fresh.pk, rows, now=context.clock.now())
    return chores.leave(connection, fresh, RunKind.UPLOAD, names=list(keys))


def forget(context: Context, version: str) -> bool:
    """Erase a file that no item names any more; tells whether it was one."""
    with writing(context.engine) as connection:
        blobs.exclusive(connection)
        if blobs.is_named(connection, version):
            return False
        context.blobs.remove(version)
        return True


def clear(context: Context) -> int:
    """Erase files that nothing names, and what dead processes left on its way in; returns how many."""
    cleared = context.blobs.clear_leftovers()
    found = set(context.blobs.all())
    if not found:
        return cleared
    with reading(context.engine) as connection:
        found -= blobs.all_named(connection)
    return cleared + sum(forget(context, version) for version in sorted(found))


def is_upload(origin: str) -> bool:
    """Tell whether an item was handed in as a file."""
    return origin == Origin.UPLOAD
