"""The counters of a run. At success ``collected = skipped + indexed + failed + gone``."""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import asdict


class Counters(Struct):
    """How many items passed each step. They only grow.

    Attributes:
        collected: Selected by this run, whether or not they turn out unchanged.
        fetched: Bodies read from the source.
        skipped: Unchanged, or refused by a rule.
        parsed: Text extracted in this run.
        indexed: Committed to the index, new or updated.
        failed: Tried, and could not be.
        deleted: Documents removed; not part of collected.
        gone: Named entries that the source no longer has: collected, and removed if they were known.
    """

    collected: int = 0
    fetched: int = 0
    skipped: int = 0
    parsed: int = 0
    indexed: int = 0
    failed: int = 0
    deleted: int = 0
    gone: int = 0

    def public(self) -> dict[str, int]:
        """Return the seven counters that are shown."""
        shown = asdict(self)
        del shown["gone"]
        return shown

    @property
    def settled(self) -> int:
        """Items that have come to their end."""
        return self.skipped + self.indexed + self.failed + self.gone

    def add(self, more: Counters) -> None:
        """Add other counters to these."""
        for name in COUNTER_NAMES:
            value = getattr(more, name)
            if value:
                setattr(self, name, getattr(self, name) + value)

    def copy(self) -> Counters:
        """Return the values as they are now."""
        return Counters(**asdict(self))


COUNTER_NAMES = tuple(Counters.__struct_fields__)
