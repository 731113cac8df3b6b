"""From ranked chunks to hits: one per document, by its best chunk, with snippet and score."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from catchment.store.index import Hit
from catchment.store.snippets import snippet
from catchment.store.tables import CHUNK_BITS
from catchment.store.words import QueryPart

HITS = (
    "SELECT c.id, c.heading_path, c.text, d.id, d.connector_pk, i.key, d.title, i.url,"
    " d.content_type, d.author, i.modified_at, d.stale FROM chunks c"
    f" JOIN documents d ON d.pk = c.id >> {CHUNK_BITS} JOIN items i ON i.pk = d.pk WHERE c.id"
)
"""Everything that hits are made of; what follows says which chunks."""


def best_chunks(ranked: Callable[[int], Sequence[Any]], wanted: int) -> list[tuple[int, float]]:
    """Return the best chunk of each of the `wanted` best documents, with its strength.

    A few long documents may fill the first page with their own chunks, so more are read until
    there are enough documents.

    Args:
        ranked: Returns so many of the best chunks, as pairs of id and strength, best first.
        wanted: How many documents.
    """
    take = wanted * 4
    while True:
        rows = ranked(take)
        best: dict[int, tuple[int, float]] = {}
        for chunk_id, strength in rows:
            best.setdefault(chunk_id >> CHUNK_BITS, (chunk_id, strength))
        if len(best) >= wanted or len(rows) < take:
            return list(best.values())[:wanted]
        take *= 4


def hit_of(row: Any, strength: float, parts: Sequence[QueryPart]) -> Hit:
    """Make a hit of a row of `HITS`; any strength from 0 on becomes a score from 0 to 1."""
    shown, highlights = snippet(row[2] or row[6], parts)
    strength = max(strength, 0.0)
    return Hit(
        document_id=row[3],
        connector_pk=row[4],
        key=row[5],
        title=row[6],
        url=row[7],
        content_type=row[8],
        author=row[9],
        modified_at=row[10],
        heading_path=row[1],
        snippet=shown,
        score=round(strength / (1.0 + strength), 6),
        stale=bool(row[11]),
        highlights=highlights,
    )
