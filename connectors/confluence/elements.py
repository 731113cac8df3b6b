"""Elements of storage format, whatever namespace they and their attributes have."""

from __future__ import annotations

from typing import TypeAlias

from lxml import etree

Element: TypeAlias = etree._Element
SILENT = frozenset(
    {"parameter", "default-parameter", "placeholder", "link-options", "script", "style"}
    | {"adf-attribute", "adf-fallback", "task-id", "task-uuid", "task-status"}
)
"""Names of elements whose text is no text of the page."""
_MOST_DIGITS = 9


def name_of(element: Element) -> str:
    """Return the name of an element without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def attribute(element: Element, name: str) -> str:
    """Return an attribute, whatever namespace it has."""
    for space in ("{ac}", "{ri}", "{at}", ""):
        value = element.get(f"{space}{name}")
        if value is not None:
            return value
    return ""


def child_of(element: Element, name: str) -> Element | None:
    """Return the first child of a name."""
    return next((child for child in element if name_of(child) == name), None)


def text_of(element: Element) -> str:
    """Return all text inside, as it stands."""
    return "".join(str(part) for part in element.itertext())


def parameter(macro: Element, name: str) -> str:
    """Return a parameter of a macro; empty where it has none."""
    for child in macro:
        if name_of(child) in ("parameter", "adf-attribute", "adf-parameter") and (
            attribute(child, "name") == name or child.get("key") == name
        ):
            return text_of(child).strip()
    return ""


def number_in(element: Element, name: str) -> int:
    """Return a number of an author's; 1 where it is absent, none, or longer than anybody counts."""
    told = element.get(name, "")
    return int(told) if told.isdecimal() and len(told) <= _MOST_DIGITS else 1
