"""A request until its answer: sent, sent again where that helps, and read in the words of its face."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from itertools import count
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from catchment.client.errors import (
    ClientError,
    Conflict,
    Forbidden,
    Invalid,
    NotFound,
    RateLimited,
    ServerFailed,
    TooLarge,
    Unauthenticated,
    Unavailable,
    Unreachable,
)
from catchment.client.retries import asked_seconds
from catchment.client.session import Part, Session
from catchment.client.steps import Answer, Call, Cut, Pause, Send, Steps

MOST_PAGE = 100
"""Most elements of one page, on every face."""
_GRAPHQL = "/graphql"
_OF_STATUS: Mapping[int, type[ClientError]] = {
    400: Invalid,
    401: Unauthenticated,
    403: Forbidden,
    404: NotFound,
    405: Invalid,
    408: Unavailable,
    409: Conflict,
    413: TooLarge,
    415: Invalid,
    422: Invalid,
    429: RateLimited,
    503: Unavailable,
}
_OF_GRAPHQL: Mapping[str, int] = {
    "UNAUTHENTICATED": 401,
    "BAD_USER_INPUT": 400,
    "FORBIDDEN": 403,
    "NOT_FOUND": 404,
    "CONFLICT": 409,
    "RATE_LIMITED": 429,
    "SOURCE_FAILED": 502,
    "UNAVAILABLE": 503,
}
_REMEDIES: Mapping[type[ClientError], str] = {
    Unauthenticated: "Give a token that is in use; catchment token add makes one.",
    Forbidden: "Ask an admin for a role.",
    Unavailable: "Try again later.",
}
_MOST_TOLD = 500
M = TypeVar("M", bound=BaseModel)


def ask(here: Part, call: Call) -> Steps[Any]:
    """Carry a request out and return what its answer says: the JSON of its body, None without one.

    Raises:
        ClientError: The server refuses it, or no answer came; see `catchment.client.errors`.
    """
    session = here.session
    for attempt in count(1):
        outcome: Answer | Cut = yield Send(call)
        if call.path == _GRAPHQL:
            outcome = _as_rest(outcome)
        if isinstance(outcome, Answer) and outcome.status < 300:
            return _json(session, outcome, attempt)
        if not _is_told_by_source(outcome):
            wait = session.retries.wait(
                call, outcome, attempt, now=session.clock.now(), chance=session.chance
            )
            if wait is not None:
                yield Pause(wait)
                continue
        raise _error(session, outcome, attempt)
    raise AssertionError("unreachable")


def graphql(here: Part, query: str, *, is_repeatable: bool = True, **variables: Any) -> Steps[Any]:
    """Carry out a query of the Trove face and return its data; raises as `ask`."""
    body = {"query": query, "variables": variables}
    answer = yield from ask(here, Call("POST", _GRAPHQL, body=body, is_repeatable=is_repeatable))
    return _part(here.session, answer, "data")


def data(here: Part, call: Call) -> Steps[Any]:
    """Carry out a request of a face that wraps what it says, and return what is inside; raises as `ask`."""
    answer = yield from ask(here, call)
    return _part(here.session, answer, "data")


def delete(here: Part, path: str) -> Steps[None]:
    """Remove something; what is gone when the request is repeated was removed by the first one.

    Raises:
        NotFound: There is no such thing, nor was there when this was first asked.
    """
    try:
        yield from ask(here, Call("DELETE", path))
    except NotFound as error:
        if error.attempts == 1:
            raise


def offset_pages(
    here: Part, path: str, *, limit: int | None = None, offset: int = 0, **params: Any
) -> Steps[list[Any]]:
    """Gather a list of the ZenSearch face, page by page; with no limit, all of it. Raises as `ask`."""
    found: list[Any] = []
    while limit is None or len(found) < limit:
        size = MOST_PAGE if limit is None else min(MOST_PAGE, limit - len(found))
        page = {**params, "limit": size, "offset": offset + len(found)}
        entries = yield from data(here, Call("GET", path, params=page))
        found += entries
        if len(entries) < size:
            break
    return found


def cursor_pages(here: Part, path: str, *, limit: int | None = None, **params: Any) -> Steps[list[Any]]:
    """Gather a list of the Aimable face, page by page; with no limit, all of it. Raises as `ask`."""
    found: list[Any] = []
    position: str | None = None
    while limit is None or len(found) < limit:
        size = MOST_PAGE if limit is None else min(MOST_PAGE, limit - len(found))
        answer = yield from ask(here, Call("GET", path, params={**params, "limit": size, "cursor": position}))
        found += _part(here.session, answer, "data")
        position = (answer.get("meta") or {}).get("next_cursor")
        if position is None:
            break
    return found


def read(here: Part, model: type[M], told: Any) -> M:
    """Make a model of a part of an answer.

    Raises:
        ServerFailed: It does not fit: the server is none of ours, or much newer or older.
    """
    try:
        return model.model_validate(told)
    except ValidationError as error:
        places = sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()})
    raise _unreadable(here.session, f"{model.__name__}: {', '.join(places)}")


def _part(session: Session, answer: Any, name: str) -> Any:
    if not isinstance(answer, dict) or name not in answer:
        raise _unreadable(session, f"{name} is missing")
    return answer[name]


def _unreadable(session: Session, what: str) -> ServerFailed:
    return ServerFailed(
        f"The answer of {session.address} cannot be read ({what}).",
        remedy="Check that the address is that of a Catchment of this version.",
    )


def _json(session: Session, answer: Answer, attempt: int) -> Any:
    if not answer.content:
        return None
    try:
        return json.loads(answer.content)
    except ValueError:
        pass
    error = _unreadable(session, "it is no JSON")
    error.status, error.attempts = answer.status, attempt
    raise error


def _body(answer: Answer) -> Any:
    try:
        return json.loads(answer.content)
    except ValueError:
        return None


def _as_rest(outcome: Answer | Cut) -> Answer | Cut:
    """Give an answer of GraphQL, which is 200 whatever it says, the status of its first error."""
    if isinstance(outcome, Cut) or outcome.status != 200:
        return outcome
    body = _body(outcome)
    if not _has_graphql_error(body):
        return outcome
    code = (body["errors"][0].get("extensions") or {}).get("code")
    return Answer(_OF_GRAPHQL.get(str(code), 500), outcome.headers, outcome.content)


def _has_graphql_error(body: Any) -> bool:
    errors = body.get("errors") if isinstance(body, dict) else None
    first = errors[0] if isinstance(errors, list) and errors else None
    return isinstance(first, dict) and "message" in first


def _is_told_by_source(outcome: Answer | Cut) -> bool:
    """Tell whether our server says that a source refused, which another request would not change."""
    return isinstance(outcome, Answer) and outcome.status == 502 and _told(outcome)[0] is not None


def _error(session: Session, outcome: Answer | Cut, attempts: int) -> ClientError:
    if isinstance(outcome, Cut):
        return Unreachable(
            f"The server at {session.address} cannot be reached: {outcome.reason}.",
            remedy="Check the address, and that the server runs.",
            attempts=attempts,
        )
    if 300 <= outcome.status < 400:
        return ServerFailed(
            f"The server at {session.address} sends us to another address; the token does not follow.",
            remedy="Give the address at its end.",
            status=outcome.status,
            attempts=attempts,
        )
    kind = _OF_STATUS.get(outcome.status) or (ServerFailed if outcome.status >= 500 else Invalid)
    outcome = session.hidden(outcome)
    message, field, details = _told(outcome)
    return kind(
        message or f"The server at {session.address} answers with status {outcome.status}.",
        remedy=_REMEDIES.get(kind, ""),
        status=outcome.status,
        request_id=outcome.headers.get("x-request-id"),
        retry_after_seconds=asked_seconds(outcome, session.clock.now()),
        attempts=attempts,
        field=field,
        details=details,
    )


def _told(answer: Answer) -> tuple[str | None, str | None, dict[str, Any]]:
    """Return sentence, field and facts of an error, whichever face says it."""
    body = _body(answer)
    if not isinstance(body, dict):
        return None, None, {}
    error, detail = body.get("error"), body.get("detail")
    if isinstance(error, dict):  # ZenSearch
        details = error.get("details")
        details = details if isinstance(details, dict) else {}
        return _sentence(error.get("message")), _sentence(details.get("field")), details
    if isinstance(detail, list) and detail and isinstance(detail[0], dict):  # Aimable, what is invalid
        loc = detail[0].get("loc")
        place = ".".join(str(part) for part in loc[1:]) if isinstance(loc, Sequence) else None
        said = _sentence(detail[0].get("msg"))
        return f"{place}: {said}" if place and said else said, place or None, {}
    if _has_graphql_error(body):
        first = body["errors"][0]
        return _sentence(first["message"]), None, dict(first.get("extensions") or {})
    return _sentence(detail) or _sentence(error), None, {}


def _sentence(value: Any) -> str | None:
    return value[:_MOST_TOLD] if isinstance(value, str) and value.strip() else None
