"""``catchment runs`` and ``run show|cancel|retry``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

from cyclopts import App, Parameter

from catchment.cli import groups, outcome, words
from catchment.cli.house import House
from catchment.cli.output import out
from catchment.cli.server import or_there

if TYPE_CHECKING:
    from catchment.cli.outcome import Owner, Run

app = App(name="run", group=groups.SYNC, help="Show, cancel or repeat a run.")


@or_there("runs")
def runs(
    connector: str | None = None, /, *, limit: Annotated[int, Parameter(name=("--limit", "-n"))] = 20
) -> int:
    """List runs, newest first.

    Args:
        connector: Only the runs of this connector.
        limit: Most runs.
    """
    from catchment.services import syncs
    from catchment.services.names import connector_called

    house = House()
    context = house.context()
    only = connector_called(context.engine, connector) if connector is not None else None
    found = syncs.recent(context, only, limit=max(1, limit))
    owners = {row.connector_pk: syncs.connector_of(context, row) for row in found}
    write([(row, owners[row.connector_pk]) for row in found])
    return 0


def write(found: Sequence[tuple[Run, Owner]]) -> None:
    """Write runs, each with its connector."""
    if out.json:
        for row, owner in found:
            out.record(**outcome.as_json(row, owner))
        return
    out.table(
        ("=run", "=connector", "=began", "=mode", "ended", ">indexed", ">failed", ">time"),
        (
            (
                # The end of an id is random; its beginning is only the time.
                row.id[-8:],
                owner.slug,
                words.moment(row.started_at or row.created_at),
                "dry run" if row.dry_run else row.mode,
                _ended(row),
                words.number(row.indexed),
                words.number(row.failed),
                words.clock(outcome.seconds(row) or 0) if row.ended_at else "",
            )
            for row, owner in found
        ),
    )


def _ended(row: Run) -> str:
    return f"{row.state.lower()}: {row.error_code}" if row.error_code else row.state.lower()


@app.command
@or_there("runs")
def show(run: str, /) -> int:
    """Show what a run came to, with every failure that it recorded.

    Args:
        run: Its id, or the beginning or the end of it.
    """
    from catchment.services import syncs

    house = House()
    context = house.context()
    row = syncs.show(context, run)
    outcome.summarise(
        row, syncs.connector_of(context, row), page=house.run_page(row.flow_run_id), every_failure=True
    )
    return 0


@app.command
@or_there("runs")
def cancel(run: str, /) -> int:
    """Ask a run to stop; what it has indexed stays.

    Args:
        run: Its id, or the beginning or the end of it.
    """
    from catchment.services import syncs

    house = House()
    context = house.context()
    row = syncs.cancel(context, syncs.show(context, run))
    tell_cancelled(row, syncs.connector_of(context, row))
    return 0


def tell_cancelled(row: Run, connector: Owner) -> None:
    """Say how a run stands that was asked to stop."""
    if out.json:
        out.record(**outcome.as_json(row, connector))
    elif row.state == "CANCELLED":
        out.say(f"Run {row.id} of {connector.slug} is cancelled.")
    else:
        out.say(f"Run {row.id} of {connector.slug} is asked to stop; it does so within seconds.")


@app.command
def retry(run: str, /) -> int:
    """Do once more what a run was asked to do, and watch it to the end.

    Args:
        run: Its id, or the beginning or the end of it.
    """
    from catchment.cli.sync import watch
    from catchment.cli.watching import unbroken
    from catchment.services import syncs

    house = House()
    row = syncs.show(house.context(), run)
    context = house.working()
    with unbroken() as interrupts:
        again = syncs.retry(context, row)
    return watch(house, context, syncs.connector_of(context, again), again, interrupted=interrupts.came)
