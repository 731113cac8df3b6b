"""The parser process: ``python -P -m catchment.parsing.child FD``, started by `ParserProcess`.

Reads the limits, says that it is ready, then answers one request after the other until its parent closes
the socket or dies. Imports no more than that needs: it is ready in some 60 ms, and heavy libraries come when
the first document of their format does.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import threading
import time
from contextlib import suppress
from typing import BinaryIO, cast

from catchment.core.documents import ParseFailure
from catchment.core.priority import step_back_like_parent
from catchment.parsing import memory, wire
from catchment.parsing.document import parse_document

READY = "ready"
# Failures after which native libraries may be left in a state that costs the next document.
_UNSETTLING = frozenset({"out_of_memory"})
_LARGE_BODY = 256 * 1024
_READ_BYTES = 64 * 1024


def main() -> None:
    """Serve the socket whose descriptor is the first argument."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    step_back_like_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which ends this process itself
    threading.Thread(target=_die_with_parent, args=(channel.fileno(),), daemon=True).start()
    with suppress(EOFError, OSError):
        serve(channel)
    os._exit(0)  # without the exit handlers of native libraries


def serve(channel: socket.socket) -> None:
    """Answer requests. Returns when this process should be replaced by a fresh one.

    Raises:
        EOFError: The parent has closed the socket.
        OSError: The parent is gone.
    """
    requests = cast("BinaryIO", channel.makefile("rb", _READ_BYTES))
    limits = wire.Limits(*wire.receive(requests))
    _no_core_dumps()
    memory.limit_growth(limits.memory_bytes)
    wire.send(channel, READY)
    renew_at = 0.0
    while True:
        try:
            request = wire.request_from_tuple(wire.receive(requests))
            if time.monotonic() >= renew_at:  # not for every document: it costs 8 us
                _limit_processor_time(limits.seconds)
                renew_at = time.monotonic() + 1.0
            answer = parse_document(request, limits)
            frame = wire.pack(wire.answer_to_tuple(answer))
        except MemoryError:
            answer = ParseFailure("out_of_memory", "The file needs more memory than one document may take.")
            frame = wire.pack(wire.answer_to_tuple(answer))
        channel.sendall(frame)
        if isinstance(answer, ParseFailure):
            if answer.reason in _UNSETTLING:
                return
        elif len(frame) > _LARGE_BODY and memory.is_half_used():
            return


def _die_with_parent(descriptor: int) -> None:
    """End at once when the other end of the socket closes, also in the middle of a document."""
    poll = select.poll()
    poll.register(descriptor, 0)  # a hang-up is reported whatever is asked for
    while True:
        for _, event in poll.poll():
            if event & (select.POLLHUP | select.POLLERR | select.POLLNVAL):
                os._exit(0)


def _no_core_dumps() -> None:
    with suppress(ImportError, ValueError, OSError):
        import resource

        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _limit_processor_time(seconds: float) -> None:
    """The last resort against a document that hangs while nobody is left to kill this process.

    Generous on purpose: the parent's own clock is the real limit.
    """
    with suppress(ImportError, ValueError, OSError):
        import resource

        used = resource.getrusage(resource.RUSAGE_SELF)
        allowed = int(used.ru_utime + used.ru_stime + seconds * 4 + 10)
        resource.setrlimit(resource.RLIMIT_CPU, (allowed, resource.getrlimit(resource.RLIMIT_CPU)[1]))


if __name__ == "__main__":
    main()
