"""Text, Markdown, HTML, XML, notebooks: what a person wrote is what is found."""

from __future__ import annotations

import json

import pytest

PARAGRAPH = "The river rose at dawn. "


@pytest.mark.parametrize(
    "name", ["a.txt", "a.csv", "a.tsv", "a.json", "a.yaml", "a.py", "Makefile", "a.log", "noending"]
)
def test_text_formats_are_indexed_as_they_are_written(parsed, name):
    """Nothing is loaded and written again."""
    source = '# key: "value"\nbase: &a [1, 2]\nitem: *a\n'
    document = parsed(name, source.encode())
    assert document.text == source
    assert [chunk.heading_path for chunk in document.chunks] == [""]


def test_markdown_keeps_headings_and_its_first_heading_is_the_title(parsed):
    """Sections become heading paths."""
    document = parsed("a.md", f"# Guide\n\n{PARAGRAPH * 30}\n\n## Setup\n\n{PARAGRAPH * 30}".encode())
    assert document.title == "Guide"
    assert document.chunks[-1].heading_path == "Guide > Setup"
    assert document.content_type == "text/markdown"


def test_front_matter_gives_title_and_author_and_no_headings(parsed):
    """The comment in the front matter is no heading."""
    document = parsed("a.md", b"---\n# comment\ntitle: 'High water'\nauthor: Ann\n---\n# Other\n\ntext")
    assert (document.title, document.author) == ("High water", "Ann")


def test_html_keeps_structure_and_drops_navigation_and_scripts(parsed):
    """What a reader of the page sees."""
    page = (
        "<html><head><title>Fish &amp; ladders</title><meta name='author' content='Ann'></head><body>"
        "<nav><a href='/menu'>menuword</a></nav><script>scriptword()</script><h1>Ladders</h1>"
        "<p>See <a href='https://x.test/targetword'>the plan</a>.</p>"
        "<table><tr><th>site</th><th>m</th></tr><tr><td>Weir</td><td>3</td></tr></table></body></html>"
    )
    document = parsed("a.html", page.encode())
    assert (document.title, document.author) == ("Fish & ladders", "Ann")
    assert "# Ladders" in document.text
    assert "See the plan." in document.text
    assert "| Weir | 3 |" in document.text
    for absent in ("menuword", "scriptword", "targetword", "---\ntitle"):
        assert absent not in document.text


def test_html_nested_beyond_every_limit_keeps_its_words(parsed):
    """A tree that no parser walks is read without its structure, and says so."""
    document = parsed("a.html", b"<div>" * 100_000 + b"deepword &amp; more" + b"</div>" * 100_000)
    assert document.text == "deepword & more"
    assert document.warnings


def test_html_of_50_mb_ends_with_an_answer(refused):
    """Too much text is a failure with a reason, not an endless job."""
    assert refused("a.html", b"<p>" + b"word " * 10_000_000).reason == "too_much_text"


def test_xml_gives_texts_in_order_and_its_title(parsed):
    """Tags are left out, words are not glued together."""
    document = parsed("a.xml", b"<feed><title>News</title><entry>one</entry><entry>two</entry></feed>")
    assert document.text == "News\none\ntwo"
    assert document.title == "News"


def test_xml_with_attributes_only_is_indexed_as_source(parsed):
    """A settings file can be found by its values."""
    assert "rate=" in parsed("a.xml", b'<settings><pump rate="30"/></settings>').text


def test_external_entities_are_never_read(parsed, tmp_path):
    """Neither a file nor an address named by a document is opened."""
    secret = tmp_path / "secret.txt"
    secret.write_text("secretword")
    doctype = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY x SYSTEM "{secret.as_uri()}">]>'
    document = parsed("a.xml", f"{doctype}<a>before &x; after</a>".encode())
    assert "secretword" not in document.text
    assert "before" in document.text
    assert "after" in document.text


def test_a_billion_laughs_stay_small(parsed):
    """Entities are not expanded."""
    entities = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
    body = f'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY l0 "lol">{entities}]><a>word &l11;</a>'
    document = parsed("a.xml", body.encode())
    assert len(document.text) < 2000


def test_damaged_xml_is_read_as_far_as_it_goes(parsed):
    """And warns."""
    document = parsed("a.xml", b"<a><b>kept</b><c>also kept</a>")
    assert "kept\nalso kept" in document.text
    assert document.warnings


def test_a_notebook_keeps_cells_in_order_and_outputs_as_text(parsed):
    """Pictures in outputs are left out."""
    cells = [
        {"cell_type": "markdown", "source": ["# Flow\n", "intro"]},
        {
            "cell_type": "code",
            "source": "# no heading\nprint(1)",
            "outputs": [
                {"output_type": "stream", "text": ["outword\n"]},
                {"output_type": "display_data", "data": {"image/png": "aaaa", "text/plain": "figword"}},
            ],
        },
    ]
    document = parsed("a.ipynb", json.dumps({"cells": cells, "metadata": {}, "nbformat": 4}).encode())
    assert document.title == "Flow"
    positions = [document.text.index(word) for word in ("intro", "print(1)", "outword", "figword")]
    assert positions == sorted(positions)
    assert "aaaa" not in document.text
    assert {chunk.heading_path for chunk in document.chunks} == {"Flow"}


def test_lines_of_json_are_sections_by_number(parsed):
    """A long line is found under its number."""
    lines = "\n".join(json.dumps({"id": number, "text": PARAGRAPH * 30}) for number in range(3))
    document = parsed("a.jsonl", lines.encode())
    assert document.text == lines
    assert {chunk.heading_path for chunk in document.chunks} == {"line 1", "line 2", "line 3"}


def test_a_10_mb_single_line_is_cut_into_chunks(parsed):
    """Text without any break is bounded in time and covered without gaps."""
    document = parsed("a.txt", b"x" * 10_000_000)
    assert document.chunks[-1].end == 10_000_000
    assert max(chunk.end - chunk.start for chunk in document.chunks) <= 1000


def test_an_empty_file_is_a_document_with_a_note(parsed):
    """Nothing is silent."""
    document = parsed("a.txt", b"")
    assert (document.text, document.chunks, document.notes) == ("", [], ["no text: empty file"])


def test_what_databases_cannot_take_is_removed(parsed):
    """NUL and lone surrogates break an insert; a pair of them is one character."""
    cells = [{"cell_type": "raw", "source": "a\0b \ud83d\ude00 \udc00 c\r\nd"}]
    document = parsed("a.ipynb", json.dumps({"cells": cells}).encode())
    assert document.text == "ab \U0001f600  c\nd"
