"""``catchment connector``: made, listed, shown, changed, tried and removed."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Annotated, Any

from cyclopts import App, Parameter

from catchment.cli import groups, outcome, words
from catchment.cli.house import House
from catchment.cli.output import out
from catchment.cli.server import or_there
from catchment.core.clock import iso

if TYPE_CHECKING:
    from catchment.cli.outcome import Owner
    from catchment.services.context import Context
    from catchment.store.rows import ConnectorRow

app = App(name="connector", group=groups.SYNC, help="Make, show, change, try and remove connectors.")

Set = Annotated[list[str] | None, Parameter(name=("--set", "-s"))]


@app.command
@or_there("connectors")
def add(
    source: str,
    /,
    *,
    set: Set = None,
    name: str | None = None,
    schedule: str | None = None,
) -> int:
    """Make a connector, without syncing it yet.

    Args:
        source: A path, a URL, or the name of a provider such as folder.
        set: A setting as name=value (plain or JSON); lists with commas or several times.
        name: What to call it.
        schedule: When to sync it: 15m, 6h, daily, or five cron fields, in UTC.
    """
    from catchment.cli import typed
    from catchment.cli.sync import looks_like_address, warn_of_secrets
    from catchment.kit import registry

    house = House()
    if not looks_like_address(source) and source in registry.providers():
        provider, config, credentials = source, {}, {}
    else:
        provider, address = registry.recognise(source)
        config, credentials = address.config, address.credentials
        name = name or address.name
        warn_of_secrets(provider, address)
    config = {**config, **typed.settings(registry.provider(provider).config_model, set or ())}
    context = house.working()
    from catchment.services import connectors

    row = connectors.add(context, provider, config, name=name, credentials=credentials, schedule=schedule)
    following = (
        f"Next: catchment connector credentials {row.slug}"
        if row.status == "SETUP"
        else f"Next: catchment sync {row.slug}"
    )
    return tell(row, f"Made the connector {row.slug}. {following}")


@app.command(name="list")
@or_there("connectors")
def list_() -> int:
    """List the connectors."""
    from catchment.services.overview import overview

    seen = overview(House().engine())
    if out.json:
        for one in seen:
            out.record(**_as_json(one.connector), documents=one.documents, items=one.items)
        return 0
    return list_them([(one.connector, one.documents) for one in seen])


def list_them(seen: Sequence[tuple[Owner, int]]) -> int:
    """Write connectors, each with the number of its documents."""
    if out.json:
        for row, documents in seen:
            out.record(**_as_json(row), documents=documents)
        return 0
    if not seen:
        out.say("There are no connectors yet. Make one: catchment connector add <path>")
        return 0
    out.table(
        ("=connector", "name", "provider", "status", ">documents", "schedule", "last success"),
        (
            (
                row.slug,
                row.name,
                row.provider,
                row.status.lower(),
                words.number(documents),
                row.schedule or "",
                words.moment(row.last_success_at) or "never",
            )
            for row, documents in seen
        ),
    )
    return 0


@app.command
@or_there("connectors")
def show(connector: str, /) -> int:
    """Show a connector: settings, standing, scopes, and what its source cannot tell.

    Args:
        connector: Name or id of the connector.
    """
    from catchment.core.errors import NotFound
    from catchment.services import connectors, overview
    from catchment.services.names import connector_called

    engine = House().engine()
    row = connector_called(engine, connector)
    standing = overview.standing(engine, row)
    listed = overview.scopes_of(engine, row)
    try:
        spots = connectors.blind_spots(row)
    except NotFound:
        spots = ()
    if out.json:
        out.record(
            **_as_json(row),
            documents=standing.documents,
            items=standing.items,
            last_run=standing.last_run.id if standing.last_run else None,
            scopes=[
                {
                    "key": scope.key,
                    "name": scope.name,
                    "listed_at": iso(scope.listed_at),
                    "incomplete": scope.incomplete,
                    "error": scope.error,
                }
                for scope in listed
            ],
            blind_spots=list(spots),
        )
        return 0
    run = standing.last_run
    out.facts(
        [
            ("Connector", row.slug),
            ("Name", row.name),
            ("Id", row.id),
            ("Provider", row.provider),
            ("Status", row.status.lower()),
            ("Error", row.error_message),
            *((f"  {name}", value) for name, value in row.config.items()),
            ("Schedule", row.schedule or "none"),
            ("Next run", words.moment(standing.next_run_at) or None),
            ("Credentials", "kept" if row.credentials_block else None),
            ("Documents", words.number(standing.documents)),
            (
                "Items",
                ", ".join(f"{state} {count}" for state, count in sorted(standing.items.items())) or None,
            ),
            ("Last run", f"{run.id} {run.state.lower()}, {words.moment(run.created_at)}" if run else "never"),
        ]
    )
    if listed:
        out.say()
        out.table(
            ("scope", "listed completely", "problem"),
            ((scope.name, words.moment(scope.listed_at) or "never", scope.error or "") for scope in listed),
        )
    if spots:
        out.say()
        out.say("What this source cannot tell:")
        out.bullets(spots)
    return 0


@app.command
@or_there("connectors")
def edit(
    connector: str, /, *, set: Set = None, unset: list[str] | None = None, name: str | None = None
) -> int:
    """Change settings or the name; the next run follows.

    Args:
        connector: Name or id of the connector.
        set: A setting as name=value (plain or JSON); lists with commas or several times.
        unset: A setting that is to have its default again.
        name: What to call it.
    """
    from catchment.cli import typed
    from catchment.core.errors import UsageError
    from catchment.kit import registry
    from catchment.services import connectors

    context = House().context()
    row = connectors.find(context, connector)
    model = registry.provider(row.provider).config_model
    changes = {**typed.settings(model, set or ()), **typed.unset(model, unset or ())}
    if not changes and name is None:
        raise UsageError("There is nothing to change.", remedy="Give --set, --unset or --name.")
    edited = connectors.edit(context, row, name=name, changes=changes)
    if out.json:
        out.record(**_as_json(edited.connector), outside=edited.outside)
        return 0
    out.say(f"The connector {edited.connector.slug} is changed; the next run follows.")
    if edited.outside:
        out.say(
            f"{words.counted(edited.outside, 'document')} now outside its scope: the next complete run "
            f"removes them. To see which: catchment sync {edited.connector.slug} --dry-run"
        )
    return 0


@app.command
@or_there("connectors")
def credentials(connector: str, /, *, stdin: bool = False) -> int:
    """Give a connector its credentials, in place of what it had.

    Asks for them without showing them, or takes CATCHMENT_CREDENTIAL_<FIELD> from the environment.

    Args:
        connector: Name or id of the connector.
        stdin: Read them from standard input, as one JSON object.
    """
    from catchment.cli import typed
    from catchment.core.errors import UsageError
    from catchment.kit import registry
    from catchment.services import connectors

    context = House().context()
    row = connectors.find(context, connector)
    provider = registry.provider(row.provider)
    if provider.credentials_model is None:
        raise UsageError(f"{provider.display_name} takes no credentials.")
    values = typed.credentials(provider.credentials_model, from_stdin=stdin)
    changed = connectors.set_credentials(context, row, values)
    return tell(
        changed,
        f"The credentials of {changed.slug} are kept. Try them: catchment connector check {changed.slug}",
    )


@app.command
@or_there("connectors")
def schedule(connector: str, when: str | None = None, /, *, off: bool = False) -> int:
    """Show, set or take away when a connector is synced by itself.

    Args:
        connector: Name or id of the connector.
        when: 15m, 6h, daily, or five cron fields in UTC, as one word.
        off: Take the schedule away.
    """
    from catchment.core.errors import UsageError
    from catchment.services import connectors

    context = House().context()
    row = connectors.find(context, connector)
    if off and when is not None:
        raise UsageError("A schedule cannot be set and taken away at once.")
    if when is None and not off:
        return tell(row, f"{row.slug}: {row.schedule or 'no schedule'}")
    changed = connectors.set_schedule(context, row, None if off else when)
    if changed.schedule is None:
        return tell(changed, f"{changed.slug} has no schedule now.")
    return tell(
        changed,
        f"{changed.slug} is synced by itself: {changed.schedule} (UTC). "
        "Keep the stack running for that: catchment up",
    )


@app.command
@or_there("connectors")
def check(connector: str, /) -> int:
    """Try each thing that a sync of this connector needs.

    Args:
        connector: Name or id of the connector.
    """
    from catchment.services import connectors

    context = House().context()
    results = connectors.check(context, connectors.find(context, connector))
    bad = any(result.health != "ok" for result in results)
    if out.json:
        for result in results:
            out.record(
                name=result.name,
                health=result.health,
                message=result.message,
                remedy=result.remedy,
                setting=result.setting,
            )
    else:
        out.table(
            ("what", "health", "found"),
            ((one.name, one.health, f"{one.message} {one.remedy}".strip()) for one in results),
        )
    return outcome.FAILED if bad else outcome.DONE


@app.command
@or_there("connectors")
def browse(connector: str, parent: str | None = None, /, *, page: str | None = None) -> int:
    """Show what can be chosen at the source; ids are what the settings take.

    Args:
        connector: Name or id of the connector.
        parent: Look below this resource; the top if absent.
        page: Go on where the page before said.
    """
    from catchment.services import connectors

    context = House().context()
    found = connectors.browse(context, connectors.find(context, connector), parent, page)
    write_resources((one.id, one.name, one.kind, one.has_children, one.size) for one in found.resources)
    if found.next_page is not None:
        if out.json:
            out.record(next_page=found.next_page)
        else:
            out.note(f"More: --page {found.next_page}")
    return 0


def write_resources(found: Iterable[tuple[str, str, str, bool, int | None]]) -> None:
    """Write what can be chosen: id, name, kind, whether something lies below it, size."""
    if out.json:
        for id_, name, kind, has_children, size in found:
            out.record(id=id_, name=name, kind=kind, has_children=has_children, size=size)
        return
    out.table(
        ("id", "name", "kind", ">size"),
        ((id_, name, kind, words.size(size)) for id_, name, kind, _, size in found),
    )


@app.command
@or_there("connectors")
def pause(connector: str, /) -> int:
    """Let a connector rest: neither its schedule nor a person starts it.

    Args:
        connector: Name or id of the connector.
    """
    return _set_paused(connector, paused=True)


@app.command
@or_there("connectors")
def resume(connector: str, /) -> int:
    """Let a paused connector go on.

    Args:
        connector: Name or id of the connector.
    """
    return _set_paused(connector, paused=False)


def _set_paused(connector: str, /, *, paused: bool) -> int:
    from catchment.services import connectors

    context = House().context()
    changed = connectors.set_paused(context, connectors.find(context, connector), paused=paused)
    return tell(changed, f"The connector {changed.slug} {'is paused' if paused else 'goes on'}.")


@app.command
@or_there("connectors")
def remove(connector: str, /, *, yes: Annotated[bool, Parameter(name=("--yes", "-y"))] = False) -> int:
    """Remove a connector with its schedule, credentials, cursor, and every document it brought.

    Documents at the source are not touched; what the connector made there for itself, such as a replication
    slot, is taken away.

    Args:
        connector: Name or id of the connector.
        yes: Do not ask.
    """
    from catchment.services import connectors, removal
    from catchment.services.documents import count

    context = House().context()
    row = connectors.find(context, connector)
    documents = count(context.engine, row)
    if not yes and not agrees(row, documents):
        out.note("Nothing was removed.")
        return outcome.WRONG_USE
    _say_if_active(context, row)
    removed = removal.remove(context, row, on_left=out.note)
    if out.json:
        out.record(removed=row.slug, id=row.id, documents=removed)
    else:
        out.say(f"The connector {row.slug} is removed, with {words.counted(removed, 'document')}.")
    return 0


def agrees(row: Owner, documents: int) -> bool:
    """Ask the person whether a connector is to go with its documents."""
    from catchment.core.errors import UsageError

    if not sys.stdin.isatty():
        raise UsageError(
            f"Removing {row.slug} takes {words.counted(documents, 'document')} out of the index.",
            remedy="Give --yes if that is meant.",
        )
    print(
        f"Remove {row.slug} and its {words.counted(documents, 'document')} from the index? [y/N] ",
        end="",
        file=sys.stderr,
        flush=True,
    )
    return sys.stdin.readline().strip().lower() in ("y", "yes")


def _say_if_active(context: Context, row: ConnectorRow) -> None:
    from catchment.services import syncs

    for run in syncs.recent(context, row, limit=5):
        if run.state in ("QUEUED", "RUNNING", "CANCELLING") and not run.dry_run:
            out.note(f"Run {run.id} is cancelled first ...")


def tell(row: Owner, sentence: str, **more: Any) -> int:
    """Write how a connector is now: a sentence, or as JSON, with what else there is to say."""
    if out.json:
        out.record(**_as_json(row), **more)
    else:
        out.say(sentence)
    return 0


def _as_json(row: Owner) -> dict[str, Any]:
    return {
        "id": row.id,
        "connector": row.slug,
        "name": row.name,
        "provider": row.provider,
        "status": row.status,
        "paused": row.paused,
        "config": row.config,
        "schedule": row.schedule,
        # A server does not tell.
        "has_credentials": getattr(row, "has_credentials", row.credentials_block is not None),
        "created_at": iso(row.created_at),
        "last_success_at": iso(row.last_success_at),
        "error": {"code": row.error_code, "message": row.error_message} if row.error_code else None,
    }
