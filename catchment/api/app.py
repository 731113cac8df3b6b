"""The application: three faces over one set of services, and what they share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from catchment.api import docs, health, tokens
from catchment.api.aimable.router import router as aimable
from catchment.api.auth import SignIn
from catchment.api.cors import Cors
from catchment.api.edge import Edge
from catchment.api.errors import answer_error
from catchment.api.health import Readiness
from catchment.api.limits import BodyLimits
from catchment.api.metrics import Metrics
from catchment.api.openapi import add_documents
from catchment.api.rates import Rates
from catchment.api.trove.router import router as trove
from catchment.api.zensearch.router import router as zensearch
from catchment.core.errors import CatchmentError
from catchment.core.settings import ApiSettings, api_settings
from catchment.services.context import Context
from catchment.services.known_callers import KnownCallers
from catchment.services.known_runs import KnownRuns
from catchment.services.uses import Uses

ROUTERS = (health.router, docs.router, tokens.router, trove, zensearch, aimable)
Work = Callable[[], Any]


def create_app(
    context: Context,
    *,
    settings: ApiSettings | None = None,
    background: Callable[[FastAPI], Work] | None = None,
) -> FastAPI:
    """Put the application together.

    Args:
        context: What services need. Its Prefect may be away: what needs it answers 503.
        settings: Of the API; read from the environment if absent.
        background: Starts what runs beside the requests, and returns what ends it.
    """
    settings = settings or api_settings()

    @asynccontextmanager
    async def life(app: FastAPI) -> AsyncIterator[None]:
        stop = background(app) if background else None
        try:
            yield
        finally:
            if stop is not None:
                stop()
            app.state.callers.close()
            app.state.runs.close()

    app = FastAPI(
        title="Catchment",
        version=version("catchment"),
        description="Keeps searchable collections true to the places where people keep documents.",
        lifespan=life,
        # A redirect repeats the Host of the request, and loses the body of some clients.
        redirect_slashes=False,
        # Their scripts come from elsewhere; `catchment.api.docs` has its own.
        docs_url=None,
        redoc_url=None,
        # Side by side: a router within a router is searched through once more at each level.
        routes=[route for router in ROUTERS for route in router.routes],
    )
    _furnish(app, context, settings)
    for kind in (HTTPException, RequestValidationError, CatchmentError):
        app.add_exception_handler(kind, answer_error)
    # The last one added is the outermost.
    app.add_middleware(BodyLimits, limits=settings)
    app.add_middleware(SignIn, settings=settings, callers=app.state.callers, rates=app.state.rates)
    app.add_middleware(Cors, settings=settings)
    app.add_middleware(Edge, metrics=app.state.metrics)
    add_documents(app)
    return app


def _furnish(app: FastAPI, context: Context, settings: ApiSettings) -> None:
    """Put where handlers find it what belongs to this application alone."""
    app.state.context = context
    app.state.settings = settings
    app.state.callers = KnownCallers(context)
    app.state.runs = KnownRuns(context)
    app.state.uses = Uses(context)
    app.state.rates = Rates(settings.rate_per_minute, context.clock, context.engine)
    app.state.readiness = Readiness(context)
    app.state.metrics = Metrics(context.engine)
