"""The ports of the server and of the API: the one asked for, else that of last time, else a free one."""

from __future__ import annotations

import socket
from pathlib import Path

from msgspec import Struct

from catchment.core.errors import ConfigRejected
from catchment.local.paths import write_private

LOOPBACK = "127.0.0.1"


class Door(Struct, frozen=True):
    """What is known of a port before it is opened.

    Attributes:
        setting: Environment variable that asks for a port.
        memory: File under ``run`` that remembers the port; None for one that is not remembered.
        host: Address to listen on.
        usual: Port that is tried first where none was asked for and none is remembered; 0: any.
    """

    setting: str
    memory: str | None
    host: str = LOOPBACK
    usual: int = 0


PREFECT = Door("CATCHMENT_STACK_SERVER_PORT", "port")


def open_port(home: Path, asked: int, door: Door = PREFECT) -> socket.socket:
    """Listen, and remember the port for the next start.

    Args:
        home: folder of the installation.
        asked: port of the settings; 0 leaves the choice.
        door: which port it is.

    Raises:
        ConfigRejected: the asked port is in use, or the address is not one of this machine.
    """
    try:
        listener = _listen(door.host, asked) if asked else _listen_as_before(home, door)
    except OSError as error:
        raise ConfigRejected(
            f"Port {asked} of {door.setting} cannot be used on {door.host}: {error.strerror}.",
            setting=door.setting,
            remedy="Choose another port, or leave the setting out and a free one is found.",
        ) from error
    if door.memory is not None:
        write_private(home / "run" / door.memory, str(listener.getsockname()[1]))
    return listener


def address_of(listener: socket.socket) -> str:
    """Return the address at which a listener is reached from this machine, without a slash at the end."""
    host, port = listener.getsockname()[:2]
    reached = {"0.0.0.0": LOOPBACK, "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)  # noqa: S104
    return f"http://{reached}:{port}"


def _listen_as_before(home: Path, door: Door) -> socket.socket:
    for port in (_remembered(home, door), door.usual):
        try:
            if port:
                return _listen(door.host, port)
        except (OSError, OverflowError):
            continue
    return _listen(door.host, 0)


def _remembered(home: Path, door: Door) -> int:
    try:
        return int((home / "run" / door.memory).read_text(encoding="ascii")) if door.memory else 0
    except (OSError, ValueError):
        return 0


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # Named: asyncio sends small answers at once only on what it knows for TCP, else they take 40 ms longer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        # Connections of the last life may linger for a minute; a living listener is still refused.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        # Listening from here on: another program cannot bind, and early clients wait instead of failing.
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener
