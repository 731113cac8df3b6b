"""What was removed is gone: every operation that could name it, on every face, finds nothing there."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.support.asked import Asked
from tests.support.living import Living
from tests.support.operations import Operation, fault, label, operations

MAKERS: dict[str, Callable[[Living], str]] = {
    "connector_id": Living.connector,
    "document_id": Living.document,
    "collection_id": Living.place,
}
"""How to make what a parameter of a path names."""
REMOVALS = [
    (one, name)
    for one in operations()
    for name in MAKERS
    if one.method == "DELETE" and one.path.endswith(f"{{{name}}}")
]


@pytest.mark.parametrize(
    ("removal", "name"), REMOVALS, ids=lambda value: label(value) if isinstance(value, Operation) else ""
)
def test_what_was_removed_is_found_by_nothing(face: Asked, removal: Operation, name: str) -> None:
    """It was there before; afterwards nothing comes of naming it, and it cannot be removed again."""
    gone = MAKERS[name](face.here)
    naming = [one for one in operations() if name in one.parameters("path")]
    paths = {one: face.path(one, **{name: gone}) for one in naming}
    reads = [one for one in naming if one.method == "GET" and one.path.endswith(f"{{{name}}}")]
    before = [face.send(one, _with_its_connector(face, one, name, gone, paths)) for one in reads]
    assert [answer.status_code for answer in before] == [200] * len(reads)
    assert face.send(removal, _with_its_connector(face, removal, name, gone, paths)).status_code < 300
    with face.unchanged():
        for one, path in paths.items():
            answer = face.send(one, path)
            assert answer.status_code == 404, (one.label, answer.text)
            fault(one, answer)


def _with_its_connector(
    face: Asked, operation: Operation, name: str, gone: str, paths: dict[Operation, str]
) -> str:
    """A document that was pushed lies below the connector that it was pushed to."""
    if name == "document_id" and "connector_id" in operation.parameters("path"):
        return face.path(operation, document_id=gone, connector_id=face.here.pushed)
    return paths[operation]


def test_a_token_that_was_revoked_opens_nothing(face: Asked) -> None:
    """From the next request on, on every operation that asks who calls."""
    secret, token = face.here.token_with_secret()
    headers = {"Authorization": f"Bearer {secret}"}
    (removal,) = (one for one in operations() if one.label == "DELETE /api/v1/tokens/{token_id}")
    paths = {one: face.path(one) for one in operations() if one.told.get("security")}
    me = "/v1/me"
    assert face.served.client.get(me, headers=headers).status_code == 200
    assert face.ask(removal, face.path(removal, token_id=token)).status_code == 200
    with face.unchanged():
        for one, path in paths.items():
            answer = face.send(one, path, headers=headers)
            assert answer.status_code == 401, one.label
            fault(one, answer)
