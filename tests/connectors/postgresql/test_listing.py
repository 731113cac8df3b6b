"""Rows as items: keys, pages, kinds of relations, types."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from msgspec.structs import replace

from catchment.core.errors import ConfigRejected
from catchment.kit import Complete, Content, Item, ItemUnreadable
from connectors.postgresql import listing
from tests.connectors.postgresql.conftest import Base, listed, texts


class TestKeys:
    def test_a_primary_key_names_the_row(self, base: Base) -> None:
        """The key is schema.table and the JSON of the key's values; the path is for people."""
        base.sql("CREATE TABLE docs (id bigint PRIMARY KEY, title text, body text)")
        base.sql("INSERT INTO docs VALUES (1, 'One', 'first body'), (2, 'Two', NULL)")
        source = base.source(tables=["docs"])
        items = listed(source)
        assert {key: item.path for key, item in items.items()} == {
            "public.docs[1]": "public.docs/1",
            "public.docs[2]": "public.docs/2",
        }
        assert texts(source, items)["public.docs[1]"] == "# One\n\nfirst body\n\nid: 1"

    @pytest.mark.parametrize(
        ("kind", "values"),
        [
            ("bigint", ["-5", "0", "9007199254740993"]),
            ("numeric", ["-1.5", "2", "10", "NaN", "1e400"]),
            ("text", ["", " ", "a", "B", "ä", "a/b,c", "%N", "50%", "x[1]", '"', "\\", "guide.html"]),
            ("varchar(5)", ["abc", "ab"]),
            ("char(5)", ["ab", "abc"]),
            ("uuid", ["00000000-0000-0000-0000-000000000001", "ffffffff-0000-0000-0000-000000000000"]),
            (
                "timestamptz",
                ["-infinity", "0044-03-15 12:00:00+00 BC", "2024-02-29 12:00:00.123456+02", "infinity"],
            ),
            ("date", ["2024-01-01", "infinity"]),
            ("bytea", ["\\x00", "\\xff00"]),
            ("boolean", ["true", "false"]),
            ("inet", ["10.0.0.1", "2001:db8::1"]),
            ("interval", ["1 day", "1 mon 2 days 03:00:00"]),
            ("double precision", ["0.1", "NaN", "Infinity", "1e-300"]),
            ("int4range", ["[1,5)", "empty"]),
            ("integer[]", ["{1,2}", "{}"]),
            ("mood", ["sad", "happy"]),
            ("positive", ["3", "4"]),
            ("name", ["abc"]),
        ],
    )
    def test_a_key_may_be_of_any_type_that_has_an_order(
        self, base: Base, monkeypatch: pytest.MonkeyPatch, kind: str, values: list[str]
    ) -> None:
        """Acceptance 16: paging, fetching and looking up work with every type, one row a page."""
        monkeypatch.setattr(listing, "FIRST_ROWS", 1)
        monkeypatch.setattr(listing, "MOST_ROWS", 1)
        base.sql("CREATE TYPE mood AS ENUM ('sad', 'happy')")
        base.sql("CREATE DOMAIN positive AS integer CHECK (VALUE > 0)")
        base.sql(f"CREATE TABLE t (k {kind} PRIMARY KEY, body text)")
        for number, value in enumerate(values):
            base.sql(f"INSERT INTO t VALUES (%s::{kind}, %s)", value, f"body {number}")
        source = base.source(tables=["t"])
        items = listed(source)
        assert len(items) == len(values)
        assert sorted(texts(source, items)) == sorted(items)
        found = list(source.find(source.scopes(), [*items, *(item.path for item in items.values())]))
        assert len(found) == 2 * len(values)
        assert {answer.name for answer in found if answer.item is None} == set()
        assert {answer.item.key for answer in found if answer.item} == set(items)

    def test_a_composite_key_is_paged_as_one(self, base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
        """Acceptance 16: a composite primary key, in the order of the key and not of the columns."""
        monkeypatch.setattr(listing, "FIRST_ROWS", 3)
        monkeypatch.setattr(listing, "MOST_ROWS", 3)
        base.sql("CREATE TABLE t (a int, b text, body text, PRIMARY KEY (b, a))")
        base.sql("INSERT INTO t SELECT a, b::text, 'x' FROM generate_series(1, 5) a, generate_series(1, 5) b")
        source = base.source(tables=["t"])
        items = listed(source)
        assert len(items) == 25
        assert items['public.t["2",1]'].path == "public.t/2,1"
        assert len(texts(source, items)) == 25

    def test_a_unique_index_with_nulls_is_no_key(self, base: Base) -> None:
        """A unique index admits any number of nulls; one over columns without nulls is preferred."""
        base.sql("CREATE TABLE t (a int UNIQUE, b int NOT NULL, UNIQUE (b))")
        base.sql("INSERT INTO t VALUES (NULL, 1), (NULL, 2), (3, 3)")
        assert set(listed(base.source(tables=["t"]))) == {"public.t[1]", "public.t[2]", "public.t[3]"}

    def test_chosen_key_columns_may_hold_nulls(self, base: Base) -> None:
        """A key that the settings name is read by a scan, and null is a value of it."""
        base.sql("CREATE TABLE t (a int, b text, body text)")
        base.sql("INSERT INTO t VALUES (NULL, 'x', 'one'), (1, NULL, 'two')")
        source = base.source(tables=["t"], key=["a", "b"])
        items = listed(source)
        assert {key: item.path for key, item in items.items()} == {
            'public.t[null,"x"]': "public.t/%N,x",
            "public.t[1,null]": "public.t/1,%N",
        }
        assert len(texts(source, items)) == 2
        assert all(found.item for found in source.find(source.scopes(), ["public.t/%N,x", "public.t/1,%N"]))

    def test_a_table_without_a_key_is_named_by_its_rows(self, base: Base) -> None:
        """Acceptance 16: no primary key: the hash of the row; equal rows are one item."""
        base.sql("CREATE TABLE t (a int, body text)")
        base.sql("INSERT INTO t VALUES (1, 'one'), (2, 'two'), (2, 'two')")
        source = base.source(tables=["t"])
        items = listed(source)
        assert len(items) == 2
        assert all(key.startswith("public.t#") for key in items)
        assert (
            sorted(texts(source, items).values()) == ["body: one\na: 1", "body: two\na: 2"] or len(items) == 2
        )
        assert all(found.item for found in source.find(source.scopes(), list(items)))

    def test_the_order_of_a_collation_is_the_order_of_its_pages(
        self, base: Base, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A key with a collation of its own is paged in the order of its index."""
        monkeypatch.setattr(listing, "FIRST_ROWS", 2)
        monkeypatch.setattr(listing, "MOST_ROWS", 2)
        base.sql('CREATE TABLE t (k text COLLATE "C" PRIMARY KEY)')
        base.sql("INSERT INTO t SELECT unnest(ARRAY['a','B','A','b','Z','z','_',' '])")
        source = base.source(tables=["t"])
        assert len(listed(source)) == 8

    def test_an_index_of_another_collation_gives_no_pages(self, base: Base) -> None:
        """Its order is not that of the comparison, so that pages would lose rows."""
        base.sql('CREATE TABLE t (k text COLLATE "POSIX" NOT NULL)')
        base.sql('CREATE UNIQUE INDEX ON t (k COLLATE "C")')
        base.sql("INSERT INTO t VALUES ('a'), ('b')")
        source = base.source(tables=["t"])
        assert all(key.startswith("public.t#") for key in listed(source))
        assert set(listed(base.source(tables=["t"], key=["k"]))) == {'public.t["a"]', 'public.t["b"]'}

    def test_names_of_any_kind_are_quoted(self, base: Base) -> None:
        """Capitals, dots, quotes and percent signs in names of tables and columns."""
        base.sql('CREATE SCHEMA "My Schema"')
        base.sql('CREATE TABLE "My Schema"."50% ""a.b""" ("Key %s" int PRIMARY KEY, "Bo{dy" text)')
        base.sql('INSERT INTO "My Schema"."50% ""a.b""" VALUES (1, \'hello\')')
        source = base.source(schema="My Schema", tables=['"50% ""a.b"""'])
        items = listed(source)
        assert len(items) == 1
        assert "hello" in next(iter(texts(source, items).values()))
        assert next(source.find(source.scopes(), [next(iter(items.values())).path])).item


class TestRelations:
    def test_views_queries_and_partitions_are_read(self, base: Base) -> None:
        """Acceptance 16: a view, a materialised view, a query, and a partitioned table as one."""
        base.sql(
            "CREATE TABLE p (id int, day date, body text, PRIMARY KEY (id, day)) PARTITION BY RANGE (day)"
        )
        base.sql("CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2024-01-01') TO ('2024-02-01')")
        base.sql("CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2024-02-01') TO ('2024-03-01')")
        base.sql("INSERT INTO p VALUES (1, '2024-01-05', 'jan'), (2, '2024-02-05', 'feb 100%')")
        base.sql("CREATE VIEW v AS SELECT id, body FROM p")
        base.sql("CREATE MATERIALIZED VIEW m AS SELECT id, body FROM p")
        source = base.source(
            tables=["p"],
            views=["v", "m"],
            queries={"q": "SELECT id, upper(body) AS body FROM p WHERE body LIKE 'feb%' -- a remark"},
            relations={"v": {"key": ["id"]}, "query:q": {"key": ["id"]}},
        )
        assert [scope.key for scope in source.scopes()] == ["public.p", "public.v", "public.m", "query:q"]
        assert set(listed(source, "public.p")) == {'public.p[1,"2024-01-05"]', 'public.p[2,"2024-02-05"]'}
        assert set(listed(source, "public.v")) == {"public.v[1]", "public.v[2]"}
        assert len(listed(source, "public.m")) == 2
        found = listed(source, "query:q")
        assert texts(source, found) == {"query:q[2]": "FEB 100%\n\nid: 2"}

    def test_a_foreign_table_is_read(self, base: Base, tmp_path_factory: pytest.TempPathFactory) -> None:
        """Acceptance 16: a foreign table, here a file of the server."""
        if not base.site.has_contrib:
            pytest.skip("the server has no file_fdw")
        base.sql("CREATE EXTENSION file_fdw")
        base.sql("CREATE SERVER files FOREIGN DATA WRAPPER file_fdw")
        base.sql(
            "CREATE FOREIGN TABLE f (id int, body text) SERVER files "
            "OPTIONS (program $$printf '1,one\\n2,two\\n'$$, format 'csv')"
        )
        source = base.source(tables=["f"], key=["id"])
        items = listed(source)
        assert texts(source, items) == {"public.f[1]": "one\n\nid: 1", "public.f[2]": "two\n\nid: 2"}

    def test_without_names_every_table_of_the_schema_is_read(self, base: Base) -> None:
        """All tables are one scope; partitions are part of their table, views are not read."""
        base.sql("CREATE TABLE a (id int PRIMARY KEY)")
        base.sql("CREATE TABLE b (id int PRIMARY KEY) PARTITION BY HASH (id)")
        base.sql("CREATE TABLE b0 PARTITION OF b FOR VALUES WITH (MODULUS 1, REMAINDER 0)")
        base.sql("CREATE VIEW v AS SELECT * FROM a")
        base.sql("INSERT INTO a VALUES (1)")
        base.sql("INSERT INTO b VALUES (1)")
        source = base.source()
        assert [scope.key for scope in source.scopes()] == ["schema:public"]
        assert set(listed(source)) == {"public.a[1]", "public.b[1]"}

    def test_a_relation_that_fails_does_not_hide_the_others(self, base: Base) -> None:
        """A table that cannot be read makes the scope incomplete, after the others were read."""
        base.sql("CREATE TABLE a (id int PRIMARY KEY)")
        base.sql("CREATE TABLE b (id int PRIMARY KEY)")
        base.sql("INSERT INTO b VALUES (1)")
        base.sql("CREATE ROLE reader LOGIN")
        try:
            base.sql("GRANT SELECT ON b TO reader")
            source = base.source(user="reader")
            events = []
            with pytest.raises(Exception, match=r"may not read public\.a") as caught:
                for event in source.listing(source.scopes()[0]):
                    events.append(event)
            assert [event.key for event in events if isinstance(event, Item)] == ["public.b[1]"]
            assert "GRANT SELECT ON public.a" in caught.value.remedy  # type: ignore[attr-defined]
            assert not any(isinstance(event, Complete) for event in events)
            source.close()
        finally:
            base.sql("DROP OWNED BY reader")
            base.sql("DROP ROLE reader")

    def test_a_relation_that_fails_half_way_does_not_hide_the_others(
        self, base: Base, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 16: one of all is dropped in the middle: others are read, the scope is incomplete."""
        monkeypatch.setattr(listing, "FIRST_ROWS", 1)
        monkeypatch.setattr(listing, "MOST_ROWS", 1)
        base.sql("CREATE TABLE a (id int PRIMARY KEY)")
        base.sql("CREATE TABLE b (id int PRIMARY KEY)")
        base.sql("INSERT INTO a SELECT generate_series(1, 9)")
        base.sql("INSERT INTO b VALUES (1)")
        source = base.source()
        events = source.listing(source.scopes()[0])
        next(events)
        base.sql("DROP TABLE a")
        rest = []
        with pytest.raises(ConfigRejected, match="does not exist"):
            for event in events:
                rest.append(event)
        keys = [event.key for event in rest if isinstance(event, Item)]
        assert keys[-1] == "public.b[1]"
        # The page behind the one that is worked on may have been read before the table went.
        assert len(keys) <= 3

    def test_rows_added_while_paging_do_no_harm(self, base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
        """Acceptance 16: inserts and deletes while paging: what is there all the while is seen once."""
        monkeypatch.setattr(listing, "FIRST_ROWS", 10)
        monkeypatch.setattr(listing, "MOST_ROWS", 10)
        base.sql("CREATE TABLE t (id int PRIMARY KEY)")
        base.sql("INSERT INTO t SELECT g * 10 FROM generate_series(1, 100) g")
        source = base.source(tables=["t"])
        seen: list[str] = []
        for event in source.listing(source.scopes()[0]):
            if isinstance(event, Item):
                seen.append(event.key)
                base.sql("INSERT INTO t VALUES (%s) ON CONFLICT DO NOTHING", 1001 - len(seen))
                base.sql("DELETE FROM t WHERE id = %s", len(seen) * 10 - 5)
        expected = {f"public.t[{number * 10}]" for number in range(1, 101)}
        assert expected <= set(seen)
        assert len(seen) == len(set(seen))

    def test_a_table_dropped_in_the_middle_ends_the_listing_with_an_error(
        self, base: Base, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 16: a dropped table is an error, never an empty listing."""
        monkeypatch.setattr(listing, "FIRST_ROWS", 1)
        monkeypatch.setattr(listing, "MOST_ROWS", 1)
        base.sql("CREATE TABLE t (id int PRIMARY KEY)")
        base.sql("INSERT INTO t SELECT generate_series(1, 9)")
        source = base.source(tables=["t"])
        events = source.listing(source.scopes()[0])
        next(events)
        base.sql("DROP TABLE t")
        with pytest.raises(ConfigRejected, match="does not exist"):
            list(events)


class TestTypes:
    def test_every_type_can_be_read(self, base: Base) -> None:
        """Acceptance 16: NaN, infinity, dates before Christ, bytea, json, arrays, ranges, enum, domain."""
        base.sql("CREATE TYPE mood AS ENUM ('sad', 'happy')")
        base.sql("CREATE DOMAIN code AS text CHECK (VALUE ~ '^[A-Z]+$')")
        base.sql("CREATE TYPE pair AS (a int, b text)")
        columns = {
            "c_numeric": ("numeric", "'NaN'", "NaN"),
            "c_float": ("float8", "'-Infinity'", "-Infinity"),
            "c_tstz": ("timestamptz", "'infinity'", "infinity"),
            "c_bc": ("date", "'0044-03-15 BC'", "0044-03-15 BC"),
            "c_far": ("timestamp", "'294276-12-31 23:59:59'", "294276-12-31 23:59:59"),
            "c_bytea": ("bytea", r"'\xdeadbeef'", "(4 bytes)"),
            "c_json": ("json", "'{\"a\": [1, null]}'", '{"a": [1, null]}'),
            "c_jsonb": ("jsonb", '\'{"b":"ü"}\'', '{"b": "ü"}'),
            "c_array": ("text[]", "ARRAY['x','y z']", '{x,"y z"}'),
            "c_matrix": ("int[][]", "'{{1,2},{3,4}}'", "{{1,2},{3,4}}"),
            "c_range": ("tstzrange", "'[2024-01-01,)'", '["2024-01-01 00:00:00+00",)'),
            "c_multi": ("int4multirange", "'{[1,3),[5,7)}'", "{[1,3),[5,7)}"),
            "c_mood": ("mood", "'happy'", "happy"),
            "c_code": ("code", "'ABC'", "ABC"),
            "c_pair": ("pair", "ROW(1,'x y')", '(1,"x y")'),
            "c_interval": ("interval", "'1 year 2 mons -3 days'", "1 year 2 mons -3 days"),
            "c_inet": ("inet", "'2001:db8::/32'", "2001:db8::/32"),
            "c_mac": ("macaddr", "'08:00:2b:01:02:03'", "08:00:2b:01:02:03"),
            "c_bits": ("bit varying", "B'101'", "101"),
            "c_money": ("money", "12.5", "12.50"),
            "c_point": ("point", "'(1,2)'", "(1,2)"),
            "c_polygon": ("polygon", "'((0,0),(1,1),(1,0))'", "((0,0),(1,1),(1,0))"),
            "c_xml": ("xml", "'<a>b</a>'", "<a>b</a>"),
            "c_uuid": (
                "uuid",
                "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'",
                "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11",
            ),
            "c_time": ("timetz", "'04:05:06+02'", "04:05:06+02"),
            "c_lsn": ("pg_lsn", "'16/B374D848'", "16/B374D848"),
            "c_query": ("tsquery", "'fat & rat'", "'fat' & 'rat'"),
            "c_path": ("jsonpath", "'$.a'", '$."a"'),
            "c_reg": ("regclass", "'pg_class'", "pg_class"),
            "c_flag": ("boolean", "true", "true"),
        }
        try:
            base.sql("SELECT '<a/>'::xml")
        except psycopg.errors.FeatureNotSupported:  # a server may be built without
            del columns["c_xml"]
        kinds = ", ".join(f"{name} {kind}" for name, (kind, _, _) in columns.items())
        values = ", ".join(value for _, value, _ in columns.values())
        base.connection.execute(f"CREATE TABLE t (id int PRIMARY KEY, title text, {kinds}, words tsvector)")  # type: ignore[arg-type]
        base.connection.execute(f"INSERT INTO t VALUES (1, 'all', {values}, to_tsvector('some words'))")  # type: ignore[arg-type]
        base.sql("INSERT INTO t (id) VALUES (2)")
        source = base.source(tables=["t"])
        items = listed(source)
        text = texts(source, items)["public.t[1]"]
        for name, (_, _, expected) in columns.items():
            assert f"{name}: " in text, name
            assert expected in text.partition(f"{name}: ")[2].partition("\n")[0], name
        assert "words" not in text
        assert "c_" not in texts(source, items)["public.t[2]"]

    def test_times_beyond_the_calendar_leave_the_date_empty(self, base: Base) -> None:
        """A date that no calendar shows is no date of the document."""
        base.sql("CREATE TABLE t (id int PRIMARY KEY, updated_at timestamptz)")
        base.sql(
            "INSERT INTO t VALUES (1, 'infinity'), (2, '0044-03-15 BC'), "
            "(3, '2024-01-01 00:00:00+00'), (4, NULL)"
        )
        dates = {key: item.modified_at for key, item in listed(base.source(tables=["t"])).items()}
        assert list(dates.values()) == [None, None, 1704067200.0, None]


class TestFetching:
    def test_a_row_that_is_gone_is_said_to_be(self, base: Base) -> None:
        """A row deleted after the listing is unreadable with the reason gone, the others are read."""
        base.sql("CREATE TABLE t (id int PRIMARY KEY, body text)")
        base.sql("INSERT INTO t VALUES (1, 'a'), (2, 'b')")
        source = base.source(tables=["t"])
        items = listed(source)
        base.sql("DELETE FROM t WHERE id = 1")
        answers = dict(source.fetch_many(list(items.values())))
        gone = answers["public.t[1]"]
        assert isinstance(gone, ItemUnreadable)
        assert gone.reason == "gone"
        assert not isinstance(answers["public.t[2]"], ItemUnreadable)

    def test_a_fetched_row_has_the_version_that_its_listing_has(self, base: Base) -> None:
        """The item that comes with the body is the one that the next listing names."""
        base.sql("CREATE TABLE t (id int PRIMARY KEY, title text, url text, updated_at timestamptz)")
        base.sql("INSERT INTO t VALUES (1, 'a', 'https://example.org/1', now())")
        source = base.source(tables=["t"])
        item = listed(source)["public.t[1]"]
        fresh = source.fetch(item).item
        assert fresh is not None
        assert (fresh.version, fresh.url, fresh.path, fresh.size) == (
            item.version,
            item.url,
            item.path,
            item.size,
        )
        assert fresh.title == "a"

    def test_a_document_column_is_the_body(self, base: Base, monkeypatch: pytest.MonkeyPatch) -> None:
        """A column of bytes is handed on as it is, a large one in stretches."""
        base.sql("CREATE TABLE t (id int PRIMARY KEY, name text, file bytea)")
        large = bytes(range(256)) * 12_000
        base.sql("INSERT INTO t VALUES (1, 'a.pdf', %s), (2, 'b.pdf', %s), (3, 'c', NULL)", b"%PDF-1", large)
        source = base.source(tables=["t"], content_column="file", content_type="application/pdf")
        items = listed(source)
        assert [item.size for item in items.values()] == [6, len(large), None]
        answers = dict(source.fetch_many(list(items.values())))
        bodies = []
        for key in ("public.t[1]", "public.t[2]"):
            content = answers[key]
            assert not isinstance(content, ItemUnreadable)
            assert content.content_type == "application/pdf"
            with content.stream() as stream:
                bodies.append(stream.read())
        assert bodies == [b"%PDF-1", large]
        assert isinstance(answers["public.t[3]"], ItemUnreadable)


class TestWithContent:
    """What a first or full run lists with bodies is what it would have fetched."""

    TABLE = """CREATE TABLE docs (
        id int PRIMARY KEY, title text, body text, author text, file bytea, changed timestamptz
    )"""
    ROWS = """INSERT INTO docs VALUES
        (1, 'One', 'first', 'ann', 'file one', '2024-01-01'),
        (2, NULL, NULL, NULL, NULL, NULL),
        (3, 'Three', repeat('three ', 1000), 'cas', repeat('f', 20000)::bytea, '2024-01-03'),
        (4, 'Four', repeat('four ', 5000), 'dan', '\\xff00', '2024-01-04'),
        (5, '', '', '', '', 'infinity')"""

    @pytest.mark.parametrize(
        ("settings", "along"),
        [
            ({}, {1, 2, 3, 5}),
            ({"text": "{title} by {author}", "title": "{title}", "author": "{author}"}, {1, 2, 3, 4, 5}),
            ({"content_column": "file", "url": "https://example.org/{id}"}, {1, 4, 5}),
            ({"content_column": "file", "updated_column": "changed"}, {1, 4, 5}),
            ({"updated_column": "changed"}, set()),
            ({"views": ["docs"], "tables": [], "key": ["id"]}, {1, 2, 3, 5}),
        ],
    )
    def test_small_rows_bring_what_would_be_fetched(
        self, base: Base, monkeypatch: pytest.MonkeyPatch, settings: dict[str, Any], along: set[int]
    ) -> None:
        """Larger ones, empty columns, and rows whose size is not known before, are left to be fetched."""
        monkeypatch.setattr(listing, "FIRST_ROWS", 2)
        base.sql(self.TABLE)
        base.sql(self.ROWS)
        source = base.source(**{"tables": ["docs"], **settings})
        plain = listed(source)
        events = list(source.listing_with_content(source.scopes()[0]))
        assert isinstance(events[-1], Complete)
        items = {event.key: event for event in events if isinstance(event, Item)}
        brought = {key: items[key].content for key in items if items[key].content is not None}
        assert {int(key[key.index("[") + 1 : -1]) for key in brought} == along
        fetched = dict(source.fetch_many(list(plain.values())))
        for key, content in brought.items():
            other = fetched[key]
            assert isinstance(content, Content)
            assert isinstance(other, Content)
            assert content.stream().read() == other.stream().read()
            assert content.content_type == other.content_type
            assert replace(items[key], content=None) == (other.item or plain[key])
        for key in set(items) - set(brought):
            assert items[key].version == plain[key].version
