"""No request may hang: an application that is watched fails the one that took too long."""

from __future__ import annotations

import time
from typing import Any

MOST_SECONDS = 10.0
"""What one request may take, of the processor: what others take of a busy machine is not its fault."""
PATIENCE_SECONDS = 60.0
"""What it may take by the clock, however busy the machine is."""


class Slow(AssertionError):
    """A request took longer than any may."""


class Prompt:
    """Hands requests on to an application.

    Requests that are answered at the same time share the processor time of each other.
    """

    def __init__(self, app: Any) -> None:
        self.app = app

    @property
    def state(self) -> Any:
        """What the application keeps."""
        return self.app.state

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer, and look at the clocks before the answer goes out.

        Raises:
            Slow: It took too long; a client that hears of no errors gets a 500.
        """
        begun, spent = time.monotonic(), time.process_time()

        async def look(message: Any) -> None:
            took, worked = time.monotonic() - begun, time.process_time() - spent
            is_answer = message["type"] == "http.response.start"
            if is_answer and (worked > MOST_SECONDS or took > PATIENCE_SECONDS):
                path = f"{scope['method']} {scope['path']}"
                raise Slow(f"{path} took {took:.1f} s, and worked for {worked:.1f} s")
            await send(message)

        await self.app(scope, receive, look)
