"""What a push may say: the envelope as a whole, and each document by itself.

Whatever can be blamed on one document is its own error and costs the others nothing; what breaks the
envelope refuses all of it.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct

from catchment.core.errors import UsageError
from catchment.parsing.charset import clean
from catchment.sync.cleaning import is_fit

MOST_DOCUMENTS = 50
MOST_CURSOR = 4096
MOST_ID = 512
MOST_WORDS = 10_000
"""Longest title, author or address."""
MOST_TAGS = 1000
CONTENT_TYPES = ("text", "transcript", "highlight", "bookmark")
_WORDS = ("title", "url", "author")


class PushRejected(UsageError):
    """The envelope of a push cannot be taken; nothing was stored."""

    code = "push_rejected"


class DocumentRejected(Exception):
    """One document of a push cannot be taken; its text says why."""


class NotSent:
    """Stands for a field that a request did not have, where null means something."""


NOT_SENT = NotSent()


class Envelope(Struct, frozen=True):
    """A push as it came in.

    Attributes:
        connector_id: As the client wrote it.
        documents: Still unread.
        cursor: None when none was sent.
        cursor_before: What the client believes to be stored; `NOT_SENT` without such a claim.
    """

    connector_id: str
    documents: Sequence[dict[str, Any]]
    cursor: str | None
    cursor_before: str | NotSent | None


class Incoming(Struct, frozen=True):
    """One document of a push that can be taken.

    Attributes:
        key: The external id, as it was sent.
        text: None for a recording.
        audio_url: Of a recording that is to be transcribed.
        date: POSIX seconds.
        size: Bytes of the text; None for a recording.
        digest: SHA-256 of everything that was sent of it.
    """

    key: str
    title: str | None
    text: str | None
    audio_url: str | None
    url: str | None
    author: str | None
    date: float | None
    content_type: str
    tags: tuple[str, ...]
    metadata: dict[str, Any]
    size: int | None
    digest: bytes


def read_envelope(body: Any) -> Envelope:
    """Read the body of a push.

    Raises:
        PushRejected: It is no object, or a part of it other than one document is wrong.
    """
    if not isinstance(body, dict):
        raise PushRejected("The body must be a JSON object.")
    connector_id = body.get("connector_id")
    if not isinstance(connector_id, str) or not connector_id:
        raise PushRejected("connector_id is required.")
    cursor = body.get("cursor")
    before = body.get("cursor_before", NOT_SENT)
    check_cursor(cursor, "cursor")
    if before is not NOT_SENT:
        check_cursor(before, "cursor_before")
    return Envelope(connector_id, check_documents(body.get("documents")), cursor, before)


def check_cursor(value: Any, name: str) -> None:
    """Refuse what cannot be a cursor.

    Raises:
        PushRejected: It is not a text, or too long, or no database takes it.
    """
    if value is None:
        return
    if not isinstance(value, str):
        raise PushRejected(f"{name} must be a string.")
    if len(value) > MOST_CURSOR:
        raise PushRejected(f"{name} is longer than {MOST_CURSOR} characters.")
    if not is_fit(value):
        raise PushRejected(f"{name} holds characters that cannot be stored.")


def check_documents(value: Any) -> list[dict[str, Any]]:
    """Refuse what cannot be the documents of a push.

    Raises:
        PushRejected: It is no list of 1 to 50 objects that each have a text as external_id.
    """
    if not isinstance(value, list):
        raise PushRejected("documents must be an array.")
    if not 1 <= len(value) <= MOST_DOCUMENTS:
        raise PushRejected(f"documents must hold 1 to {MOST_DOCUMENTS} elements, not {len(value)}.")
    for place, document in enumerate(value):
        if not isinstance(document, dict):
            raise PushRejected(f"documents[{place}] must be an object.")
        if not isinstance(document.get("external_id"), str):
            raise PushRejected(f"documents[{place}].external_id is required and must be a string.")
    return value


def read_document(document: dict[str, Any], *, max_characters: int) -> Incoming:
    """Read one document.

    Raises:
        DocumentRejected: A field is missing or wrong; nothing of its value is repeated.
    """
    key = document["external_id"]
    if not 1 <= len(key) <= MOST_ID:
        raise DocumentRejected(f"external_id must have 1 to {MOST_ID} characters")
    if not is_fit(key):
        raise DocumentRejected("external_id holds characters that cannot be stored")
    text = _text(document.get("text"), max_characters)
    audio_url = _audio_url(document.get("audio_url"))
    if text is None and audio_url is None:
        raise DocumentRejected("Text content is empty")
    words = {name: _words(document.get(name), name) for name in _WORDS}
    content_type = document.get("content_type")
    if content_type is None:
        content_type = "text" if text is not None else "transcript"
    elif content_type not in CONTENT_TYPES:
        raise DocumentRejected(f"content_type must be one of {', '.join(CONTENT_TYPES)}")
    date = document.get("date")
    seconds = _date(date)
    tags = _tags(document.get("tags"))
    metadata = _metadata(document.get("metadata"))
    if audio_url is not None:
        metadata = {**metadata, "audio_url": audio_url}
    # The text as it is: to write it as JSON would take longer than all the rest of this.
    facts = [seconds, content_type, tags, metadata, words]
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True).encode())
    written = text.encode() if text is not None else None
    if written is not None:
        digest.update(b"\0" + written)
    return Incoming(
        key=key,
        text=text,
        audio_url=audio_url if text is None else None,
        date=seconds,
        content_type=content_type,
        tags=tags,
        metadata=metadata,
        size=len(written) if written is not None else None,
        digest=digest.digest(),
        title=words["title"],
        url=words["url"],
        author=words["author"],
    )


def _text(value: Any, max_characters: int) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise DocumentRejected("text must be a string")
    if len(value) > max_characters:
        raise DocumentRejected(f"Text content is longer than {max_characters:,} characters")
    if not value.strip("\0 \t\r\n") or not (cleaned := clean(value)).strip():
        raise DocumentRejected("Text content is empty")
    return cleaned


def _audio_url(value: Any) -> str | None:
    if value is None:
        return None
    if isinstance(value, str) and len(value) <= MOST_WORDS and is_fit(value):
        try:
            parts = urlsplit(value.strip())
        except ValueError:
            parts = urlsplit("")
        if parts.scheme.lower() in ("http", "https") and parts.hostname:
            return value.strip()
    raise DocumentRejected("audio_url must be an http or https URL")


def _words(value: Any, name: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise DocumentRejected(f"{name} must be a string")
    if len(value) > MOST_WORDS:
        raise DocumentRejected(f"{name} is longer than {MOST_WORDS:,} characters")
    return clean(value)


def _date(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, str):
        raise DocumentRejected("date must be an ISO 8601 string")
    try:
        moment = datetime.fromisoformat(value.strip())
        seconds = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
        datetime.fromtimestamp(seconds, UTC)  # a zone may lead out of the calendar
        return seconds
    except (ValueError, OverflowError, OSError):
        raise DocumentRejected("date must be an ISO 8601 string") from None


def _tags(value: Any) -> tuple[str, ...]:
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(tag, str) for tag in value):
        raise DocumentRejected("tags must be an array of strings")
    if len(value) > MOST_TAGS or any(len(tag) > MOST_WORDS for tag in value):
        raise DocumentRejected(f"tags must be at most {MOST_TAGS}, of {MOST_WORDS:,} characters at most")
    return tuple(dict.fromkeys(clean(tag) for tag in value))


def _metadata(value: Any) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise DocumentRejected("metadata must be an object")
    try:
        written = json.dumps(value, allow_nan=False)
        if "\\u0000" in written or "\\ud" in written:
            cleaned: dict[str, Any] = _cleaned(value)
            return cleaned
    except (ValueError, RecursionError):
        raise DocumentRejected("metadata holds something that JSON cannot say") from None
    return value


def _cleaned(value: Any) -> Any:
    if isinstance(value, str):
        return clean(value)
    if isinstance(value, dict):
        return {clean(name): _cleaned(part) for name, part in value.items()}
    return [_cleaned(part) for part in value] if isinstance(value, list) else value
