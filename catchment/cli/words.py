"""Figures, times and codes as people read them."""

from __future__ import annotations

from datetime import UTC, datetime

from catchment.core.errors import UsageError

REASONS = {
    "filter": "only what was named",
    "full": "everything was asked for",
    "no_change_feed": "the source cannot report all changes by itself",
    "feed": "the source only shows what is new",
    "cursor": "only what changed since the last run",
    "no_cursor": "there is no earlier run to go on from",
    "cursor_expired": "the source no longer accepts the cursor",
    "cursor_ahead": "the cursor is newer than this store",
    "cursor_version": "the cursor was written by another version",
    "config_changed": "the settings have changed",
    "reconcile": "the last complete listing is too long ago",
    "incomplete": "the last run left something unread",
    "configured": "the settings ask for listings",
}
_KIB = 1024


def size(count: float | None) -> str:
    """Write bytes in the unit that fits."""
    if count is None:
        return ""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if count < _KIB:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= _KIB
    return f"{count:.1f} TiB"


def kind(content_type: str) -> str:
    """Write a media type as short as people say it: ``docx``, ``pdf``."""
    from mimetypes import guess_extension

    plain = content_type.partition(";")[0]
    return (guess_extension(plain) or plain.rpartition("/")[2]).lstrip(".")


def number(count: int) -> str:
    """Write a count with commas."""
    return f"{count:,}"


def counted(count: int, noun: str) -> str:
    """Write a count with its noun: ``1 document``, ``2 documents``."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"


def moment(seconds: float | None) -> str:
    """Write POSIX seconds in the time zone of this machine, to the minute."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds).astimezone().strftime("%Y-%m-%d %H:%M")


def duration(seconds: float) -> str:
    """Write a length of time."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02} min" if hours else f"{minutes} min {rest:02} s"


def clock(seconds: float) -> str:
    """Write a running time as ``0:07`` or ``1:02:03``."""
    minutes, rest = divmod(max(0, int(seconds)), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def reason(code: str | None) -> str:
    """Write why a run took its strategy."""
    return REASONS.get(code or "", code or "")


def point_in_time(text: str | None, option: str) -> float | None:
    """Read a date or date and time, in the zone of this machine unless it names another.

    Raises:
        UsageError: It is neither.
    """
    if text is None:
        return None
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(
            f"{option} cannot be read: {text!r}.",
            remedy="Write a date such as 2026-11-24 or 2026-11-24T18:00.",
        ) from None
    return (read if read.tzinfo is not None else read.astimezone()).astimezone(UTC).timestamp()
