"""Bodies that a list brings along, and the labels that it does not: those come by the lists of each label."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice

from msgspec.structs import replace

from catchment.core.errors import PermissionMissing
from catchment.kit.http import Missing
from connectors.confluence.cloud import Cloud
from connectors.confluence.records import Record

BROUGHT_CHARACTERS = 16 * 1024
"""Longest body that is kept of a list: a run holds a thousand items at a time."""


AT_A_TIME = 8
"""Labels whose pages are asked for at once."""


class Labels:
    """The labels of pages and posts, as long as asking for each label costs less than for each page."""

    def __init__(self, api: Cloud) -> None:
        self._api = api
        self._asked = False
        self._names: dict[str, str] | None = None
        self._by_kind: dict[str, dict[str, list[str]]] = {}

    def put_on(self, kind: str, records: Iterator[Record]) -> Iterator[Record]:
        """Yield pages or posts with their labels; where those cost more, without bodies, to be read singly.

        Raises:
            SourceError: The source does not answer.
        """
        names = self._all()
        if names is None:
            yield from map(bare, records)
            return
        first = list(islice(records, len(names) + 1))
        if len(first) <= len(names):
            yield from map(bare, first)
            return
        labels = self._of(kind, names)
        for record in chain(first, records):
            yield replace(record, labels=tuple(labels.get(record.id, ())))

    def _all(self) -> dict[str, str] | None:
        if not self._asked:
            try:
                found = self._api.labels()
            except (Missing, PermissionMissing):
                found = None
            self._names = dict(found) if found is not None else None
            self._asked = True
        return self._names

    def _of(self, kind: str, names: dict[str, str]) -> dict[str, list[str]]:
        if kind not in self._by_kind:
            found: dict[str, list[str]] = {}
            with ThreadPoolExecutor(AT_A_TIME, thread_name_prefix="labels") as pool:
                asked = pool.map(lambda label: list(self._api.labelled(label, kind)), names)
                for name, ids in zip(names.values(), asked, strict=True):
                    for id in ids:
                        found.setdefault(id, []).append(name)
            self._by_kind[kind] = found
        return self._by_kind[kind]


def bare(record: Record) -> Record:
    """Return a record without its body."""
    return replace(record, body=None) if record.body is not None else record


def small(record: Record) -> Record:
    """Return a record without its body where that is long."""
    return bare(record) if len(record.body or "") > BROUGHT_CHARACTERS else record
