"""Buckets under the control of the kit: a server of S3 behind a way on which everything can go wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from email.utils import parsedate_to_datetime
from itertools import count
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from catchment.conformance import Ability, Setup, World
from catchment.core.clock import PassingClock
from connectors.s3 import S3
from tests.support.s3 import (
    ACCESS_KEY,
    SECRET_KEY,
    Answer,
    Asked,
    Match,
    Moto,
    Proxy,
    error,
    gets,
    lists,
    reads,
)

FOLDERS = ("first", "second")
BIG = "big.bin"
STRANGER = "access-key-of-nobody"
ALIAS = "another-name-of-"
"""Begins a token that leads to where the token behind it leads."""
_PAGE = (
    "<ListBucketResult><Name>b</Name><IsTruncated>true</IsTruncated>"
    "<NextContinuationToken>{}</NextContinuationToken></ListBucketResult>"
)


class BucketWorld(World):
    """Small texts below two prefixes of one bucket; the key is the path, as everywhere in S3."""

    connector = S3
    cannot: ClassVar[Mapping[Ability, str]] = {
        Ability.EXPIRE_TOKEN: "keys are not renewed when they are refused; those of a role are by their time",
    }
    old_configs = (
        {"bucket": "docs"},
        {"bucket": "docs", "prefix": "/reports/", "region": "eu-central-1"},
        {"bucket": "docs", "prefixes": ["a/", "b/"], "endpoint": "https://minio.example.com:9000/"},
    )

    def __init__(self, moto: Moto, folder: Path, clock: PassingClock) -> None:
        super().__init__(folder, clock)
        self._bucket = moto.bucket()
        self._proxy = Proxy(moto.url)
        self._proxy.turn = self._turned
        self._most_keys = 1000
        self._keys: dict[str, str] = {}
        self._texts: dict[str, str] = {}
        self._removed: dict[str, tuple[str, str]] = {}
        self._failures = count()

    def close(self) -> None:
        self._proxy.close()

    # -- the connector --------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        return {"bucket": self._bucket.name, "endpoint": self._proxy.url}

    def credentials(self) -> dict[str, Any]:
        return {"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY}

    # -- what is true, and what people do -------------------------------------------------------

    def truth(self) -> dict[str, str]:
        return dict(self._texts)

    def key(self, name: str) -> str:
        return self._keys[name]

    def put(self, name: str, text: str) -> None:
        self._write(name, f"{FOLDERS[len(self._keys) % 2]}/{name}.txt", text)

    def edit(self, name: str, text: str) -> None:
        self._write(name, self._keys[name], text)

    def remove(self, name: str) -> None:
        key = self._keys.pop(name)
        self._removed[name] = (key, self._texts.pop(key))
        self._bucket.delete(key)

    def restore(self, name: str) -> None:
        self._write(name, *self._removed.pop(name))

    def rename(self, name: str, new: str) -> None:
        key = self._keys.pop(name)
        self._carry(key, new, f"{key.partition('/')[0]}/{new}.txt")

    def move(self, name: str) -> None:
        key = self._keys[name]
        folder, _, rest = key.partition("/")
        self._carry(key, name, f"{FOLDERS[folder == FOLDERS[0]]}/{rest}")

    def many(self, count: int, begin: int = 0) -> None:
        """List so many that nobody reads: the server itself sorts all of its keys for every page."""
        self._proxy.mend()
        self._proxy.fault(lists, lambda asked: _page_of_many(asked, begin + count, self._most_keys))

    def big(self, size: int) -> None:
        """List a small one as a large one, and hand out as much of it as is asked for."""
        self._bucket.put(BIG, b"\0")
        told = f"<Size>{size}</Size>".encode()
        self._proxy.fault(lists, Answer(change=lambda page: page.replace(b"<Size>1</Size>", told)))
        self._proxy.fault(reads(BIG), lambda asked: _part(asked, size))

    def _write(self, name: str, key: str, text: str) -> None:
        self._bucket.put(key, text)
        self._keys[name], self._texts[key] = key, text

    def _carry(self, key: str, name: str, new_key: str) -> None:
        self._write(name, new_key, self._texts.pop(key))
        self._bucket.delete(key)

    # -- how it is read -------------------------------------------------------------------------

    def page_size(self, size: int) -> None:
        self._most_keys = size

    def least_requests(self, listed: int, read: int) -> int:
        return max(-(-listed // self._most_keys), 1) + read

    def requests(self) -> int:
        return len(self._proxy.asked)

    def meanwhile(self, act: Callable[[], object]) -> None:
        self._proxy.fault(follows, Answer(pass_on=True, then=act), times=1)

    # -- setups that do not work ----------------------------------------------------------------

    def bad_token(self) -> Setup:
        self._proxy.fault(
            lambda asked: STRANGER in asked.headers.get("authorization", ""), error("InvalidAccessKeyId", 403)
        )
        return Setup(credentials={**self.credentials(), "access_key_id": STRANGER})

    def unreachable(self) -> Setup:
        return Setup({**self.config(), "endpoint": "http://127.0.0.1:1"})

    def missing_scope(self) -> Setup:
        self._proxy.fault(gets, error("AccessDenied", 403))
        return Setup()

    def wrong_setting(self) -> Setup:
        return Setup({**self.config(), "bucket": "no-such-bucket"})

    # -- what goes wrong ------------------------------------------------------------------------

    def mend(self) -> None:
        self._proxy.mend()

    def fail_listing(self, after_pages: int) -> None:
        self._proxy.fault(pages_from(after_pages), error("InternalError", 500))

    def fail_body(self, name: str) -> None:
        """Refuse one, and stumble over the next."""
        failure = error("InternalError", 500) if next(self._failures) % 2 else error("AccessDenied", 403)
        self._proxy.fault(reads(self._keys[name]), failure)

    def repeat_cursor(self) -> None:
        self._proxy.fault(follows, lambda asked: _naming(asked.query["continuation-token"]))

    def empty_page(self) -> None:
        def emptied(asked: Asked) -> Answer:
            return Answer(200, _PAGE.format(ALIAS + asked.query["continuation-token"]).encode())

        self._proxy.fault(follows, emptied, times=1)

    def drop_next(self) -> None:
        self._proxy.fault(lambda asked: lists(asked) and not follows(asked), _naming(None))

    def error_with_200(self) -> None:
        self._proxy.fault(follows, Answer(200, error("InternalError", 200).body))

    def rate_limit(self, form: str | None, after: int = 0) -> None:
        """Refuse requests until the moment that the refusal names; one where it names none."""
        headers = {"Retry-After": form} if form is not None else {}
        until: list[float] = []
        left = count()

        def is_refused(_: Asked) -> bool:
            if next(left) < after:
                return False
            if not until:
                until.append(self.clock.now() + _seconds(form, self.clock.now()))
                return True
            return self.clock.now() < until[0]

        self._proxy.fault(is_refused, error("SlowDown", 503, headers=headers))

    def revoke_token(self, after: int) -> None:
        left = count()
        self._proxy.fault(lambda _: next(left) >= after, error("InvalidAccessKeyId", 403))

    def _turned(self, path: str) -> str:
        """Have the server give pages no longer than they should be, and know tokens by their other names."""
        url = urlsplit(path)
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        if "max-keys" in query:
            query["max-keys"] = str(min(int(query["max-keys"]), self._most_keys))
        if "continuation-token" in query:
            query["continuation-token"] = query["continuation-token"].removeprefix(ALIAS)
        return f"{url.path}?{urlencode(query)}" if query else url.path


def follows(asked: Asked) -> bool:
    """Match all pages of listings but the first."""
    return lists(asked) and bool(asked.query.get("continuation-token"))


def pages_from(number: int) -> Match:
    """Match the pages of every listing from this one on, counted from 0."""
    begun: list[str] = []

    def matches(asked: Asked) -> bool:
        if not lists(asked):
            return False
        token = asked.query.get("continuation-token", "")
        if not token:
            begun.clear()
        if token not in begun:
            begun.append(token)
        return begun.index(token) >= number

    return matches


def _naming(token: str | None) -> Answer:
    """Let a page name this one as the next, or none."""
    told = f"<IsTruncated>{str(token is not None).lower()}</IsTruncated>"
    if token is not None:
        told += f"<NextContinuationToken>{token}</NextContinuationToken>"

    def change(page: bytes) -> bytes:
        text = re.sub(r"<NextContinuationToken>.*?</NextContinuationToken>", "", page.decode())
        return re.sub(r"<IsTruncated>.*?</IsTruncated>", told, text).encode()

    return Answer(change=change)


def _page_of_many(asked: Asked, total: int, most: int) -> Answer:
    """Make a page of small objects; a token is the number of the first."""
    first = int(asked.query.get("continuation-token", "0"))
    end = min(first + min(int(asked.query["max-keys"]), most), total)
    told = "".join(
        f"<Contents><Key>many/{number:05}.txt</Key><LastModified>2025-06-15T15:06:40.000Z</LastModified>"
        f"<ETag>&quot;{number:032x}&quot;</ETag><Size>10</Size></Contents>"
        for number in range(first, end)
    )
    more = "<IsTruncated>false</IsTruncated>"
    if end < total:
        more = f"<IsTruncated>true</IsTruncated><NextContinuationToken>{end}</NextContinuationToken>"
    return Answer(200, f"<ListBucketResult><Name>b</Name>{more}{told}</ListBucketResult>".encode())


def _part(asked: Asked, size: int) -> Answer:
    """Answer as a server does that is asked for some bytes of an object of nothing but zeros."""
    first, _, last = asked.headers["range"].removeprefix("bytes=").partition("-")
    end = min(int(last) + 1, size)
    headers = {
        "Content-Range": f"bytes {first}-{end - 1}/{size}",
        "Content-Type": "application/octet-stream",
        "ETag": '"1a1dc91c907325c69271ddf0c944bc72-25"',
        "Last-Modified": "Sun, 15 Jun 2025 15:06:40 GMT",
    }
    return Answer(206, bytes(end - int(first)), headers)


def _seconds(form: str | None, now: float) -> float:
    try:
        return float(form or 0)
    except ValueError:
        pass
    try:
        return parsedate_to_datetime(form or "").timestamp() - now
    except ValueError:
        return 0.0
