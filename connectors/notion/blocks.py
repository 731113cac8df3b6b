"""One block as Markdown, without what lies in it; what is no text of the page gives nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from connectors.notion.words import Raw, markdown, one_line, plain

DEEPEST_HEADING = 6
FILES = frozenset({"audio", "file", "image", "pdf", "video"})
OTHER_ITEMS = frozenset({"child_page", "child_database"})
"""What is an item of its own, so that its title is no text of this one."""
_SILENT = OTHER_ITEMS | {
    "breadcrumb",
    "column",
    "column_list",
    "divider",
    "link_to_page",
    "synced_block",
    "tab",
    "table",
    "table_of_contents",
}


class Place(Enum):
    """How a block stands to its neighbours."""

    ALONE = auto()
    """A paragraph of its own."""
    ITEM = auto()
    """An item of a list: what lies in it is indented."""
    HEADING = auto()
    """Never indented."""


class Shown(NamedTuple):
    """The Markdown of a block; empty where it shows nothing itself."""

    text: str
    place: Place = Place.ALONE


def show(block: Raw, number: int = 1) -> Shown:
    """Return a block as Markdown.

    Args:
        block: As the API tells it.
        number: Its place in a list with numbers.
    """
    kind = str(block.get("type") or "")
    told = block.get(kind)
    payload: Raw = told if isinstance(told, dict) else {}
    text = markdown(payload.get("rich_text")).strip()
    if kind.startswith("heading_"):
        return _heading(kind, one_line(text))
    if kind in _MARKS:
        mark = _MARKS[kind](payload, number)
        return Shown(f"{mark} {_hung(text)}" if text else "", Place.ITEM)
    if kind in _SPECIAL:
        return Shown(_SPECIAL[kind](payload))
    if kind in FILES:
        return Shown(_file(kind, payload))
    if kind in _SILENT or "rich_text" in payload:
        return Shown(text)
    return Shown(_untold(kind or "an unknown type"))


def show_table(rows: Sequence[Raw], *, has_header: bool) -> str:
    """Return the rows of a table as Markdown; without a header of its own it has an empty one."""
    cells = [[_cell(cell) for cell in (row.get("table_row") or {}).get("cells") or ()] for row in rows]
    width = max(map(len, cells), default=0)
    if not width:
        return ""
    filled = [row + [""] * (width - len(row)) for row in cells]
    head = filled.pop(0) if has_header else [""] * width
    lines = [head, ["---"] * width, *filled]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _hung(text: str) -> str:
    """Let further lines of an item hang below its first."""
    return text.replace("\n", "\n  ")


def _heading(kind: str, text: str) -> Shown:
    """Return a heading one level lower: the highest is the page's title."""
    digits = re.sub(r"\D", "", kind)
    level = min(int(digits or 1) + 1, DEEPEST_HEADING)
    return Shown(f"{'#' * level} {text}" if text else "", Place.HEADING)


def _code(payload: Raw) -> str:
    code = plain(payload.get("rich_text"))
    longest = max((len(run) for run in re.findall(r"`+", code)), default=0)
    fence = "`" * max(3, longest + 1)
    language = str(payload.get("language") or "")
    name = "" if language == "plain text" else language.replace(" ", "-")
    caption = markdown(payload.get("caption")).strip()
    return f"{fence}{name}\n{code}\n{fence}" + (f"\n\n{caption}" if caption else "")


def _cell(pieces: Sequence[Raw]) -> str:
    return one_line(markdown(pieces)).replace("|", "\\|")


def _link(payload: Raw) -> str:
    address = str(payload.get("url") or "")
    caption = one_line(markdown(payload.get("caption")))
    if not address:
        return caption
    return f"[{caption or address}]({address})"


def _file(kind: str, payload: Raw) -> str:
    name = file_name(payload)
    caption = one_line(markdown(payload.get("caption")))
    told = ", ".join(part for part in (name, caption) if part)
    return f"[{kind}: {told}]" if told else f"[{kind}]"


def file_name(file: Raw) -> str:
    """Return what a file is called; of its address, which ends after an hour, only the last part."""
    name = file.get("name")
    if isinstance(name, str) and name:
        return one_line(name)
    holder = file.get(str(file.get("type"))) or {}
    address = holder.get("url") if isinstance(holder, dict) else None
    return one_line(unquote(urlsplit(str(address)).path.rpartition("/")[2])) if address else ""


def _untold(kind: str) -> str:
    return f"[Notion's API does not tell a block here: {kind}]"


def _quote(payload: Raw) -> str:
    text = markdown(payload.get("rich_text")).strip()
    return "\n".join(f"> {line}".rstrip() for line in text.split("\n")) if text else ""


_MARKS: Mapping[str, Callable[[Raw, int], str]] = {
    "bulleted_list_item": lambda _payload, _number: "-",
    "toggle": lambda _payload, _number: "-",
    "numbered_list_item": lambda _payload, number: f"{number}.",
    "to_do": lambda payload, _number: "- [x]" if payload.get("checked") else "- [ ]",
}
_SPECIAL: Mapping[str, Callable[[Raw], str]] = {
    "quote": _quote,
    "callout": _quote,
    "code": _code,
    "equation": lambda payload: f"$${payload.get('expression') or ''}$$",
    "unsupported": lambda payload: _untold(str(payload.get("block_type") or "an unknown type")),
    "meeting_notes": lambda payload: markdown(payload.get("title")).strip(),
    "transcription": lambda payload: markdown(payload.get("title")).strip(),
    **dict.fromkeys(("bookmark", "embed", "link_preview"), _link),
}
