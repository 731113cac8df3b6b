"""The operations of the API, as its document tells of them: what tests of every single one are made from."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any, NoReturn

from catchment.api.app import create_app
from catchment.api.faces import face_of
from catchment.core.settings import ApiSettings
from catchment.services.context import Context
from catchment.store.engine import open_engine

JSON = {"Content-Type": "application/json"}
_FORM = "multipart/form-data"
_VALUES: Mapping[str, Any] = {"string": "x", "integer": 1, "number": 1, "boolean": True, "null": None}
_OF_EACH_TYPE: Iterable[tuple[str, Any]] = (
    ("object", lambda word: {"x": word}),
    ("array", lambda word: [word]),
    ("string", lambda word: word),
)


@cache
def document() -> dict[str, Any]:
    """Return the document of the whole API; nothing is served for it."""
    context = Context(open_engine("sqlite:///never-opened.db"), connect=_no_prefect)
    return create_app(context, settings=ApiSettings()).openapi()


def _no_prefect() -> NoReturn:
    raise NotImplementedError


@dataclass(frozen=True)
class Operation:
    """One method of one path."""

    method: str
    path: str
    told: Mapping[str, Any] = field(compare=False)

    @property
    def label(self) -> str:
        """What people call it."""
        return f"{self.method} {self.path}"

    @property
    def face(self) -> str:
        """Which face it belongs to."""
        return face_of(self.path).name

    @property
    def refusal(self) -> int:
        """The status for what cannot be used."""
        return 422 if self.face == "aimable" else 400

    def parameters(self, place: str) -> list[str]:
        """Return the names of its parameters: those in the ``path``, the ``query`` or the ``header``."""
        return [one["name"] for one in self.told.get("parameters", ()) if one["in"] == place]

    @property
    def body(self) -> dict[str, Any] | None:
        """The schema of its JSON body, if it takes one."""
        content = self.told.get("requestBody", {}).get("content", {}).get("application/json")
        return None if content is None else _kinds(content["schema"])[0]

    @property
    def is_form(self) -> bool:
        """Whether it takes files."""
        return _FORM in self.told.get("requestBody", {}).get("content", {})

    @property
    def needs_body(self) -> bool:
        """Whether a request without a body is refused."""
        return bool(self.told.get("requestBody", {}).get("required")) or self.path == "/graphql"


def operations() -> list[Operation]:
    """Return all operations."""
    paths = document()["paths"]
    return [
        Operation(method.upper(), path, one) for path, item in paths.items() for method, one in item.items()
    ]


def label(value: Any) -> str | None:
    """Name a parametrized test after its operation."""
    return value.label if isinstance(value, Operation) else None


def resolved(schema: Mapping[str, Any]) -> dict[str, Any]:
    """Follow references."""
    while "$ref" in schema:
        schema = document()["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    return dict(schema)


def _kinds(schema: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return what a schema lets through, null last."""
    schema = resolved(schema)
    found = [kind for one in schema.get("anyOf", ()) for kind in _kinds(one)] or [schema]
    return sorted(found, key=lambda one: one.get("type") == "null")


def least(schema: Mapping[str, Any]) -> Any:
    """Return the smallest value that a schema lets through."""
    kind = _kinds(schema)[0]
    if "enum" in kind or "const" in kind:
        return kind.get("const", kind.get("enum", [None])[0])
    name = kind.get("type", "string")
    name = name[0] if isinstance(name, list) else name
    if name == "object":
        properties = kind.get("properties", {})
        return {one: least(properties[one]) for one in kind.get("required", ())}
    if name == "array":
        return [least(kind["items"])] * kind.get("minItems", 0)
    return _VALUES[name]


def misfits(schema: Mapping[str, Any], word: str) -> Iterator[Any]:
    """Return values of types that a schema does not let through, each with a word in it."""
    types = set[str]()
    for kind in _kinds(schema):
        if "enum" in kind:
            types |= {"string"} if None not in kind["enum"] else {"string", "null"}
        named = kind.get("type", ())
        types |= {named} if isinstance(named, str) else set(named)
    for name, make in _OF_EACH_TYPE:
        if name not in types:
            yield make(word)


def named_like_ids(schema: Mapping[str, Any], way: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Return where in a body ids may stand, by the names of its fields."""
    for kind in _kinds(schema):
        for name, one in kind.get("properties", {}).items():
            if re.fullmatch(r"(.*_)?ids?|.*Ids?|collections?|sources|spaces", name):
                yield (*way, name)
            yield from named_like_ids(one, (*way, name))
        if "items" in kind:
            yield from named_like_ids(kind["items"], way)


def fault(operation: Operation, answer: Any) -> str:
    """Return where an answer says that the fault lies; it must be an error of the face, as documented."""
    assert str(answer.status_code) in operation.told["responses"], answer.text
    body = answer.json()
    if operation.face == "zensearch":
        assert {"code", "message"} <= set(body["error"]) <= {"code", "message", "details", "retryAfter"}
        assert body["meta"] == {"requestId": answer.headers["x-request-id"]}
        return str(body["error"].get("details", {}).get("field", ""))
    if operation.face == "aimable":
        assert set(body) == {"detail"}
        if isinstance(body["detail"], str):
            return ""
        assert all(set(one) == {"loc", "msg", "type"} for one in body["detail"])
        return ".".join(str(part) for part in body["detail"][0]["loc"][1:])
    if operation.path == "/graphql":
        assert body["data"] is None
        (error,) = body["errors"]
        assert isinstance(error["extensions"]["code"], str)
        return str(error["message"])
    assert body["errors"] == [{"external_id": None, "error": answer.json()["errors"][0]["error"]}]
    assert body["documentsIndexed"] == body["documentsSkipped"] == 0
    return str(body["error"])
