"""The table: one line a result, everything as a ratio, and whether the goal holds."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, TypedDict, Unpack

_HEADER = ("row", "what", "measured", "against", "ratio", "must", "goal", "holds", "remarks")
_QUIET = 0.5
_BUSY = "Load {load:.1f} before the first run: others were at work here, so trust processor times more."


@dataclass(frozen=True)
class Result:
    """One line of the table.

    Attributes:
        row: Name of the row, as `--only` takes it.
        what: What is compared.
        measured: The figure, with its unit.
        against: The figure it is divided by, with its unit and name.
        ratio: measured / against, None where there is no figure.
        goal: The ratio we work towards, None where nothing is promised.
        remarks: Spread, processor time, or why there is no figure.
        must: Highest ratio that is no defect; the goal itself where only that is given.
        failed: True where a run ended with an error or failed its token check.
    """

    row: str
    what: str
    measured: str = ""
    against: str = ""
    ratio: float | None = None
    goal: float | None = None
    remarks: str = ""
    failed: bool = False
    must: float | None = None

    @property
    def holds(self) -> bool | None:
        """Say whether the must is met; None where there is none, or no figure."""
        if self.failed:
            return False
        limit = self.must if self.must is not None else self.goal
        return None if self.ratio is None or limit is None else self.ratio <= limit

    @property
    def reached(self) -> bool:
        """Whether the goal is met, too."""
        return self.ratio is not None and self.goal is not None and self.ratio <= self.goal


class Circumstances(TypedDict):
    """How figures were taken: machine, rounds, small corpora or not, load before the first run."""

    machine: str
    rounds: int
    quick: bool
    load: float


def markdown(results: Sequence[Result], **how: Unpack[Circumstances]) -> str:
    """Write the table with the machine and the way of measuring below it."""
    lines = [_line(_HEADER), _line(["---", "---", "--:", "--:", "--:", "--:", "--:", ":-:", "---"])]
    lines += [_line(_cells(result)) for result in results]
    return "\n".join(
        [
            *lines,
            "",
            f"Medians of {how['rounds']} runs in turn, each in a fresh process, wall clock around it "
            "unless said otherwise; after each run every document was searched by its token.",
            f"Machine: {how['machine']}.",
            *([_BUSY.format(load=how["load"])] if how["load"] > _QUIET else []),
            *(["Quick: small corpora, figures for a first look only."] if how["quick"] else []),
            "",
        ]
    )


def as_json(results: Sequence[Result], **how: Unpack[Circumstances]) -> str:
    """Write the same for programs."""
    table: dict[str, Any] = {
        **how,
        "results": [{**asdict(result), "holds": result.holds} for result in results],
    }
    return json.dumps(table, indent=1) + "\n"


def _cells(result: Result) -> list[str]:
    return [
        result.row,
        result.what,
        result.measured,
        result.against,
        "" if result.ratio is None else f"{result.ratio:.2f}",
        "" if result.must is None else f"{result.must:.2f}",
        "" if result.goal is None else f"{result.goal:.2f}",
        "goal" if result.reached else {True: "must", False: "**no**", None: ""}[result.holds],
        result.remarks,
    ]


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "/").replace("\n", " ") for cell in cells) + " |"
