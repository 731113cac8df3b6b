"""Lay the tables."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from catchment.store.access_tables import TABLES as ACCESS_TABLES

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def _by_bytes(plain: sa.String) -> sa.types.TypeEngine[str]:
    return plain.with_variant(type(plain)(plain.length, collation="C"), "postgresql")


_KEY = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_JSON = sa.JSON().with_variant(postgresql.JSONB(), "postgresql")

_ID = _by_bytes(sa.String(32))
_SHORT_ID = _by_bytes(sa.String(16))
_NAME = _by_bytes(sa.Text())

_CHUNK_SEARCH = """
CREATE VIEW chunk_search AS
SELECT
    c.id AS id,
    CASE WHEN c.id & 1048575 = 0 THEN d.search_title ELSE '' END AS title,
    coalesce(c.search_text, c.text) AS body,
    'k' || d.collection_pk || ' c' || d.connector_pk AS place
FROM chunks c JOIN documents d ON d.pk = c.id >> 20
"""
_CHUNKS_FTS = """
CREATE VIRTUAL TABLE chunks_fts USING fts5(
    title, body, place,
    content = 'chunk_search', content_rowid = 'id', tokenize = 'unicode61 remove_diacritics 2'
)
"""


# The numbers of items: taken without waiting for another writer's transaction, each once, and a stretch
# at a time. The lock is held for the length of the call only.
_TAKE_ITEM_PKS = """
CREATE FUNCTION take_item_pks(many bigint) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    first bigint;
BEGIN
    PERFORM pg_advisory_lock(hashtext('catchment item numbers'));
    first := nextval('item_numbers');
    PERFORM setval('item_numbers', first + many - 1);
    PERFORM pg_advisory_unlock(hashtext('catchment item numbers'));
    RETURN first;
END
$$
"""


def upgrade() -> None:
    op.create_table(
        "chunks",
        sa.Column("id", _KEY, autoincrement=False, nullable=False),
        sa.Column("start", sa.Integer(), nullable=False),
        sa.Column("heading_path", sa.Text(), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("search_text", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_chunks"),
    )
    op.create_table(
        "meta",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
    )
    op.create_table(
        "tenants",
        sa.Column("id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_tenants"),
    )
    op.create_table(
        "spaces",
        sa.Column("id", _ID, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_spaces_tenant_id"),
        sa.PrimaryKeyConstraint("id", name="pk_spaces"),
    )
    with op.batch_alter_table("spaces", schema=None) as batch_op:
        batch_op.create_index("ix_spaces_tenant_id", ["tenant_id"], unique=False)

    op.create_table(
        "collections",
        sa.Column("pk", _KEY, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("space_id", _ID, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("embedding_model", sa.Text(), nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("deleted_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["space_id"], ["spaces.id"], name="fk_collections_space_id"),
        sa.PrimaryKeyConstraint("pk", name="pk_collections"),
        sa.UniqueConstraint("id", name="uq_collections_id"),
    )
    with op.batch_alter_table("collections", schema=None) as batch_op:
        batch_op.create_index("ix_collections_space_id", ["space_id"], unique=False)

    op.create_table(
        "connectors",
        sa.Column("pk", _KEY, nullable=False),
        sa.Column("id", _ID, nullable=False),
        sa.Column("tenant_id", _ID, nullable=False),
        sa.Column("collection_pk", _KEY, nullable=False),
        sa.Column("slug", _NAME, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column("icon", sa.Text(), nullable=True),
        sa.Column("created_by", _ID, nullable=True),
        sa.Column("provider", _NAME, nullable=False),
        sa.Column("execution", sa.String(length=8), server_default="CLOUD", nullable=False),
        sa.Column("identity", _NAME, server_default="", nullable=False),
        sa.Column("config", _JSON, nullable=False),
        sa.Column("status", sa.String(length=8), nullable=False),
        sa.Column("paused", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("schedule", sa.Text(), nullable=True),
        sa.Column("schedule_sent", _JSON, nullable=True),
        sa.Column("trusted", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("credentials_block", sa.Text(), nullable=True),
        sa.Column("deployment_id", sa.String(length=36), nullable=True),
        sa.Column("deployment_name", _NAME, nullable=True),
        sa.Column("cursor", sa.Text(), nullable=True),
        sa.Column("cursor_revision", sa.Integer(), server_default="0", nullable=False),
        sa.Column("cursor_hash", sa.String(length=64), nullable=True),
        sa.Column("lease", sa.Integer(), server_default="0", nullable=False),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.Column("last_success_at", sa.Double(), nullable=True),
        sa.Column("deleted_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["collection_pk"], ["collections.pk"], name="fk_connectors_collection_pk"),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenants.id"], name="fk_connectors_tenant_id"),
        sa.PrimaryKeyConstraint("pk", name="pk_connectors"),
        sa.UniqueConstraint("id", name="uq_connectors_id"),
    )
    with op.batch_alter_table("connectors", schema=None) as batch_op:
        batch_op.create_index("ix_connectors_collection_pk", ["collection_pk"], unique=False)
        batch_op.create_index(
            "uq_connectors_live_slug",
            ["tenant_id", "slug"],
            unique=True,
            sqlite_where=sa.text("deleted_at IS NULL"),
            postgresql_where=sa.text("deleted_at IS NULL"),
        )

    op.create_table(
        "documents",
        sa.Column("pk", _KEY, autoincrement=False, nullable=False),
        sa.Column("id", _SHORT_ID, nullable=False),
        sa.Column("connector_pk", _KEY, nullable=False),
        sa.Column("collection_pk", _KEY, nullable=False),
        sa.Column("title", _NAME, nullable=False),
        sa.Column("search_title", sa.Text(), nullable=False),
        sa.Column("content_type", _NAME, nullable=False),
        sa.Column("author", _NAME, nullable=True),
        sa.Column("created_at", sa.Double(), nullable=True),
        sa.Column("acl", sa.String(length=8), server_default="none", nullable=False),
        sa.Column("public", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("stale", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("characters", sa.Integer(), nullable=False),
        sa.Column("chunks", sa.Integer(), nullable=False),
        sa.Column("tags", _JSON, nullable=False),
        sa.Column("notes", _JSON, nullable=False),
        sa.Column("metadata", _JSON, nullable=False),
        sa.Column("indexed_at", sa.Double(), nullable=False),
        sa.Column("deleted_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["collection_pk"], ["collections.pk"], name="fk_documents_collection_pk"),
        sa.ForeignKeyConstraint(["connector_pk"], ["connectors.pk"], name="fk_documents_connector_pk"),
        sa.PrimaryKeyConstraint("pk", name="pk_documents"),
        sa.UniqueConstraint("id", name="uq_documents_id"),
    )
    with op.batch_alter_table("documents", schema=None) as batch_op:
        batch_op.create_index("ix_documents_connector", ["connector_pk"], unique=False)
        batch_op.create_index(
            "ix_documents_deleted",
            ["deleted_at"],
            unique=False,
            sqlite_where=sa.text("deleted_at IS NOT NULL"),
            postgresql_where=sa.text("deleted_at IS NOT NULL"),
        )

    op.create_table(
        "runs",
        sa.Column("id", _ID, nullable=False),
        sa.Column("connector_pk", _KEY, nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("mode", sa.String(length=12), nullable=False),
        sa.Column("trigger", sa.String(length=12), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("waiting", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("dry_run", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("allow_mass_delete", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("filter", _JSON, nullable=False),
        sa.Column("strategy", sa.String(length=12), nullable=True),
        sa.Column("reason", sa.String(length=24), nullable=True),
        sa.Column("flow_run_id", sa.String(length=36), nullable=True),
        sa.Column("flow_run_count", sa.Integer(), nullable=True),
        sa.Column("lease", sa.Integer(), nullable=True),
        sa.Column("lease_at", sa.Double(), nullable=True),
        sa.Column("cancel_requested_at", sa.Double(), nullable=True),
        sa.Column("cancel_reason", sa.String(length=12), nullable=True),
        sa.Column("wait_reason", sa.Text(), nullable=True),
        sa.Column("wait_since", sa.Double(), nullable=True),
        sa.Column("collected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("fetched", sa.Integer(), server_default="0", nullable=False),
        sa.Column("skipped", sa.Integer(), server_default="0", nullable=False),
        sa.Column("parsed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("indexed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failed", sa.Integer(), server_default="0", nullable=False),
        sa.Column("deleted", sa.Integer(), server_default="0", nullable=False),
        sa.Column("gone", sa.Integer(), server_default="0", nullable=False),
        sa.Column("error_code", sa.String(length=64), nullable=True),
        sa.Column("error_message", sa.Text(), nullable=True),
        sa.Column("details", _JSON, nullable=False),
        sa.Column("resumes", _ID, nullable=True),
        sa.Column("created_at", sa.Double(), nullable=False),
        sa.Column("started_at", sa.Double(), nullable=True),
        sa.Column("ended_at", sa.Double(), nullable=True),
        sa.ForeignKeyConstraint(["connector_pk"], ["connectors.pk"], name="fk_runs_connector_pk"),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
        sa.UniqueConstraint("flow_run_id", "flow_run_count", name="uq_runs_flow_run_id_flow_run_count"),
    )
    with op.batch_alter_table("runs", schema=None) as batch_op:
        batch_op.create_index("ix_runs_connector_created", ["connector_pk", "created_at"], unique=False)
        batch_op.create_index("ix_runs_state", ["state"], unique=False)
        batch_op.create_index(
            "uq_runs_active",
            ["connector_pk"],
            unique=True,
            sqlite_where=sa.text(
                "kind = 'sync' AND state IN ('QUEUED', 'RUNNING', 'CANCELLING') AND NOT dry_run AND NOT waiting"
            ),
            postgresql_where=sa.text(
                "kind = 'sync' AND state IN ('QUEUED', 'RUNNING', 'CANCELLING') AND NOT dry_run AND NOT waiting"
            ),
        )
        batch_op.create_index(
            "uq_runs_waiting",
            ["connector_pk", "mode"],
            unique=True,
            sqlite_where=sa.text(
                "kind = 'sync' AND state IN ('QUEUED', 'RUNNING', 'CANCELLING') AND NOT dry_run AND waiting"
            ),
            postgresql_where=sa.text(
                "kind = 'sync' AND state IN ('QUEUED', 'RUNNING', 'CANCELLING') AND NOT dry_run AND waiting"
            ),
        )

    op.create_table(
        "scopes",
        sa.Column("pk", _KEY, nullable=False),
        sa.Column("connector_pk", _KEY, nullable=False),
        sa.Column("key", _NAME, nullable=False),
        sa.Column("name", _NAME, nullable=False),
        sa.Column("generation", sa.Integer(), server_default="0", nullable=False),
        sa.Column("listed_at", sa.Double(), nullable=True),
        sa.Column("config_hash", sa.String(length=64), nullable=True),
        sa.Column("incomplete", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("error", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["connector_pk"], ["connectors.pk"], name="fk_scopes_connector_pk"),
        sa.PrimaryKeyConstraint("pk", name="pk_scopes"),
        sa.UniqueConstraint("connector_pk", "key", name="uq_scopes_connector_pk_key"),
    )
    op.create_table(
        "checkpoints",
        sa.Column("scope_pk", _KEY, nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("config_hash", sa.String(length=64), nullable=False),
        sa.Column("position", sa.Text(), nullable=False),
        sa.Column("mode", sa.String(length=12), nullable=False),
        sa.Column("watermark", _KEY, nullable=False),
        sa.Column("sighted", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["scope_pk"], ["scopes.pk"], name="fk_checkpoints_scope_pk"),
        sa.PrimaryKeyConstraint("scope_pk", name="pk_checkpoints"),
    )
    op.create_table(
        "document_access",
        sa.Column("document_pk", _KEY, autoincrement=False, nullable=False),
        sa.Column("kind", sa.String(length=8), nullable=False),
        sa.Column("subject", _NAME, nullable=False),
        sa.ForeignKeyConstraint(["document_pk"], ["documents.pk"], name="fk_document_access_document_pk"),
        sa.PrimaryKeyConstraint("document_pk", "kind", "subject", name="pk_document_access"),
    )
    with op.batch_alter_table("document_access", schema=None) as batch_op:
        batch_op.create_index("ix_document_access_subject", ["kind", "subject"], unique=False)

    op.create_table(
        "items",
        sa.Column("pk", _KEY, nullable=False),
        sa.Column("connector_pk", _KEY, nullable=False),
        sa.Column("scope_pk", _KEY, nullable=True),
        sa.Column("key", _NAME, nullable=False),
        sa.Column("path", _NAME, nullable=False),
        sa.Column("origin", sa.String(length=8), server_default="source", nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("version", sa.Text(), nullable=True),
        sa.Column("content_hash", sa.LargeBinary(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("modified_at", sa.Double(), nullable=True),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("move_hint", _NAME, nullable=True),
        sa.Column("fingerprint", sa.String(length=16), nullable=True),
        sa.Column("stage", sa.String(length=8), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("attempts", sa.Integer(), server_default="0", nullable=False),
        sa.Column("next_attempt_at", sa.Double(), nullable=True),
        sa.Column("updated_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["connector_pk"], ["connectors.pk"], name="fk_items_connector_pk"),
        sa.ForeignKeyConstraint(["scope_pk"], ["scopes.pk"], name="fk_items_scope_pk"),
        sa.PrimaryKeyConstraint("pk", name="pk_items"),
        sa.UniqueConstraint("connector_pk", "key", name="uq_items_connector_pk_key"),
    )
    with op.batch_alter_table("items", schema=None) as batch_op:
        batch_op.create_index(
            "ix_items_due",
            ["connector_pk", "next_attempt_at"],
            unique=False,
            sqlite_where=sa.text("next_attempt_at IS NOT NULL"),
            postgresql_where=sa.text("next_attempt_at IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_items_pending",
            ["connector_pk", "key"],
            unique=False,
            sqlite_where=sa.text("state = 'pending'"),
            postgresql_where=sa.text("state = 'pending'"),
        )
        batch_op.create_index(
            "ix_items_upload",
            ["version"],
            unique=False,
            sqlite_where=sa.text("origin = 'upload'"),
            postgresql_where=sa.text("origin = 'upload'"),
        )
        batch_op.create_index(
            "ix_items_move_hint",
            ["connector_pk", "move_hint"],
            unique=False,
            sqlite_where=sa.text("move_hint IS NOT NULL"),
            postgresql_where=sa.text("move_hint IS NOT NULL"),
        )
        batch_op.create_index(
            "ix_items_path",
            ["connector_pk", "path"],
            unique=False,
            sqlite_where=sa.text("path <> key"),
            postgresql_where=sa.text("path <> key"),
        )
        batch_op.create_index("ix_items_scope", ["scope_pk"], unique=False)

    op.create_table(
        "held_removals",
        sa.Column("item_pk", _KEY, autoincrement=False, nullable=False),
        sa.Column("scope_pk", _KEY, nullable=False),
        sa.Column("connector_pk", _KEY, nullable=False),
        sa.Column("run_id", _ID, nullable=False),
        sa.Column("held_at", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["connector_pk"], ["connectors.pk"], name="fk_held_removals_connector_pk"),
        sa.ForeignKeyConstraint(["item_pk"], ["items.pk"], name="fk_held_removals_item_pk"),
        sa.ForeignKeyConstraint(["scope_pk"], ["scopes.pk"], name="fk_held_removals_scope_pk"),
        sa.PrimaryKeyConstraint("item_pk", name="pk_held_removals"),
    )
    with op.batch_alter_table("held_removals", schema=None) as batch_op:
        batch_op.create_index("ix_held_removals_connector_pk", ["connector_pk"], unique=False)
    ACCESS_TABLES[0].metadata.create_all(op.get_bind(), tables=ACCESS_TABLES)
    if op.get_bind().dialect.name == "sqlite":
        op.execute(_CHUNK_SEARCH)
        op.execute(_CHUNKS_FTS)
        # A load of many documents merges as it goes, and leaves no long merge to the next writer.
        op.execute("INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('automerge', 8)")
        op.execute("INSERT INTO chunks_fts (chunks_fts, rank) VALUES ('hashsize', 16777216)")
    else:
        # Cut by Catchment; its index comes with the first documents (`catchment.store.postgres_index`).
        op.execute("ALTER TABLE chunks ADD COLUMN words tsvector")
        # Text and words of a chunk lie together, as they are: compressing them costs more than reading.
        op.execute("ALTER TABLE chunks SET (toast_tuple_target = 8160)")
        op.execute("CREATE SEQUENCE item_numbers MINVALUE 1")
        op.execute(_TAKE_ITEM_PKS)
