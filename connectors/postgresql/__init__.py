"""PostgreSQL: rows of tables, views and queries, each row one document.

Signs in with a user and a password, or as the server trusts the machine; needs USAGE and SELECT.
Key: schema.table and the JSON of the key's values; without a key a hash of the row. Version: a hash of
the columns in use, computed by the server, or an `updated_at` column. Order: by key.
Deletions: what a complete listing no longer shows, a soft-delete column, or logical decoding.
Limits: the server's own; every transaction is read only and short. https://www.postgresql.org/docs/current/
"""

from connectors.postgresql.config import PostgreSQLConfig
from connectors.postgresql.connector import PostgreSQL
from connectors.postgresql.credentials import PostgreSQLCredentials

__all__ = ["PostgreSQL", "PostgreSQLConfig", "PostgreSQLCredentials"]
