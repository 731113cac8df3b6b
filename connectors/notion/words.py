"""Notion's small words in ours: ids, times, and text with its styles as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

Raw = Mapping[str, Any]

_ID = re.compile(r"(?<![0-9a-f])[0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12}(?![0-9a-f])", re.IGNORECASE)
_STYLES = (("code", "`"), ("bold", "**"), ("italic", "_"), ("strikethrough", "~~"))
_ADDRESS = re.compile(r"https?://\S+|mailto:\S+", re.IGNORECASE)


def dashed(text: str) -> str | None:
    """Return the id in an id or in the address of a page, with its dashes; None where there is none.

    An address may name a view behind its question mark, and a block behind its hash: neither is meant.
    """
    found = _ID.findall(text.partition("?")[0].partition("#")[0])
    if not found:
        return None
    raw = found[-1].replace("-", "").lower()
    return f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"


def seconds(text: str | None) -> float | None:
    """Read a time in any of Notion's forms; None where it is none."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()


def plain(pieces: Iterable[Raw] | None) -> str:
    """Return rich text without its styles."""
    return "".join(str(piece.get("plain_text") or "") for piece in pieces or ())


def one_line(text: str) -> str:
    """Put a text on one line: titles, cells and names of properties must not break what they stand in."""
    return " ".join(text.split())


def markdown(pieces: Iterable[Raw] | None) -> str:
    """Return rich text as Markdown: styles, links and equations; mentions by what they show."""
    return "".join(_piece(piece) for piece in pieces or ())


def _piece(piece: Raw) -> str:
    shown = str(piece.get("plain_text") or "")
    if piece.get("type") == "equation":
        return f"${(piece.get('equation') or {}).get('expression') or shown}$"
    text = shown.strip()
    if not text:
        return shown
    before = shown[: len(shown) - len(shown.lstrip())]
    after = shown[len(shown.rstrip()) :]
    told = piece.get("annotations") or {}
    # A style that goes over several lines would be none in Markdown.
    for name, mark in _STYLES if "\n" not in text else ():
        if told.get(name):
            text = f"{mark}{text}{mark}"
    href = piece.get("href")
    if piece.get("type") == "text" and isinstance(href, str) and _ADDRESS.fullmatch(href) and href != shown:
        text = f"[{text}]({href})"
    return f"{before}{text}{after}"


def title_of(raw: Raw) -> str:
    """Return the title of a page, database or data source, on one line; empty where it has none."""
    told = raw.get("title")
    if isinstance(told, list):
        return one_line(plain(told))
    for value in (raw.get("properties") or {}).values():
        if isinstance(value, Mapping) and value.get("type") == "title":
            return one_line(plain(value.get("title")))
    return ""


def is_trashed(raw: Raw) -> bool:
    """Whether something lies in the trash; `archived` is how older versions of the API say so."""
    told = raw.get("in_trash")
    return bool(told if told is not None else raw.get("archived"))


def parent_of(raw: Raw) -> tuple[str, str] | None:
    """Return kind and id of what something lies in; None for the workspace itself.

    Kinds are ``page``, ``block``, ``database`` and ``data_source``; anything new is taken for the workspace.
    """
    told = raw.get("parent") or {}
    for kind in ("data_source", "page", "block", "database"):
        found = told.get(f"{kind}_id")
        if told.get("type") in (f"{kind}_id", None) and isinstance(found, str):
            return kind, dashed(found) or found
    return None
