"""The tables about who may do what, and what a face has to remember between two requests.

Times are POSIX seconds, UTC. Of secrets only hashes are kept, or what is sealed with a key that lies
elsewhere: nothing here opens a door.
"""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Integer, LargeBinary, String, Table, Text

from catchment.store.tables import Id, Json, Name, Seconds, metadata

principals = Table(
    "principals",
    metadata,
    Column("id", Id, primary_key=True),
    Column("kind", String(8), nullable=False),
    Column("name", Name, nullable=False),
    Column("email", Name),
    Column("created_at", Seconds, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("tenant_id", Id, ForeignKey("tenants.id"), primary_key=True),
    Column("principal_id", Id, ForeignKey("principals.id"), primary_key=True),
    Column("role", String(8), nullable=False),
    Column("created_at", Seconds, nullable=False),
    Index("ix_members_principal", "principal_id"),
)

space_roles = Table(
    "space_roles",
    metadata,
    Column("space_id", Id, ForeignKey("spaces.id"), primary_key=True),
    Column("principal_id", Id, ForeignKey("principals.id"), primary_key=True),
    Column("role", String(8), nullable=False),
    Column("created_at", Seconds, nullable=False),
    Index("ix_space_roles_principal", "principal_id"),
)

tokens = Table(
    "tokens",
    metadata,
    Column("id", Id, primary_key=True),
    Column("tenant_id", Id, ForeignKey("tenants.id"), nullable=False, index=True),
    Column("principal_id", Id, ForeignKey("principals.id"), nullable=False, index=True),
    Column("name", Name, nullable=False),
    Column("prefix", String(16), nullable=False),
    Column("hash", String(64), nullable=False, unique=True),
    Column("created_at", Seconds, nullable=False),
    Column("expires_at", Seconds),
    Column("last_used_at", Seconds),
    Column("revoked_at", Seconds),
)

idempotency = Table(
    "idempotency",
    metadata,
    # SHA-256 over tenant, principal, method, path and key.
    Column("scope", String(64), primary_key=True),
    Column("request_hash", String(64), nullable=False),
    # Tells one try from a later one that took the key over from it.
    Column("attempt", Id, nullable=False),
    Column("status", Integer),
    Column("body", Text),
    Column("begun_at", Seconds, nullable=False),
    Column("finished_at", Seconds),
    Index("ix_idempotency_begun", "begun_at"),
)

oauth_states = Table(
    "oauth_states",
    metadata,
    # SHA-256 of the state that travels through the browser.
    Column("hash", String(64), primary_key=True),
    Column("tenant_id", Id, ForeignKey("tenants.id"), nullable=False),
    Column("principal_id", Id, ForeignKey("principals.id"), nullable=False),
    Column("provider", Name, nullable=False),
    Column("data", Json, nullable=False),
    Column("created_at", Seconds, nullable=False),
    Column("expires_at", Seconds, nullable=False),
    Column("used_at", Seconds),
    Index("ix_oauth_states_expires", "expires_at"),
)

TABLES = (principals, members, space_roles, tokens, idempotency, oauth_states)
"""Those that the first migration lays."""

subjects = Table(
    "subjects",
    metadata,
    Column("tenant_id", Id, ForeignKey("tenants.id"), primary_key=True),
    Column("principal_id", Id, ForeignKey("principals.id"), primary_key=True),
    Column("kind", String(8), primary_key=True),
    Column("subject", Name, primary_key=True),
)

sealed = Table(
    "sealed",
    metadata,
    Column("name", Name, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
    Column("updated_at", Seconds, nullable=False),
)

rates = Table(
    "rates",
    metadata,
    Column("token_id", Id, ForeignKey("tokens.id"), primary_key=True),
    # Minutes since 1970; what was taken in an earlier one counts no more.
    Column("minute", Integer, nullable=False),
    Column("taken", Integer, nullable=False),
)
