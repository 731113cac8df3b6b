"""Which folders of this machine may be read by connectors that its operator did not make."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from catchment.core.home import home_settings

ROOTS = "CATCHMENT_FOLDER_ROOTS"


def folder_roots(environ: Mapping[str, str] = os.environ) -> tuple[str, ...]:
    """Return the real paths of the folders below which such a connector may read; none unless some are set.

    They stand in ``CATCHMENT_FOLDER_ROOTS``, absolute, separated as in ``PATH``.
    """
    given = environ.get(ROOTS, "").split(os.pathsep)
    return tuple(dict.fromkeys(os.path.realpath(root) for root in given if Path(root).is_absolute()))


def root_above(path: str, roots: tuple[str, ...]) -> str | None:
    """Return the root that a path lies in, links resolved; None where none allows it.

    This installation's own folder holds secrets: neither it nor anything above it is ever allowed.
    """
    real = os.path.realpath(path)
    home = os.path.realpath(home_settings().root)
    if _lies_in(real, home) or _lies_in(home, real):
        return None
    return next((root for root in roots if _lies_in(real, root)), None)


def _lies_in(path: str, folder: str) -> bool:
    return path == folder or path.startswith(f"{folder.rstrip('/')}/")
