"""The cursor block: where the next run of a connector begins."""

from __future__ import annotations

from prefect.blocks.core import Block
from pydantic import Field


class SyncCursor(Block):
    """Where the next run of a connector begins. Written by its runs; look, but do not edit.

    Use ``catchment cursor reset`` or ``catchment cursor rollback`` to change it: an edited cursor is
    noticed and not believed.
    """

    _block_type_name = "Sync Cursor"
    _block_type_slug = "sync-cursor"
    _description = "Where the next run of a Catchment connector begins."

    connector_id: str = Field(description="The connector.")
    store_id: str = Field(description="The store that it belongs to; in another it is not believed.")
    revision: int = Field(description="Grows by one with each save.")
    cursor: str = Field(description="The cursor, one JSON text.")
    saved: float = Field(description="When it was saved, in seconds since 1970.")
    saved_at: str = Field(description="The same for people.")
    run_id: str = Field(description="The run that saved it.")
    previous: str = Field(default="[]", description="A few cursors before it, newest first, as JSON.")
