"""Whom the access lists of sources may name for a principal, and access lists as they are compared."""

from __future__ import annotations

from sqlalchemy import Engine, insert

from catchment.core.ids import new_id
from catchment.store import access, connectors, subjects
from catchment.store.engine import reading, writing
from catchment.store.index import Viewer
from catchment.store.tables import tenants
from tests.support.library import NOW, Library


def test_the_last_word_counts_for_one_tenant(store: Engine) -> None:
    """What is said for one tenant or principal says nothing about another."""
    ann, bob, there = new_id(), new_id(), new_id()
    with writing(store) as connection:
        here = connectors.default_tenant(connection)
        connection.execute(insert(tenants).values(id=there, name="there", created_at=NOW))
        for who in (ann, bob):
            access.add_principal(connection, id=who, kind="user", name="n", created_at=NOW)
        subjects.replace(connection, here, ann, [("user", "old@example.org")])
        subjects.replace(connection, here, ann, [("user", "ann@example.org"), ("group", "a"), ("group", "a")])
        subjects.replace(connection, there, ann, [("group", "b")])
        subjects.replace(connection, here, bob, [("group", "c")])
        subjects.replace(connection, here, bob, [])
    with reading(store) as connection:
        assert subjects.of(connection, here, ann) == [("group", "a"), ("user", "ann@example.org")]
        assert subjects.of(connection, there, ann) == [("group", "b")]
        assert subjects.of(connection, here, bob) == []


def test_a_source_may_write_an_address_as_it_likes(store: Engine) -> None:
    """The same person twice in one list is one; a group's name keeps its case."""
    library = Library(store)
    pk = library.add("text", acl="source")
    library.allow(pk, [("user", "Ann@Example.org"), ("user", "ann@example.org"), ("group", "Core")])
    for subject, found in (
        (("user", "ann@example.org"), [pk]),
        (("group", "Core"), [pk]),
        (("group", "core"), []),
    ):
        assert library.found("text", viewer=Viewer((subject,))) == found
