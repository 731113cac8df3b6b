"""Files that people upload, and the host that hands them out to whoever has an address that has not ended."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from catchment.simulators.notion.things import minute
from catchment.simulators.wire import Reply, Request

GOOD_SECONDS = 3600.0
_PLACE = re.compile(r"upload:(\d+)")
_PATH = re.compile(r"/signed/(\d+)/[^/]+")


@dataclass(slots=True)
class Upload:
    """One file."""

    name: str
    data: bytes
    media_type: str


class Uploads:
    """What was uploaded, by number."""

    def __init__(self) -> None:
        self._uploads: list[Upload] = []

    def add(self, name: str, data: bytes, media_type: str) -> dict[str, Any]:
        """Keep a file, and return what stands in a block or property about it."""
        self._uploads.append(Upload(name, data, media_type))
        place = {"url": f"upload:{len(self._uploads) - 1}", "expiry_time": ""}
        return {"type": "file", "name": name, "file": place}

    def signed(self, told: Any, *, base_url: str, now: float) -> Any:
        """Return an answer with addresses, good for an hour, where files stand in it."""
        if not self._uploads:
            return told
        if isinstance(told, list):
            return [self.signed(each, base_url=base_url, now=now) for each in told]
        if not isinstance(told, dict):
            return told
        place = _PLACE.fullmatch(told["url"]) if isinstance(told.get("url"), str) else None
        if place is None:
            return {name: self.signed(each, base_url=base_url, now=now) for name, each in told.items()}
        number, ends = int(place[1]), int(now + GOOD_SECONDS)
        name = quote(self._uploads[number].name)
        query = f"X-Amz-Expires={ends}&X-Amz-Signature={_signature(number, ends)}"
        return {"url": f"{base_url}/signed/{number}/{name}?{query}", "expiry_time": minute(ends)}

    def answer(self, request: Request, *, now: float) -> Reply | None:
        """Hand out a file, as its host would; None where another is asked."""
        found = _PATH.fullmatch(request.path)
        if found is None:
            return None
        number, ends = int(found[1]), int(request.query.get("X-Amz-Expires") or 0)
        if "authorization" in request.headers:
            return _refused(400, "InvalidArgument", "Only one auth mechanism allowed")
        if request.query.get("X-Amz-Signature") != _signature(number, ends):
            return _refused(403, "SignatureDoesNotMatch", "The request signature does not match.")
        if now >= ends:
            return _refused(403, "AccessDenied", "Request has expired")
        upload = self._uploads[number]
        return Reply(200, upload.data, {"Content-Type": upload.media_type})


def _signature(number: int, ends: int) -> str:
    return hashlib.sha256(f"upload {number} {ends}".encode()).hexdigest()


def _refused(status: int, code: str, message: str) -> Reply:
    body = f"<Error><Code>{code}</Code><Message>{message}</Message></Error>"
    return Reply(status, body.encode(), {"Content-Type": "application/xml"})
