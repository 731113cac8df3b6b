"""The dialect of Cloud: version 2, and the little of version 1 that it does not replace."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from catchment.kit import Item
from catchment.kit.http import Missing
from connectors.confluence.client import PAGE_ITEMS, Client, cursor_of
from connectors.confluence.records import (
    ATTACHMENT,
    BLOGPOST,
    FOLDER,
    FOOTER,
    INLINE,
    PAGE,
    Record,
    Space,
    seconds_of,
)

V2 = "/wiki/api/v2"
WHERE = {
    PAGE: "pages",
    BLOGPOST: "blogposts",
    FOLDER: "folders",
    ATTACHMENT: "attachments",
    FOOTER: "footer-comments",
    INLINE: "inline-comments",
}
MOST_NAMED = 100
_WITH_BODY = {"body-format": "storage"}


class Cloud:
    """What a site in Cloud says, as records."""

    def __init__(self, client: Client, *, include_archived: bool) -> None:
        self._client = client
        self._archived = include_archived

    def spaces(self, keys: Sequence[str] = ()) -> Iterator[Space]:
        """Yield the spaces with these keys, or all that are read."""
        chosen = [{"keys": ",".join(some)} for some in in_groups(keys)]
        every: list[dict[str, str]] = [{} if self._archived else {"status": "current"}]
        for params in chosen or every:
            for raw in self._client.rows(f"{V2}/spaces", {"limit": PAGE_ITEMS, **params}):
                yield space_of(raw)

    def documents(
        self, kind: str, space: Space | None, *, newest_first: bool = False, with_bodies: bool = False
    ) -> Iterator[Record]:
        """Yield the pages, or the blog posts, of a space or of the whole site; lists have no labels."""
        where = f"/spaces/{space.id}" if space is not None else ""
        sort = "-modified-date" if newest_first else "id"
        params = {"limit": PAGE_ITEMS, "sort": sort, "status": self._statuses(kind)}
        yield from self._records(kind, f"{where}/{WHERE[kind]}", params, with_bodies=with_bodies)

    def parts(self, kind: str, *, newest_first: bool = False, with_bodies: bool = False) -> Iterator[Record]:
        """Yield the attachments or comments of the whole site: no list of a space has them."""
        params = {"limit": PAGE_ITEMS, "sort": "-modified-date" if newest_first else "created-date"}
        with_bodies = with_bodies and kind != ATTACHMENT
        yield from self._records(kind, f"/{WHERE[kind]}", params, with_bodies=with_bodies)

    def labels(self) -> Mapping[str, str] | None:
        """Return the names of the site's labels by id; None where they are too many to ask for each.

        Raises:
            SourceError: They cannot be read; an app needs a scope of its own for them.
        """
        page = next(self._client.pages(f"{V2}/labels", {"limit": PAGE_ITEMS}))
        if cursor_of(page) is not None:
            return None
        return {str(row["id"]): str(row["name"]) for row in page["results"] if row.get("name")}

    def labelled(self, label: str, kind: str) -> Iterator[str]:
        """Yield the ids of the pages, or posts, that have a label."""
        for row in self._client.rows(f"{V2}/labels/{label}/{WHERE[kind]}", {"limit": PAGE_ITEMS}):
            yield str(row["id"])

    def by_ids(self, kind: str, ids: Sequence[str]) -> Iterator[Record]:
        """Yield the pages or posts with these ids, as far as they are there."""
        for start in range(0, len(ids), PAGE_ITEMS):
            some = ",".join(ids[start : start + PAGE_ITEMS])
            params = {"id": some, "limit": PAGE_ITEMS, "status": self._statuses(kind, archived=True)}
            yield from self._records(kind, f"/{WHERE[kind]}", params)

    def one(self, kind: str, id: str, *, with_body: bool = False) -> Record:
        """Return one piece of content; with its body and labels where that is asked for.

        Raises:
            Missing: It is not there, or in the trash, or not for this account.
        """
        params: dict[str, str] = {}
        if with_body:
            params = {**_WITH_BODY, **({"include-labels": "true"} if kind in (PAGE, BLOGPOST) else {})}
        raw = self._client.get(f"{V2}/{WHERE[kind]}/{id}", params or None)
        record = record_of(kind, raw, self._base(raw))
        if record.status in ("trashed", "deleted"):
            raise Missing(f"{id} lies in the trash.")
        return record

    def first(self, kind: str) -> Record | None:
        """Return any one of a kind, to see whether they can be listed."""
        return next(self._records(kind, f"/{WHERE[kind]}", {"limit": 1}), None)

    def download_path(self, item: Item) -> str:
        """Return the path that leads to the bytes of an attachment, whoever signs in.

        Raises:
            Missing: It is not there.
        """
        container = item.metadata.get("container") or self.one(ATTACHMENT, item.key).container
        return f"/wiki/rest/api/content/{container}/child/attachment/{item.key}/download"

    def children(
        self, space: Space | None, parent: str | None, cursor: str | None
    ) -> tuple[list[Record], str | None]:
        """Return a page of the pages at the top of a space, or below a page, and the next cursor."""
        params: dict[str, Any] = {"limit": 100, **({"cursor": cursor} if cursor else {})}
        path = f"/pages/{parent}/children"
        if space is not None:
            path = f"/spaces/{space.id}/pages"
            params.update(depth="root", status="current")
        page = next(self._client.pages(f"{V2}{path}", params))
        records = [record_of(PAGE, raw, self._base(page)) for raw in page["results"]]
        return records, cursor_of(page)

    def _records(
        self, kind: str, path: str, params: Mapping[str, Any], *, with_bodies: bool = False
    ) -> Iterator[Record]:
        extra = _WITH_BODY if with_bodies else None
        for page in self._client.pages(f"{V2}{path}", params, extra=extra):
            base = self._base(page)
            for raw in page["results"]:
                yield record_of(kind, raw, base)

    def _base(self, body: Mapping[str, Any]) -> str:
        links = body.get("_links")
        base = links.get("base") if isinstance(links, dict) else None
        return str(base) if base else self._client.site

    def _statuses(self, kind: str, *, archived: bool = False) -> list[str] | str:
        if kind == PAGE and (self._archived or archived):
            return ["current", "archived"]
        return "current"


def in_groups(names: Sequence[str]) -> Iterator[Sequence[str]]:
    """Yield so many at a time as an address can hold."""
    for start in range(0, len(names), MOST_NAMED):
        yield names[start : start + MOST_NAMED]


def space_of(raw: Mapping[str, Any]) -> Space:
    """Read a space."""
    key = str(raw.get("key") or raw["id"])
    return Space(
        str(raw.get("id") or key), key, str(raw.get("name") or key), str(raw.get("status") or "current")
    )


def record_of(kind: str, raw: Mapping[str, Any], base: str) -> Record:
    """Read one piece of content, whatever list or single answer it came in.

    Args:
        kind: What it is; the API does not say.
        raw: The content.
        base: Address below which its links lie.
    """
    version = raw.get("version") or {}
    links = raw.get("_links") or {}
    container, container_kind = _container(raw)
    modified = seconds_of(version.get("createdAt"))
    body = ((raw.get("body") or {}).get("storage") or {}).get("value")
    properties = raw.get("properties") or {}
    number = version.get("number")
    return Record(
        kind=kind,
        id=str(raw["id"]),
        title=str(raw.get("title") or ""),
        status=str(raw.get("status") or "current"),
        space=str(raw.get("spaceId") or ""),
        parent=str(raw["parentId"]) if raw.get("parentId") else None,
        parent_kind=str(raw.get("parentType") or ""),
        container=container,
        container_kind=container_kind,
        version=number if isinstance(number, int) else 1,
        modified=modified,
        created=seconds_of(raw.get("createdAt")) or (modified if number == 1 else None),
        author=str(version.get("authorId") or raw.get("authorId") or "") or None,
        url=f"{base}{links['webui']}" if links.get("webui") else None,
        size=raw.get("fileSize") if isinstance(raw.get("fileSize"), int) else None,
        media_type=str(raw["mediaType"]) if raw.get("mediaType") else None,
        labels=tuple(_labels(raw.get("labels"))),
        body=body if isinstance(body, str) else None,
        quoted=str(properties.get("inlineOriginalSelection") or "") if kind == INLINE else "",
    )


def _container(raw: Mapping[str, Any]) -> tuple[str, str]:
    if raw.get("pageId"):
        return str(raw["pageId"]), PAGE
    if raw.get("blogPostId"):
        return str(raw["blogPostId"]), BLOGPOST
    return "", ""


def _labels(labels: Any) -> Iterable[str]:
    rows = labels.get("results") if isinstance(labels, dict) else None
    return (str(row["name"]) for row in rows or [] if isinstance(row, dict) and row.get("name"))
