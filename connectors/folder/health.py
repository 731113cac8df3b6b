"""What `check` tries: the way to the folder, its list of names, one of its files."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

from catchment.core.errors import SourceError
from catchment.kit import (
    Capability,
    Health,
    Item,
    ItemUnreadable,
)

if TYPE_CHECKING:
    from connectors.folder.connector import Folder

_TRIED_ENTRIES = 1000
_UNTRIED = "Not tried, because what comes before it does not work."


def probe(folder: Folder) -> list[Capability]:
    """Return how path, list and read stand, each tried only if the one before is well."""
    results = [_path(folder)]
    if results[-1].health is Health.OK:
        results.append(_list(folder))
    if len(results) == 2 and results[-1].health is Health.OK:
        results.append(_read(folder))
    names = ("path", "list", "read")
    results += [Capability(name, results[-1].health, _UNTRIED) for name in names[len(results) :]]
    return results


def _path(folder: Folder) -> Capability:
    try:
        with folder.open_root() as root:
            path = root.path
        folder.scopes()
    except SourceError as error:
        return failed("path", error)
    return Capability("path", Health.OK, f"{path} is a folder.")


def _list(folder: Folder) -> Capability:
    """List the first entries of each scope; a fault further inside shows in the run itself."""
    try:
        for scope in folder.scopes():
            for _ in islice(folder.listing(scope), 1):
                break
    except SourceError as error:
        return failed("list", error)
    return Capability("list", Health.OK, "The folder can be listed.")


def _read(folder: Folder) -> Capability:
    """Open the first file that is no special one."""
    try:
        for scope in folder.scopes():
            for event in islice(folder.listing(scope), _TRIED_ENTRIES):
                if isinstance(event, Item) and event.refusal is None:
                    folder.fetch(event).stream().close()
                    return Capability("read", Health.OK, f"{event.path} can be read.")
    except ItemUnreadable as error:
        return Capability(
            "read",
            Health.DENIED if error.reason == "permission" else Health.UNREACHABLE,
            f"{error.key}: {error.message}",
            remedy="Give the account that runs Catchment permission to read the files in the folder.",
            setting="path",
        )
    except SourceError as error:
        return failed("read", error)
    return Capability("read", Health.OK, "There is no file yet to try.")


def failed(name: str, error: SourceError) -> Capability:
    """Say how a capability stands that ended in this error."""
    remedy = "Look at the disk or the share that holds the folder, then try again."
    return Capability.failed(name, error, setting="path", remedy=remedy)
