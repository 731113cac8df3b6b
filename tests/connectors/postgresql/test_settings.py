"""What a person writes: addresses, settings, templates, and what they are told when it cannot work."""

from __future__ import annotations

import socket
from typing import Any

import pytest
from psycopg import sql
from pydantic import SecretStr, ValidationError

from catchment.core.errors import AuthRejected, ConfigRejected, SourceBusy, SourceDown, SourceError
from catchment.kit import Health, Session, registry
from catchment.services import testing
from connectors.postgresql import PostgreSQL, PostgreSQLConfig, PostgreSQLCredentials
from connectors.postgresql.address import take_apart
from connectors.postgresql.errors import connect_error
from connectors.postgresql.names import Name, parse_name, row_key, row_path, split_key, split_path
from tests.connectors.postgresql.conftest import Base, listed, texts


def require_working(address: str) -> None:
    """Do what the command line does with an address before anything is stored."""
    slug, found = registry.recognise(address)
    testing.require_working(slug, found.config, found.credentials)


class TestAddress:
    def test_an_address_is_taken_apart_and_its_secrets_kept_apart(self) -> None:
        """User and password go to the credentials, and are shown nowhere."""
        found = take_apart(
            "postgres://reader:s%40cret@db.example:6432/shop?schema=sales&table=docs&table=x.notes"
            "&updated_column=changed&sslmode=verify-full"
        )
        assert found is not None
        assert found.config == {
            "host": "db.example",
            "port": 6432,
            "database": "shop",
            "schema": "sales",
            "tables": ["docs", "x.notes"],
            "updated_column": "changed",
            "sslmode": "verify-full",
        }
        assert found.credentials == {"username": "reader", "password": "s@cret"}
        assert found.display == "postgresql://db.example:6432/shop?schema=sales&table=docs&table=x.notes"
        assert "cret" not in found.identity + found.display + found.name

    def test_nobody_is_asked_to_read_an_address(self) -> None:
        """Whatever it names: a server that is not there does not matter yet."""
        assert PostgreSQL.address("postgresql://u:pw@host.invalid/d?table=nope") is not None

    def test_other_users_mean_the_same_source_and_other_tables_another(self) -> None:
        """The identity is server, database, schema and what is read."""
        one, two, three = (
            take_apart(f"postgresql://{rest}")
            for rest in ("a@h/d?table=t", "b:pw@H:5432/d?table=t", "a@h/d?table=u")
        )
        assert one and two and three
        assert one.identity == two.identity != three.identity

    @pytest.mark.parametrize("text", ["./docs", "s3://bucket", "https://example.org", "postgresql"])
    def test_other_addresses_are_left_to_others(self, text: str) -> None:
        """Only the two schemes of PostgreSQL are recognised."""
        assert take_apart(text) is None

    @pytest.mark.parametrize(
        ("text", "setting"),
        [
            ("postgresql://u:hunter2@h/d?tabel=t", "tabel"),
            ("postgresql://u:hunter2@h:port/d", "port"),
            ("postgresql://h:5432/", "database"),
            ("postgresql://u:hunter2@h/d?sslmode=maybe", "sslmode"),
            ("postgresql://u:hunter2@h/d?table=a.b.c", "address"),
            ("postgresql://u:hunter2@h/d?port=0", "port"),
            (f"postgresql://u:hunter2@{'h' * 64}.example/d", "host"),
            ("postgresql://u:hunter2@db..example/d", "host"),
        ],
    )
    def test_a_part_that_cannot_work_is_named(self, text: str, setting: str) -> None:
        """The error names the setting and repeats no secret."""
        with pytest.raises(ConfigRejected) as caught:
            take_apart(text)
        assert caught.value.setting == setting
        assert "hunter2" not in str(caught.value)

    def test_what_an_address_names_is_looked_for(self, base: Base) -> None:
        """Wrong host, port, password, database, schema, table and column are told before all is stored."""
        base.sql("CREATE TABLE t (id int PRIMARY KEY)")
        password = "right-one"
        role = f"reader_{base.name}"
        base.connection.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(sql.Identifier(role), password)
        )
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            dead = closed.getsockname()[1]
            good = f"{role}:{password}@127.0.0.1:{base.site.port}"
            wrong = {
                f"{role}:{password}@host.invalid:{base.site.port}/{base.name}?": "host",
                f"{role}:{password}@127.0.0.1:{dead}/{base.name}?": "host",
                f"{role}:wrong@127.0.0.1:{base.site.port}/{base.name}?": "password",
                f"{role}@127.0.0.1:{base.site.port}/{base.name}?table=t&": "password",
                f"{good}/nope?": "database",
                f"{good}/{base.name}?schema=nope&": "schema",
                f"{good}/{base.name}?schema=nope&table=x&": "schema",
                f"{good}/{base.name}?table=nope&": "tables",
                f"{good}/{base.name}?table=t&updated_column=nope&": "updated_column",
                f"{good}/{base.name}?table=t&title={{nope}}&": "title",
                f"{good}/{base.name}?sslmode=require&": "sslmode",
            }
            try:
                base.sql(f"GRANT SELECT ON t TO {role}")
                require_working(f"postgresql://{good}/{base.name}?table=t")
                for address, setting in wrong.items():
                    with pytest.raises(ConfigRejected) as caught:
                        require_working(f"postgresql://{address}connect_timeout_seconds=5")
                    assert caught.value.setting == setting, address
                    assert caught.value.remedy
                    assert password not in str(caught.value)
            finally:
                base.sql(f"DROP OWNED BY {role}")
                base.sql(f"DROP ROLE {role}")


class TestNames:
    @pytest.mark.parametrize(
        ("text", "name"),
        [
            ("docs", Name("public", "docs")),
            ("Docs", Name("public", "Docs")),
            ("x.docs", Name("x", "docs")),
            ('"a.b"."c""d"', Name("a.b", 'c"d')),
            ("größe", Name("public", "größe")),
            ("a.b.c", None),
            ('"a', None),
            ("", None),
            ("a; drop", None),
        ],
    )
    def test_names_are_read_as_they_stand(self, text: str, name: Name | None) -> None:
        """Bare names keep their capitals; anything else stands in double quotes."""
        assert parse_name(text, "public") == name
        if name is not None:
            assert parse_name(str(name), "other") == name

    @pytest.mark.parametrize(
        "values", [("a",), ("",), (None,), ("a,b", "c/d"), ("%N", "%E"), ("ü", "x\n"), ('"', "[")]
    )
    def test_keys_and_paths_are_read_back(self, values: tuple[str | None, ...]) -> None:
        """What is written is read, whatever the values hold."""
        whole = [False] * len(values)
        for scope in ("public.t", '"a[b"."c/d#"', "query:q-1"):
            assert split_key(row_key(scope, values, whole)) == (scope, values)
            assert split_path(row_path(scope, values, plain=True)) == (scope, values)

    def test_a_path_of_text_has_no_ending(self) -> None:
        """A key such as guide.html must not make parsing take the row for a web page."""
        assert row_path("public.t", ("guide.html",), plain=True) == "public.t/guide%2Ehtml"
        assert row_path("public.t", ("guide.pdf",), plain=False) == "public.t/guide.pdf"
        assert row_path("public.t", ("1.5",), plain=True) == "public.t/1.5"


class TestConfig:
    @pytest.mark.parametrize(
        "query",
        [
            "DELETE FROM t",
            "SELECT 1; SELECT 2",
            "",
            "-- SELECT 1",
            "/* SELECT */ DROP TABLE t",
            "UPDATE t SET a = 1",
        ],
    )
    def test_what_is_no_single_select_is_refused(self, base: Base, query: str) -> None:
        """Several statements, other statements, and nothing: refused before anything runs."""
        base.sql("CREATE TABLE t (a int)")
        with pytest.raises((ValidationError, ConfigRejected)):
            listed(base.source(queries={"q": query}))
        assert base.sql("SELECT count(*) FROM t") == [(0,)]

    @pytest.mark.parametrize(
        "query",
        [
            "WITH gone AS (DELETE FROM t RETURNING a) SELECT a FROM gone",
            "SELECT a FROM t) AS r; DELETE FROM t; SELECT (1",
            "SELECT a INTO u FROM t",
            "SELECT a FROM t FOR UPDATE",
            "SELECT nextval('s')",
            "SELECT a, a FROM t",
            "SELECT nope FROM t",
            "SELECT a FROM nope",
        ],
    )
    def test_a_query_that_cannot_work_names_itself(self, base: Base, query: str) -> None:
        """What passes the first look and is no plain query is refused by the server; nothing changes."""
        base.sql("CREATE TABLE t (a int)")
        base.sql("CREATE SEQUENCE s")
        base.sql("INSERT INTO t VALUES (1)")
        with pytest.raises(ConfigRejected) as caught:
            listed(base.source(queries={"q": query}))
        assert caught.value.setting == "queries.q"
        assert base.sql("SELECT count(*) FROM t") == [(1,)]

    def test_tls_is_demanded_except_on_this_machine(self) -> None:
        """Nothing falls back to plain text over a network."""
        modes = {
            host: PostgreSQLConfig(host=host, database="d").tls
            for host in ("db.example", "localhost", "10.0.0.1")
        }
        assert modes == {"db.example": "require", "localhost": "prefer", "10.0.0.1": "require"}

    def test_a_connector_of_others_uses_nothing_of_this_machine(self, base: Base) -> None:
        """No socket, no private address, no password file."""
        base.sql("CREATE TABLE t (id int PRIMARY KEY)")
        for host, credentials, error in (
            (base.site.socket, PostgreSQLCredentials(username="postgres"), ConfigRejected),
            ("127.0.0.1", PostgreSQLCredentials(username="u", password=SecretStr("p")), ConfigRejected),
            ("127.0.0.1", PostgreSQLCredentials(username="u"), AuthRejected),
        ):
            config = PostgreSQLConfig(host=host, port=base.site.port, database=base.name, tables=["t"])
            source = PostgreSQL(config, credentials, Session(trusted=False))
            with pytest.raises(error):
                listed(source)


class TestTemplates:
    @pytest.fixture
    def table(self, base: Base) -> Base:
        base.sql(
            "CREATE TABLE t (id int PRIMARY KEY, headline text, body text, slug text, author text, "
            "price numeric, changed date)"
        )
        base.sql("INSERT INTO t VALUES (1, 'Big  news', 'long body', 'big-news', 'Ann', 9.50, '2024-05-06')")
        base.sql("INSERT INTO t (id) VALUES (2)")
        return base

    def test_rows_read_well_without_any_setting(self, table: Base) -> None:
        """Well-known columns become title, body and author."""
        source = table.source(tables=["t"])
        items = listed(source)
        content = source.fetch(items["public.t[1]"])
        assert content.item is not None
        assert (content.item.title, content.item.author) == ("Big  news".replace("  ", " "), "Ann")
        body = content.stream().read().decode()
        assert body.startswith("# Big news\n\nlong body\n\nid: 1\n")
        assert "price: 9.50" in body
        empty = source.fetch(items["public.t[2]"]).item
        assert empty is not None
        assert empty.title == "public.t 2"

    def test_templates_write_what_they_say(self, table: Base) -> None:
        """Names in braces stand for values; an address with a missing value is none."""
        source = table.source(
            tables=["t"],
            title="{headline} ({price})",
            text="{body}\n\n{{{slug}}}",
            url="https://shop.example/{slug}",
            author="by {author}",
            date="changed",
        )
        items = listed(source)
        assert [item.url for item in items.values()] == ["https://shop.example/big-news", None]
        assert items["public.t[1]"].modified_at == 1714953600.0
        content = source.fetch(items["public.t[1]"])
        assert content.item is not None
        assert (content.item.title, content.item.author) == ("Big news (9.50)", "by Ann")
        assert content.stream().read() == b"long body\n\n{big-news}"

    @pytest.mark.parametrize(
        "text", ["{headline.__class__}", "{headline!r}", "{headline:>10}", "{0}", "{", "{}"]
    )
    def test_a_template_reaches_columns_and_nothing_else(self, table: Base, text: str) -> None:
        """No attributes, conversions, positions."""
        with pytest.raises(ConfigRejected) as caught:
            listed(table.source(tables=["t"], text=text))
        assert caught.value.setting == "text"

    def test_only_what_is_used_makes_a_new_version(self, table: Base) -> None:
        """Columns that no template names change nothing; a changed template changes every version."""
        settings: dict[str, Any] = {"tables": ["t"], "text": "{body}", "title": "{headline}"}
        source = table.source(**settings)
        before = listed(source)
        table.sql("UPDATE t SET price = 10")
        table.sql("ALTER TABLE t ADD COLUMN extra text DEFAULT 'x'")
        assert {k: i.version for k, i in listed(source).items()} == {k: i.version for k, i in before.items()}
        table.sql("UPDATE t SET body = 'new' WHERE id = 1")
        after = listed(source)
        assert after["public.t[1]"].version != before["public.t[1]"].version
        assert after["public.t[2]"].version == before["public.t[2]"].version
        other = listed(table.source(**{**settings, "text": "{body}!"}))
        assert other["public.t[2]"].version != before["public.t[2]"].version

    def test_settings_of_one_relation_overrule_the_others(self, table: Base) -> None:
        """What is set for a relation counts for it alone."""
        table.sql("CREATE TABLE u (id int PRIMARY KEY, words text)")
        table.sql("INSERT INTO u VALUES (1, 'w')")
        source = table.source(
            tables=["t", "u"], text="{body}", relations={"u": {"text": "said: {words}", "title": "{id}"}}
        )
        items = listed(source, "public.u")
        assert texts(source, items) == {"public.u[1]": "said: w"}

    def test_settings_for_all_tables_pass_over_those_without_the_column(self, table: Base) -> None:
        """A column set for a whole schema is used where it is; a named table must have it."""
        table.sql("CREATE TABLE u (id int PRIMARY KEY, words text)")
        table.sql("INSERT INTO u VALUES (1, 'w')")
        assert len(listed(table.source(updated_column="changed", text="{body}"))) == 3
        with pytest.raises(ConfigRejected, match="no column 'changed'"):
            listed(table.source(tables=["u"], updated_column="changed"))


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "kind"),
        [
            ('connection failed: FATAL:  password authentication failed for user "u"', AuthRejected),
            ('connection failed: FATAL:  database "x" does not exist', ConfigRejected),
            ('connection failed: FATAL:  role "x" does not exist', AuthRejected),
            ("connection failed: FATAL:  sorry, too many clients already", SourceBusy),
            ("connection failed: FATAL:  the database system is starting up", SourceBusy),
            ("connection failed: server does not support SSL, but SSL was required", ConfigRejected),
            ('connection failed: connection to server at "h", port 1 failed: Connection refused', SourceDown),
            ("connection timeout expired", SourceDown),
            ("[Errno -2] Name or service not known", SourceDown),
        ],
    )
    def test_a_failed_connect_is_told_by_its_text(self, text: str, kind: type[SourceError]) -> None:
        """Without a code only the text tells; what is unknown counts as a server that is down."""
        error = connect_error(RuntimeError(text), "h", 5432)
        assert type(error) is kind
        assert error.remedy

    def test_a_slow_statement_is_cancelled(self, base: Base) -> None:
        """The statement timeout holds, and is told with the setting."""
        base.sql("CREATE VIEW v AS SELECT 1 AS id, pg_sleep(30)::text AS body")
        source = base.source(views=["v"], statement_timeout_seconds=1, key=["id"])
        with pytest.raises(SourceDown, match="statement timeout") as caught:
            listed(source)
        assert "statement_timeout_seconds" in caught.value.remedy

    def test_a_held_lock_is_not_waited_for_long(self, base: Base) -> None:
        """A table that is being changed makes the source busy, and the reader no part of a queue."""
        base.sql("CREATE TABLE t (id int PRIMARY KEY)")
        source = base.source(tables=["t"])
        with base.another() as other:
            other.execute("LOCK TABLE t IN ACCESS EXCLUSIVE MODE")
            with pytest.raises(SourceBusy, match="lock"):
                listed(source)
            other.rollback()
        assert listed(source) == {}


class TestCheck:
    def test_a_good_connector_is_well(self, base: Base) -> None:
        """Each capability is named and ok."""
        base.sql("CREATE TABLE t (id int PRIMARY KEY)")
        found = base.source(tables=["t"]).check()
        assert [(one.name, one.health) for one in found] == [
            ("connect", Health.OK),
            ("read public.t", Health.OK),
            ("key public.t", Health.OK),
            ("changes", Health.OK),
        ]

    def test_what_is_not_well_names_setting_and_remedy(self, base: Base) -> None:
        """A missing table, a table without a grant, a server that is away."""
        base.sql("CREATE TABLE t (id int PRIMARY KEY)")
        role = f"reader_{base.name}"
        base.sql(f"CREATE ROLE {role} LOGIN")
        try:
            source = base.source(user=role, tables=["t", "nope"])
            found = {one.name: one for one in source.check()}
            source.close()
        finally:
            base.sql(f"DROP ROLE {role}")
        assert found["read public.t"].health is Health.DENIED
        assert "GRANT SELECT ON public.t" in found["read public.t"].remedy
        assert (found["read public.nope"].health, found["read public.nope"].setting) == (
            Health.MISCONFIGURED,
            "tables",
        )
        away = PostgreSQL(PostgreSQLConfig(host="127.0.0.1", port=1, database="d"))
        first = away.check()[0]
        assert (first.health, first.setting) == (Health.UNREACHABLE, "host")

    def test_row_level_security_is_told(self, base: Base) -> None:
        """The role sees fewer rows than there are, and check says so."""
        base.sql("CREATE TABLE t (id int PRIMARY KEY, mine boolean)")
        base.sql("INSERT INTO t VALUES (1, true), (2, false)")
        base.sql("ALTER TABLE t ENABLE ROW LEVEL SECURITY")
        base.sql("CREATE POLICY own ON t USING (mine)")
        role = f"reader_{base.name}"
        base.sql(f"CREATE ROLE {role} LOGIN")
        try:
            base.sql(f"GRANT SELECT ON t TO {role}")
            source = base.source(user=role, tables=["t"])
            assert set(listed(source)) == {"public.t[1]"}
            found = next(one for one in source.check() if one.name == "read public.t")
            assert "Row-level security" in found.message
            source.close()
        finally:
            base.sql(f"DROP OWNED BY {role}")
            base.sql(f"DROP ROLE {role}")

    def test_a_person_can_choose_from_schemas_tables_and_columns(self, base: Base) -> None:
        """The ids are what the settings take."""
        base.sql('CREATE SCHEMA "Sales"')
        base.sql('CREATE TABLE "Sales"."Docs" (id int PRIMARY KEY, body text)')
        base.sql('CREATE VIEW "Sales".v AS SELECT 1 AS one')
        source = base.source()
        assert [one.id for one in source.browse().resources] == ["Sales", "public"]
        relations = source.browse("Sales").resources
        assert [(one.id, one.kind) for one in relations] == [("Sales.Docs", "table"), ("Sales.v", "view")]
        assert [one.id for one in source.browse("Sales.Docs").resources] == ["id", "body"]
