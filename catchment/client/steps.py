"""Steps: what an operation does with the world, as data; it is written once and taken in two ways.

An operation is a generator. It yields a step (send this, pause, take the next one, tell somebody) and is
handed what came of it; what it returns is the result. So no operation knows whether it blocks or is awaited,
and `catchment.client.blocking` and `catchment.client.awaiting` are all that does.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Call:
    """One request.

    Attributes:
        method: HTTP method.
        path: Below the server's address; ids in it are quoted already.
        params: Of the query; those that are None are left out.
        body: JSON body; None sends none.
        content: JSON that is written already, instead of `body`.
        files: Names and contents, sent as a form.
        key: Idempotency key: the same key and body are carried out once.
        is_repeatable: Whether doing it twice is as good as once, so that it may be sent again although the
            first one may have arrived.
    """

    method: str
    path: str
    params: Mapping[str, Any] = field(default_factory=dict)
    # Credentials travel in bodies: no trace may show them.
    body: Any = field(default=None, repr=False)
    content: bytes | None = field(default=None, repr=False)
    files: Sequence[tuple[str, Any]] = field(default=(), repr=False)
    key: str | None = None
    is_repeatable: bool = True


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said."""

    status: int
    headers: Mapping[str, str]
    content: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """No answer came.

    Attributes:
        reason: What went wrong, without anything that was sent.
        was_sent: Whether the request may have arrived.
    """

    reason: str
    was_sent: bool


@dataclass(frozen=True, slots=True)
class Send:
    """Send a request; gives `Answer` or `Cut`."""

    call: Call


@dataclass(frozen=True, slots=True)
class Pause:
    """Let time pass."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Begin:
    """Begin to go through an iterable; gives what `Take` wants."""

    iterable: Any


@dataclass(frozen=True, slots=True)
class Take:
    """Take the next element; gives `END` behind the last one."""

    iterator: Any


@dataclass(frozen=True, slots=True)
class Tell:
    """Call somebody back."""

    listener: Callable[[Any], Any]
    value: Any


class End:
    """See `END`."""


END: Final = End()
"""Stands behind the last element of an iterable."""

Step: TypeAlias = Send | Pause | Begin | Take | Tell
Steps: TypeAlias = Generator[Step, Any, T]
