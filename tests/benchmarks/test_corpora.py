"""Corpora: the same for everyone, with one token a file, and changes that add up."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from benchmarks.corpora import Corpus, change, copy, make_w1
from benchmarks.office import FORMATS, make_w2
from benchmarks.words import TOKEN, vocabulary

FILES = 400


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def w1(cache: Path) -> Corpus:
    return make_w1(cache, files=FILES)


@pytest.fixture
def working(w1: Corpus, tmp_path: Path) -> Corpus:
    return copy(w1, tmp_path / "working")


def contents(corpus: Corpus) -> dict[str, bytes]:
    files = (path for path in corpus.root.rglob("*") if path.is_file())
    return {path.relative_to(corpus.root).as_posix(): path.read_bytes() for path in files}


def tokens_on_disk(corpus: Corpus) -> dict[str, list[str]]:
    return {path: TOKEN.findall(body.decode()) for path, body in contents(corpus).items()}


class TestMakeW1:
    def test_a_seed_names_the_bytes(self, w1: Corpus, tmp_path: Path) -> None:
        """Two machines measure the same files."""
        assert contents(make_w1(tmp_path, files=FILES)) == contents(w1)

    def test_another_seed_makes_other_files(self, w1: Corpus, tmp_path: Path) -> None:
        """A tool cannot be tuned to one corpus unnoticed."""
        other = make_w1(tmp_path, files=FILES, seed=2)
        assert not set(other.tokens.values()) & set(w1.tokens.values())

    def test_every_file_holds_its_own_token_once(self, w1: Corpus) -> None:
        """What is found by a token is that document and no other."""
        assert tokens_on_disk(w1) == {path: [token] for path, token in w1.tokens.items()}
        assert len(set(w1.tokens.values())) == FILES

    def test_sizes_add_up_to_what_is_promised(self, w1: Corpus) -> None:
        """6,500 bytes a file within 5 %: 65 MB for 10,000."""
        assert w1.bytes == pytest.approx(FILES * 6_500, rel=0.05)

    def test_markdown_and_html_carry_headings_and_folders_are_nested(self, w1: Corpus) -> None:
        """Heading paths and nested folders are exercised."""
        texts = {path: (w1.root / path).read_text(encoding="utf-8") for path in w1.tokens}
        assert all(text.startswith("# ") for path, text in texts.items() if path.endswith(".md"))
        assert all("<h1>" in text for path, text in texts.items() if path.endswith(".html"))
        assert max(path.count("/") for path in w1.tokens) >= 2

    def test_a_making_that_was_interrupted_starts_again(self, tmp_path: Path, w1: Corpus) -> None:
        """Without its list of tokens a cached folder is not believed."""
        first = make_w1(tmp_path, files=FILES)
        (first.root.parent / "tokens.json").unlink()
        (first.root / "left-over.txt").write_text("half", encoding="utf-8")
        assert contents(make_w1(tmp_path, files=FILES)) == contents(w1)


class TestChange:
    def test_one_percent_is_modified_and_a_half_added_and_deleted(self, working: Corpus) -> None:
        """The counts are those of the row, and the paths are distinct."""
        step = change(working, seed=1)
        assert (len(step.modified), len(step.added), len(step.deleted)) == (4, 2, 2)
        assert len({*step.modified, *step.added, *step.deleted}) == 8
        assert len(step.stale) == 6

    def test_the_tokens_named_are_those_on_the_disk(self, working: Corpus) -> None:
        """Also after several rounds, each file holds exactly the token that the list names."""
        corpus, stale = working, set[str]()
        for seed in range(3):
            step = change(corpus, seed=seed)
            corpus = step.corpus
            stale.update(step.stale)
        assert tokens_on_disk(corpus) == {path: [token] for path, token in corpus.tokens.items()}
        assert not stale & set(corpus.tokens.values())

    def test_a_changed_copy_leaves_the_original_alone(self, w1: Corpus, working: Corpus) -> None:
        """The cached corpus serves the next row unchanged, though copies are hard links."""
        before = contents(w1)
        change(working, seed=1)
        assert contents(w1) == before

    def test_the_same_seed_makes_the_same_change(self, w1: Corpus, tmp_path: Path) -> None:
        """Both tools and every machine meet the same change."""
        results = [change(copy(w1, tmp_path / name), seed=5).corpus for name in ("a", "b")]
        assert contents(results[0]) == contents(results[1])


class TestVocabulary:
    def test_words_are_distinct_and_none_looks_like_a_token(self) -> None:
        """50,000 words, so that an index meets as many terms as in real text."""
        words = vocabulary()
        assert len(set(words)) == len(words) == 50_000
        assert not any(TOKEN.search(word) or re.search(r"[\s\d]", word) for word in words)


class TestMakeW2:
    def test_a_seed_names_the_bytes_of_every_format(self, tmp_path: Path) -> None:
        """No date of today is inside a container."""
        first, second = (make_w2(tmp_path / name, per_format=1) for name in ("a", "b"))
        assert contents(first) == contents(second)
        assert sorted(Path(path).suffix[1:] for path in first.tokens) == sorted(FORMATS)

    def test_containers_carry_no_date_of_their_making(self, tmp_path: Path) -> None:
        """What is made today equals what is made tomorrow: the one date inside is fixed."""
        corpus = make_w2(tmp_path, per_format=1)
        for path in corpus.tokens:
            if path.endswith(("docx", "xlsx", "pptx")):
                with zipfile.ZipFile(corpus.root / path) as container:
                    assert {entry.date_time[:3] for entry in container.infolist()} == {(2024, 1, 1)}
                    dates = re.findall(rb"\d{4}-\d\d-\d\dT", container.read("docProps/core.xml"))
                assert set(dates) == {b"2024-01-01T"}
