"""Places at services: a simulated vendor of 5,000 items, a connector to it, and its state beside the index.

Every text carries tokens of its own, so that "each item once, with its own words" can be compared for the
whole index at one look. What must be in the index is read off the vendor, and not kept beside it.
"""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, ClassVar
from uuid import uuid4

from sqlalchemy import select

from catchment.core.runs import RunState
from catchment.services import connectors
from catchment.simulators.server import Simulator
from catchment.simulators.wire import Request
from catchment.store.engine import reading
from catchment.store.rows import RunRow
from catchment.store.tables import documents, items
from tests.support.journey import Journey, Place
from tests.support.stack import wait_for
from tests.support.weather import Weather

SECONDS = 300.0
"""Longest wait for a run of 5,000 items; it takes a tenth of it."""
WORDS = "the gauge at the weir was read again and stood higher than before"
_TOKEN = re.compile(r"tok\d{6}")


@dataclass(frozen=True, slots=True)
class Shown:
    """One item as the index must have it: where it lies, and its tokens in the order of its text."""

    path: str
    tokens: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """What lies between two states of a vendor, by keys.

    Attributes:
        read: New, or with other words.
        moved: The same words elsewhere.
        gone: There no more.
    """

    read: frozenset[str]
    moved: frozenset[str]
    gone: frozenset[str]

    @classmethod
    def between(cls, before: Mapping[str, Shown], after: Mapping[str, Shown]) -> Difference:
        """Compare."""
        kept = before.keys() & after.keys()
        edited = {key for key in kept if before[key].tokens != after[key].tokens}
        moved = {key for key in kept - edited if before[key].path != after[key].path}
        return cls(frozenset(after.keys() - kept | edited), frozenset(moved), frozenset(before.keys() - kept))


class ServicePlace(Place):
    """A vendor with its connector. A subclass knows what people do there, and what the index must show.

    Attributes:
        vendor: The simulator.
        rng: Decides who does what.
        weather: What goes wrong.
        listings: Matches the verbs and paths of the requests that list, and read no item.
        relists: Whether a run names all that there is, rather than what was changed.
    """

    slug: ClassVar[str]
    listings: ClassVar[re.Pattern[str]]
    relists: ClassVar[bool] = True

    def __init__(self, journey: Journey, vendor: Simulator, *, seed: int) -> None:
        super().__init__(journey, Path(), "")
        self.vendor = vendor
        self.rng = Random(seed)
        self.weather = Weather(vendor.faults, seed)
        self._numbers = count(1)

    # -- the vendor -----------------------------------------------------------------------------

    @abstractmethod
    def populate(self, items: int) -> None:
        """Make so many items."""

    @abstractmethod
    def settings(self, url: str) -> tuple[dict[str, Any], dict[str, Any] | None]:
        """Return the connector's settings and credentials, for the vendor at an address."""

    @abstractmethod
    def pass_a_day(self) -> int:
        """Edit, add, rename and move; return how many items must be read to see that they are the same."""

    @abstractmethod
    def take_away(self) -> int:
        """Delete; return as `pass_a_day`."""

    @abstractmethod
    def shown(self) -> dict[str, Shown]:
        """Return what the index must hold, by key."""

    @contextmanager
    def open(self) -> Iterator[None]:
        """Serve the vendor, with a connector to it."""
        with self.vendor.serve() as url:
            config, credentials = self.settings(url)
            name = f"{self.slug}-{uuid4().hex[:6]}"
            made = connectors.add(self.journey.context, self.slug, config, name=name, credentials=credentials)
            self.connector_id = made.id
            try:
                yield
            finally:
                self.weather.clear()
                self.retire()

    def token(self) -> str:
        """Return a word that stands nowhere else."""
        return f"tok{next(self._numbers):06}"

    def text(self) -> str:
        """Return a paragraph with a token at its beginning and one at its end."""
        return f"{self.token()} {WORDS} {self.token()}"

    def lists(self, request: Request) -> bool:
        """Whether a request lists, and reads no item."""
        return self.listings.fullmatch(f"{request.method} {request.path}") is not None

    # -- runs -----------------------------------------------------------------------------------

    def sync(self, *, expect: str = "SUCCEEDED", **parameters: Any) -> RunRow:
        """Sync once through Prefect and return the final row."""
        row = self.journey.wait(self.trigger(**parameters).id, seconds=SECONDS)
        assert row.state == expect, row
        return row

    def sync_through_a_death(self, *, indexed: int) -> tuple[RunRow, RunRow]:
        """Sync; kill the process once so much is in the index. Return that run, and the one that went on."""
        run = self.trigger()
        process = self.journey.need_process_of(run.id)
        at_work = self.journey.wait_until_working
        at_work(run.id, indexed=indexed, seconds=SECONDS, pause_seconds=0.02)
        process.kill()
        last = self.settle()
        killed = self.journey.row(run.id)
        assert (killed.state, killed.error_code) == (RunState.FAILED, "interrupted"), killed
        assert (last.trigger, last.resumes) == ("resume", killed.id), last
        assert self.connector.status == "ACTIVE"
        return killed, last

    def settle(self, *, seconds: float = SECONDS) -> RunRow:
        """Wait until the newest run has ended well, and return it; the stack sweeps by itself.

        To sweep here, too, and ten times a second, would take time away from the vendor.
        """

        def settled() -> RunRow | None:
            newest = self.runs()[0]
            return newest if newest.state == RunState.SUCCEEDED else None

        what = f"a good end of {self.connector.slug}"
        found: RunRow = wait_for(settled, seconds=seconds, what=what, pause_seconds=0.3)
        return found

    # -- the index ------------------------------------------------------------------------------

    def paths(self) -> dict[str, str]:
        """Return the paths of the visible documents, by key."""
        with reading(self.journey.engine) as connection:
            rows = connection.execute(
                select(items.c.key, items.c.path)
                .join(documents, documents.c.pk == items.c.pk)
                .where(documents.c.connector_pk == self.connector.pk, documents.c.deleted_at.is_(None))
            )
            return {row.key: row.path for row in rows}

    def check(self, *, searched: Sequence[str] | None = None, deep: bool = True) -> None:
        """The index equals the vendor: the same keys, each once, in its place, with its own words alone.

        Args:
            searched: Keys whose tokens are looked up through the search, too; twenty by default.
            deep: Let the file and the full-text index check themselves, which takes a second.
        """
        shown, texts, paths = self.shown(), self.texts(), self.paths()
        missing, surplus = shown.keys() - texts.keys(), texts.keys() - shown.keys()
        assert not missing and not surplus, f"missing {sorted(missing)[:5]}, surplus {sorted(surplus)[:5]}"
        has = {key: tuple(_TOKEN.findall(text)) for key, text in texts.items()}
        wrong = [(key, has[key], one.tokens) for key, one in shown.items() if has[key] != one.tokens]
        assert not wrong, f"{len(wrong)} have other words than their own: {wrong[:3]}"
        astray = [(key, paths[key], one.path) for key, one in shown.items() if paths[key] != one.path]
        assert not astray, f"{len(astray)} lie elsewhere: {astray[:3]}"
        states = connectors.counts(self.journey.context, self.connector)
        assert states.keys() <= {"indexed", "deleted"}, states
        assert states["indexed"] == len(shown), states
        for key in self.rng.sample(sorted(shown), 20) if searched is None else searched:
            token = shown[key].tokens[-1]
            assert self.found(token) == [key], (key, token)
        if deep:
            self.journey.check_index()


def tokens_in(*texts: str | None) -> tuple[str, ...]:
    """Return the tokens of some texts, in their order."""
    return tuple(token for text in texts for token in _TOKEN.findall(text or ""))
