"""Shelf under the control of the kit."""

from __future__ import annotations

import time
from typing import Any, ClassVar

from catchment.conformance import Delivery, Setup, SimulatedWorld
from catchment.simulators import faults
from catchment.simulators.wire import Reply, Request
from tests.conformance.shelf.connector import LAG_SECONDS, Shelf
from tests.conformance.shelf.vendor import REFRESH, SECRET, TOKEN, WEAK, Shelves


class ShelfWorld(SimulatedWorld):
    """A vendor that can do everything."""

    connector = Shelf
    listing_path = r"/(books|changes)"
    address_setting = "url"
    error_body: ClassVar[Any] = {"error": "try again later"}
    old_configs = ({"url": "http://127.0.0.1:1"},)
    simulator: Shelves

    def make_simulator(self) -> Shelves:
        self._ids: dict[str, str] = {}
        return Shelves()

    def body_path(self, name: str) -> str:
        return f"/books/{self._ids[name]}/text"

    def config(self) -> dict[str, Any]:
        return {"url": self.url}

    def credentials(self) -> dict[str, Any]:
        return {"token": TOKEN, "refresh_token": REFRESH}

    def truth(self) -> dict[str, str]:
        return {key: book.body.decode() for key, book in self.simulator.books.items() if not book.is_big}

    def key(self, name: str) -> str:
        return self._ids[name]

    def put(self, name: str, text: str) -> None:
        self._ids[name] = self.simulator.add(name, text.encode())

    def edit(self, name: str, text: str) -> None:
        self.simulator.change(self._ids[name], body=text.encode())

    def remove(self, name: str) -> None:
        self.simulator.remove(self._ids[name])

    def restore(self, name: str) -> None:
        self.simulator.restore(self._ids[name])

    def rename(self, name: str, new: str) -> None:
        self._ids[new] = self._ids.pop(name)
        self.simulator.change(self._ids[new], title=new)

    def move(self, name: str) -> None:
        self.simulator.change(self._ids[name], shelf="attic")

    def restrict(self, name: str, who: str) -> None:
        self.simulator.restrict(self._ids[name], who)

    def late(self, name: str, text: str) -> None:
        self._ids[name] = self.simulator.add(name, text.encode(), ago=LAG_SECONDS // 2)

    def big(self, size: int) -> None:
        self.simulator.add("big", bytes(size), is_big=True)

    def page_size(self, size: int) -> None:
        self.simulator.page = size

    def least_requests(self, listed: int, read: int) -> int:
        return max(-(-listed // self.simulator.page), 1) + read

    def bad_token(self) -> Setup:
        return Setup(credentials={"token": "canary-of-nobody"})

    def missing_scope(self) -> Setup:
        return Setup(credentials={"token": WEAK})

    def wrong_setting(self) -> Setup:
        return Setup({**self.config(), "shelf": "no-such-shelf"})

    def repeat_cursor(self) -> None:
        def repeated(request: Request, reply: Reply) -> Reply:
            first = "b" if request.path == "/books" else '[-1, ""]'
            return _with(reply, next=request.query.get("after", first))

        self.change_pages(repeated)

    def empty_page(self) -> None:
        def emptied(request: Request, reply: Reply) -> Reply:
            after = request.query.get("after", "")
            return _with(reply, books=[], events=[], next=f"{after}0")

        self.change_pages(emptied, skip=1, times=1)

    def drop_next(self) -> None:
        self.change_pages(lambda _, reply: _with(reply, next=None))

    def expire_token(self, after: int) -> None:
        expire = faults.meanwhile(lambda: self.simulator.tokens.discard(TOKEN))
        self.fault(expire, skip=after, times=1)

    def expire_cursors(self) -> None:
        self.simulator.oldest_mark = int(self.clock.now())

    def future_cursor(self) -> str:
        return str(int(self.clock.now()) + 86_400 * 365)

    def webhook_secret(self) -> str:
        return SECRET

    def delivery(self, name: str) -> Delivery:
        return Delivery(*self.simulator.delivery({"kind": "changed", "id": self._ids[name]}, time.time()))

    def stale_delivery(self, name: str) -> Delivery:
        event = {"kind": "changed", "id": self._ids[name]}
        return Delivery(*self.simulator.delivery(event, time.time() - 86_400))

    def unknown_delivery(self) -> Delivery:
        return Delivery(*self.simulator.delivery({"kind": "anniversary"}, time.time()))


def _with(reply: Reply, **changed: Any) -> Reply:
    reply.body = {**reply.body, **changed}
    return reply
