"""The words of a run: modes, states, strategies and reasons."""

from __future__ import annotations

from enum import StrEnum


class Mode(StrEnum):
    """What a trigger asks for."""

    AUTO = "auto"
    FULL = "full"
    INCREMENTAL = "incremental"


class RunKind(StrEnum):
    """What sort of work a run is."""

    SYNC = "sync"
    PUSH = "push"
    UPLOAD = "upload"
    PERMISSIONS = "permissions"
    TRANSCRIBE = "transcribe"


class RunState(StrEnum):
    """Where a run stands; the last three are final."""

    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    CANCELLING = "CANCELLING"
    SUCCEEDED = "SUCCEEDED"
    FAILED = "FAILED"
    CANCELLED = "CANCELLED"

    @property
    def final(self) -> bool:
        """Whether nothing changes any more."""
        return self in FINAL_STATES


FINAL_STATES = frozenset({RunState.SUCCEEDED, RunState.FAILED, RunState.CANCELLED})
LIVE_STATES = (RunState.RUNNING, RunState.CANCELLING)
ACTIVE_STATES = (RunState.QUEUED, *LIVE_STATES)


class Trigger(StrEnum):
    """Who or what asked for a run."""

    MANUAL = "manual"
    SCHEDULE = "schedule"
    WEBHOOK = "webhook"
    RETRY = "retry"
    RESUME = "resume"
    PUSH = "push"


class Strategy(StrEnum):
    """How a run finds out what to do."""

    LISTING = "listing"
    DELTA = "delta"
    TARGETED = "targeted"


class Reason(StrEnum):
    """Why a run took its strategy; recorded and shown."""

    FILTER = "filter"
    """Entries were named."""
    FULL = "full"
    """Everything was asked for."""
    NO_CHANGE_FEED = "no_change_feed"
    """The source cannot report changes well enough."""
    FEED = "feed"
    """The source only shows what is new."""
    CURSOR = "cursor"
    """The cursor is good: only the changes are read."""
    NO_CURSOR = "no_cursor"
    """There is no cursor to begin at."""
    CURSOR_EXPIRED = "cursor_expired"
    """The source refused the cursor."""
    CURSOR_AHEAD = "cursor_ahead"
    """The cursor belongs to a later state of the store than this one."""
    CURSOR_VERSION = "cursor_version"
    """The cursor was written by another version of the connector."""
    CONFIG_CHANGED = "config_changed"
    """The scope is not the one of the last complete listing."""
    RECONCILE = "reconcile"
    """The last complete listing is too long ago."""
    INCOMPLETE = "incomplete"
    """The last run left a scope unfinished."""
    HELD = "held"
    """Removals that the guard held are allowed now."""
    CONFIGURED = "configured"
    """The connector's settings ask for listings."""


class ConnectorStatus(StrEnum):
    """How a connector stands."""

    SETUP = "SETUP"
    ACTIVE = "ACTIVE"
    PAUSED = "PAUSED"
    ERROR = "ERROR"


class ItemState(StrEnum):
    """How the ledger knows one item."""

    INDEXED = "indexed"
    SKIPPED = "skipped"
    """Refused by a rule before it was read."""
    FAILED = "failed"
    """Tried, and it could not be; tried again when due."""
    QUARANTINED = "quarantined"
    """Failed too often; tried again on a new version, on full, or when named."""
    DELETED = "deleted"
    """Gone from the source or from the scope."""
    HIDDEN = "hidden"
    """Its document was deleted by a person."""
    PENDING = "pending"
    """Taken in, and not read yet: an upload before its run, a recording before it is transcribed."""


DELETED_BY_A_PERSON = "deleted_by_a_person"
"""Why the item of a document that is gone from the index is not read again."""


class Origin(StrEnum):
    """Who brought an item."""

    SOURCE = "source"
    """The connector read it at its source."""
    PUSH = "push"
    """The other side sent it."""
    UPLOAD = "upload"
    """A person handed the file in."""


class Stage(StrEnum):
    """Where an item failed."""

    COLLECT = "collect"
    FETCH = "fetch"
    PARSE = "parse"
    INDEX = "index"
