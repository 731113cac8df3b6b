"""What a sync flow is called with."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, Field


class RunParameters(BaseModel):
    """The parameters of every sync flow: their signature and their schema in one place."""

    connector: str = Field(description="Name or id of the connector.")
    mode: Literal["auto", "full", "incremental"] = Field(
        default="auto",
        description="auto skips what is unchanged; full redoes everything; incremental takes what is named.",
    )
    file_filter: list[str] = Field(
        default=[], description="Exact paths or ids to sync; empty means no filter."
    )
    allow_mass_delete: bool = Field(
        default=False, description="Carry out removals that the guard would hold back."
    )
    dry_run: bool = Field(default=False, description="Say what would be done, and do nothing.")
