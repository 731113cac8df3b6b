"""Pages and data sources as items."""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock

from msgspec import Struct

from catchment.kit import Item
from connectors.notion.words import Raw, dashed, parent_of, seconds, title_of

UNTITLED = "Untitled"
MARKDOWN = "text/markdown; charset=utf-8"
SETTLED_SECONDS = 300.0
"""Notion rounds times down to the minute, and its clock is not ours: what was edited so recently may be
edited again without showing it, so it is read once more by the next run."""
PAGE, ROW, DATA_SOURCE, FILE = "page", "row", "data source", "file"
_KEPT_ROWS = 1200
"""More than a run compares at a time, before it reads what has changed."""


class Facts(Struct, frozen=True):
    """What a listing keeps of a page or data source: all but its properties and its body.

    Attributes:
        id: With dashes.
        kind: `PAGE`, `ROW` or `DATA_SOURCE`.
        title: Empty where it has none.
        parent: Kind and id of what it lies in.
        beyond: Of a data source what its database lies in.
        edited: Time of the last edit, as Notion writes it.
        created: When it was made.
        url: Where a person opens it.
        author: Id of who made it.
    """

    id: str
    kind: str
    title: str
    parent: tuple[str, str] | None
    beyond: tuple[str, str] | None
    edited: str
    created: str | None
    url: str | None
    author: str | None


def facts_of(raw: Raw) -> Facts:
    """Read what a listing tells."""
    parent, beyond = parent_of(raw), None
    if raw.get("object") == "data_source":
        kind = DATA_SOURCE
        beyond = parent_of({"parent": raw.get("database_parent") or {}})
    else:
        kind = ROW if parent is not None and parent[0] in ("data_source", "database") else PAGE
    return Facts(
        id=dashed(str(raw["id"])) or str(raw["id"]),
        kind=kind,
        title=title_of(raw),
        parent=parent,
        beyond=beyond,
        edited=str(raw.get("last_edited_time") or ""),
        created=raw.get("created_time"),
        url=raw.get("url"),
        author=(raw.get("created_by") or {}).get("id"),
    )


def packed(facts: Facts) -> str:
    """Return facts as one text, a third of their size; such texts sort by the last edit."""
    parts = (facts.edited, facts.id, facts.kind, facts.title, facts.parent, facts.beyond)
    return json.dumps((*parts, facts.created, facts.url, facts.author), ensure_ascii=False)


def unpacked(text: str) -> Facts:
    """Return the facts in such a text."""
    edited, id, kind, title, parent, beyond, created, url, author = json.loads(text)
    return Facts(
        id=id,
        kind=kind,
        title=title,
        parent=tuple(parent) if parent else None,
        beyond=tuple(beyond) if beyond else None,
        edited=edited,
        created=created,
        url=url,
        author=author,
    )


def item_of(facts: Facts, path: str, *, people: Mapping[str, str], now: float) -> Item:
    """Return the item; `now` decides whether the version is settled."""
    return Item(
        key=facts.id,
        path=path,
        version=version_of(facts.edited, now=now),
        content_type=MARKDOWN,
        modified_at=seconds(facts.edited),
        created_at=seconds(facts.created),
        title=facts.title or UNTITLED,
        url=facts.url,
        author=people.get(facts.author or ""),
        metadata={"kind": facts.kind},
    )


def version_of(edited: str, *, now: float) -> str | None:
    """Return the mark of an edit; while it may be edited again in the same minute, a mark good only once."""
    moment = seconds(edited)
    if moment is None:
        return None
    return edited if now - moment >= SETTLED_SECONDS else f"{edited}~{now:.3f}"


def path_part(title: str) -> str:
    """Return a title as one part of a path."""
    return title.replace("/", "-").strip() or UNTITLED


class RecentRows:
    """Properties of the rows that a listing brought last: reading one does not ask for them again.

    Each is kept as one text, a fraction of what its many small parts take.
    """

    def __init__(self) -> None:
        self._rows: OrderedDict[str, str] = OrderedDict()
        self._lock = Lock()

    def keep(self, facts: Facts, raw: Raw) -> None:
        """Keep a row, and forget the one that was kept longest."""
        text = json.dumps(raw.get("properties") or {}, ensure_ascii=False)
        with self._lock:
            self._rows[facts.id] = text
            self._rows.move_to_end(facts.id)
            if len(self._rows) > _KEPT_ROWS:
                self._rows.popitem(last=False)

    def take(self, key: str) -> Mapping[str, Raw] | None:
        """Return the properties of a row that are kept, and forget them."""
        with self._lock:
            text = self._rows.pop(key, None)
        return dict(json.loads(text)) if text is not None else None
