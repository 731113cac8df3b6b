"""Local servers, what is counted at their wire, and the scripts that read from them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import catchment_adapter, naive, naive_postgresql, naive_s3, naive_store, remote_floor, table
from benchmarks.bench import Bench, Sizes
from benchmarks.catchment_adapter import open_search, run_without_prefect
from benchmarks.check import CheckFailed, check
from benchmarks.corpora import Corpus, change, copy, make_w1
from benchmarks.counting import counting_proxy
from benchmarks.remote_tools import postgresql_product, row_of, s3_product
from benchmarks.servers import (
    Database,
    database,
    postgres_is_missing,
    postgres_server,
    s3_is_missing,
    s3_server,
)

FILES = 60
ROWS = 300
needs_s3 = pytest.mark.skipif(s3_is_missing() is not None, reason=str(s3_is_missing()))
needs_postgres = pytest.mark.skipif(postgres_is_missing() is not None, reason=str(postgres_is_missing()))


@pytest.fixture(scope="module")
def w1(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make_w1(tmp_path_factory.mktemp("bench"), files=FILES)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path / "cache", rounds=1, sizes=Sizes())


@pytest.fixture(scope="module")
def server() -> Iterator[Database]:
    with postgres_server() as started:
        yield started


@pytest.fixture
def empty(server: Database) -> Iterator[Database]:
    with database(server) as lent:
        yield lent


def check_index(file: Path, tokens: dict[str, str], *, stale: list[str] | None = None) -> None:
    """Search every token in the index of a script."""
    with closing(naive.connect(file)) as db:
        check(tokens, lambda word: naive.find(db, word), stale=stale or [])


@needs_s3
class TestS3:
    def test_every_object_is_found_by_its_token(self, w1: Corpus, tmp_path: Path) -> None:
        """Keys are the paths of the folder, and bodies are whole."""
        with s3_server(w1.root) as bucket:
            counters = naive_s3.sync(bucket, tmp_path / "naive.db")
        assert counters == {"collected": FILES, "indexed": FILES, "skipped": 0, "removed": 0}
        check_index(tmp_path / "naive.db", w1.tokens)

    def test_a_second_sync_costs_one_list_and_no_get(self, w1: Corpus, tmp_path: Path) -> None:
        """The proxy counts what goes over the wire, and the script reads only what it must."""
        with s3_server(w1.root) as bucket, counting_proxy(bucket.endpoint) as (endpoint, counts):
            counted = replace(bucket, endpoint=endpoint)
            naive_s3.sync(counted, tmp_path / "naive.db")
            assert counts == {"LIST": 1, "GET": FILES}
            counts.clear()
            assert naive_s3.sync(counted, tmp_path / "naive.db")["skipped"] == FILES
            assert counts == {"LIST": 1}

    def test_the_vendor_s_library_is_served_and_counted_too(self, w1: Corpus) -> None:
        """Both libraries list the same bucket."""
        with s3_server(w1.root) as bucket, counting_proxy(bucket.endpoint) as (endpoint, counts):
            counted = replace(bucket, endpoint=endpoint)
            assert remote_floor.list_keys_with_boto3(counted) == remote_floor.list_keys(counted) == FILES
            assert counts == {"LIST": 2}
            assert remote_floor.get_all(counted) == FILES

    def test_changes_are_followed_and_old_tokens_are_gone(self, w1: Corpus, tmp_path: Path) -> None:
        """Modified, added and deleted objects end as the bucket says."""
        working = copy(w1, tmp_path / "files")
        with s3_server(working.root) as bucket:
            naive_s3.sync(bucket, tmp_path / "naive.db")
        step = change(working, seed=1)
        with s3_server(working.root) as bucket:
            counters = naive_s3.sync(bucket, tmp_path / "naive.db")
        assert counters == {"collected": FILES, "indexed": 2, "skipped": FILES - 2, "removed": 1}
        check_index(tmp_path / "naive.db", step.corpus.tokens, stale=step.stale)


@needs_postgres
class TestTable:
    def test_every_row_is_found_by_its_token(self, empty: Database, tmp_path: Path) -> None:
        """The table holds what the list of tokens says, and the script reads all of it."""
        tokens = table.fill(empty.url, ROWS)
        counters = naive_postgresql.sync(empty.url, tmp_path / "naive.db")
        assert counters == {"collected": ROWS, "indexed": ROWS, "skipped": 0, "removed": 0}
        check_index(tmp_path / "naive.db", tokens)

    def test_a_second_sync_follows_changes(self, empty: Database, tmp_path: Path) -> None:
        """Only what was changed is written again, and what was deleted goes."""
        import psycopg

        tokens = table.fill(empty.url, ROWS)
        naive_postgresql.sync(empty.url, tmp_path / "naive.db")
        with psycopg.connect(empty.url) as connection:
            connection.execute("UPDATE documents SET body = 'fresh', updated_at = now() WHERE id = 7")
            connection.execute("DELETE FROM documents WHERE id = 9")
        counters = naive_postgresql.sync(empty.url, tmp_path / "naive.db")
        assert counters == {"collected": ROWS - 1, "indexed": 1, "skipped": ROWS - 2, "removed": 1}
        stale = [tokens.pop("7"), tokens.pop("9")]
        check_index(tmp_path / "naive.db", tokens, stale=stale)

    def test_a_seed_names_the_rows(self, server: Database) -> None:
        """Two machines measure the same table, of about 550 bytes a row."""
        import psycopg

        seen = []
        for _ in range(2):
            with database(server) as lent:
                table.fill(lent.url, ROWS)
                with psycopg.connect(lent.url) as connection:
                    seen.append(connection.execute("SELECT * FROM documents ORDER BY id").fetchall())
        assert seen[0] == seen[1]
        sizes = [sum(len(str(value).encode()) for value in row) for row in seen[0]]
        assert sum(sizes) / ROWS == pytest.approx(550, rel=0.1)

    @pytest.mark.parametrize("part", [remote_floor.copy_out, remote_floor.scan, remote_floor.hashes])
    def test_every_part_of_the_floor_reads_the_whole_table(
        self, empty: Database, part: Callable[[str], int]
    ) -> None:
        """What is measured as the floor has done the work."""
        table.fill(empty.url, ROWS)
        assert part(empty.url) == ROWS


@needs_postgres
class TestStore:
    def test_every_document_is_found_by_its_token(self, empty: Database, w1: Corpus) -> None:
        """The quickest load loses nothing."""
        assert naive_store.sync(w1.root, empty.url) == {"collected": FILES, "indexed": FILES}
        with naive_store.open_search(empty.url) as search:
            check(w1.tokens, search)

    def test_a_dropped_chunk_is_noticed(self, empty: Database, w1: Corpus) -> None:
        """The check of the token looks into this index too."""
        import psycopg

        naive_store.sync(w1.root, empty.url)
        lost = sorted(w1.tokens)[7]
        with psycopg.connect(empty.url) as connection:
            connection.execute("DELETE FROM chunks WHERE path = %s", (lost,))
        with naive_store.open_search(empty.url) as search, pytest.raises(CheckFailed, match="1 missing"):
            check(w1.tokens, search)

    def test_a_copy_of_a_database_holds_the_same(self, server: Database, empty: Database, w1: Corpus) -> None:
        """Every measured run into a filled store finds it as the first one did."""
        naive_store.sync(w1.root, empty.url)
        for _ in range(2):
            with database(server, template=empty) as lent:
                with naive_store.open_search(lent.url) as search:
                    check(w1.tokens, search)
                with naive_store.open_search(empty.url) as search:
                    check(w1.tokens, search)


@pytest.mark.parametrize(
    ("key", "row"),
    [
        ("public.documents:[17]", "17"),
        ('public.documents:{"id":17}', "17"),
        ('public.documents2["17"]', "17"),
        ("no number", "no number"),
    ],
)
def test_a_row_is_known_by_the_number_that_its_key_ends_with(key: str, row: str) -> None:
    """However a key is spelled around it."""
    assert row_of(key) == row


@needs_postgres
class TestStoreOfTheProduct:
    def test_changes_are_followed_in_a_store_elsewhere(
        self, empty: Database, w1: Corpus, tmp_path: Path
    ) -> None:
        """The adapter takes the address of a store, and the token check looks into that one."""
        if reason := catchment_adapter.postgres_store_is_missing():
            pytest.skip(reason)
        working = copy(w1, tmp_path / "files")
        source = catchment_adapter.folder_source(working.root)
        home = tmp_path / "home"
        home.mkdir()
        run_without_prefect(source, home, store_url=empty.url)
        step = change(working, seed=1)
        assert run_without_prefect(source, home, store_url=empty.url)["indexed"] == 2
        with open_search(home, store_url=empty.url) as search:
            check(step.corpus.tokens, search, stale=step.stale)
        assert not list(home.glob("*.db"))

    def test_an_index_that_was_not_built_is_no_result(
        self, empty: Database, w1: Corpus, tmp_path: Path
    ) -> None:
        """A first load is done when its index is there, however well a scan finds the words."""
        import psycopg

        if reason := catchment_adapter.postgres_store_is_missing():
            pytest.skip(reason)
        run_without_prefect(catchment_adapter.folder_source(w1.root), tmp_path, store_url=empty.url)
        with psycopg.connect(empty.url) as connection:
            connection.execute("DROP INDEX ix_chunks_words")
        with (
            pytest.raises(CheckFailed, match="not built"),
            open_search(tmp_path, store_url=empty.url) as search,
        ):
            search("word")


class TestSourcesOfTheProduct:
    @needs_s3
    def test_a_bucket_is_synced_and_found(self, bench: Bench, w1: Corpus, tmp_path: Path) -> None:
        """The settings that the row gives are those of the source, and its keys are the paths."""
        with s3_server(w1.root) as bucket:
            tool = s3_product(bucket)
            if reason := tool.missing():
                pytest.skip(reason)
            assert bench.sync(tool, w1, tmp_path).output["indexed"] == FILES
            again = bench.sync(tool, w1, tmp_path)
        assert (again.output["skipped"], again.output["fetched"]) == (FILES, 0)

    @needs_postgres
    def test_a_table_is_synced_and_found(self, bench: Bench, empty: Database, tmp_path: Path) -> None:
        """Rows are found by the numbers in their keys, once each."""
        tool = postgresql_product(empty)
        if reason := tool.missing():
            pytest.skip(reason)
        corpus = Corpus(tmp_path, table.fill(empty.url, ROWS))
        assert bench.sync(tool, corpus, tmp_path).output["indexed"] == ROWS
        again = bench.sync(tool, corpus, tmp_path)
        assert (again.output["skipped"], again.output["fetched"]) == (ROWS, 0)
