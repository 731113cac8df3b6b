"""What came of the checks."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Result:
    """How one check ended; `reason` says why it failed or was skipped."""

    name: str
    promise: str
    outcome: Outcome
    reason: str = ""

    def __str__(self) -> str:
        """Write one line."""
        return f"{self.outcome.value:8}{self.name}{': ' + self.reason if self.reason else ''}"


@dataclass(frozen=True, slots=True)
class Report:
    """How all of them ended."""

    connector: str
    results: list[Result] = field(default_factory=list)

    @property
    def conforms(self) -> bool:
        """Whether every promise holds that has a meaning for this connector."""
        return all(result.outcome is not Outcome.FAILED for result in self.results)

    def of(self, outcome: Outcome) -> list[Result]:
        """Return the checks that ended so."""
        return [result for result in self.results if result.outcome is outcome]

    def __str__(self) -> str:
        """Write a line for each check, and the sums."""
        sums = Counter(result.outcome for result in self.results)
        told = ", ".join(f"{sums[outcome]} {outcome.value}" for outcome in Outcome)
        return "\n".join([*map(str, self.results), f"{self.connector}: {told}"])
