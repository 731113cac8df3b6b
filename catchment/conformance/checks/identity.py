"""That things keep their identity, and the same things make the same documents."""

from __future__ import annotations

from sqlalchemy import select

from catchment.conformance.check import check
from catchment.conformance.house import House
from catchment.conformance.stage import Stage, shown
from catchment.store.engine import reading
from catchment.store.tables import documents, items

COUNT = 5
_OF_THE_SOURCE = ("title", "path", "author", "created_at", "metadata", "tags", "content_type")


@check("ids-unique", "Every item has a key that is a text and not empty, and no listing names one twice.")
def ids_unique(stage: Stage) -> None:
    """List once."""
    stage.fill(COUNT)
    stage.pages_of(2)
    keys = [item.key for item in stage.everything(stage.source())]
    stage.expect(all(isinstance(key, str) and key for key in keys), f"keys are {keys}")
    twice = {key for key in keys if keys.count(key) > 1}
    stage.expect(not twice, f"named twice: {shown(twice)}")
    stage.expect(set(stage.world.truth()) <= set(keys), "not everything is named")


@check(
    "ids-stable",
    "Keys and version marks are the same in every run, for every connector object and page size.",
)
def ids_stable(stage: Stage) -> None:
    """List with other objects, sizes, and at another time."""
    stage.fill(COUNT)
    first = _named(stage)
    for size in (1, 3, COUNT + 1):
        stage.pages_of(size)
        stage.world.settle()
        again = _named(stage)
        stage.expect(
            again.keys() == first.keys(),
            f"in pages of {size} other keys: {shown(again.keys() ^ first.keys())}",
        )
        moved = [key for key in first if again[key] != first[key]]
        stage.expect(not moved, f"unchanged, and yet with another version: {shown(moved)}")


def _named(stage: Stage) -> dict[str, str | None]:
    return {item.key: item.version for item in stage.everything(stage.source())}


@check(
    "same-input-same-documents",
    "The same things make the same documents, to the byte, whoever syncs them when.",
)
def same_documents(stage: Stage) -> None:
    """Sync into two stores, a day apart."""
    stage.fill(COUNT)
    stage.succeed()
    stage.clock.advance(90_000)
    other = stage.fresh_house()
    stage.succeed(other)
    first, second = _documents(stage.house), _documents(other)
    differ = {key for key in first.keys() | second.keys() if first.get(key) != second.get(key)}
    stage.expect(not differ, f"not the same: {shown(differ)}")


def _documents(house: House) -> dict[str, object]:
    texts = house.texts()
    columns = [documents.c[name] for name in _OF_THE_SOURCE if name in documents.c]
    with reading(house.engine) as connection:
        rows = connection.execute(
            select(items.c.key, items.c.version, items.c.content_hash, *columns).join(
                documents, documents.c.pk == items.c.pk
            )
        ).all()
    return {row.key: (texts.get(row.key), *row[1:]) for row in rows}
