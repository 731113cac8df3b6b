"""The ledger: what a run asks it about a page of a listing."""

from __future__ import annotations

import pytest
from sqlalchemy import Engine, update

from catchment.store import items, scopes
from catchment.store.engine import reading, writing
from catchment.store.tables import items as ledger
from tests.support.library import Library


@pytest.fixture
def library(store: Engine) -> Library:
    return Library(store)


def scope(library: Library, key: str) -> int:
    with writing(library.engine) as connection:
        return scopes.ensure(connection, library.connector_pk, [(key, key)])[key].pk


def change(library: Library, pk: int, **facts: object) -> None:
    with writing(library.engine) as connection:
        connection.execute(update(ledger).where(ledger.c.pk == pk).values(**facts))


def test_what_stands_in_the_index_is_told_from_all_else(library: Library) -> None:
    """Only an indexed item of this scope with a version and a visible document needs no second look."""
    here, elsewhere = scope(library, "here"), scope(library, "elsewhere")
    pks = [library.add(f"text {number}") for number in range(6)]
    for pk in pks:
        change(library, pk, version="1", scope_pk=here)
    stands, no_version, failed, other_scope, hidden, foreign = pks
    change(library, no_version, version=None)
    change(library, failed, state="failed")
    change(library, other_scope, scope_pk=elsewhere)
    library.remove(hidden)
    names = [f"key-{pk}" for pk in pks]
    names.remove(f"key-{foreign}")

    with reading(library.engine) as connection:
        found = items.standing(connection, library.connector_pk, here, names)
        known = items.lookup(connection, library.connector_pk, names)

    url = f"https://example.org/{stands}"
    key = f"key-{stands}"
    assert found == {(key, "1", f"{stands}.txt", url): stands}
    assert set(known) == set(names)
    assert not known[f"key-{hidden}"].has_document


def test_the_living_of_a_scope_come_up_to_the_watermark(library: Library) -> None:
    """A sweep compares these numbers with what a listing named, and no later ones."""
    here = scope(library, "here")
    first, second, late = (library.add(word) for word in ("one", "two", "three"))
    for pk in (first, second, late):
        change(library, pk, scope_pk=here)
    with reading(library.engine) as connection:
        pages = list(items.live_pks(connection, here, watermark=second))
    assert [sorted(page) for page in pages] == [[first, second]]
