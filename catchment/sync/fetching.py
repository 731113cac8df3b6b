"""Reading bodies: several at a time where that helps, handed on in the order of the listing."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from pathlib import Path
from typing import BinaryIO

from msgspec import Struct, field

from catchment.core.documents import ParsedDocument
from catchment.core.errors import (
    AuthRejected,
    DiskFull,
    ItemUnreadable,
    PermissionMissing,
    RunStopped,
    SourceError,
)
from catchment.core.items import Content
from catchment.core.runs import DELETED_BY_A_PERSON, ItemState, Mode, Stage
from catchment.sync.batches import Action, Job
from catchment.sync.cleaning import fit_item
from catchment.sync.run import Run
from catchment.sync.selection import code_of, is_hidden
from catchment.sync.stop import TICK_SECONDS

READ_BYTES = 256 * 1024
SPOOL_BYTES = 1024 * 1024
"""A larger body goes to a spool file."""
ASSUMED_BYTES = 64 * 1024
"""What an item of unknown size is taken for, when the bodies on their way are added up."""
LOOK_EVERY = 32
"""After so many jobs that joined a group the line is looked at: asking a future takes a lock."""


class _Group(Struct):
    """Jobs that were added one after the other, and what reads the bodies of some of them."""

    jobs: list[Job] = field(default_factory=list)
    reads: list[Job] = field(default_factory=list)
    keys: set[str] = field(default_factory=set)
    weight: int = 0
    future: Future[None] | None = None

    @property
    def ready(self) -> bool:
        return self.future is None or self.future.done()


class Fetcher:
    """Reads the bodies of jobs and hands each on in order.

    With one fetch at a time there are no threads: for small local files a thread switch costs more
    than the read.
    """

    def __init__(self, run: Run, deliver: Callable[[Job], None]) -> None:
        self._run = run
        self._deliver = deliver
        self._together = run.source.fetches_together
        width = min(run.source.fetches, run.settings.fetches)
        threads = width > 1 or self._together > 1
        self._pool = ThreadPoolExecutor(width, thread_name_prefix="fetch") if threads else None
        # One that is tried again must not keep all others waiting; their bytes are bounded anyway.
        self._most = width * 8
        self._open = _Group()
        self._line: deque[_Group] = deque()
        self._bytes = 0

    def add(self, job: Job, *, fetch: bool) -> None:
        """Take a job in; it is delivered after all that came before it."""
        content, job.item.content = job.item.content, None
        if fetch and content is not None:
            _take(self._run, job, content)
            fetch = False
        if self._pool is None or not (fetch or self._line or self._open.jobs):
            if fetch:
                read_job(self._run, job)
            self._deliver(job)
            return
        weight = _weight(job) if fetch else 0
        if not self._has_room_for(job, weight):
            self._submit()
        self._open.jobs.append(job)
        self._open.weight += weight
        if fetch:
            self._open.reads.append(job)
            self._open.keys.add(job.item.key)
        if len(self._open.reads) >= self._together or not self._open.reads:
            self._submit()
        if len(self._open.jobs) % LOOK_EVERY == 0:
            while self._line and self._line[0].ready:
                self._deliver_first()

    def drain(self) -> None:
        """Deliver everything that is still on its way."""
        self._submit()
        while self._line:
            self._deliver_first()

    def close(self) -> None:
        """Let go of the threads; what they still read is dropped."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)

    def _has_room_for(self, job: Job, weight: int) -> bool:
        """Whether a job may join the open group: by bytes, by number, and once only."""
        group = self._open
        return not group.jobs or (
            group.weight + weight <= self._run.settings.batch_bytes // 2
            and len(group.jobs) < self._together * 2
            and job.item.key not in group.keys
        )

    def _submit(self) -> None:
        """Put the open group into the line, when the line has room for it."""
        group = self._open
        if not group.jobs:
            return
        self._open = _Group()
        if group.reads and self._pool is not None:
            while self._line and (
                len(self._line) >= self._most or self._bytes + group.weight > self._run.settings.batch_bytes
            ):
                self._deliver_first()
            if self._together > 1:
                group.future = self._pool.submit(read_jobs, self._run, group.reads)
            else:
                group.future = self._pool.submit(read_job, self._run, group.reads[0])
        self._line.append(group)
        self._bytes += group.weight

    def _deliver_first(self) -> None:
        group = self._line.popleft()
        self._bytes -= group.weight
        while group.future is not None:
            self._run.stop.check()
            try:
                group.future.result(timeout=TICK_SECONDS)
            except NotYet:
                if not group.future.done():
                    continue
                group.future.result()  # it ended just after the wait did, or this is an error of its own
            break
        for job in group.jobs:
            self._deliver(job)


def _weight(job: Job) -> int:
    """Guess how many bytes a body will hold in memory."""
    return min(job.item.size if job.item.size is not None else ASSUMED_BYTES, SPOOL_BYTES)


def read_jobs(run: Run, jobs: Sequence[Job]) -> None:
    """Read the bodies of several jobs with one request, or record for each why it cannot be read.

    Raises:
        AuthRejected: The credentials are refused, so that no item can be read.
        RunStopped: The run must end.
    """
    waiting = {(job.asked or job.item).key: job for job in jobs}
    try:
        for key, got in run.source.fetch_many([job.asked or job.item for job in jobs]):
            run.stop.check()
            if (job := waiting.pop(key, None)) is not None:
                _take(run, job, got)
    except (AuthRejected, RunStopped):
        raise
    except SourceError as error:
        for job in waiting.values():
            _fail(job, "permission" if isinstance(error, PermissionMissing) else error.code, str(error))
    else:
        for job in waiting.values():
            _fail(job, "no_answer", "The source gave no answer about this item.")


def _take(run: Run, job: Job, got: Content | ItemUnreadable) -> None:
    if isinstance(got, Content) and isinstance(got.body, bytes) and got.document is None:
        _read_bytes(run, job, got, got.body)
        return

    def answer() -> Content:
        if isinstance(got, ItemUnreadable):
            raise got
        return got

    _read(run, job, answer)


def read_job(run: Run, job: Job) -> None:
    """Read the body of a job, or record why it cannot be read.

    Raises:
        AuthRejected: The credentials are refused, so that no item can be read.
        RunStopped: The run must end.
    """
    _read(run, job, lambda: run.source.fetch(job.asked or job.item))


def _read(run: Run, job: Job, ask: Callable[[], Content]) -> None:
    try:
        content = ask()
        if content.document is not None:
            _give(run, job, content, content.document)
            return
        if isinstance(content.body, bytes):
            _read_bytes(run, job, content, content.body)
            return
        _note_facts(job, content)
        with content.body as stream:
            _read_stream(run, job, stream)
    except (AuthRejected, RunStopped):
        raise
    except ItemUnreadable as error:
        _unreadable(job, error)
    except PermissionMissing as error:
        _fail(job, "permission", str(error))
    except SourceError as error:
        _fail(job, error.code, str(error))
    except OSError as error:
        if error.errno == 28:  # ENOSPC
            raise DiskFull("There is no room left for spool files.", remedy="Free some space.") from error
        _fail(job, "io_error", f"{type(error).__name__}: {error.strerror or error}")
    else:
        run.counters.fetched += 1
        _compare(run, job)


def _note_facts(job: Job, content: Content) -> None:
    job.content_type = content.content_type or job.item.content_type
    if content.item is not None:
        job.item = fit_item(content.item)


def _read_bytes(run: Run, job: Job, content: Content, body: bytes) -> None:
    """Take a body that is in memory already: nothing can go wrong any more."""
    _note_facts(job, content)
    job.body, job.size = body, len(body)
    job.sha256 = hashlib.sha256(body).digest()
    run.counters.fetched += 1
    if job.known is not None:
        _compare(run, job)


def _give(run: Run, job: Job, content: Content, document: ParsedDocument) -> None:
    """Take a text that needs no parser; what the ledger compares by stays what it is."""
    job.item = content.item or job.item
    job.parsed, job.given = document, True
    job.sha256 = job.known.content_hash if job.known is not None else None
    run.counters.fetched += 1


def _read_stream(run: Run, job: Job, stream: BinaryIO) -> None:
    """Read a stream, into memory while it is small, into a spool file when it grows."""
    digest = hashlib.sha256()
    parts: list[bytes] = []
    size = 0
    spool: BinaryIO | None = None
    limit = run.selection.max_file_bytes
    try:
        while part := stream.read(READ_BYTES):
            run.stop.check()
            size += len(part)
            if size > limit:
                job.action, job.reason = Action.SKIP, f"too_large: more than {limit} bytes"
                return
            digest.update(part)
            if spool is None and size > SPOOL_BYTES:
                spool = _open_spool(run, job)
                for earlier in parts:
                    spool.write(earlier)
                parts.clear()
            if spool is None:
                parts.append(part)
            else:
                spool.write(part)
    finally:
        if spool is not None:
            spool.close()
            if job.action is Action.SKIP and job.spool_path is not None:
                Path(job.spool_path).unlink()
                job.spool_path = None
    job.size, job.sha256 = size, digest.digest()
    if spool is None:
        job.body = b"".join(parts)


def _open_spool(run: Run, job: Job) -> BinaryIO:
    run.check_room()
    handle, job.spool_path = tempfile.mkstemp(dir=run.spool)
    return os.fdopen(handle, "wb")


def _compare(run: Run, job: Job) -> None:
    """Drop the body when it is what the index already has, or what a person deleted (auto only)."""
    known = job.known
    if (
        job.action is Action.INDEX
        and run.mode is Mode.AUTO
        and known is not None
        and known.content_hash == job.sha256
        and (is_hidden(known, job.scope_pk) or (known.state == ItemState.INDEXED and known.has_document))
    ):
        hidden = known.state != ItemState.INDEXED
        job.action, job.reason = Action.TOUCH, DELETED_BY_A_PERSON if hidden else "same_content"
        job.body = None
        if job.spool_path is not None:
            Path(job.spool_path).unlink()
            job.spool_path = None


def _unreadable(job: Job, error: ItemUnreadable) -> None:
    if error.reason == "gone":
        # Listed a moment ago and gone now: the next listing tells whether it stays away.
        job.action, job.reason = Action.SKIP, "gone: it vanished while the run was reading"
    else:
        _fail(job, code_of(error.reason), error.message)


def _fail(job: Job, reason: str, message: str) -> None:
    job.action, job.stage, job.reason, job.error = Action.FAIL, Stage.FETCH, reason, message
