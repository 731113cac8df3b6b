"""``catchment search``, ``documents`` and ``document show`` of a server."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from catchment.cli import words as w
from catchment.cli.output import clean, out
from catchment.cli.remote.views import seconds
from catchment.cli.search import Shown, write
from catchment.cli.server import only_locally, server
from catchment.client.connectors import plain
from catchment.core.clock import iso

if TYPE_CHECKING:
    from catchment.client import Document, Hit

MOST_SHOWN = 100


def search(
    *words: str,
    connector: list[str] | None = None,
    type: list[str] | None = None,
    author: list[str] | None = None,
    tag: list[str] | None = None,
    limit: int = 10,
    offset: int = 0,
    since: str | None = None,
    until: str | None = None,
) -> int:
    """Find documents at the server."""
    from catchment.services.search import media_type, require_words

    query = " ".join(words)
    require_words(query)
    first, end = w.point_in_time(since, "--since"), w.point_in_time(until, "--until")
    with server() as client:
        known = {one.id: plain(one.name) for one in client.connectors.list()}
        found = client.search(
            query,
            connectors=[client.connectors.find(name).id for name in connector or ()],
            content_types=[media_type(name) for name in type or ()],
            authors=author or (),
            tags=tag or (),
            limit=limit,
            offset=offset,
            since=_moment(first),
            # The server's last moment belongs to the stretch, ours does not.
            until=_moment(end - 1 if end is not None else None),
        )
    shown = [_shown(hit, known.get(hit.metadata.source, hit.metadata.source)) for hit in found.results]
    write(shown, limit=limit, offset=offset)
    return 0


def _shown(hit: Hit, connector: str) -> Shown:
    return Shown(
        document=hit.id,
        connector=connector,
        key=hit.path,
        title=hit.title,
        snippet=hit.content,
        score=hit.score,
        url=hit.url,
        content_type=hit.content_type,
        author=hit.author,
        heading_path=None,
        highlights=_stretches(hit),
        stale=None,
    )


def documents(
    connector: str, /, *, state: list[str] | None = None, limit: int | None = None, offset: int = 0
) -> int:
    """List the documents of a connector of the server, newest first."""
    if state:
        raise only_locally("--state")
    with server() as client:
        found = client.connectors.find(connector)
        shown = client.documents.list(
            found.id, limit=limit or (None if out.json else MOST_SHOWN), offset=offset
        )
    if out.json:
        for one in shown:
            out.record(**_as_json(one))
        return 0
    out.table(
        ("key", "title", "=type", ">size", "=id"),
        ((one.path, one.title, w.kind(one.content_type), w.size(one.size), one.id) for one in shown),
    )
    if found.document_count > offset + len(shown):
        out.note(f"{len(shown)} of {w.counted(found.document_count, 'document')}; see --offset and --limit.")
    return 0


def show(document: str, /, *, text: bool = False) -> int:
    """Show what the server knows of a document."""
    with server() as client:
        found = client.documents.get(document)
        connector = client.connectors.get(found.connector_id)
    if out.json:
        out.record(
            **_as_json(found),
            connector=plain(connector.name),
            author=found.author,
            created_at=iso(seconds(found.created_at)),
            modified_at=iso(seconds(found.updated_at)),
            characters=len(found.content),
            tags=list(found.tags),
            notes=[],
            metadata=found.metadata,
            **({"text": found.content} if text else {}),
        )
        return 0
    out.facts(
        [
            ("Title", found.title),
            ("Id", found.id),
            ("Connector", plain(connector.name)),
            ("Key", found.path),
            ("Address", found.url),
            ("Type", found.content_type),
            ("Size", w.size(found.size) or None),
            ("Author", found.author),
            ("Changed", w.moment(seconds(found.updated_at))),
            ("Indexed", w.moment(seconds(found.indexed_at))),
            ("Text", w.counted(len(found.content), "character")),
            ("Tags", ", ".join(found.tags) or None),
            ("Stale", "a newer version could not be read" if found.stale else None),
            *((name, value) for name, value in found.metadata.items()),
        ]
    )
    if text:
        out.say()
        for line in found.content.splitlines():
            out.say(clean(line.replace("\t", "    ")))
    return 0


def _moment(posix: float | None) -> datetime | None:
    return datetime.fromtimestamp(posix, UTC) if posix is not None else None


def _stretches(hit: Hit) -> list[tuple[int, int]]:
    """Return where the words that were found stand in the text of a hit."""
    if not hit.highlights:
        return []
    longest_first = sorted(hit.highlights, key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(word)}(?!\w)" for word in longest_first)
    return [found.span() for found in re.finditer(pattern, hit.content)]


def _as_json(one: Document) -> dict[str, object]:
    return {
        "id": one.id,
        "key": one.path,
        "title": one.title,
        "content_type": one.content_type,
        "size": one.size,
        "sha256": None,
        "chunks": None,
        "indexed_at": iso(seconds(one.indexed_at)),
        "path": one.path,
        "url": one.url,
        "stale": one.stale,
    }
