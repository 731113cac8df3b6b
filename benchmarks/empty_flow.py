"""A Prefect flow that does nothing: what is left when the sync is taken out of a flow run."""

from __future__ import annotations

from prefect import flow


@flow(name="benchmark-empty")
def empty() -> None:
    """Begin and end."""
