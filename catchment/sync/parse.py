"""The second lane: bodies to text and chunks by the run's parsers, and these to rows."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING

from catchment.core.documents import ParsedDocument
from catchment.store.index import IndexEntry
from catchment.sync.batches import Action, Job
from catchment.sync.run import Run

if TYPE_CHECKING:
    from catchment.sync.team import Team


def parse(run: Run) -> None:
    """Parse what the collect lane read and hand batches to the index lane.

    The first parser process starts with the first body: a run that finds nothing changed needs none.
    """
    with ExitStack() as leases:
        team: Team | None = None
        drafts = Drafts(run)
        for batch in run.to_parse:
            run.to_parse.release()
            run.counters.parsed += sum(job.given for job in batch.jobs)
            jobs = [job for job in batch.jobs if job.action is Action.INDEX and not job.given]
            if jobs:
                team = team or _team(run, leases)
                team.parse(jobs)
            drafts.make(batch.jobs)
            run.to_index.put(batch, places=batch.places(run.settings.batch_bytes))
    run.to_index.close()


def _team(run: Run, leases: ExitStack) -> Team:
    # Loading parsers takes as long as all else of a run that finds nothing changed.
    from catchment.sync.team import Team

    return Team(run, leases)


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
