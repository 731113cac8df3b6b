"""Notion under the control of the kit: pages in a handbook, and rows of a database in it."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, ClassVar

from catchment.conformance import Ability, Delivery, Setup, SimulatedWorld
from catchment.core.clock import SetClock
from catchment.kit.oauth import Client, ClientSettings
from catchment.simulators import faults
from catchment.simulators.notion import NotionSimulator, block, paragraph
from catchment.simulators.notion.things import Block, DataSource, Page
from catchment.simulators.wire import Reply, Request
from connectors.notion import Notion
from connectors.notion.changes import LOOK_BACK_SECONDS, mark_at
from connectors.notion.webhook import STALE_SECONDS

YEAR_SECONDS = 365 * 86_400.0
NOBODY = "00000000-0000-4000-8000-00000000dead"
CODES = {401: "unauthorized", 429: "rate_limited", 500: "internal_server_error"}
AGAIN = "+"
"""Behind a cursor it makes another one, which leads to the same page."""
LISTS = r"/v1/(search|data_sources/[^/]+/query)"


class Workspace(NotionSimulator):
    """A workspace that gives at most `most_at_once` results of a search or query."""

    most_at_once = 100

    def answer(self, request: Request) -> Reply:
        """Answer as ever, and less at a time."""
        if request.method == "POST" and request.path.startswith(("/v1/search", "/v1/data_sources")):
            asked = request.json() or {}
            asked["page_size"] = min(int(asked.get("page_size", 100)), self.most_at_once)
            if "start_cursor" in asked:
                asked["start_cursor"] = asked["start_cursor"].rstrip(AGAIN)
            request = replace(request, body=json.dumps(asked).encode())
        return super().answer(request)


class NotionWorld(SimulatedWorld):
    """What the kit makes is by turns a page of the handbook and a row of its database."""

    connector = Notion
    listing_path = LISTS
    address_setting = "base_url"
    error_body: ClassVar[Any] = {"object": "error", "status": 503, "code": "service_unavailable"}
    cannot: ClassVar[dict[Ability, str]] = {
        Ability.EXPIRE_CURSORS: "a mark is a moment of our own, and lists go back to their beginning",
    }
    old_configs = ({}, {"roots": [NOBODY]}, {"roots": [], "comments": False, "files": False})
    simulator: Workspace

    def make_simulator(self) -> Workspace:
        self._files = True
        return Workspace()

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self._ids: dict[str, str] = {}
        self._access, self._refresh = self.simulator.grant()
        self._handbook = self.simulator.page("Handbook", blocks=[paragraph("the handbook of the house")])
        self._attic = self.simulator.page("Attic", self._handbook)
        _, self._tasks = self.simulator.database("Tasks", self._handbook)
        self.settle()

    # -- how it is read -------------------------------------------------------------------------

    def body_path(self, name: str) -> str:
        return f"/v1/blocks/{self._ids[name]}/children"

    def refusal(self, status: int) -> Any:
        return {"object": "error", "status": status, "code": CODES[status], "message": "Not now."}

    def config(self) -> dict[str, Any]:
        return {"base_url": self.url, "files": self._files}

    def credentials(self) -> dict[str, Any]:
        return {"access_token": self._access, "refresh_token": self._refresh}

    def oauth_client(self, provider: str) -> Client:
        client_id, secret = self.simulator.client
        return ClientSettings(client_id=client_id, client_secret=secret).client(provider)

    def page_size(self, size: int) -> None:
        self.simulator.most_at_once = min(size, 100)

    def least_requests(self, listed: int, read: int) -> int:
        rows = len(self.simulator.rows(self._tasks))
        searched = self._pages(listed)
        # Where a search has more than one page, its first is looked at once more; then rows, and names.
        lists = searched + (searched > 1) + self._pages(rows) + 1
        # Blocks and comments of each page; of the data source itself, and of its database.
        return lists + 2 * read

    def _pages(self, count: int) -> int:
        return max(-(-count // self.simulator.most_at_once), 1)

    # -- what is true, and what people do -------------------------------------------------------

    def truth(self) -> dict[str, str]:
        return {key: self._words(thing) for key, thing in self.simulator.living().items()}

    def _words(self, thing: Page | DataSource) -> str:
        blocks = (self.simulator.things.get(each) for each in thing.children)
        texts = [each.payload.get("rich_text", ()) for each in blocks if isinstance(each, Block)]
        return " ".join([thing.title, *(piece["plain_text"] for text in texts for piece in text)])

    def key(self, name: str) -> str:
        return self._ids[name]

    def put(self, name: str, text: str) -> None:
        parent = self._tasks if len(self._ids) % 2 else self._handbook
        self._ids[name] = self.simulator.page(name, parent, blocks=[paragraph(text)])

    def edit(self, name: str, text: str) -> None:
        self.simulator.edit(self.simulator.things[self._ids[name]].children[0], text)

    def remove(self, name: str) -> None:
        self.simulator.trash(self._ids[name])

    def restore(self, name: str) -> None:
        self.simulator.restore(self._ids[name])

    def rename(self, name: str, new: str) -> None:
        self._ids[new] = self._ids.pop(name)
        self.simulator.rename(self._ids[new], new)

    def move(self, name: str) -> None:
        self.simulator.move(self._ids[name], self._attic)

    def late(self, name: str, text: str) -> None:
        self.put(name, text)
        made = self.simulator.things[self._ids[name]]
        made.created = made.edited = self.clock.now() - LOOK_BACK_SECONDS / 2

    def many(self, count: int, begin: int = 0) -> None:
        # Each page would be read to see whether files lie in it; here it is the listing that is looked at.
        self._files = False
        self.simulator.most_results = 2 * count
        super().many(count, begin)

    def big(self, size: int) -> None:
        upload = self.simulator.upload("big.bin", bytes(size))
        self.simulator.append(self._handbook, block("file", caption=[], **upload))

    # -- setups that do not work ----------------------------------------------------------------

    def bad_token(self) -> Setup:
        return Setup(credentials={"integration_token": "ntn_canary-of-nobody"})

    def missing_scope(self) -> Setup:
        self.simulator.capabilities.discard("read content")
        return Setup()

    def wrong_setting(self) -> Setup:
        return Setup({**self.config(), "roots": [NOBODY]})

    # -- what goes wrong ------------------------------------------------------------------------

    def mend(self) -> None:
        super().mend()
        self.simulator.capabilities.add("read content")

    def repeat_cursor(self) -> None:
        def repeat(request: Request, reply: Reply) -> Reply:
            own = (request.json() or {}).get("start_cursor") or reply.body["results"][0]["id"]
            return _with(reply, next_cursor=own, has_more=True)

        self.change_pages(repeat)

    def empty_page(self) -> None:
        def emptied(request: Request, reply: Reply) -> Reply:
            return _with(reply, results=[], next_cursor=request.json()["start_cursor"] + AGAIN, has_more=True)

        self.change_pages(emptied, skip=1, times=1)

    def drop_next(self) -> None:
        self.change_pages(lambda _, reply: _with(reply, next_cursor=None, has_more=False))

    def expire_token(self, after: int) -> None:
        expire = faults.meanwhile(lambda: self.simulator.tokens.pop(self._access, None))
        self.fault(expire, skip=after, times=1)

    def future_cursor(self) -> str:
        return mark_at(self.clock.now() + YEAR_SECONDS)

    # -- webhooks -------------------------------------------------------------------------------

    def webhook_secret(self) -> str:
        return self.simulator.verification_token

    def delivery(self, name: str) -> Delivery:
        with self._at(time.time()):
            return Delivery(*self.simulator.delivery("page.content_updated", self._ids[name]))

    def stale_delivery(self, name: str) -> Delivery:
        # Notion itself tries for a day: what is a day old may be its last try.
        with self._at(time.time() - STALE_SECONDS - 1):
            return Delivery(*self.simulator.delivery("page.content_updated", self._ids[name]))

    def unknown_delivery(self) -> Delivery:
        with self._at(time.time()):
            return Delivery(*self.simulator.delivery("view.created", self._handbook))

    @contextmanager
    def _at(self, moment: float) -> Iterator[None]:
        """Let it be another time at the vendor."""
        self.simulator.clock = SetClock(moment)
        try:
            yield
        finally:
            self.simulator.clock = self.clock


def _with(reply: Reply, **changed: Any) -> Reply:
    reply.body = {**reply.body, **changed}
    return reply
