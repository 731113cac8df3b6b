"""One batch of jobs becomes rows: the ledger, documents, chunks and removals, inside one transaction."""

from __future__ import annotations

import json
from collections.abc import Sequence

from sqlalchemy import Connection, select

from catchment.core.counters import Counters
from catchment.core.documents import ParseFailure
from catchment.core.errors import OutOfScope
from catchment.core.ids import new_short_ids
from catchment.core.runs import DELETED_BY_A_PERSON, ItemState, Stage
from catchment.store import bulk, items, meta
from catchment.store.index import IndexEntry
from catchment.store.items import Known
from catchment.store.tables import documents
from catchment.store.tables import items as items_table
from catchment.sync.batches import Action, Job
from catchment.sync.intake import NOT_SHOWN
from catchment.sync.retries import after_failure
from catchment.sync.run import Run, log
from catchment.sync.selection import code_of

ERROR_CHARACTERS = 500
# Looking a value of an enumeration up costs more than the rest of a row.
_INDEXED, _INDEXED_VALUE = ItemState.INDEXED, ItemState.INDEXED.value
MEANINGLESS = ("not_found", OutOfScope.code)
HARMLESS = (*MEANINGLESS, NOT_SHOWN)
"""Failures that say nothing against the source: a run with these alone has not failed."""

_FACTS = (
    "scope_pk",
    "key",
    "path",
    "state",
    "version",
    "content_hash",
    "size",
    "modified_at",
    "url",
    "move_hint",
    "fingerprint",
    "stage",
    "reason",
    "error",
    "attempts",
    "next_attempt_at",
    "updated_at",
)
_NEW_FACTS = (*_FACTS, "connector_pk", "origin", "pk")
_TOUCHED = ("scope_pk", "key", "path", "version", "size", "modified_at", "url", "move_hint", "updated_at")


class Settlement:
    """Writes the jobs of one batch, inside its transaction."""

    def __init__(self, run: Run, connection: Connection) -> None:
        self.run = run
        self.connection = connection
        self.now = run.clock.now()
        # Asked once: these are in every row of a batch.
        self._connector_pk = run.connector.pk
        self._fingerprint = run.fingerprint
        self.delta = Counters()
        self._skipped: list[str] = []
        self._failures: list[Job] = []
        self._indexed: list[Job] = []
        self._new: list[tuple[object, ...]] = []
        self._changed: list[tuple[object, ...]] = []
        self._touched: list[tuple[object, ...]] = []
        self._entries: list[IndexEntry] = []
        self._removed: list[int] = []
        self._gone: list[tuple[int, str]] = []
        self._stale: list[int] = []
        self._renamed: list[tuple[int, Job]] = []
        self._hidden: list[int] = []

    def settle(self, jobs: Sequence[Job]) -> None:
        """Bring every job to its end."""
        # Another batch of this run may have made new ones known meanwhile, or moved what is to go; what
        # was handed in may have been handed in anew, or deleted.
        kept = self.run.kept is not None
        fresh = [job.item.key for job in jobs if kept or job.known is None or job.action is Action.REMOVE]
        known = items.lookup(self.connection, self.run.connector.pk, fresh) if fresh else {}
        todo = self._last_words(self._still_meant(jobs, known) if kept else jobs, known)
        unknown = [job for job in todo if job.known is None and _makes_row(job)]
        pk = meta.allocate_pks(self.connection, len(unknown)) if unknown else 0
        numbers = {id(job): pk + offset for offset, job in enumerate(unknown)}
        for job in todo:
            self._settle_job(job, job.known.pk if job.known else numbers.get(id(job)))
        self._write()

    def _still_meant(self, jobs: Sequence[Job], known: dict[str, Known]) -> list[Job]:
        """Keep the jobs about what is as it was when it was read; another run sees to the others."""
        meant = []
        for job in jobs:
            now = known.get(job.item.key)
            if job.known is None or now is None or _differ(job.known, now):
                self._skip("changed_meanwhile")
            else:
                meant.append(job)
        return meant

    def _last_words(self, jobs: Sequence[Job], known: dict[str, Known]) -> list[Job]:
        """Keep the last job about each item; the same id twice is one item, not two."""
        todo: dict[int | str, Job] = {}
        for job in jobs:
            if _means_nothing(job):
                todo[f"job {id(job)}"] = job
                continue
            if job.known is None or job.action is Action.REMOVE:
                before = known.get(job.item.key)
                if _settled_already(job, before):
                    self._skip("duplicate")
                    continue
                if _lives_elsewhere(job, before):
                    continue
                job.known = before
            name = job.known.pk if job.known is not None else f"key {job.item.key}"
            earlier = todo.pop(name, None)
            if earlier is not None and (earlier.named or earlier.action is not Action.REMOVE):
                self._skip("duplicate")
            if job.known is not None or job.action is not Action.REMOVE:
                todo[name] = job
        return list(todo.values())

    def _settle_job(self, job: Job, pk: int | None) -> None:
        if job.action is Action.INDEX and job.entry is not None:
            assert pk is not None
            self._index(job, pk, job.entry)
        elif job.action is Action.INDEX:
            failure = job.parsed
            assert isinstance(failure, ParseFailure)
            job.stage, job.reason, job.error = Stage.PARSE, failure.reason, failure.message
            self._fail(job, pk)
        elif job.action is Action.TOUCH:
            assert pk is not None
            self._touch(job, pk)
        elif job.action is Action.SKIP:
            self._refuse(job, pk)
        elif job.action is Action.FAIL:
            self._fail(job, pk)
        else:
            assert pk is not None
            self._remove(job, pk)

    def _index(self, job: Job, pk: int, entry: IndexEntry) -> None:
        self._fact(job, pk, _INDEXED, content_hash=job.sha256)
        entry.pk, entry.is_new = pk, job.known is None
        self._entries.append(entry)
        self._indexed.append(job)
        self.delta.indexed += 1

    def _touch(self, job: Job, pk: int) -> None:
        item = job.item
        self._touched.append(
            (
                _scope_of(job),
                item.key,
                item.path,
                item.version,
                item.size if item.size is not None else job.size,
                item.modified_at,
                item.url,
                item.move_hint,
                self.now,
                pk,
            )
        )
        if job.known is not None and job.known.has_document and job.known.path != item.path:
            self._renamed.append((pk, job))
        if job.reason == DELETED_BY_A_PERSON:
            self._hidden.append(pk)
        self._skip(job.reason or "unchanged")

    def _refuse(self, job: Job, pk: int | None) -> None:
        self._skip(code_of(job.reason))
        if pk is None or code_of(job.reason) == "gone":
            return
        self._fact(job, pk, ItemState.SKIPPED)
        if job.known is not None:
            self._removed.append(pk)

    def _fail(self, job: Job, pk: int | None) -> None:
        self.delta.failed += 1
        self._failures.append(job)
        if pk is None:
            return
        attempts = job.known.attempts if job.known is not None else 0
        if job.known is not None and job.known.state == ItemState.QUARANTINED:
            # A new version, a person or a full run asked for another try; it earns the whole count.
            attempts = 0
        next_try = after_failure(
            attempts,
            now=self.now,
            delays_seconds=self.run.settings.retry_delays_seconds,
            most_attempts=self.run.settings.attempts,
        )
        self._fact(
            job,
            pk,
            next_try.state,
            content_hash=job.known.content_hash if job.known is not None else None,
            attempts=next_try.attempts,
            next_attempt_at=next_try.at,
        )
        if job.known is not None and job.known.has_document:
            self._stale.append(pk)

    def _remove(self, job: Job, pk: int) -> None:
        self._removed.append(pk)
        self._gone.append((pk, job.reason))
        if job.named:
            self.delta.gone += 1

    def _skip(self, reason: str) -> None:
        self.delta.skipped += 1
        self._skipped.append(reason)

    def _fact(
        self,
        job: Job,
        pk: int,
        state: ItemState,
        *,
        content_hash: bytes | None = None,
        attempts: int = 0,
        next_attempt_at: float | None = None,
    ) -> None:
        """Write what the ledger is to know of an item."""
        item, bad = job.item, state is not _INDEXED
        facts = (
            _scope_of(job),
            item.key,
            item.path,
            state.value if bad else _INDEXED_VALUE,
            item.version,
            content_hash,
            job.size if job.size is not None else item.size,
            item.modified_at,
            item.url,
            item.move_hint,
            self._fingerprint,
            job.stage.value if bad and state is not ItemState.SKIPPED else None,
            job.reason if bad else None,
            job.error[:ERROR_CHARACTERS] if bad and job.error else None,
            attempts,
            next_attempt_at,
            self.now,
        )
        if job.known is None:
            self._new.append((*facts, self._connector_pk, "source", pk))
        else:
            self._changed.append((*facts, pk))

    def _write(self) -> None:
        connection, now = self.connection, self.now
        bulk.insert_rows(connection, items_table, _NEW_FACTS, self._new)
        bulk.update_rows(connection, items_table, _FACTS, self._changed)
        bulk.update_rows(connection, items_table, _TOUCHED, self._touched)
        if self._hidden:
            items.hide_again(connection, self._hidden)
        if self._entries:
            self._find_new_documents()
            self._name_new_documents()
            self.run.index.upsert(connection, self._entries, now=now, ready=self._let_others_work)
        for pk, job in self._renamed:
            title = job.item.title or self._title_after_move(pk, job)
            self.run.index.rename(connection, pk, title=title, path=job.item.path)
        if self._removed:
            self.delta.deleted += self.run.index.remove(connection, sorted(self._removed), now=now)
        for reason in {reason for _, reason in self._gone}:
            gone = [pk for pk, why in self._gone if why == reason]
            items.mark_deleted(connection, gone, reason=reason, now=now)
        bulk.update_rows(connection, documents, ("stale",), [(True, pk) for pk in self._stale])

    def _let_others_work(self) -> None:
        """Let whatever comes next be read and parsed while the database writes the words.

        It needs no interpreter for that; all that is computed before would only keep this thread from it.
        Where a transaction is never done again, its texts make room for those of the next one.
        """
        if self.connection.dialect.name == "sqlite":
            self._entries.clear()
            self._new.clear()
            for job in self._indexed:
                job.entry = None
        self.run.to_index.release()

    def _find_new_documents(self) -> None:
        """A known item whose document was never written (it failed until now) needs a new one."""
        known = [entry.pk for entry in self._entries if not entry.is_new]
        if not known:
            return
        written = existing_documents(self.connection, known)
        for entry in self._entries:
            entry.is_new = entry.pk not in written

    def _name_new_documents(self) -> None:
        new = [entry for entry in self._entries if entry.is_new]
        for entry, short_id in zip(new, new_short_ids(len(new)), strict=True):
            entry.id = short_id

    def _title_after_move(self, pk: int, job: Job) -> str:
        """Keep a title of the document's own; one that was the file's name follows the file."""
        title = self.connection.execute(
            select(documents.c.title).where(documents.c.pk == pk)
        ).scalar_one_or_none()
        assert job.known is not None
        if title is None or title == job.known.path.rpartition("/")[2]:
            return job.item.path.rpartition("/")[2]
        return str(title)

    def report(self) -> None:
        """Tell the run's report what was skipped and what failed, after the commit."""
        report = self.run.report
        for reason in self._skipped:
            report.skipped[reason] += 1
        for job in self._failures:
            report.failed(job.item.key, job.stage.value, job.reason, job.error[:ERROR_CHARACTERS])
            if job.reason in HARMLESS:
                report.harmless_failures += 1
            elif job.known is not None and job.known.attempts:
                report.repeated_failures += 1
            log.warning("%s failed at %s: %s", job.item.key, job.stage.value, job.reason)


def existing_documents(connection: Connection, pks: Sequence[int]) -> set[int]:
    """Return which of these numbers have a document, a tombstone included."""
    if connection.dialect.name == "sqlite":
        rows = connection.exec_driver_sql(
            "SELECT pk FROM documents WHERE pk IN (SELECT value FROM json_each(?))", (json.dumps(pks),)
        )
    else:
        rows = connection.exec_driver_sql("SELECT pk FROM documents WHERE pk = ANY(%s)", (list(pks),))
    return {row[0] for row in rows}


def _scope_of(job: Job) -> int | None:
    if job.scope_pk is None and job.known is not None:
        return job.known.scope_pk
    return job.scope_pk


def _makes_row(job: Job) -> bool:
    """Whether a job leaves a row in the ledger: a name that means nothing does not."""
    if _means_nothing(job):
        return False
    return not (job.action is Action.SKIP and code_of(job.reason) == "gone")


def _means_nothing(job: Job) -> bool:
    """Whether a named entry stands for no item: then nothing is known or recorded of one."""
    return job.action is Action.FAIL and job.reason in MEANINGLESS


def _differ(before: Known, now: Known) -> bool:
    return (before.state, before.version, before.content_hash) != (now.state, now.version, now.content_hash)


def _lives_elsewhere(job: Job, before: Known | None) -> bool:
    """Whether a scope reports as gone what another scope has by now: it was moved, not deleted."""
    return (
        job.action is Action.REMOVE
        and job.scope_pk is not None
        and before is not None
        and before.scope_pk not in (None, job.scope_pk)
    )


def _settled_already(job: Job, before: Known | None) -> bool:
    """Whether this run has just indexed the very same thing."""
    return (
        before is not None
        and job.action is not Action.REMOVE
        and before.state == ItemState.INDEXED
        and job.item.version is not None
        and before.version == job.item.version
    )
