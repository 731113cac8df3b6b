"""Files that people hand to a collection and to no connector: one of the collection's own takes them in."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from catchment.kit.registry import PUSHED
from catchment.services import connectors as connector_service
from catchment.services import uploads
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.services.uploads import Upload, Uploads
from catchment.store import connectors
from catchment.store.engine import reading
from catchment.store.rows import ConnectorRow
from catchment.store.spaces import CollectionRow

NAME = "Uploads"
PROVIDER = "upload"
_making = threading.Lock()


def upload(
    context: Context,
    caller: Caller,
    collection: CollectionRow,
    files: Sequence[Upload],
    *,
    max_file_bytes: int | None = None,
) -> tuple[ConnectorRow, Uploads]:
    """Take files in and leave a run that reads them; returns the connector that they belong to, too.

    Args:
        context: The surroundings.
        caller: Who hands them in; the face has seen that it may.
        collection: Where their documents go.
        files: 1 to 100 files; their streams are read once.
        max_file_bytes: Most bytes of one file, by default as for any file.

    Raises:
        UploadTooLarge: A file is larger; nothing was kept.
        UsageError: There is no file, or there are too many.
        Conflict: The connector of uploads is paused.
    """
    connector = _connector(context, caller, collection)
    return connector, uploads.upload(context, connector, files, max_file_bytes=max_file_bytes)


def _connector(context: Context, caller: Caller, collection: CollectionRow) -> ConnectorRow:
    """Return the collection's connector of uploads; should two processes make one each, the older serves."""
    with _making:
        with reading(context.engine) as connection:
            for row in connectors.all_living(connection, collection.tenant_id):
                if (row.provider, row.execution) == (PROVIDER, PUSHED) and row.collection_pk == collection.pk:
                    return row
        return connector_service.add(
            context,
            PROVIDER,
            {},
            name=NAME,
            pushed=True,
            tenant_id=collection.tenant_id,
            collection_pk=collection.pk,
            created_by=caller.principal_id,
        )
