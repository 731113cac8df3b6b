"""The API around a workspace: who may ask, how often, and what each path answers."""

from __future__ import annotations

import base64
import itertools
import json
import math
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from catchment.simulators.notion import demo, hooks
from catchment.simulators.notion.things import (
    Block,
    Database,
    DataSource,
    Page,
    Thing,
    minute,
    moment,
    show_block,
    show_comment,
    show_data_source,
    show_database,
    show_page,
)
from catchment.simulators.notion.uploads import Uploads
from catchment.simulators.notion.workspace import Workspace
from catchment.simulators.server import Simulator
from catchment.simulators.wire import Reply, Request

TOKEN = "ntn_simulated0000000000000000000000000000000000000"  # noqa: S105 - opens nothing
MOST_RESULTS = 100
_ID = r"([0-9a-f]{8}-?(?:[0-9a-f]{4}-?){3}[0-9a-f]{12})"
_Answer = Callable[..., Reply]


class Refused(Exception):
    """The API says no."""

    def __init__(
        self, status: int, code: str, message: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status, self.code, self.message, self.headers = status, code, message, dict(headers or {})


class NotionSimulator(Workspace, Simulator):
    """A workspace behind Notion's API, version 2025-09-03.

    Attributes:
        tokens: Tokens that are good, with the time at which each ends.
        refreshable: Refresh tokens that are good.
        client: Id and secret of the public integration, for renewing.
        capabilities: What the integration may do.
        per_second: Requests that one second of the clock allows; None for no limit.
        most_results: Results in all that one search or query gives.
        most_references: References in one property that a page shows.
        verification_token: What deliveries are signed with.
    """

    def __init__(self, *, seed: int = 0) -> None:
        Simulator.__init__(self, seed=seed)
        Workspace.__init__(self, self.clock, seed)
        self.tokens: dict[str, float] = {TOKEN: math.inf}
        self.refreshable: set[str] = set()
        self.client = ("client-id", "client-secret")
        self.capabilities = {"read content", "read comments", "read users"}
        self.per_second: int | None = None
        self.most_results = 10_000
        self.most_references = 25
        self.workspace_name = "Simulated workspace"
        self.workspace_id, self.bot_id = self.new_id(), self.new_id()
        self.verification_token = f"secret_{self.new_id().replace('-', '')}"
        self._uploads = Uploads()
        self._second, self._in_second = 0.0, 0
        self._answers = itertools.count(1)

    def how_to_connect(self, url: str) -> str:
        """Return what to type to sync from this workspace."""
        given = json.dumps({"integration_token": TOKEN})
        return "\n".join(
            (
                f"catchment connector add notion --name workspace --set base_url={url}",
                f"echo '{given}' | catchment connector credentials workspace --stdin",
                "catchment sync workspace",
            )
        )

    @classmethod
    def demo(cls, seed: int = 0) -> NotionSimulator:
        """Return a workspace of some hundred pages: a handbook, projects, and databases."""
        world = cls(seed=seed)
        demo.fill(world)
        return world

    def upload(self, name: str, data: bytes, media_type: str = "application/octet-stream") -> dict[str, Any]:
        """Upload a file, and return what a block or property says of it."""
        return self._uploads.add(name, data, media_type)

    def delivery(
        self, event: str, entity: str, *, attempt: int = 1, **data: Any
    ) -> tuple[dict[str, str], bytes]:
        """Return headers and body of a webhook about something in the workspace."""
        return hooks.delivery(self, event, entity, attempt=attempt, data=data)

    def handshake(self) -> tuple[dict[str, str], bytes]:
        """Return the first delivery of a subscription, which tells the token."""
        return hooks.handshake(self)

    def grant(self, *, seconds: float = math.inf) -> tuple[str, str]:
        """Let somebody sign in: an access token that lasts so long, and a refresh token."""
        access = f"ntn_granted{self.new_id().replace('-', '')}"
        refresh = f"nrt_{self.new_id().replace('-', '')}"
        self.tokens[access] = self.clock.now() + seconds
        self.refreshable.add(refresh)
        return access, refresh

    # -- answers --------------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        """Answer as the vendor would, or the host of its files."""
        if (file := self._uploads.answer(request, now=self.clock.now())) is not None:
            return file
        try:
            reply = self._answer(request)
            reply.body = self._uploads.signed(reply.body, base_url=request.base_url, now=self.clock.now())
            return reply
        except Refused as refused:
            body = {"object": "error", "status": refused.status, "code": refused.code}
            return Reply(
                refused.status,
                {**body, "message": refused.message, "request_id": self._request_id()},
                refused.headers,
            )

    def _answer(self, request: Request) -> Reply:
        if request.path == "/v1/oauth/token" and request.method == "POST":
            return self._renew(request)
        routes: list[tuple[str, str, _Answer]] = [
            ("GET", r"/v1/users/me", self._me),
            ("GET", r"/v1/users", self._users),
            ("POST", r"/v1/search", self._search),
            ("GET", rf"/v1/pages/{_ID}", self._page),
            ("GET", rf"/v1/pages/{_ID}/properties/([^/]+)", self._page_property),
            ("GET", rf"/v1/blocks/{_ID}", self._block),
            ("DELETE", rf"/v1/blocks/{_ID}", self._throw_away),
            ("GET", rf"/v1/blocks/{_ID}/children", self._children),
            ("GET", rf"/v1/databases/{_ID}", self._database),
            ("GET", rf"/v1/data_sources/{_ID}", self._data_source),
            ("POST", rf"/v1/data_sources/{_ID}/query", self._query),
            ("GET", r"/v1/comments", self._comments),
        ]
        for method, pattern, answer in routes:
            match = re.fullmatch(pattern, request.path)
            if match and method == request.method:
                self._let_in(request)
                return answer(request, *match.groups())
        raise Refused(400, "invalid_request_url", "Invalid request URL.")

    def _let_in(self, request: Request) -> None:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or self.clock.now() >= self.tokens.get(token, -math.inf):
            raise Refused(401, "unauthorized", "API token is invalid.")
        if "notion-version" not in request.headers:
            raise Refused(400, "missing_version", "Notion-Version header should be defined.")
        if self.per_second is None:
            return
        second = math.floor(self.clock.now())
        self._in_second = self._in_second + 1 if second == self._second else 1
        self._second = second
        if self._in_second > self.per_second:
            raise Refused(429, "rate_limited", "You have been rate limited.", {"Retry-After": "1"})

    def _request_id(self) -> str:
        """Return an id that is no thing's, so that asking does not change what is made later."""
        return str(uuid.UUID(int=next(self._answers)))

    def _need(self, capability: str) -> None:
        if capability not in self.capabilities:
            raise Refused(403, "restricted_resource", "Insufficient permissions for this endpoint.")

    def _thing(self, text: str, *kinds: type[Thing]) -> Any:
        raw = text.replace("-", "")
        dashed = f"{raw[:8]}-{raw[8:12]}-{raw[12:16]}-{raw[16:20]}-{raw[20:]}"
        thing = self.things.get(dashed)
        if thing is None or not isinstance(thing, kinds) or not self.is_visible(dashed):
            raise Refused(
                404,
                "object_not_found",
                f"Could not find what has ID: {dashed}. Make sure it is shared with your integration.",
            )
        return thing

    def _list(
        self,
        asked: Mapping[str, Any],
        found: Sequence[tuple[str, Any]],
        kind: str,
        show: Callable[[Any], Any] = dict,
        **more: Any,
    ) -> Reply:
        """Give one page of what was found, each with what a cursor calls it."""
        names = [name for name, _ in found]
        return self._page_of(asked, names, [each for _, each in found], kind, show, **more)

    def _page_of(
        self,
        asked: Mapping[str, Any],
        names: Sequence[str],
        found: Sequence[Any],
        kind: str,
        show: Callable[[Any], Any],
        **more: Any,
    ) -> Reply:
        size = asked.get("page_size", MOST_RESULTS)
        try:
            size = int(size)
        except (TypeError, ValueError):
            size = 0
        if not 1 <= size <= MOST_RESULTS:
            message = f"body failed validation: page_size should be 1 to {MOST_RESULTS}."
            raise Refused(400, "validation_error", message)
        first, cursor = 0, asked.get("start_cursor")
        if cursor is not None:
            if cursor not in names:
                message = f"The start_cursor provided is invalid: {cursor}"
                raise Refused(400, "validation_error", message)
            first = names.index(cursor)
        following = names[first + size] if first + size < len(names) else None
        body: dict[str, Any] = {
            "object": "list",
            "results": [show(each) for each in found[first : first + size]],
            "next_cursor": following,
            "has_more": following is not None,
            "type": kind,
            kind: {},
            "request_id": self._request_id(),
        }
        return Reply(200, {**body, **more})

    def _limited(
        self,
        asked: Mapping[str, Any],
        things: Sequence[Page | DataSource],
        show: Callable[[Any], dict[str, Any]],
    ) -> Reply:
        """Give one page of at most `most_results`, and say whether that is all."""
        status: dict[str, Any] = {"type": "complete"}
        if len(things) > self.most_results:
            status = {"type": "incomplete", "incomplete_reason": "query_result_limit_reached"}
        found = things[: self.most_results]
        names = [thing.id for thing in found]
        return self._page_of(asked, names, found, "page_or_data_source", show, request_status=status)

    def _one(self, shown: dict[str, Any]) -> Reply:
        return Reply(200, {**shown, "request_id": self._request_id()})

    def _show(self, thing: Page | DataSource) -> dict[str, Any]:
        if isinstance(thing, Page):
            return show_page(self.things, thing, most_references=self.most_references)
        return show_data_source(self.things, thing)

    # -- users and search -----------------------------------------------------------------------

    def _me(self, _request: Request) -> Reply:
        return self._one(self._bot())

    def _bot(self) -> dict[str, Any]:
        return {
            "object": "user",
            "id": self.bot_id,
            "name": "Catchment",
            "avatar_url": None,
            "type": "bot",
            "bot": {
                "owner": {"type": "workspace", "workspace": True},
                "workspace_name": self.workspace_name,
                "workspace_id": self.workspace_id,
                "workspace_limits": {"max_file_upload_size_in_bytes": 5242880},
            },
        }

    def _users(self, request: Request) -> Reply:
        self._need("read users")
        people: list[tuple[str, dict[str, Any]]] = [
            (
                each,
                {
                    "object": "user",
                    "id": each,
                    "name": name,
                    "avatar_url": None,
                    "type": "person",
                    "person": {},
                },
            )
            for each, name in self.people.items()
        ]
        return self._list(request.query, [*people, (self.bot_id, self._bot())], "user")

    def _search(self, request: Request) -> Reply:
        self._need("read content")
        asked = request.json() or {}
        wanted = asked.get("filter") or {}
        kinds = {"page": Page, "data_source": DataSource, None: Page | DataSource}
        if wanted.get("value") not in kinds:
            message = "body failed validation: filter.value should be page or data_source."
            raise Refused(400, "validation_error", message)
        query = str(asked.get("query") or "").casefold()
        things = self.searchable(in_trash=bool(wanted.get("in_trash")))
        if query or "value" in wanted:
            kind = kinds[wanted.get("value")]
            things = [each for each in things if isinstance(each, kind) and query in each.title.casefold()]
        if (asked.get("sort") or {}).get("direction", "descending") == "descending":
            things.reverse()
        return self._limited(asked, things, self._searched)

    def _searched(self, thing: Page | DataSource) -> dict[str, Any]:
        return {**self._show(thing), "last_edited_time": minute(self.searched_edit(thing.id))}

    # -- single things --------------------------------------------------------------------------

    def _page(self, _request: Request, text: str) -> Reply:
        self._need("read content")
        return self._one(self._show(self._thing(text, Page)))

    def _page_property(self, request: Request, text: str, property_id: str) -> Reply:
        self._need("read content")
        page: Page = self._thing(text, Page)
        value = next((each for each in page.properties.values() if each["id"] == property_id), None)
        if value is None:
            raise Refused(404, "object_not_found", f"Could not find property with name or id: {property_id}")
        kind = value["type"]
        if not isinstance(value[kind], list):
            return self._one({"object": "property_item", **value})
        found = [
            (str(number), {"object": "property_item", "id": property_id, "type": kind, kind: each})
            for number, each in enumerate(value[kind])
        ]
        told = {"id": property_id, "type": kind, "next_url": None, kind: {}}
        return self._list(request.query, found, "property_item", property_item=told)

    def _block(self, _request: Request, text: str) -> Reply:
        self._need("read content")
        return self._one(show_block(self.things, self._thing(text, Block, Page, Database)))

    def _throw_away(self, _request: Request, text: str) -> Reply:
        thing: Thing = self._thing(text, Block, Page, Database)
        self.trash(thing.id)
        return self._one(show_block(self.things, thing))

    def _children(self, request: Request, text: str) -> Reply:
        self._need("read content")
        thing: Thing = self._thing(text, Block, Page)
        if self.is_trashed(thing.id):
            raise Refused(404, "object_not_found", f"Could not find block with ID: {thing.id}.")
        origin = ((getattr(thing, "payload", None) or {}).get("synced_from") or {}).get("block_id")
        holder = origin if origin in self.things and self.is_visible(origin) else thing.id
        if origin and holder == thing.id:
            raise Refused(404, "object_not_found", f"Could not find block with ID: {origin}.")
        found = [(child.id, child) for child in self.children(holder)]
        return self._list(request.query, found, "block", lambda child: show_block(self.things, child))

    def _database(self, _request: Request, text: str) -> Reply:
        self._need("read content")
        return self._one(show_database(self.things, self._thing(text, Database)))

    def _data_source(self, _request: Request, text: str) -> Reply:
        self._need("read content")
        return self._one(self._show(self._thing(text, DataSource)))

    def _query(self, request: Request, text: str) -> Reply:
        self._need("read content")
        source: DataSource = self._thing(text, DataSource)
        asked = request.json() or {}
        wanted, buried = bool(asked.get("in_trash")), self.is_trashed(source.id)
        rows = [
            row
            for row in self.rows(source.id)
            if (buried or row.in_trash) is wanted and _passes(row, asked.get("filter"))
        ]
        for sort in reversed(asked.get("sorts") or []):
            backwards = sort.get("direction") == "descending"
            name = _TIMES[sort["timestamp"]]
            rows.sort(key=lambda row, name=name: getattr(row, name) // 60, reverse=backwards)  # type: ignore[misc]
        return self._limited(asked, rows, self._show)

    def _comments(self, request: Request) -> Reply:
        self._need("read comments")
        thing: Thing = self._thing(request.query.get("block_id", ""), Page, Block)
        found = [
            (each.id, show_comment(self.things, each, self.people[each.author]))
            for each in self.comments
            if each.on == thing.id
        ]
        return self._list(request.query, found, "comment")

    def _renew(self, request: Request) -> Reply:
        expected = base64.b64encode(":".join(self.client).encode()).decode()
        if request.headers.get("authorization") != f"Basic {expected}":
            return Reply(401, {"error": "invalid_client"})
        asked = request.json() or {}
        token = asked.get("refresh_token")
        if asked.get("grant_type") != "refresh_token" or token not in self.refreshable:
            return Reply(400, {"error": "invalid_grant"})
        self.refreshable.discard(token)
        access, refresh = self.grant()
        return Reply(
            200,
            {
                "access_token": access,
                "token_type": "bearer",
                "refresh_token": refresh,
                "bot_id": self.bot_id,
                "workspace_id": self.workspace_id,
                "workspace_name": self.workspace_name,
                "workspace_icon": None,
                "owner": {"type": "workspace", "workspace": True},
                "duplicated_template_id": None,
                "request_id": self._request_id(),
            },
        )


_TIMES = {"created_time": "created", "last_edited_time": "edited"}


def _passes(row: Page, wanted: Mapping[str, Any] | None) -> bool:
    """Whether a row passes a filter on one of its times; other filters are not made here."""
    if not wanted:
        return True
    name = str(wanted.get("timestamp"))
    condition = wanted.get(name) or {}
    if name not in _TIMES or not set(condition) <= {"on_or_after"}:
        raise Refused(400, "validation_error", "body failed validation: body.filter is not understood.")
    since = datetime.fromisoformat(condition["on_or_after"].replace("Z", "+00:00")).timestamp()
    return bool(getattr(row, _TIMES[name]) // 60 * 60 >= since)


__all__ = ["TOKEN", "NotionSimulator", "Refused", "minute", "moment"]
