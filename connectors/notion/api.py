"""Notion's API: notion-client says what is asked, our own client asks it.

The library's client would retry, wait and time out by itself; here it sends nothing. Its requests go through
`catchment.kit.http`, so that pace, visible waits, cancel and bounds hold (docs/decisions/notion-client.md).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any, cast

import httpx
import notion_client

from catchment.kit import Session, SourceDown
from catchment.kit.governor import governor_for
from catchment.kit.http import Http
from connectors.notion.config import NotionConfig
from connectors.notion.credentials import NotionCredentials
from connectors.notion.errors import judge_by
from connectors.notion.signin import SLUG, sign_in_for
from connectors.notion.words import Raw

VERSION = "2025-09-03"
PAGE_SIZE = 100
"""Most results that Notion gives at a time."""
_KEPT_HEADERS = ("content-type", "notion-version")


class _Through(httpx.BaseTransport):
    """Hands the requests of another client to ours."""

    def __init__(self, http: Http) -> None:
        self._http = http

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        headers = {name: request.headers[name] for name in _KEPT_HEADERS if name in request.headers}
        # Everything that is asked only reads, the posts too, so that any of it may be asked again.
        return self._http.request(
            request.method, str(request.url), reads_json=True, headers=headers, content=request.read()
        )


class Api:
    """What this connector asks Notion; used by many threads at once."""

    def __init__(self, config: NotionConfig, credentials: NotionCredentials | None, session: Session) -> None:
        given = credentials or NotionCredentials()
        secret = given.integration_token or given.refresh_token or given.access_token
        self._http = Http(
            config.base_url,
            session,
            sign_in=sign_in_for(given, session, config.base_url),
            governor=governor_for(SLUG, secret.get_secret_value() if secret else ""),
            judge=judge_by(session.clock),
            setting="base_url",
        )
        self._client = notion_client.Client(
            client=httpx.Client(transport=_Through(self._http), trust_env=False),
            base_url=config.base_url,
            notion_version=VERSION,
            retry=False,
            logger=logging.getLogger("catchment.notion"),
        )

    def close(self) -> None:
        """Let go of connections."""
        self._http.close()

    def me(self) -> Raw:
        """Return the integration itself."""
        return cast(Raw, self._client.users.me())

    def users(self) -> Iterator[Raw]:
        """Yield the people and bots of the workspace."""
        return _results(self._client.users.list)

    def search(
        self, *, direction: str = "descending", kind: str | None = None, in_trash: bool = False
    ) -> Iterator[Raw]:
        """Yield the lists of pages and data sources that search knows, by their last edit.

        Args:
            direction: ``ascending`` or ``descending``.
            kind: ``page`` or ``data_source`` alone.
            in_trash: What lies in the trash instead.
        """
        wanted: dict[str, Any] = {"property": "object", "value": kind} if kind else {}
        if in_trash:
            wanted["in_trash"] = True
        return _lists(
            self._client.search,
            sort={"timestamp": "last_edited_time", "direction": direction},
            **({"filter": wanted} if wanted else {}),
        )

    def search_page(self, cursor: str | None) -> Raw:
        """Return one list of what search knows, last edit first."""
        sort = {"timestamp": "last_edited_time", "direction": "descending"}
        return cast(Raw, self._client.search(sort=sort, page_size=PAGE_SIZE, **_from(cursor)))

    def rows_page(self, source: str, cursor: str | None) -> Raw:
        """Return one list of the rows of a data source."""
        ask = self._client.data_sources.query
        return cast(Raw, ask(data_source_id=source, page_size=PAGE_SIZE, **_from(cursor)))

    def rows(self, source: str, *, by: str, since: str | None = None) -> Iterator[Raw]:
        """Yield the lists of rows of a data source, earliest first.

        Args:
            source: Its id.
            by: ``created_time`` or ``last_edited_time``: the order, and what `since` is a bound of.
            since: Only rows at or after that time.
        """
        more: dict[str, Any] = {}
        if since is not None:
            more["filter"] = {"timestamp": by, by: {"on_or_after": since}}
        sorts = [{"timestamp": by, "direction": "ascending"}]
        return _lists(self._client.data_sources.query, data_source_id=source, sorts=sorts, **more)

    def page(self, page: str) -> Raw:
        """Return a page with its properties."""
        return cast(Raw, self._client.pages.retrieve(page))

    def property_items(self, page: str, property_id: str) -> Iterator[Raw]:
        """Yield every value of a property of which a page shows only the first."""
        return _results(self._client.pages.properties.retrieve, page_id=page, property_id=property_id)

    def block(self, block: str) -> Raw:
        """Return a block; pages and databases are blocks, too."""
        return cast(Raw, self._client.blocks.retrieve(block))

    def children(self, block: str) -> Iterator[Raw]:
        """Yield the blocks in a block or page."""
        return _results(self._client.blocks.children.list, block_id=block)

    def children_page(self, block: str, cursor: str | None) -> Raw:
        """Return one list of the blocks in a block or page."""
        return cast(Raw, self._client.blocks.children.list(block, page_size=PAGE_SIZE, **_from(cursor)))

    def database(self, database: str) -> Raw:
        """Return a database with the names of its data sources."""
        return cast(Raw, self._client.databases.retrieve(database))

    def data_source(self, source: str) -> Raw:
        """Return a data source with its schema."""
        return cast(Raw, self._client.data_sources.retrieve(source))

    def comments(self, block: str) -> Iterator[Raw]:
        """Yield the open comments on a page or block."""
        return _results(self._client.comments.list, block_id=block)


def _results(ask: Callable[..., Any], **asked: Any) -> Iterator[Raw]:
    for answer in _lists(ask, **asked):
        yield from answer["results"]


def _lists(ask: Callable[..., Any], **asked: Any) -> Iterator[Raw]:
    """Yield lists to the last one.

    Raises:
        SourceDown: A cursor came again, so that the list would have no end, or what came is no list.
    """
    cursor: str | None = None
    seen: set[str] = set()
    while True:
        answer = ask(**asked, page_size=PAGE_SIZE, **_from(cursor))
        if not isinstance(answer, dict) or not isinstance(answer.get("results"), list):
            raise SourceDown("Notion answered with something that is no list.")
        yield answer
        if not answer.get("has_more"):
            return
        cursor = answer.get("next_cursor")
        if not isinstance(cursor, str) or cursor in seen:
            raise SourceDown("Notion says that a list goes on, and not where.")
        seen.add(cursor)


def _from(cursor: str | None) -> dict[str, str]:
    return {"start_cursor": cursor} if cursor else {}
