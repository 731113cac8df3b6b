"""The client of Prefect's API: what it tries again, what it passes on, what it never sends."""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import cast

import httpx
import pytest

from catchment.core.errors import Unavailable
from catchment.services.prefect_client import PrefectClient, PrefectRefused

Answer = Callable[[httpx.Request], httpx.Response]


def client(*answers: httpx.Response | Exception, waits: list[float] | None = None) -> PrefectClient:
    """Return a client whose server gives these answers, one per request."""
    script = iter(answers)

    def answer(_request: httpx.Request) -> httpx.Response:
        step = next(script)
        if isinstance(step, Exception):
            raise step
        return step

    return PrefectClient(
        "http://127.0.0.1:4200/api",
        "user:password",
        transport=httpx.MockTransport(answer),
        sleep=(waits if waits is not None else []).append,
    )


def recording(answer: Answer) -> tuple[PrefectClient, list[httpx.Request]]:
    """Return a client and the list that its requests go to."""
    requests: list[httpx.Request] = []

    def note(request: httpx.Request) -> httpx.Response:
        requests.append(request)
        return answer(request)

    return PrefectClient("http://127.0.0.1:4200/api", "u:p", transport=httpx.MockTransport(note)), requests


class TestRequest:
    def test_a_busy_server_is_asked_again_within_fractions_of_a_second(self) -> None:
        """A 503 is followed by another try after 50 to 200 ms, not after Prefect's own two seconds."""
        waits: list[float] = []
        answers = [httpx.Response(503)] * 4 + [httpx.Response(200, json={"ok": 1})]
        assert client(*answers, waits=waits).request("GET", "/x") == {"ok": 1}
        assert len(waits) == 4
        assert all(0.04 <= wait <= 0.24 for wait in waits)

    def test_a_broken_connection_is_tried_again(self) -> None:
        """A connection that breaks or is refused gets another try."""
        prefect = client(httpx.ConnectError("refused"), httpx.ReadError("cut"), httpx.Response(204))
        assert prefect.request("PATCH", "/x", {}) is None

    @pytest.mark.parametrize("trouble", [httpx.Response(503), httpx.ConnectError("refused")])
    def test_a_server_that_stays_away_is_unavailable(self, trouble: httpx.Response | Exception) -> None:
        """After ten tries the answer is Unavailable."""
        waits: list[float] = []
        with pytest.raises(Unavailable):
            client(*[trouble] * 10, waits=waits).request("GET", "/x")
        assert len(waits) == 9

    def test_a_silent_server_is_not_asked_twice(self) -> None:
        """A timeout has cost enough: it is Unavailable at once."""
        with pytest.raises(Unavailable, match="in time"):
            client(httpx.ReadTimeout("slow")).request("GET", "/x")

    def test_an_error_of_the_server_is_unavailable(self) -> None:
        """A 500 is no verdict on the request, and is not repeated."""
        with pytest.raises(Unavailable, match="500"):
            client(httpx.Response(500, text="oops")).request("POST", "/x", {})

    def test_a_refusal_carries_status_and_detail(self) -> None:
        """What Prefect says about a bad request reaches the caller."""
        with pytest.raises(PrefectRefused) as refused:
            client(httpx.Response(409, json={"detail": "no such mode"})).request("POST", "/x", {})
        assert (refused.value.status, refused.value.detail) == (409, "no such mode")

    def test_the_sign_in_is_sent(self) -> None:
        """Every request carries the user and password."""
        prefect, requests = recording(lambda _: httpx.Response(200, json=[]))
        prefect.request("GET", "/x")
        assert requests[0].headers["authorization"] == "Basic dTpw"

    def test_a_proxy_never_sees_this_machine(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Requests to the loopback address go straight there, whatever proxy the environment names."""
        monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
        with PrefectClient("http://127.0.0.1:1/api", sleep=lambda _: None) as prefect:
            with pytest.raises(Unavailable) as away:
                prefect.request("GET", "/x")
            assert prefect._http._mounts == {}
        assert isinstance(away.value.__cause__, httpx.ConnectError)

    @pytest.mark.parametrize(
        ("address", "trusts"),
        [
            ("http://127.0.0.1:4200/api", False),
            ("https://localhost:4200/api", True),
            ("http://prefect.example/api", True),
        ],
    )
    def test_authorities_are_read_where_one_may_be_asked_for(self, address: str, trusts: bool) -> None:
        """Plain HTTP on this machine needs none, and a proxy is not in between."""
        with PrefectClient(address) as prefect:
            pool = cast("httpx.HTTPTransport", prefect._http._transport)._pool
            context = pool._ssl_context
        assert context is not None
        assert (context.get_ca_certs() != []) is trusts
        assert context.verify_mode is ssl.CERT_REQUIRED


class TestFind:
    def test_all_pages_are_read(self) -> None:
        """A list longer than one page arrives whole, in order and without repeats."""
        rows = [{"id": number} for number in range(450)]

        def page(request: httpx.Request) -> httpx.Response:
            import json

            asked = json.loads(request.content)
            return httpx.Response(200, json=rows[asked["offset"] :][: asked["limit"]])

        prefect, requests = recording(page)
        assert list(prefect.find("/flow_runs/filter")) == rows
        assert len(requests) == 3


class TestSaveWorkPool:
    def test_an_unchanged_pool_is_left_alone(self) -> None:
        """A pool that is as it should be is only looked at."""
        prefect, requests = recording(
            lambda _: httpx.Response(200, json={"base_job_template": {"a": 1}, "is_paused": False})
        )
        prefect.save_work_pool("catchment", template={"a": 1}, description="")
        assert [request.method for request in requests] == ["GET"]

    def test_a_missing_pool_is_made(self) -> None:
        """The pool is created as a process pool with the template given."""
        prefect, requests = recording(
            lambda request: httpx.Response(404 if request.method == "GET" else 201, json={})
        )
        prefect.save_work_pool("catchment", template={"a": 1}, description="")
        assert [request.method for request in requests] == ["GET", "POST"]


class TestFromEnvironment:
    def test_a_flow_process_finds_its_prefect(self) -> None:
        """The address and sign-in of the process's own environment are used."""
        found = PrefectClient.from_environment({"PREFECT_API_URL": "http://127.0.0.1:1/api"})
        assert found.api_url == "http://127.0.0.1:1/api"

    def test_a_process_without_prefect_is_told(self) -> None:
        """Without an address there is nothing to speak to."""
        with pytest.raises(Unavailable):
            PrefectClient.from_environment({})


def test_prefect_is_not_imported() -> None:
    """The client, the stack and the supervisor load without Prefect: commands stay quick."""
    import subprocess
    import sys

    code = (
        "import sys; import catchment.services.prefect_client, catchment.local.stack, "
        "catchment.local.supervisor; sys.exit('prefect' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
