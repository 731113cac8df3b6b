"""E-mail: subject, people, the body, and attachments as sections under their names."""

from __future__ import annotations

import email
import email.policy
from collections.abc import Iterator
from email.message import EmailMessage, Message
from typing import cast

from catchment.parsing.charset import decode
from catchment.parsing.formats.archive import Member, collect
from catchment.parsing.formats.html import to_markdown
from catchment.parsing.reading import Reading, Sections, Source, Unreadable

_SHOWN = ("From", "To", "Cc", "Date")
# 300,000 encoded words in one header keep the parser busy for minutes.
_HEADER_CHARACTERS = 20_000
_PARTS = 500
_DEEPEST_MESSAGE = 5


def read(source: Source) -> Reading:
    """One message with all that is attached to it.

    Raises:
        Unreadable: Neither headers nor a body (``broken``).
    """
    if source.depth > _DEEPEST_MESSAGE:
        raise Unreadable("broken", "The message lies too deep inside other messages.")
    message = email.message_from_bytes(source.body, policy=email.policy.default)
    subject = header(message, "Subject")
    pot = Sections(source.budget)
    pot.heading(1, subject)
    pot.paragraph("\n".join(f"{name}: {value}" for name in _SHOWN if (value := header(message, name))))
    parts = list(_leaves(message, 0))
    for body in _bodies(parts):
        pot.paragraph(body)
    reading = _with_attachments(source, parts, pot)
    reading.title = subject or None
    reading.author = header(message, "From") or None
    return reading


def header(message: Message, name: str) -> str:
    """A header decoded and on one line; a hopeless one as it stands, an endless one shortened."""
    for key, value in message.raw_items():
        if key.lower() == name.lower():
            raw = str(value)[:_HEADER_CHARACTERS]
            try:
                return " ".join(str(message.policy.header_fetch_parse(name, raw)).split())
            except Exception:  # the standard library fails in many ways on broken headers
                return " ".join(raw.split())
    return ""


def _leaves(message: Message, depth: int) -> Iterator[Message]:
    """Parts that are not containers; a message inside a message is one part."""
    if depth > 20:
        return
    if message.is_multipart() and message.get_content_maintype() == "multipart":
        for part in cast("list[Message]", message.get_payload()):
            yield from _leaves(part, depth + 1)
    else:
        yield message


def _bodies(parts: list[Message]) -> list[str]:
    """The text that a mail program would show: plain parts, or HTML where there are none."""
    plain, markup = [], []
    for part in parts[:_PARTS]:
        if _is_attachment(part):
            continue
        if part.get_content_type() == "text/plain":
            plain.append(_text(part))
        elif part.get_content_type() == "text/html":
            markup.append(_text(part))
    if any(text.strip() for text in plain):
        return plain
    return [to_markdown(text) for text in markup]


def _is_attachment(part: Message) -> bool:
    if part.get_content_maintype() != "text":
        return True
    return (
        _disposition(part) == "attachment"
        or (_disposition(part) != "inline" and bool(_file_name(part)))
        or (part.get_content_subtype() not in ("plain", "html"))
    )


def _disposition(part: Message) -> str:
    try:
        return (part.get_content_disposition() or "").lower()
    except Exception:  # a header that cannot be parsed
        return ""


def _file_name(part: Message) -> str:
    try:
        return " ".join((part.get_filename() or "").split())
    except Exception:  # a header that cannot be parsed
        return ""


def _text(part: Message) -> str:
    charset = None
    try:
        charset = part.get_content_charset()
    except Exception:  # a header that cannot be parsed
        charset = None
    return decode(_payload(part), charset)


def _payload(part: Message) -> bytes:
    try:
        payload = part.get_payload(decode=True)
    except Exception:  # undecodable transfer encoding
        payload = None
    return payload if isinstance(payload, bytes) else b""


def _with_attachments(source: Source, parts: list[Message], pot: Sections) -> Reading:
    members = list(_attachments(parts))
    if not members:
        reading = pot.reading()
        if not reading.text:
            raise Unreadable("broken", "The message has neither headers nor a body.")
        return reading
    reading = collect(source, iter(members), pot)
    reading.metadata = {"attachments": str(len(members))}
    return reading


def _attachments(parts: list[Message]) -> Iterator[Member]:
    for number, part in enumerate(parts, start=1):
        if not _is_attachment(part):
            continue
        if part.get_content_type() == "message/rfc822":
            inner = cast("list[EmailMessage]", part.get_payload())
            if isinstance(inner, list) and inner:
                yield _file_name(part) or f"message {number}.eml", _message_opener(inner[0])
        else:
            name = _file_name(part) or _invented_name(part, number)
            yield name, _opener(part)


def _opener(part: Message):  # type: ignore[no-untyped-def]
    return lambda: _payload(part)


def _message_opener(message: Message):  # type: ignore[no-untyped-def]
    return lambda: message.as_bytes(policy=email.policy.compat32)


def _invented_name(part: Message, number: int) -> str:
    import mimetypes

    return f"part {number}{mimetypes.guess_extension(part.get_content_type()) or ''}"
