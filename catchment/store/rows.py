"""Rows as named tuples and frozen structs, made of a result by the names of their fields."""

from __future__ import annotations

from typing import Any, NamedTuple, TypeVar

from sqlalchemy import Column, Row, Table

RowT = TypeVar("RowT")


def columns_of(row_class: type[Any], table: Table) -> list[Column[Any]]:
    """Return the table's columns that a class of rows has fields for, in its order."""
    return [table.c[name] for name in row_class.__annotations__ if name in table.c]


def as_row(row_class: type[RowT], row: Row[Any]) -> RowT:
    """Make an object of its class of a result row."""
    return row_class(**row._mapping)


class ConnectorRow(NamedTuple):
    """A connector as the store keeps it."""

    pk: int
    id: str
    tenant_id: str
    collection_pk: int
    slug: str
    name: str
    provider: str
    execution: str
    identity: str
    config: dict[str, Any]
    status: str
    paused: bool
    error_code: str | None
    error_message: str | None
    schedule: str | None
    schedule_sent: dict[str, Any] | None
    trusted: bool
    credentials_block: str | None
    deployment_id: str | None
    deployment_name: str | None
    cursor: str | None
    cursor_revision: int
    cursor_hash: str | None
    lease: int
    created_at: float
    updated_at: float
    last_success_at: float | None
    deleted_at: float | None
    description: str | None = None
    icon: str | None = None
    created_by: str | None = None


class RunRow(NamedTuple):
    """A run as the store keeps it."""

    id: str
    connector_pk: int
    kind: str
    mode: str
    trigger: str
    state: str
    waiting: bool
    dry_run: bool
    allow_mass_delete: bool
    filter: list[str]
    strategy: str | None
    reason: str | None
    flow_run_id: str | None
    flow_run_count: int | None
    lease: int | None
    lease_at: float | None
    cancel_requested_at: float | None
    cancel_reason: str | None
    wait_reason: str | None
    wait_since: float | None
    collected: int
    fetched: int
    skipped: int
    parsed: int
    indexed: int
    failed: int
    deleted: int
    gone: int
    error_code: str | None
    error_message: str | None
    details: dict[str, Any]
    resumes: str | None
    created_at: float
    started_at: float | None
    ended_at: float | None


class ScopeRow(NamedTuple):
    """What is known of one scope of a connector."""

    pk: int
    connector_pk: int
    key: str
    name: str
    generation: int
    listed_at: float | None
    config_hash: str | None
    incomplete: bool
    error: str | None


class CheckpointRow(NamedTuple):
    """How far a listing that was not finished has got."""

    scope_pk: int
    generation: int
    config_hash: str
    position: str
    mode: str
    watermark: int
    sighted: bytes
    saved_at: float
