"""The environment of processes that talk to this home's Prefect."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from catchment.core.home import OAUTH_CLIENT
from catchment.local.lifeline import GATE, LIFELINE, SOCKET, WORKER
from catchment.local.paths import authority

# Ours to hand down from process to process, never to inherit by accident; and without
# PYTHONDONTWRITEBYTECODE the import of Prefect costs a third.
_DROPPED = {GATE, LIFELINE, SOCKET, WORKER, "PYTHONDONTWRITEBYTECODE"}


def child_environment(
    home: Path, *, api_url: str = "", auth: str = "", base: Mapping[str, str] | None = None
) -> dict[str, str]:
    """Build the environment of a process that belongs to this home.

    Every ``PREFECT_*`` of the caller is dropped, in upper or lower case, as Prefect reads both: a profile or
    server of some other project must not leak in.

    Args:
        home: folder of the installation.
        api_url: address of the Prefect API; nothing leaves the process without one.
        auth: ``user:password`` for it.
        base: environment to start from, by default this process's.
    """
    base = os.environ if base is None else base
    kept = {name: value for name, value in base.items() if not _is_foreign(name)}
    kept |= {
        "CATCHMENT_HOME": str(home),
        "PREFECT_HOME": str(home / "prefect"),
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        # Server and clients are one installation: none needs to ask for the version, nor for a token that
        # this server does not want. Each run has two clients that would.
        "PREFECT_CLIENT_SERVER_VERSION_CHECK_ENABLED": "false",
        "PREFECT_CLIENT_CSRF_SUPPORT_ENABLED": "false",
        # The shortest that Prefect allows; the zombie automation waits three of them.
        "PREFECT_FLOWS_HEARTBEAT_FREQUENCY": "30",
        # The lanes' own log lines belong on the run's page; the pulse logs outside of any run.
        "PREFECT_LOGGING_EXTRA_LOGGERS": "catchment",
        "PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW": "ignore",
        "NO_PROXY": _no_proxy(base),
        "no_proxy": _no_proxy(base),
    }
    if api_url:
        kept["PREFECT_API_URL"] = api_url
    if api_url.startswith("http://127.0.0.1:") and authority(home).exists():
        kept["PREFECT_API_SSL_CERT_FILE"] = str(authority(home))
    if auth:
        kept["PREFECT_API_AUTH_STRING"] = auth
    return kept


def server_environment(*, port: int, auth: str, retention_days: int) -> dict[str, str]:
    """Settings of the server process: signed-in users only, its own pages only, and old runs removed."""
    origins = f"http://127.0.0.1:{port},http://localhost:{port}"
    return {
        "PREFECT_SERVER_API_HOST": "127.0.0.1",
        "PREFECT_SERVER_API_PORT": str(port),
        "PREFECT_SERVER_API_AUTH_STRING": auth,
        "PREFECT_SERVER_CORS_ALLOWED_ORIGINS": origins,
        "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
        "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(retention_days * 86_400),
        # For deployments of the user's own that carry a limit: 30 s by default.
        "PREFECT_SERVER_DEPLOYMENTS_CONCURRENCY_SLOT_WAIT_SECONDS": "2",
    }


def worker_environment(*, poll_seconds: float, base: Mapping[str, str] | None = None) -> dict[str, str]:
    """Settings of the worker process: by default, a run begins 1.4 s after the call instead of 7.

    The clients of sign-ins are the API's alone: runs carry out code of third parties, and get them emptied.

    Args:
        poll_seconds: how often it asks for due runs.
        base: environment that the process starts from, by default this process's.
    """
    base = os.environ if base is None else base
    emptied = {name: "" for name in base if name.startswith(OAUTH_CLIENT)}
    return {"PREFECT_WORKER_QUERY_SECONDS": str(poll_seconds), **emptied}


def _is_foreign(name: str) -> bool:
    return name.upper().startswith("PREFECT_") or name in _DROPPED


def _no_proxy(base: Mapping[str, str]) -> str:
    named = base.get("NO_PROXY") or base.get("no_proxy") or ""
    if named.strip() == "*":
        return "*"
    hosts = [host.strip() for host in named.split(",") if host.strip()]
    return ",".join(dict.fromkeys([*hosts, "127.0.0.1", "localhost"]))
