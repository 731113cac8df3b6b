"""Steps, taken by a coroutine that awaits each."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterable, Awaitable, Callable
from contextlib import ExitStack
from typing import Any, TypeVar

import httpx

from catchment.client import wire
from catchment.client.session import Part, Session
from catchment.client.steps import END, Answer, Begin, Call, Cut, Pause, Send, Step, Steps, Take, Tell

T = TypeVar("T")


class AsyncDriver:
    """Takes steps over one pool of connections. Tasks of one loop may share it."""

    def __init__(
        self, http: httpx.AsyncClient, sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    ) -> None:
        self.http = http
        self._sleep = sleep

    async def run(self, steps: Steps[T]) -> T:
        """Take all steps of an operation and return its result."""
        try:
            step = next(steps)
            while True:
                try:
                    outcome = await self._take(step)
                except Exception as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            steps.close()

    async def _take(self, step: Step) -> Any:
        match step:
            case Send(call):
                return await self._send(call)
            case Pause(seconds):
                await self._sleep(seconds)
            case Begin(iterable):
                return aiter(iterable) if isinstance(iterable, AsyncIterable) else iter(iterable)
            case Take(iterator):
                return await anext(iterator, END) if hasattr(iterator, "__anext__") else next(iterator, END)
            case Tell(listener, value):
                told = listener(value)
                if inspect.isawaitable(told):
                    await told
        return None

    async def _send(self, call: Call) -> Answer | Cut:
        with ExitStack() as opened:
            try:
                return wire.answer_of(
                    await self.http.request(call.method, call.path, **wire.arguments(call, opened))
                )
            except httpx.HTTPError as error:
                return wire.cut_by(error)


class AsyncPart(Part):
    """A subject of `AsyncClient`."""

    def __init__(self, session: Session, driver: AsyncDriver) -> None:
        self.session = session
        self.driver = driver

    async def perform(self, steps: Steps[T], made: Callable[[Any, T], Any] | None = None) -> Any:
        """Take steps to their end and return their result, or what is made of it."""
        result = await self.driver.run(steps)
        return result if made is None else made(self, result)
