"""The documents of the API: one for each face, and one for all, with the errors that a face really says."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.requests import Request
from starlette.responses import JSONResponse

from catchment.api.base import STATUSES, Face, Problem
from catchment.api.faces import FACES, HOUSE, face_of

_USUAL = (
    "invalid",
    "unauthenticated",
    "forbidden",
    "not_found",
    "conflict",
    "rate_limited",
    "internal",
    "unavailable",
)
_OF_BODIES = ("timeout", "too_large")
"""What else is said where a body is read."""
_SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "zensearchKey": {"type": "apiKey", "in": "header", "name": "X-ZenSearch-Key"},
    "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
    "session": {"type": "apiKey", "in": "cookie", "name": "__session"},
}
_SHAPES = "#/components/schemas/"
_OPERATIONS = ("get", "put", "post", "delete", "patch")


def add_documents(app: FastAPI) -> None:
    """Serve ``/openapi.json`` and one document for each face; call it when all routes are there."""
    documents: dict[str, dict[str, Any]] = {}

    def of(face: Face | None) -> dict[str, Any]:
        name = face.name if face else "all"
        if name not in documents:
            documents[name] = _document(app, face)
        return documents[name]

    def whole() -> dict[str, Any]:
        return of(None)

    app.openapi = whole  # type: ignore[method-assign]  # FastAPI's own way to another document
    for face in FACES:
        app.add_route(f"/openapi/{face.name}.json", _serving(of, face), include_in_schema=False)


def _serving(of: Callable[[Face], dict[str, Any]], face: Face) -> Callable[[Request], JSONResponse]:
    def serve(_request: Request) -> JSONResponse:
        return JSONResponse(of(face))

    return serve


def _document(app: FastAPI, face: Face | None) -> dict[str, Any]:
    made = get_openapi(
        title=face.title if face else app.title,
        version=app.version,
        routes=app.routes,
        description=f"The {face.title} face of Catchment." if face else app.description,
    )
    schemas = made.setdefault("components", {}).setdefault("schemas", {})
    for one in (face,) if face else FACES:
        schemas[_error_name(one)] = dict(one.error_schema)
    made["components"]["securitySchemes"] = _SCHEMES
    paths = made.get("paths", {})
    made["paths"] = paths = {p: item for p, item in paths.items() if face is None or face_of(p) is face}
    for path, item in paths.items():
        for method in _OPERATIONS:
            if method in item:
                _tell_errors(item[method], path, face_of(path))
                _take_null_away(item[method])
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return made if face is None else _with_own_shapes(made)


def _with_own_shapes(document: dict[str, Any]) -> dict[str, Any]:
    """Keep the shapes that the paths of a face refer to, by their plain names.

    Where two faces have shapes of one name, FastAPI calls both by their modules.
    """
    schemas = document["components"]["schemas"]
    used, waiting = set[str](), _referred(document["paths"])
    while waiting:
        used |= waiting
        waiting = _referred([schemas[name] for name in waiting]) - used
    plain = {name: name.rpartition("__")[2] or name for name in used}
    twice = {name for name, count in Counter(plain.values()).items() if count > 1}
    names = {old: old if new in twice else new for old, new in plain.items()}
    document["paths"] = _renamed(document["paths"], names)
    kept = {names[name]: _renamed(schemas[name], names) for name in sorted(used)}
    document["components"]["schemas"] = kept
    return document


def _referred(part: Any) -> set[str]:
    if isinstance(part, list):
        return set().union(*map(_referred, part))
    if not isinstance(part, dict):
        return set()
    found = _referred(list(part.values()))
    target = part.get("$ref")
    return found | {target.removeprefix(_SHAPES)} if isinstance(target, str) else found


def _renamed(part: Any, names: Mapping[str, str]) -> Any:
    if isinstance(part, list):
        return [_renamed(one, names) for one in part]
    if not isinstance(part, dict):
        return part
    renamed = {key: _renamed(value, names) for key, value in part.items()}
    if isinstance(target := part.get("$ref"), str):
        renamed["$ref"] = _SHAPES + names[target.removeprefix(_SHAPES)]
    return renamed


def _error_name(face: Face) -> str:
    return f"{face.name.capitalize()}Error"


def _tell_errors(operation: dict[str, Any], path: str, face: Face) -> None:
    responses = operation.setdefault("responses", {})
    responses.pop("422", None)
    if face is HOUSE:
        return
    if not face.is_open(path):
        operation.setdefault("security", [{name: []} for name in _SCHEMES])
    shape = {"$ref": f"#/components/schemas/{_error_name(face)}"}
    for code in (*_USUAL, *(_OF_BODIES if "requestBody" in operation else ())):
        status = str(face.status_of(Problem(code, "")))
        responses.setdefault(status, {"description": code.replace("_", " ").capitalize() + "."})
    for status, told in responses.items():
        if status >= "400":
            # A route may describe a status in words of its own; how the face says it is the same.
            told.setdefault("content", {"application/json": {"schema": shape}})
    assert {*_USUAL, *_OF_BODIES} <= set(STATUSES)


def _take_null_away(operation: dict[str, Any]) -> None:
    """Leave of optional parameters what can be sent: a query or a header has no null, it is left out."""
    for parameter in operation.get("parameters", ()):
        schema = parameter["schema"]
        kinds = [one for one in schema.get("anyOf", ()) if one != {"type": "null"}]
        if len(kinds) == 1:
            del schema["anyOf"]
            schema.update(kinds[0])
