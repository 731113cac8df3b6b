"""Requests to the servers of feeds and of the pages they link to: one pace per server, and within bounds."""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from urllib.parse import urlsplit

import httpx
from msgspec import Struct
from msgspec.structs import replace

from catchment.core.discreet import Discreet
from catchment.kit import ConfigRejected, PermissionMissing, Session, SourceBusy
from catchment.kit.governor import governor_for
from catchment.kit.http import Anonymous, Http, SignIn, Verdict, retry_after
from catchment.kit.wire import Wire
from connectors.rss.addresses import Place, origin
from connectors.rss.credentials import RSSCredentials

PATIENCE_SECONDS = 3600.0
"""A server that asks for a longer wait is left for a later run: the other feeds do not wait for it."""
_MOST_SERVERS = 64


class BadAddress(ConfigRejected):
    """What a feed links to is no address of a server."""


class Basic(Discreet, Struct, frozen=True):
    """A user name and password."""

    unseen = frozenset({"password"})

    username: str
    password: str

    def headers(self) -> Mapping[str, str]:
        """Return the Authorization header."""
        both = base64.b64encode(f"{self.username}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {both}"}

    def renew(self) -> bool:
        """Say that there is no other."""
        return False


class Web:
    """Asks servers; used by many threads at once.

    What a feed links to was written by strangers. So, whoever made the connector, only the hosts of the feeds
    that a person named may lie in a private network.
    """

    def __init__(self, places: Sequence[Place], credentials: RSSCredentials | None, session: Session) -> None:
        self._session = session
        self._strangers = replace(session, trusted=False)
        self._hosts = {place.host for place in places}
        self._signed = places[0]
        self._credentials = credentials
        self._setting = places[0].setting
        self._wires: dict[bool, Wire] = {}
        self._servers: OrderedDict[str, Http] = OrderedDict()
        self._lock = threading.Lock()

    def get(
        self, url: str, *, accept: frozenset[int], headers: Mapping[str, str], most_bytes: int
    ) -> httpx.Response:
        """Ask for an address; see `catchment.kit.http.Http.request`.

        Raises:
            BadAddress: It is none that can be asked.
            SourceError: As there.
        """
        try:
            server = self._server(url)
            return server.get(url, accept=accept, headers=headers, most_bytes=most_bytes)
        except (ValueError, httpx.InvalidURL) as error:
            raise BadAddress(
                "The address cannot be used.", setting=self._setting, remedy="Check how it is written."
            ) from error

    def close(self) -> None:
        """Let go of connections."""
        with self._lock:
            for wire in self._wires.values():
                wire.close()

    def _server(self, url: str) -> Http:
        name = origin(url)
        with self._lock:
            if name in self._servers:
                self._servers.move_to_end(name)
                return self._servers[name]
            if len(self._servers) >= _MOST_SERVERS:
                self._servers.popitem(last=False)
            self._servers[name] = made = self._make(name)
            return made

    def _make(self, name: str) -> Http:
        is_own = (urlsplit(name).hostname or "") in self._hosts
        session = self._session if is_own else self._strangers
        if is_own not in self._wires:
            self._wires[is_own] = Wire(session, setting=self._setting)
        sign_in = self._sign_in(name)
        who = sign_in.username if isinstance(sign_in, Basic) else ""
        return Http(
            name,
            session,
            sign_in=sign_in,
            governor=governor_for("rss", f"{name}\0{who}"),
            judge=self._judge,
            setting=self._setting,
            transport=self._wires[is_own],
        )

    def _sign_in(self, name: str) -> SignIn:
        """Return the credentials for the server of the first feed, also where it now asks for TLS."""
        given = self._credentials
        mine = origin(self._signed.url)
        if given is None or name not in (mine, mine.replace("http://", "https://", 1)):
            return Anonymous()
        if not given.username and given.password is None:
            return Anonymous()
        return Basic(given.username or "", given.password.get_secret_value() if given.password else "")

    def _judge(self, response: httpx.Response) -> Verdict:
        status, host = response.status_code, response.request.url.host
        if status == httpx.codes.UNAUTHORIZED and "authorization" not in response.request.headers:
            remedy = "Store them: catchment connector credentials."
            if self._credentials is not None:
                remedy = (
                    f"The stored ones are sent to {origin(self._signed.url)} only: write the address of the "
                    "first feed as it begins where it leads to."
                )
            return PermissionMissing(f"{host} asks for a user name and password.", remedy=remedy)
        if status == httpx.codes.FORBIDDEN:
            return PermissionMissing(
                f"{host} does not allow {response.request.url.path}.",
                remedy="Ask the site for access; some keep programs out.",
            )
        if status == httpx.codes.TOO_MANY_REQUESTS or status >= 500:
            seconds = retry_after(response.headers, now=self._session.clock.now())
            if seconds is not None and seconds > PATIENCE_SECONDS:
                return SourceBusy(
                    f"{host} wants to be asked again in {seconds / 3600:.1f} hours only.",
                    retry_after_seconds=seconds,
                    remedy="The next runs try it; a rarer schedule may be right.",
                )
        return None
