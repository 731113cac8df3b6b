"""One document deleted by a person: out of the index at once, and away until there is reason to have it."""

from __future__ import annotations

from catchment.core.errors import NotFound
from catchment.services import files
from catchment.services.context import Context
from catchment.store import connectors
from catchment.store.documents import DocumentRow
from catchment.store.engine import writing


def delete_document(context: Context, document: DocumentRow) -> None:
    """Delete a document; its item remembers that a person did.

    Automatic runs leave it alone while the source's version stays the same; a new version, a full or an
    incremental run, or pushing it again brings it back.

    Raises:
        NotFound: It is gone already.
    """
    with writing(context.engine) as connection:
        connectors.lock(connection, document.connector_pk)
        if not files.hide(context, connection, [document.pk]):
            # Nothing is visible, so nothing may be decided about its item either.
            raise NotFound(f"There is no document {document.id!r}.")
