"""How connectors reach the outside: proxy, private certificate authority, and what is out of bounds.

One place for every library that talks to a network, so that what is set here holds for all of them. The
operating system's own ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY`` are honoured by the libraries
themselves where no proxy is set here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache

from msgspec import Struct

from catchment.core.errors import ConfigRejected, SourceDown


class Network(Struct, frozen=True):
    """What connectors use to reach a network, and where they may not go.

    Attributes:
        ca_file: File of certificates (PEM) that are trusted instead of the built-in ones.
            ``CATCHMENT_NETWORK_CA_FILE``.
        proxy: URL of the proxy for http and https, without which the system's own settings hold.
            ``CATCHMENT_NETWORK_PROXY``. May hold a password, so it is never shown.
        allowed: Hosts, ``*.domain`` patterns and networks (CIDR) that connectors made through a face may
            reach although they are private. ``CATCHMENT_NETWORK_ALLOWED``, separated by commas.
        guarded: Whether private addresses are out of bounds: for connectors that the operator of the
            machine did not make.
    """

    ca_file: str | None = None
    proxy: str | None = None
    allowed: tuple[str, ...] = ()
    guarded: bool = False

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ, *, guarded: bool = False) -> Network:
        """Read the settings; an empty value is as good as none."""
        allowed = environ.get("CATCHMENT_NETWORK_ALLOWED", "").split(",")
        return cls(
            ca_file=environ.get("CATCHMENT_NETWORK_CA_FILE") or None,
            proxy=environ.get("CATCHMENT_NETWORK_PROXY") or None,
            allowed=tuple(entry.strip().lower() for entry in allowed if entry.strip()),
            guarded=guarded,
        )

    def __repr__(self) -> str:
        """Leave out the proxy: its password may stand in it."""
        return f"Network(ca_file={self.ca_file!r}, guarded={self.guarded})"

    def require_reachable(self, host: str, *, setting: str) -> None:
        """Refuse a host that a guarded connector may not reach.

        Every address that the name stands for must be public, or allowed. A name can stand for another
        address a moment later, so whoever opens sockets itself asks again with the address it uses.

        Args:
            host: Name or address.
            setting: The setting that the host came from.

        Raises:
            ConfigRejected: It is private, and on no list.
            SourceDown: The name cannot be looked up.
        """
        if not self.guarded or self._is_allowed(host, None):
            return
        import ipaddress
        import socket

        try:
            found = {entry[4][0] for entry in socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)}
        except (OSError, UnicodeError) as error:
            raise SourceDown(f"The host {host} cannot be looked up.") from error
        for text in found:
            address = ipaddress.ip_address(str(text).partition("%")[0])
            mapped = getattr(address, "ipv4_mapped", None) or address
            if not mapped.is_global and not self._is_allowed(host, mapped):
                raise ConfigRejected(
                    f"This connector may not reach {host}: it is an address of a private network.",
                    setting=setting,
                    remedy="Have the operator add it to CATCHMENT_NETWORK_ALLOWED, or make the connector "
                    "at the command line.",
                )

    def is_allowed_name(self, host: str) -> bool:
        """Whether the operator has allowed this very name, wherever it leads."""
        return self._is_allowed(host, None)

    def _is_allowed(self, host: str, address: object) -> bool:
        import ipaddress

        name = host.lower().strip("[]").rstrip(".")
        for entry in self.allowed:
            if name == entry or (entry.startswith("*.") and name.endswith(entry[1:])):
                return True
            try:
                network = ipaddress.ip_network(entry, strict=False)
                if (address or ipaddress.ip_address(name)) in network:
                    return True
            except (ValueError, TypeError):
                continue
        return False


@cache
def network_settings(*, guarded: bool) -> Network:
    """Read the settings once per process."""
    return Network.read(guarded=guarded)
