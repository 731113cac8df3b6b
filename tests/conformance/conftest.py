"""What hundreds of checks make anew, and none of them looks at, is made once for a file of them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from typing import Any, Self

import pytest
from sqlalchemy import Engine

from catchment.conformance import house
from catchment.core.documents import ParsedDocument, ParseFailure, ParseRequest
from catchment.parsing.process import ParserProcess
from catchment.store.engine import open_engine
from catchment.sync import team


class Parsers:
    """Parser processes that outlive the runs: starting one takes longer than most checks."""

    def __init__(self, leaving: ExitStack) -> None:
        self._leaving = leaving
        self._made: dict[str, ParserProcess] = {}
        self._lock = threading.Lock()

    def lend(self, settings: Any, *, stop: object = None) -> Lent:
        """Return one for a run."""
        return Lent(self, settings)

    def parse(self, settings: Any, requests: Sequence[ParseRequest]) -> list[ParsedDocument | ParseFailure]:
        """Answer each request, in order; two runs take turns."""
        with self._lock:
            key = repr(settings)
            if key not in self._made:
                self._made[key] = self._leaving.enter_context(ParserProcess(settings))
            return list(self._made[key].parse(requests))


class Lent:
    """What a run has of a parser process."""

    def __init__(self, parsers: Parsers, settings: Any) -> None:
        self._parsers = parsers
        self._settings = settings

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def parse(self, requests: Sequence[ParseRequest]) -> list[ParsedDocument | ParseFailure]:
        return self._parsers.parse(self._settings, requests)


@pytest.fixture(scope="module", autouse=True)
def made_once() -> Iterator[None]:
    """Parser processes, and what SQLAlchemy makes of our statements, which it remembers for each dialect."""
    first: list[Engine] = []

    def opened(url: str) -> Engine:
        engine = open_engine(url)
        first.append(engine)
        engine.dialect, engine._compiled_cache = first[0].dialect, first[0]._compiled_cache
        del first[1:]
        return engine

    with pytest.MonkeyPatch.context() as patch, ExitStack() as leaving:
        patch.setattr(team, "ParserProcess", Parsers(leaving).lend)
        patch.setattr(house, "open_engine", opened)
        yield
