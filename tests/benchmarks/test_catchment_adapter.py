"""The adapter runs the product's own lanes and finds what they have written."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.catchment_adapter import folder_source, open_search, run_without_prefect
from benchmarks.check import check
from benchmarks.corpora import Corpus, change, copy, make_w1
from benchmarks.office import make_w2


@pytest.fixture
def home(tmp_path: Path) -> Path:
    folder = tmp_path / "home"
    folder.mkdir()
    return folder


@pytest.fixture
def corpus(tmp_path: Path) -> Corpus:
    return copy(make_w1(tmp_path / "cache", files=60), tmp_path / "files")


class TestRunWithoutPrefect:
    def test_changes_are_followed_over_several_processes(self, corpus: Corpus, home: Path) -> None:
        """The counters are those of a first sync, of one with nothing to do, and of one after a change."""
        assert run_without_prefect(folder_source(corpus.root), home)["indexed"] == 60
        assert run_without_prefect(folder_source(corpus.root), home)["skipped"] == 60
        step = change(corpus, seed=1)
        counters = run_without_prefect(folder_source(corpus.root), home)
        assert (counters["indexed"], counters["deleted"], counters["failed"]) == (2, 1, 0)
        with open_search(home) as search:
            check(step.corpus.tokens, search, stale=step.stale)

    def test_every_office_format_is_found(self, tmp_path: Path, home: Path) -> None:
        """pdf, docx, xlsx, pptx, html and eml, through the child that parses."""
        office = make_w2(tmp_path / "cache", per_format=1)
        run_without_prefect(folder_source(office.root), home)
        with open_search(home) as search:
            check(office.tokens, search)


class TestOpenSearch:
    def test_a_word_of_the_path_alone_finds_nothing(self, corpus: Corpus, home: Path) -> None:
        """Only texts are searched, so a token is no evidence of a title."""
        (corpus.root / "tok1234.txt").write_text("An empty promise.", encoding="utf-8")
        run_without_prefect(folder_source(corpus.root), home)
        with open_search(home) as search:
            assert search("promise") == ["tok1234.txt"]
            assert search("tok1234") == []
