"""Facts about the store itself, and the numbers it hands out."""

from __future__ import annotations

from sqlalchemy import BigInteger, Connection, Text, cast, insert, select, update

from catchment.core.ids import new_id
from catchment.store.tables import meta

STORE_ID = "store_id"
ITEM_PK = "item_pk"


def get(connection: Connection, key: str) -> str | None:
    """Return a fact, or None."""
    return connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar_one_or_none()


def put(connection: Connection, key: str, value: str) -> None:
    """Write a fact, in place of what it was."""
    changed = connection.execute(update(meta).where(meta.c.key == key).values(value=value))
    if not changed.rowcount:
        connection.execute(insert(meta).values(key=key, value=value))


def store_id(connection: Connection) -> str:
    """Return the identity of this store: what the things it owns in Prefect are tagged with."""
    return str(connection.execute(select(meta.c.value).where(meta.c.key == STORE_ID)).scalar_one())


def found(connection: Connection) -> None:
    """Give a new store its identity and its counters."""
    connection.execute(insert(meta), [{"key": STORE_ID, "value": new_id()}, {"key": ITEM_PK, "value": "0"}])


def allocate_pks(connection: Connection, count: int) -> int:
    """Reserve `count` consecutive item numbers and return the first.

    They never come again, not even after the newest item was purged: a sweep trusts that a number
    above the watermark of its listing was made after the listing began.
    """
    number = cast(meta.c.value, BigInteger)
    last = connection.execute(
        update(meta).where(meta.c.key == ITEM_PK).values(value=cast(number + count, Text)).returning(number)
    ).scalar_one()
    return int(last) - count + 1


def last_pk(connection: Connection) -> int:
    """Return the newest item number that was handed out."""
    return int(connection.execute(select(meta.c.value).where(meta.c.key == ITEM_PK)).scalar_one())
