"""Templates: ``{column}`` stands for the value of a column as text, and for nothing where it is null."""

from __future__ import annotations

import string
from collections.abc import Callable, Mapping

from catchment.kit import ConfigRejected

Piece = tuple[str, str | None]


class Template:
    """A text with places for columns; only names of columns stand in braces, never attributes or indexes.

    Attributes:
        text: As it was written.
        columns: Names of the columns in it, each once.
    """

    def __init__(self, text: str, *, setting: str, is_column: Callable[[str], bool]) -> None:
        self.text = text
        pieces = _parsed(text, setting)
        self._layout = "".join(
            literal.replace("%", "%%") + ("%s" if name is not None else "") for literal, name in pieces
        )
        self._places = [name for _, name in pieces if name is not None]
        self._bare = self._places[0] if self._layout == "%s" else None
        self.columns = tuple(dict.fromkeys(name for _, name in pieces if name is not None))
        for name in self.columns:
            if not is_column(name):
                raise ConfigRejected(
                    f"The template {setting} names the column {name!r}, which does not exist.",
                    setting=setting,
                    remedy="Write names of columns in braces, just as they are; a brace itself is {{ or }}.",
                )

    def render(self, values: Mapping[str, str | None]) -> str:
        """Fill in the values."""
        if self._bare is not None:
            return values[self._bare] or ""
        return self._layout % tuple([values[name] or "" for name in self._places])

    def render_all(self, values: Mapping[str, str | None]) -> str | None:
        """Fill in the values; None when one of them is missing, as for addresses."""
        return self.render(values) if all(values[name] for name in self.columns) else None


def _parsed(text: str, setting: str) -> list[Piece]:
    try:
        pieces = list(string.Formatter().parse(text))
    except ValueError as error:
        raise ConfigRejected(
            f"The template {setting} cannot be read: {error}.",
            setting=setting,
            remedy="Write names of columns in braces; a brace itself is {{ or }}.",
        ) from error
    if any(conversion or layout for _, _, layout, conversion in pieces):
        raise ConfigRejected(
            f"The template {setting} has more than a name in its braces.",
            setting=setting,
            remedy="Write only the column's name in braces.",
        )
    return [(literal, name) for literal, name, _, _ in pieces]
