"""``catchment status`` of a server."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from catchment.cli import words
from catchment.cli.output import out
from catchment.cli.remote.views import seconds
from catchment.cli.server import server
from catchment.client.connectors import plain
from catchment.core.clock import iso

if TYPE_CHECKING:
    from catchment.client import Standing

_ENDS = {"SUCCESS": "succeeded", "ERROR": "failed"}


def status() -> int:
    """Show the server, and how every connector there stands."""
    with server() as client:
        seen = client.overview()
        address = client.session.address
    if out.json:
        out.record(
            server=address, documents=seen.documents, connectors=[_as_json(one) for one in seen.connectors]
        )
        return 0
    out.facts([("Server", address), ("", words.counted(seen.documents, "document"))])
    out.say()
    if not seen.connectors:
        out.say("There are no connectors yet. Make one: catchment connector add")
        return 0
    out.table(
        ("=connector", "=status", ">documents", "last run", "next run"),
        (
            (
                plain(one.name),
                one.status,
                words.number(one.documents),
                _last(one),
                words.moment(seconds(one.next_sync)) or one.schedule or "",
            )
            for one in seen.connectors
        ),
    )
    for one in seen.connectors:
        if one.error_message:
            out.say()
            out.say(f"{plain(one.name)}: {one.error_message}")
    return 0


def _last(one: Standing) -> str:
    run = one.last_run
    if run is None:
        return "never"
    moment = words.moment(seconds(run.completed_at or run.started_at))
    return f"{moment} {_ENDS.get(run.status, run.status.lower())}"


def _as_json(one: Standing) -> dict[str, Any]:
    run = one.last_run
    return {
        "id": one.id,
        "connector": plain(one.name),
        "name": one.name,
        "provider": one.type.replace("_", "-"),
        "status": one.status.upper(),
        "paused": one.status == "paused",
        "documents": one.documents,
        "last_run": {
            "run": f"job_{run.id}",
            "state": _ENDS.get(run.status, run.status).upper(),
            "ended_at": iso(seconds(run.completed_at)),
        }
        if run
        else None,
        "last_success_at": iso(seconds(one.last_sync)),
        "schedule": one.schedule,
        "next_run_at": iso(seconds(one.next_sync)),
        "error": {"code": "failed", "message": one.error_message} if one.error_message else None,
    }
