"""Bytes of a feed or a page as text, whatever is declared; and the head of an XML text taken off."""

from __future__ import annotations

import codecs
import re

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_HEAD_BYTES = 4096
_IN_XML = re.compile(rb"""<\?xml[^>]{0,200}\sencoding\s*=\s*["']([\w.:-]{1,40})""", re.IGNORECASE)
_IN_HTML = re.compile(rb"""<meta\s[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_IN_HEADER = re.compile(r"""charset\s*=\s*["']?([\w.:-]{1,40})""", re.IGNORECASE)
_SEVEN_BITS = ("iso-2022", "iso2022", "hz", "utf-7", "utf7")
# Others that Python knows are no encodings of pages, and some take hours for a long text.
_KNOWN = re.compile(
    r"(?:us-)?ascii|(?:utf|iso|windows|cp|koi8|mac|big5|gb|euc|shift|sjis|latin|tis|hz|ks_c).*"
)
_ILLEGAL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_MOST_HEAD_CHARACTERS = 16 * 1024
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]*)")
_IN_DOCTYPE = re.compile(r"""<!--.*?-->|"[^"]*"|'[^']*'|[\[\]>]""", re.DOTALL)


def decode(body: bytes, content_type: str) -> str:
    """Return the text of a body; what cannot be read is replaced.

    A byte order mark is believed first, then that what is valid UTF-8 is UTF-8: servers and documents
    declare what they were set up with, not what they send.
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    if body[:2] in (b"<\0", b"{\0"):
        return body.decode("utf-16-le", "replace")
    if body[:2] in (b"\0<", b"\0{"):
        return body.decode("utf-16-be", "replace")
    declared = _declared(body, content_type)
    for name in [name for name in declared if name.startswith(_SEVEN_BITS)] + ["utf-8", *declared]:
        try:
            return body.decode(name)
        except (LookupError, UnicodeError, ValueError):
            continue
    return body.decode("cp1252", "replace")


def _declared(body: bytes, content_type: str) -> list[str]:
    head = body[:_HEAD_BYTES]
    found = [match[1].decode().lower() for pattern in (_IN_XML, _IN_HTML) if (match := pattern.search(head))]
    header = _IN_HEADER.search(content_type)
    names = [*found, header[1].lower()] if header else found
    return [name for name in names if _KNOWN.fullmatch(name)]


def legal(text: str) -> str:
    """Leave out characters that no XML may hold."""
    return _ILLEGAL.sub("", text)


def root_of(text: str) -> tuple[str, int]:
    """Return the name of the outermost element and where it begins; an empty name where there is none.

    Everything before it is left to be cut off: with the document type go all entities that it declares,
    so that none is ever expanded or looked up outside.
    """
    at = 0
    while True:
        at = _skip_blanks(text, at)
        if text.startswith("<?", at):
            end = text.find("?>", at) + 2
        elif text.startswith("<!--", at):
            end = text.find("-->", at) + 3
        elif text[at : at + 9].upper() == "<!DOCTYPE":
            end = _after_doctype(text, at)
        else:
            found = _ROOT.match(text, at)
            return (found[1], at) if found else ("", at)
        if end <= at:
            return "", at
        at = end


def _skip_blanks(text: str, at: int) -> int:
    while at < len(text) and text[at] in " \t\r\n":
        at += 1
    return at


def _after_doctype(text: str, at: int) -> int:
    """Return the place behind a document type; 0 where it does not end, or is longer than any needs to be."""
    depth = 0
    for found in _IN_DOCTYPE.finditer(text[at : at + _MOST_HEAD_CHARACTERS]):
        if found[0] == "[":
            depth += 1
        elif found[0] == "]":
            depth -= 1
        elif found[0] == ">" and depth <= 0:
            return at + found.end()
    return 0
