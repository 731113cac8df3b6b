"""What a check is, and where all of them are known."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from pkgutil import iter_modules
from typing import TYPE_CHECKING

from catchment.conformance.abilities import Ability

if TYPE_CHECKING:
    from catchment.conformance.stage import Stage

Act = Callable[["Stage"], None]
_known: dict[str, Check] = {}


class Broken(AssertionError):
    """A promise that does not hold; the message says what was seen."""


class Skip(Exception):
    """A check that has no meaning for this connector; the message says why."""


@dataclass(frozen=True)
class Check:
    """One promise.

    Attributes:
        name: Short and stable.
        promise: What holds for every good connector.
        needs: What the world must be able to do.
        act: Raises `Broken` where it does not hold, `Skip` where it has no meaning.
    """

    name: str
    promise: str
    needs: tuple[Ability, ...]
    act: Act

    def __str__(self) -> str:
        """Return the name: it is the id of the test."""
        return self.name


def check(name: str, promise: str, *needs: Ability) -> Callable[[Act], Act]:
    """Register a function as a check.

    Raises:
        ValueError: There is one of that name already.
    """

    def register(act: Act) -> Act:
        if name in _known:
            raise ValueError(f"There are two checks called {name}.")
        _known[name] = Check(name, promise, needs, act)
        return act

    return register


def all_checks() -> list[Check]:
    """Return all checks, file by file, in the order in which they stand."""
    package = import_module("catchment.conformance.checks")
    for module in sorted(found.name for found in iter_modules(package.__path__)):
        import_module(f"{package.__name__}.{module}")
    return list(_known.values())
