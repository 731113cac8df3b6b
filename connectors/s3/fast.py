"""Bodies by obstore, which needs a quarter of boto3's time, for keys that it reads as they are written.

It renames some keys, follows redirects, and tells its errors in prose, without their headers. So it is asked
only for plain keys, only by connectors of the operator, and whatever goes wrong is asked again of boto3,
which says why, and for how long a server wants to be left alone.
"""

from __future__ import annotations

import re
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from catchment.kit import SourceBusy
from connectors.s3.client import Client
from connectors.s3.signin import CONNECT_SECONDS, READ_SECONDS

if TYPE_CHECKING:
    from obstore import GetResult
    from obstore.store import S3Store

# Control characters are refused, empty segments and those of dots alone too; a slash at either end is lost.
_ODD = re.compile(r"[\x00-\x1f\x7f-\x9f\\]|^/|/$|//|(?:^|/)\.{1,2}(?:/|$)")
_BUSY = re.compile(r"status code: (?:429|503)|<Code>SlowDown")
_MOST_MISSES = 8
_KEYS_SECONDS = 120


def is_plain(key: str) -> bool:
    """Tell whether obstore asks for this key and no other."""
    return bool(key) and _ODD.search(key) is None


class Found:
    """An answer of obstore whose body is still to be read."""

    def __init__(self, result: GetResult) -> None:
        meta = result.meta
        self._result = result
        self.etag = meta["e_tag"]
        self.size = int(meta["size"])
        self.modified_at = meta["last_modified"].timestamp()
        self.content_type = str(result.attributes.get("Content-Type") or "") or None

    def read(self) -> bytes | None:
        """Return the body; None when it broke off."""
        first, end = self._result.range
        try:
            body = bytes(self._result.bytes())
        except Exception:
            return None
        return body if len(body) == end - first else None


class Fast:
    """Asks obstore, and falls silent where that is not safe or does not work."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._store: S3Store | None = None
        self._misses = 0
        self._is_refused = False
        bucket = client.config.bucket
        # Access points and directory buckets sign in other ways.
        self._usable = not client.network.guarded and ":" not in bucket and not bucket.endswith("--x-s3")

    def asks(self, key: str) -> bool:
        """Tell whether a key is asked for here, and not of boto3 at once."""
        return self._usable and not self._is_refused and is_plain(key)

    def get(self, key: str, start: int = 0, end: int | None = None, etag: str | None = None) -> Found | None:
        """Return the answer about a key that `asks` is true of, or None where boto3 has to be asked.

        Raises:
            SourceBusy: The server asks for patience.
        """
        try:
            return _ask(self._opened(), key, start, end, etag)
        except Exception as error:
            if _BUSY.search(str(error)):
                self._is_refused = True
                raise SourceBusy(
                    f"{self._client.place.shown} asks for fewer requests.", retry_after_seconds=0
                ) from None
            return None

    def answered(self, *, missed: bool) -> None:
        """Note that boto3 was answered.

        Args:
            missed: Whether obstore was asked before, in vain; after eight times it is asked no more.
        """
        self._is_refused = False
        if missed:
            self._misses += 1
            self._usable = self._misses < _MOST_MISSES

    def _opened(self) -> S3Store:
        with self._lock:
            if self._store is None:
                self._store = _open(self._client)
            return self._store


def _ask(store: S3Store, key: str, start: int, end: int | None, etag: str | None) -> Found | None:
    import obstore

    options: dict[str, Any] = {}
    if end is not None:
        options["range"] = (start, end)
    if etag is not None:
        options["if_match"] = etag
    result = obstore.get(store, key, options=options)  # type: ignore[arg-type]
    return Found(result) if result.meta["path"] == key else None


def _open(client: Client) -> S3Store:
    """Make the store for the region and server that boto3 has found."""
    from obstore.store import S3Store

    config = client.config
    url = client.server
    parts = urlsplit(url)
    virtual = not config.uses_path_style
    endpoint = f"{parts.scheme}://{config.bucket}.{parts.netloc}" if virtual else url
    options: dict[str, Any] = {
        "allow_http": parts.scheme == "http",
        "connect_timeout": f"{CONNECT_SECONDS}s",
        "read_timeout": f"{READ_SECONDS}s",
        "timeout": "1h",
        "pool_max_idle_per_host": "32",
    }
    if client.network.proxy:
        options["proxy_url"] = client.network.proxy
    if client.network.ca_file:
        options["root_certificate"] = Path(client.network.ca_file).read_bytes()
    # All of them are said, because obstore takes what is left out from the environment.
    settings: dict[str, Any] = {
        "client_options": options,
        "retry_config": {"max_retries": 0},
        "endpoint": endpoint,
        "aws_endpoint_url_s3": endpoint,
        "region": client.region,
        "virtual_hosted_style_request": virtual,
        "request_payer": config.requester_pays,
        "skip_signature": config.anonymous,
        "s3_express": False,
        "unsigned_payload": False,
    }
    if not config.anonymous:
        settings["credential_provider"] = lambda: _keys(client)
    return S3Store(config.bucket, **settings)


def _keys(client: Client) -> dict[str, Any]:
    keys = client.sign_in.keys()
    return {
        "access_key_id": keys.access_key_id,
        "secret_access_key": keys.secret_access_key,
        "token": keys.session_token,
        # boto3 renews a role's keys some minutes before they end; asking often costs nothing.
        "expires_at": datetime.now(UTC) + timedelta(seconds=_KEYS_SECONDS),
    }
