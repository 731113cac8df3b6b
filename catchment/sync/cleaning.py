"""What a source says, made fit for a database: no NUL, no half of a surrogate pair, no endless key."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from msgspec.structs import replace

from catchment.core.items import UPLOAD_PREFIX, Item

MOST_KEY_BYTES = 2400
"""PostgreSQL takes 2,704 bytes into an index, the number of the connector included."""
_SURELY_SHORT = MOST_KEY_BYTES // 4
_HEAD, _TAIL = 400, 100


def is_fit(text: str) -> bool:
    """Whether every database takes this text."""
    if "\0" in text:
        return False
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def fit(text: str) -> str:
    """Replace what no database takes, for texts that people read."""
    if is_fit(text):
        return text
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def escaped(text: str) -> str:
    """Escape what no database takes: two that differ stay different."""
    if is_fit(text):
        return text
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def is_short(text: str) -> bool:
    """Whether every database takes this text into an index."""
    return len(text) <= _SURELY_SHORT or len(text.encode("utf-8", "replace")) <= MOST_KEY_BYTES


def fit_key(text: str) -> str:
    """Make the identity of something at a source fit, as `fit_path` does, and out of the uploads' way."""
    text = fit_path(text)
    return f"source:{text}" if text.startswith(UPLOAD_PREFIX) else text


def fit_path(text: str) -> str:
    """Make a path fit: escaped, and beyond 2,400 bytes its middle as a hash.

    Two that differ stay different; beginning and ending, which rules look at, stay what they are.
    """
    text = escaped(text)
    if is_short(text):
        return text
    return f"{text[:_HEAD]}~{hashlib.sha256(text.encode()).hexdigest()}~{text[-_TAIL:]}"


def are_fit(items: Sequence[Item]) -> bool:
    """Whether every database takes the keys and paths of these items."""
    texts = [item.key for item in items] + [item.path for item in items]
    told = "".join(texts)
    return (
        is_fit(told)
        and UPLOAD_PREFIX not in told
        and (max(map(len, texts), default=0) <= _SURELY_SHORT or all(map(is_short, texts)))
    )


def fit_item(item: Item) -> Item:
    """Return the item with all of its texts fit for a database; usually the very same."""
    # One text out of all: nearly always it is fit, and this is asked of every listed item, twice.
    told = f"{item.key}{item.path}{item.version}{item.title}{item.author}{item.url}"
    if item.tags or item.metadata:
        told = "".join([told, *item.tags, *item.metadata, *item.metadata.values()])
    if (
        is_fit(told)
        and (len(told) <= _SURELY_SHORT or (is_short(item.key) and is_short(item.path)))
        and not item.key.startswith(UPLOAD_PREFIX)
    ):
        return item
    return replace(
        item,
        key=fit_key(item.key),
        path=fit_path(item.path),
        version=escaped(item.version) if item.version is not None else None,
        title=fit(item.title) if item.title is not None else None,
        author=fit(item.author) if item.author is not None else None,
        url=escaped(item.url) if item.url is not None else None,
        tags=tuple(fit(tag) for tag in item.tags),
        metadata={fit(name): fit(value) for name, value in item.metadata.items()},
    )
