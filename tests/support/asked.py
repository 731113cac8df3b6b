"""A face that everything is asked of, and what may have come of it: the store, row by row."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import UUID

import pytest
from sqlalchemy import select

from catchment.services import access, spaces
from catchment.store.engine import reading
from catchment.store.tables import metadata
from tests.support.faces import Served, served
from tests.support.living import Living
from tests.support.operations import Operation, least

CHUNK = 64 * 1024


@dataclass
class Answer:
    """What the application said to a request that no client library would send."""

    status_code: int
    headers: list[tuple[bytes, bytes]]
    text: str
    chunks: int
    """How many parts of the body it took."""


@dataclass
class Asked:
    """Two tenants of one store in which something is going on, and ways to ask.

    Attributes:
        served: The application.
        here: What our tenant has.
        there: What the other tenant has.
    """

    served: Served
    here: Living
    there: Living
    _headers: dict[str, str] = field(init=False)

    def __post_init__(self) -> None:
        self._headers = {"Authorization": f"Bearer {self.served.variables['tok_admin']}"}

    def path(self, operation: Operation, **other: str) -> str:
        """Fill the path of an operation with what is there, or with other things."""
        names = operation.parameters("path")
        meant = {name: other.get(name) or self.here.means(name, operation.label, "x") for name in names}
        return operation.path.format(**{name: quote(value, safe="") for name, value in meant.items()})

    def ask(self, operation: Operation, path: str, *, headers: Mapping[str, str] = {}, **more: Any) -> Any:
        """Send a request as the admin of our tenant, with every header that the operation needs."""
        needed = dict.fromkeys(operation.parameters("header"), "key")
        sent = {**needed, **self._headers, **headers}
        return self.served.client.request(operation.method, path, headers=sent, **more)

    def send(self, operation: Operation, path: str, **more: Any) -> Any:
        """Send a request that could be carried out but for what a test puts into it."""
        if operation.body is not None and "json" not in more:
            more["json"] = self.here.working(operation.label, least(operation.body))
        if operation.is_form:
            more["files"] = [("files", ("a.txt", b"words", "text/plain"))]
        query = {"collection_id": self.here.collection, "space_id": self.here.space}
        needed = {name: query[name] for name in operation.parameters("query") if name in query}
        return self.ask(operation, path, params={**needed, **more.pop("params", {})}, **more)

    def raw(
        self,
        method: str,
        path: str,
        *,
        headers: Mapping[str, bytes] = {},
        query: bytes = b"",
        body: Iterable[bytes] = (b"",),
    ) -> Answer:
        """Speak to the application itself, past what a client library or a server would refuse to hand on."""
        chunks = 0
        said: list[Any] = []
        parts = iter(body)
        lines = {**{name: value.encode() for name, value in self._headers.items()}, **headers}

        async def receive() -> Any:
            nonlocal chunks
            part = next(parts, None)
            chunks += part is not None
            return {"type": "http.request", "body": part or b"", "more_body": part is not None}

        async def send(message: Any) -> None:
            said.append(message)

        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "path": path,
            "raw_path": quote(path).encode(),
            "query_string": query,
            "root_path": "",
            "scheme": "http",
            "headers": [(name.lower().encode(), value) for name, value in lines.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 2),
        }
        asyncio.run(asyncio.wait_for(self.served.client.app(scope, receive, send), 60))  # type: ignore[arg-type]
        text = b"".join(message.get("body", b"") for message in said[1:]).decode()
        return Answer(said[0]["status"], said[0]["headers"], text, chunks)

    def everything(self) -> dict[str, Any]:
        """Return all rows of the store, all files, and what Prefect was sent."""
        rows = rows_in(self.served)
        files = sorted(map(str, self.served.context.blobs.all()))
        return {**rows, "files": files, "sent": [one for one in self.served.wire.bodies if one]}

    @contextmanager
    def unchanged(self) -> Iterator[None]:
        """Whatever is asked meanwhile must leave everything as it was."""
        before = self.everything()
        yield
        after = self.everything()
        changed = {name for name in before if before[name] != after[name]}
        assert not changed, f"something became of it: {sorted(changed)}"


def rows_in(face: Served) -> dict[str, Any]:
    """Return all rows of the store."""
    with reading(face.context.engine) as connection:
        return {
            table.name: [tuple(row) for row in connection.execute(select(table))]
            for table in metadata.sorted_tables
        }


def everything_in(face: Served) -> str:
    """Return all rows of the store, and all that Prefect was sent, to look for a word in it."""
    return repr(rows_in(face)) + repr(face.wire.bodies)


def written(log: pytest.LogCaptureFixture) -> str:
    """Return what was logged, but for the lines of the test's own client."""
    return "".join(map(repr, (record.__dict__ for record in log.records if record.name != "httpx")))


@contextmanager
def asked(home: Path, store_url: str | None = None) -> Iterator[Asked]:
    """Serve a home, or another store, with two tenants."""
    with pytest.MonkeyPatch.context() as patch, served(home, patch, store_url) as face:
        owner = access.authenticate(face.context, face.variables["tok_other_tenant"])
        space = spaces.list_spaces(face.context, owner)[0].id
        collection = spaces.list_collections(face.context, owner, space_id=space)[-1].row.id
        names = {
            "tok_admin": face.variables["tok_other_tenant"],
            "space_id": str(UUID(space)),
            "collection_id": str(UUID(collection)),
        }
        there = replace(face, variables={**face.variables, **names})
        yield Asked(face, Living(face), Living(there))
