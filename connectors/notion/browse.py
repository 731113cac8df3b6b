"""What a person can choose from: what is shared, and level by level what lies in it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from catchment.kit import BrowsePage, Resource
from catchment.kit.http import Missing
from connectors.notion.api import Api
from connectors.notion.items import UNTITLED, facts_of
from connectors.notion.places import Places
from connectors.notion.words import Raw, is_trashed, title_of


def browse_level(api: Api, parent: str | None, page: str | None) -> BrowsePage:
    """Return up to a hundred entries below a page, database or data source; None is the top.

    The top is what lies in nothing else that is shared.

    Raises:
        SourceError: It cannot be read.
    """
    if parent is None:
        return _top(api, page)
    try:
        block = api.block(parent)
    except Missing:
        return _rows(api, parent, page)
    if block.get("type") == "child_database":
        sources = api.database(parent).get("data_sources") or ()
        return BrowsePage(
            [Resource(str(each["id"]), each.get("name") or UNTITLED, "data source", True) for each in sources]
        )
    return _below(api, parent, page)


def _top(api: Api, cursor: str | None) -> BrowsePage:
    """Return the first list of hits that has any of the top."""
    places = Places(api)
    while True:
        answer = api.search_page(cursor)
        hits = [raw for raw in answer["results"] if "parent" in raw and not is_trashed(raw)]
        shown = [_resource(raw) for raw in hits if places.way(facts_of(raw)).is_top]
        cursor = answer.get("next_cursor")
        if shown or not cursor:
            return BrowsePage(shown, cursor)


def _below(api: Api, parent: str, cursor: str | None) -> BrowsePage:
    answer = api.children_page(parent, cursor)
    kinds: Mapping[Any, str] = {"child_page": "page", "child_database": "database"}
    shown = [
        Resource(
            str(block["id"]), (block[block["type"]].get("title") or UNTITLED), kinds[block["type"]], True
        )
        for block in answer["results"]
        if block.get("type") in kinds
    ]
    return BrowsePage(shown, answer.get("next_cursor"))


def _rows(api: Api, source: str, cursor: str | None) -> BrowsePage:
    answer = api.rows_page(source, cursor)
    shown = [_resource(raw) for raw in answer["results"] if "parent" in raw and not is_trashed(raw)]
    return BrowsePage(shown, answer.get("next_cursor"))


def _resource(raw: Raw) -> Resource:
    kind = str(raw.get("object") or "page").replace("_", " ")
    return Resource(str(raw["id"]), title_of(raw) or UNTITLED, kind, has_children=True)
