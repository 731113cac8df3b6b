"""Storage format in blocks: paragraphs, headings, lists, tasks, code, quotes, tables, and macros."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from connectors.confluence.elements import (
    SILENT,
    Element,
    attribute,
    child_of,
    name_of,
    number_in,
    parameter,
    text_of,
)
from connectors.confluence.lines import inline, line_of, pieces_of
from connectors.confluence.tables import table

_OPENS = re.compile(r"^(#{1,6}(?=\s|$)|```|~~~)", re.MULTILINE)
_HEADING = re.compile(r"h([1-6])")
_PANELS = frozenset(
    {"panel", "info", "note", "warning", "tip", "success", "error", "decision", "custom-panel"}
)
_BLOCKS = frozenset(
    {"p", "div", "ul", "ol", "li", "table", "pre", "blockquote", "hr", "section", "details", "dl", "dt", "dd"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "layout", "layout-section", "layout-cell", "task-list"}
    | {"structured-macro", "macro", "rich-text-body", "adf-extension", "adf-node", "adf-content"}
)
_INLINE_MACROS = frozenset({"status", "jira", "jiraissues", "anchor", "mathinline", "emoji", "date"})
Block = str


def blocks_of(element: Element) -> Iterator[Block]:
    """Yield the blocks inside an element; text that stands between blocks is a paragraph."""
    line: list[str] = [element.text or ""]

    def paragraph() -> Iterator[Block]:
        text = line_of("".join(line))
        line.clear()
        if text:
            yield _OPENS.sub(r"\\\1", text)

    for child in element:
        if _is_block(child):
            yield from paragraph()
            yield from _block(child)
        else:
            line.append(inline(child))
        line.append(child.tail or "")
    yield from paragraph()


def _is_block(element: Element) -> bool:
    name = name_of(element)
    if name in ("structured-macro", "macro"):
        return attribute(element, "name") not in _INLINE_MACROS
    if name in _BLOCKS:
        return True
    # A link or a mark around paragraphs, and elements that nobody knows.
    return name not in SILENT and name != "link" and any(_is_block(child) for child in element)


def _block(element: Element) -> Iterator[Block]:
    name = name_of(element)
    if heading := _HEADING.fullmatch(name):
        text = line_of("".join(pieces_of(element))).replace("\n", " ")
        if text:
            # One below the title of the page.
            yield f"{'#' * min(int(heading[1]) + 1, 6)} {text}"
        return
    special = _SPECIAL.get(name)
    yield from special(element) if special is not None else blocks_of(element)


def _list(element: Element) -> Iterator[Block]:
    is_ordered = name_of(element) == "ol"
    number = number_in(element, "start")
    lines: list[str] = []
    for child in element:
        inside = list(blocks_of(child)) if name_of(child) not in ("ul", "ol") else list(_list(child))
        mark = f"{number}. " if is_ordered else "- "
        if name_of(child) in ("ul", "ol"):
            # A list right inside a list, as old editors wrote it.
            lines += [_indented(block, "  ") for block in inside]
            continue
        lines.append(_item(mark, inside))
        number += 1
    if lines:
        yield "\n".join(lines)


def _item(mark: str, blocks: list[Block]) -> str:
    text = "\n".join(blocks)
    return mark + _indented(text, " " * len(mark)).lstrip()


def _indented(text: str, by: str) -> str:
    return "\n".join(f"{by}{line}" if line else line for line in text.split("\n"))


def _tasks(element: Element) -> Iterator[Block]:
    lines = []
    for task in element:
        if name_of(task) == "task-list":
            lines += [_indented(block, "  ") for block in _tasks(task)]
        if name_of(task) != "task":
            continue
        status, body = child_of(task, "task-status"), child_of(task, "task-body")
        is_done = status is not None and (status.text or "").strip() == "complete"
        lines.append(
            _item("- [x] " if is_done else "- [ ] ", list(blocks_of(body)) if body is not None else [])
        )
    if lines:
        yield "\n".join(lines)


def _pre(element: Element) -> Iterator[Block]:
    yield from _fenced(text_of(element), "")


def _fenced(code: str, language: str) -> Iterator[Block]:
    code = code.strip("\n").rstrip()
    if not code.strip():
        return
    runs = re.findall(r"`{3,}", code)
    fence = "`" * (max(map(len, runs)) + 1) if runs else "```"
    yield f"{fence}{language}\n{code}\n{fence}"


def _quote(element: Element) -> Iterator[Block]:
    yield from _quoted(list(blocks_of(element)))


def _quoted(blocks: list[Block]) -> Iterator[Block]:
    if blocks:
        yield "\n".join(f"> {line}".rstrip() for line in "\n\n".join(blocks).split("\n"))


def _table(element: Element) -> Iterator[Block]:
    made = table(element, text=_cell)
    if made:
        yield made


def _cell(element: Element) -> str:
    """Return a cell on one line."""
    return " ".join(" ".join(blocks_of(element)).split())


def _rule(_element: Element) -> Iterator[Block]:
    yield "---"


def _macro(element: Element) -> Iterator[Block]:
    """Write a macro: code as code, panels as quotes, everything else as what it holds."""
    name = attribute(element, "name")
    plain, rich = child_of(element, "plain-text-body"), child_of(element, "rich-text-body")
    title = line_of(parameter(element, "title"))
    if plain is not None:
        code = text_of(plain)
        if name in ("code", "noformat", "paste-code-macro", "mathblock"):
            if title:
                yield f"**{title}**"
            yield from _fenced(code, _language(parameter(element, "language")))
        else:
            yield from (text for text in (title, code.strip()) if text)
        return
    inside = list(blocks_of(rich)) if rich is not None else []
    if name in _PANELS:
        yield from _quoted([f"**{title}**", *inside] if title else inside)
        return
    if title and (inside or name == "expand"):
        yield f"**{title}**"
    yield from inside
    if rich is None and (named := _named(element)):
        yield named


def _named(element: Element) -> str:
    """Return what a macro without a body is about, where it names a page or a file (included, previewed)."""
    found: list[str] = []
    for inner in element.iter():
        name = name_of(inner)
        if name == "page":
            found.append(attribute(inner, "content-title"))
        elif name == "attachment":
            found.append(attribute(inner, "filename"))
        elif name == "url":
            found.append(attribute(inner, "value"))
    return ", ".join(text for text in found if text)


def _language(text: str) -> str:
    return text if re.fullmatch(r"[\w+#.-]{1,30}", text) else ""


def _extension(element: Element) -> Iterator[Block]:
    """Write what the newer editor keeps in its own way; the old form beside it says the same."""
    nodes = [child for child in element if name_of(child) == "adf-node"]
    if not nodes:
        fallback = child_of(element, "adf-fallback")
        yield from blocks_of(fallback) if fallback is not None else ()
    for node in nodes:
        yield from _node(node)


def _node(element: Element) -> Iterator[Block]:
    inside = list(blocks_of(element))
    yield from _quoted(inside) if element.get("type") == "panel" else iter(inside)


_SPECIAL: dict[str, Callable[[Element], Iterator[Block]]] = {
    "ul": _list,
    "ol": _list,
    "task-list": _tasks,
    "pre": _pre,
    "blockquote": _quote,
    "table": _table,
    "hr": _rule,
    "structured-macro": _macro,
    "macro": _macro,
    "adf-extension": _extension,
    "adf-node": _node,
}
