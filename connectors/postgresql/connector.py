"""The connector: what the platform asks of a PostgreSQL database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from catchment.core.errors import SourceError
from catchment.kit import (
    BrowsePage,
    Capability,
    ChangeFeed,
    Complete,
    Connector,
    Content,
    CursorExpired,
    FeedEvent,
    Found,
    Item,
    ItemUnreadable,
    Kind,
    ListingEvent,
    Scope,
    Session,
    SourceAddress,
)
from connectors.postgresql import address as addresses
from connectors.postgresql import changes_by_column as by_column
from connectors.postgresql.browse import browse
from connectors.postgresql.changes_by_log import ChangeLog
from connectors.postgresql.config import PostgreSQLConfig
from connectors.postgresql.connect import Database
from connectors.postgresql.credentials import PostgreSQLCredentials
from connectors.postgresql.fetching import fetch_rows
from connectors.postgresql.finding import find_rows
from connectors.postgresql.health import probe
from connectors.postgresql.listing import list_rows
from connectors.postgresql.names import QUERY_PREFIX, Values, path_head, shown, split_key, split_path
from connectors.postgresql.plans import PlanBook, is_trackable_scope
from connectors.postgresql.rows import RowPlan

WHOLE_SCHEMA = "schema:"
"""Begins the key of the scope that is every table of a schema."""


class PostgreSQL(Connector[PostgreSQLConfig, PostgreSQLCredentials]):
    """Rows of tables, views and queries of one database.

    Listing is cheap, so it has no positions to resume at: the server hashes the rows, and an unchanged run
    reads no body. Up to 500 rows are fetched with one statement.
    """

    slug: ClassVar[str] = "postgresql"
    display_name: ClassVar[str] = "PostgreSQL"
    kind: ClassVar[Kind] = Kind.LISTING
    config_model = PostgreSQLConfig
    credentials_model = PostgreSQLCredentials
    fetches: ClassVar[int] = 4
    fetches_together: ClassVar[int] = 500
    scopes_needed: ClassVar[tuple[str, ...]] = (
        "CONNECT on the database",
        "USAGE on the schema",
        "SELECT on each table, view, or what a query names",
        "REPLICATION for logical decoding",
        "pg_read_all_stats, so that transactions that commit late are seen",
    )
    blind_spots: ClassVar[tuple[str, ...]] = (
        "Row-level security hides rows from the connector's role: a row it may no longer see looks deleted.",
        "A row without a key is named by a hash of its columns: a change is a removal and an addition, and "
        "equal rows are one document.",
        "A change that does not set the changed-at column, or sets it to the time that it had, is not seen "
        "where rows are compared by that column; rows in which it is null are compared by their hash in "
        "complete listings only.",
        "Changes by the changed-at column report no row that vanishes; complete listings do.",
        "A transaction that stays open for longer than the late-commit margin and that the role may not see "
        "in pg_stat_activity can commit rows below the cursor; the next complete listing finds them.",
        "Changes of columns that neither text nor templates use are not seen.",
        "The log tells nothing of partitions attached or detached, of restored backups, nor of changes made "
        "while a table was not published; the daily complete listing finds them.",
        "Large objects are not read: a column of their numbers shows the number.",
        "There are no access lists: whoever has a role on the collection sees the rows.",
    )

    def __init__(
        self,
        config: PostgreSQLConfig,
        credentials: PostgreSQLCredentials | None = None,
        session: Session | None = None,
    ) -> None:
        super().__init__(config, credentials or PostgreSQLCredentials(), session)
        self.database = Database(config, credentials, self.session)
        self.log = ChangeLog(self.database, config, self.session, self._tracked_plans)
        self.plans = PlanBook(self.database, config)
        self._set_feed(log=config.replication != "off")

    def _set_feed(self, *, log: bool) -> None:
        """Say how much `changes` reports: that depends on settings and server, not on the class."""
        feed = ChangeFeed.COMPLETE if log else ChangeFeed.NONE
        with_time = self.config.updated_column or any(
            settings.updated_column for settings in self.config.relations.values()
        )
        if feed is ChangeFeed.NONE and with_time:
            feed = ChangeFeed.PARTIAL
        self.change_feed = feed  # type: ignore[misc]

    @classmethod
    def address(cls, text: str) -> SourceAddress | None:
        """Recognise ``postgresql://`` and ``postgres://``; the server is not contacted.

        Raises:
            ConfigRejected: It is one, and cannot work.
        """
        return addresses.take_apart(text)

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        """Return server, database, schema and what is read of it, without the user."""
        return addresses.identity(config)

    def check(self) -> list[Capability]:
        """Try to connect, to read each relation, to name its rows, and to follow its changes."""
        return probe(self)

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:
        """Return schemas, tables and views of a schema, or columns of one of those, 200 a page.

        Raises:
            SourceError: The server cannot be asked, or there is no such parent.
        """
        with self.database.reading() as connection:
            return browse(connection, parent_id, page)

    def scopes(self) -> list[Scope]:
        """Return one scope for each table, view and query, or one for all tables of the schema.

        One scope for a whole schema keeps the guard over tables that vanish with all their rows.

        Raises:
            ConfigRejected: Logical decoding was asked for, and the server does not allow it.
            SourceError: Logical decoding was asked for, and the server cannot be asked.
        """
        self._prepare_log()
        return self.named_scopes()

    def _prepare_log(self) -> None:
        if self.config.replication != "off":
            self.log.prepare([scope.key for scope in self.named_scopes()])
            self._set_feed(log=self.log.plugin is not None)

    def named_scopes(self) -> list[Scope]:
        """Return the scopes without asking the server."""
        config = self.config
        if config.takes_all_tables:
            name = shown(config.schema)
            return [Scope(f"{WHOLE_SCHEMA}{name}", f"all tables of {name}")]
        names = [*config.tables, *config.views, *(f"{QUERY_PREFIX}{name}" for name in config.queries)]
        return [Scope(name, name) for name in names]

    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:  # noqa: ARG002
        """Yield every row in scope; last `Complete`, with the mark where changes can be followed.

        Raises:
            ConfigRejected: A relation or column is not there.
            PermissionMissing: It may not be read.
            SourceError: It cannot be read to its end; the other relations of the scope were yielded.
            RunCancelled: The run was asked to stop.
        """
        return self._listing(scope, with_content=False)

    def listing_with_content(
        self,
        scope: Scope,
        resume: str | None = None,  # noqa: ARG002
    ) -> Iterator[ListingEvent]:
        """Yield every row in scope, small ones with their text: one statement reads both.

        Raises:
            SourceError: As `listing`.
        """
        return self._listing(scope, with_content=True)

    def _listing(self, scope: Scope, *, with_content: bool) -> Iterator[ListingEvent]:
        if not self.log.is_prepared:
            self._prepare_log()
        first_error: SourceError | None = None
        plans: dict[str, RowPlan] = {}
        for name in self.relations_of(scope):
            try:
                plans[name] = self.plans.fresh(name)
            except SourceError as error:
                first_error = first_error or error
        mark = self._mark(scope, plans) if first_error is None else None
        for plan in plans.values():
            try:
                yield from list_rows(self.database, plan, with_content=with_content)
            except SourceError as error:
                first_error = first_error or error
        if first_error is not None:
            raise first_error
        yield Complete(mark=mark)

    def relations_of(self, scope: Scope) -> list[str]:
        """Return the names of the relations that make a scope.

        Raises:
            SourceError: The server cannot be asked for the tables of the schema.
        """
        return self.plans.all_tables() if scope.key.startswith(WHOLE_SCHEMA) else [scope.key]

    def _mark(self, scope: Scope, plans: Mapping[str, RowPlan]) -> str | None:
        """Return where the next run's changes begin; taken before the listing does."""
        if self.log.plugin is not None:
            if is_trackable_scope(self.database, self.log, plans.values()):
                return self.log.begin_listing(scope.key)
            self.log.leave_out(scope.key)
            return None
        plan = next(iter(plans.values()), None)
        if len(plans) == 1 and plan is not None and plan.updated is not None:
            margin = self.config.late_commit_seconds
            return by_column.mark_by_column(self.database, plan, margin_seconds=margin)
        return None

    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        """Yield what was changed since the cursor: all of it by the log, or what bears a later time.

        Raises:
            CursorExpired: The slot is gone or has moved past the cursor, a table was truncated, or the
                cursor is of another kind.
            SourceError: The changes cannot be read.
        """
        if not self.log.is_prepared:
            self._prepare_log()
        plans = {name: self.plans.fresh(name) for name in self.relations_of(scope)}
        if cursor is None:
            raise CursorExpired("There is no cursor.")
        if self.log.plugin is not None:
            if not is_trackable_scope(self.database, self.log, plans.values()):
                raise CursorExpired(f"The log does not report every change of {scope.name}.")
            yield from self.log.changes(scope.key, plans, cursor)
            return
        plan = next(iter(plans.values()), None)
        if len(plans) != 1 or plan is None or plan.updated is None:
            raise CursorExpired(f"{scope.name} has no changed-at column.")
        margin = self.config.late_commit_seconds
        yield from by_column.changes_by_column(self.database, plan, cursor, margin_seconds=margin)

    def fetch(self, item: Item) -> Content:
        """Return the document of one row.

        Raises:
            ItemUnreadable: gone, or empty where the document column is null.
            SourceError: The relation cannot be read.
        """
        # Read to the end: the driver cancels what is left of a result, and that may come late and meet the
        # next statement of the connection.
        for _, content in list(self.fetch_many([item])):
            if isinstance(content, ItemUnreadable):
                raise content
            return content
        raise ItemUnreadable(item.key, "gone", "The row is no longer there.")

    def fetch_many(self, items: Sequence[Item]) -> Iterator[tuple[str, Content | ItemUnreadable]]:
        """Yield the document of each row, one statement for each relation, in any order.

        Raises:
            SourceError: A relation cannot be read.
        """
        by_relation: dict[str, dict[str, Values]] = {}
        for item in items:
            parts = split_key(item.key)
            if parts is None:
                yield item.key, ItemUnreadable(item.key, "gone", "No row can have this key.")
            else:
                by_relation.setdefault(parts[0], {})[item.key] = parts[1]
        for name, wanted in by_relation.items():
            yield from fetch_rows(self.database, self.plans.known(name), wanted)

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:
        """Look rows up by key or path, without listing.

        Raises:
            SourceError: A relation cannot be read.
        """
        relations = {name: scope.key for scope in scopes for name in self.relations_of(scope)}
        yield from find_rows(self.database, self.plans, relations, names)

    def admits(self, path: str) -> bool:
        """Tell whether a path lies in one of the relations that are read."""
        head, slash, _ = path.partition("/")
        if not slash:
            return False
        if self.config.takes_all_tables:
            return head.startswith(path_head(shown(self.config.schema)) + ".")
        return any(path_head(scope.key) == head for scope in self.named_scopes())

    def in_scope(self, name: str) -> bool:
        """Tell whether a key or path could name a row of one of the relations that are read."""
        parts = split_key(name) or split_path(name)
        return parts is not None and self.admits(f"{path_head(parts[0])}/")

    def forget(self) -> None:
        """Drop the replication slot, if this connector made one: the server keeps its log for it.

        Raises:
            SourceError: The server does not let it go.
        """
        if self.config.replication != "off":
            self.log.slot.drop()

    def close(self) -> None:
        """Close the connections, and throw away what was read of the log."""
        self.log.close()
        self.database.close()

    def _tracked_plans(self) -> dict[str, RowPlan]:
        """Return the plans of everything that the log is read for, for all scopes at once."""
        plans: dict[str, RowPlan] = {}
        for scope in self.named_scopes():
            for name in self.relations_of(scope):
                try:
                    plan = self.plans.known(name)
                except SourceError:
                    continue  # its own scope will say so
                if plan.key and plan.relation.oid:
                    plans[name] = plan
        return plans
