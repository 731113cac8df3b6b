"""The fault script: what goes wrong, with which request, and how often.

script.add(Fault(answer(429, headers={"Retry-After": "2"}), path=r"/search", times=1))
script.add(Fault(cut(100), path=r"/repos/.*/blobs/.*", skip=3))
script.add(Fault(meanwhile(lambda: world.delete("page-7")), path=r"/pages", skip=1, times=1))
"""

from __future__ import annotations

import random
import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from catchment.simulators.wire import Reply, Request

Answer = Callable[[Request, Callable[[Request], Reply]], Reply]
"""Makes the reply; is handed the request, and what would have answered it."""


@dataclass(slots=True)
class Fault:
    """One thing that goes wrong.

    Attributes:
        answer: What happens then.
        path: Pattern of the whole path.
        method: Verb; empty means any.
        query: Parameters that must stand in the request so.
        skip: Matching requests that go well first.
        times: How many go wrong after that; None means all.
        chance: How likely each of these is to go wrong, drawn from the seed of the script.
    """

    answer: Answer
    path: str = r".*"
    method: str = ""
    query: dict[str, str] = field(default_factory=dict)
    skip: int = 0
    times: int | None = None
    chance: float = 1.0

    def matches(self, request: Request) -> bool:
        """Whether it is meant for this request."""
        return (
            re.fullmatch(self.path, request.path) is not None
            and self.method in ("", request.method)
            and all(request.query.get(name) == value for name, value in self.query.items())
        )


class FaultScript:
    """Faults in the order they were added; the first that is due takes the request."""

    def __init__(self, seed: int = 0) -> None:
        self._faults: list[Fault] = []
        self._random = random.Random(seed)  # noqa: S311 - no secret
        self._lock = threading.Lock()
        self.happened = 0

    def add(self, fault: Fault) -> None:
        """Let something go wrong from now on."""
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Let everything go well from now on."""
        with self._lock:
            self._faults.clear()

    def due(self, request: Request) -> Fault | None:
        """Return the fault that this request meets, and count it."""
        with self._lock:
            for fault in self._faults:
                if not fault.matches(request):
                    continue
                if fault.skip > 0:
                    fault.skip -= 1
                    continue
                if fault.times == 0 or self._random.random() >= fault.chance:
                    continue
                if fault.times is not None:
                    fault.times -= 1
                self.happened += 1
                return fault
        return None


def answer(status: int, body: Any = None, headers: dict[str, str] | None = None) -> Answer:
    """Answer with this instead."""
    return lambda _request, _usual: Reply(status, body, dict(headers or {}))


def changed(change: Callable[[Request, Reply], Reply | None]) -> Answer:
    """Change the usual answer, such as its cursor, in place or by another one."""

    def make(request: Request, usual: Callable[[Request], Reply]) -> Reply:
        reply = usual(request)
        return change(request, reply) or reply

    return make


def cut(after_bytes: int) -> Answer:
    """Break the connection in the middle of the usual answer's body."""
    return changed(lambda _, reply: replace(reply, cut_after=after_bytes))


def drip(seconds: float) -> Answer:
    """Send the usual answer byte by byte, with a pause after each."""
    return changed(lambda _, reply: replace(reply, drip_seconds=seconds))


def malformed() -> Answer:
    """Send the first half of the usual answer as if it were all of it."""

    def half(_: Request, reply: Reply) -> Reply:
        whole = reply.content()
        return replace(reply, body=whole[: len(whole) // 2])

    return changed(half)


def meanwhile(act: Callable[[], object]) -> Answer:
    """Change the data before the usual answer is made."""

    def make(request: Request, usual: Callable[[Request], Reply]) -> Reply:
        act()
        return usual(request)

    return make
