"""What a workspace holds, and how the API shows each thing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from catchment.simulators.notion.blocks import rich, text

SITE = "https://app.notion.com/p/"
_SETTINGS: Mapping[str, Mapping[str, Any]] = {
    "number": {"format": "number"},
    "select": {"options": []},
    "multi_select": {"options": []},
    "status": {"options": [], "groups": []},
    "formula": {"expression": ""},
}
"""What a schema tells of a property, where it tells anything."""


@dataclass(slots=True)
class Thing:
    """Anything with an id.

    Attributes:
        id: With dashes.
        parent: Id of what it lies in; None is the workspace.
        created: POSIX seconds.
        edited: POSIX seconds of the last change of its own content.
        author: Id of the user who made it.
        in_trash: It lies in the trash itself; what lies in it is not marked, as at the vendor.
        children: Ids of the blocks in it, in their order; pages and databases in it among them.
    """

    id: str
    parent: str | None
    created: float
    edited: float
    author: str
    in_trash: bool = False
    children: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Page(Thing):
    """A page, be it a row of a data source or not; `properties` by name."""

    title: str = ""
    properties: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Block(Thing):
    """A block that is no page."""

    type: str = "paragraph"
    payload: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Database(Thing):
    """The container of data sources."""

    title: str = ""
    description: str = ""
    data_sources: list[str] = field(default_factory=list)


@dataclass(slots=True)
class DataSource(Thing):
    """One table of a database: its parent is the database; `schema` by name, each with id and type."""

    title: str = ""
    description: str = ""
    schema: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(slots=True)
class Comment:
    """A remark on a page or block."""

    id: str
    on: str
    discussion: str
    created: float
    author: str
    content: str


def minute(seconds: float) -> str:
    """Write a time as pages and blocks have it: rounded down to the minute."""
    return _written(seconds // 60 * 60).replace("+00:00", "Z")


def moment(seconds: float) -> str:
    """Write a time as databases have it: with milliseconds and an offset."""
    return _written(seconds)


def _written(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _facts(thing: Thing) -> dict[str, Any]:
    return {
        "created_by": {"object": "user", "id": thing.author},
        "last_edited_by": {"object": "user", "id": thing.author},
        "created_time": minute(thing.created),
        "last_edited_time": minute(thing.edited),
        "in_trash": thing.in_trash,
        "archived": thing.in_trash,
    }


def _dressed(thing: Thing, title: str) -> dict[str, Any]:
    words = "-".join("".join(c if c.isascii() and c.isalnum() else " " for c in title).split())
    address = thing.id.replace("-", "")
    return {
        "icon": None,
        "cover": None,
        "public_url": None,
        "url": f"{SITE}{words}-{address}" if words else f"{SITE}{address}",
    }


def show_parent(things: Mapping[str, Thing], parent: str | None) -> dict[str, Any]:
    """Say where something lies, as the API does."""
    if parent is None:
        return {"type": "workspace", "workspace": True}
    thing = things[parent]
    if isinstance(thing, DataSource):
        return {"type": "data_source_id", "data_source_id": parent, "database_id": thing.parent}
    kind = {Page: "page_id", Database: "database_id"}.get(type(thing), "block_id")
    return {"type": kind, kind: parent}


def show_page(things: Mapping[str, Thing], page: Page, *, most_references: int) -> dict[str, Any]:
    """Show a page: its properties, and nothing of its body."""
    properties: dict[str, Any] = {}
    parent = things[page.parent] if page.parent is not None else None
    name = "title"
    if isinstance(parent, DataSource):
        name = next(key for key, told in parent.schema.items() if told["type"] == "title")
    properties[name] = {"id": "title", "type": "title", "title": rich(page.title)}
    for key, value in page.properties.items():
        shown = dict(value)
        kind = shown["type"]
        if isinstance(shown.get(kind), list) and kind in ("relation", "people", "rich_text"):
            if kind == "relation":
                shown["has_more"] = len(shown[kind]) > most_references
            shown[kind] = shown[kind][:most_references]
        properties[key] = shown
    return {
        "object": "page",
        "id": page.id,
        "parent": show_parent(things, page.parent),
        "is_archived": page.in_trash,
        "is_locked": False,
        "properties": properties,
        **_facts(page),
        **_dressed(page, page.title),
    }


def show_block(things: Mapping[str, Thing], thing: Thing) -> dict[str, Any]:
    """Show a block; a page or database is one, too."""
    if isinstance(thing, Page):
        kind, payload = "child_page", {"title": thing.title}
    elif isinstance(thing, Database):
        kind, payload = "child_database", {"title": thing.title}
    else:
        assert isinstance(thing, Block)
        kind, payload = thing.type, thing.payload
    return {
        "object": "block",
        "id": thing.id,
        "parent": show_parent(things, thing.parent),
        "has_children": bool(thing.children) or (kind == "synced_block" and bool(payload.get("synced_from"))),
        "type": kind,
        kind: payload,
        **_facts(thing),
    }


def show_database(things: Mapping[str, Thing], database: Database) -> dict[str, Any]:
    """Show a database: which data sources it has."""
    return {
        "object": "database",
        "id": database.id,
        "title": rich(database.title),
        "description": rich(database.description),
        "parent": show_parent(things, database.parent),
        "is_inline": False,
        "is_locked": False,
        "in_trash": database.in_trash,
        "archived": database.in_trash,
        "created_time": moment(database.created),
        "last_edited_time": moment(database.edited),
        "data_sources": [
            {"id": each, "name": source.title}
            for each in database.data_sources
            if isinstance(source := things.get(each), DataSource) and not source.in_trash
        ],
        **_dressed(database, ""),
    }


def show_data_source(things: Mapping[str, Thing], source: DataSource) -> dict[str, Any]:
    """Show a data source with its schema."""
    assert source.parent is not None
    return {
        "object": "data_source",
        "id": source.id,
        "title": rich(source.title),
        "description": rich(source.description),
        "parent": {"type": "database_id", "database_id": source.parent},
        "database_parent": show_parent(things, things[source.parent].parent),
        "is_inline": False,
        "properties": {
            name: {"name": name, "description": None, told["type"]: _SETTINGS.get(told["type"], {}), **told}
            for name, told in source.schema.items()
        },
        **_facts(source),
        **_dressed(source, ""),
    }


def show_comment(things: Mapping[str, Thing], comment: Comment, name: str) -> dict[str, Any]:
    """Show a comment."""
    kind = "page_id" if isinstance(things[comment.on], Page) else "block_id"
    return {
        "object": "comment",
        "id": comment.id,
        "parent": {"type": kind, kind: comment.on},
        "discussion_id": comment.discussion,
        "created_time": minute(comment.created),
        "last_edited_time": minute(comment.created),
        "created_by": {"object": "user", "id": comment.author},
        "rich_text": [text(comment.content)],
        "display_name": {"type": "user", "resolved_name": name},
    }
