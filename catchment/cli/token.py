"""``catchment token``: who may call the HTTP API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cyclopts import App

from catchment.cli import groups, words
from catchment.cli.house import House
from catchment.cli.output import out
from catchment.core.clock import iso

if TYPE_CHECKING:
    from catchment.core.subjects import Subject
    from catchment.services.access import IssuedToken
    from catchment.store.access import PrincipalRow, TokenRow

app = App(name="token", group=groups.KEEP, help="Say who may call the HTTP API.")
DAY_SECONDS = 86_400


@app.command
def add(
    name: str,
    /,
    *,
    role: str | None = None,
    space: list[str] | None = None,
    no_space: bool = False,
    user: bool = False,
    principal: str | None = None,
    tenant: str | None = None,
    days: float | None = None,
    email: list[str] | None = None,
    group: list[str] | None = None,
    team: list[str] | None = None,
) -> int:
    """Make a token, and show it: this once, for the store keeps only its hash.

    Args:
        name: What people call it.
        role: Role in the tenant: viewer, editor (if absent), admin or owner.
        space: A role in one space, such as <id>=viewer; can be given several times. If absent, the newcomer
            gets its role in the default space.
        no_space: Give no role in any space.
        user: It speaks for a person, not for a program.
        principal: Id of a principal that exists already, to speak for it, too.
        tenant: Name or id of the tenant; made if there is none of that name. The oldest one if absent.
        days: It ends after so many days; never if absent.
        email: Address by which sources know the principal, see reads-as; can be given several times.
        group: Group of a source that the principal is in; can be given several times.
        team: Team of a source that the principal is in; can be given several times.
    """
    from catchment.core.errors import UsageError
    from catchment.services import access, readers

    if no_space and space:
        raise UsageError("--space and --no-space cannot be given together.")
    if days is not None and days <= 0:
        raise UsageError("--days needs a number above zero.")
    wanted = readers.named(email or (), group or (), team or ())
    context = House().context()
    issued = access.add_token(
        context,
        name,
        role=role,
        space_roles={} if no_space else _roles(space),
        kind="user" if user else "service",
        principal_id=principal,
        tenant_id=access.tenant_called(context, tenant) if tenant is not None else None,
        lives_seconds=days * DAY_SECONDS if days is not None else None,
    )
    if wanted:
        readers.read_as(context, issued.token, wanted)
    _show(issued, readers.reads_as(context, issued.token))
    return 0


@app.command(name="reads-as")
def reads_as(
    token: str,
    /,
    *,
    email: list[str] | None = None,
    group: list[str] | None = None,
    team: list[str] | None = None,
    nobody: bool = False,
) -> int:
    """Say as whom a token reads what sources show to some of their people only; without options, show it.

    It holds for all tokens of the principal in the token's tenant, from the next request on.

    Args:
        token: Its id or name, or how it begins.
        email: Address by which sources know the principal; can be given several times. What is given takes
            the place of all that was said before.
        group: Group that it is in; can be given several times.
        team: Team that it is in; can be given several times.
        nobody: Take everything away: it then sees what is public.
    """
    from catchment.core.errors import UsageError
    from catchment.services import access, readers

    wanted = readers.named(email or (), group or (), team or ())
    if nobody and wanted:
        raise UsageError("--nobody goes with no other option.")
    context = House().context()
    found = access.token_called(context, token)
    if wanted or nobody:
        readers.read_as(context, found, wanted)
    known = _as_words(readers.reads_as(context, found))
    if out.json:
        out.record(token=found.id, name=found.name, reads_as=known)
    else:
        out.say(f"The token {found.name} reads as {', '.join(known) or 'nobody: it sees what is public'}.")
    return 0


def _as_words(subjects: list[Subject]) -> list[str]:
    return [f"{kind}:{name}" for kind, name in subjects]


def _roles(given: list[str] | None) -> dict[str, str] | None:
    if not given:
        return None
    roles = {}
    for text in given:
        space, _, role = text.partition("=")
        roles[space.replace("-", "")] = role or "editor"
    return roles


def _show(issued: IssuedToken, subjects: list[Subject]) -> None:
    if out.json:
        told = _as_json(issued.token, issued.principal, issued.role)
        out.record(**told, reads_as=_as_words(subjects), secret=issued.secret)
        return
    out.say(issued.secret)
    out.note(f"This is the token {issued.token.name} ({issued.role}). It is not shown again.")


def show_first(house: House) -> None:
    """Make and show an owner's token where there has never been one."""
    from catchment.services.access import first_token

    issued = first_token(house.context())
    if issued is None:
        return
    if out.json:
        out.record(first_token=issued.secret, role=issued.role)
        return
    out.say(f"Your first token for the HTTP API, shown this once: {issued.secret}")
    out.say("Send it as the header Authorization: Bearer <token>. More of them: catchment token add <name>.")


@app.command(name="list")
def list_() -> int:
    """Show the tokens, without what makes them work."""
    from catchment.services import access, readers

    context = House().context()
    listed = access.all_tokens(context)
    if out.json:
        for one in listed:
            told = _as_json(one.token, one.principal, one.role)
            out.record(**told, reads_as=_as_words(readers.reads_as(context, one.token)))
        return 0
    if not listed:
        out.say("There are no tokens yet. Make one: catchment token add <name>")
        return 0
    columns = ("=id", "name", "=begins", "=role", "made", "last used", "ends")
    out.table(
        columns,
        (
            (
                one.token.id,
                one.token.name,
                one.token.prefix,
                one.role,
                words.moment(one.token.created_at),
                words.moment(one.token.last_used_at) or "never",
                "revoked" if one.token.revoked_at else words.moment(one.token.expires_at) or "never",
            )
            for one in listed
        ),
    )
    return 0


@app.command
def revoke(token: str, /) -> int:
    """End a token for good, from the next request on.

    Args:
        token: Its id or name, or how it begins.
    """
    from catchment.services import access

    ended = access.revoke_token(House().context(), token)
    if out.json:
        out.record(token=ended.id, name=ended.name, revoked_at=iso(ended.revoked_at))
    else:
        out.say(f"The token {ended.name} ({ended.prefix}...) opens nothing any more.")
    return 0


def _as_json(token: TokenRow, principal: PrincipalRow, role: str | None) -> dict[str, Any]:
    return {
        "token": token.id,
        "name": token.name,
        "prefix": token.prefix,
        "principal": principal.id,
        "kind": principal.kind,
        "tenant": token.tenant_id,
        "role": role,
        "created_at": iso(token.created_at),
        "last_used_at": iso(token.last_used_at),
        "expires_at": iso(token.expires_at),
        "revoked_at": iso(token.revoked_at),
    }
