"""``catchment status``: the stack, the store and every connector at a glance."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from catchment.cli import words
from catchment.cli.house import House
from catchment.cli.output import out
from catchment.cli.server import or_there
from catchment.core.clock import iso

if TYPE_CHECKING:
    from catchment.services.overview import Standing


@or_there("status")
def status() -> int:
    """Show the local stack, the store, and how every connector stands. Starts nothing."""
    from catchment.services.overview import overview

    house = House()
    engine = house.engine()
    seen = overview(engine)
    path = house.store_path
    file_size = _size_of(path)
    if out.json:
        out.record(
            stack=_stack(house),
            store={
                "path": str(path) if path else engine.url.render_as_string(hide_password=True),
                "size": file_size,
                "documents": sum(one.documents for one in seen),
                "chunks": sum(one.chunks for one in seen),
            },
            connectors=[_as_json(one) for one in seen],
        )
        return 0
    chunks = words.counted(sum(one.chunks for one in seen), "chunk")
    documents = words.counted(sum(one.documents for one in seen), "document")
    place = f"{path} ({words.size(file_size)})" if path else engine.url.render_as_string(hide_password=True)
    out.facts([*_stack_facts(house), ("Store", place), ("", f"{documents}, {chunks}")])
    out.say()
    if not seen:
        out.say("There are no connectors yet. Make one: catchment sync <folder>")
        return 0
    columns = ["=connector", "=status", ">documents", ">failed", ">skipped", "last run"]
    rows = [_cells(one) for one in seen]
    if any(one.connector.schedule for one in seen):
        columns.append("next run")
        for row, one in zip(rows, seen, strict=True):
            row.append(words.moment(one.next_run_at) or one.connector.schedule or "")
    out.table(columns, rows)
    for one in seen:
        if one.connector.error_message:
            out.say()
            out.say(f"{one.connector.slug}: {one.connector.error_message}")
    return 0


def _cells(one: Standing) -> list[str]:
    return [
        one.connector.slug,
        one.connector.status.lower(),
        words.number(one.documents),
        words.number(one.items.get("failed", 0) + one.items.get("quarantined", 0)),
        words.number(one.items.get("skipped", 0)),
        _last(one),
    ]


def _size_of(path: Path | None) -> int | None:
    """Return the bytes of the store's file with its log."""
    if path is None:
        return None
    parts = (path, path.with_name(f"{path.name}-wal"))
    return sum(part.stat().st_size for part in parts if part.exists())


def _stack(house: House) -> dict[str, Any]:
    if not house.is_local:
        return {"local": False, "api": house.settings.prefect_api_url}
    state = house.stack_state()
    if state is None:
        return {"local": True, "running": False}
    return {
        "local": True,
        "running": True,
        "ui": state.ui_url,
        "api": state.api_url,
        "since": iso(state.started_at),
        "background": state.background,
        "http": state.http_url or None,
    }


def _stack_facts(house: House) -> list[tuple[str, Any]]:
    if not house.is_local:
        return [("Prefect", house.settings.prefect_api_url)]
    state = house.stack_state()
    if state is None:
        return [("Stack", "not running; commands that need it start it")]
    stops = ", stops when idle" if state.background else ""
    return [
        ("Stack", f"running since {words.moment(state.started_at)}{stops}"),
        ("Pages", f"{state.ui_url} (sign in with the line in {house.root / 'run' / 'auth'})"),
        ("HTTP API", state.http_url or "not running; catchment up has it"),
    ]


def _last(one: Standing) -> str:
    run = one.last_run
    if run is None:
        return "never"
    ended = run.state.lower() + (f" ({run.error_code})" if run.error_code else "")
    return f"{words.moment(run.ended_at or run.created_at)} {ended}"


def _as_json(one: Standing) -> dict[str, Any]:
    run, row = one.last_run, one.connector
    return {
        "id": row.id,
        "connector": row.slug,
        "name": row.name,
        "provider": row.provider,
        "status": row.status,
        "paused": row.paused,
        "documents": one.documents,
        "chunks": one.chunks,
        "items": {
            state: one.items.get(state, 0)
            for state in ("indexed", "failed", "quarantined", "skipped", "hidden", "deleted")
        },
        "last_run": {"run": run.id, "state": run.state, "ended_at": iso(run.ended_at)} if run else None,
        "last_success_at": iso(row.last_success_at),
        "schedule": row.schedule,
        "next_run_at": iso(one.next_run_at),
        "error": {"code": row.error_code, "message": row.error_message} if row.error_code else None,
    }
