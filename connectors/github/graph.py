"""The other API: questions in GraphQL, for what the first one has no words for.

Nearly everything is answered with 200, refusals too. A question costs points, which have a limit of their
own, and one that asks for too much at once is refused, or never answered; then less is asked for at a time.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from functools import cached_property
from typing import Any

import httpx

from catchment.core.errors import CursorExpired, PermissionMissing, SourceBusy, SourceDown
from catchment.kit import Session
from catchment.kit.governor import Governor
from catchment.kit.http import MOST_WAITS, Http, SignIn
from connectors.github.config import GitHubConfig
from connectors.github.errors import Judge
from connectors.github.pace import wire_to
from connectors.github.signin import HEADERS

ATTEMPTS = 3
"""Tries of one question before less is asked for at a time; one that takes too long costs points, too."""
_LIMITS = frozenset({"RATE_LIMITED", "RATE_LIMIT"})
_TOO_MUCH = frozenset({"RESOURCE_LIMITS_EXCEEDED", "MAX_NODE_LIMIT_EXCEEDED"})
_FORBIDDEN = frozenset({"FORBIDDEN", "INSUFFICIENT_SCOPES", "UNAUTHORIZED"})
Data = Mapping[str, Any]


class Graph:
    """Asks questions; used by many threads at once."""

    def __init__(
        self, config: GitHubConfig, session: Session, *, sign_in: SignIn, governor: Governor
    ) -> None:
        self._config = config
        self._session = session
        self._sign_in = sign_in
        self._governor = governor
        self._judge = Judge(session)
        self._lock = threading.Lock()
        self._shrunk: dict[str, int] = {}

    @cached_property
    def _http(self) -> Http:
        """Made when it is needed: most connectors never ask."""
        url = self._config.graphql_url
        return Http(
            url,
            self._session,
            sign_in=self._sign_in,
            governor=self._governor,
            judge=self._judge,
            headers=HEADERS,
            setting="api_url",
            attempts=ATTEMPTS,
            transport=wire_to(url, self._session, setting="api_url"),
        )

    def close(self) -> None:
        """Let go of connections."""
        if "_http" in self.__dict__:
            self._http.close()

    def ask(self, question: str, *, sizes: Mapping[str, int] | None = None, **variables: Any) -> Data:
        """Return what a question is answered with; a thing that is not there is None in its place.

        Args:
            question: The question.
            sizes: Variables that say how many are asked for at a time, each at most 100. They are halved
                where GitHub finds the question too large, for this and, once it is answered, all later ones.
            variables: The others.

        Raises:
            PermissionMissing: The credentials may not see this.
            CursorExpired: GitHub does not know the cursor.
            SourceBusy: GitHub asked to wait again and again.
            SourceDown: It is not answered, however little is asked for.
            SourceError: As for any request.
        """
        most = max((sizes or {}).values(), default=1)
        with self._lock:
            scale = self._shrunk.get(question, 1)
        while True:
            asked = {name: max(size // scale, 1) for name, size in (sizes or {}).items()}
            try:
                found = self._persist({"query": question, "variables": {**variables, **asked}})
            except SourceDown:
                if scale >= most:
                    raise
                scale *= 2
                continue
            with self._lock:
                self._shrunk[question] = max(self._shrunk.get(question, 1), scale)
            return found

    def _persist(self, sent: Data) -> Data:
        """Ask as often as it takes; one try where less must be asked for."""
        with self._lock:
            http = self._http
        waits = failures = 0
        while True:
            response = http.request("POST", "", reads_json=True, json=sent)
            told = response.json() if response.content else None
            if not isinstance(told, dict):
                raise SourceDown("GitHub's answer to a question makes no sense.")
            error = _worst(told.get("errors"))
            if error is None and isinstance(told.get("data"), dict):
                data: Data = told["data"]
                return data
            kind = str((error or {}).get("type") or "")
            message = str((error or {}).get("message") or "")
            if kind in _LIMITS or "rate limit" in message.lower():
                waits += 1
                self._wait(response, waits)
            elif kind in _TOO_MUCH:
                raise SourceDown("GitHub finds a question too large to answer.")
            else:
                _raise_for(kind)
                failures += 1
                if failures >= ATTEMPTS:
                    raise SourceDown(f"GitHub does not answer a question{f': {kind}' if kind else ''}.")
                self._session.wait(float(failures), "GitHub failed to answer a question")

    def _wait(self, response: httpx.Response, waits: int) -> None:
        seconds = self._judge.seconds(response)
        if waits > MOST_WAITS:
            raise SourceBusy("GitHub keeps asking to wait.", retry_after_seconds=seconds)
        self._governor.hold(self._session, seconds, "GitHub answers no more questions for now")


def _worst(errors: Any) -> Mapping[str, Any] | None:
    """Return the error that counts; that a thing is not there is an answer."""
    found = [one for one in errors or () if isinstance(one, dict) and one.get("type") != "NOT_FOUND"]
    return found[0] if found else None


def _raise_for(kind: str) -> None:
    if kind in _FORBIDDEN:
        raise PermissionMissing(
            "The credentials may not read this at GitHub.",
            remedy="Give the token, or the app, read access to Discussions; a classic token needs "
            "the scope repo.",
        )
    if kind == "INVALID_CURSOR_ARGUMENTS":
        raise CursorExpired("GitHub does not know the place in a list at which it was left.")


def next_cursor(connection: Data, before: str | None) -> str | None:
    """Return the cursor of the next page of a list; None after the last.

    Raises:
        SourceDown: It is that of this page.
    """
    told = connection["pageInfo"]
    if not told["hasNextPage"]:
        return None
    if told["endCursor"] in (before, None):
        raise SourceDown("GitHub named the same next page twice: the list has no end.")
    return str(told["endCursor"])
