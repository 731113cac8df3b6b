"""The wire under `catchment.kit.http`: it listens to the stop signal, and keeps guarded connectors in bounds.

httpx waits for an answer as long as its timeout, whatever happens meanwhile; here every wait for bytes looks
whether the run must end. A name is looked up here, once, and the very address that was found allowed is
connected to: a name that stands for another address a moment later gains nothing.
"""

from __future__ import annotations

import socket
import ssl
import time
import urllib.request
from collections.abc import Iterable
from functools import cache
from typing import Any

import httpcore
import httpx

from catchment.kit.session import Session

TICK_SECONDS = 0.5
"""How long a wait for bytes goes on before it looks whether the run must end."""
_MOST_CONNECTIONS = 32
_KEPT_CONNECTIONS = 16
_KEPT_SECONDS = 30.0


class Wire(httpx.BaseTransport):
    """Sends requests, over the proxy where one is set.

    Args:
        session: Stop signal and network of the run.
        setting: The setting that addresses come from, for errors.
    """

    def __init__(self, session: Session, *, setting: str = "") -> None:
        network = session.network
        tls = _trust(network.ca_file)
        backend = _Backend(session, setting)
        self._fixed = network.proxy
        self._direct = _transport(tls, backend, None)
        self._over: dict[str, httpx.HTTPTransport] = {}
        self._proxies: dict[tuple[str, str], str | None] = {}
        self._tls, self._session = tls, session

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        """Send one request.

        Raises:
            httpx.HTTPError: It was not answered.
            RunCancelled: The run was asked to stop.
        """
        proxy = self._proxy_for(request.url)
        if proxy is None:
            return self._direct.handle_request(request)
        if proxy not in self._over:
            # The operator's own proxy may stand in a private network; what it may reach is asked elsewhere.
            self._over[proxy] = _transport(self._tls, _Backend(self._session, None), proxy)
        return self._over[proxy].handle_request(request)

    def close(self) -> None:
        """Let go of connections."""
        for transport in (self._direct, *self._over.values()):
            transport.close()

    def _proxy_for(self, url: httpx.URL) -> str | None:
        if self._fixed is not None:
            return self._fixed
        # The whole environment is read for an answer: 0.3 ms, a sixth of what a request costs.
        server = (url.scheme, url.host)
        if server not in self._proxies:
            known = {} if urllib.request.proxy_bypass(url.host) else urllib.request.getproxies()
            self._proxies[server] = known.get(url.scheme)
        return self._proxies[server]


@cache
def _trust(ca_file: str | None) -> ssl.SSLContext:
    """Read the certificates that are trusted, once per process: it takes longer than many a request."""
    return httpx.create_ssl_context(verify=ca_file or True)


def _transport(tls: Any, backend: httpcore.NetworkBackend, proxy: str | None) -> httpx.HTTPTransport:
    """Return httpx's transport with connections that are made by `backend`; it has no argument for that."""
    made = httpx.HTTPTransport(verify=tls)
    if proxy is None:
        made._pool = httpcore.ConnectionPool(
            ssl_context=tls,
            max_connections=_MOST_CONNECTIONS,
            max_keepalive_connections=_KEPT_CONNECTIONS,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=backend,
        )
    else:
        address = httpx.Proxy(proxy)
        made._pool = httpcore.HTTPProxy(
            str(address.url),
            proxy_auth=address.raw_auth,
            ssl_context=tls,
            max_connections=_MOST_CONNECTIONS,
            max_keepalive_connections=_KEPT_CONNECTIONS,
            keepalive_expiry=_KEPT_SECONDS,
            network_backend=backend,
        )
    return made


class _Backend(httpcore.SyncBackend):
    """Makes connections that listen to the stop signal, to addresses that are allowed."""

    def __init__(self, session: Session, setting: str | None) -> None:
        self._session = session
        self._setting = setting

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        self._session.check_stop()
        if self._setting is not None:
            self._session.network.require_reachable(host, setting=self._setting)
            host = self._address_of(host, port)
        return _Stream(super().connect_tcp(host, port, timeout, local_address, socket_options), self._session)

    def _address_of(self, host: str, port: int) -> str:
        """Return the address that a name stands for, looked at once more."""
        if not self._session.network.guarded:
            return host
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except OSError as error:
            raise httpcore.ConnectError("the name cannot be looked up") from error
        address = str(found[0][4][0])
        if not self._session.network.is_allowed_name(host):
            self._session.network.require_reachable(address, setting=self._setting or "")
        return address


class _Stream(httpcore.NetworkStream):
    """A connection whose reader looks at the stop signal."""

    def __init__(self, stream: httpcore.NetworkStream, session: Session) -> None:
        self._stream = stream
        self._session = session

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        end = time.monotonic() + timeout if timeout is not None else None
        while True:
            self._session.check_stop()
            rest = TICK_SECONDS if end is None else min(TICK_SECONDS, end - time.monotonic())
            try:
                return self._stream.read(max_bytes, max(rest, 0.001))
            except httpcore.ReadTimeout:
                if end is not None and time.monotonic() >= end:
                    raise

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, timeout), self._session)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)
