"""Storage format within a line: marks, links, people, pictures, and macros that stand in a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from connectors.confluence.elements import SILENT, Element, attribute, child_of, name_of, parameter, text_of

SHOWN = "shown-name"
"""The attribute under which a mention has the name of a person."""
BREAK = "\v"
"""A break that the author made; no XML holds this character, and line ends of the source are mere blanks."""
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "code": "`", "tt": "`", "del": "~~", "s": "~~"}


def pieces_of(element: Element) -> Iterator[str]:
    """Yield the text inside an element as Markdown, piece by piece."""
    yield element.text or ""
    for child in element:
        yield inline(child)
        yield child.tail or ""


def inline(element: Element) -> str:
    """Return an element that stands in a line as Markdown; the text after it is left to others."""
    name = name_of(element)
    if name in SILENT or not name:
        return ""
    if name == "br":
        return BREAK
    if name in _MARKS:
        return _marked("".join(pieces_of(element)), _MARKS[name])
    written = _WRITTEN.get(name)
    return written(element) if written is not None else "".join(pieces_of(element))


def _marked(text: str, mark: str) -> str:
    """Put marks around a text; blanks at its ends stay outside, where Markdown wants them."""
    core = text.strip()
    if not core:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{mark}{core}{mark}{after}"


def _anchor(element: Element) -> str:
    text, address = line_of("".join(pieces_of(element))), element.get("href", "")
    if not re.match(r"(?i)https?://|mailto:", address) or any(sign in address for sign in "() \n"):
        return text
    return f"[{text}]({address})" if text and text != address else address


def _link(element: Element) -> str:
    """Write a link to a page, a person, a file or a space by its text, or by what it names."""
    for child in element:
        if name_of(child) in ("link-body", "plain-text-link-body"):
            text = line_of("".join(pieces_of(child)))
            if text:
                return text
    for child in element:
        name = name_of(child)
        if name == "user":
            who = (
                child.get(SHOWN)
                or attribute(child, "account-id")
                or attribute(child, "username")
                or attribute(child, "userkey")
            )
            return f"@{who}" if who else ""
        named = (
            attribute(child, "content-title") or attribute(child, "filename") or attribute(child, "space-key")
        )
        if named:
            return named
    return attribute(element, "anchor")


def _image(element: Element) -> str:
    told = attribute(element, "alt") or attribute(element, "title")
    source = next(
        (
            attribute(child, "filename") or attribute(child, "value")
            for child in element
            if name_of(child) in ("attachment", "url")
        ),
        "",
    )
    caption = child_of(element, "caption")
    said = line_of("".join(pieces_of(caption))) if caption is not None else ""
    words = said or told or source.rpartition("/")[2]
    return f"[{words}]" if words else ""


def _emoticon(element: Element) -> str:
    return attribute(element, "emoji-fallback") or attribute(element, "emoji-shortname")


def _time(element: Element) -> str:
    return element.get("datetime", "") or "".join(pieces_of(element))


def _small_macro(element: Element) -> str:
    """Write a macro that stands in a line: a state, the key of an issue, a formula."""
    if attribute(element, "name") == "anchor":
        return ""
    for name in ("title", "key", "date", "body"):
        if value := parameter(element, name):
            return value
    plain = child_of(element, "plain-text-body")
    return text_of(plain).strip() if plain is not None else ""


_WRITTEN: dict[str, Callable[[Element], str]] = {
    "a": _anchor,
    "link": _link,
    "image": _image,
    "img": _image,
    "emoticon": _emoticon,
    "time": _time,
    "structured-macro": _small_macro,
    "macro": _small_macro,
}


def line_of(text: str) -> str:
    """Tidy blanks: one between words, none at the ends of lines; breaks stay."""
    lines = (" ".join(part.split()) for part in text.split(BREAK))
    return "\n".join(line for line in lines if line)
