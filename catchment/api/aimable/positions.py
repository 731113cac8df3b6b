"""Positions in lists, as clients carry them from one page to the next: opaque, and only ours are taken."""

from __future__ import annotations

import base64
import json
from typing import Any

_NUMBER, _OFFSET, _TIME, _BROWSE = "n", "o", "t", "b"
_LARGEST = 2**63 - 1


def write_number(number: int) -> str:
    """Write the position behind an entry that has a number."""
    return _write([_NUMBER, number])


def write_offset(count: int) -> str:
    """Write the position behind so many entries of a short list."""
    return _write([_OFFSET, count])


def write_time(seconds: float, entry_id: str) -> str:
    """Write the position behind an entry that has a time and an id."""
    return _write([_TIME, seconds, entry_id])


def write_browse(page: str | None, start: int) -> str:
    """Write the position of a resource: the source's own page, and how many of it were shown."""
    return _write([_BROWSE, page, start])


def read_number(text: str) -> int:
    """Read what `write_number` wrote.

    Raises:
        ValueError: It is another text.
    """
    (number,) = _read(text, _NUMBER, int)
    return int(_bounded(number))


def read_offset(text: str) -> int:
    """Read what `write_offset` wrote.

    Raises:
        ValueError: It is another text.
    """
    (count,) = _read(text, _OFFSET, int)
    return int(_bounded(count))


def read_time(text: str) -> tuple[float, str]:
    """Read what `write_time` wrote.

    Raises:
        ValueError: It is another text.
    """
    seconds, entry_id = _read(text, _TIME, (int, float), str)
    return float(_bounded(seconds)), entry_id


def read_browse(text: str) -> tuple[str | None, int]:
    """Read what `write_browse` wrote.

    Raises:
        ValueError: It is another text.
    """
    page, start = _read(text, _BROWSE, (str, type(None)), int)
    return page, int(_bounded(start))


def _write(parts: list[Any]) -> str:
    raw = json.dumps(parts, separators=(",", ":"))
    return base64.urlsafe_b64encode(raw.encode()).decode().rstrip("=")


def _read(text: str, kind: str, *types: Any) -> list[Any]:
    try:
        padded = text.encode("ascii") + b"=" * (-len(text) % 4)
        parts = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
    except (ValueError, RecursionError):
        raise _foreign() from None
    if not isinstance(parts, list) or len(parts) != len(types) + 1 or parts[0] != kind:
        raise _foreign()
    values = parts[1:]
    for value, wanted in zip(values, types, strict=True):
        if not isinstance(value, wanted) or isinstance(value, bool):
            raise _foreign()
        if isinstance(value, str) and not value.isprintable():
            raise _foreign()
    return values


def _bounded(number: Any) -> Any:
    # Infinity and NaN pass neither comparison.
    if not 0 <= number <= _LARGEST:
        raise _foreign()
    return number


def _foreign() -> ValueError:
    return ValueError("This is no cursor of this list")
