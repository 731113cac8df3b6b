"""Texts that are parsed without a process of their own: with the same result, and only harmless ones."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from catchment.core.documents import ParsedDocument, ParseRequest
from catchment.core.settings import ParseSettings
from catchment.parsing.document import parse_document
from catchment.parsing.quick import parse_quickly

SETTINGS = ParseSettings()
PDF, ZIP, RTF = b"%PDF-1.7\n", b"PK\x03\x04", b"{\\rtf1 words}"

lines = st.sampled_from(
    [
        "# Head",
        "## Sub",
        "words",
        "",
        "* item",
        "| a | b |",
        "|---|---|",
        "```",
        "<b>x</b>",
        "---",
        "title: T",
        "\f",
    ]
)
bodies = st.one_of(
    st.text(max_size=300).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.lists(lines, max_size=30).map(lambda some: "\n".join(some).encode()),
    st.binary(max_size=200),
    st.sampled_from(
        [PDF, ZIP, RTF, b"\xef\xbb\xbfwords", "wörds".encode("latin-1"), "words".encode("utf-16")]
    ),
)


class TestQuickly:
    @given(
        body=bodies,
        name=st.sampled_from(
            ["a.txt", "a.md", "A.MARKDOWN", "notes", "a.html", "a.pdf", "table/1", "a.py", "a.csv"]
        ),
        content_type=st.sampled_from(
            [
                None,
                "text/plain",
                "text/markdown; charset=utf-8",
                "text/plain; charset=latin-1",
                "application/pdf",
            ]
        ),
    )
    @example(b"# One\n\nwords\n", "a.md", None)
    @example("wörds".encode(), "table/1", "text/plain; charset=latin-1")
    def test_the_result_is_that_of_the_whole_parser(
        self, body: bytes, name: str, content_type: str | None
    ) -> None:
        """Whatever it takes in hand."""
        request = ParseRequest(name=name, body=body, content_type=content_type)
        quick = parse_quickly(request, SETTINGS)
        if quick is not None:
            assert quick == parse_document(request, SETTINGS)

    @pytest.mark.parametrize(
        ("name", "content_type"), [("a.txt", None), ("a.md", None), ("t/1", "text/plain")]
    )
    def test_small_plain_texts_are_taken(self, name: str, content_type: str | None) -> None:
        """The common rows, notes and messages."""
        request = ParseRequest(name=name, body=b"# Heron\n\nIt stands.", content_type=content_type)
        found = parse_quickly(request, SETTINGS)
        assert isinstance(found, ParsedDocument)
        assert "It stands." in found.text

    @pytest.mark.parametrize(
        ("name", "body"),
        [
            ("a.html", b"<p>words"),
            ("a.txt", b""),
            ("a.txt", PDF),
            ("a.txt", ZIP),
            ("a.txt", RTF),
            ("a.txt", "wörds".encode("latin-1")),
            ("a.txt", "words".encode("utf-16")),
            ("a.txt", b"x\0y"),
            ("a.txt", b"x" * (SETTINGS.chunk_characters + 1)),
            ("a.pdf", b"words"),
            ("unnamed", b"words"),
        ],
    )
    def test_all_others_are_left_to_the_process(self, name: str, body: bytes) -> None:
        """Formats, guesses and long texts."""
        assert parse_quickly(ParseRequest(name=name, body=body, content_type=None), SETTINGS) is None
