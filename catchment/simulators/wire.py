"""What travels between a simulator and its client: requests as it sees them, replies as it makes them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit


@dataclass(frozen=True, slots=True)
class Request:
    """One request.

    Attributes:
        method: Verb in capitals.
        path: Path, still quoted.
        query: Parameters; of one that is repeated the last counts, all stand in `pairs`.
        pairs: Parameters as they came.
        headers: By name in small letters.
        body: Bytes.
        base_url: Address of the simulator, as links in its answers must have it.
    """

    method: str
    path: str
    query: Mapping[str, str]
    pairs: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    body: bytes
    base_url: str

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str], body: bytes, base_url: str) -> Request:
        """Read the first line of a request."""
        parts = urlsplit(target)
        pairs = tuple(parse_qsl(parts.query, keep_blank_values=True))
        return cls(method, parts.path, dict(pairs), pairs, headers, body, base_url)

    def json(self) -> Any:
        """Return the body as JSON; None where it is empty or no JSON."""
        try:
            return json.loads(self.body) if self.body else None
        except ValueError:
            return None

    def link(self, **changed: str | int) -> str:
        """Return this request's own address with other parameters."""
        merged = {**self.query, **{name: str(value) for name, value in changed.items()}}
        return f"{self.base_url}{self.path}?{urlencode(merged)}"


@dataclass(slots=True)
class Reply:
    """One answer.

    Attributes:
        status: HTTP status.
        body: JSON where it is neither bytes nor None.
        headers: Sent along; the type and length of the content are added where they are missing.
        cut_after: Break the connection after so many bytes of the body.
        drip_seconds: Pause after each byte of the body.
    """

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    drip_seconds: float = 0.0

    def content(self) -> bytes:
        """Return the bytes of the body."""
        if self.body is None:
            return b""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()
