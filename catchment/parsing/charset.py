"""From bytes to characters: byte order mark, strict UTF-8, what is declared, and a guess last."""

from __future__ import annotations

import codecs
import re
from typing import Final

_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),  # before UTF-16: its mark begins with the same two bytes
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_ALL_MARKS: Final = tuple(mark for mark, _ in _MARKS)
_ISO_2022: Final = (
    (b"\x1b$)C", "iso2022_kr"),
    (b"\x1b$B", "iso2022_jp"),
    (b"\x1b$@", "iso2022_jp"),
    (b"\x1b$(D", "iso2022_jp_1"),
)
_SAMPLE_BYTES = 64 * 1024
_DECLARED_IN_HTML = re.compile(rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]{2,40})""", re.IGNORECASE)
_DECLARED_IN_XML = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{2,40})["']""")
_RARE: Final = frozenset({"cp1257", "cp775", "iso8859_4", "iso8859_10", "iso8859_13", "iso8859_14"})
_UNPRINTABLE = bytes(set(range(32)) - set(b"\t\n\r\f\x1b"))
_CONTROLS = _UNPRINTABLE + b"\x1b"
# HTML calls these names what the world really means by them.
_MEANT: Final = {
    "iso-8859-1": "cp1252",
    "latin-1": "cp1252",
    "latin1": "cp1252",
    "us-ascii": "cp1252",
    "ascii": "cp1252",
    "iso-8859-9": "cp1254",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "shift_jis": "cp932",
    "x-sjis": "cp932",
    "ks_c_5601-1987": "cp949",
    "euc-kr": "cp949",
}


def decode(body: bytes, declared: str | None = None) -> str:
    """Turn bytes into text; never raises.

    Args:
        body: The bytes, with or without a byte order mark.
        declared: Character set that the source or the document names; believed only when neither a
            mark nor UTF-8 fits and every byte agrees with it.

    Returns:
        The text, with U+FFFD for what cannot be decoded.
    """
    for mark, encoding in _MARKS:
        if body.startswith(mark):
            return body[len(mark) :].decode(encoding, "replace")
    if b"\x1b$" in body[:_SAMPLE_BYTES]:
        for escape, encoding in _ISO_2022:
            if escape in body:
                text = _strictly(body, encoding)
                if text is not None:
                    return text
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _decode_other(body, declared)
    if "\0" in text:
        wide = _wide_encoding(body)
        if wide is not None:
            return body.decode(wide, "replace")
    return text


def declared_in_html(body: bytes) -> str | None:
    """The character set named in the first 4 KB of an HTML or XHTML document."""
    head = body[:4096]
    found = _DECLARED_IN_HTML.search(head) or _DECLARED_IN_XML.search(head)
    return found.group(1).decode("ascii", "ignore") if found else None


def declared_in_xml(body: bytes) -> str | None:
    """The character set named in an XML declaration."""
    found = _DECLARED_IN_XML.search(body[:512])
    return found.group(1).decode("ascii", "ignore") if found else None


def has_mark(body: bytes) -> bool:
    """Whether it begins with a byte order mark."""
    return body.startswith(_ALL_MARKS)


def is_clean_text(body: bytes) -> bool:
    """Whether no byte is a control character, but for white space: then it is text, in one way or another."""
    return len(body.translate(None, _CONTROLS)) == len(body)


def looks_like_text(body: bytes) -> bool:
    """Whether the first 8 KB read like characters of some encoding rather than binary data."""
    sample = body[:8192]
    if has_mark(sample):
        return True
    if b"\0" in sample:
        return _wide_encoding(sample) is not None
    if _ISO_2022[0][0] in sample:
        return True  # shifts between its two alphabets with control characters
    unprintable = len(sample) - len(sample.translate(None, _UNPRINTABLE))
    if unprintable * 100 > len(sample) * 2:
        return False
    if unprintable and not _is_utf8_prefix(sample):
        return unprintable * 500 <= len(sample)
    return True


def clean(text: str) -> str:
    """Remove what databases and terminals cannot take: NUL, lone surrogates, carriage returns."""
    if "\0" in text:
        text = text.replace("\0", "")
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    if not text.isascii():
        try:
            text.encode()
        except UnicodeEncodeError:
            # Pairs of surrogates are one character; what remains alone is dropped.
            text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
    return text


def _decode_other(body: bytes, declared: str | None) -> str:
    if declared:
        name = declared.lower()
        text = _strictly(body, _MEANT.get(name, name))
        if text is not None:
            return text
    wide = _wide_encoding(body)
    if wide is not None:
        return body.decode(wide, "replace")
    tolerant = body.decode("utf-8", "replace")
    if _is_nearly_utf8(tolerant):
        return tolerant
    encoding = _guess(body[:_SAMPLE_BYTES])
    return body.decode(encoding, "replace")


def _strictly(body: bytes, encoding: str) -> str | None:
    try:
        return body.decode(encoding)
    except (LookupError, ValueError, TypeError):
        # LookupError: no such character set; TypeError: a codec that is not for text (base64).
        return None
    except Exception:  # codecs of the standard library raise odd things on hostile names
        return None


def _is_utf8_prefix(sample: bytes) -> bool:
    try:
        codecs.getincrementaldecoder("utf-8")().decode(sample)
    except UnicodeDecodeError:
        return False
    return True


def _is_nearly_utf8(tolerant: str) -> bool:
    """A handful of bad bytes in a UTF-8 file must not turn all the rest into mojibake."""
    bad = tolerant.count("\ufffd")
    foreign = len(tolerant) - len(tolerant.encode("ascii", "ignore"))
    return bad * 10 <= foreign


def _wide_encoding(body: bytes) -> str | None:
    """UTF-16 or UTF-32 without a mark: zeros in every second, or in three of four places."""
    sample = body[: 4096 - 4096 % 4]
    units = len(sample) // 4
    if units < 2 or b"\0" not in sample:
        return None
    zeros = [sample[i::4].count(0) for i in range(4)]
    full = [count >= units * 0.9 for count in zeros]
    if full[2] and full[3] and not full[0]:
        return "utf-32-le"
    if full[0] and full[1] and not full[3]:
        return "utf-32-be"
    even, odd = zeros[0] + zeros[2], zeros[1] + zeros[3]
    for encoding, high, low in (("utf-16-le", odd, even), ("utf-16-be", even, odd)):
        if (
            high > units * 0.4
            and low <= units * 0.05
            and _is_mostly_printable(sample.decode(encoding, "replace"))
        ):
            return encoding
    return None


def _is_mostly_printable(text: str) -> bool:
    odd = sum(character < " " and character not in "\t\n\r\f" for character in text) + text.count("\ufffd")
    return odd * 50 <= len(text)


def _guess(sample: bytes) -> str:
    from charset_normalizer import from_bytes

    matches = from_bytes(sample)
    best = matches.best()
    if best is None:
        return "cp1252"
    if best.encoding in _RARE:
        # Western text can look a hair tidier in a Baltic or Nordic code page that hardly anybody uses.
        for match in matches:
            usual = [name for name in match.could_be_from_charset if name not in _RARE]
            if usual and match.chaos <= best.chaos + 0.03:
                return usual[0]
    return best.encoding
