"""Who asked just now: a caller is known as long as nothing in the store has changed."""

from __future__ import annotations

import threading

from catchment.services.access import Caller, authenticate, hash_of
from catchment.services.context import Context
from catchment.store.version import StoreVersion

MOST_CALLERS = 1000


class KnownCallers:
    """Remembers callers between two changes of the store, so that a token that ends does so at once.

    In a store without a version (`StoreVersion`) nobody is known.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._version = StoreVersion(context.engine)
        self._lock = threading.Lock()
        self._seen_at: int | None = None
        self._seen: dict[tuple[str, str | None], Caller] = {}

    def known(self, secret: str, tenant_id: str | None) -> Caller | None:
        """Return who shows this token, if that is known; never waits."""
        version = self._version.now()
        with self._lock:
            if version is None or version != self._seen_at:
                return None
            caller = self._seen.get((hash_of(secret), tenant_id))
        if caller is None or caller.has_ended(self._context.clock.now()):
            return None
        return caller

    def ask(self, secret: str, tenant_id: str | None) -> Caller:
        """Return who shows this token by the store, and know it from now on.

        Raises:
            Unauthenticated: It is no token of ours, has ended, or its principal has left the tenant.
            Forbidden: The principal does not belong to the named tenant.
        """
        # The version comes first: what changes from here on makes it another one.
        version = self._version.now()
        caller = authenticate(self._context, secret, tenant_id=tenant_id)
        if version is None:
            return caller
        with self._lock:
            if version != self._seen_at or len(self._seen) >= MOST_CALLERS:
                self._seen_at, self._seen = version, {}
            self._seen[hash_of(secret), tenant_id] = caller
        return caller

    def close(self) -> None:
        """Let the store go."""
        self._version.close()
