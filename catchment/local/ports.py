"""The server's port: the one asked for, else that of last time, else a free one."""

from __future__ import annotations

import socket
from pathlib import Path

from catchment.core.errors import ConfigRejected
from catchment.local.paths import write_private


def open_port(home: Path, asked: int) -> socket.socket:
    """Listen on the loopback address and remember the port for the next start.

    Args:
        home: folder of the installation.
        asked: port of the settings; 0 leaves the choice.

    Raises:
        ConfigRejected: the asked port is in use.
    """
    if asked:
        try:
            listener = _listen(asked)
        except OSError as error:
            raise ConfigRejected(
                f"Port {asked} of CATCHMENT_STACK_SERVER_PORT cannot be used: {error.strerror}.",
                setting="CATCHMENT_STACK_SERVER_PORT",
                remedy="Choose another port, or leave the setting out and a free one is found.",
            ) from error
    else:
        listener = _listen_as_before(home)
    write_private(home / "run" / "port", str(listener.getsockname()[1]))
    return listener


def _listen_as_before(home: Path) -> socket.socket:
    try:
        return _listen(int((home / "run" / "port").read_text(encoding="ascii")))
    except (OSError, ValueError, OverflowError):
        return _listen(0)


def _listen(port: int) -> socket.socket:
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        # Connections of the last life may linger for a minute; a living listener is still refused.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
        # Listening from here on: another program cannot bind, and early clients wait instead of failing.
        listener.listen(128)
    except BaseException:
        listener.close()
        raise
    return listener
