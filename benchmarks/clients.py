"""Sixteen clients that ask an HTTP API at once, in a process of their own.

    python -m benchmarks.clients push URL TOKEN CONNECTOR FOLDER    every text of a folder, 50 in a push
    python -m benchmarks.clients read URL TOKEN SECONDS             GET one address for so long

They speak HTTP/1.1 over connections that stay open, with no library in between, which would take as much of
the machine as the server does. Bodies are made before the clock starts. The output is JSON: the seconds from
the first request to the last answer, and the milliseconds of each request.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.naive import walk

CLIENTS = 16
BATCH = 50
TEXTS = (".txt", ".md")
"""Files that a client would push as they are."""

Ask = Callable[[bytes], Awaitable[bytes]]


class WrongAnswer(Exception):
    """The server did not answer as it should, so its figures mean nothing."""


def is_text(path: str) -> bool:
    """Whether a file is one of those that are pushed."""
    return path.endswith(TEXTS)


def push_bodies(folder: Path, connector: str) -> list[bytes]:
    """Return the bodies of all pushes of a folder; the id of a document is its path."""
    documents = [_document(path, file) for path, file, _ in walk(folder) if is_text(path)]
    return [
        json.dumps({"connector_id": connector, "documents": documents[at : at + BATCH]}).encode()
        for at in range(0, len(documents), BATCH)
    ]


def _document(path: str, file: Path) -> dict[str, Any]:
    return {
        "external_id": path,
        "title": file.stem,
        "text": file.read_text(encoding="utf-8"),
        "url": f"https://notes.example/{path}",
        "author": "Ann",
        "date": "2026-01-02T03:04:05Z",
        "tags": [file.suffix[1:]],
        "metadata": {"folder": file.parent.name},
    }


async def push(url: str, token: str, bodies: Sequence[bytes]) -> dict[str, Any]:
    """Push all bodies, each once, as fast as the answers come.

    Raises:
        WrongAnswer: A document of a push was not taken.
    """
    head = f"POST {_target(url)}\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"
    requests = [f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies]
    waiting = iter(requests)
    figures, answers = await _all_ask(url, lambda: waiting)
    taken = sum(json.loads(answer)["documentsIndexed"] for answer in answers)
    sent = sum(len(json.loads(body)["documents"]) for body in bodies)
    if taken != sent:
        raise WrongAnswer(f"{taken} of {sent} documents were taken.")
    return figures


async def read(url: str, token: str, seconds: float) -> dict[str, Any]:
    """Ask for one address for so long, each client again as soon as it has its answer."""
    request = f"GET {_target(url)}\r\nAuthorization: Bearer {token}\r\n\r\n".encode()

    def again() -> Iterator[bytes]:
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            yield request

    figures, _ = await _all_ask(url, again)
    return figures


def _target(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.path} HTTP/1.1\r\nHost: {parts.netloc}"


async def _all_ask(url: str, requests: Callable[[], Iterator[bytes]]) -> tuple[dict[str, Any], list[bytes]]:
    """Let every client send what its iterator yields, and take the time of each answer."""
    milliseconds: list[float] = []
    answers: list[bytes] = []
    parts = urlsplit(url)

    async def client(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for request in requests():
            sent_at = time.perf_counter()
            writer.write(request)
            answers.append(await _answer(reader))
            milliseconds.append((time.perf_counter() - sent_at) * 1000)

    ways = [await asyncio.open_connection(parts.hostname, parts.port) for _ in range(CLIENTS)]
    start = time.perf_counter()
    await asyncio.gather(*(client(*way) for way in ways))
    seconds = time.perf_counter() - start
    for _, writer in ways:
        writer.close()
    return {"seconds": seconds, "milliseconds": milliseconds}, answers


async def _answer(reader: asyncio.StreamReader) -> bytes:
    """Read one answer with a length of its own, and return its body.

    Raises:
        WrongAnswer: Its status is another than 200.
    """
    head = await reader.readuntil(b"\r\n\r\n")
    lines = head.lower().split(b"\r\n")
    length = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
    body = await reader.readexactly(length)
    if not lines[0].startswith(b"http/1.1 200"):
        raise WrongAnswer(f"{lines[0].decode()}: {body[:300]!r}")
    return body


def main() -> None:
    """Run the clients and print the figures as JSON."""
    parser = argparse.ArgumentParser()
    kinds = parser.add_subparsers(dest="kind", required=True)
    pushes, reads = kinds.add_parser("push"), kinds.add_parser("read")
    for kind in (pushes, reads):
        kind.add_argument("url")
        kind.add_argument("token")
    pushes.add_argument("connector")
    pushes.add_argument("folder", type=Path)
    reads.add_argument("seconds", type=float)
    given = parser.parse_args()
    if given.kind == "push":
        job = push(given.url, given.token, push_bodies(given.folder, given.connector))
    else:
        job = read(given.url, given.token, given.seconds)
    print(json.dumps(asyncio.run(job)))


if __name__ == "__main__":
    main()
