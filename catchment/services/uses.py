"""When tokens were last used: kept in memory, and written now and then, so that reading stays reading."""

from __future__ import annotations

import threading

from catchment.services.context import Context
from catchment.store import access
from catchment.store.engine import writing


class Uses:
    """The uses that have not been written yet."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._seen: dict[str, float] = {}

    def note(self, token_id: str) -> None:
        """Remember that a token was used now."""
        with self._lock:
            self._seen[token_id] = self._context.clock.now()

    def write(self) -> bool:
        """Write what was noted since the last time, and say whether there was anything."""
        with self._lock:
            seen, self._seen = self._seen, {}
        if seen:
            with writing(self._context.engine) as connection:
                access.mark_used(connection, seen.items())
        return bool(seen)
