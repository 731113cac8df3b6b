"""The HTTP client of connectors: what it waits for, what it gives up, and what it never does."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import (
    AuthRejected,
    ConfigRejected,
    PermissionMissing,
    RunCancelled,
    SourceBusy,
    SourceDown,
)
from catchment.kit import http as http_module
from catchment.kit.governor import Governor
from catchment.kit.http import Again, Bearer, Http, Missing, TooLong, Verdict, Wait, pages, retry_after
from catchment.kit.network import Network
from catchment.kit.session import Session

Handler = Callable[[httpx.Request], httpx.Response]


class Patience:
    """A session whose waits pass at once and move its clock."""

    def __init__(self) -> None:
        self.clock = SetClock()
        self.waits: list[tuple[float, str]] = []
        self.session = Session(clock=self.clock, on_wait=self._note)
        patience = self

        class Stop(threading.Event):
            def wait(self, timeout: float | None = None) -> bool:
                patience.clock.advance(timeout or 0)
                return self.is_set()

        self.session.stop = Stop()

    def _note(self, reason: str, seconds: float) -> None:
        if reason:
            self.waits.append((seconds, reason))


class Renewable:
    """A sign-in with as many tokens as it is given."""

    def __init__(self, *tokens: str) -> None:
        self.tokens = list(tokens)

    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.tokens[0]}"}

    def renew(self) -> bool:
        self.tokens.pop(0)
        return bool(self.tokens)


@pytest.fixture
def patience() -> Patience:
    return Patience()


def client(patience: Patience, handler: Handler, **more: Any) -> Http:
    """A client whose wire is a function."""
    return Http(
        "https://api.vendor.example",
        patience.session,
        **{"sign_in": Bearer("token-1"), "governor": Governor(), **more},
        transport=httpx.MockTransport(handler),
    )


def answers(*given: httpx.Response | Exception) -> tuple[Handler, list[httpx.Request]]:
    """A vendor that answers so, one after the other; the last for ever."""
    left, asked = list(given), []

    def handle(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        answer = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    return handle, asked


class TestRetryAfter:
    def test_every_form(self) -> None:
        """Seconds, a date, 0, a day; nonsense and infinity say nothing, and the past is now."""
        now = 1_750_000_000.0
        later = format_datetime(datetime.fromtimestamp(now, UTC) + timedelta(seconds=90), usegmt=True)
        past = format_datetime(datetime.fromtimestamp(now, UTC) - timedelta(days=1), usegmt=True)
        forms = {"0": 0, "7": 7, "1.5": 1.5, "86400": 86400, later: 90, past: 0, "-5": 0}
        assert {text: retry_after({"retry-after": text}, now=now) for text in forms} == forms
        for text in ("", "soon", "inf", "nan", "Mon, 99 Foo 2020"):
            assert retry_after({"retry-after": text}, now=now) is None


class TestWaiting:
    @pytest.mark.parametrize(
        ("status", "asked_for", "waited"),
        [(429, "0", 0), (429, "7", 7), (503, "7", 7), (429, "86400", 86400), (429, None, 60)],
    )
    def test_what_a_vendor_asks_for_is_waited_and_seen(
        self, patience: Patience, status: int, asked_for: str | None, waited: float
    ) -> None:
        """Acceptance 18: also a day, in steps that a cancel ends."""
        headers = {"Retry-After": asked_for} if asked_for is not None else {}
        handler, asked = answers(httpx.Response(status, headers=headers), httpx.Response(200, json={"ok": 1}))
        began = patience.clock.now()
        assert client(patience, handler).get_json("/x") == {"ok": 1}
        assert len(asked) == 2
        assert patience.clock.now() - began == waited
        assert all("allows no more requests" in reason for _, reason in patience.waits)

    def test_all_that_use_a_credential_wait_together(self, patience: Patience, tmp_path: Path) -> None:
        """Acceptance 18: two runs share one budget, in whatever processes they run."""
        Governor(tmp_path / "pace" / "abc").hold(patience.session, 30, "the vendor is busy")
        handler, asked = answers(httpx.Response(200, json=2))
        began = patience.clock.now()
        http = client(patience, handler, governor=Governor(tmp_path / "pace" / "abc"))
        assert http.get_json("/y") == 2
        assert patience.clock.now() - began == pytest.approx(30)
        assert len(asked) == 1

    def test_a_shorter_wait_does_not_end_a_longer_one(self, patience: Patience) -> None:
        """The longest that anybody was told holds."""
        governor = Governor()
        governor.hold(patience.session, 100, "long")
        governor.hold(patience.session, 1, "short")
        began = patience.clock.now()
        governor.wait(patience.session)
        assert patience.clock.now() - began == pytest.approx(100)

    def test_a_vendor_that_only_asks_to_wait_is_given_up(self, patience: Patience) -> None:
        """A run does not wait for ever without an end in sight."""
        handler, asked = answers(httpx.Response(429, headers={"Retry-After": "0"}))
        with pytest.raises(SourceBusy):
            client(patience, handler).get("/x")
        assert len(asked) == http_module.MOST_WAITS + 1

    def test_a_cancel_ends_a_long_wait(self) -> None:
        """Acceptance 19: at once, whatever was asked for."""
        session = Session()
        governor = Governor()
        governor.hold(session, 600, "rate limit")
        threading.Timer(0.2, session.stop.set).start()
        began = time.monotonic()
        with pytest.raises(RunCancelled):
            governor.wait(session)
        assert time.monotonic() - began < 60


class TestFailing:
    @pytest.mark.parametrize(
        "first",
        [
            httpx.Response(500, text="<html>No server is available</html>"),
            httpx.Response(502),
            httpx.Response(408),
            httpx.ConnectError("no"),
            httpx.ReadTimeout("slow"),
            httpx.RemoteProtocolError("cut"),
            httpx.Response(200, text='{"half": '),
        ],
    )
    def test_one_that_is_not_answered_is_asked_again(
        self, patience: Patience, first: httpx.Response | Exception
    ) -> None:
        """Also where what came is no JSON."""
        handler, asked = answers(first, httpx.Response(200, json=[1]))
        assert client(patience, handler).get_json("/x") == [1]
        assert len(asked) == 2

    def test_and_given_up_after_some_tries(self, patience: Patience) -> None:
        """With a sentence, and no address in it that may hold a secret."""
        handler, asked = answers(httpx.Response(500))
        with pytest.raises(SourceDown, match=r"api\.vendor\.example does not answer: it answered 500"):
            client(patience, handler).get("/x?key=hunter2")
        assert len(asked) == http_module.ATTEMPTS

    @pytest.mark.parametrize(
        ("status", "error"),
        [
            (403, PermissionMissing),
            (404, Missing),
            (410, Missing),
            (400, ConfigRejected),
            (422, ConfigRejected),
        ],
    )
    def test_refusals_are_told_apart_and_not_repeated(
        self, patience: Patience, status: int, error: type[Exception]
    ) -> None:
        """Asking again would change nothing."""
        handler, asked = answers(httpx.Response(status))
        with pytest.raises(error):
            client(patience, handler).get("/x")
        assert len(asked) == 1

    def test_a_status_that_is_expected_is_handed_back(self, patience: Patience) -> None:
        """Such as 304, or 404 of something that may be gone."""
        handler, _ = answers(httpx.Response(404))
        assert client(patience, handler).get("/x", accept=frozenset({404})).status_code == 404
        handler, _ = answers(httpx.Response(304))
        assert client(patience, handler).get("/x").status_code == 304

    def test_a_judge_speaks_first(self, patience: Patience) -> None:
        """A vendor's 403 may be a limit; and a 200 may hold a refusal."""

        def judge(response: httpx.Response) -> Verdict:
            if response.status_code == 403:
                return Wait(5, "secondary limit")
            return Again("not ready") if response.headers.get("x-state") == "busy" else None

        handler, asked = answers(
            httpx.Response(403), httpx.Response(200, headers={"x-state": "busy"}), httpx.Response(200, json=3)
        )
        assert client(patience, handler, judge=judge).get_json("/x") == 3
        assert len(asked) == 3
        assert patience.waits[0] == (5, "secondary limit")

    def test_an_answer_without_end_is_not_kept(
        self, patience: Patience, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Memory is bounded, whatever a vendor sends."""
        monkeypatch.setattr(http_module, "MOST_BYTES", 1000)
        handler, _ = answers(httpx.Response(200, content=b"x" * 2000))
        with pytest.raises(SourceDown, match="longer than"):
            client(patience, handler).get("/x")

    def test_a_caller_that_expects_little_reads_no_more(self, patience: Patience) -> None:
        """And does not ask again for what is too long."""
        handler, asked = answers(httpx.Response(200, content=b"x" * 2000))
        with pytest.raises(TooLong, match="longer than"):
            client(patience, handler).get("/x", most_bytes=1999)
        assert len(asked) == 1
        assert len(client(patience, handler).get("/x", most_bytes=2000).content) == 2000


class TestAnswers:
    def test_json_is_taken_apart_once(self, patience: Patience) -> None:
        """However often it is asked for: to see that it is some, and to read it."""
        handler, _ = answers(httpx.Response(200, json={"a": [1]}))
        answer = client(patience, handler).get("/x", reads_json=True)
        assert answer.json() == {"a": [1]}
        assert answer.json() is answer.json()


class TestSigningIn:
    def test_a_token_that_ends_is_renewed_once(self, patience: Patience) -> None:
        """Acceptance 18: the rest of the run goes on with the new one."""
        sign_in = Renewable("old", "new")

        def handle(request: httpx.Request) -> httpx.Response:
            good = request.headers["authorization"] == "Bearer new"
            return httpx.Response(200 if good else 401, json={})

        assert client(patience, handle, sign_in=sign_in).get_json("/x") == {}

    def test_without_another_the_person_must_sign_in(self, patience: Patience) -> None:
        """And the token is not told."""
        handler, asked = answers(httpx.Response(401))
        with pytest.raises(AuthRejected) as caught:
            client(patience, handler, sign_in=Bearer("canary-token")).get("/x")
        assert "canary" not in str(caught.value) + repr(Bearer("canary-token"))
        assert len(asked) == 1

    def test_another_host_never_sees_the_credential(self, patience: Patience) -> None:
        """Neither over a redirect nor by an address that the vendor names."""
        seen: dict[str, str | None] = {}

        def handle(request: httpx.Request) -> httpx.Response:
            seen[str(request.url)] = request.headers.get("authorization")
            if request.url.path == "/archive":
                return httpx.Response(302, headers={"Location": "https://files.vendor.example/a?sig=1"})
            return httpx.Response(200, content=b"zip")

        http = client(patience, handle)
        assert http.get("/archive", params={"ref": "x"}).content == b"zip"
        http.get("https://elsewhere.example/next")
        http.get("http://api.vendor.example/plain")
        assert seen == {
            "https://api.vendor.example/archive?ref=x": "Bearer token-1",
            "https://files.vendor.example/a?sig=1": None,
            "https://elsewhere.example/next": None,
            "http://api.vendor.example/plain": None,
        }

    def test_the_way_over_redirects_is_told(self, patience: Patience) -> None:
        """Whoever keeps addresses learns which of them moved for good."""
        hops = {"/a": (301, "/b"), "/b": (302, "https://files.vendor.example/c")}

        def handle(request: httpx.Request) -> httpx.Response:
            status, target = hops.get(request.url.path, (200, ""))
            return httpx.Response(status, headers={"Location": target} if target else {}, content=b"x")

        response = client(patience, handle).get("/a")
        assert [(hop.status_code, hop.url.path) for hop in response.history] == [(301, "/a"), (302, "/b")]
        assert str(response.url) == "https://files.vendor.example/c"

    def test_redirects_have_an_end(self, patience: Patience) -> None:
        """A circle is an error."""
        handler, _ = answers(httpx.Response(301, headers={"Location": "/x"}))
        with pytest.raises(SourceDown, match="without an end"):
            client(patience, handler).get("/x")

    def test_a_private_address_is_out_of_bounds_also_after_a_redirect(
        self, patience: Patience, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """For connectors that were made through a face."""
        patience.session.trusted = False
        handler, asked = answers(httpx.Response(302, headers={"Location": "http://169.254.169.254/latest"}))
        http = client(patience, handler, setting="url")
        http.base_url = "https://8.8.8.8"
        with pytest.raises(ConfigRejected) as caught:
            http.get("/x")
        assert caught.value.setting == "url"
        assert len(asked) == 1


class TestPages:
    def test_they_end_where_there_is_no_next(self) -> None:
        """Whatever the pages hold."""
        book = {"1": ([1], "2"), "2": ([], "3"), "3": ([2], None)}
        assert list(pages("1", book.__getitem__)) == [[1], [], [2]]

    def test_a_page_that_comes_back_is_an_error(self) -> None:
        """A repeated cursor would go round for ever."""
        book: dict[str, tuple[list[int], str | None]] = {"1": ([1], "2"), "2": ([2], "1")}
        with pytest.raises(SourceDown, match="no end"):
            list(pages("1", book.__getitem__))


class _Slow(BaseHTTPRequestHandler):
    """Sends a byte, and then nothing."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "10")
        self.end_headers()
        self.wfile.write(b"x")
        self.wfile.flush()
        time.sleep(30)

    def log_message(self, *_: Any) -> None: ...


@pytest.fixture
def slow() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Slow)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()


class TestTheWire:
    def test_a_cancel_leaves_a_vendor_that_drips(self, slow: str) -> None:
        """Within a moment, though the vendor's time is not up."""
        session = Session()
        http = Http(slow, session, sign_in=Bearer("t"), governor=Governor())
        threading.Timer(0.3, session.stop.set).start()
        began = time.monotonic()
        with pytest.raises(RunCancelled):
            http.get("/x")
        assert time.monotonic() - began < 10
        http.close()

    def test_a_name_that_moves_into_a_private_network_is_not_followed(
        self, slow: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The address that is connected to is looked at, not only the name."""
        import socket

        answers_of_dns = iter(["93.184.216.34", "93.184.216.34", "127.0.0.1"])

        def lookup(*_: Any, **__: Any) -> list[Any]:
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers_of_dns, "127.0.0.1"), 80))]

        monkeypatch.setattr(socket, "getaddrinfo", lookup)
        session = Session(trusted=False)
        port = httpx.URL(slow).port
        http = Http(f"http://rebound.example:{port}", session, sign_in=Bearer("t"), governor=Governor())
        with pytest.raises(ConfigRejected):
            http.get("/x")

    def test_what_the_operator_allowed_is_reached(self, slow: str) -> None:
        """By name or network."""
        assert (
            Network(allowed=("127.0.0.0/8",), guarded=True).require_reachable("127.0.0.1", setting="x")
            is None
        )
