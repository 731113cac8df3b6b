"""Readers: as whom a principal of ours reads what sources show to some of their people only.

A source names people by address of mail, groups and teams by its own names. The operator says which of them
a principal is, for one tenant; nobody says it for himself, since it opens documents. Without it a principal
sees of such sources what is public, whatever its role.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from catchment.core.errors import UsageError
from catchment.core.subjects import Subject, domain_of, normal
from catchment.services.context import Context
from catchment.store import subjects
from catchment.store.access import TokenRow
from catchment.store.engine import reading, writing

MOST_SUBJECTS = 1000
"""Every search carries them."""
MOST_CHARACTERS = 320


def named(emails: Sequence[str] = (), groups: Sequence[str] = (), teams: Sequence[str] = ()) -> list[Subject]:
    """Return subjects as they are kept.

    Raises:
        UsageError: One of them is no address or name, or there are too many.
    """
    for email in emails:
        if not domain_of(email) or len(email) > MOST_CHARACTERS:
            raise UsageError("This is no address of mail.", remedy="Write it as ann@example.org.")
    for name in (*groups, *teams):
        if not 0 < len(name.strip()) <= MOST_CHARACTERS or not name.isprintable():
            raise UsageError(f"The name of a group or team has 1 to {MOST_CHARACTERS} plain characters.")
    pairs = [
        *(("user", email) for email in emails),
        *(("group", group) for group in groups),
        *(("team", team) for team in teams),
    ]
    if len(pairs) > MOST_SUBJECTS:
        raise UsageError(f"A principal reads as {MOST_SUBJECTS} at most.")
    return list(dict.fromkeys(normal(kind, name) for kind, name in pairs))


def read_as(context: Context, token: TokenRow, wanted: Iterable[Subject]) -> None:
    """Let the principal of a token read as these in the token's tenant, in place of those that it had."""
    with writing(context.engine) as connection:
        subjects.replace(connection, token.tenant_id, token.principal_id, wanted)


def reads_as(context: Context, token: TokenRow) -> list[Subject]:
    """Return as whom the principal of a token reads in the token's tenant."""
    with reading(context.engine) as connection:
        return subjects.of(connection, token.tenant_id, token.principal_id)
