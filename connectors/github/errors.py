"""What GitHub's refusals mean: its limits come as 403, and so does what is forbidden."""

from __future__ import annotations

import json
import re
import threading
from typing import TYPE_CHECKING, Any

from catchment.core.errors import AuthRejected, PermissionMissing, SourceError
from catchment.kit.http import UNSAID_SECONDS, Verdict, Wait, retry_after
from catchment.kit.session import Session

if TYPE_CHECKING:
    import httpx

MOST_UNSAID_SECONDS = 960.0
MARGIN_SECONDS = 1.0
"""Clocks differ by a little; a limit that is over a moment later costs nothing."""
_FORBIDDEN = ("resource not accessible", "must have", "although you appear")
_PERMISSIONS = re.compile(r"[\w, =;-]{1,200}")


class BlobTooLarge(SourceError):
    """The API hands out no file of this size."""

    code = "too_large"


class Judge:
    """Tells limits from missing permissions, and how long a limit lasts.

    A secondary limit that names no time lasts a minute, and twice as long each time it comes again.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._lock = threading.Lock()
        self._unsaid = 0
        self.left: int | None = None
        """Requests that the limit has left, as far as the last answer told."""

    def __call__(self, response: httpx.Response) -> Verdict:
        """Say what an answer means; None leaves it to the general rules."""
        if response.is_success:
            self._unsaid = 0
        self._note_left(response)
        if response.status_code not in (403, 429):
            return None
        told = _told(response.content)
        message = str(told.get("message") or "").lower()
        if _is_limit(response, message):
            return Wait(self.seconds(response), "GitHub allows no more requests for now")
        if "suspended" in message:
            return AuthRejected(
                "The installation of the app is suspended.", remedy="Have an owner unsuspend it at GitHub."
            )
        if any(isinstance(one, dict) and one.get("code") == "too_large" for one in told.get("errors") or ()):
            return BlobTooLarge("GitHub hands out no file of this size.")
        return _forbidden(response, message)

    def _note_left(self, response: httpx.Response) -> None:
        left = response.headers.get("x-ratelimit-remaining", "")
        if left.isdecimal() and response.headers.get("x-ratelimit-resource", "core") == "core":
            self.left = int(left)

    def seconds(self, response: httpx.Response) -> float:
        """Return how long a limit lasts."""
        now = self._session.clock.now()
        asked = retry_after(response.headers, now=now)
        if asked is not None:
            return asked
        if response.headers.get("x-ratelimit-remaining") == "0":
            reset = response.headers.get("x-ratelimit-reset", "")
            if reset.isdecimal():
                return max(float(reset) - now, 0.0) + MARGIN_SECONDS
        with self._lock:
            self._unsaid += 1
            return float(min(UNSAID_SECONDS * 2 ** (self._unsaid - 1), MOST_UNSAID_SECONDS))


def _told(content: bytes) -> dict[str, Any]:
    try:
        told = json.loads(content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def _is_limit(response: httpx.Response, message: str) -> bool:
    if response.status_code == 429 or "rate limit" in message or "abuse detection" in message:
        return True
    if message.startswith(_FORBIDDEN):
        return False
    return "retry-after" in response.headers or response.headers.get("x-ratelimit-remaining") == "0"


def _forbidden(response: httpx.Response, message: str) -> PermissionMissing:
    if "x-github-sso" in response.headers:
        return PermissionMissing(
            "The organisation wants this token to be authorised for single sign-on.",
            remedy="Authorise it at GitHub: Settings, Developer settings, the token, Configure SSO.",
        )
    if "ip allow list" in message:
        return PermissionMissing(
            "The organisation does not let this machine's address in.",
            remedy="Have an owner add the address to the organisation's IP allow list.",
        )
    wanted = response.headers.get("x-accepted-github-permissions", "")
    named = f" ({wanted})" if _PERMISSIONS.fullmatch(wanted) else ""
    return PermissionMissing(
        f"The credentials may not do this at GitHub{named}.",
        remedy="Give the token, or the app, this permission; a classic one needs the scopes repo and "
        "read:org. Who may read a repository is told only to those who may write to it.",
    )
