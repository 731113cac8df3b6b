"""Outlook messages (.msg): the properties that matter, read from the OLE streams that hold them."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from typing import Any, Final

import olefile

from catchment.parsing.charset import decode
from catchment.parsing.formats.archive import Member, collect
from catchment.parsing.formats.html import to_markdown
from catchment.parsing.reading import Reading, Sections, Source, Unreadable

# Property numbers of [MS-OXPROPS].
_SUBJECT: Final = "0037"
_BODY: Final = "1000"
_BODY_HTML: Final = "1013"
_SENDER: Final = "0C1A"
_SENDER_ADDRESS: Final = "0C1F"
_SHOWN_TO: Final = "0E04"
_SHOWN_CC: Final = "0E03"
_ATTACHED: Final = "3701"
_LONG_NAME: Final = "3707"
_SHORT_NAME: Final = "3704"
_SHOWN_NAME: Final = "3001"
_UNICODE, _BYTES, _BINARY, _OBJECT = "001F", "001E", "0102", "000D"


def read(source: Source) -> Reading:
    """One message with its attachments, messages inside included.

    Raises:
        Unreadable: Not an Outlook message (``broken``).
    """
    try:
        ole = olefile.OleFileIO(io.BytesIO(source.body))
    except Exception as error:  # olefile raises many kinds of errors on damaged files
        raise Unreadable("broken", "The file is not a readable Outlook message.") from error
    with ole:
        pot = Sections(source.budget)
        storage = _Storage(ole, [])
        subject = _message(storage, pot)
        members = list(_attachments(storage, 1))
        reading = collect(source, iter(members), pot) if members else pot.reading()
    reading.title = subject or None
    reading.author = storage.text(_SENDER) or storage.text(_SENDER_ADDRESS) or None
    reading.metadata = {"attachments": str(len(members))} if members else {}
    return reading


class _Storage:
    """Properties below one folder of the container."""

    def __init__(self, ole: Any, path: list[str]) -> None:
        self.ole = ole
        self.path = path

    def read(self, number: str, kind: str) -> bytes | None:
        """The raw bytes of a property, or None."""
        stream = [*self.path, f"__substg1.0_{number}{kind}"]
        try:
            if not self.ole.exists(stream) or self.ole.get_type(stream) != olefile.STGTY_STREAM:
                return None
            with self.ole.openstream(stream) as opened:
                return bytes(opened.read())
        except Exception:  # a damaged chain of sectors costs this property only
            return None

    def text(self, number: str) -> str:
        """A text property in either of its two types."""
        wide = self.read(number, _UNICODE)
        if wide is not None:
            return wide.decode("utf-16-le", "replace").rstrip("\0")
        narrow = self.read(number, _BYTES)
        return decode(narrow.rstrip(b"\0")) if narrow else ""


def _message(storage: _Storage, pot: Sections, level: int = 1) -> str:
    subject = storage.text(_SUBJECT)
    pot.heading(level, subject)
    people = (("From", _SENDER), ("To", _SHOWN_TO), ("Cc", _SHOWN_CC))
    pot.paragraph("\n".join(f"{name}: {value}" for name, number in people if (value := storage.text(number))))
    body = storage.text(_BODY)
    if not body.strip():
        markup = storage.read(_BODY_HTML, _BINARY)
        body = to_markdown(decode(markup)) if markup else to_markdown(storage.text(_BODY_HTML) or "<p></p>")
    pot.paragraph(body)
    return subject


def _attachments(storage: _Storage, depth: int) -> Iterator[Member]:
    folders = sorted(
        {
            entry[len(storage.path)]
            for entry in storage.ole.listdir()
            if entry[: len(storage.path)] == storage.path and len(entry) > len(storage.path) + 1
        }
    )
    for number, folder in enumerate((f for f in folders if f.startswith("__attach_version1.0_")), start=1):
        inner = _Storage(storage.ole, [*storage.path, folder])
        name = (
            inner.text(_LONG_NAME)
            or inner.text(_SHORT_NAME)
            or inner.text(_SHOWN_NAME)
            or f"attachment {number}"
        )
        data = inner.read(_ATTACHED, _BINARY)
        if data is not None:
            yield name, _opener(data)
        elif depth <= 3:
            embedded = _Storage(storage.ole, [*inner.path, f"__substg1.0_{_ATTACHED}{_OBJECT}"])
            yield f"{name}.md", _opener(_embedded(embedded).encode())
            yield from _attachments(embedded, depth + 1)


def _embedded(storage: _Storage) -> str:
    """A message inside the message, as Markdown."""
    from catchment.parsing.reading import Budget

    pot = Sections(Budget())
    _message(storage, pot)
    return pot.text()


def _opener(data: bytes) -> Callable[[], bytes]:
    return lambda: data
