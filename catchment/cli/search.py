"""``catchment search``: words in, documents out."""

from __future__ import annotations

import sys
from typing import Annotated

from cyclopts import Parameter

from catchment.cli import words as w
from catchment.cli.house import House
from catchment.cli.output import clean, console_for, highlighted, out


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
    if out.json:
        for one in found:
            hit = one.hit
            out.record(
                document=hit.document_id,
                connector=one.connector,
                key=hit.key,
                title=hit.title,
                snippet=hit.snippet,
                score=hit.score,
                url=hit.url,
                content_type=hit.content_type,
                author=hit.author,
                heading_path=hit.heading_path,
                highlights=hit.highlights,
                stale=hit.stale,
            )
        return 0
    if not found:
        out.say("Nothing was found.")
        return 0
    console = console_for(sys.stdout)
    for number, one in enumerate(found, start=offset + 1):
        hit = one.hit
        stale = "  (a newer version could not be read)" if hit.stale else ""
        out.say(f"{number}. {clean(hit.title)}  [{hit.document_id}]{stale}")
        where = f" > {clean(hit.heading_path)}" if hit.heading_path else ""
        out.say(f"   {one.connector}: {clean(hit.key)}{where}")
        lines = highlighted(hit.snippet, hit.highlights).wrap(console, max(20, min(console.width, 100) - 3))
        for line in lines:
            with console.capture() as drawn:
                console.print(line, end="")
            out.say(f"   {drawn.get().rstrip()}")
        if number < offset + len(found):
            out.say()
    if len(found) == limit:
        out.note(f"More may follow: --offset {offset + limit}")
    return 0
