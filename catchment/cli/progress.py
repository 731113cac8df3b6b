"""A run while it works: a live line of counters on a terminal, a plain line a second elsewhere."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from catchment.cli import words
from catchment.cli.output import clean, console_for, out

if TYPE_CHECKING:
    from rich.console import RenderableType
    from rich.live import Live

    from catchment.cli.outcome import Run

SHOWN = ("collected", "parsed", "indexed", "skipped", "failed", "deleted")
LEAST_SECONDS = 1.0
"""Between two plain lines."""


class Progress:
    """Shows a run's row each time it is read; everything goes to standard error."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._began = time.monotonic()
        self._row: Run | None = None
        self._said: tuple[Any, ...] = ()
        self._said_at = 0.0
        self._live: Live | None = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.live import Live

            console = console_for(sys.stderr)
            self._live = Live(
                get_renderable=self._picture, console=console, transient=True, refresh_per_second=5
            )
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def show(self, row: Run) -> None:
        """Take the row as it is now."""
        self._row = row
        if self._live is None:
            self._line(row)

    def _line(self, row: Run) -> None:
        facts = (*(getattr(row, name) for name in SHOWN), _standing(row))
        now = time.monotonic()
        if facts == self._said or now - self._said_at < LEAST_SECONDS or row.ended_at is not None:
            return
        self._said, self._said_at = facts, now
        standing = f"  {_standing(row)}" if _standing(row) else ""
        out.note(f"{words.clock(now - self._began)}  {_counters(row)}{standing}")

    def _picture(self) -> RenderableType:
        from rich.text import Text

        elapsed = words.clock(time.monotonic() - self._began)
        picture = Text()
        picture.append(out.hide(clean(self._title)), style="bold")
        picture.append(f"  {elapsed}\n")
        if self._row is None:
            return picture.append("  Waiting to begin")
        picture.append(f"  {_counters(self._row)}")
        if standing := _standing(self._row):
            picture.append(f"\n  {standing}", style="yellow")
        return picture


def _counters(row: Run) -> str:
    return "  ".join(f"{name} {words.number(getattr(row, name))}" for name in SHOWN)


def _standing(row: Run) -> str:
    """Say what the run waits for, if it does not simply work."""
    if row.state == "QUEUED":
        return "waits behind another run" if row.waiting else "waits for a worker"
    if row.state == "CANCELLING":
        return "is being cancelled"
    if row.wait_reason:
        since = f", since {words.clock(time.time() - row.wait_since)}" if row.wait_since else ""
        return out.hide(clean(f"waits for the source: {row.wait_reason}{since}"))
    return ""
