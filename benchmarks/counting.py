"""A proxy that passes requests on as they are and counts them: what a sync costs at the wire."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

_HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding"}


@contextmanager
def counting_proxy(endpoint: str) -> Iterator[tuple[str, Counter[str]]]:
    """Lend an address that leads to an S3 server over HTTP, and the counts, which grow as requests come.

    The names of the counts are LIST, and GET, HEAD and so on for all others. Bodies are held in memory
    whole; the header Host is left alone, since requests are signed with it.
    """
    counts: Counter[str] = Counter()
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(endpoint, counts))
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", counts
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _handler(endpoint: str, counts: Counter[str]) -> type[BaseHTTPRequestHandler]:
    target = urlsplit(endpoint).netloc
    lock = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def handle_one_request(self) -> None:
            try:
                super().handle_one_request()
            except ConnectionError:  # a client that is done closes as it likes
                self.close_connection = True

        def _pass_on(self) -> None:
            with lock:
                counts[_kind(self.command, self.path)] += 1
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            upstream = HTTPConnection(target, timeout=60)
            try:
                upstream.request(self.command, self.path, body or None, dict(self.headers.items()))
                answer = upstream.getresponse()
                self._answer(answer.status, answer.getheaders(), answer.read())
            finally:
                upstream.close()

        def _answer(self, status: int, headers: list[tuple[str, str]], body: bytes) -> None:
            self.send_response_only(status)
            names = {name.lower() for name, _ in headers}
            for name, value in headers:
                if name.lower() not in _HOP_BY_HOP:
                    self.send_header(name, value)
            if "content-length" not in names:
                self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_HEAD = do_PUT = do_POST = do_DELETE = _pass_on  # noqa: N815 - called by these names

        def log_message(self, *_: object) -> None:
            """Say nothing: the counts are the log."""

    return Handler


def _kind(method: str, path: str) -> str:
    """Tell a LIST from a GET: an object's key is in the path, and a list is asked for by its query."""
    parts = urlsplit(path)
    asks = parse_qs(parts.query, keep_blank_values=True)
    is_list = method == "GET" and ("list-type" in asks or "/" not in parts.path.strip("/"))
    return "LIST" if is_list else method
