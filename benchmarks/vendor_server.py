"""A simulated vendor in a process of its own, and how a row talks with it.

    python -m benchmarks.vendor_server VENDOR ITEMS LATENCY    serves until its input ends

The process writes one line of JSON for what it serves, and one more for each line that it reads: the requests
since the line before, by what they were for.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.measure import python_job, surroundings
from benchmarks.vendor_minimum import FORMULAS, Minimum
from benchmarks.vendor_worlds import VENDORS
from catchment.simulators.wire import Request

_PREFIX = re.compile(r"/(?:repos/[^/]+/[^/]+|repositories/\d+|wiki/api/v2|wiki/rest/api|v1)(?=/|$)")
_WORD = re.compile(r"[a-zA-Z][a-zA-Z_-]{2,}")


@dataclass(frozen=True)
class Served:
    """A vendor that answers.

    Attributes:
        config: Settings of a connector.
        credentials: What it signs in with.
        tokens: Token of each item by its key.
        minimum: The fewest requests by which it can be read.
    """

    config: dict[str, Any]
    credentials: dict[str, str] | None
    tokens: Mapping[str, str]
    minimum: Minimum
    process: subprocess.Popen[str]

    def counted(self) -> Counter[str]:
        """Return the requests since the last look.

        Raises:
            RuntimeError: The vendor has ended.
        """
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return Counter(_line(self.process))


@contextmanager
def vendor_server(name: str, *, items: int, latency: float = 0.0) -> Iterator[Served]:
    """Run a vendor while the block lasts.

    Raises:
        RuntimeError: It does not start.
    """
    command = python_job("benchmarks.vendor_server", name, items, latency)
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(command, env=surroundings({}), **pipes) as process:
        try:
            told = _line(process)
            yield Served(**{**told, "minimum": Minimum(**told["minimum"]), "process": process})
        finally:
            process.terminate()


def _line(process: subprocess.Popen[str]) -> dict[str, Any]:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise RuntimeError("The simulated vendor has ended.")
    told: dict[str, Any] = json.loads(line)
    return told


def kinds(requests: Iterable[Request]) -> Counter[str]:
    """Count requests by what they were for: their path without the names of single things."""
    return Counter(_kind(request.path) for request in requests)


def _kind(path: str) -> str:
    rest = _PREFIX.sub("", path, count=1)
    words = [word for word in rest.split("/") if _WORD.fullmatch(word) and word != "main"]
    return "/".join(words) or "repository"


def main() -> None:
    """Serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("vendor", choices=VENDORS)
    parser.add_argument("items", type=int)
    parser.add_argument("latency", type=float, help="seconds before each answer")
    given = parser.parse_args()
    vendor = VENDORS[given.vendor](given.items)
    vendor.world.latency_seconds = given.latency
    minimum = asdict(FORMULAS[given.vendor](vendor.world))
    with vendor.world.serve() as url:
        _say(
            config=vendor.config(url),
            credentials=vendor.credentials,
            tokens=vendor.tokens,
            minimum=minimum,
        )
        for _ in sys.stdin:
            with vendor.world.lock:
                asked, vendor.world.asked = vendor.world.asked, []
            _say(**kinds(asked))


def _say(**told: Any) -> None:
    print(json.dumps(told), flush=True)


if __name__ == "__main__":
    main()
