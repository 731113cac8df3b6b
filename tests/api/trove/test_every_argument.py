"""Every argument of the GraphQL schema, as the schema tells of it: ids of others, numbers, endless texts."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLList,
    GraphQLObjectType,
    build_schema,
    get_named_type,
    is_required_argument,
    is_required_input_field,
)

from catchment.api.trove.graphql import SCHEMA
from tests.support.asked import Asked
from tests.support.living import Living
from tests.support.operations import JSON

LEAST = {"String": "x", "ID": "x", "Int": 1, "JSON": {}, "DateTime": "2026-01-01", "Boolean": True}
NUMBERS = {"limit": (-1, 0, 101, 2**31 - 1, 2**31, 10**12), "offset": (-1, 2**31, 10**12)}
LONG = "x" * 1_000_000
_DEPTH = 3


@dataclass(frozen=True)
class Argument:
    """An argument of a field, or a field of its input.

    Attributes:
        operation: ``query`` or ``mutation``.
        way: The fields that lead to it, from the root.
        name: The argument.
        inner: The field of the input, where the argument is one.
        kind: Its named type.
        is_list: Whether it takes several.
    """

    operation: str
    way: tuple[str, ...]
    name: str
    inner: str | None
    kind: str
    is_list: bool

    def __str__(self) -> str:
        return ".".join(filter(None, (*self.way, self.name, self.inner)))


def arguments() -> Iterator[Argument]:
    """Return all of them, each once, by the shortest way to its field."""
    schema = build_schema(SCHEMA.as_str())
    for operation, root in (("query", schema.query_type), ("mutation", schema.mutation_type)):
        seen: set[str] = set()
        waiting: list[tuple[tuple[str, ...], Any]] = [((), root)]
        while waiting:
            way, kind = waiting.pop(0)
            if kind.name in seen or (operation == "mutation" and way):
                continue
            seen.add(kind.name)
            for name, field in kind.fields.items():
                for named, argument in field.args.items():
                    yield from _of(operation, (*way, name), named, argument.type)
                below = get_named_type(field.type)
                if isinstance(below, GraphQLObjectType) and not any(
                    map(is_required_argument, field.args.values())
                ):
                    waiting.append(((*way, name), below))


def _of(operation: str, way: tuple[str, ...], name: str, kind: Any) -> Iterator[Argument]:
    named = get_named_type(kind)
    if isinstance(named, GraphQLInputObjectType):
        for inner, field in named.fields.items():
            below = get_named_type(field.type)
            assert not isinstance(below, GraphQLInputObjectType)
            yield Argument(operation, way, name, inner, below.name, "[" in str(field.type))
    else:
        yield Argument(operation, way, name, None, named.name, "[" in str(kind))


ALL = list(arguments())


def least(kind: Any) -> Any:
    """Return the smallest value of an input type."""
    named = get_named_type(kind)
    if isinstance(named, GraphQLEnumType):
        return next(iter(named.values))
    if isinstance(named, GraphQLInputObjectType):
        needed = {name: one for name, one in named.fields.items() if is_required_input_field(one)}
        return {name: least(one.type) for name, one in needed.items()}
    value = LEAST[named.name]
    return [value] if isinstance(getattr(kind, "of_type", kind), GraphQLList) else value


def question(argument: Argument, value: Any) -> dict[str, Any]:
    """Return a request that gives a value to an argument, and to others what they need."""
    schema = build_schema(SCHEMA.as_str())
    kind: Any = schema.query_type if argument.operation == "query" else schema.mutation_type
    for step in argument.way[:-1]:
        kind = get_named_type(kind.fields[step].type)
    field = kind.fields[argument.way[-1]]
    variables = {
        name: least(one.type)
        for name, one in field.args.items()
        if is_required_argument(one) or name == argument.name
    }
    if argument.inner is None:
        variables[argument.name] = value
    else:
        variables[argument.name][argument.inner] = value
    declared = ", ".join(f"${name}: {field.args[name].type}" for name in variables)
    given = ", ".join(f"{name}: ${name}" for name in variables)
    text = f"{argument.way[-1]}({given}){selection(get_named_type(field.type))}"
    for step in reversed(argument.way[:-1]):
        text = f"{step} {{ {text} }}"
    return {"query": f"{argument.operation} Q({declared}) {{ {text} }}", "variables": variables}


def selection(kind: Any, depth: int = _DEPTH) -> str:
    """Ask for everything of a type but how long it took."""
    if not isinstance(kind, GraphQLObjectType):
        return ""
    parts = []
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        if field.args or name == "queryTimeMs" or (isinstance(below, GraphQLObjectType) and depth == 1):
            continue
        parts.append(name + selection(below, depth - 1))
    return f" {{ {' '.join(parts)} }}"


def ask(face: Asked, body: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {face.served.variables['tok_admin']}", **JSON}
    return face.served.client.post("/graphql", content=json.dumps(body), headers=headers)


def id_for(argument: Argument, living: Living) -> str:
    """Return what an argument that takes an id can mean: a document by itself, else a connector."""
    return living.read if "ocument" in argument.way[0] and argument.name == "id" else living.pushed


IDS = [one for one in ALL if one.kind == "ID"]


@pytest.mark.parametrize("argument", IDS, ids=str)
def test_another_tenants_id_means_as_little_as_nobodys(face: Asked, argument: Argument) -> None:
    """The same answer word for word; nothing is found, and nothing comes of it."""
    theirs = id_for(argument, face.there)
    nobodys = re.sub("[0-9a-f]{8}$", "0" * 8, theirs)
    with face.unchanged():
        foreign, unknown = (ask(face, question(argument, one)).json() for one in (theirs, nobodys))
    assert foreign == unknown
    if "errors" in foreign:
        assert {error["extensions"]["code"] for error in foreign["errors"]} == {"NOT_FOUND"}
    else:
        assert argument.operation == "query"
        assert not any(found(foreign["data"]))


@pytest.mark.parametrize("argument", [one for one in IDS if one.operation == "query"], ids=str)
def test_ones_own_id_means_more(face: Asked, argument: Argument) -> None:
    """Else the answers above could be the same for another reason."""
    kept = {"connector_id": face.here.pushed, "documents": [{"external_id": "x", "text": "x"}]}
    headers = {"Authorization": f"Bearer {face.served.variables['tok_admin']}"}
    face.served.client.post("/api/sync/documents", json=kept, headers=headers)
    told = ask(face, question(argument, id_for(argument, face.here))).json()
    assert "errors" not in told
    assert any(found(told["data"]))


def found(value: Any) -> Iterator[Any]:
    """Return everything in an answer that is something."""
    if isinstance(value, dict):
        for one in value.values():
            yield from found(one)
    elif isinstance(value, list):
        yield bool(value)
    else:
        yield value


@pytest.mark.parametrize("argument", [one for one in ALL if one.kind == "Int"], ids=str)
def test_a_number_out_of_range_is_refused(face: Asked, argument: Argument) -> None:
    """Neither clamped nor taken: an error that says which argument it was."""
    with face.unchanged():
        for value in NUMBERS[argument.name]:
            answer = ask(face, question(argument, value))
            assert answer.status_code == 200
            (error,) = answer.json()["errors"]
            assert error["extensions"]["code"] == "BAD_USER_INPUT"
            assert argument.name in error["message"]


@pytest.mark.parametrize(
    "argument",
    [one for one in ALL if one.kind in ("String", "ID") and str(one) != "saveDocument.input.text"],
    ids=str,
)
def test_a_text_without_end_changes_nothing(face: Asked, argument: Argument) -> None:
    """It finds nothing, or is refused; the text is not sent back. Only a document's own text may be long."""
    with face.unchanged():
        answer = ask(face, question(argument, [LONG] if argument.is_list else LONG))
    told = answer.json()
    assert len(answer.text) < 20_000
    codes = {error["extensions"]["code"] for error in told.get("errors", ())}
    assert codes <= {"BAD_USER_INPUT", "NOT_FOUND"}
    assert codes or argument.operation == "query"


@pytest.mark.parametrize("argument", [one for one in ALL if one.kind in ("String", "ID", "JSON")], ids=str)
@pytest.mark.parametrize("text", ["a\0b", "a\ud800"], ids=["NUL", "half of a pair"])
def test_a_text_that_no_database_takes_is_refused(face: Asked, argument: Argument, text: str) -> None:
    """Before anything is looked up."""
    value: Any = {"x": text} if argument.kind == "JSON" else [text] if argument.is_list else text
    with face.unchanged():
        answer = ask(face, question(argument, value))
    assert answer.status_code == 400
    assert [error["extensions"]["code"] for error in answer.json()["errors"]] == ["BAD_USER_INPUT"]
