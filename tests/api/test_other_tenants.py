"""Ids of another tenant, in every position that the document of the API has for one.

They mean no more than ids of nobody: the same answer word for word, and nothing comes of it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.support.asked import Asked
from tests.support.living import Living
from tests.support.operations import Operation, label, least, named_like_ids, operations

NO_IDS = {"provider", "provider_slug", "role_key"}
"""Parameters of paths that are the same for everybody."""
OUR_OWN = {("documents", "external_id"), ("role_id",)}
"""Fields that are called as ids are, and are ids of the client's, or of the same roles for everybody."""
FOUND_NOTHING = {
    "GET /v1/spaces/{space_id}/members/{principal_id}/roles": lambda body: body["data"] == [],
    "GET /api/v1/connectors": lambda body: body["data"] == [],
    "DELETE /api/v1/connectors/{connector_id}/files": lambda body: body["data"]["deleted"] == 0,
}
"""Where something that is not there is no error: what the answer then is."""
MEANINGS: dict[str, Callable[[Living], str]] = {
    "spaces": lambda living: living.space,
    "space_id": lambda living: living.space,
    "collection": lambda living: living.collection,
    "collection_id": lambda living: living.collection,
    "collections": lambda living: living.collection,
    "connectorId": lambda living: living.synced,
    "sources": lambda living: living.synced,
    "ids": lambda living: living.file(),
    "tenant_id": lambda living: living.tenant(),
}
QUERY_IDS = [
    (one, name)
    for one in operations()
    for name in one.parameters("query")
    if re.fullmatch(r"(.*_)?ids?|collections?|sources|spaces", name) and name != "parent_id"
]
PATH_IDS = [(one, name) for one in operations() for name in one.parameters("path") if name not in NO_IDS]
BODY_IDS = [
    (one, way)
    for one in operations()
    if one.body is not None
    for way in dict.fromkeys(named_like_ids(one.body))
    if way not in OUR_OWN
]


def named(value: Any) -> str | None:
    return ".".join(value) if isinstance(value, tuple) else label(value) or value


def nobodys(theirs: str) -> str:
    """Return an id that looks the same and means nothing."""
    return re.sub("[0-9a-f]{8}$", "0" * 8, theirs)


def check(face: Asked, operation: Operation, theirs: str, ask: Callable[[str], Any]) -> None:
    """Ask with an id of the other tenant, and with one of nobody."""
    with face.unchanged():
        foreign, unknown = ask(theirs), ask(nobodys(theirs))
    assert foreign.status_code == unknown.status_code
    assert told(foreign, theirs) == told(unknown, nobodys(theirs))
    if operation.label in FOUND_NOTHING and foreign.status_code == 200:
        assert FOUND_NOTHING[operation.label](foreign.json())
    else:
        assert foreign.status_code in (403, 404, operation.refusal), foreign.text


def told(answer: Any, asked_for: str) -> str:
    """Return what an answer says, but for the id that was sent, in any spelling, its own id and time."""
    changing = r"req_\w+|\d{4}-\d\d-\d\dT[0-9:]+Z"
    return re.sub(f"{re.escape(asked_for)}|{asked_for.replace('-', '')}|{changing}", "-", answer.text)


@pytest.mark.parametrize(("operation", "name"), PATH_IDS, ids=named)
def test_in_a_path(face: Asked, operation: Operation, name: str) -> None:
    """One id of the path is theirs, the others are ours."""
    theirs = face.there.means(name, operation.label)
    path = face.path(operation, **{name: "THEIRS"})
    check(face, operation, theirs, lambda value: face.send(operation, path.replace("THEIRS", value)))


@pytest.mark.parametrize("operation", dict.fromkeys(one for one, _ in PATH_IDS), ids=label)
def test_in_a_whole_path(face: Asked, operation: Operation) -> None:
    """All of it is theirs, as when an address is passed on."""
    names = {name: face.there.means(name, operation.label) for name in operation.parameters("path")}
    path = face.path(operation, **names)
    with face.unchanged():
        answer = face.send(operation, path)
    assert answer.status_code == 404, answer.text
    assert not any(value in answer.text for name, value in names.items() if name not in NO_IDS)


@pytest.mark.parametrize(("operation", "name"), QUERY_IDS, ids=named)
def test_in_a_query(face: Asked, operation: Operation, name: str) -> None:
    """The rest of the request is ours."""
    theirs = MEANINGS.get(name, lambda living: living.synced)(face.there)
    path = face.path(operation)
    check(face, operation, theirs, lambda value: face.send(operation, path, params={name: value}))


@pytest.mark.parametrize(("operation", "way"), BODY_IDS, ids=named)
def test_in_a_body(face: Asked, operation: Operation, way: tuple[str, ...]) -> None:
    """The rest of the body is ours, and could be carried out."""
    assert operation.body is not None
    meaning = MEANINGS.get(way[-1], lambda living: living.pushed)
    path, theirs = face.path(operation), meaning(face.there)
    whole = face.here.working(operation.label, least(operation.body))

    def ask(value: str) -> Any:
        put: Any = {"spaces": {value: "viewer"}}.get(way[-1], [value] if way[-1].endswith("s") else value)
        for name in reversed(way):
            put = {name: put}
        return face.send(operation, path, json={**whole, **put})

    check(face, operation, theirs, ask)


@pytest.mark.parametrize(
    "operation", [one for one in operations() if one.method == "GET" and one in dict(PATH_IDS)], ids=label
)
def test_what_is_asked_for_is_there_for_its_owner(face: Asked, operation: Operation) -> None:
    """Else the answers above could be the same for another reason."""
    answer = face.send(operation, face.path(operation))
    assert answer.status_code == 200, answer.text
