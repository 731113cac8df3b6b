"""Confluence in Cloud under the control of the kit: pages, posts, comments and files, read by an app."""

from __future__ import annotations

import base64
import json
import math
import re
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, ClassVar
from urllib.parse import quote

from catchment.conformance import Ability, Delivery, Setup, SimulatedWorld
from catchment.core.clock import SetClock
from catchment.kit.oauth import Client, ClientSettings
from catchment.simulators import faults
from catchment.simulators.confluence import Confluence as Site
from catchment.simulators.confluence.signin import ALL_SCOPES, CLIENT_ID, CLIENT_SECRET, Grant
from catchment.simulators.confluence.world import Content
from catchment.simulators.wire import Reply, Request
from connectors.confluence import Confluence
from connectors.confluence.changes import LOOK_BACK_SECONDS, Cursor

ANN = "ann"
"""Who signs in: so she may read what the kit restricts to her."""
SPACE = "ENG"
ACCESS, REFRESH, WEAK = "canary-access-of-ann", "canary-refresh-of-ann", "canary-access-without-pages"
EVENTS = {
    "page": "page",
    "blogpost": "blog",
    "attachment": "attachment",
    "footer": "comment",
    "inline": "comment",
}
YEAR_SECONDS = 365 * 86_400.0
KINDS = ("page", "footer", "page", "blogpost", "attachment", "inline")
LISTS = {
    "page": "pages",
    "blogpost": "blogposts",
    "attachment": "attachments",
    "footer": "footer-comments",
    "inline": "inline-comments",
}
_LIMITED = re.compile(r".*/wiki/api/v2/.*|/rest/api/(space|content|content/search)")


class SmallPages(Site):
    """A site that gives at most `most_at_once` rows at a time."""

    most_at_once = 250

    def answer(self, request: Request) -> Reply:
        """Answer as ever, and less at a time."""
        if "limit" in request.query and _LIMITED.fullmatch(request.path):
            limit = str(min(int(request.query["limit"]), self.most_at_once))
            pairs = tuple((name, limit if name == "limit" else value) for name, value in request.pairs)
            request = replace(request, query={**request.query, "limit": limit}, pairs=pairs)
        return super().answer(request)


class ConfluenceWorld(SimulatedWorld):
    """What the kit makes is by turns one of `KINDS`, in a space that has a home page and an attic."""

    connector = Confluence
    listing_path = rf".*/wiki/api/v2/({'|'.join(LISTS.values())})"
    address_setting = "gateway_url"
    error_body: ClassVar[Any] = {"errors": [{"status": 503, "code": "UNAVAILABLE", "title": "Not now"}]}
    cannot: ClassVar[dict[Ability, str]] = {
        Ability.EXPIRE_CURSORS: "a mark is a moment of our own, and lists go back to their beginning",
    }
    unseen: ClassVar[dict[Ability, str]] = {
        Ability.REMOVE: "lists by the last change name what is there",
        Ability.MOVE: "a move makes no version and moves no date",
    }
    old_configs: ClassVar[Sequence[Mapping[str, Any]]] = (
        {"instanceUrl": "https://example.atlassian.net"},
        {"instanceUrl": "https://example.atlassian.net/wiki/home", "spaceKeys": ["ENG"], "comments": False},
    )
    unsigned_body: ClassVar[str] = (
        "Cloud signs verb, path and parameters of a delivery, which names what to read and no more"
    )
    simulator: SmallPages

    def make_simulator(self) -> SmallPages:
        return SmallPages()

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.ids: dict[str, int] = {}
        self.site = self.simulator.world
        self.site.add_user(ANN)
        self.site.add_space(SPACE)
        self._home = self.site.space(SPACE).homepage_id or 0
        self._attic = self.site.add_page(SPACE, "Attic", "<p>cobwebs</p>", parent=self._home)
        self.sign_in()
        self.settle()

    def sign_in(self) -> None:
        """Let the site know Ann."""
        sign_ins = self.simulator.sign_ins
        sign_ins.access[ACCESS] = Grant(ANN, ALL_SCOPES, math.inf)
        sign_ins.access[WEAK] = Grant(ANN, ALL_SCOPES - {"read:page:confluence"}, math.inf)
        sign_ins.refresh[REFRESH] = (ANN, ALL_SCOPES)

    # -- how it is read -------------------------------------------------------------------------

    def body_path(self, name: str) -> str:
        one = self.site.contents[self.ids[name]]
        return rf".*/(att)?{one.id}(/download)?"

    def refusal(self, status: int) -> Any:
        return {"code": status, "message": "Not now"}

    def config(self) -> dict[str, Any]:
        return {"instance_url": self.url, "gateway_url": self.url}

    def credentials(self) -> dict[str, Any]:
        return {"access_token": ACCESS, "refresh_token": REFRESH}

    def oauth_client(self, provider: str) -> Client:
        return ClientSettings(
            client_id=CLIENT_ID, client_secret=CLIENT_SECRET, token_url=f"{self.url}/oauth/token"
        ).client(provider)

    def page_size(self, size: int) -> None:
        self.simulator.most_at_once = min(size, 250)

    def least_requests(self, listed: int, read: int) -> int:
        kinds = Counter(one.kind for one in self.living())
        # Which site the sign-in is for, its spaces, and a list for each kind.
        lists = 2 + sum(max(-(-kinds[kind] // self.simulator.most_at_once), 1) for kind in LISTS)
        if not read:
            return lists
        # Names of authors; and where all is read, texts come with the lists, labels with one of their own.
        bodies = 1 + 2 * kinds["attachment"] if read == listed else 1
        return lists + bodies + 1

    # -- what is true, and what people do -------------------------------------------------------

    def living(self) -> list[Content]:
        """Return what Ann may read now."""
        every = self.site.contents.values()
        holders = ((one, self.site.holder(one)) for one in every if one.status == "current")
        return [one for one, holder in holders if holder is not None and holder.status == "current"]

    def truth(self) -> dict[str, str]:
        return {one.shown_id: _words(one) for one in self.living()}

    def key(self, name: str) -> str:
        return self.site.contents[self.ids[name]].shown_id

    def put(self, name: str, text: str) -> None:
        self.ids[name] = self._made(KINDS[len(self.ids) % len(KINDS)], name, text)

    def _made(self, kind: str, name: str, text: str) -> int:
        body = f"<p>{text}</p>"
        if kind == "page":
            return self.site.add_page(SPACE, name, body, parent=self._home)
        if kind == "blogpost":
            return self.site.add_blogpost(SPACE, name, body)
        if kind != "attachment":
            return self.site.add_comment(self._home, body, selection="Welcome" if kind == "inline" else "")
        return self.site.attach(self._home, f"{name}.txt", text.encode())

    def edit(self, name: str, text: str) -> None:
        one = self.site.contents[self.ids[name]]
        if one.kind == "attachment":
            self.site.attach(self._home, one.title, text.encode())
        else:
            self.site.edit(one.id, f"<p>{text}</p>")

    def remove(self, name: str) -> None:
        self.site.trash(self.ids[name])

    def restore(self, name: str) -> None:
        self.site.restore(self.ids[name])

    def rename(self, name: str, new: str) -> None:
        self.ids[new] = self.ids.pop(name)
        self.site.rename(self.ids[new], new)

    def move(self, name: str) -> None:
        self.site.move(self.ids[name], parent=self._attic)

    def restrict(self, name: str, who: str) -> None:
        self.site.restrict(self.ids[name], users=[who])

    def late(self, name: str, text: str) -> None:
        self.put(name, text)
        for one in (self.site.contents[self.ids[name]], self.site.traces[-1].state):
            if one is not None:
                one.created = one.modified = self.clock.now() - LOOK_BACK_SECONDS / 2

    def many(self, count: int, begin: int = 0) -> None:
        for number in range(begin, begin + count):
            self._made(KINDS[number % 4], f"many{number:05}", f"word of {number}")

    def big(self, size: int) -> None:
        self.site.attach(self._home, "big.bin", bytes(size), media_type="application/octet-stream")

    # -- setups that do not work ----------------------------------------------------------------

    def bad_token(self) -> Setup:
        return Setup(credentials={"access_token": "canary-access-of-nobody"})

    def missing_scope(self) -> Setup:
        return Setup(credentials={"access_token": WEAK})

    def wrong_setting(self) -> Setup:
        return Setup({**self.config(), "space_keys": ["NOWHERE"]})

    # -- what goes wrong ------------------------------------------------------------------------

    def fail_body(self, name: str) -> None:
        super().fail_body(name)
        key = self.key(name)

        def spoil(request: Request, reply: Reply) -> Reply:
            """No list can be made with this body in it."""
            held = [row["id"] for row in reply.body["results"]] if "body-format" in request.query else []
            return Reply(500, self.refusal(500)) if key in held else reply

        self.change_pages(spoil)

    def repeat_cursor(self) -> None:
        first = _cursor([-1, -1])
        self.change_pages(lambda request, reply: leading(reply, request.query.get("cursor") or first))

    def empty_page(self) -> None:
        def emptied(request: Request, reply: Reply) -> Reply:
            place = json.loads(base64.urlsafe_b64decode(request.query["cursor"]))
            reply.body = {**reply.body, "results": []}
            return leading(reply, _cursor(place, indent=1))

        self.change_pages(emptied, skip=1, times=1)

    def drop_next(self) -> None:
        self.change_pages(lambda _, reply: leading(reply, None))

    def expire_token(self, after: int) -> None:
        expire = faults.meanwhile(lambda: self.simulator.sign_ins.access.pop(ACCESS, None))
        self.fault(expire, skip=after, times=1)

    def future_cursor(self) -> str:
        return Cursor(self.clock.now() + YEAR_SECONDS).text()

    # -- webhooks -------------------------------------------------------------------------------

    def webhook_secret(self) -> str:
        return self.simulator.webhook_secret

    def delivery(self, name: str) -> Delivery:
        return self._delivery("updated", self.ids[name], time.time())

    def stale_delivery(self, name: str) -> Delivery:
        return self._delivery("updated", self.ids[name], time.time() - 86_400)

    def unknown_delivery(self) -> Delivery:
        return self._delivery("viewed", self._home, time.time())

    def _delivery(self, what: str, id: int, sent: float) -> Delivery:
        self.simulator.clock = SetClock(sent)
        try:
            return Delivery(*self.sent(f"{EVENTS[self.site.contents[id].kind]}_{what}", id))
        finally:
            self.simulator.clock = self.clock

    def sent(self, event: str, id: int) -> tuple[dict[str, str], bytes]:
        """Return headers and body of a delivery, as they are sent now: to a Connect app."""
        return self.simulator.cloud_delivery(event, id)


def _words(one: Content) -> str:
    return one.data.decode() if one.kind == "attachment" else re.sub("<[^>]*>", " ", one.body)


def _cursor(place: list[Any], *, indent: int | None = None) -> str:
    return base64.urlsafe_b64encode(json.dumps(place, indent=indent).encode()).decode()


def leading(reply: Reply, cursor: str | None) -> Reply:
    """Return a page that names another next one, or none."""
    links = {name: value for name, value in reply.body["_links"].items() if name != "next"}
    if cursor is not None:
        links["next"] = f"/wiki/api/v2/pages?cursor={quote(cursor)}"
    reply.body = {**reply.body, "_links": links}
    reply.headers.pop("Link", None)
    return reply
