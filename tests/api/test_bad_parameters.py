"""Numbers, positions, ids and headers that nobody should send, to every operation that takes one."""

from __future__ import annotations

from typing import Any

import pytest

from catchment.api.aimable import positions
from catchment.services import oauth_clients
from tests.support.asked import Asked, written
from tests.support.living import SIGN_IN
from tests.support.operations import Operation, fault, label, least, operations

CANARY = "canary4711"
LINES = b"x\r\nSet-Cookie: a=b"
NUMBERS = {
    "limit": ["-1", "0", "101", "1000000000000", "9" * 400, "1.5", "1e1", "ten", "", " ", "0x10"],
    "offset": ["-1", "1000000001", "1000000000000", "9" * 400, "0.5", "ten", ""],
}
CURSORS = {
    "number": positions.write_number(2**80),
    "text": "no-cursor",
    "nothing": "",
    "bytes": "\u00e9",
    "JSON": "eyJhIjoxfQ",
    "depth": "W1tb" * 1000,
    "length": "A" * 4097,
    "negative": positions.write_offset(-1),
    "endless": positions.write_time(float("inf"), "0" * 32),
    "lines": positions.write_browse("a\r\nb", 0),
}
OF_EACH_LIST = (
    positions.write_number(1),
    positions.write_offset(1),
    positions.write_time(1.0, "0" * 32),
    positions.write_browse(None, 1),
)


def having(name: str, place: str = "query") -> list[Operation]:
    return [one for one in operations() if name in one.parameters(place)]


@pytest.mark.parametrize(
    ("name", "operation"), [(name, one) for name in NUMBERS for one in having(name)], ids=label
)
def test_a_number_out_of_range_is_named_and_not_clamped(face: Asked, name: str, operation: Operation) -> None:
    """Too small, too large, far too large, and no whole number."""
    path = face.path(operation)
    with face.unchanged():
        for value in NUMBERS[name]:
            answer = face.ask(operation, path, params={name: value})
            assert answer.status_code == operation.refusal, (value, answer.text)
            assert fault(operation, answer) == name
            assert len(answer.text) < 1000


@pytest.mark.parametrize("name", ["limit", "offset"])
@pytest.mark.parametrize(
    "operation",
    [one for one in operations() if one.body is not None and "limit" in one.body.get("properties", ())],
    ids=label,
)
def test_a_number_in_a_body_is_held_to_the_same(face: Asked, operation: Operation, name: str) -> None:
    """Whole numbers within their range; 10.0 is one."""
    assert operation.body is not None
    body = least(operation.body)
    with face.unchanged():
        for value in (-1, 101 if name == "limit" else 10_001, 10**12, 1e12, 1.5, 10**400, True, "10", [10]):
            answer = face.ask(operation, face.path(operation), json={**body, name: value})
            assert answer.status_code == operation.refusal, value
            # A number that no other program could read is a fault of the whole body.
            assert fault(operation, answer) == ("0" if value == 10**400 else name), answer.text
        assert face.ask(operation, face.path(operation), json={**body, name: 10.0}).status_code == 200


@pytest.mark.parametrize(
    ("operation", "name"),
    [(one, name) for one in operations() for name in one.parameters("query") if one.told.get("security")],
    ids=lambda value: label(value) or value,
)
def test_a_parameter_with_nul_is_named(face: Asked, operation: Operation, name: str) -> None:
    """On every kind of store; a name that holds one itself is not told."""
    path = face.path(operation)
    with face.unchanged():
        answer = face.ask(operation, path, params={name: "a\0b"})
        assert answer.status_code == operation.refusal
        assert fault(operation, answer) == name
        unnamed = face.ask(operation, path, params={"a\0b": "c"})
        assert unnamed.status_code == operation.refusal
        assert fault(operation, unnamed) in ("query", "")


class TestACursor:
    @pytest.mark.parametrize("operation", having("cursor"), ids=label)
    def test_that_nobody_gave_out_is_refused(self, face: Asked, operation: Operation) -> None:
        """Whatever it is made of; the parameter is named, and the text is not repeated."""
        with face.unchanged():
            for name, value in CURSORS.items():
                answer = face.ask(operation, face.path(operation), params={"cursor": value})
                assert answer.status_code == operation.refusal, (name, answer.text)
                assert fault(operation, answer) == "cursor"
                assert len(answer.text) < 1000

    @pytest.mark.parametrize("operation", having("cursor"), ids=label)
    def test_of_a_list_of_another_kind_is_refused(self, face: Asked, operation: Operation) -> None:
        """Each list takes positions of one kind only."""
        answers = [
            face.ask(operation, face.path(operation), params={"cursor": one}).status_code
            for one in OF_EACH_LIST
        ]
        assert sorted(answers) == [200, *[operation.refusal] * 3]


@pytest.mark.parametrize(
    ("operation", "name"),
    [(one, name) for one in operations() for name in one.parameters("path")],
    ids=lambda value: label(value) or value,
)
def test_an_id_without_end_or_shape_means_nothing(face: Asked, operation: Operation, name: str) -> None:
    """A million characters, what climbs, lines, quotes and wildcards: not found or not an id, and no more."""
    names = {one: face.here.means(one, operation.label, "x") for one in operation.parameters("path")}
    with face.unchanged():
        for value in ("x" * 1_000_000, "0" * 33, "..", "a\r\nb", "' OR 1=1 --", "%", "\u0660" * 32, "\x00"):
            answer = face.raw(
                operation.method,
                operation.path.format(**{**names, name: value}),
                headers={"idempotency-key": b"k", "content-type": b"application/json"},
                body=[b"{}"],
            )
            assert answer.status_code in (404, 422, 400), (value[:20], answer.text[:200])
            assert str(answer.status_code) in operation.told["responses"]
            assert len(answer.text) < 2000


@pytest.mark.parametrize("operation", operations(), ids=label)
def test_a_header_with_lines_in_it_becomes_no_header(face: Asked, operation: Operation) -> None:
    """A server would not hand it on; the application does not rely on that. Nothing is carried out twice."""
    names = ("X-Request-ID", "Idempotency-Key", "X-Team-ID", "Origin", "Host", "Cookie", "Authorization")
    for name in names:
        answer = face.raw(operation.method, face.path(operation), headers={name: LINES})
        assert all(b"\r" not in value and b"\n" not in value for _, value in answer.headers)
        assert b"set-cookie" not in [header for header, _ in answer.headers]
        assert answer.status_code < 500 or operation.path == "/ready"
        face.here.forget()


@pytest.mark.parametrize("operation", having("Idempotency-Key", "header"), ids=label)
@pytest.mark.parametrize("key", [b"", b"x" * 256, b"a\tb", b"a\x00b", b"\xc3\xa9", LINES])
def test_a_key_that_is_no_plain_text_is_refused(face: Asked, operation: Operation, key: bytes) -> None:
    """The header is named, and nothing is made under such a key."""
    path, body = face.path(operation), b'{"provider_slug": "fixture"}'
    headers = {"idempotency-key": key, "content-type": b"application/json"}
    with face.unchanged():
        answer = face.raw(operation.method, path, headers=headers, body=[body])
    assert answer.status_code == 422
    assert '"loc":["header","Idempotency-Key"]' in answer.text


@pytest.mark.parametrize(
    "way", ["/api/v1/oauth/callback/google_drive", f"/v1/connectors/oauth/{SIGN_IN}/callback"]
)
def test_what_a_vendor_says_breaks_no_header(face: Asked, way: str) -> None:
    """Its word for an error goes back in the address that the browser is sent to, and stays in its query."""
    oauth_clients.keep(face.served.context, SIGN_IN, {"client_id": "us", "client_secret": "ours"})
    body = {"provider": SIGN_IN, "redirectUri": "https://app.example/back?to=1#part"}
    headers = {"Authorization": f"Bearer {face.served.variables['tok_admin']}"}
    begun = face.served.client.post("/api/v1/oauth/init", json=body, headers=headers).json()["data"]
    query = {"state": begun["state"], "error": "x\r\nSet-Cookie: a=b&connectorId=1"}
    answer = face.served.client.get(way, params=query)
    assert answer.status_code == 302
    to = answer.headers["location"]
    assert to == "https://app.example/back?to=1&error=x%0D%0ASet-Cookie%3A+a%3Db%26connectorId%3D1#part"
    assert "set-cookie" not in answer.headers


class TestCredentials:
    """Whatever is wrong with a request, what it signs in with is neither repeated nor written down."""

    @pytest.mark.parametrize("operation", operations(), ids=label)
    def test_that_nobody_knows(
        self, face: Asked, operation: Operation, caplog: pytest.LogCaptureFixture
    ) -> None:
        """In each header that takes one; in the query, where only a sign-in takes one."""
        token = f"ct_{CANARY}"
        places: list[dict[str, str]] = [
            {"Authorization": f"Bearer {token}"},
            {"Authorization": f"Basic {token}"},
            {"Authorization": token},
            {"X-ZenSearch-Key": token},
            {"X-API-Key": token},
            {"Cookie": f"__session={token}"},
        ]
        path = face.path(operation)
        is_open = not operation.told.get("security")
        with caplog.at_level("DEBUG"), face.unchanged():
            for headers in places:
                for query in ({}, {"token": token, "api_key": token}):
                    answer = face.served.client.request(
                        operation.method, path, headers=headers, params=query, json={"token": token}
                    )
                    assert is_open or answer.status_code == 401, (headers, answer.text)
                    assert CANARY not in answer.text + str(answer.headers)
                    if not is_open:
                        fault(operation, answer)
        assert CANARY not in written(caplog)

    @pytest.mark.parametrize("operation", [one for one in operations() if one.parameters("query")], ids=label)
    def test_in_a_query_that_cannot_be_used(
        self, face: Asked, operation: Operation, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Each parameter by itself and all at once, from somebody who is known."""
        names = operation.parameters("query")
        with caplog.at_level("DEBUG"):
            for query in (*({name: CANARY} for name in names), dict.fromkeys(names, f"{CANARY}\0")):
                answer = face.ask(operation, face.path(operation), params=query)
                assert answer.status_code < 500
                if answer.status_code >= 400:
                    assert CANARY not in answer.text
                assert face.served.variables["tok_admin"] not in answer.text
        assert "catchment.api" in written(caplog)
        assert CANARY not in written(caplog)
        assert face.served.variables["tok_admin"] not in written(caplog)

    def test_in_the_settings_and_credentials_of_connectors(
        self, face: Asked, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Of every provider, with each secret in the form of another type, or of no use."""
        from catchment.kit import registry

        headers = {"Authorization": f"Bearer {face.served.variables['tok_admin']}"}
        tried = 0
        with caplog.at_level("DEBUG"):
            for slug in registry.known():
                model = registry.provider(slug).credentials_model
                for name in model.model_fields if model is not None else ():
                    for value in ([CANARY], {"x": CANARY}, f"{CANARY}\n"):
                        body: dict[str, Any] = {"type": slug, "config": {}, "credentials": {name: value}}
                        answer = face.served.client.post(
                            "/api/v1/connectors/test", json=body, headers=headers
                        )
                        tried += 1
                        assert CANARY not in answer.text, (slug, name)
                        assert answer.status_code in (200, 400), answer.text
        assert tried > 20
        assert CANARY not in written(caplog)
