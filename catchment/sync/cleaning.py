"""What a source says, made fit for a database: no NUL, no half of a surrogate pair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from catchment.core.items import Item


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


def fit_key(text: str) -> str:
    """Escape what no database takes, for identities: two that differ stay different."""
    if is_fit(text):
        return text
    return text.replace("\0", "\\x00").encode("utf-8", "backslashreplace").decode()


def are_fit(items: Sequence[Item]) -> bool:
    """Whether every database takes the keys and paths of these items."""
    return is_fit("".join([text for item in items for text in (item.key, item.path)]))


def fit_item(item: Item) -> Item:
    """Return the item with all of its texts fit for a database; usually the very same."""
    # One text out of all: nearly always it is fit, and this is asked of every listed item.
    texts = (item.key, item.path, item.version, item.title, item.author, item.url)
    if is_fit("".join([*filter(None, texts), *item.tags, *item.metadata, *item.metadata.values()])):
        return item
    return replace(
        item,
        key=fit_key(item.key),
        path=fit_key(item.path),
        version=fit_key(item.version) if item.version is not None else None,
        title=fit(item.title) if item.title is not None else None,
        author=fit(item.author) if item.author is not None else None,
        url=fit_key(item.url) if item.url is not None else None,
        tags=tuple(fit(tag) for tag in item.tags),
        metadata={fit(name): fit(value) for name, value in item.metadata.items()},
    )
