"""The two clients: their subjects, and which operations those have."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self

import httpx

from catchment.client import collections, connectors, documents, files, jobs, push, wire
from catchment.client import search as searching
from catchment.client.awaiting import AsyncDriver, AsyncPart
from catchment.client.blocking import BlockingPart, Driver
from catchment.client.method import awaited, blocking
from catchment.client.replies import JobReport
from catchment.client.retries import Retries
from catchment.client.session import Session, checked_token, shown_address
from catchment.core.clock import Clock, SystemClock

TIMEOUT_SECONDS = 60.0
"""The removal of a connector waits up to 25 s for its job."""


class Job(jobs.Followed, BlockingPart):
    """A job of the server, to be waited for or cancelled."""

    def __init__(self, part: BlockingPart, report: JobReport) -> None:
        super().__init__(part.session, part.driver)
        self.report = report

    refresh = blocking(jobs.refresh)
    wait = blocking(jobs.wait)
    cancel = blocking(jobs.cancel)


class Connectors(BlockingPart):
    """Connectors."""

    create = blocking(connectors.create)
    create_pushed = blocking(connectors.create_pushed)
    get = blocking(connectors.get)
    find = blocking(connectors.find)
    list = blocking(connectors.list_all)
    update = blocking(connectors.update)
    delete = blocking(connectors.delete)
    pause = blocking(connectors.pause)
    resume = blocking(connectors.resume)
    sync = blocking(connectors.sync, Job)
    refresh_permissions = blocking(connectors.refresh_permissions, Job)
    test = blocking(connectors.test)
    browse = blocking(connectors.browse)
    cursor = blocking(connectors.cursor)


class Jobs(BlockingPart):
    """Jobs."""

    get = blocking(jobs.get_report, Job)
    list = blocking(jobs.list_reports)
    cancel_current = blocking(jobs.cancel_current)


class Documents(BlockingPart):
    """Documents."""

    push = blocking(push.push)
    list = blocking(documents.list_all)
    get = blocking(documents.get)
    delete = blocking(documents.delete)


class Files(BlockingPart):
    """Source files."""

    list = blocking(files.list_all)
    upload = blocking(files.upload)
    delete = blocking(files.delete)


class Spaces(BlockingPart):
    """Spaces."""

    list = blocking(collections.list_spaces)
    create = blocking(collections.create_space)


class Collections(BlockingPart):
    """Collections."""

    list = blocking(collections.list_collections)
    get = blocking(collections.get_collection)
    create = blocking(collections.create_collection)
    update = blocking(collections.update_collection)
    delete = blocking(collections.delete_collection)


class Client(BlockingPart):
    """A server, asked by threads that wait and may share it; close it, or use it as a context manager."""

    def __init__(
        self,
        address: str,
        token: str,
        *,
        retries: Retries | None = None,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx.BaseTransport | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Clock | None = None,
    ) -> None:
        """Prepare the connection; nothing is sent yet.

        Args:
            address: Of the server, such as ``http://127.0.0.1:8377``.
            token: What ``catchment token add`` showed.
            retries: How patient to be.
            timeout: Most seconds of silence in one request.
            transport: Takes the place of the network.
            sleep: Takes the place of the clock, with `clock`.
            clock: See `sleep`.

        Raises:
            Invalid: The address is none, or the token cannot be one.
        """
        session = _session(address, token, retries, clock)
        settings = wire.settings(session.address, token, timeout=timeout)
        super().__init__(session, Driver(httpx.Client(**settings, transport=transport), sleep))
        self.connectors = Connectors(session, self.driver)
        self.jobs = Jobs(session, self.driver)
        self.documents = Documents(session, self.driver)
        self.files = Files(session, self.driver)
        self.spaces = Spaces(session, self.driver)
        self.collections = Collections(session, self.driver)

    search = blocking(searching.search)
    overview = blocking(searching.overview)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self.driver.http.close()


class AsyncJob(jobs.Followed, AsyncPart):
    """A job of the server, to be awaited or cancelled."""

    def __init__(self, part: AsyncPart, report: JobReport) -> None:
        super().__init__(part.session, part.driver)
        self.report = report

    refresh = awaited(jobs.refresh)
    wait = awaited(jobs.wait)
    cancel = awaited(jobs.cancel)


class AsyncConnectors(AsyncPart):
    """Connectors."""

    create = awaited(connectors.create)
    create_pushed = awaited(connectors.create_pushed)
    get = awaited(connectors.get)
    find = awaited(connectors.find)
    list = awaited(connectors.list_all)
    update = awaited(connectors.update)
    delete = awaited(connectors.delete)
    pause = awaited(connectors.pause)
    resume = awaited(connectors.resume)
    sync = awaited(connectors.sync, AsyncJob)
    refresh_permissions = awaited(connectors.refresh_permissions, AsyncJob)
    test = awaited(connectors.test)
    browse = awaited(connectors.browse)
    cursor = awaited(connectors.cursor)


class AsyncJobs(AsyncPart):
    """Jobs."""

    get = awaited(jobs.get_report, AsyncJob)
    list = awaited(jobs.list_reports)
    cancel_current = awaited(jobs.cancel_current)


class AsyncDocuments(AsyncPart):
    """Documents."""

    push = awaited(push.push)
    list = awaited(documents.list_all)
    get = awaited(documents.get)
    delete = awaited(documents.delete)


class AsyncFiles(AsyncPart):
    """Source files."""

    list = awaited(files.list_all)
    upload = awaited(files.upload)
    delete = awaited(files.delete)


class AsyncSpaces(AsyncPart):
    """Spaces."""

    list = awaited(collections.list_spaces)
    create = awaited(collections.create_space)


class AsyncCollections(AsyncPart):
    """Collections."""

    list = awaited(collections.list_collections)
    get = awaited(collections.get_collection)
    create = awaited(collections.create_collection)
    update = awaited(collections.update_collection)
    delete = awaited(collections.delete_collection)


class AsyncClient(AsyncPart):
    """A server, asked by tasks of one loop; close it, or use it with ``async with``."""

    def __init__(
        self,
        address: str,
        token: str,
        *,
        retries: Retries | None = None,
        timeout: float = TIMEOUT_SECONDS,
        transport: httpx.AsyncBaseTransport | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        clock: Clock | None = None,
    ) -> None:
        """Prepare the connection; nothing is sent yet. The arguments are those of `Client`."""
        session = _session(address, token, retries, clock)
        settings = wire.settings(session.address, token, timeout=timeout)
        http = httpx.AsyncClient(**settings, transport=transport)
        super().__init__(session, AsyncDriver(http, sleep))
        self.connectors = AsyncConnectors(session, self.driver)
        self.jobs = AsyncJobs(session, self.driver)
        self.documents = AsyncDocuments(session, self.driver)
        self.files = AsyncFiles(session, self.driver)
        self.spaces = AsyncSpaces(session, self.driver)
        self.collections = AsyncCollections(session, self.driver)

    search = awaited(searching.search)
    overview = awaited(searching.overview)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close the connections."""
        await self.driver.http.aclose()


def _session(address: str, token: str, retries: Retries | None, clock: Clock | None) -> Session:
    return Session(shown_address(address), checked_token(token), retries or Retries(), clock or SystemClock())
