"""``catchment search``: words in, documents out."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

from cyclopts import Parameter
from msgspec import Struct
from msgspec.structs import asdict

from catchment.cli import words as w
from catchment.cli.house import House
from catchment.cli.output import clean, console_for, highlighted, out
from catchment.cli.server import or_there


@or_there("documents")
def search(
    *words: str,
    connector: Annotated[list[str] | None, Parameter(name=("--connector", "-c"))] = None,
    type: list[str] | None = None,
    author: list[str] | None = None,
    tag: list[str] | None = None,
    limit: Annotated[int, Parameter(name=("--limit", "-n"))] = 10,
    offset: int = 0,
    since: str | None = None,
    until: str | None = None,
) -> int:
    """Find documents that hold all of the words, best first; with any of them if none holds all.

    Args:
        words: Words, "quoted phrases" and the beginnings of words followed by a star.
        connector: Only documents of this connector; may be given several times, as all below.
        type: Only this media type, or ending: application/pdf, pdf.
        author: Only documents of this author.
        tag: Only documents that carry this tag, and every other one given.
        limit: Most hits, 1 to 100.
        offset: Hits to leave out.
        since: Only documents changed at or after this date (2026-11-24 or 2026-11-24T18:00).
        until: Only documents changed before this date.
    """
    from catchment.services.search import search as find

    found = find(
        House().engine(),
        " ".join(words),
        connector_names=connector or (),
        types=type or (),
        authors=author or (),
        tags=tag or (),
        limit=limit,
        offset=offset,
        since=w.point_in_time(since, "--since"),
        until=w.point_in_time(until, "--until"),
    )
    shown = [
        Shown(
            document=one.hit.document_id,
            connector=one.connector,
            key=one.hit.key,
            title=one.hit.title,
            snippet=one.hit.snippet,
            score=one.hit.score,
            url=one.hit.url,
            content_type=one.hit.content_type,
            author=one.hit.author,
            heading_path=one.hit.heading_path,
            highlights=one.hit.highlights,
            stale=one.hit.stale,
        )
        for one in found
    ]
    write(shown, limit=limit, offset=offset)
    return 0


class Shown(Struct, frozen=True):
    """A hit as it is shown; the names are those of its JSON object. What a server does not tell is None."""

    document: str
    connector: str
    key: str
    title: str
    snippet: str
    score: float
    url: str | None
    content_type: str
    author: str | None
    heading_path: str | None
    highlights: Sequence[tuple[int, int]]
    stale: bool | None


def write(found: Sequence[Shown], *, limit: int, offset: int) -> None:
    """Write a page of hits, best first."""
    if out.json:
        for hit in found:
            out.record(**asdict(hit))
        return
    if not found:
        out.say("Nothing was found.")
        return
    console = console_for(sys.stdout)
    for number, hit in enumerate(found, start=offset + 1):
        stale = "  (a newer version could not be read)" if hit.stale else ""
        out.say(f"{number}. {clean(hit.title)}  [{hit.document}]{stale}")
        where = f" > {clean(hit.heading_path)}" if hit.heading_path else ""
        out.say(f"   {hit.connector}: {clean(hit.key)}{where}")
        lines = highlighted(hit.snippet, hit.highlights).wrap(console, max(20, min(console.width, 100) - 3))
        for line in lines:
            with console.capture() as drawn:
                console.print(line, end="")
            out.say(f"   {drawn.get().rstrip()}")
        if number < offset + len(found):
            out.say()
    if len(found) == limit:
        out.note(f"More may follow: --offset {offset + limit}")
