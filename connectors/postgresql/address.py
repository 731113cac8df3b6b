"""How a ``postgresql://`` address on the command line becomes settings and credentials."""

from __future__ import annotations

import getpass
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode, urlsplit

from pydantic import ValidationError

from catchment.kit import ConfigRejected, SourceAddress
from connectors.postgresql.config import PostgreSQLConfig

SCHEMES = ("postgresql", "postgres")
LISTS = {
    "table": "tables",
    "view": "views",
    "key": "key",
    "column": "columns",
    "include": "include",
    "exclude": "exclude",
}
SINGLES = (
    "schema",
    "sslmode",
    "title",
    "text",
    "url",
    "author",
    "date",
    "updated_column",
    "deleted_column",
    "content_column",
    "content_type",
    "replication",
    "publication",
    "slot",
    "late_commit_seconds",
    "statement_timeout_seconds",
    "connect_timeout_seconds",
    "max_file_bytes",
    "max_age_days",
    "auto_strategy",
    "reconcile_seconds",
)
QUERY = "query"


def identity(config: Mapping[str, Any]) -> str:
    """Return a text that is equal for two configurations of the same relations of the same database."""
    parsed = PostgreSQLConfig.model_validate(dict(config))
    parts = [*sorted(parsed.tables), *sorted(parsed.views)]
    parts += [f"{name}={text}" for name, text in sorted(parsed.queries.items())]
    host = parsed.host.lower() if not parsed.is_socket else parsed.host
    return (
        f"postgresql:{host}:{parsed.port}/{quote(parsed.database, safe='')}/{quote(parsed.schema, safe='')}"
        + (f"?{'&'.join(quote(part, safe='.') for part in parts)}" if parts else "")
    )


def take_apart(text: str) -> SourceAddress | None:
    """Take an address apart, without contacting the server; None when it is none of PostgreSQL's.

    Raises:
        ConfigRejected: A part of it cannot work; no secret is repeated.
    """
    scheme, separator, _ = text.strip().partition("://")
    if not separator or scheme.lower() not in SCHEMES:
        return None
    try:
        parts = urlsplit(text.strip())
        port = parts.port
    except ValueError:
        raise _rejected("The address cannot be read: its port is no number.", "port") from None
    config: dict[str, Any] = {}
    username = unquote(parts.username) if parts.username else None
    password = unquote(parts.password) if parts.password else None
    if parts.hostname:
        config["host"] = unquote(_host(parts.netloc))
    if port is not None:
        config["port"] = port
    config["database"] = unquote(parts.path.removeprefix("/")) or username
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if name in ("user", "username"):
            username = value
        elif name == "password":
            password = value
        else:
            _set(config, name, value)
    if not config["database"]:
        raise _rejected("The address names no database.", "database")
    parsed = _checked(config)
    credentials = {"username": username or getpass.getuser()}
    if password:
        credentials["password"] = password
    return SourceAddress(
        name=parsed.tables[0] if len(parsed.tables) == 1 else parsed.database,
        config=config,
        identity=identity(config),
        display=_display(parsed, config),
        credentials=credentials,
    )


def _host(netloc: str) -> str:
    """Return the host as it was written; `urlsplit` turns it into small letters, which sockets mind."""
    host = netloc.rpartition("@")[2]
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]


def _set(config: dict[str, Any], name: str, value: str) -> None:
    if name in ("host", "port") and value:
        config[name] = value
    elif name in LISTS:
        config.setdefault(LISTS[name], []).append(value)
    elif name in SINGLES:
        config[name] = value
    elif name.startswith(f"{QUERY}."):
        config.setdefault("queries", {})[name.removeprefix(f"{QUERY}.")] = value
    else:
        known = ", ".join(sorted([*LISTS, *SINGLES, f"{QUERY}.<name>"]))
        raise ConfigRejected(
            f"The address has the unknown parameter {name!r}.", setting=name, remedy=f"Known are: {known}."
        )


def _checked(config: dict[str, Any]) -> PostgreSQLConfig:
    try:
        return PostgreSQLConfig.model_validate(config)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        name = str(first["loc"][0]) if first["loc"] else "address"
        message = first["msg"].removeprefix("Value error, ")
        raise _rejected(f"The part {name} of the address cannot be used: {message}.", name) from None


def _display(parsed: PostgreSQLConfig, config: Mapping[str, Any]) -> str:
    host = "" if parsed.is_socket else (f"[{parsed.host}]" if ":" in parsed.host else parsed.host)
    pairs = [("host", parsed.host)] if parsed.is_socket else []
    if parsed.schema != "public":
        pairs.append(("schema", parsed.schema))
    pairs += [("table", name) for name in config.get("tables", [])]
    pairs += [("view", name) for name in config.get("views", [])]
    port = f":{parsed.port}" if parsed.port != 5432 else ""
    query = f"?{urlencode(pairs, safe='/.')}" if pairs else ""
    return f"postgresql://{host}{port}/{quote(parsed.database)}{query}"


def _rejected(message: str, setting: str) -> ConfigRejected:
    return ConfigRejected(
        message,
        setting=setting,
        remedy="Write postgresql://user@host:5432/database?table=name.",
    )
