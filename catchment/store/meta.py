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
    facts = [{"key": STORE_ID, "value": new_id()}]
    if connection.dialect.name == "sqlite":
        facts.append({"key": ITEM_PK, "value": "0"})
    connection.execute(insert(meta), facts)


def allocate_pks(connection: Connection, count: int) -> int:
    """Reserve `count` consecutive item numbers and return the first.

    They never come again, not even after the newest item was purged: a sweep trusts that a number
    above the watermark of its listing was made after the listing began. On PostgreSQL they are gone even
    when the transaction is rolled back, so that no writer waits for the transaction of another.
    """
    if connection.dialect.name == "postgresql":
        return int(connection.exec_driver_sql("SELECT take_item_pks(%s)", (count,)).scalar_one())
    number = cast(meta.c.value, BigInteger)
    last = connection.execute(
        update(meta).where(meta.c.key == ITEM_PK).values(value=cast(number + count, Text)).returning(number)
    ).scalar_one()
    return int(last) - count + 1


def last_pk(connection: Connection) -> int:
    """Return the newest item number that was handed out."""
    if connection.dialect.name == "postgresql":
        numbers = connection.exec_driver_sql("SELECT last_value, is_called FROM item_numbers").one()
        return int(numbers[0]) if numbers[1] else 0
    return int(connection.execute(select(meta.c.value).where(meta.c.key == ITEM_PK)).scalar_one())


def go_on_after(connection: Connection, pk: int) -> None:
    """Let the next item number be greater than `pk`: for a store whose rows came from elsewhere."""
    if connection.dialect.name == "postgresql":
        if pk:
            connection.exec_driver_sql("SELECT setval('item_numbers', %s)", (pk,))
    else:
        put(connection, ITEM_PK, str(pk))
