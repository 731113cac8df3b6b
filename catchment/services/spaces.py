"""Spaces and collections: listed, made, changed, removed."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from catchment.core.errors import Conflict, NotFound, UsageError
from catchment.core.ids import new_id
from catchment.services import reach
from catchment.services.access import SPACE_ROLES, Caller
from catchment.services.context import Context
from catchment.store import access, spaces
from catchment.store.access import PrincipalRow
from catchment.store.engine import reading, writing
from catchment.store.spaces import CollectionRow, SpaceRow

MOST_NAME_CHARACTERS = 255


class CollectionView(Struct, frozen=True):
    """A collection, and how much is in it."""

    row: CollectionRow
    connectors: int
    documents: int


def list_spaces(context: Context, caller: Caller) -> list[SpaceRow]:
    """Return the spaces that the caller has a role in, oldest first."""
    with reading(context.engine) as connection:
        found = spaces.spaces_of(connection, caller.tenant_id)
    return [row for row in found if caller.space_role(row.id) is not None]


def add_space(context: Context, caller: Caller, name: str) -> SpaceRow:
    """Make a space, with the caller as its admin.

    Raises:
        Forbidden: The caller is less than an editor.
        UsageError: The name cannot be.
    """
    caller.require_role("editor")
    _check_name(name)
    now, space_id = context.clock.now(), new_id()
    with writing(context.engine) as connection:
        spaces.add_space(connection, id=space_id, tenant_id=caller.tenant_id, name=name, created_at=now)
        access.set_space_roles(connection, caller.principal_id, {space_id: "admin"}, now=now)
    return reach.space(context, caller, space_id)


def members(context: Context, space: SpaceRow) -> list[tuple[PrincipalRow, str]]:
    """Return who was given a role in a space, and which; admins of the tenant need none."""
    with reading(context.engine) as connection:
        return access.members_of_space(connection, space.id)


def set_role(context: Context, caller: Caller, space: SpaceRow, principal_id: str, role: str | None) -> None:
    """Give a principal a role in a space, in place of the one that it had there; None takes it away.

    Raises:
        Forbidden: The caller is no admin of the space.
        NotFound: There is no such principal in the tenant.
        UsageError: There is no such role.
    """
    caller.require_space_role(space.id, "admin")
    if role is not None and role not in SPACE_ROLES:
        raise UsageError(f"There is no role {role!r} in a space.")
    with writing(context.engine) as connection:
        if access.role_in(connection, space.tenant_id, principal_id) is None:
            raise NotFound("There is no such principal.")
        access.set_space_roles(connection, principal_id, {space.id: role}, now=context.clock.now())


def list_collections(
    context: Context, caller: Caller, *, space_id: str | None = None
) -> list[CollectionView]:
    """Return the collections of the spaces that the caller has a role in, or of one of them; newest first."""
    with reading(context.engine) as connection:
        seen = reach.open_collections(connection, caller)
    return _with_counts(context, [row for row in reversed(seen) if space_id in (None, row.space_id)])


def show_collection(context: Context, row: CollectionRow) -> CollectionView:
    """Return how much is in a collection."""
    return _with_counts(context, [row])[0]


def _with_counts(context: Context, rows: Iterable[CollectionRow]) -> list[CollectionView]:
    listed = list(rows)
    pks = [row.pk for row in listed]
    with reading(context.engine) as connection:
        connectors = spaces.count_connectors(connection, pks)
        documents = spaces.count_documents(connection, pks)
    return [CollectionView(row, connectors.get(row.pk, 0), documents.get(row.pk, 0)) for row in listed]


def add_collection(
    context: Context,
    caller: Caller,
    name: str,
    *,
    space_id: str | None = None,
    description: str | None = None,
    embedding_model: str | None = None,
) -> CollectionRow:
    """Make a collection, in the tenant's default space unless another one is named.

    Raises:
        Forbidden: The caller is no editor of the space.
        NotFound: There is no such space.
        UsageError: The name cannot be.
    """
    _check_name(name)
    if space_id is None:
        with reading(context.engine) as connection:
            space_id = spaces.default_space(connection, caller.tenant_id)
    reach.space(context, caller, space_id)
    caller.require_space_role(space_id, "editor")
    collection_id = new_id()
    with writing(context.engine) as connection:
        spaces.add_collection(
            connection,
            id=collection_id,
            space_id=space_id,
            name=name,
            description=description,
            embedding_model=embedding_model,
            created_at=context.clock.now(),
        )
    return reach.collection(context, caller, collection_id)


def edit_collection(
    context: Context,
    caller: Caller,
    row: CollectionRow,
    *,
    name: str | None = None,
    description: str | None = None,
) -> CollectionRow:
    """Change the name or the description of a collection; None leaves it.

    Raises:
        Forbidden: The caller is no admin of the space.
        UsageError: The name cannot be.
    """
    caller.require_space_role(row.space_id, "admin")
    values = {"name": name, "description": description}
    given = {key: value for key, value in values.items() if value is not None}
    if name is not None:
        _check_name(name)
    if given:
        with writing(context.engine) as connection:
            spaces.change_collection(connection, row.pk, **given)
    return reach.collection(context, caller, row.id)


def remove_collection(context: Context, caller: Caller, row: CollectionRow) -> None:
    """Remove an empty collection that is not the tenant's default one.

    Raises:
        Forbidden: The caller is no admin of the space.
        Conflict: Connectors live in it, or it is the default one.
    """
    caller.require_space_role(row.space_id, "admin")
    with writing(context.engine) as connection:
        if spaces.collections_of(connection, caller.tenant_id)[0].pk == row.pk:
            raise Conflict("This is the default collection; it stays.")
        if number := spaces.count_connectors(connection, [row.pk]).get(row.pk):
            raise Conflict(f"{number} connectors live in this collection.", remedy="Remove them first.")
        spaces.change_collection(connection, row.pk, deleted_at=context.clock.now())


def _check_name(name: str) -> None:
    if not 0 < len(name.strip()) <= MOST_NAME_CHARACTERS:
        raise UsageError(f"A name has 1 to {MOST_NAME_CHARACTERS} characters.")
