"""What Confluence's own refusals mean: limits, tokens without a scope, sign-ins that are ignored."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx

from catchment.core.errors import AuthRejected, ConfigRejected, PermissionMissing
from catchment.kit.http import Renew, Verdict, Wait, retry_after

_MOST_WORDS = 200


def judge_for(now: Callable[[], float]) -> Callable[[httpx.Response], Verdict]:
    """Return the judge of a site's answers; `now` tells POSIX seconds."""

    def judge(response: httpx.Response) -> Verdict:
        status, host = response.status_code, response.request.url.host
        reason = response.headers.get("x-seraph-loginreason", "")
        if "AUTHENTICATION_DENIED" in reason or "x-authentication-denied-reason" in response.headers:
            return AuthRejected(
                f"{host} wants to see a person before it takes this sign-in again (CAPTCHA).",
                remedy="Sign in to the site in a browser once, then store the token again.",
            )
        if "AUTHENTICATED_FAILED" in reason:
            # Also with a 200: the site then answers as it would to anybody, and shows what is public.
            return Renew("the site does not know this account and token")
        if status == httpx.codes.TOO_MANY_REQUESTS:
            return Wait(_seconds(response, now()), _limit(response, host))
        if status == httpx.codes.UNAUTHORIZED and "scope" in message_of(response).lower():
            return _scope_missing(response)
        if status == httpx.codes.FORBIDDEN:
            return PermissionMissing(
                f"{host} does not allow {response.request.url.path}: {message_of(response) or 'no reason'}.",
                remedy="Let the account that signs in view it, or leave it out of the settings.",
            )
        if response.is_success and _is_page_for_people(response):
            return ConfigRejected(
                f"{host} answers with a web page where its API should be.",
                setting="instance_url",
                remedy="Give the site's own address; a sign-in page in front of it must let the API through.",
            )
        return None

    return judge


def message_of(response: httpx.Response) -> str:
    """Return what a refusal says about itself, in one of the three forms that the API has; short."""
    try:
        body: Any = json.loads(response.content)
    except ValueError:
        return ""
    if not isinstance(body, dict):
        return ""
    errors = body.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        body = errors[0]
    said = body.get("title") or body.get("message") or body.get("detail") or ""
    return " ".join(str(said).split())[:_MOST_WORDS].rstrip(".")


def _scope_missing(response: httpx.Response) -> PermissionMissing:
    path = response.request.url.path
    scope = next((scope for part, scope in _SCOPES if part in path), "the scopes of the documentation")
    return PermissionMissing(
        f"The sign-in does not cover {path.rpartition('/wiki')[2]}: {scope} is missing.",
        remedy=f"Add {scope} to the app, and sign in again.",
    )


_SCOPES = (
    ("/labels", "read:label:confluence"),
    ("/users-bulk", "read:user:confluence"),
    ("/footer-comments", "read:comment:confluence"),
    ("/inline-comments", "read:comment:confluence"),
    ("/child/attachment", "readonly:content.attachment:confluence"),
    ("/restriction", "read:confluence-content.all"),
    ("/group", "read:confluence-groups"),
    ("/role-assignments", "read:space.permission:confluence"),
    ("/attachments", "read:attachment:confluence"),
    ("/folders", "read:folder:confluence"),
    ("/pages", "read:page:confluence"),
    ("/blogposts", "read:page:confluence"),
    ("/spaces", "read:space:confluence"),
)


def _seconds(response: httpx.Response, now: float) -> float:
    """Return how long to wait: as asked, else until the limit is lifted, else a minute."""
    asked = retry_after(response.headers, now=now)
    if asked is not None:
        return asked
    reset = response.headers.get("x-ratelimit-reset", "")
    try:
        # A moment in ISO 8601, not a number.
        return max(datetime.fromisoformat(reset.replace("Z", "+00:00")).timestamp() - now, 0.0)
    except ValueError:
        return 60.0


def _limit(response: httpx.Response, host: str) -> str:
    reason = response.headers.get("ratelimit-reason", "")
    words = reason if reason.replace("-", "").isalnum() else ""
    return f"{host} allows no more requests now" + (f" ({words})" if words else "")


def _is_page_for_people(response: httpx.Response) -> bool:
    kind = response.headers.get("content-type", "")
    path = response.request.url.path
    is_file = path.endswith("/download") or "/download/" in path
    return kind.startswith("text/html") and "/api/" in path and not is_file
