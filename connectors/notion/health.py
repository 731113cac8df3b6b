"""What `check` tries: the sign-in, a listing, one page, its comments, and the names of people."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from catchment.core.errors import SourceError
from catchment.kit import Capability, ConfigRejected, Health
from catchment.kit.http import Missing
from connectors.notion.words import Raw

if TYPE_CHECKING:
    from connectors.notion.connector import Notion

SHARE = "Open the page in Notion, choose Connections behind its three dots, and add the integration."
_UNTRIED = "Not tried, because what comes before it does not work."
_REMEDY = "Look at the network, and at status.notion.so; then try again."


def probe(source: Notion) -> list[Capability]:
    """Return how each capability stands, each tried only if what comes before it is well."""
    signed, _ = _try("sign-in", lambda: _signed_in(source))
    if signed.health is not Health.OK:
        return [signed, *(_untried(name, signed) for name in ("list", "read"))]
    listed, first = _try("list", lambda: _listed(source))
    if listed.health is not Health.OK:
        return [signed, listed, _untried("read", listed)]
    read, _ = _try("read", lambda: _read(source, first))
    found = [signed, listed, read]
    if source.config.comments and read.health is Health.OK:
        found.append(_try("comments", lambda: _comments(source, first))[0])
    return [*found, _try("people", lambda: _people(source))[0]]


def nothing_shared(root: str | None = None) -> ConfigRejected:
    """Return the error for an integration that sees nothing, or not the page that was chosen."""
    if root is None:
        return ConfigRejected("No page is shared with the integration.", remedy=SHARE)
    return ConfigRejected(
        f"The page or database {root} is not there, or not shared with the integration.",
        setting="roots",
        remedy=SHARE,
    )


def _try(name: str, look: Callable[[], tuple[str, Raw | None]]) -> tuple[Capability, Raw | None]:
    try:
        message, found = look()
    except SourceError as error:
        return Capability.failed(name, error, remedy=_REMEDY), None
    return Capability(name, Health.OK, message), found


def _untried(name: str, before: Capability) -> Capability:
    return Capability(name, before.health, _UNTRIED)


def _signed_in(source: Notion) -> tuple[str, None]:
    me = source.api.me()
    workspace = (me.get("bot") or {}).get("workspace_name")
    return f"Signed in as {me.get('name')}" + (f" in the workspace {workspace}." if workspace else "."), None


def _listed(source: Notion) -> tuple[str, Raw | None]:
    results = source.api.search_page(None)["results"]
    if not results:
        raise nothing_shared()
    for root in source.config.roots:
        if not source.is_there(root):
            raise nothing_shared(root)
    return "What is shared can be listed.", next(
        (raw for raw in results if raw.get("object") == "page"), None
    )


def _read(source: Notion, page: Raw | None) -> tuple[str, None]:
    if page is None:
        return "There is no page yet to try.", None
    try:
        source.api.children_page(str(page["id"]), None)
    except Missing:
        return "The page that was tried is gone meanwhile.", None
    return "A page can be read.", None


def _comments(source: Notion, page: Raw | None) -> tuple[str, None]:
    if page is None:
        return "There is no page yet to try.", None
    try:
        next(source.api.comments(str(page["id"])), None)
    except Missing:
        return "The page that was tried is gone meanwhile.", None
    return "Comments can be read.", None


def _people(source: Notion) -> tuple[str, None]:
    next(source.api.users(), None)
    return "Names of people can be read.", None
