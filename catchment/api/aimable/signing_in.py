"""Signing in to a provider in a popup of the browser: begun here, ended by the provider's redirect."""

from __future__ import annotations

from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.requests import Request

from catchment.api import ids
from catchment.api.aimable import shapes
from catchment.api.aimable.parameters import CollectionIdQuery, SpaceIdQuery
from catchment.api.aimable.places import Here
from catchment.api.auth import Shown
from catchment.api.errors import invalid
from catchment.api.limits import FaceRoute
from catchment.api.requests import ContextOf, base_url
from catchment.core.errors import Forbidden, NotFound, Unauthenticated
from catchment.kit import registry
from catchment.services import oauth
from catchment.services.access import Caller, authenticate

router = APIRouter(prefix="/v1/connectors/oauth/{provider_slug}", tags=["oauth"], route_class=FaceRoute)
Told = Annotated[str | None, Query(max_length=4096)]
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'",
    "Cache-Control": "no-store",
    # A token may stand in the address, and must not travel on.
    "Referrer-Policy": "no-referrer",
}


def _who(request: Request, context: ContextOf, token: Told = None, tenant_id: Told = None) -> Caller:
    """Return who opened the popup: by its headers or, where it can send none, by the token in the address."""
    secret = Shown(request.headers).secret
    secret = token if secret is None else secret
    if secret is None:
        raise Unauthenticated("Authentication is needed.")
    tenant = ids.parse("tenant", tenant_id) if tenant_id else None
    if tenant_id and tenant is None:
        raise Forbidden("You do not belong to this tenant.")
    return authenticate(context, secret, tenant_id=tenant)


@router.get(
    "/authorize",
    response_model=shapes.One[shapes.AuthorizationUrl],
    responses={302: {"description": "To the provider's page, for clients that do not ask for JSON."}},
)
def authorize(
    request: Request,
    provider_slug: str,
    collection_id: CollectionIdQuery,
    space_id: SpaceIdQuery,
    *,
    context: ContextOf,
    caller: Annotated[Caller, Depends(_who)],
    connector_id: Annotated[str | None, Query(max_length=100)] = None,
    redirect_uri: Annotated[str | None, Query(max_length=2048)] = None,
) -> Response:
    """Begin a sign-in, for a connector that is named or for a new one in the collection."""
    here = Here(context, caller, space_id, collection_id)
    collection = here.collection("editor")
    row = here.connector(connector_id, "editor") if connector_id else None
    if provider_slug not in registry.known():
        raise NotFound("There is no such provider.")
    try:
        begun = oauth.begin(
            context,
            caller,
            provider_slug,
            callback_url=f"{base_url(request)}/v1/connectors/oauth/{provider_slug}/callback",
            connector=row,
            collection_pk=collection.pk,
            return_to=redirect_uri,
        )
    except oauth.BadAddress as error:
        raise invalid(error.message, "query", "redirect_uri") from None
    if _wants_json(request):
        told = {"data": {"authorization_url": begun.url, "state": begun.state}}
        return JSONResponse(told, headers=_HEADERS)
    return RedirectResponse(begun.url, status_code=302, headers=_HEADERS)


def _wants_json(request: Request) -> bool:
    accepted = request.headers.get("accept", "").lower()
    return "application/json" in accepted and "text/html" not in accepted


@router.get(
    "/callback",
    response_class=HTMLResponse,
    responses={
        200: {"description": "A page that says how it went.", "content": {"text/html": {}}},
        302: {"description": "To the redirect_uri, with connector_id or error in its query."},
        502: {"description": "The provider refuses the sign-in, or does not answer."},
    },
)
def callback(
    provider_slug: str, context: ContextOf, code: Told = None, state: Told = None, error: Told = None
) -> Any:
    """Take the browser back from the provider. Open to all: the state tells whose sign-in it is."""
    try:
        ended = oauth.end(context, provider_slug, state=state, code=code, error=error)
    except oauth.BadState as bad:
        raise invalid(str(bad), "query", "state") from None
    connector = ended.connector
    if ended.return_to is not None:
        told = {"error": ended.error or "no_connector"}
        if connector is not None:
            told = {"connector_id": ids.hyphenated(connector.id)}
        return RedirectResponse(oauth.with_query(ended.return_to, **told), status_code=302, headers=_HEADERS)
    if connector is None:
        return _page("The sign-in was not completed", ended.error or "")
    return _page("Signed in", f"{connector.name} can be synced now. You can close this window.")


def _page(title: str, text: str) -> HTMLResponse:
    words, more = escape(title), escape(text)
    return HTMLResponse(
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{words}</title>'
        f"<h1>{words}</h1><p>{more}</p></html>",
        headers=_HEADERS,
    )
