"""Pages with the files in them: which pages must be read to know their files, and which are as they were.

No list tells which files lie in a page: only its blocks do. They are read where the page was edited since it
was indexed; of all others the recorded version names the blocks with files. So a listing in which nothing
changed asks for no block, and names every file all the same (docs/decisions/files-of-pages.md).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from msgspec.structs import replace

from catchment.core.errors import AuthRejected, SourceError
from catchment.kit import Item, Session
from catchment.kit.http import Missing
from catchment.kit.selection import Selection
from catchment.kit.session import Recorded
from connectors.notion.api import Api
from connectors.notion.body import Body, RecentBodies, read_body
from connectors.notion.files import (
    PREFIX,
    Wanted,
    file_in,
    item_as_recorded,
    item_of_block,
    items_of_properties,
    key_of_block,
    split_version,
    with_files,
)
from connectors.notion.items import PAGE, ROW, Facts
from connectors.notion.people import People
from connectors.notion.words import Raw

READERS = 6
"""Pages that are read at a time."""
_TOGETHER = 200
NO_LIMIT = 2**62
"""Pages have no size: no limit of bytes keeps their files from being looked for."""
FindFile = Callable[[str], Item | None]


class Attached:
    """Adds to a stream of items the files in their pages."""

    def __init__(
        self,
        api: Api,
        bodies: RecentBodies,
        people: People,
        session: Session,
        *,
        wanted: Wanted,
        selection: Selection,
    ) -> None:
        self._api = api
        self._bodies = bodies
        self._people = people
        self._session = session
        self._wanted = wanted
        self._selection = selection

    def with_files(
        self, items: Iterable[Item], find: FindFile, *, now: float, anew: bool = False
    ) -> Iterator[Item]:
        """Yield each item, and after a page the files in it.

        Args:
            items: Pages, rows and whatever else.
            find: Looks up one file by its key; None where it is no more.
            now: When the listing began, POSIX seconds.
            anew: Read every page, whatever is known of it.

        Raises:
            SourceError: What `items` raises; all that came before it has been yielded.
        """
        for item, files, _ in self.found(items, find, now=now, anew=anew):
            yield item
            yield from files

    def found(
        self, items: Iterable[Item], find: FindFile, *, now: float, anew: bool = False
    ) -> Iterator[tuple[Item, list[Item], list[str]]]:
        """Yield each item, the files in it, and the keys of files that it had and has no more."""
        failure: list[SourceError] = []
        if not self._wanted:
            yield from ((item, [], []) for item in items)
            return
        with ThreadPoolExecutor(READERS, thread_name_prefix="blocks") as pool:
            try:
                stream = _to_the_failure(items, failure)
                while some := list(islice(stream, _TOGETHER)):
                    yield from self._some(some, find, pool, now=now, anew=anew)
            finally:
                pool.shutdown(wait=False, cancel_futures=True)
        if failure:
            raise failure[0]

    def in_properties(self, facts: Facts, raw: Raw, path: str, *, now: float) -> Iterator[Item]:
        """Yield the files in the properties of a row; whoever lists it has them all."""
        properties = raw.get("properties") or {}
        found = items_of_properties(facts.id, facts.edited, properties, path, wanted=self._wanted, now=now)
        return (item for item, _ in found)

    def not_recorded(self, files: Sequence[Item]) -> list[Item]:
        """Return those files of which another version is recorded, or none."""
        known = self._session.known([each.key for each in files]) if files else {}
        return [each for each in files if each.key not in known or known[each.key].version != each.version]

    def recognised(self, item: Item) -> Item:
        """Return an item that was looked up with the version that is recorded of the same edit."""
        recorded = self._session.known([item.key]).get(item.key) if self._may_have_files(item) else None
        if recorded is None or not recorded.version or split_version(recorded.version)[0] != item.version:
            return item
        return replace(item, version=recorded.version)

    def known_files(self, page: str) -> list[str]:
        """Return the keys of the files that a page had when it was indexed."""
        recorded = self._session.known([page]).get(page)
        blocks = split_version(recorded.version)[1] if recorded is not None and recorded.version else None
        return [key_of_block(block) for block in blocks or ()]

    def _some(
        self, items: Sequence[Item], find: FindFile, pool: ThreadPoolExecutor, *, now: float, anew: bool
    ) -> Iterator[tuple[Item, list[Item], list[str]]]:
        known = self._session.known([item.key for item in items if self._may_have_files(item)])
        before = {key: split_version(one.version) for key, one in known.items() if one.version}
        files = self._session.known(
            [key_of_block(block) for _, blocks in before.values() for block in blocks or ()]
        )
        waiting: deque[tuple[Item, Future[Body | None] | None]] = deque()
        for item in items:
            edited, blocks = before.get(item.key, ("", None))
            is_read = self._is_to_be_read(item, now) and (anew or edited != item.version or blocks is None)
            waiting.append((item, pool.submit(self._read, item) if is_read else None))
            if len(waiting) > READERS * 2:
                yield self._one(*waiting.popleft(), before, files, find, now=now)
        while waiting:
            yield self._one(*waiting.popleft(), before, files, find, now=now)

    def _may_have_files(self, item: Item) -> bool:
        return item.metadata.get("kind") in (PAGE, ROW)

    def _is_to_be_read(self, item: Item, now: float) -> bool:
        """Whether a page is one that the settings let in: the files of others are not looked for."""
        return (
            self._may_have_files(item)
            and item.version is not None
            and self._selection.admits(item.path)
            and self._selection.refusal(item, now=now) is None
        )

    def _read(self, item: Item) -> Body | None:
        """Read a page; None where that fails: fetching it will say why."""
        try:
            body = read_body(self._api, item.key)
        except AuthRejected:
            raise
        except SourceError:
            return None
        self._bodies.keep(item.key, item.version or "", body)
        return body

    def _one(
        self,
        item: Item,
        reading: Future[Body | None] | None,
        before: Mapping[str, tuple[str, list[str] | None]],
        files: Mapping[str, Recorded],
        find: FindFile,
        *,
        now: float,
    ) -> tuple[Item, list[Item], list[str]]:
        edited, blocks = before.get(item.key, ("", None))
        body = reading.result() if reading is not None else None
        if body is None:
            if reading is None and (blocks is None or edited != item.version):
                return item, [], []
            # As it was, or not to be read at this moment: then what was there before stays until it is.
            kept = [key_of_block(block) for block in blocks or ()]
            named = [one for key in kept if (one := self._as_it_was(key, files, item.path, find)) is not None]
            return replace(item, version=with_files(item.version, blocks or [])), named, []
        found = self.files_of(body, item.path, now=now)
        gone = {key_of_block(block) for block in blocks or ()} - {each.key for each in found}
        return replace(item, version=version_with(item.version, found)), found, sorted(gone)

    def _as_it_was(self, key: str, files: Mapping[str, Recorded], path: str, find: FindFile) -> Item | None:
        recorded = files.get(key)
        if recorded is None or recorded.version is None:
            # A run that was asked for the page alone saw it first.
            try:
                return find(key)
            except Missing:
                return None
        return item_as_recorded(key, recorded.version, recorded.path, path)

    def files_of(self, body: Body, path: str, *, now: float) -> list[Item]:
        """Return the files in a body as items."""
        people = self._people.names if body.files else {}
        return [
            item_of_block(block, path, people=people, now=now)
            for block in body.files
            if self._wanted.has(file_in(block) or {})
        ]


def version_with(version: str | None, files: Sequence[Item]) -> str | None:
    """Return the version of a page in which these files lie."""
    return with_files(version, [each.key.removeprefix(PREFIX) for each in files])


def _to_the_failure(items: Iterable[Item], failure: list[SourceError]) -> Iterator[Item]:
    """Yield items up to an error, which is kept for later: what came before it comes first."""
    try:
        yield from items
    except SourceError as error:
        failure.append(error)
