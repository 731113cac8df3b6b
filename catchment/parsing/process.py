"""A parser process that can be killed: what a document does there costs that document only."""

from __future__ import annotations

import os
import pickle
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from types import TracebackType
from typing import Self

from catchment.core.documents import ParsedDocument, ParseFailure, ParseRequest
from catchment.core.errors import RunCancelled
from catchment.core.settings import ParseSettings
from catchment.parsing import wire

_POLL_SECONDS = 0.2
_START_SECONDS = 60.0
_READ_BYTES = 256 * 1024
_SENT_AHEAD = 128
"""Requests that may be on the way; the child finds the next one there when it has done with one."""
_SENT_TOGETHER_BYTES = 64 * 1024
_MANY = 16
_NAP_SECONDS = 0.001
"""While the child has much to do, answers to small documents are taken up several at a time."""
# What native libraries write to standard error before they abort for want of memory.
_OUT_OF_MEMORY = (b"memory allocation of", b"bad_alloc", b"MemoryError", b"ut of memory")
# The child parses hostile files; it gets no tokens and passwords along.
_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "LC_ALL",
    "LC_CTYPE",
    "TZ",
    "TMPDIR",
    "TEMP",
    "TMP",
    "LD_LIBRARY_PATH",
    "SYSTEMROOT",
)


class ParserProcess:
    """Parses in a child process. A context manager; not thread-safe, so lease it to one lane.

    The child starts at once, in the background, and is replaced when a document kills it or has to be killed.
    """

    command: tuple[str, ...] = (sys.executable, "-P", "-m", "catchment.parsing.child")
    """How the child is started; the descriptor of its socket is appended."""

    def __init__(self, settings: ParseSettings, *, stop: threading.Event | None = None) -> None:
        self._limits = wire.Limits(
            settings.seconds, settings.memory_bytes, settings.max_characters, settings.chunk_characters
        )
        self._stop = stop
        self._child: _Child | None = _Child(self.command, self._limits)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def parse(self, requests: Sequence[ParseRequest]) -> Iterator[ParsedDocument | ParseFailure]:
        """Answer each request, in order, as soon as its answer is there.

        Raises:
            RunCancelled: The stop signal was set while this waited; the child is gone.
            RuntimeError: The child cannot even start, which no document is to blame for.
        """
        position = 0
        while position < len(requests):
            child = self._living_child()
            try:
                for answer in child.answers(requests, position, self._stop):
                    position += 1
                    yield answer
            except _Dead as death:
                self._drop()
                if death.failure is not None:
                    position += 1
                    yield death.failure
            except GeneratorExit:
                # The caller stopped listening: answers that are still on the way belong to nobody.
                if position < len(requests):
                    self._drop()
                raise
            except BaseException:
                self._drop()
                raise

    def close(self) -> None:
        """Kill the child. May be called more than once."""
        self._drop()

    def _living_child(self) -> _Child:
        if self._child is None:
            self._child = _Child(self.command, self._limits)
        return self._child

    def _drop(self) -> None:
        if self._child is not None:
            self._child.kill()
            self._child = None


class _Dead(Exception):
    """The child is gone; `failure` is the answer for the document at work, None where it is not to blame."""

    def __init__(self, failure: ParseFailure | None) -> None:
        super().__init__()
        self.failure = failure


class _Child:
    """One life of the child: its process, its socket, and what is on the way in both directions."""

    def __init__(self, command: tuple[str, ...], limits: wire.Limits) -> None:
        self._seconds = limits.seconds
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115 - closed in kill()
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=self._complaints,
                env=_environment(),
                start_new_session=True,
            )
        ours.setblocking(False)
        self._channel = ours
        self._is_ready = False
        self._answered = 0
        self._outgoing = memoryview(wire.pack(tuple(limits)))
        self._incoming = bytearray()
        self._selector = selectors.DefaultSelector()
        self._selector.register(ours, selectors.EVENT_READ)
        self._watched = selectors.EVENT_READ
        self._last_moved = time.monotonic()

    def answers(
        self, requests: Sequence[ParseRequest], position: int, stop: threading.Event | None
    ) -> Iterator[ParsedDocument | ParseFailure]:
        """Send requests from `position` on and yield their answers, until all are there.

        Raises:
            _Dead: The child died or was killed; what came before was yielded.
            RunCancelled: See `ParserProcess.parse`.
        """
        if self._is_ready and self._process.poll() is not None:
            raise _Dead(None)  # between two batches: no document was at work
        sent = position
        while position < len(requests):
            # Topped up when half is answered: a few large writes instead of one for each document.
            if not self._outgoing and sent < len(requests) and sent - position <= _SENT_AHEAD // 2:
                if sent == position:
                    self._last_moved = time.monotonic()
                sent += self._load(requests, sent, position + _SENT_AHEAD)
            for answer in self._exchange(
                has_more=sent < len(requests) and sent - position <= _SENT_AHEAD // 2,
                waiting=sent - position,
                stop=stop,
            ):
                position += 1
                self._answered += 1
                yield answer

    def _load(self, requests: Sequence[ParseRequest], first: int, end: int) -> int:
        """Put requests into what is to be sent next, and return how many."""
        frames: list[bytes] = []
        size = 0
        for request in requests[first:end]:
            frames.append(wire.pack(wire.request_to_tuple(request)))
            size += len(frames[-1])
            if size >= _SENT_TOGETHER_BYTES:
                break
        self._outgoing = memoryview(frames[0] if len(frames) == 1 else b"".join(frames))
        return len(frames)

    def kill(self) -> None:
        """End the process and reap it."""
        with suppress(OSError):
            self._process.kill()
        self._selector.close()
        self._channel.close()
        self._process.wait()
        self._complaints.close()

    def _exchange(
        self, *, has_more: bool, waiting: int, stop: threading.Event | None
    ) -> list[ParsedDocument | ParseFailure]:
        """Move bytes both ways until an answer is complete, or until there is room for another request.

        Neither direction ever blocks: with both buffers full, two blocking ends would wait for each other.
        """
        while True:
            if stop is not None and stop.is_set():
                raise RunCancelled("The run was stopped while documents were parsed.")
            self._send_some()
            self._receive_some()
            answers = self._complete_answers()
            if answers or (has_more and not self._outgoing):
                return answers
            self._check_time()
            self._wait()
            if waiting > _MANY and not self._outgoing:
                time.sleep(_NAP_SECONDS)

    def _send_some(self) -> None:
        if not self._outgoing:
            return
        try:
            count = self._channel.send(self._outgoing)
        except BlockingIOError:
            return
        except OSError:
            return  # the end of the other direction tells what happened, after the last answers
        self._outgoing = self._outgoing[count:]
        self._last_moved = time.monotonic()

    def _receive_some(self) -> None:
        try:
            data = self._channel.recv(_READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            raise self._died()
        self._incoming += data
        self._last_moved = time.monotonic()

    def _complete_answers(self) -> list[ParsedDocument | ParseFailure]:
        answers: list[ParsedDocument | ParseFailure] = []
        data, begin = self._incoming, 0
        while len(data) - begin >= wire.HEADER.size:
            (size,) = wire.HEADER.unpack_from(data, begin)
            end = begin + wire.HEADER.size + size
            if len(data) < end:
                break
            with memoryview(data) as view:
                value = pickle.loads(view[begin + wire.HEADER.size : end])  # noqa: S301 - see `wire`
            begin = end
            if self._is_ready:
                answers.append(wire.answer_from_tuple(value))
            self._is_ready = True
        if begin:
            del data[:begin]
        return answers

    def _check_time(self) -> None:
        allowed = self._seconds if self._is_ready else _START_SECONDS
        if time.monotonic() - self._last_moved <= allowed:
            return
        if not self._is_ready:
            raise RuntimeError(f"The parser process is not ready after {allowed:.0f} s.")
        raise _Dead(ParseFailure("timed_out", f"Parsing took longer than {allowed:g} seconds."))

    def _wait(self) -> None:
        wanted = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._outgoing else 0)
        if wanted != self._watched:
            self._selector.modify(self._channel, wanted)
            self._watched = wanted
        self._selector.select(min(_POLL_SECONDS, self._seconds / 4))

    def _died(self) -> Exception:
        """What the end of the child means for the document at work."""
        try:
            code = self._process.wait(5.0)
        except subprocess.TimeoutExpired:
            self._process.kill()
            code = self._process.wait()
        complaint = self._complaint()
        if not self._is_ready:
            return RuntimeError(
                f"The parser process cannot start: {complaint.decode(errors='replace').strip()}"
            )
        if code == 0 and self._answered:
            return _Dead(None)  # it asked to be replaced after its last answer
        if code == -signal.SIGKILL or any(sign in complaint for sign in _OUT_OF_MEMORY):
            return _Dead(
                ParseFailure("out_of_memory", "The file needs more memory than one document may take.")
            )
        if code == -getattr(signal, "SIGXCPU", 0):
            return _Dead(ParseFailure("timed_out", "Parsing took too much processor time."))
        return _Dead(ParseFailure("crashed", f"The parser crashed on this file ({_name_of(code)})."))

    def _complaint(self) -> bytes:
        size = self._complaints.seek(0, os.SEEK_END)
        self._complaints.seek(max(0, size - 4096))
        return self._complaints.read()


def _name_of(code: int) -> str:
    if code < 0:
        with suppress(ValueError):
            return signal.Signals(-code).name
    return f"exit code {code}"


def _environment() -> dict[str, str]:
    kept = {
        name: value for name, value in os.environ.items() if name in _PASSED_ON or name.startswith("PYTHON")
    }
    # Every thread of a native library may reserve an arena of 64 MiB, which counts against the limit.
    return {**kept, "MALLOC_ARENA_MAX": "2"}
