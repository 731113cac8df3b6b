"""Bytes of one object, whole or in part: by obstore where it is safe, by boto3 everywhere else."""

from __future__ import annotations

from typing import Any

from msgspec import Struct

from catchment.core.errors import SourceError
from catchment.kit import ItemUnreadable
from connectors.s3.client import Client
from connectors.s3.errors import source_error
from connectors.s3.fast import Fast
from connectors.s3.items import bare


class Got(Struct):
    """The answer to one request for bytes.

    Attributes:
        etag: As the server writes it.
        size: Of the whole object.
        content_type: As the uploader declared it.
        modified_at: POSIX seconds, whole ones.
        body: The bytes; None when the object is larger than was wanted at once.
        stream: An open answer with all bytes of the object, from a server that knows no parts.
    """

    etag: str | None
    size: int
    content_type: str | None
    modified_at: float | None
    body: bytes | None = None
    stream: Any = None


class Bodies:
    """Reads objects of one bucket; may be used by many threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._fast = Fast(client)
        self._has_parts = True

    def whole(self, key: str, *, at_most: int) -> Got:
        """Return a small object; without its body when it turns out to be larger than `at_most` bytes.

        Raises:
            ItemUnreadable: The object cannot be had.
            SourceError: The bucket cannot be read.
        """
        return self._client.pace.run(lambda: self._whole(key, at_most))

    def part(self, key: str, start: int, end: int, *, etag: str | None = None) -> Got:
        """Return the bytes from `start` up to `end`, or as far as the object goes.

        With an ETag they are of that very object, or `ItemUnreadable` says that it has changed. Where the
        server knows no parts, the answer is a stream of the whole object.

        Raises:
            ItemUnreadable: The object cannot be had.
            SourceError: The bucket cannot be read.
        """
        got = self._client.pace.run(lambda: self._part(key, start, end, etag))
        if etag is not None and bare(got.etag) != bare(etag):
            _close(got)
            raise ItemUnreadable(key, "changed", "The object was replaced while it was read.")
        return got

    def read_on(self, stream: Any, size: int) -> bytes:
        """Read the next bytes of an open answer; none at its end.

        Raises:
            SourceDown: The connection broke off.
            RunCancelled: The run was asked to stop meanwhile.
        """
        return self._client.errands.run(lambda: _read(self._client, stream, size))

    def _whole(self, key: str, at_most: int) -> Got:
        is_fast = self._fast.asks(key)
        if is_fast and (found := self._fast.get(key)) is not None:
            got = Got(found.etag, found.size, found.content_type, found.modified_at)
            if found.size <= at_most:
                got.body = found.read()
            if got.body is not None or found.size > at_most:
                return got
        answer = self._client.ask_for(key, "get_object")
        self._fast.answered(missed=is_fast)
        got = _got(answer, size=_length(key, answer))
        if got.size <= at_most:
            got.body = _read_all(self._client, answer["Body"])
        else:
            answer["Body"].close()
        return got

    def _part(self, key: str, start: int, end: int, etag: str | None) -> Got:
        is_fast = self._has_parts and self._fast.asks(key)
        if is_fast and (found := self._fast.get(key, start, end, etag)) is not None:
            body = found.read()
            if body is not None:
                return Got(found.etag, found.size, found.content_type, found.modified_at, body)
        condition = {"IfMatch": etag} if etag else {}
        answer = self._client.ask_for(key, "get_object", Range=f"bytes={start}-{end - 1}", **condition)
        told = str(answer.get("ContentRange") or "")
        if not told:
            self._has_parts = False
            if start:
                answer["Body"].close()
                raise ItemUnreadable(key, "no_parts", "The server stopped answering parts of objects.")
            return _got(answer, size=_length(key, answer), stream=answer["Body"])
        self._fast.answered(missed=is_fast)
        total = told.rpartition("/")[2]
        got = _got(answer, size=int(total) if total.isdecimal() else _length(key, answer))
        got.body = _read_all(self._client, answer["Body"])
        return got


def _got(answer: dict[str, Any], *, size: int, stream: Any = None) -> Got:
    modified = answer.get("LastModified")
    return Got(
        answer.get("ETag"),
        size,
        answer.get("ContentType"),
        modified.timestamp() if modified is not None else None,
        stream=stream,
    )


def _length(key: str, answer: dict[str, Any]) -> int:
    length = answer.get("ContentLength")
    if length is None:
        answer["Body"].close()
        raise ItemUnreadable(key, "no_length", "The server does not say how many bytes the object has.")
    return int(length)


def _read_all(client: Client, body: Any) -> bytes:
    """Read an answer to its end; boto3 raises when that comes before it was promised."""
    try:
        return _read(client, body, None)
    finally:
        body.close()


def _read(client: Client, body: Any, size: int | None) -> bytes:
    try:
        read: bytes = body.read(size)
    except SourceError:
        raise
    except Exception as error:
        raise source_error(error, client.place) from error
    return read


def _close(got: Got) -> None:
    if got.stream is not None:
        got.stream.close()
