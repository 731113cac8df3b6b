"""How many requests each token was let make in the current minute, by all processes together."""

from __future__ import annotations

from msgspec import Struct
from sqlalchemy import Connection, text

# What the other processes have taken decides, so read and write are one statement. A clock that is slow
# counts into the minute of the faster ones.
_TAKE = text(
    "INSERT INTO rates (token_id, minute, taken) VALUES (:token, :minute, :wanted)"
    " ON CONFLICT (token_id) DO UPDATE SET"
    " taken = CASE WHEN excluded.minute > rates.minute THEN 0 ELSE rates.taken END + excluded.taken,"
    " minute = CASE WHEN excluded.minute > rates.minute THEN excluded.minute ELSE rates.minute END"
    " RETURNING minute, taken"
)


class Taken(Struct, frozen=True):
    """What one process got.

    Attributes:
        minute: Minutes since 1970, the one that it counts for.
        before: What had been taken in that minute before.
    """

    minute: int
    before: int


def take(connection: Connection, token_id: str, *, minute: int, wanted: int) -> Taken:
    """Take so many requests of a token's minute, whatever its limit; the caller knows that."""
    row = connection.execute(_TAKE, {"token": token_id, "minute": minute, "wanted": wanted}).one()
    return Taken(row[0], row[1] - wanted)
