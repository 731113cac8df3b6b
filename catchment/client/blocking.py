"""Steps, taken by a thread that waits for each."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from typing import Any, TypeVar

import httpx

from catchment.client import wire
from catchment.client.session import Part, Session
from catchment.client.steps import END, Answer, Begin, Call, Cut, Pause, Send, Step, Steps, Take, Tell

T = TypeVar("T")


class Driver:
    """Takes steps over one pool of connections. Threads may share it."""

    def __init__(self, http: httpx.Client, sleep: Callable[[float], None] = time.sleep) -> None:
        self.http = http
        self._sleep = sleep

    def run(self, steps: Steps[T]) -> T:
        """Take all steps of an operation and return its result."""
        try:
            step = next(steps)
            while True:
                try:
                    outcome = self._take(step)
                except Exception as error:
                    step = steps.throw(error)
                else:
                    step = steps.send(outcome)
        except StopIteration as end:
            result: T = end.value
            return result
        finally:
            steps.close()

    def _take(self, step: Step) -> Any:
        match step:
            case Send(call):
                return self._send(call)
            case Pause(seconds):
                self._sleep(seconds)
            case Begin(iterable):
                if not isinstance(iterable, Iterable):
                    raise TypeError("Only AsyncClient takes what is no plain iterable.")
                return iter(iterable)
            case Take(iterator):
                return next(iterator, END)
            case Tell(listener, value):
                if inspect.isawaitable(listener(value)):
                    raise TypeError("Only AsyncClient calls back coroutine functions.")
        return None

    def _send(self, call: Call) -> Answer | Cut:
        with ExitStack() as opened:
            try:
                return wire.answer_of(
                    self.http.request(call.method, call.path, **wire.arguments(call, opened))
                )
            except httpx.HTTPError as error:
                return wire.cut_by(error)


class BlockingPart(Part):
    """A subject of `Client`."""

    def __init__(self, session: Session, driver: Driver) -> None:
        self.session = session
        self.driver = driver

    def perform(self, steps: Steps[T], made: Callable[[Any, T], Any] | None = None) -> Any:
        """Take steps to their end and return their result, or what is made of it."""
        result = self.driver.run(steps)
        return result if made is None else made(self, result)
