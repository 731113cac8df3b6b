"""Shelf, a vendor that does not exist: books on shelves behind a small API, with all that vendors have.

Pages follow the order of ids; changes are told by their time in whole seconds, deletions too. Tokens are
renewed, change marks grow old, and webhooks are signed.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from bisect import bisect_right
from dataclasses import dataclass, replace
from typing import Any

from catchment.simulators.server import Simulator
from catchment.simulators.wire import Reply, Request

TOKEN = "canary-token-of-the-shelf"
RENEWED = "canary-renewed-token-of-the-shelf"
REFRESH = "canary-refresh-of-the-shelf"
RENEWED_REFRESH = "canary-second-refresh-of-the-shelf"
WEAK = "canary-token-without-text"
SECRET = "canary-webhook-of-the-shelf"


@dataclass(frozen=True)
class Book:
    """One book; `changed` is in whole seconds, as vendors tell it."""

    id: str
    title: str
    shelf: str
    body: bytes
    stamp: int
    changed: int
    readers: tuple[str, ...] = ("everybody",)
    is_big: bool = False

    def told(self) -> dict[str, Any]:
        """What lists say of it."""
        return {
            "id": self.id,
            "title": self.title,
            "shelf": self.shelf,
            "stamp": self.stamp,
            "changed": self.changed,
            "size": len(self.body),
        }


class Shelves(Simulator):
    """The vendor."""

    def __init__(self) -> None:
        super().__init__()
        self.books: dict[str, Book] = {}
        self.removed: dict[str, Book] = {}
        self.gone_at: dict[str, int] = {}
        self.tokens = {TOKEN}
        self.refresh = REFRESH
        self.page = 50
        self.oldest_mark = 0
        self._stamp = 0
        self._made = 0

    # -- what people do -------------------------------------------------------------------------

    def add(self, title: str, body: bytes, *, ago: int = 0, is_big: bool = False) -> str:
        with self.lock:
            self._made += 1
            return self._keep(Book(f"b{self._made:06}", title, "main", body, 0, 0, is_big=is_big), ago=ago)

    def change(self, key: str, **facts: Any) -> None:
        with self.lock:
            self._keep(replace(self.books[key], **facts))

    def remove(self, key: str) -> None:
        with self.lock:
            self.removed[key] = self.books.pop(key)
            self.gone_at[key] = int(self.clock.now())

    def restore(self, key: str) -> None:
        with self.lock:
            del self.gone_at[key]
            self._keep(self.removed.pop(key))

    def restrict(self, key: str, who: str) -> None:
        with self.lock:
            self.books[key] = replace(self.books[key], readers=(who,))

    def _keep(self, book: Book, ago: int = 0) -> str:
        self._stamp += 1
        self.books[book.id] = replace(book, stamp=self._stamp, changed=int(self.clock.now()) - ago)
        return book.id

    # -- the API --------------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        if request.path == "/token":
            return self._renew(request)
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token not in self.tokens and token != WEAK:
            return Reply(401, {"error": "bad token"})
        match request.path.strip("/").split("/"):
            case ["books"]:
                return self._listed(request)
            case ["changes"]:
                return self._changes(request)
            case ["books", key] if key in self.books:
                return Reply(200, self.books[key].told())
            case ["books", key, what] if key in self.books:
                if token == WEAK:
                    return Reply(403, {"error": "the token lacks the scope text"})
                return self._part(self.books[key], what)
        return Reply(404, {"error": "no such thing"})

    def _renew(self, request: Request) -> Reply:
        if request.json() != {"refresh_token": self.refresh}:
            return Reply(401, {"error": "bad refresh token"})
        self.tokens, self.refresh = {RENEWED}, RENEWED_REFRESH
        return Reply(200, {"token": RENEWED, "refresh_token": RENEWED_REFRESH})

    def _listed(self, request: Request) -> Reply:
        after = request.query.get("after", "")
        keys = sorted(self.books)
        begin = bisect_right(keys, after)
        page = [self.books[key].told() for key in keys[begin : begin + self.page]]
        more = begin + self.page < len(keys)
        return Reply(
            200, {"books": page, "next": page[-1]["id"] if more else None, "now": int(self.clock.now())}
        )

    def _changes(self, request: Request) -> Reply:
        since, now = int(request.query["since"]), int(self.clock.now())
        if since < self.oldest_mark:
            return Reply(410, {"error": "too long ago"})
        if since > now:
            return Reply(400, {"error": "not yet"})
        events = [
            *(
                (book.changed, key, {"kind": "changed", "book": book.told()})
                for key, book in self.books.items()
            ),
            *((at, key, {"kind": "deleted", "id": key}) for key, at in self.gone_at.items()),
        ]
        after = json.loads(request.query.get("after", '[-1, ""]'))
        wanted = sorted(
            (one for one in events if one[0] >= since and [one[0], one[1]] > after), key=lambda one: one[:2]
        )
        page = wanted[: self.page]
        following = json.dumps(page[-1][:2]) if len(wanted) > len(page) else None
        return Reply(200, {"events": [one[2] for one in page], "next": following, "now": now})

    def _part(self, book: Book, what: str) -> Reply:
        if what == "readers":
            return Reply(200, {"readers": list(book.readers)})
        kind = "application/octet-stream" if book.is_big else "text/plain; charset=utf-8"
        return Reply(200, book.body, {"Content-Type": kind})

    def delivery(self, event: dict[str, Any], sent: float) -> tuple[dict[str, str], bytes]:
        """Sign a webhook."""
        body = json.dumps(event).encode()
        return {
            "x-shelf-time": str(int(sent)),
            "x-shelf-signature": signature(SECRET, str(int(sent)), body),
        }, body


def signature(secret: str, sent: str, body: bytes) -> str:
    return hmac.new(secret.encode(), sent.encode() + b"." + body, hashlib.sha256).hexdigest()
