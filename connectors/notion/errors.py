"""What Notion's refusals mean."""

from __future__ import annotations

from typing import Any

import httpx

from catchment.core.clock import Clock
from catchment.core.errors import SourceError
from catchment.kit import ConfigRejected, PermissionMissing
from catchment.kit.http import Again, Judge, Missing, Renew, Verdict, Wait, retry_after

OVERLOADED = 529
OVERLOADED_SECONDS = 10.0
"""Wait of an overloaded Notion that does not say how long."""
_CAPABILITIES = {"comments": "read comments", "users": "read user information"}


class CursorRefused(SourceError):
    """Notion no longer knows where a list goes on."""

    code = "cursor_refused"


def judge_by(clock: Clock) -> Judge:
    """Return what tells the meaning of an answer; of a good one that there is none."""

    def judge(response: httpx.Response) -> Verdict:
        if response.is_success:
            return None
        return _verdict(response, clock.now())

    return judge


def _verdict(response: httpx.Response, now: float) -> Verdict:
    status, code = response.status_code, _told(response).get("code")
    if status == OVERLOADED or code == "service_overload":
        asked = retry_after(response.headers, now=now)
        return Wait(OVERLOADED_SECONDS if asked is None else asked, "Notion is overloaded")
    if status == httpx.codes.CONFLICT:
        return Again("another change was under way")
    if code == "unauthorized":
        return Renew("the token is not valid")
    if code == "restricted_resource":
        return _restricted(response)
    if code == "object_not_found":
        return Missing("Notion has no such page, or it is not shared with the integration.")
    if code == "validation_error":
        if "cursor" in str(_told(response).get("message")):
            return CursorRefused("Notion no longer knows where its list goes on.")
        # A data source asked for as a page, or a kind of block that the API cannot tell.
        return Missing(f"Notion cannot tell {response.request.url.path} through its API.")
    if code in ("missing_version", "invalid_request_url"):
        return ConfigRejected(
            "What answers there is not the API of Notion that this connector knows.", setting="base_url"
        )
    return None


def _restricted(response: httpx.Response) -> PermissionMissing:
    part = response.request.url.path.removeprefix("/v1/").partition("/")[0]
    capability = _CAPABILITIES.get(part, "read content")
    return PermissionMissing(
        f"The integration may not ask for {part}.",
        remedy=f"Give it the capability to {capability}, in the settings of the integration at "
        "notion.so/profile/integrations.",
    )


def _told(response: httpx.Response) -> dict[str, Any]:
    """Return the body of a refusal; what stands before Notion may refuse without one."""
    try:
        body = response.json()
    except ValueError:
        return {}
    return body if isinstance(body, dict) else {}
