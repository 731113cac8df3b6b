"""Bad weather at a vendor: one request in so many goes wrong, in one of the ways in which requests do."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

from catchment.simulators import faults
from catchment.simulators.faults import Answer, Fault, FaultScript
from catchment.simulators.wire import Reply, Request

Usual = Callable[[Request], Reply]
BUSY = {"message": "Too many requests", "code": "rate_limited"}


def _half_of_json(request: Request, usual: Usual) -> Reply:
    """Send half of what is JSON, or text of a feed, as if it were all; of other bytes nobody could tell."""
    reply = usual(request)
    kind = reply.headers.get("Content-Type", "application/json")
    if isinstance(reply.body, bytes) and not any(word in kind for word in ("feed", "rss", "atom", "html")):
        return faults.cut(1)(request, lambda _: reply)
    return faults.malformed()(request, lambda _: reply)


KINDS: dict[str, tuple[float, Answer]] = {
    "429, at once": (0.68, faults.answer(429, BUSY, {"Retry-After": "0"})),
    "429, in a second": (0.04, faults.answer(429, BUSY, {"Retry-After": "1"})),
    "500": (0.07, faults.answer(500, {"message": "Internal error"})),
    "502": (0.07, faults.answer(502, b"<html>Bad Gateway</html>", {"Content-Type": "text/html"})),
    "cut": (0.07, faults.cut(1)),
    "malformed": (0.07, _half_of_json),
}
"""What happens, and its share of all that does: most of it lets those who ask go on at once."""


class Weather:
    """Faults by chance, from a seed; `met` counts what happened.

    Args:
        script: Of the simulator.
        seed: Decides what happens when something does; when it does, the seed of the script decides.
    """

    def __init__(self, script: FaultScript, seed: int) -> None:
        self.met: Counter[str] = Counter()
        self._script = script
        self._random = random.Random(seed)

    def turn(self, chance: float, *, surely: Iterable[str] = ()) -> None:
        """Let so many of all requests go wrong from now on.

        Args:
            chance: Of each request.
            surely: What goes wrong once before long, however few requests there are.
        """
        self._script.clear()
        for number, name in enumerate(surely):
            self._script.add(Fault(partial(self._meet, name), skip=number + 1, times=1))
        self._script.add(Fault(self._any, chance=chance))

    def clear(self) -> None:
        """Let everything go well."""
        self._script.clear()

    def _any(self, request: Request, usual: Usual) -> Reply:
        shares = [share for share, _ in KINDS.values()]
        return self._meet(self._random.choices(list(KINDS), shares)[0], request, usual)

    def _meet(self, name: str, request: Request, usual: Usual) -> Reply:
        self.met[name] += 1
        return KINDS[name][1](request, usual)
