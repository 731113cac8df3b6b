"""Settings: one class per subject, read from the environment with the prefix ``CATCHMENT_``.

Every number has a default that needs no thought. ``CATCHMENT_SYNC_FETCHES=4`` sets `SyncSettings.fetches`.
Where an installation lies is in `catchment.core.home`.
"""

from __future__ import annotations

from functools import cache
from typing import TypeVar

from pydantic import BaseModel, ConfigDict, Field

MIB = 1024 * 1024
Settings = TypeVar("Settings", bound=BaseModel)


class SyncSettings(BaseModel):
    """How a run works."""

    batch_items: int = Field(512, ge=1, le=10_000)
    """Most items in one batch, which is one transaction."""
    batch_bytes: int = Field(4 * MIB, ge=1024)
    """Most bytes of bodies in one batch; a larger body travels in a spool file."""
    first_batch_items: int = Field(64, ge=1)
    """Items in the first batch; each batch doubles until `batch_items`."""
    queue_batches: int = Field(2, ge=1, le=16)
    """Batches of `batch_bytes` that may wait between two lanes; more of them where they are smaller."""
    page_items: int = Field(1000, ge=1, le=10_000)
    """Keys compared with the ledger at a time."""
    fetches: int = Field(16, ge=1, le=256)
    """Most bodies fetched at a time in one run."""
    max_file_bytes: int = Field(50 * MIB, ge=1)
    """Larger files are skipped with the reason ``too_large``; a connector can set its own limit."""
    reconcile_seconds: int = Field(24 * 3600, ge=0)
    """After this long a complete listing follows even where a change feed would do."""
    guard_fraction: float = Field(0.5, gt=0, le=1)
    """A listing that would remove more than this share of a scope is held."""
    guard_least: int = Field(20, ge=1)
    """The guard lets smaller removals pass, unless the listing is empty."""
    attempts: int = Field(5, ge=1)
    """Failures after which an item is put in quarantine."""
    retry_delays_seconds: tuple[int, ...] = (0, 60, 300, 1800)
    """Wait after the first, second, ... failure of an item, before a run tries it again."""
    tombstone_days: int = Field(30, ge=0)
    """Days that a deleted document leaves a trace."""
    lease_seconds: int = Field(30, ge=5)
    """A run that has not touched its row for this long counts as dead."""
    heartbeat_seconds: float = Field(5.0, gt=0, le=10)
    """A living run touches its row at least this often."""
    poll_seconds: float = Field(1.0, gt=0)
    """How often a run looks for a cancel request and writes its counters."""
    slice_seconds: float = Field(0.2, gt=0)
    """Aim for the length of one write to a store that is in use."""
    cursor_seconds: float = Field(30.0, ge=0)
    """Least time between two saves of the cursor during a long delta."""
    min_free_bytes: int = Field(64 * MIB, ge=0)
    """A run stops with ``disk_full`` when the disk of the store has less room than this."""


class ParseSettings(BaseModel):
    """What one document may cost."""

    seconds: float = Field(60.0, gt=0)
    """Longest time for one document."""
    memory_bytes: int = Field(1024 * MIB, ge=64 * MIB)
    """Memory that the parser process may take beyond what it has at its start."""
    max_characters: int = Field(10_000_000, ge=1000)
    """Longest text of one document."""
    chunk_characters: int = Field(1000, ge=100, le=20_000)
    """Aim for the length of a chunk."""
    processes: int = Field(2, ge=1, le=64)
    """Most parser processes of one run; more than one start only when parsing is what it waits for."""


class ApiSettings(BaseModel):
    """The HTTP API: where it listens, and what one caller may ask of it."""

    model_config = ConfigDict(defer_build=True)

    host: str = "127.0.0.1"
    """Address to listen on; any other than this machine's own shows the API to a network."""
    port: int = Field(0, ge=0, le=65535)
    """Port to listen on; 0 takes that of last time, else 8377, else a free one."""
    public_url: str | None = None
    """Address that clients know, where it is not the one of their requests (behind a proxy)."""
    cors_origins: tuple[str, ...] = ("*",)
    """Origins whose pages may read answers; pages never get to send the cookie along unless named."""
    rate_per_minute: int = Field(0, ge=0)
    """Requests that one token may make in a minute; 0 sets no limit."""
    push_bytes: int = Field(32 * MIB, ge=1024)
    """Largest body of a push of documents."""
    json_bytes: int = Field(10 * MIB, ge=1024)
    """Largest body of any other request that carries no files."""
    upload_file_bytes: int = Field(50 * MIB, ge=1024)
    """Largest uploaded file."""
    upload_files: int = Field(20, ge=1, le=1000)
    """Most files in one upload."""
    json_depth: int = Field(64, ge=8, le=500)
    """Deepest nesting of a JSON body."""
    body_seconds: float = Field(30.0, gt=0)
    """Longest silence while a body arrives."""
    log_json: bool = False
    """Whether the log is one JSON object a line."""


def read_environment(settings: type[Settings], subject: str) -> Settings:
    """Read the settings of a subject from ``CATCHMENT_<SUBJECT>_<NAME>``; unknown names have no effect.

    Raises:
        ValidationError: A value cannot be used.
    """
    from pydantic_settings import BaseSettings, SettingsConfigDict

    config = SettingsConfigDict(env_prefix=f"CATCHMENT_{subject}_", extra="ignore")
    reader = type(settings.__name__, (BaseSettings, settings), {"model_config": config})
    read: Settings = reader()
    return read


@cache
def sync_settings() -> SyncSettings:
    """Read the sync settings once per process."""
    return read_environment(SyncSettings, "SYNC")


@cache
def parse_settings() -> ParseSettings:
    """Read the parse settings once per process."""
    return read_environment(ParseSettings, "PARSE")


@cache
def api_settings() -> ApiSettings:
    """Read the settings of the HTTP API once per process."""
    return read_environment(ApiSettings, "API")
