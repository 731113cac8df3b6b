"""The tables, for SQLite and PostgreSQL alike.

Rows that a face or a person names carry `id`, 32 hexadecimal digits of a UUIDv7 (documents: 16 random
ones). Rows that are many carry an integer `pk` for joins. Times are POSIX seconds, UTC. A document and
the ledger item that it was made of share one `pk`: one item is one document. The chunks of document
`pk` have the ids ``pk << 20`` and following, so that they lie together and need no index of their own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Dialect,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    text,
)
from sqlalchemy.types import JSON, TypeDecorator, TypeEngine

CHUNK_BITS = 20
MAX_CHUNKS = 1 << CHUNK_BITS

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Json(TypeDecorator[Any]):
    """JSON; on PostgreSQL its binary form. That dialect is imported only where it is used: 55 ms."""

    impl = JSON
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Choose the database's own type."""
        if dialect.name == "postgresql":
            from sqlalchemy.dialects.postgresql import JSONB

            return dialect.type_descriptor(JSONB())
        return dialect.type_descriptor(JSON())


# SQLite numbers rows by itself only where the primary key is exactly INTEGER.
Key = BigInteger().with_variant(Integer(), "sqlite")
Seconds = Double


def _by_bytes(plain: String) -> TypeEngine[Any]:
    """Compare and sort by bytes on every server, as SQLite does; what a locale thinks is no order of keys."""
    return plain.with_variant(type(plain)(plain.length, collation="C"), "postgresql")


Id = _by_bytes(String(32))
ShortId = _by_bytes(String(16))
Name = _by_bytes(Text())

meta = Table(
    "meta",
    metadata,
    Column("key", String(64), primary_key=True),
    Column("value", Text, nullable=False),
)

tenants = Table(
    "tenants",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Name, nullable=False),
    Column("created_at", Seconds, nullable=False),
)

spaces = Table(
    "spaces",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant_id", Id, ForeignKey("tenants.id"), nullable=False, index=True),
    Column("name", Name, nullable=False),
    Column("created_at", Seconds, nullable=False),
)

collections = Table(
    "collections",
    metadata,
    Column("pk", Key, primary_key=True),
    Column("id", Id, nullable=False, unique=True),
    Column("space_id", Id, ForeignKey("spaces.id"), nullable=False, index=True),
    Column("name", Name, nullable=False),
    Column("description", Text),
    Column("embedding_model", Text),
    Column("created_at", Seconds, nullable=False),
    Column("deleted_at", Seconds),
)

connectors = Table(
    "connectors",
    metadata,
    Column("pk", Key, primary_key=True),
    Column("id", Id, nullable=False, unique=True),
    Column("tenant_id", Id, ForeignKey("tenants.id"), nullable=False),
    Column("collection_pk", Key, ForeignKey("collections.pk"), nullable=False, index=True),
    Column("slug", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("description", Text),
    Column("icon", Text),
    # The principal that made it; none, where the operator did at the command line.
    Column("created_by", Id),
    Column("provider", Name, nullable=False),
    Column("execution", String(8), nullable=False, server_default="CLOUD"),
    Column("identity", Name, nullable=False, server_default=""),
    Column("config", Json, nullable=False),
    Column("status", String(8), nullable=False),
    Column("paused", Boolean, nullable=False, server_default=false()),
    Column("error_code", String(64)),
    Column("error_message", Text),
    Column("schedule", Text),
    Column("schedule_sent", Json),
    Column("trusted", Boolean, nullable=False, server_default=false()),
    Column("credentials_block", Text),
    Column("deployment_id", String(36)),
    Column("deployment_name", Name),
    Column("cursor", Text),
    Column("cursor_revision", Integer, nullable=False, server_default="0"),
    Column("cursor_hash", String(64)),
    Column("lease", Integer, nullable=False, server_default="0"),
    Column("created_at", Seconds, nullable=False),
    Column("updated_at", Seconds, nullable=False),
    Column("last_success_at", Seconds),
    Column("deleted_at", Seconds),
    Index(
        "uq_connectors_live_slug",
        "tenant_id",
        "slug",
        unique=True,
        sqlite_where=text("deleted_at IS NULL"),
    ),
)

scopes = Table(
    "scopes",
    metadata,
    Column("pk", Key, primary_key=True),
    Column("connector_pk", Key, ForeignKey("connectors.pk"), nullable=False),
    Column("key", Name, nullable=False),
    Column("name", Name, nullable=False),
    Column("generation", Integer, nullable=False, server_default="0"),
    Column("listed_at", Seconds),
    Column("config_hash", String(64)),
    Column("incomplete", Boolean, nullable=False, server_default=false()),
    Column("error", Text),
    UniqueConstraint("connector_pk", "key"),
)

checkpoints = Table(
    "checkpoints",
    metadata,
    Column("scope_pk", Key, ForeignKey("scopes.pk"), primary_key=True),
    Column("generation", Integer, nullable=False),
    Column("config_hash", String(64), nullable=False),
    Column("position", Text, nullable=False),
    Column("mode", String(12), nullable=False),
    Column("watermark", Key, nullable=False),
    Column("sighted", LargeBinary, nullable=False),
    Column("saved_at", Seconds, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("connector_pk", Key, ForeignKey("connectors.pk"), nullable=False),
    Column("kind", String(12), nullable=False),
    Column("mode", String(12), nullable=False),
    Column("trigger", String(12), nullable=False),
    Column("state", String(12), nullable=False),
    Column("waiting", Boolean, nullable=False, server_default=false()),
    Column("dry_run", Boolean, nullable=False, server_default=false()),
    Column("allow_mass_delete", Boolean, nullable=False, server_default=false()),
    Column("filter", Json, nullable=False),
    Column("strategy", String(12)),
    Column("reason", String(24)),
    Column("flow_run_id", String(36)),
    Column("flow_run_count", Integer),
    Column("lease", Integer),
    Column("lease_at", Seconds),
    Column("cancel_requested_at", Seconds),
    Column("cancel_reason", String(12)),
    Column("wait_reason", Text),
    Column("wait_since", Seconds),
    Column("collected", Integer, nullable=False, server_default="0"),
    Column("fetched", Integer, nullable=False, server_default="0"),
    Column("skipped", Integer, nullable=False, server_default="0"),
    Column("parsed", Integer, nullable=False, server_default="0"),
    Column("indexed", Integer, nullable=False, server_default="0"),
    Column("failed", Integer, nullable=False, server_default="0"),
    Column("deleted", Integer, nullable=False, server_default="0"),
    Column("gone", Integer, nullable=False, server_default="0"),
    Column("error_code", String(64)),
    Column("error_message", Text),
    Column("details", Json, nullable=False),
    Column("resumes", Id),
    Column("created_at", Seconds, nullable=False),
    Column("started_at", Seconds),
    Column("ended_at", Seconds),
    Index("ix_runs_connector_created", "connector_pk", "created_at"),
    Index("ix_runs_state", "state"),
    UniqueConstraint("flow_run_id", "flow_run_count"),
)

_ACTIVE = "kind = 'sync' AND state IN ('QUEUED', 'RUNNING', 'CANCELLING') AND NOT dry_run"
Index(
    "uq_runs_active",
    runs.c.connector_pk,
    unique=True,
    sqlite_where=text(f"{_ACTIVE} AND NOT waiting"),
)
Index(
    "uq_runs_waiting",
    runs.c.connector_pk,
    runs.c.mode,
    unique=True,
    sqlite_where=text(f"{_ACTIVE} AND waiting"),
)

items = Table(
    "items",
    metadata,
    Column("pk", Key, primary_key=True),
    Column("connector_pk", Key, ForeignKey("connectors.pk"), nullable=False),
    Column("scope_pk", Key, ForeignKey("scopes.pk")),
    Column("key", Name, nullable=False),
    Column("path", Name, nullable=False),
    Column("origin", String(8), nullable=False, server_default="source"),
    Column("state", String(12), nullable=False),
    Column("version", Text),
    Column("content_hash", LargeBinary),
    Column("size", BigInteger),
    Column("modified_at", Seconds),
    Column("url", Text),
    Column("move_hint", Name),
    Column("fingerprint", String(16)),
    Column("stage", String(8)),
    Column("reason", Text),
    Column("error", Text),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("next_attempt_at", Seconds),
    Column("updated_at", Seconds, nullable=False),
    UniqueConstraint("connector_pk", "key"),
    Index("ix_items_scope", "scope_pk"),
    Index(
        # Where the path is the key, as in folders and buckets, this index stays empty.
        "ix_items_path",
        "connector_pk",
        "path",
        sqlite_where=text("path <> key"),
    ),
    Index(
        "ix_items_move_hint",
        "connector_pk",
        "move_hint",
        sqlite_where=text("move_hint IS NOT NULL"),
    ),
    Index(
        "ix_items_due",
        "connector_pk",
        "next_attempt_at",
        sqlite_where=text("next_attempt_at IS NOT NULL"),
    ),
    Index(
        "ix_items_pending",
        "connector_pk",
        "key",
        sqlite_where=text("state = 'pending'"),
    ),
    Index(
        "ix_items_upload",
        "version",
        sqlite_where=text("origin = 'upload'"),
    ),
)

documents = Table(
    "documents",
    metadata,
    Column("pk", Key, primary_key=True, autoincrement=False),
    Column("id", ShortId, nullable=False, unique=True),
    Column("connector_pk", Key, ForeignKey("connectors.pk"), nullable=False),
    Column("collection_pk", Key, ForeignKey("collections.pk"), nullable=False),
    Column("title", Name, nullable=False),
    # The title and the words of the path, as they are searched.
    Column("search_title", Text, nullable=False),
    Column("content_type", Name, nullable=False),
    Column("author", Name),
    Column("created_at", Seconds),
    Column("acl", String(8), nullable=False, server_default="none"),
    Column("public", Boolean, nullable=False, server_default=false()),
    Column("stale", Boolean, nullable=False, server_default=false()),
    Column("characters", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("tags", Json, nullable=False),
    Column("notes", Json, nullable=False),
    Column("metadata", Json, nullable=False),
    Column("indexed_at", Seconds, nullable=False),
    Column("deleted_at", Seconds),
    Index("ix_documents_connector", "connector_pk"),
    Index(
        "ix_documents_deleted",
        "deleted_at",
        sqlite_where=text("deleted_at IS NOT NULL"),
    ),
)

document_access = Table(
    "document_access",
    metadata,
    Column("document_pk", Key, ForeignKey("documents.pk"), primary_key=True, autoincrement=False),
    Column("kind", String(8), primary_key=True),
    Column("subject", Name, primary_key=True),
    Index("ix_document_access_subject", "kind", "subject"),
)

chunks = Table(
    "chunks",
    metadata,
    Column("id", Key, primary_key=True, autoincrement=False),
    Column("start", Integer, nullable=False),
    Column("heading_path", Text, nullable=False),
    Column("text", Text, nullable=False),
    # What is searched, where it differs from the text: CJK spaced, identifiers split.
    Column("search_text", Text),
)

held_removals = Table(
    "held_removals",
    metadata,
    Column("item_pk", Key, ForeignKey("items.pk"), primary_key=True, autoincrement=False),
    Column("scope_pk", Key, ForeignKey("scopes.pk"), nullable=False),
    Column("connector_pk", Key, ForeignKey("connectors.pk"), nullable=False, index=True),
    Column("run_id", Id, nullable=False),
    Column("held_at", Seconds, nullable=False),
)


def with_postgresql() -> MetaData:
    """Return the metadata with its partial indexes told to PostgreSQL too; for migrations.

    Naming that dialect in the tables themselves would import it in every process: 50 ms.
    """
    for table in metadata.tables.values():
        for index in table.indexes:
            where = index.dialect_kwargs.get("sqlite_where")
            if where is not None:
                index.dialect_kwargs["postgresql_where"] = where
    return metadata
