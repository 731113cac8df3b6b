"""The server's errors, each as one sentence that names the setting and the remedy.

The server tells errors by SQLSTATE. A failed connect has none in psycopg 3: only its text, which the
server writes in its own language, tells them apart; what is not recognised counts as a server that is down.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from catchment.core.errors import SourceError
from catchment.kit import AuthRejected, ConfigRejected, PermissionMissing, SourceBusy, SourceDown

if TYPE_CHECKING:
    import psycopg

TIMED_OUT = "57014"
RECOVERY_CONFLICT = "40001"
BUSY_SECONDS = 5.0


class StatementTimedOut(SourceDown):
    """A statement took longer than the setting allows."""


class RecoveryConflict(SourceDown):
    """A standby cancelled the statement to go on with its recovery; trying again helps."""


class BadValue(SourceDown):
    """A value cannot be read as the type that it should have."""


_GRANTS = {
    "table": "GRANT SELECT ON {0} TO <the connector's role>;",
    "view": "GRANT SELECT ON {0} TO <the connector's role>;",
    "materialized view": "GRANT SELECT ON {0} TO <the connector's role>;",
    "foreign table": "GRANT SELECT ON {0} TO <the connector's role>;",
    "schema": "GRANT USAGE ON SCHEMA {0} TO <the connector's role>;",
    "database": "GRANT CONNECT ON DATABASE {0} TO <the connector's role>;",
    "function": "GRANT EXECUTE ON FUNCTION {0} TO <the connector's role>;",
}
_DENIED = re.compile(r'permission denied for (?P<kind>[a-z ]+?) "?(?P<name>[^"\n]+)"?$', re.MULTILINE)


@contextmanager
def telling(*, setting: str = "", subject: str = "") -> Iterator[None]:
    """Turn the driver's errors into the source's.

    Args:
        setting: The setting to blame when a name in the statement does not exist.
        subject: What was being read, for people.
    """
    import psycopg

    try:
        yield
    except psycopg.Error as error:
        raise translated(error, setting=setting, subject=subject) from error


def translated(error: psycopg.Error, *, setting: str = "", subject: str = "") -> SourceError:
    """Return the source's error for an error of a statement."""
    state = error.sqlstate or ""
    message = _first_line(error)
    about = f"{subject}: " if subject else ""
    if state.startswith("28"):
        return AuthRejected(f"The server refuses the sign-in: {message}.", remedy="Check user and password.")
    if state == "42501":
        return _permission(message, about)
    if state in ("3D000", "3F000", "42P01", "42703", "42702", "42704", "42883") or state.startswith("42"):
        return ConfigRejected(
            f"{about}{message}.",
            setting=setting or "tables",
            remedy=f"Correct the setting {setting or 'tables'}, or bring back at the source what is missing.",
        )
    if state == TIMED_OUT:
        return StatementTimedOut(
            f"{about}A statement was cancelled: {message}.",
            remedy="Raise statement_timeout_seconds, add an index, or ask for fewer columns.",
        )
    if state in (RECOVERY_CONFLICT, "40P01", "40003"):
        return RecoveryConflict(f"{about}{message}.", remedy="It is tried again with the next run.")
    if state.startswith("22"):
        return BadValue(f"{about}{message}.", remedy="Look at the values, or at the query that makes them.")
    if state == "55P03":
        return SourceBusy(
            f"{about}A lock is held: {message}.",
            retry_after_seconds=BUSY_SECONDS,
            remedy="Try again when whoever changes the table is done.",
        )
    if state.startswith("53") or state in ("55006", "57P03"):
        return SourceBusy(f"{about}{message}.", retry_after_seconds=BUSY_SECONDS, remedy="Try again later.")
    if state in ("25006", "0A000"):
        return ConfigRejected(
            f"{about}{message}.",
            setting=setting or "queries",
            remedy="Only reading is allowed: write a plain SELECT.",
        )
    return SourceDown(f"{about}{message}.", remedy="Try again; if it stays, look at the server's log.")


def _permission(message: str, about: str) -> PermissionMissing:
    found = _DENIED.search(message)
    grant = _GRANTS.get(found["kind"]) if found else None
    remedy = grant.format(found["name"]) if grant and found else "Grant the connector's role what is missing."
    return PermissionMissing(f"{about}{message}.", remedy=f"As the owner, run: {remedy}" if grant else remedy)


_CONNECT_CASES: tuple[tuple[str, type[SourceError], str, str], ...] = (
    (r"no password supplied", AuthRejected, "", "Give the connector a password."),
    (r"password authentication failed|authentication failed", AuthRejected, "", "Check user and password."),
    (r'role ".*" does not exist|is not permitted to log in', AuthRejected, "", "Check the user."),
    (
        r"no pg_hba\.conf entry.*(no encryption|SSL off)",
        ConfigRejected,
        "sslmode",
        "The server takes this user only with TLS: set sslmode to require.",
    ),
    (
        r"no pg_hba\.conf entry",
        AuthRejected,
        "",
        "Have the server's pg_hba.conf admit this user and machine.",
    ),
    (r'database ".*" does not exist', ConfigRejected, "database", "Check the name of the database."),
    (
        r"server does not support SSL",
        ConfigRejected,
        "sslmode",
        "Switch on TLS at the server, or set sslmode to prefer if the way to it is trusted.",
    ),
    (
        r"certificate verify failed|root certificate file|does not match host name",
        ConfigRejected,
        "sslmode",
        "Set CATCHMENT_NETWORK_CA_FILE to the server's certificate authority, and host to the "
        "name in its certificate.",
    ),
    (
        r"permission denied for database",
        PermissionMissing,
        "",
        "As the owner, run: GRANT CONNECT ON DATABASE <database> TO <the connector's role>;",
    ),
)
_BUSY = re.compile(r"too many connections|too many clients|remaining connection slots|starting up|recovery")


def connect_error(error: BaseException, host: str, port: int) -> SourceError:
    """Return the source's error for a connect that failed."""
    message = _connect_message(str(error))
    for pattern, kind, setting, remedy in _CONNECT_CASES:
        if re.search(pattern, message):
            if kind is ConfigRejected:
                return ConfigRejected(f"The server refuses: {message}.", setting=setting, remedy=remedy)
            return kind(f"The server refuses: {message}.", remedy=remedy)
    if _BUSY.search(message):
        return SourceBusy(
            f"The server takes no connection now: {message}.",
            retry_after_seconds=BUSY_SECONDS,
            remedy="Try again later, or raise max_connections.",
        )
    return SourceDown(
        f"No connection to PostgreSQL at {host}, port {port}: {message}.",
        remedy="Check that the server runs and that host and port are right.",
    )


def _connect_message(text: str) -> str:
    """Return the part of libpq's message that tells something: what the server said, if it spoke."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    told = [line.rpartition("FATAL:")[2].strip() for line in lines if "FATAL:" in line]
    if told:
        return told[-1].rstrip(".")
    first = next((line for line in lines if "failed:" in line or "error" in line.lower()), "no answer")
    return first.rpartition("failed: ")[2].rstrip(".") or "no answer"


def _first_line(error: psycopg.Error) -> str:
    text = error.diag.message_primary or str(error).partition("\n")[0]
    return text.rstrip(". ") or type(error).__name__
