"""Frames between the parser process and its parent: eight bytes of length, then a pickle.

Requests and answers travel as plain tuples, which costs a third of what pickling the objects does.
Both ends are this program, on one machine, over a pair of sockets that nobody else has.
"""

from __future__ import annotations

import pickle
import socket
import struct
from itertools import starmap
from typing import Any, BinaryIO, NamedTuple

from catchment.core.documents import Chunk, ParsedDocument, ParseFailure, ParseRequest

HEADER = struct.Struct("!Q")


class Limits(NamedTuple):
    """The settings that the child needs, free of the library that reads settings (0.1 s of imports)."""

    seconds: float
    memory_bytes: int
    max_characters: int
    chunk_characters: int


def pack(value: object) -> bytes:
    """One frame."""
    body = pickle.dumps(value, pickle.HIGHEST_PROTOCOL)
    return HEADER.pack(len(body)) + body


def send(channel: socket.socket, value: object) -> None:
    """Write one frame to a blocking socket. Raises OSError when the other end is gone."""
    channel.sendall(pack(value))


def receive(stream: BinaryIO) -> Any:
    """Read one frame from a buffered stream. Raises EOFError when the other end is gone."""
    (size,) = HEADER.unpack(_exactly(stream, HEADER.size))
    return pickle.loads(_exactly(stream, size))  # noqa: S301 - our own parent wrote it


def request_to_tuple(request: ParseRequest) -> tuple[Any, ...]:
    """A request as it travels."""
    return (request.name, request.content_type, request.body, request.spool_path)


def request_from_tuple(fields: tuple[Any, ...]) -> ParseRequest:
    """The request at the other end."""
    return ParseRequest(*fields)


def answer_to_tuple(answer: ParsedDocument | ParseFailure) -> tuple[Any, ...]:
    """An answer as it travels."""
    if isinstance(answer, ParseFailure):
        return (answer.reason, answer.message)
    return (
        answer.text,
        answer.content_type,
        answer.title,
        answer.author,
        [tuple(chunk) for chunk in answer.chunks],
        answer.notes,
        answer.warnings,
        answer.metadata,
    )


def answer_from_tuple(fields: tuple[Any, ...]) -> ParsedDocument | ParseFailure:
    """The answer at the other end."""
    if len(fields) == 2:
        return ParseFailure(*fields)
    text, content_type, title, author, chunks, notes, warnings, metadata = fields
    return ParsedDocument(
        text, content_type, title, author, list(starmap(Chunk, chunks)), notes, warnings, metadata
    )


def _exactly(stream: BinaryIO, size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError
    return data
