"""The demo corpus: complete, small, answerable, and made again byte by byte."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
CORPUS = EXAMPLES / "corpus"
MAX_BYTES = 1_500_000

FORMATS = [
    "txt",
    "md",
    "html",
    "xhtml",
    "pdf",
    "docx",
    "pptx",
    "xlsx",
    "xls",
    "ods",
    "csv",
    "tsv",
    "json",
    "jsonl",
    "xml",
    "yaml",
    "rtf",
    "odt",
    "odp",
    "epub",
    "eml",
    "msg",
    "ipynb",
    "py",
    "ts",
    "sql",
    "go",
    "sh",
    "c",
    "h",
    "zip",
    "gz",
    "png",
    "jpeg",
    "gif",
    "svg",
    "wav",
    "mp3",
    "toml",
    "ini",
    "properties",
    "log",
    "bak",
]
BROKEN = {
    "bomb.zip",
    "cut off report.pdf",
    "half a checklist.docx",
    "invalid.json",
    "locked report.pdf",
    "locked with a password.xlsx",
    "one garbled sheet.xlsx",
    "scrambled results.xlsx",
    "text-in-disguise.docx",
    "unclosed-tags.html",
    "unknown-charset.eml",
}
UNWANTED = {
    ".DS_Store",
    ".svn/entries",
    "code/__pycache__/gauge_reader.cpython-311.pyc",
    "handbook/03-sampling.md.bak",
    "handbook/~$night shift checklist.docx",
    "private/rota-private.txt",
}


def _paths() -> set[str]:
    return {path.relative_to(CORPUS).as_posix() for path in CORPUS.rglob("*") if path.is_file()}


def _queries() -> list[tuple[str, str]]:
    lines = (EXAMPLES / "queries.txt").read_text("utf-8").splitlines()
    pairs = [line.split("\t") for line in lines if line and not line.startswith("#")]
    return [(phrase, path) for phrase, path in pairs]


def _spoken(deck: str) -> tuple[str, str]:
    """What stands on the slides of a deck, and what stands in its speaker notes."""
    with zipfile.ZipFile(CORPUS / deck) as archive:
        parts = {"ppt/slides/": "", "ppt/notesSlides/": ""}
        for folder in parts:
            names = [name for name in archive.namelist() if name.startswith(folder) and name.endswith(".xml")]
            parts[folder] = " ".join(re.sub(r"<[^>]+>", " ", archive.read(name).decode()) for name in names)
    return parts["ppt/slides/"], parts["ppt/notesSlides/"]


class TestShipped:
    def test_there_are_at_least_seventy_documents_to_find(self) -> None:
        """What ignore rules drop and what is broken does not count."""
        findable = [path for path in _paths() - UNWANTED if not path.startswith("broken/")]
        assert len(findable) >= 70

    @pytest.mark.parametrize("ending", FORMATS)
    def test_every_format_has_a_sound_document(self, ending: str) -> None:
        """Each format is there at least once outside the folder of broken files."""
        assert [path for path in CORPUS.rglob(f"*.{ending}") if path.parent.name != "broken"]

    def test_the_whole_corpus_stays_small(self) -> None:
        """A clone of the repository pays at most 1.5 MB for it."""
        assert sum((CORPUS / path).stat().st_size for path in _paths()) < MAX_BYTES

    def test_names_cover_what_file_systems_allow(self) -> None:
        """Spaces, other scripts, nested folders, no ending, and a file without a byte."""
        paths = _paths()
        assert any(" " in path for path in paths)
        assert any("日本語/" in path for path in paths)
        assert any(path.count("/") >= 2 for path in paths)
        assert "README" in paths
        assert (CORPUS / "measurements/empty-until-october.csv").stat().st_size == 0

    def test_what_a_sync_must_not_collect_is_present(self) -> None:
        """Without these files the ignore rules would be proven by nothing."""
        assert _paths() >= UNWANTED
        patterns = (CORPUS / ".catchmentignore").read_text("utf-8").splitlines()
        assert [line for line in patterns if line and not line.startswith("#")] == ["*.bak", "private/"]

    def test_broken_files_are_broken_each_in_its_way(self) -> None:
        """The list is exact, and the bomb would unfold to 200 MiB."""
        assert {path.name for path in (CORPUS / "broken").iterdir()} == BROKEN
        with zipfile.ZipFile(CORPUS / "broken/bomb.zip") as bomb:
            assert sum(member.file_size for member in bomb.infolist()) == 200 * 1024 * 1024
        with pytest.raises(zipfile.BadZipFile):
            zipfile.ZipFile(CORPUS / "broken/scrambled results.xlsx")
        for name in BROKEN - {"bomb.zip", "scrambled results.xlsx", "one garbled sheet.xlsx"}:
            assert not zipfile.is_zipfile(CORPUS / "broken" / name)

    @pytest.mark.parametrize(
        ("path", "encoding", "words"),
        [
            ("languages/日本語/濁度計の校正手順.txt", "shift_jis", "標準液"),
            ("languages/письмо с верхней станции.txt", "koi8-r", "Уважаемые"),
            ("languages/水廠來信.txt", "big5", "取水口"),
            ("languages/lettre de la station voisine.txt", "cp1252", "passe à anguilles"),
            ("measurements/export from the old logger.csv", "utf-16", "Fähre"),
        ],
    )
    def test_legacy_texts_are_not_utf8(self, path: str, encoding: str, words: str) -> None:
        """Nobody converted them by accident."""
        body = (CORPUS / path).read_bytes()
        with pytest.raises(UnicodeDecodeError):
            body.decode("utf-8")
        assert words in body.decode(encoding)


class TestQueries:
    def test_three_phrases_name_files_that_exist(self) -> None:
        """The demo asks three questions, and each has an answer to compare with."""
        queries = _queries()
        assert len(queries) == 3
        assert all(phrase.strip() and path in _paths() for phrase, path in queries)

    def test_one_phrase_stands_only_in_speaker_notes(self) -> None:
        """A parser that drops notes must not pass the demo."""
        phrase, path = next(pair for pair in _queries() if pair[1].endswith(".pptx"))
        slides, notes = _spoken(path)
        assert all(word in notes for word in phrase.split())
        assert not any(word in slides for word in ("thermos", "flask", "chain"))

    def test_one_phrase_is_japanese_in_a_legacy_encoding(self) -> None:
        """It proves both the decoding and the search without spaces between words."""
        phrase, path = next(pair for pair in _queries() if not pair[0].isascii())
        assert phrase in (CORPUS / path).read_text("shift_jis")


class TestMakingAgain:
    def test_two_runs_make_the_same_bytes_and_only_shipped_files(self, tmp_path: Path) -> None:
        """No clock, no lot: what the script makes differs by its text alone."""
        pytest.importorskip("docx")
        made = []
        for run in ("first", "second"):
            target = tmp_path / run
            subprocess.run(
                [sys.executable, str(EXAMPLES / "make_corpus.py"), str(target)], check=True, timeout=120
            )
            made.append(
                {
                    path.relative_to(target).as_posix(): path.read_bytes()
                    for path in target.rglob("*")
                    if path.is_file()
                }
            )
        assert made[0] == made[1]
        assert made[0].keys() <= _paths()
        assert len(made[0]) > 30
