"""The content of one item: pages, posts and comments as Markdown, attachments as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from msgspec.structs import replace

from catchment.core.errors import PermissionMissing, SourceDown
from catchment.kit import Content, Item, ItemUnreadable
from catchment.kit.http import Missing
from catchment.kit.streams import Lent
from connectors.confluence.client import Client
from connectors.confluence.people import People
from connectors.confluence.records import (
    ATTACHMENT,
    BLOGPOST,
    COMMENTS,
    FOOTER,
    INLINE,
    PAGE,
    Record,
    kind_of,
    path_of,
)
from connectors.confluence.storage import markdown, mentioned

SMALL_BYTES = 1024 * 1024
"""Up to here an attachment is read at once."""


class Source(Protocol):
    """What a dialect must know for this."""

    def one(self, kind: str, id: str, *, with_body: bool = False) -> Record:
        """Return one piece of content."""

    def download_path(self, item: Item) -> str:
        """Return the path of an attachment's bytes."""


def fetch(client: Client, source: Source, people: People, item: Item) -> Content:
    """Return what an item holds now.

    Raises:
        ItemUnreadable: gone, or permission.
        SourceError: The site cannot be read.
    """
    try:
        kind = kind_of(item)
        if kind == ATTACHMENT or (not kind and item.key.startswith("att")):
            return _file(client, source, item)
        for each in [kind] if kind else [PAGE, BLOGPOST, FOOTER, INLINE]:
            try:
                return _text(source.one(each, item.key, with_body=True), people, item)
            except Missing:
                continue
    except Missing:
        pass
    except PermissionMissing as error:
        raise ItemUnreadable(item.key, "permission", str(error)) from error
    raise ItemUnreadable(item.key, "gone", "It is no longer there, or not for this account.")


def _text(record: Record, people: People, item: Item) -> Content:
    if record.body is None:
        raise SourceDown(f"The answer about {item.key} has no body.")
    author = record.author or item.author
    names = people.names([*mentioned(record.body), *([author] if author else [])])
    fresh = replace(
        item,
        version=str(record.version),
        title=record.title or item.title,
        modified_at=record.modified,
        url=record.url or item.url,
        author=names.get(author or "", author),
        tags=record.labels,
        path=_renamed(item, record),
    )
    content = Content.text(text_of(record, names))
    content.item = fresh
    return content


def text_of(record: Record, names: Mapping[str, str] | None = None) -> str:
    """Return a text with its title; of an inline comment also what it is about.

    Args:
        record: With its body.
        names: Of people whom it mentions, by account id.
    """
    parts = [f"# {record.title}"] if record.title else []
    if record.kind in COMMENTS and record.quoted:
        parts.append("\n".join(f"> {line}" for line in record.quoted.splitlines()))
    body = markdown(record.body or "", names)
    parts += [body] if body else []
    return "\n\n".join(parts) + "\n"


def _renamed(item: Item, record: Record) -> str:
    """Return the path with the title that the page has by now; the next listing tells of all else."""
    if record.kind not in (PAGE, BLOGPOST) or not record.title:
        return item.path
    above, slash, _ = item.path.rpartition("/")
    return f"{above}{slash}{path_of([record.title])}"


def _file(client: Client, source: Source, item: Item) -> Content:
    path = client.address(source.download_path(item))
    if item.size is not None and item.size <= SMALL_BYTES:
        response = client.http.get(path)
        return Content(response.content, item.content_type or response.headers.get("content-type"))
    lent = client.http.stream(path)
    response = lent.__enter__()
    content_type = item.content_type or response.headers.get("content-type")
    return Content(Lent(lent, response).buffered(), content_type)
