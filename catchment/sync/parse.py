"""The second lane: bodies to text and chunks, in processes that can be killed, and these to rows."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

from catchment.core.documents import ParsedDocument, ParseRequest
from catchment.parsing.process import ParserProcess
from catchment.parsing.quick import parse_quickly
from catchment.store.index import IndexEntry
from catchment.sync.batches import Action, Job
from catchment.sync.run import Run

SLOW_SECONDS = 0.25
"""A batch that takes longer, while the index lane has nothing to do, earns another parser process."""


def parse(run: Run) -> None:
    """Parse what the collect lane read and hand batches to the index lane.

    The first parser process starts with the first body: a run that finds nothing changed needs none.
    """
    with ExitStack() as leases:
        team, drafts = Team(run, leases), Drafts(run)
        for batch in run.to_parse:
            run.to_parse.release()
            run.counters.parsed += sum(job.given for job in batch.jobs)
            jobs = [job for job in batch.jobs if job.action is Action.INDEX and not job.given]
            if jobs:
                team.parse(jobs)
            drafts.make(batch.jobs)
            run.to_index.put(batch, places=batch.places(run.settings.batch_bytes))
    run.to_index.close()


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


class Drafts:
    """Makes of texts what the index lane only has to write: that lane is the one that all others wait for."""

    def __init__(self, run: Run) -> None:
        self._index = run.index
        # Asked once: these are in every document of a run.
        self._connector_pk = run.connector.pk
        self._collection_pk = run.connector.collection_pk
        self._acl = run.source.acl.value

    def make(self, jobs: Sequence[Job]) -> None:
        """Draft every document among the jobs."""
        for job in jobs:
            if job.action is Action.INDEX and isinstance(job.parsed, ParsedDocument):
                job.entry = self._entry(job, job.parsed)
                job.parsed = None
                self._index.draft(job.entry)

    def _entry(self, job: Job, parsed: ParsedDocument) -> IndexEntry:
        item = job.item
        title = item.title or parsed.title or item.path.rpartition("/")[2] or item.key
        if job.given:
            title = item.title or ""
        return IndexEntry(
            # Its numbers are known when it is written.
            pk=0,
            id="",
            is_new=False,
            connector_pk=self._connector_pk,
            collection_pk=self._collection_pk,
            title=title,
            path=item.path,
            author=item.author or parsed.author,
            created_at=item.created_at,
            acl=self._acl,
            tags=item.tags,
            metadata=dict(item.metadata) if item.metadata else {},
            parsed=parsed,
        )


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
