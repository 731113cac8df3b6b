"""Spaces and collections."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from catchment.core.clock import SetClock
from catchment.core.errors import Conflict, Forbidden, NotFound, UsageError
from catchment.services import access, reach, spaces
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.store.engine import open_engine
from catchment.store.migrate import migrate
from tests.support.library import Library, add_connector


@pytest.fixture(params=["sqlite", "postgres"])
def context(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Context]:
    engine: Engine = (
        open_engine(f"sqlite:///{tmp_path / 'catchment.db'}")
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_store")
    )
    migrate(engine)
    yield Context(engine, connect=lambda: None, clock=SetClock())  # type: ignore[arg-type,return-value]
    engine.dispose()


def guest(context: Context, role: str, **roles: str) -> Caller:
    made = access.add_token(context, role, role=role, space_roles=roles or None)
    return access.authenticate(context, made.secret)


def again(context: Context, caller: Caller) -> Caller:
    """The same caller at its next request."""
    made = access.add_token(context, "again", principal_id=caller.principal_id)
    return access.authenticate(context, made.secret)


def test_who_makes_a_space_is_its_admin(context: Context) -> None:
    """An editor may make one, and only those with a role see it."""
    editor, other = guest(context, "editor"), guest(context, "editor")
    with pytest.raises(Forbidden):
        spaces.add_space(context, guest(context, "viewer"), "Mine")
    made = spaces.add_space(context, editor, "Mine")
    assert again(context, editor).space_role(made.id) == "admin"
    assert [space.name for space in spaces.list_spaces(context, other)] == ["Default"]
    with pytest.raises(Forbidden):
        spaces.add_collection(context, other, "Theirs", space_id=made.id)


def test_a_collection_lives_in_its_space(context: Context) -> None:
    """It is not found below another one."""
    owner = guest(context, "owner")
    mine = spaces.add_space(context, owner, "Mine")
    letters = spaces.add_collection(context, owner, "Letters", space_id=mine.id, description="Old ones")
    assert reach.collection(context, owner, letters.id, space_id=mine.id).description == "Old ones"
    default = spaces.list_spaces(context, owner)[0]
    with pytest.raises(NotFound):
        reach.collection(context, owner, letters.id, space_id=default.id)
    listed = spaces.list_collections(context, owner)
    assert [one.row.name for one in listed] == ["Letters", "Default"]
    assert [one.row.name for one in spaces.list_collections(context, owner, space_id=mine.id)] == ["Letters"]


def test_a_collection_counts_what_is_in_it(context: Context) -> None:
    """Living connectors and visible documents."""
    owner = guest(context, "owner")
    Library(context.engine).add("a heron")
    (default,) = spaces.list_collections(context, owner)
    assert (default.connectors, default.documents) == (1, 1)


def test_a_collection_is_removed_when_it_is_empty(context: Context) -> None:
    """Not while connectors live in it, and never the default one."""
    owner = guest(context, "owner")
    letters = spaces.add_collection(context, owner, "Letters")
    add_connector(context.engine, collection_pk=letters.pk)
    with pytest.raises(Conflict, match="1 connectors"):
        spaces.remove_collection(context, owner, letters)
    empty = spaces.add_collection(context, owner, "Empty")
    with pytest.raises(Forbidden):
        spaces.remove_collection(context, guest(context, "viewer"), empty)
    spaces.remove_collection(context, owner, empty)
    with pytest.raises(NotFound):
        reach.collection(context, owner, empty.id)
    (default,) = [one for one in spaces.list_collections(context, owner) if one.row.name == "Default"]
    with pytest.raises(Conflict, match="default"):
        spaces.remove_collection(context, owner, default.row)


def test_a_collection_gets_another_name(context: Context) -> None:
    """What is not given stays."""
    owner = guest(context, "owner")
    letters = spaces.add_collection(context, owner, "Letters", description="Old ones")
    changed = spaces.edit_collection(context, owner, letters, name="Mail")
    assert (changed.name, changed.description) == ("Mail", "Old ones")
    with pytest.raises(UsageError):
        spaces.edit_collection(context, owner, letters, name="  ")
