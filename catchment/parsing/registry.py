"""Which module reads which kind; modules and their libraries are imported when first needed."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Final

from catchment.parsing import kinds, memory
from catchment.parsing.reading import Reading, Source
from catchment.parsing.sniff import kind_of

Reader = Callable[[Source], Reading]

_MODULES: Final[dict[str, str]] = {
    kinds.TEXT: "text",
    kinds.MARKDOWN: "text",
    kinds.CODE: "text",
    kinds.LINES: "text",
    kinds.HTML: "html",
    kinds.XML: "xml",
    kinds.NOTEBOOK: "notebook",
    kinds.MAIL: "mail",
    kinds.OUTLOOK: "outlook",
    kinds.PDF: "pdf",
    kinds.DOCX: "docx",
    kinds.PPTX: "pptx",
    kinds.SHEET: "sheets",
    kinds.ODT: "opendocument",
    kinds.ODP: "opendocument",
    kinds.EPUB: "epub",
    kinds.RTF: "legacy",
    kinds.DOC: "legacy",
    kinds.PPT: "legacy",
    kinds.ZIP: "archive",
    kinds.TAR: "archive",
    kinds.SQUEEZED: "archive",
    kinds.IMAGE: "media",
    kinds.AUDIO: "media",
    kinds.VIDEO: "media",
    kinds.BINARY: "media",
}
_readers: dict[str, Reader] = {}


def reader_for(kind: str) -> Reader:
    """The reader of a kind; imports its module on first use, outside of the memory limit."""
    reader = _readers.get(kind)
    if reader is None:
        with memory.importing():
            module = import_module(f"catchment.parsing.formats.{_MODULES[kind]}")
        reader = _readers[kind] = module.read
    return reader


def read(source: Source) -> Reading:
    """Read a source whose kind is known."""
    return reader_for(source.kind)(source)


def read_member(outer: Source, name: str, body: bytes, content_type: str | None = None) -> Reading:
    """Read something found inside `outer`, under the same budget.

    Raises:
        Unreadable: It cannot be read, or lies too deep.
    """
    if not body:
        return Reading("")
    kind = kind_of(name, body, content_type)
    return read(Source(name, body, kind, content_type, budget=outer.budget, depth=outer.depth + 1))
