"""Looking up single rows by key or path."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from catchment.kit import Found, Item
from connectors.postgresql.connect import Database
from connectors.postgresql.errors import BadValue
from connectors.postgresql.fetching import canonical_keys, look_up
from connectors.postgresql.names import Values, split_key, split_path
from connectors.postgresql.plans import PlanBook
from connectors.postgresql.rows import RowPlan

PAGE_NAMES = 500


def find_rows(
    database: Database, book: PlanBook, relations: Mapping[str, str], names: Sequence[str]
) -> Iterator[Found]:
    """Answer each name once: with its row, or with None when there is none.

    Args:
        database: Where.
        book: Describes relations.
        relations: Which relations to look in, each with the key of its scope.
        names: Keys or paths.

    Raises:
        SourceError: A relation cannot be read.
    """
    asked: dict[str, list[tuple[str, Values]]] = {}
    for name in names:
        parts = split_key(name) or split_path(name)
        if parts is None or parts[0] not in relations:
            yield Found(name, None)
        else:
            asked.setdefault(parts[0], []).append((name, parts[1]))
    for relation, wanted in asked.items():
        plan = book.known(relation)
        for start in range(0, len(wanted), PAGE_NAMES):
            page = wanted[start : start + PAGE_NAMES]
            for (name, _), item in zip(page, _items(database, plan, [v for _, v in page]), strict=True):
                yield Found(name, item, relations[relation] if item is not None else None)


def _items(database: Database, plan: RowPlan, keys: Sequence[Values]) -> list[Item | None]:
    fitting = [values for values in keys if len(values) == (len(plan.key) or 1)]
    known = dict(zip(fitting, _canonical(database, plan, fitting), strict=True))
    found = look_up(database, plan, [values for values in known.values() if values is not None])
    items: list[Item | None] = []
    for values in keys:
        canonical = known.get(values)
        items.append(found.get(plan.key_of(canonical)) if canonical is not None else None)
    return items


def _canonical(database: Database, plan: RowPlan, keys: Sequence[Values]) -> list[Values | None]:
    """Return keys as the server writes them, and None for what cannot be a value of the key's type."""
    try:
        return list(canonical_keys(database, plan, keys))
    except BadValue:
        pass
    if len(keys) == 1:
        return [None]
    middle = len(keys) // 2
    return [*_canonical(database, plan, keys[:middle]), *_canonical(database, plan, keys[middle:])]
