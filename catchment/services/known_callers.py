"""Who asked just now: a caller is known as long as nothing in the store has changed."""

from __future__ import annotations

from functools import partial

from catchment.services.access import Caller, authenticate, hash_of
from catchment.services.context import Context
from catchment.store.remembered import Remembered

MOST_CALLERS = 1000


class KnownCallers:
    """Remembers callers between two changes of the store, so that a token that ends does so at once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._seen: Remembered[tuple[str, str | None], Caller] = Remembered(context.engine, most=MOST_CALLERS)

    def known(self, secret: str, tenant_id: str | None) -> Caller | None:
        """Return who shows this token, if that is known; never waits."""
        caller = self._seen.known((hash_of(secret), tenant_id))
        if caller is None or caller.has_ended(self._context.clock.now()):
            return None
        return caller

    def ask(self, secret: str, tenant_id: str | None) -> Caller:
        """Return who shows this token by the store, and know it from now on.

        Raises:
            Unauthenticated: It is no token of ours, has ended, or its principal has left the tenant.
            Forbidden: The principal does not belong to the named tenant.
        """
        find = partial(authenticate, self._context, secret, tenant_id=tenant_id)
        return self._seen.ask((hash_of(secret), tenant_id), find)

    def close(self) -> None:
        """Let the store go."""
        self._seen.close()
