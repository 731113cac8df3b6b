"""How HTTP is read: by httptools, with a bound on the head of a request.

The server's own protocol keeps whatever comes until a head is complete, however long it gets.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MOST_HEAD_BYTES = 64 * 1024
"""Of one request's line and headers; answered with 400 above. Browsers and proxies stop at 8 to 16 KiB."""
_REFUSAL = f"The head of a request may have {MOST_HEAD_BYTES} bytes."


class BoundedProtocol(HttpToolsProtocol):
    """One connection of a client."""

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._in_head = True
        self._head_bytes = 0
        self._ended = True
        self._requests = 0

    def on_message_begin(self) -> None:
        """Begin to count; the server calls this at the first byte of a request."""
        self._in_head, self._head_bytes, self._ended = True, 0, False
        self._requests += 1
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """Know that what follows is another request."""
        self._ended = True
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        """Refuse a head that came in one piece and is too long, before anybody acts on it."""
        self._in_head = False
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MOST_HEAD_BYTES:
            raise ValueError(_REFUSAL)
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        """Take what came, and refuse a head that does not end.

        Where a head begins behind another request in the same piece is not told, so that such a piece is not
        counted: the server reads 256 KiB at a time, at the most.
        """
        self._requests = 0 if self._ended else 1
        super().data_received(data)
        if not self._in_head or self._requests > 1:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MOST_HEAD_BYTES and not self.transport.is_closing():
            self.send_400_response(_REFUSAL)
