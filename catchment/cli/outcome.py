"""What a run came to: its JSON line, its summary, and the exit code that follows from it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from catchment.cli import words
from catchment.cli.output import clean, out
from catchment.core.clock import iso

if TYPE_CHECKING:
    from catchment.cli.remote.views import ConnectorView, RunView
    from catchment.store.rows import ConnectorRow, RunRow

    Run = RunRow | RunView
    Owner = ConnectorRow | ConnectorView

COUNTERS = ("collected", "fetched", "skipped", "parsed", "indexed", "failed", "deleted")
MOST_FAILURES = 10
MOST_KEYS = 10

DONE, FAILED, WRONG_USE, SOME_FAILED, INTERRUPTED = 0, 1, 2, 3, 130
"""The exit codes, as docs/cli.md tells them."""


def exit_code(row: Run, *, by_keyboard: bool = False) -> int:
    """Return the exit code that a run's end asks for."""
    if row.state == "SUCCEEDED":
        return SOME_FAILED if row.failed else DONE
    return INTERRUPTED if row.state == "CANCELLED" and by_keyboard else FAILED


def seconds(row: Run) -> float | None:
    """Return how long a run took, from the request to its end."""
    return round(row.ended_at - row.created_at, 3) if row.ended_at is not None else None


def as_json(row: Run, connector: Owner, *, page: str | None = None) -> dict[str, Any]:
    """Return a run as a program reads it."""
    details = row.details
    return {
        "run": row.id,
        "connector": connector.slug,
        "state": row.state,
        "mode": row.mode,
        "strategy": row.strategy,
        "reason": row.reason,
        "counters": {name: getattr(row, name) for name in COUNTERS},
        "seconds": seconds(row),
        "trigger": row.trigger,
        "dry_run": row.dry_run,
        "error": {"code": row.error_code, "message": row.error_message} if row.error_code else None,
        "skipped": details.get("skipped", {}),
        "failures": details.get("errors", []),
        "held": details.get("held", {}),
        "would": details.get("would", {}),
        "scopes": details.get("scopes", {}),
        "notes": details.get("notes", []),
        "created_at": iso(row.created_at),
        "started_at": iso(row.started_at),
        "ended_at": iso(row.ended_at),
        "page": page,
    }


def summarise(row: Run, connector: Owner, *, page: str | None = None, every_failure: bool = False) -> None:
    """Write what a run came to."""
    if out.json:
        out.record(**as_json(row, connector, page=page))
        return
    out.say(clean(_headline(row, connector)))
    for line in _body(row, connector, every_failure=every_failure):
        out.say(f"  {clean(line)}")
    out.say(f"  Run {row.id}{f'  {page}' if page else ''}")


def _headline(row: Run, connector: Owner) -> str:
    took = f" in {words.duration(seconds(row) or 0.0)}" if row.ended_at is not None else ""
    if row.state == "SUCCEEDED":
        ended = "would be done" if row.dry_run else "done"
        but = f", but {words.counted(row.failed, 'item')} failed" if row.failed else ""
        return f"{connector.slug}: {ended}{took}{but}"
    if row.state == "FAILED":
        return f"{connector.slug}: failed{took} ({row.error_code}). {row.error_message or ''}".rstrip()
    if row.state == "CANCELLED":
        cause = f" ({row.cancel_reason})" if row.cancel_reason not in (None, "user") else ""
        return f"{connector.slug}: cancelled{cause}{took}. What was indexed stays; the next run goes on."
    return f"{connector.slug}: {row.state.lower()}"


def _body(row: Run, connector: Owner, *, every_failure: bool) -> Iterator[str]:
    yield "  ".join(f"{name} {words.number(getattr(row, name))}" for name in COUNTERS)
    if row.strategy is not None:
        yield f"{row.mode}: {row.strategy}, because {words.reason(row.reason)} ({row.reason})"
    skipped = row.details.get("skipped", {})
    if skipped:
        by_count = sorted(skipped.items(), key=lambda entry: -entry[1])
        yield "Skipped: " + ", ".join(f"{code} {words.number(count)}" for code, count in by_count)
    yield from _failures(row, connector, every=every_failure)
    yield from _held(row, connector)
    yield from _would(row)
    if narrowed := row.details.get("narrowed", 0):
        verb = "would leave" if row.dry_run else "left"
        yield f"{words.counted(narrowed, 'document')} {verb} the index because the settings leave them out."
    yield from row.details.get("notes", [])


def _failures(row: Run, connector: Owner, *, every: bool) -> Iterator[str]:
    errors = row.details.get("errors", [])
    shown = errors if every else errors[:MOST_FAILURES]
    if shown:
        yield "Failed:"
    for error in shown:
        # The message often begins with the code that stands before it.
        told = str(error["error"] or "").removeprefix(f"{error['reason']}: ")
        told = f": {told}" if told and told != error["reason"] else ""
        yield f"  {error['key']}  ({error['stage']}) {error['reason']}{told}"
    if (left := row.failed - len(shown)) > 0 and row.failed:
        yield f"  ... and {words.number(left)} more: catchment documents {connector.slug} --state failed"


def _held(row: Run, connector: Owner) -> Iterator[str]:
    for scope, held in row.details.get("held", {}).items():
        yield (
            f"Held: {words.number(held['count'])} of {words.number(held['documents'])} documents in {scope} "
            "were not found and would be deleted:"
        )
        for key in held["sample"][:MOST_KEYS]:
            yield f"  {key}"
        if held["count"] > MOST_KEYS:
            yield "  ..."
    if row.details.get("held"):
        yield f"If that is right, run: catchment sync {connector.slug} --allow-mass-delete"
        yield "If not, bring the source back; the next run then finds them again."


def _would(row: Run) -> Iterator[str]:
    for verb, keys in row.details.get("would", {}).items():
        yield f"Would {verb}:"
        for key in keys[:MOST_KEYS]:
            yield f"  {key}"
        count = row.indexed if verb == "fetch" else row.deleted
        if count > min(len(keys), MOST_KEYS):
            yield f"  ... and {words.number(count - min(len(keys), MOST_KEYS))} more"
