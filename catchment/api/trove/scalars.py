"""The scalars of the schema: moments and any JSON, also written within a query."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, NewType

import strawberry
from strawberry.types.scalar import ScalarDefinition

from catchment.core.clock import iso

DateTime = NewType("DateTime", float)
"""POSIX seconds here; ISO 8601 outside."""
Json = NewType("Json", object)
"""Any JSON value."""


def read_moment(value: Any) -> float:
    """Read ISO 8601; a date alone is its first moment, and what names no zone is in UTC.

    Raises:
        ValueError: It is no such text, or lies outside the calendar.
    """
    if not isinstance(value, str):
        raise ValueError(_NO_MOMENT)  # noqa: TRY004 - what GraphQL makes of it is the same
    try:
        moment = datetime.fromisoformat(value.strip())
        seconds = (moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)).timestamp()
        datetime.fromtimestamp(seconds, UTC)  # a zone may lead out of the calendar
    except (ValueError, OverflowError, OSError):
        raise ValueError(_NO_MOMENT) from None
    return seconds


_NO_MOMENT = "DateTime must be an ISO 8601 string"


def _as_it_is(value: Any) -> Any:
    return value


SCALARS: dict[object, ScalarDefinition] = {
    DateTime: strawberry.scalar(
        name="DateTime",
        description="A moment in UTC, as ISO 8601 (`2026-03-20T10:00:00Z`).",
        serialize=iso,
        parse_value=read_moment,
    ),
    Json: strawberry.scalar(
        name="JSON",
        description='Any JSON value; within a query it may be written as a literal: `{key: [1, "two"]}`.',
        serialize=_as_it_is,
        parse_value=_as_it_is,
    ),
}
