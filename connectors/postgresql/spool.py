"""A file for what a server was asked in one go, so that its transaction ends before anybody works on it.

A snapshot that stays open keeps the server from clearing away dead rows, and parsing may take hours.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import Any

_MEMORY_BYTES = 1024 * 1024
_encoded = json.JSONEncoder(separators=(",", ":")).encode  # `dumps` would make an encoder for each row


class Spool:
    """Small rows of texts and numbers, written once and read in order as often as wanted."""

    def __init__(self) -> None:
        self._file = tempfile.SpooledTemporaryFile(  # noqa: SIM115 - `close` closes it
            max_size=_MEMORY_BYTES, mode="w+", encoding="utf-8", errors="surrogatepass", newline="\n"
        )

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def add(self, row: Any) -> None:
        """Write a row."""
        self._file.write(_encoded(row))
        self._file.write("\n")

    def rows(self) -> Iterator[Any]:
        """Read all rows from the first."""
        self._file.seek(0)
        for line in self._file:
            yield json.loads(line)

    def close(self) -> None:
        """Throw the file away."""
        self._file.close()
