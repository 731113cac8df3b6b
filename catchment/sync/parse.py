"""The second lane: bodies to text and chunks, in a process that can be killed."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from catchment.core.documents import ParsedDocument, ParseRequest
from catchment.parsing.process import ParserProcess
from catchment.sync.batches import Action, Job
from catchment.sync.run import Run


def parse(run: Run) -> None:
    """Parse what the collect lane read and hand batches to the index lane.

    The parser process starts with the first body: a run that finds nothing changed needs none.
    """
    with ExitStack() as leases:
        parser: ParserProcess | None = None
        for batch in run.to_parse:
            jobs = [job for job in batch.jobs if job.action is Action.INDEX]
            if jobs:
                if parser is None:
                    parser = leases.enter_context(ParserProcess(run.around.parse, stop=run.stop.event))
                _parse_jobs(run, parser, jobs)
            run.to_index.put(batch)
    run.to_index.close()


def _parse_jobs(run: Run, parser: ParserProcess, jobs: Sequence[Job]) -> None:
    for job, answer in zip(jobs, parser.parse([_request(job) for job in jobs]), strict=True):
        job.parsed = answer
        # The body is not needed any more; the texts are in memory now.
        job.body = None
        if job.spool_path is not None:
            Path(job.spool_path).unlink(missing_ok=True)
            job.spool_path = None
        if isinstance(answer, ParsedDocument):
            run.counters.parsed += 1


def _request(job: Job) -> ParseRequest:
    return ParseRequest(
        name=job.item.path, content_type=job.content_type, body=job.body, spool_path=job.spool_path
    )
