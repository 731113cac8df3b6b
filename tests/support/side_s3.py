"""The other side of a sync: a bucket with two prefixes at a server of S3, behind a way that breaks."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

import botocore.session
import pytest

from connectors.s3 import S3, listing, pace
from tests.support.s3 import ACCESS_KEY, HANG_UP, SECRET_KEY, Answer, Asked, Moto, Proxy, error, heads, reads
from tests.support.sides import DRAFTS, SCOPES, Manner, Seen, Side, other_scope

_ANSWERS = {
    "failing": error("InternalError", 500),
    "busy": error("SlowDown", 503),
    "denied": error("AccessDenied", 403),
    "silent": HANG_UP,
    "cut": Answer(cut_after=40),
}
_ONCE = Answer(pass_on=True)


@dataclass
class Ground:
    """What all examples share: a server, and the connectors' way to it."""

    moto: Moto
    proxy: Proxy


@pytest.fixture
def s3_ground(monkeypatch: pytest.MonkeyPatch) -> Iterator[Ground]:
    """A server for all examples, and a way to it that can break; waits are a thousand times shorter."""
    monkeypatch.setattr(pace, "BUSY_SECONDS", 0.001)
    monkeypatch.setattr(pace, "DOWN_SECONDS", 0.001)
    monkeypatch.setattr(listing, "PAGE_KEYS", listing.PAGE_KEYS)  # each example has its own
    # Every run makes a client; what botocore reads of its files for one is read once for all.
    read_once = functools.cache(botocore.session.create_loader)
    monkeypatch.setattr(botocore.session, "create_loader", read_once)
    moto = Moto()
    proxy = Proxy(moto.url)
    yield Ground(moto, proxy)
    proxy.close()
    moto.close()


class BucketSide(Side):
    """Objects below `a/` and `b/`; the key is the path, so that an object that is moved has another key.

    What the source does not hand out is archived. Each prefix has a folder marker, as consoles make them:
    without any key a prefix would be taken for misspelt.
    """

    shapes = (S3.kind,)
    troubles = (*(f"list {how}" for how in _ANSWERS), "stumbling", "looks", "nothing")
    page_fails = "list failing"
    failures = (*_ANSWERS, "up")
    unreadable = "denied"
    slug = S3.slug
    provider = S3
    credentials: ClassVar[Mapping[str, Any]] = {
        "access_key_id": ACCESS_KEY,
        "secret_access_key": SECRET_KEY,
    }

    def __init__(self, manner: Manner, ground: Ground) -> None:
        listing.PAGE_KEYS = manner.page
        self._proxy = ground.proxy
        self._bucket = ground.moto.bucket()
        self._seen: dict[str, Seen] = {}
        self._unreadable: dict[str, str] = {}
        self._trouble: tuple[str, int, str] = ("a", 1, "nothing")
        self._hook: tuple[int, Callable[[], None]] | None = None
        for scope in SCOPES:
            self._bucket.put(f"{scope}/")

    # -- what is true ---------------------------------------------------------------------------

    def find(self, slot: str) -> Seen | None:
        return self._seen.get(slot)

    def things(self) -> list[Seen]:
        return list(self._seen.values())

    def name(self, slot: str) -> str:
        here = self.find(slot)
        return here.key if here is not None else f"a/{slot}"

    def settings(self, wanted: Mapping[str, Any]) -> dict[str, Any]:
        config: dict[str, Any] = {
            "bucket": self._bucket.name,
            "endpoint": self._proxy.url,
            "prefixes": [f"{scope}/" for scope in wanted.get("scopes", SCOPES)],
        }
        if "exclude" in wanted:
            config["exclude"] = [f"{scope}/{DRAFTS}" for scope in SCOPES]
        return config

    # -- what people do -------------------------------------------------------------------------

    def put(self, slot: str, scope: str, text: str) -> None:
        here = self.find(slot) or Seen(f"{scope}/{slot}", scope, slot, text, refused=False)
        self._write(slot, replace(here, text=text))

    def remove(self, slot: str) -> None:
        self._bucket.delete(self._seen.pop(slot).key)

    def transfer(self, slot: str) -> None:
        here = self._seen[slot]
        self._move(slot, other_scope(here.scope), here.path)

    def rename(self, slot: str, folder: str) -> None:
        self._move(slot, self._seen[slot].scope, folder + slot)

    def refuse(self, slot: str, refused: bool) -> None:
        self._write(slot, replace(self._seen[slot], refused=refused))

    # -- what goes wrong ------------------------------------------------------------------------

    def fail(self, slot: str, how: str) -> None:
        if how == "up":
            self._unreadable.clear()
        else:
            self._unreadable[self.name(slot)] = how
        self._plan()

    def trouble(self, scope: str, at: int, what: str) -> None:
        self._trouble = (scope, at, what)
        self._plan()

    def hook(self, at: int, act: Callable[[], None]) -> None:
        self._hook = (at, act)
        self._plan()

    def unhook(self) -> None:
        self._hook = None
        self._plan()

    def mend(self) -> None:
        self._unreadable.clear()
        self._trouble = ("a", 1, "nothing")
        self._plan()

    # -- how ------------------------------------------------------------------------------------

    def _write(self, slot: str, seen: Seen) -> None:
        more = {"StorageClass": "GLACIER"} if seen.refused else {}
        self._bucket.put(seen.key, seen.text, **more)
        self._seen[slot] = seen

    def _move(self, slot: str, scope: str, path: str) -> None:
        before = self._seen[slot]
        after = replace(before, scope=scope, path=path, key=f"{scope}/{path}")
        if after.key != before.key:
            self._write(slot, after)
            self._bucket.delete(before.key)

    def _plan(self) -> None:
        """Tell the proxy anew what goes wrong."""
        proxy = self._proxy
        proxy.mend()
        if self._hook is not None:
            at, act = self._hook
            proxy.fault(lambda _asked: len(proxy.asked) > at, replace(_ONCE, then=act), times=1)
        for key, how in self._unreadable.items():
            proxy.fault(reads(key), _ANSWERS[how])
        scope, at, what = self._trouble
        if what == "looks":
            proxy.fault(heads, _ANSWERS["failing"])
        elif what == "stumbling":
            proxy.fault(lambda _asked: len(proxy.asked) % 3 == 0, _ANSWERS["busy"], times=at)
        elif what.startswith("list "):
            proxy.fault(self._pages_from(scope, at), _ANSWERS[what.removeprefix("list ")])

    def _pages_from(self, scope: str, number: int) -> Callable[[Asked], bool]:
        """Match the pages of a prefix's listing from this one on."""
        behind: list[str] = []

        def matches(asked: Asked) -> bool:
            if not asked.is_list or asked.query.get("prefix") != f"{scope}/":
                return False
            token = asked.query.get("continuation-token", "")
            if not token:
                behind.clear()  # a listing begins
            if token not in behind:
                behind.append(token)
            return behind.index(token) + 1 >= number

        return matches
