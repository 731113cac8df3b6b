"""Storage format, in which Confluence keeps texts, as Markdown.

It is XHTML with elements of its own for macros, layouts, tasks, links and pictures. What is not known keeps
its text; what has no text of its own (lists of recent pages, tables of contents) leaves nothing behind.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from xml.sax.saxutils import escape

from lxml import etree

from connectors.confluence.tables import table

if TYPE_CHECKING:
    from lxml.etree import _Element as Element
else:
    Element = etree._Element

_NAMESPACES = 'xmlns:ac="ac" xmlns:ri="ri" xmlns:at="at"'
_ENTITY = re.compile(r"&([A-Za-z][A-Za-z0-9]*);")
_OF_XML = frozenset({"amp", "lt", "gt", "quot", "apos"})
_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_TAG = re.compile(r"<!\[CDATA\[(.*?)\]\]>|<[^>]*>", re.DOTALL)
_OPENS = re.compile(r"^(#{1,6}(?=\s|$)|```|~~~)", re.MULTILINE)
_MENTION = re.compile(r"""ri:account-id\s*=\s*(["'])([^"'<>]+)\1""")
_SHOWN = "shown-name"
_HEADING = re.compile(r"h([1-6])")
_PANELS = frozenset(
    {"panel", "info", "note", "warning", "tip", "success", "error", "decision", "custom-panel"}
)
_SILENT = frozenset(
    {"parameter", "default-parameter", "placeholder", "link-options", "script", "style"}
    | {"adf-attribute", "adf-fallback", "task-id", "task-uuid", "task-status"}
)
_BLOCKS = frozenset(
    {"p", "div", "ul", "ol", "li", "table", "pre", "blockquote", "hr", "section", "details", "dl", "dt", "dd"}
    | {"h1", "h2", "h3", "h4", "h5", "h6", "layout", "layout-section", "layout-cell", "task-list"}
    | {"structured-macro", "macro", "rich-text-body", "adf-extension", "adf-node", "adf-content"}
)
_MARKS = {"strong": "**", "b": "**", "em": "*", "i": "*", "code": "`", "tt": "`", "del": "~~", "s": "~~"}
_INLINE_MACROS = frozenset({"status", "jira", "jiraissues", "anchor", "mathinline", "emoji", "date"})
_BREAK = "\v"
"""A break that the author made; no XML holds this character, and line ends of the source are mere blanks."""
Block = str


def markdown(storage: str, names: Mapping[str, str] | None = None) -> str:
    """Return a text in storage format as Markdown; of one that is broken, as much as can be read.

    Args:
        storage: The text.
        names: Of people, by account id; others are mentioned by what the text has.
    """
    if not storage.strip():
        return ""
    root, is_whole = _parsed(storage)
    if root is not None and names:
        _name_people(root, names)
    text = "\n\n".join(_blocks(root)).replace(_BREAK, " ") if root is not None else ""
    if is_whole:
        return text
    # What a parser gives up on still has its words.
    bare = _words(storage)
    return text if len(text) * 2 >= len(bare) else bare


def mentioned(storage: str) -> Iterator[str]:
    """Yield the account ids of those whom a text mentions."""
    return (found[2] for found in _MENTION.finditer(storage))


def _name_people(root: Element, names: Mapping[str, str]) -> None:
    for element in root.iter():
        if _name(element) == "user" and (name := names.get(_get(element, "account-id"))):
            element.set(_SHOWN, name)


def _parsed(storage: str) -> tuple[Element | None, bool]:
    """Parse without entities from outside; libxml2 refuses depths and lengths that are meant to hurt."""
    source = _NO_XML.sub("", _ENTITY.sub(_character, storage))
    parser = etree.XMLParser(
        recover=True,
        resolve_entities=False,
        no_network=True,
        load_dtd=False,
        remove_comments=True,
        remove_pis=True,
    )
    data = f"<body {_NAMESPACES}>{source}</body>".encode("utf-8", "replace")
    try:
        root = etree.fromstring(data, parser)
    except (etree.XMLSyntaxError, ValueError):
        return None, False
    return root, root is not None and not parser.error_log


def _character(found: re.Match[str]) -> str:
    """Write a character that HTML has a name for as itself; names that nobody knows stay text."""
    return found[0] if found[1] in _OF_XML else escape(html.unescape(found[0]))


def _words(storage: str) -> str:
    bare = _TAG.sub(lambda found: f" {found[1] or ''} ", storage)
    return " ".join(html.unescape(bare).split())


def _name(element: Element) -> str:
    """Return the name of an element without its namespace."""
    tag = element.tag
    return tag.rpartition("}")[2].lower() if isinstance(tag, str) else ""


def _get(element: Element, name: str) -> str:
    """Return an attribute, whatever namespace it has."""
    for space in ("{ac}", "{ri}", "{at}", ""):
        value = element.get(f"{space}{name}")
        if value is not None:
            return value
    return ""


def _child(element: Element, name: str) -> Element | None:
    return next((child for child in element if _name(child) == name), None)


def _text(element: Element) -> str:
    return "".join(str(part) for part in element.itertext())


def _parameter(macro: Element, name: str) -> str:
    for child in macro:
        if _name(child) in ("parameter", "adf-attribute", "adf-parameter") and (
            _get(child, "name") == name or child.get("key") == name
        ):
            return _text(child).strip()
    return ""


# -- blocks -----------------------------------------------------------------------------------------


def _blocks(element: Element) -> Iterator[Block]:
    """Yield the blocks inside an element; text that stands between blocks is a paragraph."""
    line: list[str] = [element.text or ""]

    def paragraph() -> Iterator[Block]:
        text = _line("".join(line))
        line.clear()
        if text:
            yield _OPENS.sub(r"\\\1", text)

    for child in element:
        if _is_block(child):
            yield from paragraph()
            yield from _block(child)
        else:
            line.append(_inline(child))
        line.append(child.tail or "")
    yield from paragraph()


def _is_block(element: Element) -> bool:
    name = _name(element)
    if name in ("structured-macro", "macro"):
        return _get(element, "name") not in _INLINE_MACROS
    if name in _BLOCKS:
        return True
    # A link or a mark around paragraphs, and elements that nobody knows.
    return name not in _SILENT and name != "link" and any(_is_block(child) for child in element)


def _block(element: Element) -> Iterator[Block]:
    name = _name(element)
    if heading := _HEADING.fullmatch(name):
        text = _line("".join(_inside(element))).replace("\n", " ")
        if text:
            # One below the title of the page.
            yield f"{'#' * min(int(heading[1]) + 1, 6)} {text}"
        return
    special = _SPECIAL.get(name)
    yield from special(element) if special is not None else _blocks(element)


def _list(element: Element) -> Iterator[Block]:
    is_ordered = _name(element) == "ol"
    number = int(start) if (start := element.get("start", "1")).isdigit() else 1
    lines: list[str] = []
    for child in element:
        inside = list(_blocks(child)) if _name(child) not in ("ul", "ol") else list(_list(child))
        mark = f"{number}. " if is_ordered else "- "
        if _name(child) in ("ul", "ol"):
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
        if _name(task) == "task-list":
            lines += [_indented(block, "  ") for block in _tasks(task)]
        if _name(task) != "task":
            continue
        status, body = _child(task, "task-status"), _child(task, "task-body")
        is_done = status is not None and (status.text or "").strip() == "complete"
        lines.append(
            _item("- [x] " if is_done else "- [ ] ", list(_blocks(body)) if body is not None else [])
        )
    if lines:
        yield "\n".join(lines)


def _pre(element: Element) -> Iterator[Block]:
    yield from _fenced(_text(element), "")


def _fenced(code: str, language: str) -> Iterator[Block]:
    code = code.strip("\n").rstrip()
    if not code.strip():
        return
    runs = re.findall(r"`{3,}", code)
    fence = "`" * (max(map(len, runs)) + 1) if runs else "```"
    yield f"{fence}{language}\n{code}\n{fence}"


def _quote(element: Element) -> Iterator[Block]:
    yield from _quoted(list(_blocks(element)))


def _quoted(blocks: list[Block]) -> Iterator[Block]:
    if blocks:
        yield "\n".join(f"> {line}".rstrip() for line in "\n\n".join(blocks).split("\n"))


def _table(element: Element) -> Iterator[Block]:
    made = table(element, name=_name, text=_cell)
    if made:
        yield made


def _cell(element: Element) -> str:
    """Return a cell on one line."""
    return " ".join(" ".join(_blocks(element)).split())


def _rule(_element: Element) -> Iterator[Block]:
    yield "---"


def _macro(element: Element) -> Iterator[Block]:
    """Write a macro: code as code, panels as quotes, everything else as what it holds."""
    name = _get(element, "name")
    plain, rich = _child(element, "plain-text-body"), _child(element, "rich-text-body")
    title = _line(_parameter(element, "title"))
    if plain is not None:
        code = _text(plain)
        if name in ("code", "noformat", "paste-code-macro", "mathblock"):
            if title:
                yield f"**{title}**"
            yield from _fenced(code, _language(_parameter(element, "language")))
        else:
            yield from (text for text in (title, code.strip()) if text)
        return
    inside = list(_blocks(rich)) if rich is not None else []
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
        name = _name(inner)
        if name == "page":
            found.append(_get(inner, "content-title"))
        elif name == "attachment":
            found.append(_get(inner, "filename"))
        elif name == "url":
            found.append(_get(inner, "value"))
    return ", ".join(text for text in found if text)


def _language(text: str) -> str:
    return text if re.fullmatch(r"[\w+#.-]{1,30}", text) else ""


def _extension(element: Element) -> Iterator[Block]:
    """Write what the newer editor keeps in its own way; the old form beside it says the same."""
    nodes = [child for child in element if _name(child) == "adf-node"]
    if not nodes:
        fallback = _child(element, "adf-fallback")
        yield from _blocks(fallback) if fallback is not None else ()
    for node in nodes:
        yield from _node(node)


def _node(element: Element) -> Iterator[Block]:
    inside = list(_blocks(element))
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


# -- within a line ----------------------------------------------------------------------------------


def _inside(element: Element) -> Iterator[str]:
    yield element.text or ""
    for child in element:
        yield _inline(child)
        yield child.tail or ""


def _inline(element: Element) -> str:
    name = _name(element)
    if name in _SILENT or not name:
        return ""
    if name == "br":
        return _BREAK
    if name in _MARKS:
        return _marked("".join(_inside(element)), _MARKS[name])
    written = _WRITTEN.get(name)
    return written(element) if written is not None else "".join(_inside(element))


def _marked(text: str, mark: str) -> str:
    """Put marks around a text; blanks at its ends stay outside, where Markdown wants them."""
    core = text.strip()
    if not core:
        return text
    before, after = text[: len(text) - len(text.lstrip())], text[len(text.rstrip()) :]
    return f"{before}{mark}{core}{mark}{after}"


def _anchor(element: Element) -> str:
    text, address = _line("".join(_inside(element))), element.get("href", "")
    if not re.match(r"(?i)https?://|mailto:", address) or any(sign in address for sign in "() \n"):
        return text
    return f"[{text}]({address})" if text and text != address else address


def _link(element: Element) -> str:
    """Write a link to a page, a person, a file or a space by its text, or by what it names."""
    for child in element:
        if _name(child) in ("link-body", "plain-text-link-body"):
            text = _line("".join(_inside(child)))
            if text:
                return text
    for child in element:
        name = _name(child)
        if name == "user":
            who = (
                child.get(_SHOWN)
                or _get(child, "account-id")
                or _get(child, "username")
                or _get(child, "userkey")
            )
            return f"@{who}" if who else ""
        named = _get(child, "content-title") or _get(child, "filename") or _get(child, "space-key")
        if named:
            return named
    return _get(element, "anchor")


def _image(element: Element) -> str:
    told = _get(element, "alt") or _get(element, "title")
    source = next(
        (
            _get(child, "filename") or _get(child, "value")
            for child in element
            if _name(child) in ("attachment", "url")
        ),
        "",
    )
    caption = _child(element, "caption")
    said = _line("".join(_inside(caption))) if caption is not None else ""
    words = said or told or source.rpartition("/")[2]
    return f"[{words}]" if words else ""


def _emoticon(element: Element) -> str:
    return _get(element, "emoji-fallback") or _get(element, "emoji-shortname")


def _time(element: Element) -> str:
    return element.get("datetime", "") or "".join(_inside(element))


def _small_macro(element: Element) -> str:
    """Write a macro that stands in a line: a state, the key of an issue, a formula."""
    if _get(element, "name") == "anchor":
        return ""
    for name in ("title", "key", "date", "body"):
        if value := _parameter(element, name):
            return value
    plain = _child(element, "plain-text-body")
    return _text(plain).strip() if plain is not None else ""


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


def _line(text: str) -> str:
    """Tidy blanks: one between words, none at the ends of lines; breaks stay."""
    lines = (" ".join(part.split()) for part in text.split(_BREAK))
    return "\n".join(line for line in lines if line)
