"""Chunks cover a text exactly, know their headings, and stay where they are."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catchment.core.documents import Chunk
from catchment.parsing.chunks import _pieces as _pieces_for_splitter
from catchment.parsing.chunks import chunk_text
from catchment.parsing.headings import Heading, find_headings

_WORDS = [f"word{number}" for number in range(500)]


def _assert_covers(text: str, chunks: list[Chunk]) -> None:
    position = 0
    for chunk in chunks:
        assert chunk.start == position
        assert chunk.end > chunk.start
        position = chunk.end
    assert position == len(text)


_pieces = st.lists(
    st.one_of(
        st.text(max_size=300),
        st.sampled_from(
            [
                "\n\n",
                "\n",
                "# Head\n",
                "## Sub\n",
                "```\n",
                "~~~\n",
                "---\n",
                "===\n",
                "| a |\n",
                "- x\n",
                "    code\n",
            ]
        ),
        st.builds(lambda word, count: word * count, st.text(min_size=1, max_size=5), st.integers(1, 3000)),
    ),
    max_size=25,
)


@given(_pieces, st.booleans(), st.sampled_from([100, 1000]))
def test_chunks_cover_any_text_without_gap_or_overlap(pieces, is_markdown, characters):
    """For whatever text, with and without structure."""
    text = "".join(pieces)
    headings = find_headings(text) if is_markdown else []
    _assert_covers(text, chunk_text(text, headings, characters=characters, is_markdown=is_markdown))


@pytest.mark.parametrize(
    "unit", ["x", "word ", "汉字", "\U0001f600", " ", "\n", "\n\n", "a\n" * 3 + "b" * 5000]
)
def test_long_stretches_are_covered_and_cut(unit):
    """A million characters without structure."""
    text = unit * (300_000 // len(unit))
    chunks = chunk_text(text, [], characters=1000, is_markdown=False)
    _assert_covers(text, chunks)
    assert max(chunk.end - chunk.start for chunk in chunks) <= 100_000
    if unit.strip():
        assert max(chunk.end - chunk.start for chunk in chunks) <= 1100


@pytest.mark.parametrize("text", ["x" * 50_000, "short\n" + "y" * 50_000 + "\nshort", "a\n\n" * 100_000])
def test_the_splitter_never_sees_a_long_stretch(text):
    """It needs quadratic time for one, and cannot be interrupted."""
    pieces = [text[start:end] for start, end in _pieces_for_splitter(text, 0, len(text))]
    assert "".join(pieces) == text
    assert max(len(piece) for piece in pieces) <= 100_000
    assert max(len(line) for piece in pieces for line in piece.split("\n")) <= 4000


def test_an_empty_text_has_no_chunks():
    """And no chunk is ever empty."""
    assert chunk_text("", [], characters=1000) == []


def test_a_chunk_knows_the_headings_above_it():
    """Outermost first; a heading of the same level ends a section."""
    body = "words of the section " * 30
    text = f"# One\n{body}\n## Deep\n{body}\n### Deeper\n{body}\n## Next\n{body}\n# Two\n{body}"
    paths = [chunk.heading_path for chunk in chunk_text(text, find_headings(text), characters=1000)]
    assert paths == ["One", "One > Deep", "One > Deep > Deeper", "One > Next", "Two"]


def test_short_sections_share_a_chunk():
    """A list of tiny sections does not become a list of tiny chunks."""
    text = "".join(f"## Item {number}\n\nshort\n\n" for number in range(40))
    chunks = chunk_text(text, find_headings(text), characters=1000)
    _assert_covers(text, chunks)
    assert len(chunks) <= 5


@pytest.mark.parametrize("has_headings", [True, False])
@pytest.mark.parametrize("paragraphs", [60, 1500])
def test_an_inserted_paragraph_leaves_most_chunks_as_they_are(has_headings, paragraphs):
    """An edit must not make the whole document new."""
    chance = random.Random(3)
    parts = []
    for number in range(paragraphs):
        if has_headings and number % 9 == 0:
            parts.append(f"## Section {number}")
        parts.append(" ".join(chance.choices(_WORDS, k=chance.randint(10, 90))))
    before = _contents(parts)
    after = _contents([*parts[:20], "A new paragraph has come in here.", *parts[20:]])
    assert len(before & after) >= 0.75 * len(before)


def _contents(parts: list[str]) -> set[str]:
    text = "\n\n".join(parts)
    return {text[chunk.start : chunk.end] for chunk in chunk_text(text, find_headings(text), characters=1000)}


class TestHeadings:
    def test_headings_are_found_with_offset_level_and_title(self):
        """Both ways of writing them; closing marks and links are not part of the title."""
        text = "Title\n=====\n\n# A #\n\n   ## [B](http://x.test)\ntext\n\nC\n---\n\n#no\n#######  no\n#"
        assert find_headings(text) == [
            Heading(0, 1, "Title"),
            Heading(13, 1, "A"),
            Heading(text.index("   ## "), 2, "B"),
            Heading(text.index("C\n---"), 2, "C"),
        ]

    def test_fenced_code_holds_no_headings(self):
        """Until the fence is closed by one of its kind and length; an open one reaches to the end."""
        text = "````\n# no\n```\n# no\n````\n# yes\n~~~ python\n# no\n```\n~~~\n# yes too\n```\n# no"
        assert [heading.title for heading in find_headings(text)] == ["yes", "yes too"]

    def test_rules_and_tables_are_no_headings(self):
        """A line below a list, a table, a quote or a longer paragraph underlines nothing."""
        text = "a\nb\n---\n\n- x\n---\n\n| a |\n---\n\n> q\n---\n\n---\n"
        assert find_headings(text) == []

    @given(_pieces)
    def test_offsets_ascend_and_point_at_line_starts(self, pieces):
        """For whatever text."""
        text = "".join(pieces)
        headings = find_headings(text)
        assert [h.offset for h in headings] == sorted({h.offset for h in headings})
        assert all(h.offset == 0 or text[h.offset - 1] == "\n" for h in headings)
