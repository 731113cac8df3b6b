"""The parser processes of a run: bodies to texts, in processes that can be killed."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from catchment.core.documents import ParsedDocument, ParseRequest
from catchment.parsing.process import ParserProcess
from catchment.parsing.quick import parse_quickly
from catchment.sync.batches import Job
from catchment.sync.run import Run

SLOW_SECONDS = 0.25
"""A batch that takes longer, while the index lane has nothing to do, earns another parser process."""


class Team:
    """The parser processes of one run: one, and more only where parsing is what the run waits for.

    Text is parsed faster than the index takes it, so a second process would only cost memory there;
    office documents are not.
    """

    def __init__(self, run: Run, leases: ExitStack) -> None:
        self._run = run
        self._leases = leases
        self._parsers: list[ParserProcess] = []
        self._threads: ThreadPoolExecutor | None = None

    def parse(self, jobs: Sequence[Job]) -> None:
        """Parse the bodies of jobs; each gets its answer."""
        since = time.monotonic()
        rest = [job for job in jobs if not self._is_quick(job)]
        if rest:
            self._parse_apart(rest)
        self._run.counters.parsed += sum(isinstance(job.parsed, ParsedDocument) for job in jobs)
        if (
            time.monotonic() - since > SLOW_SECONDS
            and self._run.to_index.empty
            and len(self._parsers) < self._run.around.parse.processes
        ):
            self._add()

    def _is_quick(self, job: Job) -> bool:
        """Parse a small plain text here and now: the way to a process and back costs more than that."""
        job.parsed = parse_quickly(_request(job), self._run.around.parse)
        if job.parsed is None:
            return False
        job.body = None
        return True

    def _parse_apart(self, jobs: Sequence[Job]) -> None:
        if not self._parsers:
            self._add()
        if self._threads is None:
            _work_off(self._parsers[0], jobs)
            return
        width = len(self._parsers)
        shares = [jobs[first::width] for first in range(width)]
        list(self._threads.map(_work_off, self._parsers, shares))

    def _add(self) -> None:
        run = self._run
        parser = ParserProcess(run.around.parse, stop=run.stop.event)
        self._parsers.append(self._leases.enter_context(parser))
        if len(self._parsers) > 1 and self._threads is None:
            width = run.around.parse.processes
            self._threads = self._leases.enter_context(ThreadPoolExecutor(width, thread_name_prefix="parse"))


def _work_off(parser: ParserProcess, jobs: Sequence[Job]) -> None:
    for job, answer in zip(jobs, parser.parse([_request(job) for job in jobs]), strict=True):
        job.parsed = answer
        # The body is not needed any more; the texts are in memory now.
        job.body = None
        if job.spool_path is not None:
            Path(job.spool_path).unlink(missing_ok=True)
            job.spool_path = None


def _request(job: Job) -> ParseRequest:
    return ParseRequest(
        name=job.item.path, content_type=job.content_type, body=job.body, spool_path=job.spool_path
    )
