"""HTML as Markdown: headings, lists and tables kept; navigation, forms, scripts and link targets left out."""

from __future__ import annotations

import html
import re

from html_to_markdown import ConversionOptions, PreprocessingOptions, convert

from catchment.parsing.charset import clean, declared_in_html, decode
from catchment.parsing.reading import Reading, Source

_OPTIONS = ConversionOptions(
    strip_tags=["a"],  # link targets would fill the chunks
    exclude_selectors=["a.headerlink"],
    skip_images=True,
    extract_metadata=False,  # it writes front matter into the text
    max_depth=500,
    preprocessing=PreprocessingOptions(preset="aggressive", remove_navigation=True, remove_forms=True),
)
_HEAD_CHARACTERS = 64 * 1024
_TITLE = re.compile(r"<title[^>]{0,200}>(.{0,2000}?)</title", re.IGNORECASE | re.DOTALL)
_AUTHOR = re.compile(r"<meta\s[^>]{0,500}>", re.IGNORECASE)
_CONTENT = re.compile(r"""content\s*=\s*(?:"([^"]{1,300})"|'([^']{1,300})')""", re.IGNORECASE)
_INVISIBLE = re.compile(
    r"<script\b.*?(?:</script>|\Z)|<style\b.*?(?:</style>|\Z)|<!--.*?(?:-->|\Z)", re.IGNORECASE | re.DOTALL
)
_TAG = re.compile(r"<[^<>]*>")
_NAMED_AUTHOR = re.compile(r"""name\s*=\s*["']?author\b""", re.IGNORECASE)


def read(source: Source) -> Reading:
    """The page as Markdown, with the title and author that its head names."""
    markup = decode(source.body, declared_in_html(source.body))
    head = markup[:_HEAD_CHARACTERS]
    title = _TITLE.search(head)
    result = convert(markup, _OPTIONS)
    reading = Reading(
        clean(result.content or ""),
        is_markdown=True,
        title=html.unescape(title.group(1)) if title else None,
        author=_author(head),
    )
    if any(str(warning.kind) == "depth_limit_exceeded" for warning in result.warnings):
        reading.text, reading.is_markdown = flat_text(markup), False
        reading.warnings = ["nested too deeply: the text was taken without its structure"]
    return reading


def to_markdown(markup: str) -> str:
    """Convert HTML, whole or in part."""
    return clean(convert(markup, _OPTIONS).content or "")


def flat_text(markup: str) -> str:
    """The words of a page that no tree can be made of."""
    words = html.unescape(_TAG.sub("\n", _INVISIBLE.sub("\n", markup)))
    return clean("\n".join(filter(None, map(str.strip, words.split("\n")))))


def _author(head: str) -> str | None:
    if "author" not in head and "AUTHOR" not in head:
        return None
    for tag in _AUTHOR.findall(head):
        if _NAMED_AUTHOR.search(tag):
            content = _CONTENT.search(tag)
            return html.unescape(content.group(1) or content.group(2)) if content else None
    return None
