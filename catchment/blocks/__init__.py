"""The Prefect block types: the cursor, and one credentials block per provider.

``prefect block register -m catchment.blocks`` registers those of every installed provider.
"""

from prefect.blocks.core import Block

from catchment.blocks.credentials import credentials_blocks
from catchment.blocks.cursor import SyncCursor

globals().update({block.__name__: block for block in credentials_blocks()})

__all__ = ["SyncCursor", "credentials_blocks", "register_all"]


def register_all() -> None:
    """Register every block type with the Prefect API that this process belongs to."""
    blocks: list[type[Block]] = [SyncCursor, *credentials_blocks()]
    for block in blocks:
        block.register_type_and_schema()
