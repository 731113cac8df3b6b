"""Bytes of files, from wherever Notion says that they lie: without its token, and within bounds."""

from __future__ import annotations

import threading
from urllib.parse import urlsplit

import httpx

from catchment.core.errors import AuthRejected, PermissionMissing
from catchment.kit import Content, Item, ItemUnreadable, Session, SourceBusy
from catchment.kit.governor import Governor
from catchment.kit.http import Anonymous, Http, Missing, Verdict, retry_after
from catchment.kit.media import declared_type
from catchment.kit.streams import Lent

LONGEST_WAIT_SECONDS = 300.0
"""A host that wants to be left alone for longer than this fails the file, and holds nothing else up."""
_MOST_HOSTS = 16


class Downloads:
    """Opens files at any host; used by many threads at once."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._hosts: dict[str, Http] = {}
        self._lock = threading.Lock()

    def open(self, item: Item, address: str) -> Content:
        """Return the bytes at an address as a stream.

        Raises:
            ItemUnreadable: The address is none; gone, or permission, as its host says.
            SourceError: The host does not answer, or lies out of bounds.
        """
        parts = urlsplit(address)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ItemUnreadable(item.key, "bad_address", "Notion names no address that a file could have.")
        lent = self._host(f"{parts.scheme}://{parts.netloc}").stream(address)
        try:
            response = lent.__enter__()
        except Missing as error:
            raise ItemUnreadable(item.key, "gone", "The host of the file has it no more.") from error
        except (AuthRejected, PermissionMissing) as error:
            raise ItemUnreadable(item.key, "permission", "The host does not hand the file out.") from error
        told = declared_type(response.headers.get("content-type"))
        return Content(Lent(lent, response).buffered(), told or item.content_type, item)

    def close(self) -> None:
        """Let go of connections."""
        for http in self._hosts.values():
            http.close()

    def _host(self, base: str) -> Http:
        with self._lock:
            if base not in self._hosts:
                made = Http(base, self._session, sign_in=Anonymous(), governor=Governor(), judge=self._judge)
                if len(self._hosts) >= _MOST_HOSTS:
                    return made
                self._hosts[base] = made
            return self._hosts[base]

    def _judge(self, response: httpx.Response) -> Verdict:
        asked = retry_after(response.headers, now=self._session.clock.now()) if response.is_error else None
        if asked is not None and asked > LONGEST_WAIT_SECONDS:
            return SourceBusy("The host of the file wants to be left alone.", retry_after_seconds=asked)
        return None
