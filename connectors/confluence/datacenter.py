"""The dialect of Data Center: version 1, whose lists go by position."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from catchment.core.errors import SourceDown
from catchment.kit import Item
from catchment.kit.http import Missing
from connectors.confluence.client import Client
from connectors.confluence.cloud import in_groups, space_of
from connectors.confluence.records import (
    ATTACHMENT,
    FOOTER,
    INLINE,
    PAGE,
    Record,
    Space,
    seconds_of,
)

PAGE_ITEMS = 100
CONTENT = "/rest/api/content"
_FACTS = "version,history,space,ancestors"
_PARTS = "children.attachment.version,descendants.comment.version"
_MOST_STEPS_BACK = 1000
_MOST_OLD_PAGES = 50
"""Pages in a row without anything new: so much may have moved down meanwhile; more is a list without end."""


class DataCenter:
    """What a site at Data Center says, as records."""

    def __init__(self, client: Client, *, include_archived: bool) -> None:
        self._client = client
        self._statuses = ["current", "archived"] if include_archived else ["current"]

    def spaces(self, keys: Sequence[str] = (), *, archived: bool = False) -> Iterator[Space]:
        """Yield the spaces with these keys, or all that are read."""
        chosen: list[dict[str, Any]] = [{"spaceKey": list(some)} for some in in_groups(keys)]
        every: list[dict[str, Any]] = [{} if archived else {"status": "current"}]
        for params in chosen or every:
            for raw, _ in self._anchored("/rest/api/space", params):
                yield space_of(raw)

    def documents(
        self, kind: str, space: Space | None, *, status: str = "current", parts: bool = True
    ) -> Iterator[tuple[Record, tuple[str, ...], Iterator[Record]]]:
        """Yield pages or blog posts with the titles above them, and what belongs to them, as it is taken."""
        expand = f"{_FACTS},{_PARTS}" if parts else _FACTS
        params: dict[str, Any] = {"type": kind, "status": status, "expand": expand}
        if space is not None:
            params["spaceKey"] = space.key
        for raw, base in self._anchored(CONTENT, params):
            record = record_of(raw, base)
            yield record, ancestors_of(raw), self._parts(raw, record, base) if parts else iter(())

    def search(self, query: str) -> Iterator[tuple[Record, tuple[str, ...]]]:
        """Yield what a query finds, with the titles above it."""
        params = {"cql": query, "expand": f"{_FACTS},container"}
        for raw, base in self._anchored(f"{CONTENT}/search", params):
            yield record_of(raw, base), ancestors_of(raw)

    def one(self, kind: str, id: str, *, with_body: bool = False) -> Record:  # noqa: ARG002 - ids suffice
        """Return one piece of content; with its body and labels where that is asked for.

        Raises:
            Missing: It is not there, or in the trash, or not for this account.
        """
        return self.placed(id, with_body=with_body)[0]

    def placed(self, id: str, *, with_body: bool = False) -> tuple[Record, tuple[str, ...], tuple[str, ...]]:
        """Return one piece of content with titles and ids of the pages above it.

        Raises:
            Missing: It is not there, or not for this account.
        """
        expand = f"{_FACTS},container,extensions.inlineProperties"
        if with_body:
            expand += ",body.storage,metadata.labels"
        raw = self._client.get(f"{CONTENT}/{quote(id)}", {"expand": expand, "status": self._statuses})
        record = record_of(raw, self._base(raw))
        if record.status in ("trashed", "deleted"):
            raise Missing(f"{id} lies in the trash.")
        ids = tuple(str(above["id"]) for above in raw.get("ancestors") or [] if above.get("id"))
        return record, ancestors_of(raw), ids

    def download_path(self, item: Item) -> str:
        """Return the path of an attachment's bytes.

        Raises:
            Missing: It is not there.
        """
        path = item.metadata.get("download") or self.one(ATTACHMENT, item.key).download
        if not path.startswith("/"):
            raise Missing(f"The site names no download for {item.key}.")
        return path

    def first(self, kind: str) -> Record | None:
        """Return any page or post, to see whether they can be listed with their parts."""
        for record, _, parts in self.documents(kind, None):
            next(parts, None)
            return record
        return None

    def children(
        self, space: Space | None, parent: str | None, cursor: str | None
    ) -> tuple[list[Record], str | None]:
        """Return a page of the pages at the top of a space, or below a page, and where the next begins."""
        start = int(cursor) if cursor and cursor.isdecimal() else 0
        params: dict[str, Any] = {"start": start, "limit": PAGE_ITEMS, "expand": "ancestors,space"}
        path = f"{CONTENT}/{parent}/child/page"
        if space is not None:
            path, params = CONTENT, {**params, "type": PAGE, "spaceKey": space.key}
        page = self._client.get(path, params)
        results = page.get("results") or []
        shown = [raw for raw in results if space is None or not raw.get("ancestors")]
        more = str(start + len(results)) if results and (page.get("_links") or {}).get("next") else None
        return [record_of(raw, self._base(page)) for raw in shown], more

    def _parts(self, raw: Mapping[str, Any], holder: Record, base: str) -> Iterator[Record]:
        """Yield attachments and comments that came along, and those that did not fit."""
        for outer, inner, path in (
            ("children", ATTACHMENT, "child/attachment"),
            ("descendants", "comment", "descendant/comment"),
        ):
            nested = (raw.get(outer) or {}).get(inner) or {}
            rows = nested.get("results")
            if not isinstance(rows, list):
                raise SourceDown(f"The answer about {holder.id} does not say what belongs to it.")
            some: Iterator[Mapping[str, Any]] = iter(rows)
            if (nested.get("_links") or {}).get("next"):
                more = self._anchored(f"{CONTENT}/{holder.id}/{path}", {"expand": "version,history"})
                some = (row for row, _ in more)
            for row in some:
                yield record_of(row, base, holder=holder)

    def _anchored(self, path: str, params: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
        """Yield the rows of a list that goes by position, each once, and the address of the site.

        When something is deleted meanwhile, all behind it moves up, and the next page would begin too late.
        So each page begins with the last row of the page before: where that is missing, the list is read
        again from further up.

        Raises:
            SourceDown: The list never holds still, never ends, or makes no sense.
            SourceError: As `Http.request`.
        """
        seen: set[str] = set()
        start, is_anchored, steps_back = 0, False, 0
        furthest, old_pages = 0, 0
        while True:
            page = self._client.get(path, {**params, "start": start, "limit": PAGE_ITEMS})
            rows = page.get("results")
            if not isinstance(rows, list):
                raise SourceDown(f"The answer of {path} is no page of a list.")
            if is_anchored and (not rows or _id(rows[0]) not in seen):
                steps_back += 1
                if steps_back > _MOST_STEPS_BACK:
                    raise SourceDown(f"The list of {path} never holds still.")
                start = max(start - PAGE_ITEMS // 2, 0)
                is_anchored = start > 0
                continue
            known = len(seen)
            for row in rows:
                if _id(row) not in seen:
                    seen.add(_id(row))
                    yield row, self._base(page)
            old_pages = 0 if len(seen) > known or start < furthest else old_pages + 1
            if old_pages > _MOST_OLD_PAGES:
                raise SourceDown(f"The list of {path} says the same again and again.")
            furthest = max(furthest, start)
            if not (page.get("_links") or {}).get("next"):
                return
            is_anchored = len(rows) > 1
            start += len(rows) - 1 if is_anchored else len(rows)

    def _base(self, body: Mapping[str, Any]) -> str:
        base = (body.get("_links") or {}).get("base")
        return str(base) if base else self._client.site


def _id(row: Mapping[str, Any]) -> str:
    return str(row.get("id") or row.get("key") or "")


def record_of(raw: Mapping[str, Any], base: str, *, holder: Record | None = None) -> Record:
    """Read one piece of content.

    Args:
        raw: The content.
        base: Address below which its links lie.
        holder: The page or post that it came with, where it does not say so itself.
    """
    version, history = raw.get("version") or {}, raw.get("history") or {}
    extensions, links = raw.get("extensions") or {}, raw.get("_links") or {}
    container = raw.get("container") or {}
    kind = str(raw.get("type") or "")
    if kind == "comment":
        kind = INLINE if extensions.get("location") == INLINE else FOOTER
    is_part = kind in (ATTACHMENT, FOOTER, INLINE)
    body = ((raw.get("body") or {}).get("storage") or {}).get("value")
    labels = ((raw.get("metadata") or {}).get("labels") or {}).get("results") or []
    media_type = extensions.get("mediaType") or (raw.get("metadata") or {}).get("mediaType")
    by = version.get("by") or {}
    number = version.get("number")
    return Record(
        kind=kind,
        id=str(raw["id"]),
        title=str(raw.get("title") or ""),
        status=str(raw.get("status") or "current"),
        space=str((raw.get("space") or {}).get("key") or (holder.space if holder else "")),
        container=(holder.id if holder else str(container.get("id") or "")) if is_part else "",
        container_kind=(holder.kind if holder else str(container.get("type") or "")) if is_part else "",
        version=number if isinstance(number, int) else 1,
        modified=seconds_of(version.get("when")),
        created=seconds_of(history.get("createdDate")),
        author=str(by.get("displayName") or by.get("username") or "") or None,
        url=f"{base}{links['webui']}" if links.get("webui") else None,
        size=extensions.get("fileSize") if isinstance(extensions.get("fileSize"), int) else None,
        media_type=str(media_type) if media_type else None,
        labels=tuple(str(label["name"]) for label in labels if label.get("name")),
        body=body if isinstance(body, str) else None,
        quoted=str((extensions.get("inlineProperties") or {}).get("originalSelection") or ""),
        download=str(links.get("download") or "").partition("?")[0] if kind == ATTACHMENT else "",
    )


def ancestors_of(raw: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the titles of the pages above, from the top down."""
    return tuple(str(above.get("title") or "") for above in raw.get("ancestors") or [])
