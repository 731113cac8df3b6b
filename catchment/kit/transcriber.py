"""Speech to text, as a service of its own behind one HTTP call.

The service is the operator's: ``CATCHMENT_TRANSCRIBER_URL`` says where it is, ``CATCHMENT_TRANSCRIBER_KEY``
what it is signed in with. It is sent ``{"audio_url": "https://..."}`` and answers ``{"text": "..."}``, or an
error of 400 to 499 with ``{"error": "..."}`` where the recording is to blame.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Protocol
from urllib.parse import urlsplit

from msgspec import Struct

from catchment.core.discreet import Discreet
from catchment.core.errors import (
    AuthRejected,
    ConfigRejected,
    ItemUnreadable,
    RunCancelled,
    SourceBusy,
    SourceDown,
    SourceError,
)
from catchment.kit.session import Session

ADDRESS = "CATCHMENT_TRANSCRIBER_URL"
KEY = "CATCHMENT_TRANSCRIBER_KEY"
LONGEST_SECONDS = 1800.0
"""A long talk takes its time."""
BUSY_SECONDS = 30.0
_REFUSED = (401, 403)
_BUSY = (429, 503)


class Transcriber(Protocol):
    """Turns a recording into text."""

    def transcribe(self, audio_url: str, *, key: str) -> str:
        """Return what is said in a recording.

        Raises:
            ItemUnreadable: This recording cannot be transcribed.
            SourceError: None can be, at the moment.
        """


class HttpTranscriber(Discreet, Struct, frozen=True):
    """Asks a service over HTTP; see the module."""

    unseen = frozenset({"key"})

    address: str
    session: Session
    key: str | None = None

    def transcribe(self, audio_url: str, *, key: str) -> str:
        """Return what is said in a recording; the wait ends with the run, at the latest after 30 minutes.

        Raises:
            ItemUnreadable: Its address may not be reached, or the service blames the recording.
            SourceError: The service does not answer.
        """
        self._require_reachable(audio_url, key)
        status, answer = self._ask(audio_url)
        if status in _REFUSED:
            raise AuthRejected("The transcriber refuses the sign-in.", remedy=f"Set {KEY}.")
        if status in _BUSY:
            raise SourceBusy("The transcriber is busy.", retry_after_seconds=BUSY_SECONDS)
        if 400 <= status < 500:
            raise ItemUnreadable(key, "not_transcribed", _told(answer))
        if status != 200 or not isinstance(answer.get("text"), str):
            raise SourceDown(f"The transcriber answered with status {status} and no text.")
        return str(answer["text"])

    def _require_reachable(self, audio_url: str, key: str) -> None:
        host = urlsplit(audio_url).hostname or ""
        try:
            self.session.network.require_reachable(host, setting="audio_url")
        except SourceError as error:
            raise ItemUnreadable(key, "unreachable", error.message) from error

    def _ask(self, audio_url: str) -> tuple[int, Mapping[str, Any]]:
        import httpx

        if self.session.stop.is_set():
            raise RunCancelled("The run was asked to stop.")
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        limits = httpx.Timeout(10.0, read=LONGEST_SECONDS)
        try:
            got = httpx.post(self.address, json={"audio_url": audio_url}, headers=headers, timeout=limits)
            answer = got.json() if "json" in got.headers.get("content-type", "") else {}
        except (httpx.HTTPError, ValueError) as error:
            raise SourceDown(f"The transcriber does not answer ({type(error).__name__}).") from error
        return got.status_code, answer if isinstance(answer, dict) else {}


def _told(answer: Mapping[str, Any]) -> str:
    told = answer.get("error")
    return told[:500] if isinstance(told, str) else "The recording cannot be transcribed."


def is_configured(environ: Mapping[str, str] = os.environ) -> bool:
    """Tell whether there is a service to ask."""
    return bool(environ.get(ADDRESS))


def transcriber(session: Session, environ: Mapping[str, str] = os.environ) -> Transcriber:
    """Return the way to the service.

    Raises:
        ConfigRejected: None is set.
    """
    if not is_configured(environ):
        raise ConfigRejected(
            "No service that transcribes recordings is set.", setting=ADDRESS, remedy=f"Set {ADDRESS}."
        )
    return HttpTranscriber(environ[ADDRESS], session, environ.get(KEY) or None)
