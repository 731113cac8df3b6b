"""Changes by logical decoding: the log tells which rows were touched, the table what they are now.

So nothing of the log's values is believed but the key: a row that is there is reported as changed with the
version that it has, one that is not as deleted. A key that changes is two rows touched. Reading the same
stretch again is harmless.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from catchment.kit import (
    Changed,
    Checkpoint,
    Complete,
    ConfigRejected,
    CursorExpired,
    Deleted,
    FeedEvent,
    PermissionMissing,
    Session,
)
from connectors.postgresql.catalog import Relation
from connectors.postgresql.config import PostgreSQLConfig
from connectors.postgresql.connect import Connection, Database
from connectors.postgresql.errors import StatementTimedOut
from connectors.postgresql.fetching import canonical_keys, look_up
from connectors.postgresql.journal import (
    BEGIN,
    COMMIT,
    LOST,
    MOST_MESSAGES,
    TOUCHED,
    Journal,
    Plans,
    read_journal,
)
from connectors.postgresql.log_support import Support, published, support
from connectors.postgresql.names import Values
from connectors.postgresql.slot import PGOUTPUT, TEST_DECODING, Slot, lsn_number, lsn_text

PREFIX = "lsn:"
PAGE_KEYS = 1_000
MOST_BUFFERED = 50_000
"""Keys of one transaction that are held until its place in the log is known."""


class ChangeLog:
    """Follows the log for one connector and one run.

    All scopes share one slot. It is moved on when every scope of the run has said where it begins: those
    cursors are saved, and nothing before the earliest is needed again.

    Attributes:
        plugin: What decodes; None when the log cannot be followed, see `reason`.
        reason: Why not.
    """

    def __init__(
        self,
        database: Database,
        config: PostgreSQLConfig,
        session: Session,
        all_plans: Callable[[], Plans],
    ) -> None:
        self.plugin: str | None = None
        self.reason = ""
        self.slot = Slot(database, config, session)
        self._database = database
        self._config = config
        self._all_plans = all_plans
        self._scopes: set[str] = set()
        self._begun: dict[str, int | None] = {}
        self._journal: Journal | None = None
        self._read_by: set[str] = set()

    @property
    def is_prepared(self) -> bool:
        """Whether it was found out already."""
        return bool(self._scopes)

    def prepare(self, scopes: Sequence[str]) -> None:
        """Find out, once a run, whether the log can be followed.

        Args:
            scopes: Keys of all scopes.

        Raises:
            ConfigRejected: It was asked for, and the server does not allow it.
            SourceError: The server cannot be asked.
        """
        self._scopes = set(scopes)
        found = self._support()
        self.plugin, self.reason = found.plugin, found.reason
        if self.plugin is None and self._config.replication != "auto":
            raise ConfigRejected(
                f"Logical decoding does not work: {found.reason}", setting="replication", remedy=found.remedy
            )

    def _support(self) -> Support:
        with self._database.reading() as connection:
            found = support(connection, self._config, self.slot.name)
        if found.plugin == TEST_DECODING and self._config.replication == "auto":
            try:
                self.slot.ensure(TEST_DECODING)  # only trying tells whether the server has it
            except (ConfigRejected, PermissionMissing, StatementTimedOut) as error:
                return Support(None, str(error))
            except Exception as error:
                if getattr(error.__cause__, "sqlstate", "") != "58P01":
                    raise
                return Support(None, "The server has no test_decoding, and there is no publication.")
        return found

    def follows(self, connection: Connection, relation: Relation, key: Sequence[str]) -> bool:
        """Tell whether the log reports every change of a relation, and names its rows by this key."""
        if self.plugin is None or not key or relation.kind not in ("table", "partitioned table"):
            return False
        named = relation.identity == "f" or set(key) <= set(relation.identity_key)
        if not named or self.plugin != PGOUTPUT:
            return named
        return published(connection, self._config.publication, relation, key)

    def leave_out(self, scope: str) -> None:
        """Note that a scope has no use for the slot."""
        self._begin(scope, None)

    def begin_listing(self, scope: str) -> str | None:
        """Return the mark of a listing that is about to begin; the slot is there from now on.

        Raises:
            SourceError: The slot cannot be made.
        """
        assert self.plugin is not None
        try:
            self.slot.ensure(self.plugin)
        except StatementTimedOut:
            # Somebody's transaction has been open for long. The listing is as good without a mark.
            self.leave_out(scope)
            return None
        try:
            position = self.slot.now(self.plugin)
        except ConfigRejected:
            # The publication is younger than the slot: the log before it cannot be read.
            self.slot.drop()
            self.slot.ensure(self.plugin)
            position = self.slot.now(self.plugin)
        self._begin(scope, position)
        return f"{PREFIX}{lsn_text(position)}"

    def changes(self, scope: str, plans: Plans, cursor: str) -> Iterator[FeedEvent]:
        """Yield what was touched in a scope since the cursor.

        Raises:
            CursorExpired: The slot no longer reaches back to it, or a table was truncated.
            SourceError: The log or a table cannot be read.
        """
        position = self._position(cursor)
        self._begin(scope, position)
        journal = self._open_journal(scope)
        pending: dict[tuple[str, Values], None] = {}
        for reached, keys in _transactions(journal, plans, position):
            pending.update(dict.fromkeys(keys))
            if len(pending) >= PAGE_KEYS:
                yield from self._resolved(pending, plans)
                pending = {}
                if reached is not None:
                    yield Checkpoint(f"{PREFIX}{lsn_text(reached)}")
        yield from self._resolved(pending, plans)
        yield Complete(mark=f"{PREFIX}{lsn_text(max(position, journal.end or 0))}")

    def close(self) -> None:
        """Throw away what was read of the log."""
        if self._journal is not None:
            self._journal.close()
            self._journal = None

    def _position(self, cursor: str) -> int:
        if not cursor.startswith(PREFIX):
            raise CursorExpired("The cursor was made by another way of following changes.")
        try:
            position = lsn_number(cursor.removeprefix(PREFIX))
        except ValueError as error:
            raise CursorExpired("The cursor is no place in a log.") from error
        state = self.slot.state()
        if state is None or state.database != self._config.database:
            raise CursorExpired(f"The replication slot {self.slot.name} is gone.")
        if state.lost:
            raise CursorExpired(f"The server has thrown away the log that the slot {self.slot.name} needed.")
        if state.plugin != self.plugin:
            raise CursorExpired(f"The slot {self.slot.name} is decoded by {state.plugin}.")
        if state.confirmed > position:
            raise CursorExpired(f"The slot {self.slot.name} has moved past the cursor.")
        if position > state.end:
            raise CursorExpired("The cursor lies behind the end of the server's log.")
        return position

    def _begin(self, scope: str, position: int | None) -> None:
        """Note where a scope begins; with the last of them, let the slot move on."""
        self._begun[scope] = position
        if self._scopes and self._scopes <= set(self._begun):
            positions = [place for place in self._begun.values() if place is not None]
            if positions:
                self.slot.advance(min(positions))

    def _open_journal(self, scope: str) -> Journal:
        if self._journal is None or scope in self._read_by:
            self.close()
            self._journal = self._read_journal()
            self._read_by = set()
        self._read_by.add(scope)
        return self._journal

    def _read_journal(self) -> Journal:
        assert self.plugin is not None
        plans, limit = self._all_plans(), MOST_MESSAGES
        while True:
            try:
                return read_journal(self._database, self.slot, self.plugin, plans, limit=limit)
            except StatementTimedOut:
                if limit == 1:
                    raise
                limit = max(1, limit // 10)
            except ConfigRejected as error:
                # The publication is gone, or is younger than the slot: the log before it cannot be read.
                self.slot.drop()
                raise CursorExpired(error.message) from error

    def _resolved(self, pending: dict[tuple[str, Values], None], plans: Plans) -> Iterator[FeedEvent]:
        """Look up what the touched rows are now."""
        for scope, plan in plans.items():
            touched = [values for name, values in pending if name == scope]
            for start in range(0, len(touched), PAGE_KEYS):
                keys = canonical_keys(self._database, plan, touched[start : start + PAGE_KEYS])
                found = look_up(self._database, plan, keys)
                for values in keys:
                    key = plan.key_of(values)
                    item = found.get(key)
                    yield Changed(item) if item is not None else Deleted(key)


def _transactions(
    journal: Journal, plans: Plans, position: int
) -> Iterator[tuple[int | None, list[tuple[str, Values]]]]:
    """Yield the keys touched by each transaction behind a position, with the place behind it.

    A large transaction comes in parts, of which only the last has a place.
    """
    final: int | None = None
    keys: list[tuple[str, Values]] = []
    lost = ""
    for kind, *told in journal.rows():
        if kind == BEGIN:
            final, keys, lost = told[0], [], ""
        elif kind == COMMIT:
            if told[0] > position and not _lies_before(final, position):
                if lost:
                    raise CursorExpired(lost)
                yield told[0], keys
        elif told[0] not in plans or _lies_before(final, position):
            continue
        elif kind == LOST:
            lost = told[1]
        elif kind == TOUCHED:
            keys.append((told[0], tuple(told[1])))
            if len(keys) >= MOST_BUFFERED:
                yield None, keys
                keys = []


def _lies_before(final: int | None, position: int) -> bool:
    return final is not None and final < position
