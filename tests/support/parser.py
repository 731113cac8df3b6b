"""A parser in the same thread, for tests that sync thousands of times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Self

from catchment.core.documents import Chunk, ParsedDocument, ParseFailure, ParseRequest

BROKEN = "BROKEN"


class QuickParser:
    """Takes every body for plain text; one that begins with `BROKEN` cannot be parsed."""

    def __init__(self, _settings: object, *, stop: object = None) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def parse(self, requests: Sequence[ParseRequest]) -> Iterator[ParsedDocument | ParseFailure]:
        """Answer each request, in order."""
        for request in requests:
            body = request.body if request.body is not None else Path(str(request.spool_path)).read_bytes()
            text = body.decode()
            if text.startswith(BROKEN):
                yield ParseFailure("broken", "It is broken.")
            else:
                chunks = [Chunk(0, len(text), "")] if text else []
                yield ParsedDocument(text=text, content_type="text/plain", chunks=chunks)
