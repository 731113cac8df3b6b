"""Properties of a page as lines that people read, and the schema of a data source."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from connectors.notion.blocks import file_name
from connectors.notion.words import Raw, markdown, one_line

MOST_SHOWN = 25
"""References in one property that a page shows; the rest must be asked for."""
_CUT_KINDS = frozenset({"people", "relation", "rich_text"})


def is_cut(value: Raw) -> bool:
    """Whether a page shows only the first values of a property."""
    kind = str(value.get("type"))
    told = value.get(kind)
    if kind not in _CUT_KINDS or not isinstance(told, list):
        return False
    return bool(value.get("has_more")) or len(told) >= MOST_SHOWN


def joined(value: Raw, items: Iterable[Raw]) -> dict[str, Any]:
    """Return a property with all of its values, as they were asked for one by one."""
    kind = str(value.get("type"))
    return {**value, kind: [item[kind] for item in items if item.get(kind) is not None], "has_more": False}


def property_lines(properties: Mapping[str, Raw]) -> list[str]:
    """Return the properties that have a value, by name, each as an item of a list; the title is left out."""
    lines = []
    for name, value in sorted(properties.items()):
        if value.get("type") == "title":
            continue
        shown = one_line(show_value(value))
        if shown:
            lines.append(f"- {one_line(name)}: {shown}")
    return lines


def schema_lines(properties: Mapping[str, Raw]) -> list[str]:
    """Return the properties that rows of a data source have."""
    return [
        f"- {one_line(name)} ({str(told.get('type') or 'unknown').replace('_', ' ')})"
        for name, told in sorted(properties.items())
    ]


def show_value(value: Raw) -> str:
    """Return the value of a property; of a type that is not known yet nothing."""
    kind = str(value.get("type"))
    told = value.get(kind)
    if told is None or told == []:
        return ""
    show = _SHOW.get(kind)
    return show(told) if show is not None else ""


def _name(told: Any) -> str:
    return str(told.get("name") or "") if isinstance(told, dict) else ""


def _names(told: Any) -> str:
    return ", ".join(name for each in told if (name := _name(each)))


def _date(told: Any) -> str:
    start, end = str(told.get("start") or ""), told.get("end")
    zone = f" {told['time_zone']}" if told.get("time_zone") else ""
    return f"{start} to {end}{zone}" if end else f"{start}{zone}"


def _number(told: Any) -> str:
    return f"{told:.15g}" if isinstance(told, float) else str(told)


def _yes(told: Any) -> str:
    return "yes" if told else "no"


def _typed(told: Any) -> str:
    """Show a value that has its type beside it, as formulas and rollups have."""
    kind = str(told.get("type"))
    inner = told.get(kind)
    if inner is None:
        return ""
    if kind == "string":
        return str(inner)
    if kind == "boolean":
        return _yes(inner)
    if kind == "array":
        return ", ".join(shown for each in inner if (shown := show_value(each)))
    return show_value({"type": kind, kind: inner})


def _unique_id(told: Any) -> str:
    if told.get("number") is None:
        return ""
    return f"{told['prefix']}-{told['number']}" if told.get("prefix") else str(told["number"])


def _place(told: Any) -> str:
    shown = [str(told[part]) for part in ("name", "address") if told.get(part)]
    return ", ".join(shown) or f"{told.get('lat')}, {told.get('lon')}"


def _related(told: Any) -> str:
    """Tell how many: titles of other pages would be out of date as soon as one of them is renamed."""
    return f"{len(told)} page" if len(told) == 1 else f"{len(told)} pages"


_SHOW: Mapping[str, Callable[[Any], str]] = {
    "checkbox": _yes,
    "created_by": _name,
    "created_time": str,
    "date": _date,
    "email": str,
    "files": lambda told: ", ".join(name for each in told if (name := file_name(each))),
    "formula": _typed,
    "last_edited_by": _name,
    "last_edited_time": str,
    "multi_select": _names,
    "number": _number,
    "people": _names,
    "phone_number": str,
    "place": _place,
    "relation": _related,
    "rich_text": markdown,
    "rollup": _typed,
    "select": _name,
    "status": _name,
    "title": markdown,
    "unique_id": _unique_id,
    "url": str,
    "verification": lambda told: str(told.get("state") or ""),
}
