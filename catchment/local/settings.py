"""Settings of the local stack, read from the environment with the prefix ``CATCHMENT_STACK_``."""

from __future__ import annotations

import os

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class StackSettings(BaseSettings):
    """How the embedded Prefect runs; every default works without thought."""

    model_config = SettingsConfigDict(env_prefix="CATCHMENT_STACK_", extra="ignore")

    server_port: int = Field(0, ge=0, le=65535)
    """Port of the Prefect server on 127.0.0.1; 0 takes the one of last time, or a free one."""
    worker_limit: int = Field(default_factory=lambda: 2 * (os.cpu_count() or 1), ge=1)
    """Most flow runs at a time: twice the number of cores."""
    worker_niceness: int = Field(10, ge=0, le=19)
    """How far runs stand behind whoever waits for an answer, where processor time is short; 0: not at all."""
    worker_poll_seconds: float = Field(0.3, gt=0, le=60)
    """How often the worker asks for due runs: a run begins 1.4 s after the call at 0.3, and 1.8 s after at 1.

    Each question costs some 20 ms of the processor: at 0.3, up to a tenth of one core while nothing happens.
    """
    idle_minutes: float = Field(30.0, gt=0)
    """A stack that a command started in the background stops after this long without work."""
    ready_seconds: float = Field(90.0, gt=0)
    """Longest wait for a stack to become ready; a first start, with Prefect's migrations, takes about 10."""
    drain_seconds: float = Field(30.0, ge=0)
    """Longest wait at shutdown for running flows to end by themselves."""
    sweep_seconds: float = Field(15.0, gt=0)
    """How often upkeep is done."""
    retention_days: int = Field(30, ge=1)
    """Days for which Prefect keeps finished flow runs and events."""
    log_bytes: int = Field(5 * 1024 * 1024, ge=1024)
    """A log file that is larger at start is put aside first; three old ones are kept."""
