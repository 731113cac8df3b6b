"""The reference: a connector to Shelf that keeps every promise.

Each broken connector under tests/conformance/broken changes one thing about it.
"""

from __future__ import annotations

import hmac
import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

import httpx
from pydantic import Field, SecretStr

from catchment.core.errors import SourceError
from catchment.kit import (
    AccessEntry,
    AccessList,
    Acl,
    BrowsePage,
    Capability,
    Changed,
    ChangeFeed,
    Checkpoint,
    Complete,
    ConfigRejected,
    Connector,
    Content,
    CursorExpired,
    Deleted,
    FeedEvent,
    Found,
    Health,
    Item,
    ItemUnreadable,
    ListingEvent,
    PermissionMissing,
    Scope,
    Session,
    SourceConfig,
    SourceCredentials,
    SourceDown,
)
from catchment.kit.governor import governor_for
from catchment.kit.http import Anonymous, Bearer, Http, Missing, Verdict
from catchment.kit.streams import PieceStream, buffered
from tests.conformance.shelf.vendor import signature

LAG_SECONDS = 60
"""A change may be told so long after its time."""
STALE_SECONDS = 300
STREAMED_BYTES = 1024 * 1024


class ShelfConfig(SourceConfig):
    """Settings of a shelf."""

    url: str = Field(title="Address", description="Address of the API.")
    shelf: str = Field(default="main", title="Shelf", description="The shelf to read.")


class ShelfCredentials(SourceCredentials):
    """What signs in."""

    token: SecretStr
    refresh_token: SecretStr | None = None


class SignedIn:
    """A token that is renewed when it is refused."""

    def __init__(self, url: str, credentials: ShelfCredentials, session: Session) -> None:
        self._credentials = credentials
        self._session = session
        self._lock = threading.Lock()
        self._sent = threading.local()
        self._http = Http(url, session, sign_in=Anonymous(), governor=governor_for("shelf", "renewing"))

    def headers(self) -> Mapping[str, str]:
        self._sent.token = self._credentials.token
        return Bearer(self._credentials.token.get_secret_value()).headers()

    def renew(self) -> bool:
        with self._lock:
            # Another thread may have met the same refusal, and renewed the token meanwhile.
            return self._sent.token != self._credentials.token or self._renew()

    def _renew(self) -> bool:
        refresh = self._credentials.refresh_token
        if refresh is None:
            return False
        try:
            told = self._http.json_of("POST", "/token", json={"refresh_token": refresh.get_secret_value()})
        except SourceError:
            return False
        self._credentials = ShelfCredentials(token=told["token"], refresh_token=told["refresh_token"])
        self._session.save_credentials(self._credentials)
        return True

    def close(self) -> None:
        self._http.close()


class _Body(PieceStream):
    """The body of one answer, read as it comes."""

    def __init__(self, http: Http, address: str) -> None:
        super().__init__()
        self._lent = http.stream(address)
        self._pieces = self._lent.__enter__().iter_bytes()

    def next_piece(self) -> bytes:
        return next(self._pieces, b"")

    def close(self) -> None:
        if not self.closed:
            self._lent.__exit__(None, None, None)
        super().close()


class Shelf(Connector[ShelfConfig, ShelfCredentials]):
    """Books on a shelf."""

    slug: ClassVar[str] = "shelf"
    display_name: ClassVar[str] = "Shelf"
    config_model = ShelfConfig
    credentials_model = ShelfCredentials
    change_feed = ChangeFeed.COMPLETE
    acl = Acl.SOURCE
    resumable: ClassVar[bool] = True
    fetches: ClassVar[int] = 4

    def __init__(
        self, config: ShelfConfig, credentials: ShelfCredentials, session: Session | None = None
    ) -> None:
        super().__init__(config, credentials, session)
        self.sign_in = SignedIn(config.url, credentials, self.session)
        self.http = Http(
            config.url,
            self.session,
            sign_in=self.sign_in,
            governor=governor_for("shelf", credentials.token.get_secret_value()),
            judge=self.judge,
            setting="url",
        )

    def judge(self, response: httpx.Response) -> Verdict:
        """Read what only this vendor means."""
        if response.status_code == httpx.codes.GONE:
            return CursorExpired("The mark is too old.")
        if response.status_code == httpx.codes.BAD_REQUEST:
            return CursorExpired("The mark has not come yet.")
        return None

    def close(self) -> None:
        self.http.close()
        self.sign_in.close()

    # -- setting up -----------------------------------------------------------------------------

    def check(self) -> list[Capability]:
        """Try a list and a text."""
        return [self.tried("list", self.try_list), self.tried("read", self.try_read)]

    def tried(self, name: str, act: Any) -> Capability:
        try:
            act()
        except SourceError as error:
            return Capability.failed(name, error, setting="url", remedy="Look at the address and the token.")
        return Capability(name, Health.OK, f"To {name} works.")

    def try_list(self) -> None:
        if self.config.shelf != "main":
            raise ConfigRejected("There is no such shelf.", setting="shelf", remedy="Choose another shelf.")
        self.page("/books", {})

    def try_read(self) -> None:
        for row in self.page("/books", {})["books"][:1]:
            self.http.get(f"/books/{row['id']}/text")

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:
        return BrowsePage()

    def scopes(self) -> list[Scope]:
        return [Scope(self.config.shelf, self.config.shelf)]

    # -- reading --------------------------------------------------------------------------------

    def page(self, address: str, params: Mapping[str, Any]) -> Mapping[str, Any]:
        """Ask for a page; an error that comes as a good answer is one all the same."""
        told = self.http.get_json(address, params=params)
        if not isinstance(told, dict) or "error" in told:
            raise SourceDown("The vendor answers with an error.")
        return told

    def pages(self, address: str, first: Mapping[str, Any], after: str | None) -> Iterator[Mapping[str, Any]]:
        """Yield pages until none follows; one that names itself as the next never ends."""
        seen = {after}
        while True:
            told = self.page(address, {**first, **({"after": after} if after is not None else {})})
            yield told
            after = told["next"]
            if after is None:
                return
            if after in seen:
                raise SourceDown("The vendor named the same page twice.")
            seen.add(after)

    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        after, mark = json.loads(resume) if resume is not None else (None, None)
        for told in self.pages("/books", {}, after):
            mark = mark if mark is not None else self.mark(told)
            for row in told["books"]:
                yield self.item(row)
            if told["next"] is not None:
                yield Checkpoint(json.dumps([told["next"], mark]))
        yield Complete(mark)

    def mark(self, told: Mapping[str, Any]) -> str:
        """Return the mark from which everything is told that this answer may have missed."""
        return str(told["now"] - LAG_SECONDS)

    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        since = self.since(cursor)
        mark = None
        for told in self.pages("/changes", {"since": since}, None):
            mark = mark if mark is not None else self.mark(told)
            for event in told["events"]:
                yield self.event(event)
            if told["next"] is not None:
                # Whoever goes on there is told of what has the same time again.
                yield Checkpoint(str(json.loads(told["next"])[0]))
        yield Complete(mark)

    def since(self, cursor: str | None) -> int:
        if cursor is None:
            return 0
        if not cursor.isdecimal():
            raise CursorExpired("This is no mark of ours.")
        return int(cursor)

    def event(self, told: Mapping[str, Any]) -> FeedEvent:
        return Deleted(told["id"]) if told["kind"] == "deleted" else Changed(self.item(told["book"]))

    def item(self, row: Mapping[str, Any]) -> Item:
        return Item(
            key=row["id"],
            path=f"{row['shelf']}/{row['title']}.txt",
            version=str(row["stamp"]),
            size=row["size"],
            modified_at=float(row["changed"]),
            title=row["title"],
        )

    def fetch(self, item: Item) -> Content:
        address = f"/books/{item.key}/text"
        try:
            if item.size is not None and item.size > STREAMED_BYTES:
                return Content(buffered(_Body(self.http, address)), "application/octet-stream")
            response = self.http.get(address)
        except Missing as error:
            raise ItemUnreadable(item.key, "gone", "The book is no longer there.") from error
        return Content(response.content, response.headers["content-type"])

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:
        for name in names:
            try:
                yield Found(name, self.item(self.http.get_json(f"/books/{name}")), scopes[0].key)
            except Missing:
                yield Found(name, None)

    def permissions(self, items: Sequence[Item]) -> dict[str, AccessList]:
        return {item.key: self.readers(item.key) for item in items}

    def readers(self, key: str) -> AccessList:
        told = self.http.get_json(f"/books/{key}/readers")["readers"]
        if told == ["everybody"]:
            return AccessList(public=True)
        return AccessList(tuple(AccessEntry("user", who) for who in told))

    @staticmethod
    def webhook(headers: Mapping[str, str], body: bytes, secret: str) -> list[FeedEvent]:
        sent = headers.get("x-shelf-time", "")
        given = headers.get("x-shelf-signature", "").encode()
        if not secret or not hmac.compare_digest(given, signature(secret, sent, body).encode()):
            raise PermissionMissing("The signature is wrong.")
        if abs(time.time() - int(sent)) > STALE_SECONDS:
            raise PermissionMissing("The delivery is too old.")
        told = json.loads(body)
        if told["kind"] not in ("changed", "deleted"):
            return []
        if told["kind"] == "deleted":
            return [Deleted(told["id"])]
        return [Changed(Item(told["id"], told["id"]))]
