"""Signing in to a source in the browser: begun here, ended by the vendor's redirect."""

from __future__ import annotations

from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from catchment.api.errors import invalid
from catchment.api.ids import prefixed
from catchment.api.limits import FaceRoute
from catchment.api.requests import ContextOf, base_url
from catchment.api.zensearch import reading, render
from catchment.api.zensearch.bodies import OAuthRequest
from catchment.api.zensearch.face import envelope
from catchment.api.zensearch.reading import EditorOf
from catchment.api.zensearch.shapes import OAuthStart, One
from catchment.core.errors import NotFound
from catchment.services import oauth

router = APIRouter(prefix="/api/v1/oauth", tags=["oauth"], route_class=FaceRoute)
Told = Annotated[str | None, Query(max_length=4096)]
_HEADERS = {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store"}


@router.post("/init", response_model=One[OAuthStart], responses=reading.TOO_LARGE)
def begin(request: Request, body: OAuthRequest, context: ContextOf, caller: EditorOf) -> Any:
    """Begin a sign-in. The connector that is named gets its credentials; without one, one is made."""
    named = body.provider or body.type
    if named is None:
        raise invalid("Field required", "body", "provider", kind="missing")
    slug = reading.slug_of(named, "provider" if body.provider else "type")
    row = None
    if body.connector_id is not None:
        try:
            row = reading.own_connector(context, caller, body.connector_id)
        except NotFound as error:
            raise invalid(error.message, "body", "connectorId") from None
    place = None
    if body.collection is not None:
        place = reading.named_collection(context, caller, body.collection, "collection", least="editor")
    try:
        begun = oauth.begin(
            context,
            caller,
            slug,
            callback_url=f"{base_url(request)}/api/v1/oauth/callback/{render.type_of(slug)}",
            connector=row,
            collection_pk=place.pk if place is not None else None,
            name=body.name,
            config=body.config,
            return_to=body.redirect_uri,
        )
    except oauth.BadAddress as error:
        raise invalid(error.message, "body", "redirectUri") from None
    return envelope(request, {"authUrl": begun.url, "state": begun.state})


@router.get(
    "/callback/{provider}",
    response_class=HTMLResponse,
    responses={
        200: {"description": "A page that says how it went.", "content": {"text/html": {}}},
        302: {"description": "To the address that was asked for, with connectorId or error in its query."},
    },
)
def end(
    context: ContextOf,
    provider: str,
    code: Told = None,
    state: Told = None,
    error: Told = None,
) -> Response:
    """Take the browser back from the vendor. Open to all: the state tells whose sign-in it is."""
    slug = provider.lower().replace("_", "-")
    ended = oauth.end(context, slug, state=state, code=code, error=error)
    if ended.return_to is not None:
        told = {"error": ended.error or "no_connector"}
        if ended.connector is not None:
            told = {"connectorId": prefixed("connector", ended.connector.id)}
        return RedirectResponse(oauth.with_query(ended.return_to, **told), status_code=302, headers=_HEADERS)
    if ended.connector is None:
        return _page("The sign-in was not completed", ended.error or "")
    return _page("Signed in", f"{ended.connector.name} can be synced now. You can close this page.")


def _page(title: str, text: str) -> HTMLResponse:
    body = f"<h1>{escape(title)}</h1><p>{escape(text)}</p>"
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{escape(title)}</title>{body}</html>',
        headers=_HEADERS,
    )
