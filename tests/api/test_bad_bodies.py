"""Bodies that nobody should send, to every operation that takes one.

Each is refused in the words of its face, with a status that the document tells of, and leaves nothing behind.
"""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from itertools import repeat
from typing import Any

import pytest

from catchment.api.limits import largest_body
from catchment.core.settings import MIB, ApiSettings
from tests.support.asked import CHUNK, Asked, written
from tests.support.operations import JSON, Operation, fault, label, least, misfits, operations, resolved

WITH_JSON = [one for one in operations() if one.body is not None]
WITH_FILES = [one for one in operations() if one.is_form]
PUSH = "/api/sync/documents"
CANARY = "canary4711"
DEEP = 10_000
FORM = b"multipart/form-data; boundary=b"
UNREADABLE = {
    "nothing": b"",
    "broken": b'{"name": "x',
    "two": b"{} {}",
    "no UTF-8": b'{"name": "\xff"}',
    "a text": b'"x"',
    "a number": b"7",
    "a list": b"[]",
    "not a number": b'{"name": NaN}',
    "deep objects": b'{"a":' * DEEP + b"1" + b"}" * DEEP,
    "deep lists": b'{"config":' + b"[" * DEEP + b"]" * DEEP + b"}",
    "deep and broken": b"[" * DEEP,
    "many digits": b'{"limit":' + b"9" * 5000 + b"}",
}
UNFIT = {"NUL": "a\0b", "half of a pair": "a\ud800b", "the other half": "\udc00"}


@pytest.mark.parametrize("operation", WITH_JSON, ids=label)
def test_what_cannot_be_read_is_refused(face: Asked, operation: Operation) -> None:
    """Nothing, half of something, what is no JSON and no object, and what is nested without end."""
    path = face.path(operation)
    with face.unchanged():
        for name, raw in UNREADABLE.items():
            if not raw and not operation.needs_body:
                continue
            answer = face.ask(operation, path, content=raw, headers=JSON)
            assert answer.status_code == operation.refusal, (name, answer.text)
            fault(operation, answer)


@pytest.mark.parametrize("operation", [one for one in WITH_JSON if one.path != PUSH], ids=label)
def test_texts_that_no_database_takes_are_refused(face: Asked, operation: Operation) -> None:
    """Wherever they stand, also in fields that nobody knows; of a push, only the one document is refused."""
    path = face.path(operation)
    with face.unchanged():
        for name, text in UNFIT.items():
            deep = {"nobody": [{text: 1}]}
            for body in ({"nobody": text}, deep, *({one: text} for one in _fields(operation))):
                answer = face.ask(operation, path, content=json.dumps(body), headers=JSON)
                assert answer.status_code == operation.refusal, (name, answer.text)
                told = fault(operation, answer)
                if operation.face != "trove":
                    assert told.split(".")[0] == next(iter(body))


@pytest.mark.parametrize("operation", WITH_JSON, ids=label)
def test_one_byte_too_many_is_refused(face: Asked, operation: Operation) -> None:
    """The largest body that is taken is read, and refused for what it says; one byte more is not read."""
    path = face.path(operation)
    limit = largest_body(operation.path, False, ApiSettings())
    assert limit == (32 if operation.path.startswith("/api/sync") else 10) * MIB
    with face.unchanged():
        largest = b"[" + b" " * (limit - 2) + b"]"
        assert face.ask(operation, path, content=largest, headers=JSON).status_code == operation.refusal
        answer = face.ask(operation, path, content=largest + b" ", headers=JSON)
        assert answer.status_code == 413
        fault(operation, answer)


@pytest.mark.parametrize("operation", WITH_JSON, ids=label)
def test_a_value_of_another_type_is_named_and_not_repeated(
    face: Asked, operation: Operation, caplog: pytest.LogCaptureFixture
) -> None:
    """It may be a secret in the wrong place: neither the answer nor the log has it."""
    path, schema = face.path(operation), operation.body
    assert schema is not None
    with face.unchanged(), caplog.at_level("DEBUG"):
        for name, one in schema["properties"].items():
            for value in misfits(one, CANARY):
                answer = face.ask(operation, path, json={**least(schema), name: value})
                assert answer.status_code == operation.refusal, (name, value, answer.text)
                assert name in fault(operation, answer), answer.text
                assert CANARY not in answer.text
    assert CANARY not in written(caplog)


@pytest.mark.parametrize("operation", WITH_JSON, ids=label)
def test_a_text_without_end_is_refused(face: Asked, operation: Operation) -> None:
    """A million characters are no name, no id and no cursor; the field is named."""
    path, schema = face.path(operation), operation.body
    assert schema is not None
    with face.unchanged():
        for name in schema["properties"]:
            if (operation.path, name) == ("/graphql", "operationName"):
                continue  # read with the query, which cannot be read
            for text in (
                one for one in ("x" * 1_000_000, ["x" * 1_000_000]) if type(one) in _types(schema, name)
            ):
                answer = face.ask(operation, path, json={**least(schema), name: text})
                assert 400 <= answer.status_code < 500, (name, answer.text[:300])
                assert len(answer.text) < 10_000
                fault(operation, answer)


class TestABodyWithoutEnd:
    """It is counted while it arrives: no more of it is taken than may be, and hardly any is held."""

    @pytest.mark.parametrize("operation", WITH_JSON, ids=label)
    def test_of_json(self, face: Asked, operation: Operation) -> None:
        limit = largest_body(operation.path, False, ApiSettings())
        with face.unchanged():
            answer = face.raw(
                operation.method,
                face.path(operation),
                headers={"content-type": b"application/json", "idempotency-key": b"k"},
                body=repeat(b" " * CHUNK),
            )
        assert answer.status_code == 413
        assert answer.chunks <= limit // CHUNK + 1

    @pytest.mark.parametrize("operation", WITH_FILES, ids=label)
    def test_of_files(self, face: Asked, operation: Operation, monkeypatch: pytest.MonkeyPatch) -> None:
        settings = face.served.client.app.state.settings  # type: ignore[attr-defined]
        monkeypatch.setattr(settings, "upload_file_bytes", 16 * MIB)
        monkeypatch.setattr(settings, "upload_files", 4)
        head = b'--b\r\nContent-Disposition: form-data; name="files"; filename="a.txt"\r\n\r\n'

        def body() -> Iterator[bytes]:
            yield head
            yield from repeat(b"x" * CHUNK)

        tracemalloc.start()
        try:
            with face.unchanged():
                answer = face.raw(
                    operation.method,
                    face.path(operation),
                    headers={"content-type": b"multipart/form-data; boundary=b"},
                    body=body(),
                )
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert answer.status_code == 413
        assert answer.chunks <= 65 * MIB // CHUNK + 2
        assert peak < 16 * MIB


@pytest.mark.parametrize("operation", WITH_FILES, ids=label)
@pytest.mark.parametrize(
    ("kind", "head"),
    [
        (FORM, b"--b\r\n"),
        (FORM, b"--b\r\nContent-Disposition: "),
        (FORM, b'--b\r\nContent-Disposition: form-data; name="'),
        (FORM, b'--b\r\nContent-Disposition: form-data; name="files"; filename="'),
        (FORM, b'--b\r\nContent-Disposition: form-data; name="files"\r\n\r\n'),
        (FORM, b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"),
        (FORM, b""),
        (b"multipart/form-data", b""),
        (b"multipart/form-data; boundary=", b""),
        (b"multipart/form-data; boundary=" + b"b" * 1_000_000, b""),
        (
            b"multipart/form-data; boundary=b; charset=none",
            b'--b\r\nContent-Disposition: form-data; name="files"',
        ),
    ],
    ids=[
        "header",
        "value",
        "name",
        "filename",
        "field",
        "nameless",
        "none",
        "no mark",
        "no",
        "long",
        "charset",
    ],
)
def test_forms_that_are_none_are_given_up_early(
    face: Asked, operation: Operation, kind: bytes, head: bytes
) -> None:
    """A head or a field without end, and no parts at all: the rest is not waited for."""
    path, ends = face.path(operation), head.endswith(b"--\r\n")

    def body() -> Iterator[bytes]:
        yield head
        yield from () if ends else repeat(b"x" * CHUNK)

    with face.unchanged():
        answer = face.raw(operation.method, path, headers={"content-type": kind}, body=body())
    assert answer.status_code == operation.refusal, answer.text
    assert answer.chunks <= 2 * MIB // CHUNK


@pytest.mark.parametrize("operation", WITH_FILES, ids=label)
def test_forms_of_many_parts_are_refused(face: Asked, operation: Operation) -> None:
    """Ten thousand files, or as many fields, cost nothing but a look at the first thousand."""
    path = face.path(operation)
    with face.unchanged():
        for disposition in ('name="files"; filename="a{}"', 'name="field{}"'):
            parts = "".join(
                f"--b\r\nContent-Disposition: form-data; {disposition.format(n)}\r\n\r\nx\r\n"
                for n in range(10_000)
            )
            headers = {"Content-Type": "multipart/form-data; boundary=b"}
            answer = face.ask(operation, path, content=f"{parts}--b--\r\n".encode(), headers=headers)
            assert answer.status_code == operation.refusal, answer.text
            fault(operation, answer)


@pytest.mark.parametrize("operation", WITH_FILES, ids=label)
@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "etc/passwd"),
        ("..\\..\\windows\\system.ini", "windows/system.ini"),
        ("/etc/shadow", "etc/shadow"),
        ("C:\\boot.ini", "boot.ini"),
        ("a%0d%0aSet-Cookie: x=1", "a%0d%0aSet-Cookie: x=1"),
        ("....//....//x", "..../..../x"),
        ("..", "unnamed"),
    ],
)
def test_a_files_name_leads_nowhere(face: Asked, operation: Operation, name: str, kept: str) -> None:
    """What climbs or names a drive is taken out of it; what would break a line elsewhere is text."""
    raw = (
        f'--b\r\nContent-Disposition: form-data; name="files"; filename="{name}"\r\n\r\nx\r\n--b--\r\n'
    ).encode()
    answer = face.ask(
        operation,
        face.path(operation),
        content=raw,
        headers={"Content-Type": "multipart/form-data; boundary=b"},
    )
    assert answer.status_code == 202, answer.text
    (file,) = answer.json()["data"]["files"]
    assert file.get("path", file.get("name")) == kept
    assert "set-cookie" not in answer.headers


def _fields(operation: Operation) -> list[str]:
    assert operation.body is not None
    return list(operation.body["properties"])


def _types(schema: dict[str, Any], name: str) -> set[type]:
    """Return in which forms a field takes texts: by themselves, in a list, or both."""
    kinds = [
        resolved(one) for one in (schema["properties"][name], *schema["properties"][name].get("anyOf", ()))
    ]
    found: set[type] = {str for one in kinds if "string" in one.get("type", ())}
    return found | {list for one in kinds if resolved(one.get("items", {})).get("type") == "string"}
