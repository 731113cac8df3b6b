"""Jobs: a sync or a refresh of permissions is asked for, and followed."""

from __future__ import annotations

import asyncio
from typing import Annotated, Any

from fastapi import APIRouter, Body
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from catchment.api import ids
from catchment.api.errors import invalid
from catchment.api.limits import FaceRoute
from catchment.api.requests import READS, CallerOf, ContextOf
from catchment.api.zensearch import reading, render
from catchment.api.zensearch.bodies import SyncRequest
from catchment.api.zensearch.face import envelope
from catchment.api.zensearch.reading import EditorOf
from catchment.api.zensearch.shapes import Job, JobStatus, One
from catchment.core.errors import Conflict
from catchment.core.runs import Mode
from catchment.kit import registry
from catchment.services import permissions, syncs
from catchment.services.known_runs import KnownRuns

router = APIRouter(
    prefix="/api/v1/connectors/{connector_id}",
    tags=["jobs"],
    route_class=FaceRoute,
    responses=reading.TOO_LARGE,
)
DEPRECATED: dict[int | str, dict[str, Any]] = {
    202: {
        "headers": {
            "Deprecation": {
                "description": "true where force_full_sync was used.",
                "schema": {"type": "string"},
            }
        }
    }
}


@router.post("/sync", status_code=202, response_model=One[Job], responses=DEPRECATED)
def sync(
    request: Request,
    response: Response,
    *,
    connector_id: str,
    context: ContextOf,
    caller: EditorOf,
    body: Annotated[SyncRequest | None, Body()] = None,
) -> Any:
    """Ask for a sync. A job that names files waits behind the one that runs; any other is refused then."""
    asked = body or SyncRequest()
    mode = _mode(asked)
    names = _names(asked, mode)
    row = reading.connector(context, caller, connector_id, least="editor")
    if row.execution != registry.PUSHED:
        reading.require_ready(row, render.status_of(row))
    elif row.paused:
        raise reading.conflict("The connector is paused.", status=render.status_of(row))
    try:
        run = syncs.trigger(context, row, mode=mode, names=names)
    except Conflict as error:
        held = syncs.active(context, row)
        if held is None:
            raise reading.conflict_of(error, status=render.status_of(row)) from None
        raise reading.conflict_of(error, jobId=ids.prefixed("run", held.id)) from None
    if asked.force_full_sync:
        response.headers["Deprecation"] = "true"
    return envelope(request, render.queued(run))


def _mode(asked: SyncRequest) -> Mode:
    if asked.force_full_sync:
        if asked.sync_mode == "incremental":
            raise invalid("It contradicts sync_mode: incremental.", "body", "force_full_sync")
        return Mode.FULL
    return Mode(asked.sync_mode or "auto")


def _names(asked: SyncRequest, mode: Mode) -> list[str]:
    """Return the entries that decide: full takes everything, whatever is named."""
    if mode is Mode.FULL or asked.file_filter is None:
        return []
    names = [name.lstrip("/") for name in asked.file_filter]
    if not names:
        raise invalid("An empty list names nothing. Leave it out, or name files.", "body", "file_filter")
    if "" in names:
        raise invalid("A path is empty.", "body", "file_filter", names.index(""))
    return list(dict.fromkeys(names))


@router.get("/sync/{job_id}", response_model=One[JobStatus])
async def show_job(
    request: Request, connector_id: str, job_id: str, context: ContextOf, caller: CallerOf
) -> Any:
    """Return how far a job has got."""
    runs: KnownRuns = request.app.state.runs
    asked = caller, ids.read("connector", connector_id), ids.read("run", job_id)
    placed = runs.known(*asked)
    if placed is None:
        placed = await asyncio.get_running_loop().run_in_executor(READS, runs.ask, *asked)
    run, space_id = placed
    caller.require_space_role(space_id)
    if syncs.should_have_begun(run):
        run = await run_in_threadpool(syncs.fresh, context, run)
    # Those who follow a job ask often; to check our own answer against its shape would double its price.
    return JSONResponse(envelope(request, render.job(run)))


@router.post("/refresh-permissions", status_code=202, response_model=One[Job])
def refresh_permissions(request: Request, connector_id: str, context: ContextOf, caller: EditorOf) -> Any:
    """Ask for a job that reads again who may see the documents of a connector."""
    row = reading.connector(context, caller, connector_id, least="editor")
    reading.require_ready(row, render.status_of(row))
    return envelope(request, render.queued(permissions.refresh(context, row)))
