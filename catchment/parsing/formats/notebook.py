"""Jupyter notebooks: Markdown cells as they are, code fenced, textual outputs below their code."""

from __future__ import annotations

import json
from typing import Any

from catchment.parsing.charset import clean, decode
from catchment.parsing.reading import Reading, Sections, Source

_OUTPUT_CHARACTERS = 20_000


def read(source: Source) -> Reading:
    """The cells in order. A notebook that is not valid is indexed as its source text."""
    text = decode(source.body)
    try:
        notebook = json.loads(text)
        cells = notebook["cells"] if "cells" in notebook else notebook["worksheets"][0]["cells"]
        language = _language(notebook)
        pot = Sections(source.budget)
        for cell in cells:
            _add_cell(pot, cell, language)
    except (ValueError, RecursionError, KeyError, IndexError, TypeError, AttributeError):
        return Reading(clean(text), warnings=["the notebook is damaged and was taken as plain text"])
    return pot.reading(title=_string(notebook.get("metadata", {}).get("title")) or None)


def _add_cell(pot: Sections, cell: dict[str, Any], language: str) -> None:
    words = _string(cell.get("source", cell.get("input", "")))
    kind = cell.get("cell_type")
    if kind == "markdown":
        pot.include(Reading(clean(words), is_markdown=True), below=0)
    elif kind == "heading":
        pot.heading(int(cell.get("level", 1)), words)
    elif kind == "code":
        pot.paragraph(_fenced(words, language))
        for output in cell.get("outputs", []):
            pot.paragraph(_fenced(_output(output)[:_OUTPUT_CHARACTERS], ""))
    else:
        pot.paragraph(words)


def _output(output: dict[str, Any]) -> str:
    data = output.get("data", output)
    for name in ("text/markdown", "text/plain", "text"):
        if name in data:
            return _string(data[name])
    return f"{_string(output.get('ename'))}: {_string(output.get('evalue'))}" if "ename" in output else ""


def _fenced(words: str, language: str) -> str:
    if not words.strip():
        return ""
    bar = "```"
    while bar in words:
        bar += "`"
    return f"{bar}{language}\n{words.rstrip()}\n{bar}"


def _language(notebook: dict[str, Any]) -> str:
    name = notebook.get("metadata", {}).get("kernelspec", {}).get("language", "")
    return name if isinstance(name, str) and name.isalnum() else ""


def _string(value: object) -> str:
    if isinstance(value, list):
        return "".join(part for part in value if isinstance(part, str))
    return value if isinstance(value, str) else ""
