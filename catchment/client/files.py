"""Source files: what a source holds, and what is handed in beside it, over the ZenSearch face."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from os import PathLike
from pathlib import Path
from typing import Any, TypeAlias

from catchment.client.asking import data, offset_pages, read
from catchment.client.errors import Invalid
from catchment.client.jobs import report_of
from catchment.client.places import connector_path
from catchment.client.replies import File, FilesDeleted, Upload
from catchment.client.session import Part
from catchment.client.steps import Call, Steps

Handed: TypeAlias = str | PathLike[str] | tuple[str, bytes]


def list_all(here: Part, connector: str, *, limit: int | None = None) -> Steps[list[File]]:
    """Return what the source of a connector holds, and what was handed in, by path; also what failed.

    Args:
        here: The client.
        connector: Id of the connector.
        limit: Most files; None for all.
    """
    told = yield from offset_pages(here, f"{connector_path(connector)}/files", limit=limit)
    return [read(here, File, one) for one in told]


def upload(here: Part, connector: str, files: Iterable[Handed]) -> Steps[Upload]:
    """Hand files in; a job of their own reads them. A file of the same name is replaced.

    Args:
        here: The client.
        connector: Id of the connector.
        files: Paths of files, or names with contents. The server takes 20 of 50 MiB at once unless set
            otherwise.

    Raises:
        OSError: A file cannot be read; nothing was sent.
        TooLarge: A file, or all of them, is too large.
    """
    parts = [_part(one) for one in files]
    if not parts:
        raise Invalid("There is no file to hand in.", field="files")
    call = Call("POST", f"{connector_path(connector)}/files/upload", files=parts)
    told = yield from data(here, call)
    return Upload(
        files=tuple(read(here, File, one) for one in told.get("files", ())),
        job=report_of(here, connector, told),
    )


def delete(
    here: Part, connector: str, *, paths: Sequence[str] = (), ids: Sequence[str] = ()
) -> Steps[FilesDeleted]:
    """Take our copy of files away, with their documents; the source is never touched.

    Args:
        here: The client.
        connector: Id of the connector.
        paths: Paths of files.
        ids: Ids of files.
    """
    body = {"paths": list(paths), "ids": list(ids)}
    call = Call("DELETE", f"{connector_path(connector)}/files", body=body)
    return read(here, FilesDeleted, (yield from data(here, call)))


def _part(file: Handed) -> tuple[str, Any]:
    if isinstance(file, tuple):
        return file
    path = Path(file)
    # A path is opened anew for each attempt; whether that can be done is seen before anything is sent.
    with path.open("rb"):
        return path.name, path
