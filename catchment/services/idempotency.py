"""Work that is done once for a key, however often it is asked for: the first answer is given again.

A key belongs to tenant, principal, method and path, and lives for 24 hours. Only work that succeeded is
remembered: what was refused or failed leaves the key free.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from typing import Any

from msgspec import Struct
from sqlalchemy.exc import IntegrityError

from catchment.core.errors import Conflict, UsageError
from catchment.core.ids import new_id
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.store import idempotency
from catchment.store.engine import reading, writing
from catchment.store.idempotency import IdempotencyRow

LIVES_SECONDS = 24 * 3600
DEAD_AFTER_SECONDS = 300
"""Work that began so long ago and has not ended died with its process; the next try takes the key over."""
_KEY = re.compile(r"[\x20-\x7e]{1,255}")


class InFlight(Conflict):
    """The first request with this key is still being carried out."""

    code = "in_flight"
    retry_after_seconds = 1


class Answer(Struct, frozen=True):
    """What a request is answered with; `replayed` where it was given before."""

    status: int
    body: Any
    replayed: bool = False


def once(
    context: Context,
    caller: Caller,
    key: str,
    work: Callable[[], tuple[int, Any]],
    *,
    method: str,
    path: str,
    request: Any,
) -> Answer:
    """Do work once for a key.

    Args:
        context: The surroundings.
        caller: Who asks.
        key: What the client chose: 1 to 255 printable ASCII characters.
        work: Returns status and JSON body of the answer. What it raises leaves the key free.
        method: Of the request.
        path: Of the request, as routes know it.
        request: The JSON body; another one under the same key is refused.

    Raises:
        UsageError: The key cannot be.
        Conflict: The key was used for another request.
        InFlight: The first request with this key has not ended; try again after a second.
    """
    if not is_key(key):
        raise UsageError("An idempotency key has 1 to 255 printable ASCII characters.")
    words = (caller.tenant_id, caller.principal_id, method, path, key)
    scope, asked, attempt = _hash(words), _hash(request), new_id()
    if (known := _begin(context, scope, asked, attempt)) is not None:
        return known
    try:
        status, body = work()
    except BaseException:
        with writing(context.engine) as connection:
            idempotency.forget(connection, scope, attempt)
        raise
    text = json.dumps(body)
    with writing(context.engine) as connection:
        now = context.clock.now()
        idempotency.finish(connection, scope, attempt, status=status, body=text, now=now)
    return Answer(status, body)


def is_key(text: str) -> bool:
    """Say whether a text can be a key."""
    return _KEY.fullmatch(text) is not None


def purge(context: Context) -> int:
    """Forget keys that are too old, and return how many."""
    with writing(context.engine) as connection:
        return idempotency.purge(connection, before=context.clock.now() - LIVES_SECONDS)


def _begin(context: Context, scope: str, asked: str, attempt: str) -> Answer | None:
    """Take the key, or return the answer that it has."""
    for _ in range(2):
        now = context.clock.now()
        with reading(context.engine) as connection:
            known = idempotency.get(connection, scope)
        if known is not None and not _is_over(known, now):
            return _answer_of(known, asked)
        try:
            with writing(context.engine) as connection:
                if known is not None:
                    idempotency.forget(connection, scope, known.attempt)
                idempotency.begin(connection, scope, request_hash=asked, attempt=attempt, now=now)
        except IntegrityError:
            continue  # Another was quicker: look at what it did.
        return None
    raise InFlight("A request with this key is being carried out.", remedy="Try again in a second.")


def _is_over(known: IdempotencyRow, now: float) -> bool:
    age = now - known.begun_at
    return age > LIVES_SECONDS or (known.finished_at is None and age > DEAD_AFTER_SECONDS)


def _answer_of(known: IdempotencyRow, asked: str) -> Answer:
    if known.request_hash != asked:
        raise Conflict("This key was used for another request.", remedy="Choose a new one.")
    if known.status is None or known.body is None:
        raise InFlight("A request with this key is being carried out.", remedy="Try again in a second.")
    return Answer(known.status, json.loads(known.body), replayed=True)


def _hash(value: Any) -> str:
    canonical = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode("utf-8", "surrogatepass")).hexdigest()
