"""Schedules as people write them, and as Prefect takes them."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

from catchment.core.errors import UsageError

_NAMED = {
    "every 30 minutes": timedelta(minutes=30),
    "hourly": timedelta(hours=1),
    "every hour": timedelta(hours=1),
    "every 6 hours": timedelta(hours=6),
    "every 12 hours": timedelta(hours=12),
    "daily": timedelta(days=1),
}
_INTERVAL = re.compile(r"(?:every\s+)?(\d+)\s*(s|m|h|d|seconds?|minutes?|hours?|days?)", re.IGNORECASE)
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
_LEAST_SECONDS = 60
_CRON_FIELDS = 5


def prefect_schedule(text: str) -> dict[str, Any]:
    """Read ``15m``, ``every 6 hours``, ``daily`` or five cron fields, in UTC.

    Raises:
        UsageError: It is none of these, or shorter than a minute.
    """
    words = " ".join(text.lower().split())
    if words in _NAMED:
        return _interval(_NAMED[words].total_seconds())
    if match := _INTERVAL.fullmatch(words):
        return _interval(int(match[1]) * _UNITS[match[2][0]])
    if len(words.split()) == _CRON_FIELDS:
        return _cron(words)
    raise UsageError(
        f"The schedule {text!r} cannot be read.",
        remedy="Write an interval such as 15m, 6h or daily, or five cron fields such as '0 6 * * 1-5'.",
    )


def _interval(seconds: float) -> dict[str, Any]:
    if seconds < _LEAST_SECONDS:
        raise UsageError("A schedule cannot be shorter than a minute.", remedy="Write 1m or more.")
    return {"interval": float(seconds), "timezone": "UTC"}


def _cron(words: str) -> dict[str, Any]:
    from cronsim import CronSim, CronSimError

    try:
        from datetime import UTC, datetime

        CronSim(words, datetime.now(UTC))
    except CronSimError as error:
        raise UsageError(
            f"The cron schedule {words!r} cannot be read: {error}.",
            remedy="Write minute, hour, day of month, month and day of week.",
        ) from None
    return {"cron": words, "timezone": "UTC"}
