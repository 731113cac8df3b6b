"""Syncs of a connector: started, followed, listed, cancelled."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.requests import Request

from catchment.api import ids
from catchment.api.aimable import positions, render, shapes
from catchment.api.aimable.connectors import COLLECTION, done_once
from catchment.api.aimable.parameters import (
    USUAL_LIMIT,
    Limit,
    OptionalKey,
    TimePosition,
)
from catchment.api.aimable.places import HereOf
from catchment.api.limits import FaceRoute
from catchment.services import pages, reach, syncs

router = APIRouter(
    prefix=f"{COLLECTION}/connectors/{{connector_id}}/sync", tags=["syncs"], route_class=FaceRoute
)


@router.get("", response_model=shapes.Many[shapes.Sync])
def list_syncs(
    here: HereOf,
    connector_id: str,
    cursor: TimePosition = None,
    limit: Limit = USUAL_LIMIT,
    status: shapes.SyncState | None = None,
) -> Any:
    """List the syncs of a connector, newest first."""
    row = here.connector(connector_id)
    states = [inner for inner, shown in render.SYNC_STATES.items() if shown == status]
    found = pages.runs_of(here.context, row, states=states, before=cursor, limit=limit)
    return render.page(
        found, lambda run: render.sync(run, row), lambda run: positions.write_time(run.created_at, run.id)
    )


@router.post("", status_code=202, response_model=shapes.One[shapes.Sync])
def start_sync(
    request: Request,
    here: HereOf,
    connector_id: str,
    body: Annotated[shapes.NewSync | None, Body()] = None,
    idempotency_key: OptionalKey = None,
) -> Any:
    """Start a sync now. One that runs already is a conflict, unless only named files are asked for."""
    row = here.connector(connector_id, "editor")
    asked = body or shapes.NewSync()

    def work() -> tuple[int, Any]:
        run = syncs.trigger(here.context, row, mode=asked.sync_mode, names=asked.file_filter or ())
        return 202, shapes.One(data=render.new_sync(run, row)).model_dump(mode="json")

    if idempotency_key is None:
        return work()[1]
    return done_once(request, here, idempotency_key, asked, work)


@router.post("/cancel", status_code=202, response_model=shapes.One[shapes.Sync])
def cancel_sync(
    here: HereOf,
    connector_id: str,
) -> Any:
    """Ask the sync that runs to stop; what it has indexed stays."""
    row = here.connector(connector_id, "editor")
    return shapes.One(data=render.sync(syncs.cancel_current(here.context, row), row))


@router.get("/{sync_id}", response_model=shapes.One[shapes.Sync])
def show_sync(
    here: HereOf,
    connector_id: str,
    sync_id: str,
) -> Any:
    """Show how a sync stands: its status, what it has read, and when it ended."""
    row = here.connector(connector_id)
    return shapes.One(data=render.sync(reach.run(here.context, row, ids.read("run", sync_id)), row))
