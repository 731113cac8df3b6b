"""A site at Data Center as located records: all of a scope, what was changed lately, single ones by id."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime

from catchment.kit.http import Missing
from connectors.confluence.config import ConfluenceConfig
from connectors.confluence.datacenter import DataCenter
from connectors.confluence.records import BLOGPOST, COMMENTS, PAGE, Located, Record, Space, post_trail

WEST_SECONDS = 13 * 3600.0
"""How much later than in UTC a query's date can be meant: no zone is further west than 12 hours, and one more
for clocks that are put back."""


class DataCenterReading:
    """See `reading.Reading`."""

    def __init__(self, api: DataCenter, config: ConfluenceConfig) -> None:
        self._api = api
        self._config = config
        self._holders: dict[str, tuple[Record, tuple[str, ...]] | None] = {}

    def spaces(self, keys: Sequence[str] = ()) -> Iterator[Space]:
        """Yield the spaces with these keys, or all that are read."""
        return self._api.spaces(keys, archived=self._config.include_archived)

    def walk(self, space: Space | None, *, with_bodies: bool = False) -> Iterator[Located]:  # noqa: ARG002
        """Yield pages and posts, each with what belongs to it; bodies are read one by one."""
        keys = {one.key for one in (self.spaces(self._config.space_keys) if space is None else [space])}
        statuses = ["current", "archived"] if self._config.include_archived else ["current"]
        for kind in (PAGE, BLOGPOST):
            for status in statuses if kind == PAGE else statuses[:1]:
                for record, above, parts in self._api.documents(
                    kind, space, status=status, parts=self._config.attachments or self._config.comments
                ):
                    if record.space not in keys:
                        continue
                    trail = _trail(record, above)
                    yield Located(record, record.space, trail)
                    yield from (Located(part, record.space, trail) for part in parts if self._is_read(part))

    def recent(self, space: Space | None, since: float) -> Iterator[Located]:
        """Yield what has had a new version since then.

        The date of a query has minutes, and is meant in a zone that nobody tells. So the query asks from
        so early that it holds in every zone, and what is older goes by its exact time.
        """
        moment = datetime.fromtimestamp(max(since - WEST_SECONDS, 0.0), UTC).strftime("%Y/%m/%d %H:%M")
        query = f'type in (page, blogpost, comment, attachment) and lastmodified >= "{moment}"'
        if space is not None:
            query = f'space = "{space.key}" and {query}'
        for record, above in self._api.search(f"{query} order by lastmodified asc"):
            if record.modified is not None and record.modified < since:
                continue
            located = self._located(record, above)
            if located is not None and (space is None or located.space_key == space.key):
                yield located

    def look_up(self, ids: Sequence[str]) -> Iterator[tuple[str, Located | None]]:
        """Yield each id and what it is, one request each."""
        for id in ids:
            try:
                record, above, _ = self._api.placed(id)
            except Missing:
                yield id, None
            else:
                yield id, self._located(record, above)

    def _located(self, record: Record, above: tuple[str, ...]) -> Located | None:
        if not self._is_read(record):
            return None
        if not record.is_part:
            return Located(record, record.space, _trail(record, above)) if self._is_shown(record) else None
        holder = self._holder(record.container)
        if holder is None or not self._is_shown(holder[0]):
            return None
        return Located(record, holder[0].space, _trail(*holder))

    def _holder(self, id: str) -> tuple[Record, tuple[str, ...]] | None:
        if id not in self._holders:
            try:
                self._holders[id] = self._api.placed(id)[:2] if id else None
            except Missing:
                self._holders[id] = None
        return self._holders[id]

    def _is_shown(self, record: Record) -> bool:
        return record.status == "current" or (record.status == "archived" and self._config.include_archived)

    def _is_read(self, record: Record) -> bool:
        """Whether the settings ask for this kind."""
        if record.kind in COMMENTS:
            return self._config.comments
        return self._config.attachments or not record.is_part


def _trail(record: Record, above: tuple[str, ...]) -> tuple[str, ...]:
    return post_trail(record.created, record.title) if record.kind == BLOGPOST else (*above, record.title)
