"""``catchment oauth``: the clients that vendors know this installation by."""

from __future__ import annotations

from cyclopts import App

from catchment.cli import groups, words
from catchment.cli.house import House
from catchment.cli.output import out
from catchment.core.clock import iso

app = App(name="oauth", group=groups.KEEP, help="Say by which clients vendors know this installation.")


@app.command(name="set")
def set_(provider: str, /, *, stdin: bool = False) -> int:
    """Keep the client that was registered with a vendor, sealed, for sign-ins in the browser.

    It comes from hidden prompts, from CATCHMENT_CREDENTIAL_CLIENT_ID and CATCHMENT_CREDENTIAL_CLIENT_SECRET,
    or as one JSON object on standard input.

    Args:
        provider: Name of the provider, such as google-drive.
        stdin: Read it from standard input, as one JSON object.
    """
    from catchment.cli import typed
    from catchment.kit.oauth import ClientSettings
    from catchment.services import oauth_clients

    context = House().context()
    oauth_clients.keep(context, provider, typed.credentials(ClientSettings, from_stdin=stdin))
    if out.json:
        out.record(provider=provider, updated_at=iso(oauth_clients.kept(context)[provider]))
    else:
        out.say(f"People can sign in to {provider} in the browser now.")
    return 0


@app.command(name="list")
def list_() -> int:
    """Show which providers have a client; nothing of the clients is shown."""
    from catchment.services import oauth_clients

    kept = oauth_clients.kept(House().context())
    if out.json:
        for provider, at in kept.items():
            out.record(provider=provider, updated_at=iso(at))
        return 0
    if not kept:
        out.say("No vendor knows this installation yet. Tell of a client: catchment oauth set <provider>")
        return 0
    out.table(("=provider", "set"), ((provider, words.moment(at)) for provider, at in kept.items()))
    return 0


@app.command
def remove(provider: str, /) -> int:
    """Forget a client; connectors that are signed in stay so until their tokens end.

    Args:
        provider: Name of the provider.
    """
    from catchment.services import oauth_clients

    oauth_clients.forget(House().context(), provider)
    if out.json:
        out.record(provider=provider, removed=True)
    else:
        out.say(f"Nobody signs in to {provider} in the browser any more.")
    return 0
