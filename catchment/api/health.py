"""Whether the service lives, whether it can work, and its figures."""

from __future__ import annotations

import threading
import time

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from catchment.api.requests import ContextOf
from catchment.core.errors import CatchmentError
from catchment.services.context import Context
from catchment.store.migrate import require_current

router = APIRouter(tags=["house"])
_FRESH_SECONDS = 1.0
OK = "ok"


@router.get("/health")
def health() -> dict[str, str]:
    """Say that the process lives. Asks nobody else."""
    return {"status": "ok", "version": "v1"}


@router.get("/ready", responses={503: {"description": "A part is away."}})
def ready(request: Request) -> JSONResponse:
    """Say whether the store and Prefect answer."""
    parts = request.app.state.readiness.look()
    is_ready = all(part == OK for part in parts.values())
    body = {"status": OK if is_ready else "unavailable", **parts}
    return JSONResponse(body, status_code=200 if is_ready else 503)


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request, _context: ContextOf) -> Response:
    """Write the figures in Prometheus' text format."""
    return Response(request.app.state.metrics.text(), media_type="text/plain; version=0.0.4; charset=utf-8")


class Readiness:
    """Looks at the parts that work needs; many who ask in the same second share one look."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._lock = threading.Lock()
        self._seen: dict[str, str] = {}
        self._seen_at = float("-inf")

    def look(self) -> dict[str, str]:
        """Return ``ok`` or a word about what is wrong, for the store and for Prefect."""
        with self._lock:
            if time.monotonic() - self._seen_at > _FRESH_SECONDS:
                self._seen = {"store": self._store(), "prefect": self._prefect()}
                self._seen_at = time.monotonic()
            return dict(self._seen)

    def _store(self) -> str:
        try:
            require_current(self._context.engine)
        except CatchmentError as error:
            return error.code
        except Exception:  # what is wrong in detail is for the log of the one who asks for work
            return "unavailable"
        return OK

    def _prefect(self) -> str:
        try:
            return OK if self._context.prefect.is_healthy() else "unavailable"
        except CatchmentError as error:
            return error.code
