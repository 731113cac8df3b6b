"""The text of one item: title, properties, body and comments, as one Markdown document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from catchment.core.clock import Clock
from catchment.kit import Content, Item, ItemUnreadable
from catchment.kit.http import Missing
from connectors.notion.api import Api
from connectors.notion.attached import Attached, version_with
from connectors.notion.body import Comments, RecentBodies, read_body
from connectors.notion.files import Wanted, split_version
from connectors.notion.items import (
    DATA_SOURCE,
    MARKDOWN,
    PAGE,
    UNTITLED,
    RecentRows,
    facts_of,
    version_of,
)
from connectors.notion.properties import is_cut, joined, property_lines, schema_lines
from connectors.notion.words import Raw, is_trashed, markdown, plain, seconds, title_of


class Reader:
    """Reads pages, rows and data sources."""

    def __init__(
        self,
        api: Api,
        rows: RecentRows,
        bodies: RecentBodies,
        attached: Attached,
        clock: Clock,
        *,
        wanted: Wanted,
        comments: bool,
    ) -> None:
        self._api = api
        self._rows = rows
        self._bodies = bodies
        self._attached = attached
        self._clock = clock
        self._wanted = wanted
        self._comments = Comments(api, wanted=comments)

    def content(self, item: Item) -> Content:
        """Return the text of an item as it is now.

        The version is never newer than the text: what was asked for first is what has the version.

        Raises:
            ItemUnreadable: gone, where it is not there, not shared any more, or in the trash.
            SourceError: Notion does not answer.
        """
        try:
            if item.metadata.get("kind") == DATA_SOURCE:
                return self._data_source(item)
            return self._page(item)
        except Missing as error:
            message = "It was deleted, or is not shared with the integration any more."
            raise ItemUnreadable(item.key, "gone", message) from error

    def _page(self, item: Item) -> Content:
        fresh, lines = item, []
        if item.metadata.get("kind") != PAGE:
            # A page that is no row has its title and no other property, so that there is nothing to ask for.
            properties = self._rows.take(item.key)
            if properties is None:
                raw = self._api.page(item.key)
                fresh = self._refreshed(item, raw)
                properties = raw.get("properties") or {}
            lines = property_lines(self._whole(item.key, properties))
        edited, _ = split_version(fresh.version or "")
        body = self._bodies.take(item.key, edited) or read_body(self._api, item.key)
        parts = [_title(fresh.title), "\n".join(lines), body.text, self._comments.read(item.key)]
        if self._wanted and fresh.version is not None:
            files = self._attached.files_of(body, fresh.path, now=self._clock.now())
            fresh = replace(fresh, version=version_with(edited, files))
        return _content(parts, fresh)

    def _data_source(self, item: Item) -> Content:
        raw = self._api.data_source(item.key)
        fresh = self._refreshed(item, raw)
        parts = [_title(fresh.title), markdown(raw.get("description"))]
        holder = (raw.get("parent") or {}).get("database_id")
        if isinstance(holder, str):
            database = self._api.database(holder)
            if title_of(database) != fresh.title:
                parts.append(f"Database: {title_of(database)}")
            if plain(database.get("description")) != plain(raw.get("description")):
                parts.append(markdown(database.get("description")))
        lines = schema_lines(raw.get("properties") or {})
        parts += ["## Properties", "\n".join(lines)] if lines else []
        return _content(parts, fresh)

    def _whole(self, page: str, properties: Mapping[str, Raw]) -> dict[str, Any]:
        """Return properties with all of their values, also those that a page does not show."""
        return {
            name: joined(value, self._api.property_items(page, str(value["id"]))) if is_cut(value) else value
            for name, value in properties.items()
        }

    def _refreshed(self, item: Item, raw: Raw) -> Item:
        if is_trashed(raw):
            raise ItemUnreadable(item.key, "gone", "It lies in the trash.")
        facts = facts_of(raw)
        return replace(
            item,
            version=version_of(facts.edited, now=self._clock.now()),
            title=facts.title or UNTITLED,
            modified_at=seconds(facts.edited),
            url=facts.url or item.url,
        )


def _title(title: str | None) -> str:
    return f"# {title or UNTITLED}"


def _content(parts: list[str], item: Item) -> Content:
    text = "\n\n".join(part.strip("\n") for part in parts if part.strip())
    content = Content.text(f"{text}\n", MARKDOWN)
    content.item = item
    return content
