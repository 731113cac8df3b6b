"""What a caller can reach, by its inner id: things of other tenants do not exist, whoever asks for them."""

from __future__ import annotations

from sqlalchemy import Connection

from catchment.core.errors import NotFound
from catchment.core.subjects import with_domains
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.store import connectors, documents, runs, spaces, subjects
from catchment.store.documents import ListedDocument
from catchment.store.engine import reading
from catchment.store.index import Viewer
from catchment.store.rows import ConnectorRow, RunRow
from catchment.store.spaces import CollectionRow, SpaceRow


def connector(context: Context, caller: Caller, connector_id: str) -> ConnectorRow:
    """Return a living connector of the caller's tenant.

    Raises:
        NotFound: There is none with this id.
    """
    return placed_connector(context, caller, connector_id)[0]


def placed_connector(context: Context, caller: Caller, connector_id: str) -> tuple[ConnectorRow, str]:
    """Return a living connector of the caller's tenant, and the id of the space that it lies in.

    Raises:
        NotFound: There is none with this id.
    """
    with reading(context.engine) as connection:
        return _placed(connection, caller, connector_id)


def _placed(connection: Connection, caller: Caller, connector_id: str) -> tuple[ConnectorRow, str]:
    found = connectors.with_space(connection, connector_id)
    if found is None or found[0].deleted_at is not None or found[0].tenant_id != caller.tenant_id:
        raise NotFound("There is no such connector.")
    return found


def run(context: Context, connector: ConnectorRow, run_id: str) -> RunRow:
    """Return a run of a connector that the caller was found to reach.

    Raises:
        NotFound: There is none with this id, or it is another connector's.
    """
    with reading(context.engine) as connection:
        row = runs.get(connection, run_id)
    if row is None or row.connector_pk != connector.pk:
        raise NotFound("There is no such run.")
    return row


def placed_run(context: Context, caller: Caller, connector_id: str, run_id: str) -> tuple[RunRow, str]:
    """Return a run of a connector of the caller's tenant, and the id of the space that it lies in.

    One look for both: who follows a run asks for it again and again.

    Raises:
        NotFound: There is no such connector, or it has no such run.
    """
    with reading(context.engine) as connection:
        owner, space_id = _placed(connection, caller, connector_id)
        row = runs.get(connection, run_id)
    if row is None or row.connector_pk != owner.pk:
        raise NotFound("There is no such run.")
    return row, space_id


def space(context: Context, caller: Caller, space_id: str) -> SpaceRow:
    """Return a space of the caller's tenant; whether it has a role there is another question.

    Raises:
        NotFound: There is none with this id.
    """
    with reading(context.engine) as connection:
        row = spaces.space(connection, space_id)
    if row is None or row.tenant_id != caller.tenant_id:
        raise NotFound("There is no such space.")
    return row


def collection(
    context: Context, caller: Caller, collection_id: str, *, space_id: str | None = None
) -> CollectionRow:
    """Return a living collection of the caller's tenant, and of the space where one is named.

    Raises:
        NotFound: There is none with this id.
    """
    with reading(context.engine) as connection:
        row = spaces.collection(connection, collection_id)
    if row is None or row.deleted_at is not None or row.tenant_id != caller.tenant_id:
        raise NotFound("There is no such collection.")
    if space_id is not None and row.space_id != space_id:
        raise NotFound("There is no such collection in this space.")
    return row


def collection_of(context: Context, connector: ConnectorRow) -> CollectionRow:
    """Return the collection that a connector lives in."""
    with reading(context.engine) as connection:
        return spaces.collection_by_pk(connection, connector.collection_pk)


def viewer(connection: Connection, caller: Caller) -> Viewer:
    """Return as whom a caller looks at the access lists of sources; nobody, as long as none is mapped."""
    return Viewer(with_domains(subjects.of(connection, caller.tenant_id, caller.principal_id)))


def viewer_of(context: Context, caller: Caller) -> Viewer:
    """Return the same, for those who hold no connection."""
    with reading(context.engine) as connection:
        return viewer(connection, caller)


def document(context: Context, caller: Caller, document_id: str) -> tuple[ListedDocument, ConnectorRow]:
    """Return a visible document, and its connector, of the caller's tenant.

    Raises:
        NotFound: There is none with this id, or its source does not let the caller see it.
    """
    with reading(context.engine) as connection:
        seen_as = viewer(connection, caller).subjects
        found = documents.by_id(connection, document_id, subjects=seen_as)
        row = connectors.by_pk(connection, found.document.connector_pk) if found is not None else None
    if found is None or row is None or row.tenant_id != caller.tenant_id:
        raise NotFound("There is no such document.")
    return found, row


def default_collection(context: Context, caller: Caller) -> CollectionRow:
    """Return the collection of the caller's tenant that takes what names none: its oldest."""
    with reading(context.engine) as connection:
        return spaces.collection_by_pk(
            connection, connectors.default_collection(connection, caller.tenant_id)
        )


def open_collections(connection: Connection, caller: Caller) -> list[CollectionRow]:
    """Return the living collections of the spaces in which a caller has a role, oldest first."""
    found = spaces.collections_of(connection, caller.tenant_id)
    return [row for row in found if caller.space_role(row.space_id) is not None]


def open_connectors(connection: Connection, caller: Caller) -> list[tuple[ConnectorRow, CollectionRow]]:
    """Return the living connectors in those collections, each with its own, oldest first."""
    homes = {row.pk: row for row in open_collections(connection, caller)}
    living = connectors.all_living(connection, caller.tenant_id)
    return [(row, homes[row.collection_pk]) for row in living if row.collection_pk in homes]
