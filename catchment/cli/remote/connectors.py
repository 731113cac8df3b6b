"""``catchment connector`` of a server."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from catchment.cli import outcome, typed, words
from catchment.cli.connector import agrees, list_them, tell
from catchment.cli.output import out
from catchment.cli.remote.views import connector_view
from catchment.cli.server import only_locally, server
from catchment.core.errors import NotFound, UsageError

if TYPE_CHECKING:
    from pydantic import BaseModel

    from catchment.client import Connector


def add(
    source: str,
    /,
    *,
    set: list[str] | None = None,
    name: str | None = None,
    schedule: str | None = None,
) -> int:
    """Make a connector at the server."""
    from catchment.cli.sync import looks_like_address, warn_of_secrets
    from catchment.kit import registry

    config: dict[str, Any] = {}
    credentials: dict[str, Any] = {}
    if not looks_like_address(source) and source in registry.known():
        provider = source
    else:
        provider, address = registry.recognise(source)
        if provider == "folder":
            raise UsageError(
                "A folder of this machine cannot be read by the server.",
                remedy="For one of its own: catchment connector add folder --set path=/srv/letters.",
            )
        config, credentials = address.config, address.credentials
        name = name or address.name
        warn_of_secrets(provider, address)
    config = {**config, **_settings(provider, set or ())}
    with server() as client:
        made = client.connectors.create(
            provider, name=name, config=config, credentials=credentials or None, schedule=schedule
        )
    view = connector_view(made)
    verb = "credentials" if made.status == "inactive" else ""
    following = f"catchment connector {verb} {view.slug}" if verb else f"catchment sync {view.slug}"
    return tell(view, f"Made the connector {view.slug}. Next: {following}")


def list_() -> int:
    """List the connectors of the server."""
    with server() as client:
        views = [connector_view(one) for one in client.connectors.list()]
    return list_them([(view, view.documents) for view in views])


def show(connector: str, /) -> int:
    """Show a connector of the server."""
    with server() as client:
        view = connector_view(client.connectors.find(connector))
        newest = next(iter(client.jobs.list(view.id, limit=1)), None)
    if out.json:
        return tell(view, "", documents=view.documents, last_run=newest.id if newest else None)
    began = words.moment(newest.accepted_at.timestamp()) if newest else ""
    out.facts(
        [
            ("Connector", view.slug),
            ("Name", view.name),
            ("Id", view.id),
            ("Provider", view.provider),
            ("Status", view.status.lower()),
            ("Error", view.error_message),
            *((f"  {key}", value) for key, value in view.config.items()),
            ("Schedule", view.schedule or "none"),
            ("Documents", words.number(view.documents)),
            ("Last run", f"{newest.id} {newest.status}, {began}" if newest else "never"),
        ]
    )
    return 0


def edit(
    connector: str,
    /,
    *,
    set: list[str] | None = None,
    unset: list[str] | None = None,
    name: str | None = None,
) -> int:
    """Change settings or the name of a connector of the server."""
    with server() as client:
        found = client.connectors.find(connector)
        changes = {**_settings(_provider(found), set or ()), **dict.fromkeys(unset or ())}
        if not changes and name is None:
            raise UsageError("There is nothing to change.", remedy="Give --set, --unset or --name.")
        edited = client.connectors.update(found.id, name=name, config=changes or None)
    outside = edited.documents_outside
    view = connector_view(edited)
    told = f"The connector {view.slug} is changed; the next run follows."
    if outside:
        told += f" {words.counted(outside, 'document')} now outside its scope: the next run removes them."
    return tell(view, told, outside=outside)


def credentials(connector: str, /, *, stdin: bool = False) -> int:
    """Give a connector of the server its credentials."""
    with server() as client:
        found = client.connectors.find(connector)
        values = typed.credentials(_credentials_model(_provider(found)), from_stdin=stdin)
        view = connector_view(client.connectors.update(found.id, credentials=values))
    return tell(
        view, f"The credentials of {view.slug} are kept. Try them: catchment connector check {view.slug}"
    )


def schedule(connector: str, when: str | None = None, /, *, off: bool = False) -> int:
    """Show, set or take away the schedule of a connector of the server."""
    if off and when is not None:
        raise UsageError("A schedule cannot be set and taken away at once.")
    with server() as client:
        view = connector_view(client.connectors.find(connector))
        if when is None and not off:
            return tell(view, f"{view.slug}: {view.schedule or 'no schedule'}")
        view = connector_view(client.connectors.update(view.id, schedule=None if off else when))
    if view.schedule is None:
        return tell(view, f"{view.slug} has no schedule now.")
    return tell(view, f"{view.slug} is synced by itself: {view.schedule} (UTC).")


def check(connector: str, /) -> int:
    """Try whether a connector of the server reaches its source."""
    with server() as client:
        tried = client.connectors.test(client.connectors.find(connector).id)
    health = "ok" if tried.success else "failed"
    if out.json:
        out.record(name="connection", health=health, message=tried.message, remedy="", setting=None)
    else:
        out.table(("what", "health", "found"), [("connection", health, tried.message)])
    return outcome.DONE if tried.success else outcome.FAILED


def browse(connector: str, parent: str | None = None, /, *, page: str | None = None) -> int:
    """Show what can be chosen at the source of a connector of the server."""
    from catchment.cli.connector import write_resources

    if page is not None:
        raise only_locally("--page")
    with server() as client:
        found = client.connectors.browse(client.connectors.find(connector).id, parent)
    write_resources((one.id, one.name, one.type, one.has_children, one.size) for one in found)
    return 0


def pause(connector: str, /) -> int:
    """Let a connector of the server rest."""
    with server() as client:
        view = connector_view(client.connectors.pause(client.connectors.find(connector).id))
    return tell(view, f"The connector {view.slug} is paused.")


def resume(connector: str, /) -> int:
    """Let a connector of the server go on."""
    with server() as client:
        view = connector_view(client.connectors.resume(client.connectors.find(connector).id))
    return tell(view, f"The connector {view.slug} goes on.")


def remove(connector: str, /, *, yes: bool = False) -> int:
    """Remove a connector of the server with every document it brought."""
    with server() as client:
        view = connector_view(client.connectors.find(connector))
        if not yes and not agrees(view, view.documents):
            out.note("Nothing was removed.")
            return outcome.WRONG_USE
        client.connectors.delete(view.id)
    if out.json:
        out.record(removed=view.slug, id=view.id, documents=view.documents)
    else:
        out.say(f"The connector {view.slug} is removed, with {words.counted(view.documents, 'document')}.")
    return 0


def _provider(connector: Connector) -> str:
    return connector.type.replace("_", "-")


def _settings(provider: str, given: Sequence[str]) -> dict[str, Any]:
    """Read ``name=value`` words; of a provider that only the server knows, as JSON or as plain text."""
    from catchment.kit import registry

    try:
        model = registry.provider(provider).config_model
    except NotFound:
        return {name: _value(text) for name, _, text in (word.partition("=") for word in given)}
    return typed.settings(model, given)


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _credentials_model(provider: str) -> type[BaseModel]:
    from catchment.kit import registry

    known = registry.provider(provider)
    if known.credentials_model is None:
        raise UsageError(f"{known.display_name} takes no credentials.")
    return known.credentials_model
