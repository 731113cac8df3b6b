"""Documents: listed, read, deleted, over the ZenSearch face; for pushes see `catchment.client.push`."""

from __future__ import annotations

from catchment.client.asking import data, offset_pages, read
from catchment.client.asking import delete as delete_at
from catchment.client.ids import in_path
from catchment.client.places import connector_path
from catchment.client.replies import Document, FullDocument
from catchment.client.session import Part
from catchment.client.steps import Call, Steps

DOCUMENTS = "/api/v1/documents"


def list_all(
    here: Part,
    connector: str,
    *,
    status: str | None = None,
    limit: int | None = None,
    offset: int = 0,
) -> Steps[list[Document]]:
    """Return documents of a connector, newest first, without their texts.

    Args:
        here: The client.
        connector: Id of the connector.
        status: Only ``indexed``, ``pending`` or ``failed`` ones.
        limit: Most documents; None for all.
        offset: Documents to leave out.
    """
    path = f"{connector_path(connector)}/documents"
    told = yield from offset_pages(here, path, limit=limit, offset=offset, status=status)
    return [read(here, Document, one) for one in told]


def get(here: Part, document: str) -> Steps[FullDocument]:
    """Return a document with its text."""
    told = yield from data(here, Call("GET", f"{DOCUMENTS}/{in_path(document)}"))
    return read(here, FullDocument, told)


def delete(here: Part, document: str) -> Steps[None]:
    """Delete a document. It stays away until it changes at the source, or a full job takes it again."""
    yield from delete_at(here, f"{DOCUMENTS}/{in_path(document)}")
