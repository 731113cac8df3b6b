"""What a request may cost, and which characters it may hold."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi import UploadFile
from starlette.requests import Request

from catchment.api.errors import Refused
from catchment.api.limits import check_files, largest_body, read_json
from catchment.core.settings import MIB, ApiSettings
from tests.api.conftest import Api, nothing

JSON = {"Content-Type": "application/json"}


def taken(body: dict[str, Any]) -> dict[str, Any]:
    return {"length": len(json.dumps(body))}


@pytest.fixture
def small(make_api: Callable[..., Api]) -> Api:
    """An application that takes little."""
    api = make_api(
        push_bytes=2048,
        json_bytes=1024,
        upload_file_bytes=1024,
        upload_files=2,
        json_depth=10,
        body_seconds=0.2,
    )
    for path in ("/api/v1/probe", "/v1/probe", "/api/sync/probe"):
        api.route(path, taken, method="POST")
    return api


def chunks(text: bytes) -> Iterator[bytes]:
    for start in range(0, len(text), 100):
        yield text[start : start + 100]


class TestABody:
    def test_that_is_announced_too_large_is_refused_at_once(self, small: Api) -> None:
        """Nothing of it is read."""
        answer = small.ask("POST", "/api/v1/probe", content=b"{}", headers={**JSON, "Content-Length": "9999"})
        assert answer.status_code == 413
        assert answer.json()["error"]["code"] == "payload_too_large"

    @pytest.mark.parametrize("path", ["/api/v1/probe", "/v1/probe", "/api/sync/probe"])
    def test_that_turns_out_too_large_is_refused_on_the_way(self, small: Api, path: str) -> None:
        """A body of unknown length is counted while it arrives."""
        body = json.dumps({"a": "x" * 5000}).encode()
        answer = small.ask("POST", path, content=chunks(body), headers=JSON)
        assert answer.status_code == 413, answer.text
        assert "detail" in answer.json() or "error" in answer.json()

    def test_of_a_push_may_be_larger(self, small: Api) -> None:
        """Documents in batches have a limit of their own."""
        body = {"a": "x" * 1500}
        assert small.ask("POST", "/api/sync/probe", json=body).status_code == 200
        assert small.ask("POST", "/api/v1/probe", json=body).status_code == 413

    def test_that_falls_silent_is_given_up(self, small: Api) -> None:
        """A client that stops sending does not hold a place for ever."""

        async def talk() -> list[dict[str, Any]]:
            said: list[dict[str, Any]] = []
            parts = iter([{"type": "http.request", "body": b"{", "more_body": True}])

            async def receive() -> Any:
                for part in parts:
                    return part
                return await asyncio.sleep(60)

            async def send(message: Any) -> None:
                said.append(message)

            token = f"Bearer {small.owner.secret}".encode()
            scope = {
                "type": "http",
                "asgi": {"version": "3.0"},
                "http_version": "1.1",
                "method": "POST",
                "path": "/api/v1/probe",
                "raw_path": b"/api/v1/probe",
                "query_string": b"",
                "root_path": "",
                "scheme": "http",
                "headers": [(b"authorization", token), (b"content-type", b"application/json")],
                "client": ("127.0.0.1", 1),
                "server": ("127.0.0.1", 2),
            }
            await small.app(scope, receive, send)
            return said

        said = asyncio.run(asyncio.wait_for(talk(), 30))
        assert said[0]["status"] == 408
        assert json.loads(said[1]["body"])["error"]["code"] == "timeout"

    def test_of_files_has_room_for_all_of_them(self) -> None:
        """Only where files are taken, and only as a form."""
        limits = ApiSettings()
        upload = "/api/v1/connectors/conn_1/files/upload"
        assert largest_body(upload, True, limits) == 20 * 50 * MIB + MIB
        assert largest_body(upload, False, limits) == 10 * MIB
        assert largest_body("/api/v1/connectors", True, limits) == 10 * MIB
        assert largest_body("/api/sync/documents", False, limits) == 32 * MIB

    @pytest.mark.parametrize(("sizes", "status"), [([10], 200), ([10, 2000], 413), ([1, 1, 1], 400)])
    def test_of_files_is_looked_at_file_by_file(self, small: Api, sizes: list[int], status: int) -> None:
        """One file too large, or too many of them."""

        def upload(request: Request, files: list[UploadFile]) -> int:
            check_files(request, list(files))
            return len(files)

        path = "/api/v1/probes/{connector}/files/upload"  # the face has routes of its own for connectors
        small.route(path, upload, method="POST")
        files = [("files", (f"{number}.txt", b"x" * size)) for number, size in enumerate(sizes)]
        answer = small.ask("POST", path.format(connector="conn_1"), files=files)
        assert answer.status_code == status, answer.text


class TestJson:
    @pytest.mark.parametrize(
        "text",
        [
            '{"a":' * 11 + "1" + "}" * 11,
            '{"a":' + "[" * 200 + "]" * 200 + "}",
            '{"a":"x\\u0000y"}',
            '{"a":["\\ud800"]}',
            '{"\\udfff":1}',
            '{"a":NaN}',
            '{"a":Infinity}',
            '{"a":1e999}',
            '{"a":' + "9" * 900 + "}",
        ],
        ids=["deep", "deeper", "nul", "surrogate", "surrogate name", "nan", "infinity", "huge", "digits"],
    )
    @pytest.mark.parametrize("path", ["/api/v1/probe", "/v1/probe", "/api/sync/probe"])
    def test_that_no_database_could_keep_is_refused(self, small: Api, path: str, text: str) -> None:
        """It is the client's fault on every face, and nobody's 500."""
        answer = small.ask("POST", path, content=text, headers=JSON)
        assert answer.status_code == (422 if path == "/v1/probe" else 400), answer.text

    def test_names_the_text_that_cannot_be_stored(self, small: Api) -> None:
        """The place is told."""
        answer = small.ask("POST", "/v1/probe", content=b'{"a":{"b":["ok","\\u0000"]}}', headers=JSON)
        assert answer.json()["detail"][0]["loc"] == ["body", "a", "b", 1]

    def test_that_is_no_utf_8_is_refused(self, small: Api) -> None:
        """Bytes of another encoding are not guessed at."""
        answer = small.ask("POST", "/v1/probe", content=b'{"a":"\xff"}', headers=JSON)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["type"] == "json_invalid"

    def test_of_endless_depth_ends_without_a_crash(self, api: Api) -> None:
        """A megabyte of opening brackets is refused like ten of them."""
        api.route("/v1/probe", taken, method="POST")
        answer = api.ask("POST", "/v1/probe", content=b"[" * 1_000_000, headers=JSON)
        assert answer.status_code == 422

    def test_with_any_text_reaches_a_handler_that_asked_for_it(self, api: Api) -> None:
        """Where a bad text is the fault of one document, the others are not lost."""

        def handler(body: dict[str, Any]) -> int:
            return len(body["a"])

        api.route("/api/sync/probe", handler, method="POST", lenient=True)
        answer = api.ask("POST", "/api/sync/probe", content=b'{"a":"\\u0000\\ud800"}', headers=JSON)
        assert (answer.status_code, answer.json()) == (200, 2)

    def test_as_deep_as_is_allowed_is_read(self) -> None:
        """The limit itself passes."""
        assert read_json(b"[[[1]]]", depth=3) == [[[1]]]
        with pytest.raises(Refused):
            read_json(b"[[[1]]]", depth=2)


class TestAParameter:
    def test_with_nul_is_refused(self, api: Api) -> None:
        """PostgreSQL would refuse it, too late and in its own words."""
        api.route("/v1/probe", nothing)
        assert api.ask("GET", "/v1/probe?a=x%00y").status_code == 422

    def test_with_nul_in_the_path_finds_nothing(self, api: Api) -> None:
        """No id holds one."""
        api.route("/api/v1/probe/{name}", lambda name: name)
        assert api.ask("GET", "/api/v1/probe/a%00b").status_code == 404
        assert api.ask("GET", "/api/v1/probe/a%0d%0ab").status_code == 404
