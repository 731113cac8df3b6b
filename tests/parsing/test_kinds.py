"""What a stated type and the ending of a name promise together."""

from __future__ import annotations

import pytest

from catchment.core.documents import ParsedDocument, ParseRequest
from catchment.core.settings import ParseSettings
from catchment.kit.media import media_type
from catchment.parsing import kinds
from catchment.parsing.document import parse_document


class TestPromisedKind:
    @pytest.mark.parametrize(
        ("name", "stated", "kind"),
        [
            ("page.html", "text/markdown; charset=utf-8", kinds.MARKDOWN),
            ("image.png", "text/markdown", kinds.MARKDOWN),
            ("example.com/notes.md", "text/html", kinds.HTML),
            ("plan.pdf", "TEXT/HTML", kinds.HTML),
            ("a.html", "text/csv", kinds.TEXT),
            ("a.txt", "application/pdf", kinds.PDF),
        ],
    )
    def test_the_stated_type_counts_before_the_ending(self, name: str, stated: str, kind: str) -> None:
        """A title is no file name."""
        assert kinds.promised_kind(name, stated) == kind

    @pytest.mark.parametrize(
        "stated", [None, "", "text/plain", "application/octet-stream", "text/x-new", "?"]
    )
    def test_the_ending_counts_where_the_type_says_nothing(self, stated: str | None) -> None:
        """What is stated of anything is no statement."""
        assert kinds.promised_kind("a.html", stated) == kinds.HTML

    @pytest.mark.parametrize(
        ("name", "stated", "kind"),
        [
            ("a.ipynb", "application/json", kinds.NOTEBOOK),
            ("a.jsonl", "application/json", kinds.LINES),
            ("a.docx", "application/zip", kinds.DOCX),
            ("a.ts", "video/mp2t", kinds.CODE),
        ],
    )
    def test_an_ending_that_says_more_is_believed(self, name: str, stated: str, kind: str) -> None:
        """Notebooks are JSON, documents are archives, and a script is no film."""
        assert kinds.promised_kind(name, stated) == kind

    @pytest.mark.parametrize("ending", sorted(kinds.BY_EXTENSION))
    def test_a_type_made_of_the_ending_changes_nothing(self, ending: str) -> None:
        """Folders and buckets state what the ending stands for."""
        name = f"a.{ending}"
        assert kinds.promised_kind(name, media_type(name)) == kinds.BY_EXTENSION[ending]

    @pytest.mark.parametrize(
        ("path", "type_"),
        [("a.d/b.MD", "text/markdown"), ("a.md/b", None), ("a/.md", None), (".md", None), ("b.", None)],
    )
    def test_only_a_name_has_an_ending(self, path: str, type_: str | None) -> None:
        """A folder has none, and a name that is all ending is a hidden one."""
        assert media_type(path) == type_

    def test_neither_says_anything(self) -> None:
        """Then the content decides."""
        assert kinds.promised_kind("notes", None) is None
        assert kinds.promised_kind("notes", "application/pdf") == kinds.PDF


@pytest.mark.parametrize("size", [1, 5000])
def test_a_page_whose_title_ends_like_a_file_is_what_its_source_says(size: int) -> None:
    """Read at once or in the process of its own, marks of another format stay words."""
    body = b"# Weir\n\n<b>the text</b>, as it is. " + b"More words. " * size
    for name in ("page.html", "image.png", "sheet.xlsx", "pack.zip", "mail.eml"):
        found = parse_document(ParseRequest(name, "text/markdown", body), ParseSettings())
        assert isinstance(found, ParsedDocument)
        assert (found.title, found.content_type) == ("Weir", "text/markdown")
        assert "<b>the text</b>" in found.text
