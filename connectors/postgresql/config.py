"""What a person fills in for a PostgreSQL source."""

from __future__ import annotations

import re
import warnings
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from catchment.kit import SourceConfig
from connectors.postgresql.names import QUERY_PREFIX, parse_name

LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")
_QUERY_NAME = re.compile(r"[A-Za-z0-9_-]{1,60}")
_SLOT_NAME = re.compile(r"[a-z0-9_]{1,63}")
_FIRST_WORD = re.compile(r"(?:\s|--[^\n]*(?:\n|$)|/\*.*?\*/|\()*([A-Za-z]+)", re.DOTALL)

SslMode = Literal["auto", "disable", "prefer", "require", "verify-ca", "verify-full"]
Replication = Literal["off", "auto", "pgoutput", "test_decoding"]


def _is_resolvable(host: str) -> bool:
    """Whether a host name can be asked for at all; the driver fails without an error of its own if not."""
    try:
        host.encode("idna")
    except UnicodeError:
        return False
    return True


class RowSettings(BaseModel):
    """How rows become documents; for all relations, or for one of them."""

    model_config = ConfigDict(extra="forbid")

    key: list[str] = Field(
        default_factory=list,
        title="Key columns",
        description="Columns that name a row; empty means the primary key, or a unique index without nulls.",
    )
    columns: list[str] = Field(
        default_factory=list,
        title="Columns",
        description="Columns that make the text; empty means all that can be read as text.",
    )
    title: str | None = Field(
        default=None, title="Title", description="Template such as {name}; empty finds a fitting column."
    )
    text: str | None = Field(
        default=None,
        title="Text",
        description="Template of the whole text, Markdown; empty writes all columns, the longest ones first.",
    )
    url: str | None = Field(
        default=None, title="URL", description="Template such as https://shop.example/item/{id}."
    )
    author: str | None = Field(default=None, title="Author", description="Template such as {author}.")
    date: str | None = Field(
        default=None, title="Date", description="Column of a date or time at which the row was changed."
    )
    updated_column: str | None = Field(
        default=None,
        title="Changed-at column",
        description="Column of a time that every writer sets on every change; rows are then compared by it.",
    )
    deleted_column: str | None = Field(
        default=None,
        title="Soft-delete column",
        description="Boolean that is true, or time that is set, when a row counts as deleted.",
    )
    content_column: str | None = Field(
        default=None,
        title="Document column",
        description="Column that holds a whole document, such as a PDF; it is then parsed as a file.",
    )
    content_type: str | None = Field(
        default=None, title="Media type", description="Media type of the document column."
    )


with warnings.catch_warnings():
    # `schema` is what people and other tools call it; pydantic's own old method of that name is not used.
    warnings.filterwarnings("ignore", message='Field name "schema"')

    class PostgreSQLConfig(RowSettings, SourceConfig):
        """Settings of a PostgreSQL source."""

        host: str = Field(
            default="localhost",
            title="Host",
            description="Name or address of the server, or the folder of its socket.",
        )
        port: int = Field(default=5432, ge=1, le=65535, title="Port", description="Port of the server.")
        database: str = Field(title="Database", description="Name of the database.")
        schema: str = Field(  # type: ignore[assignment]
            default="public",
            title="Schema",
            description="Schema that is read, and in which bare names are looked up.",
        )
        tables: list[str] = Field(
            default_factory=list,
            title="Tables",
            description="Tables to read, as table or schema.table; empty, without views and queries, means "
            "every table of the schema.",
        )
        views: list[str] = Field(
            default_factory=list, title="Views", description="Views to read, as view or schema.view."
        )
        queries: dict[str, str] = Field(
            default_factory=dict, title="Queries", description="SELECT statements to read, each under a name."
        )
        relations: dict[str, RowSettings] = Field(
            default_factory=dict,
            title="By relation",
            description="Settings of single tables, views and queries (query:name) that differ.",
        )
        replication: Replication = Field(
            default="off",
            title="Logical decoding",
            description="Follow changes through a replication slot, which keeps the server's log until read.",
        )
        publication: str = Field(
            default="catchment", title="Publication", description="Publication of these tables, for pgoutput."
        )
        slot: str | None = Field(
            default=None,
            title="Replication slot",
            description="Name of the slot; empty derives it from host, port, database and schema.",
        )
        late_commit_seconds: float = Field(
            default=300.0,
            ge=0,
            le=86_400,
            title="Late-commit margin",
            description="How far back changes by time are read again, for transactions that commit late.",
        )
        sslmode: SslMode = Field(
            default="auto",
            title="TLS",
            description="auto demands TLS, except on this machine; the others are the server's own words.",
        )
        connect_timeout_seconds: int = Field(
            default=10, ge=1, le=120, title="Connect timeout", description="Seconds to wait for the server."
        )
        statement_timeout_seconds: int = Field(
            default=300,
            ge=1,
            le=86_400,
            title="Statement timeout",
            description="Longest time that one statement may take, in seconds.",
        )

        @field_validator("host")
        @classmethod
        def _one_host(cls, value: str) -> str:
            text = value.strip().removeprefix("[").removesuffix("]")
            if not text or "," in text or "\0" in text or any(sign.isspace() for sign in text):
                raise ValueError("name one host")
            if not text.startswith(("/", "@")) and not _is_resolvable(text):
                raise ValueError("a name has parts of 1 to 63 characters, with dots between them")
            return text

        @field_validator("database", "schema", "publication")
        @classmethod
        def _named(cls, value: str) -> str:
            if not value.strip() or "\0" in value:
                raise ValueError("give a name")
            return value

        @field_validator("slot")
        @classmethod
        def _slot_name(cls, value: str | None) -> str | None:
            if value is not None and not _SLOT_NAME.fullmatch(value):
                raise ValueError("a slot's name has small letters, digits and underscores, 63 at most")
            return value

        @field_validator("queries")
        @classmethod
        def _single_selects(cls, value: dict[str, str]) -> dict[str, str]:
            """Refuse what plainly is no query; the server has the last word."""
            for name, text in value.items():
                if not _QUERY_NAME.fullmatch(name):
                    raise ValueError(f"the name {name!r} may only have letters, digits, - and _")
                first = _FIRST_WORD.match(text)
                if first is None or first[1].upper() not in ("SELECT", "WITH", "VALUES", "TABLE"):
                    raise ValueError(f"the query {name} is no SELECT")
            return {name: text.strip().rstrip(";").rstrip() for name, text in value.items()}

        @model_validator(mode="after")
        def _names_in_one_spelling(self) -> PostgreSQLConfig:
            self.tables = self._spelt("tables", self.tables)
            self.views = self._spelt("views", self.views)
            both = set(self.tables) & set(self.views)
            if both:
                raise ValueError(f"{sorted(both)[0]} stands in tables and in views")
            relations = {}
            for text, settings in self.relations.items():
                if text.startswith(QUERY_PREFIX):
                    if text.removeprefix(QUERY_PREFIX) not in self.queries:
                        raise ValueError(f"relations names {text}, which is no query")
                    relations[text] = settings
                else:
                    relations[self._spelt("relations", [text])[0]] = settings
            self.relations = relations
            return self

        def _spelt(self, setting: str, names: list[str]) -> list[str]:
            parsed = [(text, parse_name(text, self.schema)) for text in names]
            for text, name in parsed:
                if name is None:
                    raise ValueError(f"{setting} has {text!r}, which is not written as table or schema.table")
            return list(dict.fromkeys(str(name) for _, name in parsed))

        @property
        def tls(self) -> str:
            """The TLS mode in the server's own words."""
            if self.sslmode != "auto":
                return self.sslmode
            return "prefer" if self.is_local else "require"

        @property
        def is_socket(self) -> bool:
            """Whether the host is a socket of this machine."""
            return self.host.startswith(("/", "@"))

        @property
        def is_local(self) -> bool:
            """Whether the server runs on this machine."""
            return self.is_socket or self.host in LOCAL_HOSTS

        @property
        def takes_all_tables(self) -> bool:
            """Whether every table of the schema is read."""
            return not (self.tables or self.views or self.queries)

        def settings_of(self, relation: str) -> tuple[RowSettings, frozenset[str]]:
            """Return the settings of a relation, and the names of those that are meant for it alone."""
            own = self.relations.get(relation)
            fields = list(RowSettings.model_fields)
            values: dict[str, Any] = {name: getattr(self, name) for name in fields}
            if own is None:
                return RowSettings(**values), frozenset()
            values.update({name: getattr(own, name) for name in own.model_fields_set})
            return RowSettings(**values), frozenset(own.model_fields_set)
