"""The hand-written script: right, or it is no yardstick; and a token check that notices every fault."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from benchmarks import naive
from benchmarks.check import CheckFailed, Search, check
from benchmarks.corpora import Corpus, change, copy, make_w1
from benchmarks.office import make_w2


@pytest.fixture(scope="module")
def w1(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    return make_w1(tmp_path_factory.mktemp("bench"), files=60)


@pytest.fixture
def working(w1: Corpus, tmp_path: Path) -> Corpus:
    return copy(w1, tmp_path / "working")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    return tmp_path / "naive.db"


@contextmanager
def search(database: Path) -> Iterator[Search]:
    with closing(naive.connect(database)) as db:
        yield lambda word: naive.find(db, word)


class TestSync:
    def test_every_document_is_found_by_its_token(self, w1: Corpus, database: Path) -> None:
        """A first sync of text files loses nothing."""
        counters = naive.sync(w1.root, database)
        assert counters == {"collected": 60, "indexed": 60, "skipped": 0, "removed": 0}
        with search(database) as ask:
            check(w1.tokens, ask)

    def test_every_office_format_is_read(self, tmp_path: Path, database: Path) -> None:
        """The script finds the token in pdf, docx, xlsx, pptx, html and eml."""
        corpus = make_w2(tmp_path / "cache", per_format=2)
        naive.sync(corpus.root, database)
        with search(database) as ask:
            check(corpus.tokens, ask)

    def test_a_second_sync_reads_nothing(self, w1: Corpus, database: Path) -> None:
        """Same size and time: skipped."""
        naive.sync(w1.root, database)
        assert naive.sync(w1.root, database)["skipped"] == 60

    def test_changes_are_followed_and_old_tokens_are_gone(self, working: Corpus, database: Path) -> None:
        """Modified, added and deleted files end as the folder says."""
        naive.sync(working.root, database)
        step = change(working, seed=1)
        counters = naive.sync(working.root, database)
        assert counters == {"collected": 60, "indexed": 2, "skipped": 58, "removed": 1}
        with search(database) as ask:
            check(step.corpus.tokens, ask, stale=step.stale)


class TestCheck:
    def test_a_dropped_document_fails(self, working: Corpus, database: Path) -> None:
        """One document missing of sixty, and the run has no time."""
        naive.sync(working.root, database)
        lost = sorted(working.tokens)[7]
        with closing(naive.connect(database)) as db, db:
            db.execute("DELETE FROM chunks WHERE path = ?", (lost,))
        with search(database) as ask, pytest.raises(CheckFailed, match=f"1 missing .{lost}"):
            check(working.tokens, ask)

    def test_a_document_kept_twice_fails(self, w1: Corpus, database: Path) -> None:
        """The same chunk under the same path, once more."""
        naive.sync(w1.root, database)
        with closing(naive.connect(database)) as db, db:
            db.execute("INSERT INTO chunks (path, text) SELECT path, text FROM chunks LIMIT 1000")
        with search(database) as ask, pytest.raises(CheckFailed, match="60 double"):
            check(w1.tokens, ask)

    def test_an_old_version_that_is_still_found_fails(self, working: Corpus, database: Path) -> None:
        """The index of before the change does not pass for the index of after it."""
        naive.sync(working.root, database)
        step = change(working, seed=1)
        with search(database) as ask, pytest.raises(CheckFailed, match=r"2 missing .*; 2 stale"):
            check(step.corpus.tokens, ask, stale=step.stale)

    def test_a_document_under_a_wrong_path_fails(self) -> None:
        """A token found elsewhere is not found."""
        with pytest.raises(CheckFailed, match=r"1 missing .a.*1 under a wrong path .b"):
            check({"a": "tok1"}, lambda _: ["b"])
