"""Markup and plain text of entries."""

from __future__ import annotations

import html
import re

_TAG = re.compile(r"<[^<>]*>")
_INVISIBLE = re.compile(r"<(script|style)\b[^>]{0,1000}>.*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
_BLANKS = re.compile(r"\s+")


def visible(markup: str) -> str:
    """Return the words that a person sees, with single blanks between them."""
    words = html.unescape(_TAG.sub(" ", _INVISIBLE.sub(" ", markup)))
    return _BLANKS.sub(" ", words).strip()


def title_text(markup: str) -> str:
    """Return a title without its markup; one that only looks like markup (``a < b``) stays."""
    return _BLANKS.sub(" ", html.unescape(_TAG.sub("", markup))).strip()


def paragraphs(text: str) -> str:
    """Return plain text as HTML."""
    parts = (part.strip() for part in re.split(r"\n\s*\n", text.replace("\r\n", "\n")))
    return "\n".join(f"<p>{html.escape(part, quote=False)}</p>" for part in parts if part)
