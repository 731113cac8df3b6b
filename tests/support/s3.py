"""Servers that speak S3 for tests: moto for meaning, rclone for volume, and a proxy that plays faults.

The proxy stands between the connector and a server and counts what passes. What it does wrong is said in
words of the wire: a status, an error document, a header, a body that breaks off, an answer that never comes.
"""

from __future__ import annotations

import http.client
import logging
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import uuid4

import boto3
from botocore.config import Config

ACCESS_KEY = "access-key-of-the-tests"
SECRET_KEY = "secret-access-key-of-the-tests-40-letters"
_HOP = frozenset({"connection", "transfer-encoding", "keep-alive", "date", "server"})
_PATIENCE_SECONDS = 30


@dataclass(frozen=True)
class Asked:
    """One request as it came to the proxy."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]

    @property
    def key(self) -> str:
        """The object that it is about; empty for the bucket."""
        return unquote(self.path.lstrip("/").partition("/")[2])

    @property
    def is_list(self) -> bool:
        """Whether it asks for a page of a listing."""
        return self.query.get("list-type") == "2"


Match = Callable[[Asked], bool]


def lists(asked: Asked) -> bool:
    """Match listings."""
    return asked.is_list


def gets(asked: Asked) -> bool:
    """Match reading of bodies."""
    return asked.method == "GET" and bool(asked.key)


def heads(asked: Asked) -> bool:
    """Match looking at one object."""
    return asked.method == "HEAD"


def reads(key: str) -> Match:
    """Match reading of one object."""
    return lambda asked: gets(asked) and asked.key == key


@dataclass
class Answer:
    """What the proxy says in the server's place.

    Attributes:
        hang_up: Close the connection without a word.
        cut_after: Send so many bytes of the server's own answer, then close the connection.
        hang: Say nothing until this is set.
        then: Called when the answer is about to be given.
        change: Rewrites the server's own body.
        pass_on: Give the server's own answer after all.
    """

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    hang_up: bool = False
    cut_after: int | None = None
    hang: threading.Event | None = None
    then: Callable[[], object] | None = None
    change: Callable[[bytes], bytes] | None = None
    pass_on: bool = False


def error(
    code: str, status: int, message: str = "", headers: dict[str, str] | None = None, more: str = ""
) -> Answer:
    """Return an error document, as S3 writes it."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{code}</Code><Message>{message or code}</Message>{more}"
        "<RequestId>4442587FB7D0A2F9</RequestId><HostId>host</HostId></Error>"
    )
    return Answer(status, body.encode(), {"Content-Type": "application/xml", **(headers or {})})


HANG_UP = Answer(hang_up=True)


def page_of_html(status: int = 200) -> Answer:
    """Return a web page."""
    body = b"<!DOCTYPE html><html><head><title>Console</title></head><body><br>Sign in</body></html>"
    return Answer(status, body, {"Content-Type": "text/html"})


class Proxy:
    """Passes requests on to a server, except for those that a fault is planned for.

    Attributes:
        upstream: The server.
        asked: Every request since the last `mend`.
        turn: Rewrites path and query on their way to the server.
    """

    turn: Callable[[str], str] = staticmethod(lambda path: path)

    def __init__(self, upstream: str, *, certificate: Path | None = None) -> None:
        self.upstream = urlsplit(upstream)
        self.asked: list[Asked] = []
        self._faults: list[tuple[Match, Answer | Callable[[Asked], Answer], list[int | None]]] = []
        self._lock = threading.Lock()
        self._tokens: list[str] = []
        proxy = self

        class Handler(_Handler):
            owner = proxy

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        if certificate is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        ).start()
        scheme = "https" if certificate is not None else "http"
        self.url = f"{scheme}://127.0.0.1:{self._server.server_port}"

    def fault(
        self, match: Match, answer: Answer | Callable[[Asked], Answer], *, times: int | None = None
    ) -> None:
        """Answer what matches so, for good or so many times; an answer may depend on what is asked."""
        self._faults.append((match, answer, [times]))

    def mend(self) -> None:
        """Forget all faults and what was asked."""
        self._faults.clear()
        self.asked.clear()
        self._tokens.clear()

    def page(self, number: int) -> Match:
        """Match the page of a listing with this number, from 1."""

        def matches(asked: Asked) -> bool:
            if not asked.is_list:
                return False
            token = asked.query.get("continuation-token", "")
            return token in self._tokens and self._tokens.index(token) + 1 == number

        return matches

    def counts(self) -> Counter[str]:
        """Return how many listings (LIST), reads (GET) and looks (HEAD) were asked for."""
        return Counter("LIST" if asked.is_list else asked.method for asked in list(self.asked))

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def note(self, asked: Asked) -> Answer | None:
        """Count a request and return what is planned for it."""
        with self._lock:
            self.asked.append(asked)
            token = asked.query.get("continuation-token", "")
            if asked.is_list and token not in self._tokens:
                self._tokens.append(token)
            for match, answer, left in self._faults:
                if left[0] != 0 and match(asked):
                    if left[0] is not None:
                        left[0] -= 1
                    return answer if isinstance(answer, Answer) else answer(asked)
        return None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two small writes, and the second would wait for 40 ms
    owner: Proxy

    def _serve(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query, keep_blank_values=True).items()}
        headers = {name.lower(): value for name, value in self.headers.items()}
        body = self.rfile.read(int(headers.get("content-length") or 0))
        answer = self.owner.note(Asked(self.command, url.path, query, headers))
        if answer is not None:
            if answer.hang is not None or answer.hang_up:
                if answer.hang is not None:
                    answer.hang.wait(_PATIENCE_SECONDS)
                self.close_connection = True
                return
            if answer.then is not None:
                answer.then()
        if answer is None or answer.cut_after is not None or answer.change or answer.pass_on:
            self._pass_on(body, answer)
        else:
            self._send(answer.status, answer.headers, answer.body)

    do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _serve  # noqa: N815 - names of the library

    def _pass_on(self, body: bytes, answer: Answer | None) -> None:
        upstream = self.owner.upstream
        connection = http.client.HTTPConnection(upstream.hostname or "", upstream.port or 80, timeout=60)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in _HOP}
        if answer is not None and "drop-range" in answer.headers:
            headers = {name: value for name, value in headers.items() if name.lower() != "range"}
        try:
            url = urlsplit(self.path)  # whole where this stands in as a forward proxy
            path = f"{url.path}?{url.query}" if url.query else url.path
            connection.request(self.command, self.owner.turn(path), body or None, headers)
            got = connection.getresponse()
            read = got.read()
            told = {name: value for name, value in got.getheaders() if name.lower() not in _HOP}
        finally:
            connection.close()
        if answer is not None and answer.change is not None:
            read = answer.change(read)
        if answer is not None:
            told.update({name: value for name, value in answer.headers.items() if name != "drop-range"})
        cut = answer.cut_after if answer is not None else None
        self._send(got.status, told, read, cut=cut)

    def _send(self, status: int, headers: dict[str, str], body: bytes, *, cut: int | None = None) -> None:
        self.send_response(status)
        length = str(len(body))
        for name, value in headers.items():
            if name.lower() == "content-length":
                length = value if self.command == "HEAD" else length
            else:
                self.send_header(name, value)
        self.send_header("Content-Length", length)
        self.end_headers()
        with suppress(OSError):
            if self.command != "HEAD":
                self.wfile.write(body if cut is None else body[:cut])
            if cut is not None:
                self.wfile.flush()
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class Moto:
    """Moto in this process, and a way to fill it without the wire."""

    def __init__(self) -> None:
        from moto.server import ThreadedMotoServer

        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.url = f"http://{host}:{port}"
        self._boto = client_of(self.url)

    def bucket(self) -> Bucket:
        """Make a bucket of a test's own; all servers in one process have the same."""
        made = Bucket(self._boto, f"bucket-{uuid4().hex[:8]}")
        made.boto.create_bucket(Bucket=made.name)
        return made

    def close(self) -> None:
        """Stop it."""
        self._server.stop()


class Bucket:
    """A bucket of moto, from the owner's side."""

    def __init__(self, boto: Any, name: str) -> None:
        self.boto = boto
        self.name = name

    def put(self, key: str, body: bytes | str = b"", **more: Any) -> None:
        """Write an object through the wire, with whatever goes with it."""
        self.boto.put_object(Bucket=self.name, Key=key, Body=body, **more)

    def fill(self, count: int, *, start: int = 0, pattern: str = "doc{:05}.txt") -> list[str]:
        """Write many small objects past the wire; their texts name them."""
        from moto.core import DEFAULT_ACCOUNT_ID
        from moto.s3.models import s3_backends

        backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
        keys = [pattern.format(number) for number in range(start, start + count)]
        for key in keys:
            backend.put_object(self.name, key, f"text of {key}".encode())
        return keys

    def delete(self, *keys: str) -> None:
        """Delete objects."""
        for key in keys:
            self.boto.delete_object(Bucket=self.name, Key=key)


def private_certificate(folder: Path) -> tuple[Path, Path]:
    """Make an authority of one's own and a certificate of 127.0.0.1; return authority, and chain with key."""
    import datetime
    import ipaddress

    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    keys = [ec.generate_private_key(ec.SECP256R1()) for _ in range(2)]
    names = [
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in ("authority", "server")
    ]
    now = datetime.datetime.now(datetime.UTC)
    made: list[bytes] = []
    for number, name in enumerate(names):
        builder = (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(names[0])
            .public_key(keys[number].public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=30))
            .add_extension(x509.BasicConstraints(ca=number == 0, path_length=None), critical=True)
        )
        if number:
            address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
            builder = builder.add_extension(x509.SubjectAlternativeName([address]), critical=False)
        signed = builder.sign(keys[0], hashes.SHA256())
        made.append(signed.public_bytes(serialization.Encoding.PEM))
    secret = keys[1].private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    authority, chain = folder / "authority.pem", folder / "server.pem"
    authority.write_bytes(made[0])
    chain.write_bytes(made[1] + made[0] + secret)
    return authority, chain


def client_of(url: str) -> Any:
    """Return a client that owns everything at a server."""
    return boto3.client(
        "s3",
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id=ACCESS_KEY,
        aws_secret_access_key=SECRET_KEY,
        config=Config(request_checksum_calculation="when_required", s3={"addressing_style": "path"}),
    )


@contextmanager
def rclone(folder: Path, *, signed: bool = True) -> Iterator[str]:
    """Serve the folders in a folder as buckets, and yield the server's address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    keys = ["--auth-key", f"{ACCESS_KEY},{SECRET_KEY}"] if signed else []
    # What changes in the folder is seen at once.
    keys += ["--dir-cache-time", "0s"]
    command = [Path(sys.executable).with_name("rclone"), "serve", "s3", "--addr", f"127.0.0.1:{port}"]
    folder.mkdir(parents=True, exist_ok=True)
    served = subprocess.Popen(
        [*command, *keys, "--config", "/dev/null", folder],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        give_up_at = time.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", port), timeout=1).close()
                break
            except OSError:
                assert served.poll() is None, "rclone has ended"
                assert time.monotonic() < give_up_at, "rclone does not listen"
                time.sleep(0.02)
        yield f"http://127.0.0.1:{port}"
    finally:
        served.terminate()
        served.wait()
