"""Tables as Markdown: merged cells are told once, and rows are filled up to the same width."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from connectors.confluence.elements import Element, name_of, number_in

MOST_COLUMNS = 200
_SPANS = 50
_CELLS = ("td", "th")


def table(element: Element, *, text: Callable[[Element], str]) -> str:
    """Return a table; its first row is its head, whether the author marked it as one or not.

    Args:
        element: The table.
        text: Gives the text of a cell, on one line.
    """
    rows = [_cells(row, text) for row in _rows(element)]
    rows = [row for row in rows if any(row)]
    if not rows:
        return ""
    if any(name_of(above) in _CELLS for above in element.iterancestors()):
        # Markdown has no table in a cell.
        return "; ".join(", ".join(cell for cell in row if cell) for row in rows)
    width = max(map(len, rows))
    lines = ["| " + " | ".join([*row, *[""] * (width - len(row))]) + " |" for row in rows]
    lines.insert(1, "|" + " --- |" * width)
    return "\n".join(lines)


def _rows(element: Element) -> Iterator[Element]:
    """Yield the rows of this table, not those of tables in its cells."""
    for child in element:
        if name_of(child) == "tr":
            yield child
        elif name_of(child) in ("thead", "tbody", "tfoot"):
            yield from _rows(child)


def _cells(row: Element, text: Callable[[Element], str]) -> list[str]:
    cells: list[str] = []
    for child in row:
        if name_of(child) not in _CELLS:
            continue
        cells.append(text(child).replace("|", "\\|"))
        cells += [""] * (min(number_in(child, "colspan"), _SPANS) - 1)
        if len(cells) >= MOST_COLUMNS:
            break
    return cells
