"""The page of the API, ``/docs``: every operation of every face, from this host alone.

The page's script and style come from an installed package, so that it works where no outside host is
reached, and its Content-Security-Policy lets the browser ask nobody else.
"""

from __future__ import annotations

from importlib.resources import files

from fastapi import APIRouter
from starlette.responses import FileResponse, HTMLResponse, Response

from catchment.core.errors import NotFound

router = APIRouter(prefix="/docs", include_in_schema=False)

_PACKAGE = "fastapi_offline"
_FILES = {
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}
_HEADERS = {
    "Content-Security-Policy": "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            # The page writes styles into elements as it draws them, and its icons are data.
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data:",
            "connect-src 'self'",
            "base-uri 'none'",
            "form-action 'none'",
            "frame-ancestors 'none'",
        )
    ),
    "Referrer-Policy": "no-referrer",
}
_PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Catchment's HTTP API</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/docs/swagger-ui.css">
<div id="page"></div>
<script src="/docs/swagger-ui-bundle.js"></script>
<script src="/docs/start.js"></script>
</html>
"""
# No validator: it would send the document to a host of its maker.
_START = """SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#page",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: -1,
  validatorUrl: null,
});
"""


@router.get("")
def show_page() -> Response:
    """Show the page."""
    return HTMLResponse(_PAGE, headers=_HEADERS)


@router.get("/start.js")
def send_start() -> Response:
    """Send the script that begins the page; written into the page it would be refused."""
    return Response(_START, media_type="text/javascript", headers=_HEADERS)


@router.get("/{name}")
def send_file(name: str) -> Response:
    """Send a file of the package.

    Raises:
        NotFound: The page has no such file.
    """
    if name not in _FILES:
        raise NotFound("There is nothing here.")
    path = files(_PACKAGE).joinpath("static", name)
    return FileResponse(str(path), media_type=_FILES[name], headers=_HEADERS)
