"""Every error that Catchment raises on purpose, each saying what to do next.

    CatchmentError                 a sentence for the person, and a remedy
    ├── UsageError                 wrong use or configuration: nothing was changed (exit code 2)
    │   ├── NotFound               no such connector, run or document
    │   ├── Conflict               another run holds the connector
    │   │   └── NotInstalled       install the provider's package first
    │   ├── Unauthenticated        say who you are
    │   ├── Forbidden              ask somebody who may
    │   └── Unavailable            Prefect is out of reach: try again
    │       └── StoreUnavailable   the store is: what is open falls, and nothing of it was kept
    ├── SourceError                raised by a connector about its source
    │   ├── ConfigRejected         edit the named setting
    │   ├── AuthRejected           sign in again
    │   ├── PermissionMissing      grant what is missing
    │   ├── SourceBusy             wait `retry_after_seconds`
    │   ├── SourceDown             try again later
    │   ├── CursorExpired          the change mark is refused: list everything again
    │   ├── OutOfScope             a named entry lies outside what the connector may read
    │   └── ItemUnreadable         record this item as failed and go on with the next
    └── RunStopped                 the run ends here, and says why
        ├── RunCancelled           a person or a shutdown asked for it
        ├── RunInterrupted         its process was told to end: the run is opened again
        ├── LeaseLost              another run has taken over: write nothing more
        └── DiskFull               free some space: the next run goes on from here

Anything else that is raised is a bug and is let through.
"""

from __future__ import annotations


class CatchmentError(Exception):
    """A sentence for a person; `remedy` says what to do, `code` names the case for programs."""

    code = "error"

    def __init__(self, message: str, *, remedy: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        """Join the sentence and its remedy."""
        return f"{self.message} {self.remedy}".strip()


class UsageError(CatchmentError):
    """The request cannot be carried out as it stands; nothing was changed."""

    code = "usage"


class NotFound(UsageError):
    """No such thing."""

    code = "not_found"


class Conflict(UsageError):
    """Something else holds what this request needs."""

    code = "conflict"


class NotInstalled(Conflict):
    """The provider is known by name, and its code is not installed."""

    code = "not_installed"


class Unauthenticated(UsageError):
    """Nobody is known by these credentials, or there were none."""

    code = "unauthenticated"


class Forbidden(UsageError):
    """The caller's role does not allow this."""

    code = "forbidden"


class Unavailable(UsageError):
    """A part that this request needs is out of reach; nothing was changed."""

    code = "unavailable"


class StoreUnavailable(Unavailable):
    """The database of the store does not answer, or ended the connection."""

    code = "store_unavailable"


class SourceError(CatchmentError):
    """A connector reports something about its source."""

    code = "source"


class ConfigRejected(SourceError, UsageError):
    """A setting of the connector cannot work; `setting` names it, in its ``config`` or ``credentials``."""

    code = "config"

    def __init__(self, message: str, *, setting: str = "", remedy: str = "", part: str = "config") -> None:
        super().__init__(message, remedy=remedy)
        self.setting = setting
        self.part = part


class AuthRejected(SourceError):
    """The source refuses the credentials."""

    code = "auth"


class PermissionMissing(SourceError):
    """The credentials are good but may not do this."""

    code = "permission"


class SourceBusy(SourceError):
    """The source asks to wait `retry_after_seconds` before the next request."""

    code = "busy"

    def __init__(self, message: str, *, retry_after_seconds: float, remedy: str = "") -> None:
        super().__init__(message, remedy=remedy)
        self.retry_after_seconds = retry_after_seconds


class SourceDown(SourceError):
    """The source does not answer, or answers with an error of its own."""

    code = "down"


class CursorExpired(SourceError):
    """The source no longer accepts the change mark; only a complete listing helps."""

    code = "cursor_expired"


class OutOfScope(SourceError):
    """The named entry lies outside what this connector may read."""

    code = "out_of_scope"


class ItemUnreadable(SourceError):
    """One item cannot be read; `reason` is a short code, the message tells a person more."""

    code = "unreadable"

    def __init__(self, key: str, reason: str, message: str = "") -> None:
        super().__init__(message or reason)
        self.key = key
        self.reason = reason


class RunStopped(CatchmentError):
    """The run ends before its work does."""

    code = "stopped"


class RunCancelled(RunStopped):
    """A person, a shutdown or the deletion of the connector stopped the run."""

    code = "cancelled"


class RunInterrupted(RunStopped):
    """The process was told to end, and nobody asked for a cancel; the work goes on in a new run."""

    code = "interrupted"


class LeaseLost(RunStopped):
    """Another run has taken over this connector; this one writes nothing more."""

    code = "lease_lost"


class DiskFull(RunStopped):
    """There is no room left; the cursor stays, and the next run goes on."""

    code = "disk_full"
