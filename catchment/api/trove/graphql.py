"""GraphQL over HTTP: one document in, data and errors out."""

from __future__ import annotations

import json
import logging
import re
from typing import Annotated, Any

import strawberry
from fastapi import APIRouter, Body
from graphql import GraphQLError, GraphQLSyntaxError, MaxIntrospectionDepthRule
from starlette.requests import Request
from starlette.responses import Response
from strawberry.extensions import AddValidationRules
from strawberry.schema.config import StrawberryConfig
from strawberry.schema.exceptions import CannotGetOperationTypeError
from strawberry.types import ExecutionContext, ExecutionResult

from catchment.api.base import Problem
from catchment.api.errors import INTERNAL, invalid, problem_of
from catchment.api.limits import FaceRoute
from catchment.api.requests import CallerOf, ContextOf, request_id
from catchment.api.trove.asked import Asked
from catchment.api.trove.bounds import Bounds
from catchment.api.trove.face import FACE
from catchment.api.trove.mutation import Mutation
from catchment.api.trove.query import Query
from catchment.api.trove.scalars import SCALARS

router = APIRouter(tags=["trove"], route_class=FaceRoute)
log = logging.getLogger("catchment.api")
# The library repeats what it found, which may be a secret in the wrong place.
_REPEATED = (
    (re.compile(r"[,;.]? ?\bfound: .*$", re.DOTALL | re.IGNORECASE), "."),
    (re.compile(r"(cannot represent [^:]*?) ?: .*$", re.DOTALL), r"\1."),
    (re.compile(r"\b(Value) '.*' (does not exist)", re.DOTALL), r"\1 \2"),
    (re.compile(r"\b(Name|String|BlockString|Int|Float) [\"'].*$", re.DOTALL), r"\1."),
)
_REQUEST_SCHEMA = {
    "type": "object",
    "required": ["query"],
    "properties": {
        "query": {"type": "string"},
        "variables": {"type": ["object", "null"], "additionalProperties": True},
        "operationName": {"type": ["string", "null"]},
    },
}
_ERROR_SCHEMA = {
    "type": "object",
    "required": ["message", "extensions"],
    "properties": {
        "message": {"type": "string"},
        "locations": {"type": "array", "items": {"type": "object"}},
        "path": {"type": "array", "items": {"type": ["string", "integer"]}},
        "extensions": {"type": "object", "required": ["code"], "properties": {"code": {"type": "string"}}},
    },
}
_ANSWER_SCHEMA = {
    "type": "object",
    "properties": {
        "data": {"type": ["object", "null"], "additionalProperties": True},
        "errors": {"type": "array", "items": _ERROR_SCHEMA},
    },
}


class Schema(strawberry.Schema):
    """The schema; what goes wrong is told by the transport below, once."""

    def process_errors(
        self, errors: list[GraphQLError], execution_context: ExecutionContext | None = None
    ) -> None:
        """Log nothing here."""


SCHEMA = Schema(
    query=Query,
    mutation=Mutation,
    config=StrawberryConfig(scalar_map=SCALARS),
    extensions=[Bounds, lambda: AddValidationRules([MaxIntrospectionDepthRule])],
)


def _said(schema: dict[str, Any], description: str) -> dict[str, Any]:
    return {"description": description, "content": {"application/json": {"schema": schema}}}


@router.post(
    "/graphql",
    response_class=Response,
    responses={
        200: _said(
            _ANSWER_SCHEMA, "Data, errors, or both; errors of a query that could be read come with 200."
        ),
        **{
            status: _said(_ANSWER_SCHEMA, description)
            for status, description in (
                (400, "The body or the query cannot be read."),
                (401, "Nobody is known by this token."),
                (403, "The caller does not belong here."),
                (404, "There is nothing here."),
                (408, "The body did not arrive in time."),
                (409, "Something stands in the way."),
                (413, "The body is too large."),
                (429, "Too many requests."),
                (500, "Something went wrong on our side."),
                (503, "A part is away."),
            )
        },
    },
    openapi_extra={"requestBody": {"content": {"application/json": {"schema": _REQUEST_SCHEMA}}}},
)
def graphql(request: Request, body: Annotated[Any, Body()], context: ContextOf, caller: CallerOf) -> Response:
    """Carry out a GraphQL query or mutation."""
    query, variables, operation = _read(body)
    try:
        result = SCHEMA.execute_sync(
            query,
            variable_values=variables,
            operation_name=operation,
            context_value=Asked(context, caller, operation),
        )
    except RecursionError:
        raise invalid("The query is nested too deeply.", "body", "query") from None
    except CannotGetOperationTypeError:
        result = ExecutionResult(data=None, errors=[GraphQLError("There is no operation to carry out.")])
    answer: dict[str, Any] = {"data": result.data}
    errors = result.errors or []
    if errors:
        answer["errors"] = [_error(one, request) for one in errors]
    is_unread = any(isinstance(one, GraphQLSyntaxError) for one in errors)
    content = json.dumps(answer, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
    return Response(content, status_code=400 if is_unread else 200, media_type="application/json")


def _read(body: Any) -> tuple[str, dict[str, Any], str | None]:
    if not isinstance(body, dict):
        raise invalid("The body must be a JSON object; several queries at once are not taken.", "body")
    query, variables, operation = body.get("query"), body.get("variables"), body.get("operationName")
    if not isinstance(query, str) or not query.strip():
        raise invalid("query is required and must be a string.", "body", "query")
    if variables is not None and not isinstance(variables, dict):
        raise invalid("variables must be an object.", "body", "variables")
    if operation is not None and not isinstance(operation, str):
        raise invalid("operationName must be a string.", "body", "operationName")
    return query, variables or {}, operation or None


def _error(error: GraphQLError, request: Request) -> dict[str, Any]:
    """Say an error of the library's, or one of ours that it carries, without what the client sent."""
    problem = _problem(error, request)
    told = FACE.graphql_error(problem)
    if error.locations:
        told["locations"] = [{"line": one.line, "column": one.column} for one in error.locations]
    if error.path:
        told["path"] = error.path
    return told


def _problem(error: GraphQLError, request: Request) -> Problem:
    cause: BaseException | None = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    if error.path and isinstance(cause, Exception):
        problem = problem_of(cause)
        if problem is INTERNAL:
            log.error("request %s failed", request_id(request), exc_info=cause)
        return problem
    if error.path and "Int cannot represent" in error.message:
        log.error("request %s: %s", request_id(request), error.path)
        return INTERNAL
    message = error.message
    for pattern, instead in _REPEATED:
        message = pattern.sub(instead, message)
    return Problem("invalid", message)
