"""``catchment sync``: a folder, a URL or a connector, synced now and watched to the end."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING, Annotated, Literal

from cyclopts import Parameter

from catchment.cli import outcome
from catchment.cli.house import House
from catchment.cli.output import out
from catchment.cli.server import or_there
from catchment.cli.watching import unbroken, watched

if TYPE_CHECKING:
    from catchment.kit.url import SourceAddress
    from catchment.services.context import Context
    from catchment.store.rows import ConnectorRow, RunRow

RESUME_SECONDS = 20.0
"""Upkeep opens the run that goes on with an interrupted one every 15 s."""


@or_there("runs")
def sync(
    source: str,
    /,
    *,
    mode: Literal["auto", "full", "incremental"] = "auto",
    file: Annotated[list[str] | None, Parameter(name=("--file", "-f"))] = None,
    dry_run: bool = False,
    allow_mass_delete: bool = False,
) -> int:
    """Sync a folder, a URL or a connector, and watch it to the end.

    A folder or URL that is new becomes a connector first; the same one is used again next time.
    Ctrl-C cancels the run; what is indexed by then stays, and the next run goes on from there.

    Args:
        source: A path such as ./docs, a URL, or the name or id of a connector.
        mode: auto (the default) skips what is unchanged, full redoes everything, incremental takes only
            what changed and removes nothing.
        file: Sync only this entry, by its exact path or id; may be given several times.
        dry_run: Say what would be done, and do nothing.
        allow_mass_delete: Carry out removals that the guard would hold back.
    """
    from catchment.core.runs import Mode

    house = House()
    context, connector = connector_for(house, source)
    from catchment.services import syncs

    with unbroken() as interrupts:
        row = syncs.trigger(
            context,
            connector,
            mode=Mode(mode),
            names=file or (),
            dry_run=dry_run,
            allow_mass_delete=allow_mass_delete,
        )
    return watch(house, context, connector, row, interrupted=interrupts.came)


def connector_for(house: House, source: str) -> tuple[Context, ConnectorRow]:
    """Return the connector that a word on the command line means, made if it is new.

    A connector of that id or name wins unless the word looks like a path or URL.

    Raises:
        UsageError: There is no such connector, and no provider knows such an address.
    """
    from catchment.core.errors import NotFound

    if not looks_like_address(source) and house.has_store():
        from catchment.services.connectors import find

        with suppress(NotFound):
            connector = find(house.context(), source)
            return house.working(), connector
    return made_for(house, source)


def made_for(house: House, source: str) -> tuple[Context, ConnectorRow]:
    """Return the connector to the source at an address, made if it is new.

    Raises:
        UsageError: No provider knows such an address, or the source cannot be read so; nothing was made.
    """
    from catchment.core.errors import ConfigRejected, NotFound
    from catchment.kit import registry
    from catchment.kit.catalog import holds_secrets

    try:
        provider, address = registry.recognise(source)
    except ConfigRejected:
        if looks_like_address(source):
            raise
        raise NotFound(
            f"There is no connector, and no folder, called {source!r}.",
            remedy="See: catchment connector list. A new folder is written as a path, such as ./docs.",
        ) from None
    warn_of_secrets(provider, address)
    from catchment.services import connectors, testing

    known = connectors.at_address(house.context(), provider, address) if house.has_store() else None
    if known is None or holds_secrets(registry.provider(provider), address.credentials):
        # Before anything is stored or started: most addresses that are new have a slip somewhere.
        testing.require_working(provider, address.config, address.credentials, is_new=known is None)
    context = house.working()
    connector, made = connectors.for_address(context, provider, address)
    if made:
        out.note(f"Made the connector {connector.slug} for {address.display}.")
    return context, connector


def warn_of_secrets(provider: str, address: SourceAddress) -> None:
    """Say where a secret that stood in an address goes, and that the shell remembers it."""
    from catchment.kit import registry
    from catchment.kit.catalog import holds_secrets

    if holds_secrets(registry.provider(provider), address.credentials):
        out.note(
            "The password in the address goes to the connector's credentials and is not shown again. "
            "It still stands in your shell's history; next time use: catchment connector credentials."
        )


def looks_like_address(text: str) -> bool:
    """Tell whether a word is written as a path or URL."""
    return "/" in text or text in (".", "..") or text.startswith("~")


def watch(
    house: House, context: Context, connector: ConnectorRow, row: RunRow, *, interrupted: bool = False
) -> int:
    """Follow a run to its end, write what it came to, and return the exit code."""
    verb = "Looking at" if row.dry_run else "Syncing"
    title = f"{verb} {connector.slug} ({row.mode})"
    if row.waiting:
        out.note("Another run holds the connector; this one waits behind it.")
    final, by_keyboard = watched(
        row.id,
        lambda: _follow(context, row, title),
        lambda: _cancel(context, row.id),
        interrupted=interrupted,
    )
    if final is None:
        return outcome.INTERRUPTED
    outcome.summarise(final, connector, page=house.run_page(final.flow_run_id))
    return outcome.exit_code(final, by_keyboard=by_keyboard)


def _cancel(context: Context, run_id: str) -> None:
    from catchment.services import syncs

    syncs.cancel(context, syncs.show(context, run_id))


def _follow(context: Context, row: RunRow, title: str) -> RunRow:
    """Watch a run, and the runs that go on with it when its process dies, until one is final."""
    from catchment.cli.progress import Progress
    from catchment.services import syncs

    with Progress(title) as progress:
        final = syncs.follow(context, row.id, on_change=progress.show)
        while final.error_code == "interrupted" and (following := _successor(context, final)) is not None:
            out.note(f"The run was interrupted; run {following.id} goes on with it.")
            final = syncs.follow(context, following.id, on_change=progress.show)
    return final


def _successor(context: Context, row: RunRow) -> RunRow | None:
    """Return the run that was opened to go on with an interrupted one, waiting a little for it."""
    from catchment.services import syncs

    connector = syncs.connector_of(context, row)
    out.note("The run was interrupted; waiting for it to go on ...")
    give_up_at = time.monotonic() + RESUME_SECONDS
    while time.monotonic() < give_up_at:
        for other in syncs.recent(context, connector, limit=5):
            if other.resumes == row.id:
                return other
        time.sleep(0.5)
    return None
