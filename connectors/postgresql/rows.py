"""How the rows of one relation become items and texts: its settings, applied to its columns."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from catchment.kit import ConfigRejected, Item
from connectors.postgresql.catalog import Column, Relation
from connectors.postgresql.config import PostgreSQLConfig, RowSettings
from connectors.postgresql.names import KEYLESS, Values, row_key, row_path
from connectors.postgresql.template import Template

TITLES = ("title", "name", "subject", "headline")
AUTHORS = ("author", "author_name", "created_by", "username")
ADDRESSES = ("url", "link", "permalink", "href")
DATES = (
    "updated_at",
    "modified_at",
    "last_modified",
    "changed_at",
    "updated",
    "modified",
    "published_at",
    "created_at",
)
BODIES = ("body", "content", "text", "description", "summary", "html", "markdown", "message")
UNREADABLE = ("tsvector", "vector", "halfvec", "sparsevec")
"""Types whose text is of no use to anybody."""
TITLE_CHARACTERS = 300
LAYOUT = 1
"""Raised when the text that is made of a row changes, so that every row is made again."""
_EARLIEST, _LATEST = -62_135_596_800.0, 253_402_300_799.0
"""The years 1 to 9999, which is all that dates can show."""


class RowPlan(Struct, frozen=True, dict=True):
    """What is read of a relation's rows, and what becomes of it.

    Attributes:
        relation: Whose rows.
        key: Columns that name a row; none where the row's hash must do.
        paged: Whether an index over `key` allows to page by it.
        content: Column that is the document itself, or None.
        content_type: Its media type.
        updated: Column of the time by which rows are compared, or None.
        by_time: Whether the version mark is that time instead of a hash.
        deleted: Column that marks a row as deleted, or None.
        date: Column of the time of the change, or None.
        title: Template, or None where the key must do.
        text: Template, or None for the usual layout.
        url: Template, or None.
        author: Template, or None.
        shown: Columns of the usual layout; none where there is another.
        body: Column whose text stands by itself in the usual layout.
        fingerprint: Changes when rows are read or written in another way.
    """

    relation: Relation
    key: tuple[Column, ...]
    paged: bool
    content: Column | None
    content_type: str | None
    updated: Column | None
    by_time: bool
    deleted: Column | None
    date: Column | None
    title: Template | None
    text: Template | None
    url: Template | None
    author: Template | None
    shown: tuple[Column, ...]
    body: Column | None
    fingerprint: str

    @cached_property
    def used(self) -> tuple[Column, ...]:
        """Columns that make the document, in the order of the relation; the version covers them."""
        names = {column.name for column in self.shown}
        for template in (self.title, self.text, self.url, self.author):
            if template is not None:
                names.update(template.columns)
        names.update(column.name for column in (self.content, self.date) if column is not None)
        used = tuple(column for column in self.relation.columns if column.name in names)
        return used or self.key or self.relation.columns

    @cached_property
    def read(self) -> tuple[Column, ...]:
        """Columns whose text is read for a document."""
        return tuple(column for column in self.used if column != self.content)

    @cached_property
    def read_names(self) -> tuple[str, ...]:
        """Names of what is read."""
        return tuple(column.name for column in self.read)

    @cached_property
    def listed(self) -> tuple[Column, ...]:
        """Columns whose text is read while listing: those of the address."""
        names = self.url.columns if self.url is not None else ()
        return tuple(column for column in self.relation.columns if column.name in names)

    @cached_property
    def listed_names(self) -> tuple[str, ...]:
        """Names of what is read while listing."""
        return tuple(column.name for column in self.listed)

    @property
    def tells_sizes(self) -> bool:
        """Whether the size of a listed row is that of its texts, not of what the server stores of them."""
        return self.content is not None or not self.by_time

    @cached_property
    def _whole(self) -> tuple[bool, ...]:
        return tuple(column.is_whole for column in self.key)

    def key_of(self, values: Values) -> str:
        """Write the key of the row with these key values."""
        if not self.key:
            return f"{self.relation.scope}{KEYLESS}{values[0]}"
        return row_key(self.relation.scope, values, self._whole)

    def path_of(self, values: Values) -> str:
        """Write the path of the row with these key values."""
        return row_path(self.relation.scope, values, plain=self.content is None)

    def item(self, values: Values, facts: Sequence[Any]) -> Item:
        """Return the item of a row.

        Args:
            values: The key's values as text.
            facts: Version, size, seconds of the date, then the texts of `listed`.
        """
        version, size, seconds = facts[:3]
        url = None
        if self.url is not None:
            url = self.url.render_all(dict(zip(self.listed_names, facts[3:], strict=True)))
        return Item(
            key=self.key_of(values),
            path=self.path_of(values),
            version=f"{self.fingerprint}:{version}",
            size=size,
            content_type=self.content_type,
            modified_at=seconds if seconds is not None and _EARLIEST <= seconds <= _LATEST else None,
            url=url,
        )

    def describe(self, item: Item, values: Mapping[str, str | None]) -> None:
        """Add to an item what only the columns tell: title and author."""
        if self.title is not None:
            title = " ".join(self.title.render(values).split())
            item.title = title[:TITLE_CHARACTERS] or None
        if item.title is None:
            item.title = f"{self.relation.scope} {item.path.partition('/')[2]}"
        if self.author is not None:
            item.author = self.author.render(values).strip() or None

    def document(self, item: Item, values: Mapping[str, str | None]) -> str:
        """Write the text of a row, in Markdown."""
        if self.text is not None:
            return self.text.render(values).strip()
        parts = []
        title_columns = self.title.columns if self.title is not None else ()
        if any(values[name] for name in title_columns):
            parts.append(f"# {item.title}")
        if self.body is not None and values[self.body.name]:
            parts.append(str(values[self.body.name]).strip())
        only_title = title_columns if len(title_columns) == 1 else ()
        lines = [
            f"{column.name}: {values[column.name]}"
            for column in self.shown
            if values[column.name] not in (None, "") and column != self.body and column.name not in only_title
        ]
        if lines:
            parts.append("\n".join(lines))
        return "\n\n".join(parts)


def plan_rows(relation: Relation, config: PostgreSQLConfig, *, named: bool) -> RowPlan:
    """Apply the settings to a relation.

    Args:
        relation: As the server describes it.
        config: The settings.
        named: Whether the settings name this relation; one that they do not name may lack columns that
            are set for all.

    Raises:
        ConfigRejected: A setting names a column that does not exist or cannot serve.
    """
    settings, own = config.settings_of(relation.scope)
    return _Planner(relation, settings, own, named=named).plan(follows_log=config.replication != "off")


class _Planner:
    """Finds the columns that settings and habits name."""

    def __init__(
        self, relation: Relation, settings: RowSettings, own: frozenset[str], *, named: bool
    ) -> None:
        self.relation = relation
        self.settings = settings
        self.own = own
        self.named = named

    def plan(self, *, follows_log: bool) -> RowPlan:
        key, paged = self._key()
        content = self._column("content_column")
        updated = self._time("updated_column")
        deleted = self._column("deleted_column")
        title = self._template("title") or self._usual_title(content)
        content_type = self.settings.content_type if content is not None else "text/markdown; charset=utf-8"
        date = self._time("date") or updated or self._usual(DATES, "is_time")
        left_out = {column.name for column in (deleted, updated, content, date) if column is not None}
        text = self._template("text")
        shown = self._shown(left_out) if text is None and content is None else ()
        body = next((c for name in BODIES for c in shown if c.name.lower() == name and c.is_text), None)
        plan = RowPlan(
            relation=self.relation,
            key=key,
            paged=paged,
            content=content,
            content_type=content_type,
            updated=updated,
            by_time=updated is not None and not follows_log and bool(key),
            deleted=deleted,
            date=date,
            title=title,
            text=text,
            url=self._template("url") or self._of(self._usual(ADDRESSES, "is_text")),
            author=self._template("author") or self._of(self._usual(AUTHORS, "is_text")),
            shown=shown,
            body=body,
            fingerprint="",
        )
        return replace(plan, fingerprint=_fingerprint(plan))

    def _key(self) -> tuple[tuple[Column, ...], bool]:
        wanted = self._columns("key")
        names = tuple(column.name for column in wanted)
        if wanted:
            return wanted, names in self.relation.keys
        if not self.relation.keys:
            return (), False
        found = (self.relation.column(name) for name in self.relation.keys[0])
        return tuple(column for column in found if column is not None), True

    def _columns(self, setting: str) -> tuple[Column, ...]:
        names: list[str] = getattr(self.settings, setting)
        found = [self._find(name, setting) for name in names]
        return tuple(column for column in found if column is not None) if all(found) else ()

    def _column(self, setting: str) -> Column | None:
        name: str | None = getattr(self.settings, setting)
        return self._find(name, setting) if name else None

    def _find(self, name: str, setting: str) -> Column | None:
        found = self.relation.column(name)
        if found is None and (self.named or setting in self.own):
            raise ConfigRejected(
                f"{self.relation.scope} has no column {name!r}.",
                setting=self._where(setting),
                remedy="Write the column's name exactly as it is; upper and lower case matter.",
            )
        return found

    def _where(self, setting: str) -> str:
        return f"relations.{self.relation.scope}.{setting}" if setting in self.own else setting

    def _time(self, setting: str) -> Column | None:
        name: str | None = getattr(self.settings, setting)
        bare = name.strip().removeprefix("{").removesuffix("}") if name else None
        column = self._find(bare, setting) if bare else None
        if column is not None and not column.is_time:
            raise ConfigRejected(
                f"The column {column.name!r} of {self.relation.scope} is no date or time, but "
                f"{column.type_name}.",
                setting=self._where(setting),
                remedy="Name a column of the type timestamp with time zone, timestamp or date.",
            )
        return column

    def _template(self, setting: str) -> Template | None:
        text: str | None = getattr(self.settings, setting)
        if not text:
            return None
        where = self._where(setting)
        try:
            return Template(
                text, setting=where, is_column=lambda name: self.relation.column(name) is not None
            )
        except ConfigRejected:
            if self.named or setting in self.own:
                raise
            return None

    def _of(self, column: Column | None) -> Template | None:
        if column is None:
            return None
        name = column.name
        if "{" in name or "}" in name:
            return None
        return Template("{" + name + "}", setting="title", is_column=lambda _name: True)

    def _usual(self, names: Sequence[str], claim: str) -> Column | None:
        """Find the column that bears the first of some well-known names and fits."""
        for name in names:
            for column in self.relation.columns:
                if column.name.lower() == name and getattr(column, claim):
                    return column
        return None

    def _usual_title(self, content: Column | None) -> Template | None:
        found = self._usual(TITLES, "is_text")
        if found is None:
            texts = (column for column in self.relation.columns if column.is_text and column != content)
            found = next((column for column in texts if column.name.lower() not in BODIES), None)
        return self._of(found)

    def _shown(self, left_out: set[str]) -> tuple[Column, ...]:
        chosen = self._columns("columns")
        if chosen:
            return chosen
        return tuple(
            column
            for column in self.relation.columns
            if column.name not in left_out and column.base_type.rpartition(".")[2] not in UNREADABLE
        )


def _fingerprint(plan: RowPlan) -> str:
    """Return eight characters that change with the templates and the columns in use, and only with them."""
    templates = [t.text if t is not None else None for t in (plan.title, plan.text, plan.url, plan.author)]
    columns = [[(c.name, c.type_name) for c in used] for used in (plan.used, plan.shown, plan.key)]
    singles = [c.name if c is not None else None for c in (plan.content, plan.body, plan.date)]
    by_time = plan.updated.name if plan.updated is not None and plan.by_time else None
    text = json.dumps([LAYOUT, templates, columns, singles, plan.content_type, by_time])
    return hashlib.sha256(text.encode()).hexdigest()[:8]
