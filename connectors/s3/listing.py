"""Every object below a prefix, page by page, the next page asked for while one is compared."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from catchment.core.errors import SourceError
from catchment.kit import Item, SourceDown
from catchment.kit.errands import Errand
from connectors.s3.client import Client

PAGE_KEYS = 1000
"""The most that a server returns at a time."""

_Page = dict[str, Any]


def objects(client: Client, prefix: str) -> Iterator[Item]:
    """Yield every object whose key begins with the prefix, in the server's order, folder markers too.

    A listing of N objects costs N / 1000 requests, rounded up. While a page is worked on, the next one is
    asked for once, beside it; if that fails it is asked for again when its turn comes, with patience.

    Raises:
        SourceError: A page cannot be had; all before it was yielded.
        RunCancelled: The run was asked to stop.
    """
    token: str | None = None
    ahead: Errand[_Page] | None = None
    while True:
        page = _turn(client, prefix, token, ahead)
        following = _following(page, token)
        ahead = _look_ahead(client, prefix, following)
        for raw in page.get("Contents", ()):
            yield client.describe.listed(raw)
        if following is None:
            return
        token = following


def _turn(client: Client, prefix: str, token: str | None, ahead: Errand[_Page] | None) -> _Page:
    if ahead is not None:
        try:
            return ahead.result()
        except SourceError:
            pass  # asked again below, and then it counts
    return client.page(prefix, token, MaxKeys=PAGE_KEYS)


def _look_ahead(client: Client, prefix: str, token: str | None) -> Errand[_Page] | None:
    if token is None or client.pace.is_held_off:
        return None
    return client.errands.start(lambda: client.page(prefix, token, once=True, MaxKeys=PAGE_KEYS))


def _following(page: _Page, token: str | None) -> str | None:
    """Return the token of the page behind this one; None on the last."""
    following = page.get("NextContinuationToken")
    if not page.get("IsTruncated", bool(following)):
        return None
    if not following or following == token:
        raise SourceDown("The server says that the listing goes on, and not where.")
    return str(following)
