"""Blocks as a person writes them down, and the rich text inside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

_PLAIN = {
    "bold": False,
    "italic": False,
    "strikethrough": False,
    "underline": False,
    "code": False,
    "color": "default",
}
_WITH_COLOR = frozenset(
    {
        "bulleted_list_item",
        "callout",
        "heading_1",
        "heading_2",
        "heading_3",
        "numbered_list_item",
        "paragraph",
        "quote",
        "to_do",
        "toggle",
    }
)


@dataclass(slots=True)
class Spec:
    """A block to be made: its type, what stands under the name of its type, and the blocks in it."""

    type: str
    payload: dict[str, Any]
    children: Sequence[Spec] = field(default_factory=tuple)


def text(content: str, *, href: str | None = None, **annotations: Any) -> dict[str, Any]:
    """Return one piece of rich text; annotations such as ``bold=True``."""
    return {
        "type": "text",
        "text": {"content": content, "link": {"url": href} if href else None},
        "annotations": {**_PLAIN, **annotations},
        "plain_text": content,
        "href": href,
    }


def rich(content: str | Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return rich text; an empty string is none."""
    if isinstance(content, str):
        return [text(content)] if content else []
    return [dict(piece) for piece in content]


def block(
    type_: str, content: str | Sequence[Mapping[str, Any]] | None = None, *children: Spec, **payload: Any
) -> Spec:
    """Return a block of any type, with its rich text where it has one, and what else it holds."""
    made: dict[str, Any] = dict(payload)
    if content is not None:
        made["rich_text"] = rich(content)
    if type_ in _WITH_COLOR:
        made.setdefault("color", "default")
    if type_.startswith("heading_"):
        made.setdefault("is_toggleable", False)
    if type_ in ("paragraph", "callout"):
        made.setdefault("icon", None)
    if type_ == "to_do":
        made.setdefault("checked", False)
    if type_ == "code":
        made.setdefault("caption", [])
        made.setdefault("language", "plain text")
    return Spec(type_, made, children)


def paragraph(content: str | Sequence[Mapping[str, Any]], *children: Spec) -> Spec:
    """Return a paragraph."""
    return block("paragraph", content, *children)


def heading(level: int, content: str, *children: Spec) -> Spec:
    """Return a heading; with children it can be folded."""
    return block(f"heading_{level}", content, *children, is_toggleable=bool(children))


def cell_row(*cells: str) -> Spec:
    """Return a row of a table."""
    return Spec("table_row", {"cells": [rich(cell) for cell in cells]})
