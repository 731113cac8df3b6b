"""What every operation of one client shares, and what it is an operation of."""

from __future__ import annotations

import random
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from catchment.client.errors import Invalid
from catchment.client.retries import Retries
from catchment.client.steps import Answer, Steps
from catchment.core.clock import Clock, SystemClock

HIDDEN = "***"


@dataclass(slots=True)
class Session:
    """What one client knows.

    Attributes:
        address: Of the server, as errors may show it: without user and password.
        token: Never shown; see `hidden`.
        retries: How patient the client is.
        clock: For what servers say about times.
        chance: Draws from 0 to 1; spreads waits.
        spaces: The space of each collection that was looked up.
        homes: The collection of each connector that was looked up; neither ever changes.
    """

    address: str
    token: str = field(default="", repr=False)
    retries: Retries = field(default_factory=Retries)
    clock: Clock = field(default_factory=SystemClock)
    chance: Callable[[], float] = random.random
    spaces: dict[str, str] = field(default_factory=dict, repr=False)
    homes: dict[str, str] = field(default_factory=dict, repr=False)

    def hidden(self, answer: Answer) -> Answer:
        """Take the token out of an answer; what stands between us and the server may have put it there."""
        if not self.token:
            return answer
        headers = {name: value.replace(self.token, HIDDEN) for name, value in answer.headers.items()}
        content = answer.content.replace(self.token.encode(), HIDDEN.encode())
        return Answer(answer.status, headers, content)


class Part(ABC):
    """One subject of a client; its operations take it as their first argument."""

    session: Session

    @abstractmethod
    def perform(self, steps: Steps[Any], made: Callable[[Any, Any], Any] | None = None) -> Any:
        """Take steps to their end and return their result, or what is made of it; or a coroutine for it."""


def shown_address(address: str) -> str:
    """Return an address as it may be shown and stored: no user, no password, no query, no slash at the end.

    Raises:
        Invalid: It is no address of a server.
    """
    try:
        parts = urlsplit(address.strip())
        host, _port = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or parts.scheme not in ("http", "https"):
        # Not repeated: it may be the token, in the wrong place.
        raise Invalid(
            "The address of the server cannot be used.",
            remedy="Write it as http://127.0.0.1:8377.",
            field="address",
        )
    netloc = parts.netloc.rpartition("@")[2]
    return urlunsplit((parts.scheme, netloc, parts.path.rstrip("/"), "", ""))


def checked_token(token: str) -> str:
    """Return a token that can travel.

    Raises:
        Invalid: It holds something that no header takes.
    """
    if not all("!" <= sign <= "~" for sign in token):
        raise Invalid(
            "The token holds blanks or signs that no token has.",
            remedy="Give it as catchment token add showed it.",
            field="token",
        )
    return token


def is_on_this_machine(address: str) -> bool:
    """Tell whether an address leads to this machine, where no proxy must see requests."""
    return urlsplit(address).hostname in {"127.0.0.1", "localhost", "::1"}
