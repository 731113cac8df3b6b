"""PDF: pages, headings by letter size, passwords, scans."""

from __future__ import annotations

import io

import pytest


def test_headings_are_told_by_the_size_of_their_letters(made, parsed):
    """Larger letters, outer levels; the body stays text even when it begins with a hash."""
    body = [(10, f"body line {number} of the report") for number in range(12)]
    page = [(24, "Annual report"), *body, (16, "Spring floods"), (10, "# not a heading"), *body]
    document = parsed("a.pdf", made.pdf([page], info="/Title (River) /Author (Ann)"))
    assert (document.title, document.author) == ("River", "Ann")
    assert "# Annual report\n" in document.text
    assert "## Spring floods\n" in document.text
    assert document.chunks[-1].heading_path == "Annual report > Spring floods"


def test_the_first_heading_is_the_title_where_the_file_names_none(made, parsed):
    """Most PDFs carry no title of their own."""
    body = [(10, f"body line {number}") for number in range(9)]
    assert parsed("a.pdf", made.pdf([[(24, "Spring"), *body]])).title == "Spring"


def test_pages_come_in_order_and_are_counted(made, parsed):
    """Twenty pages, twenty planted words."""
    document = parsed("a.pdf", made.pdf([[(10, f"pageword{number}")] for number in range(20)]))
    positions = [document.text.index(f"pageword{number}") for number in range(20)]
    assert positions == sorted(positions)
    assert document.metadata["pages"] == "20"


def test_a_pdf_without_text_is_noted_as_scanned(made, parsed):
    """It is indexed by its name, and says why nothing else is found."""
    document = parsed("a.pdf", made.pdf([[]]))
    assert (document.text, document.chunks, document.notes) == ("", [], ["no text: scanned"])


def test_a_pdf_without_pages_ends_with_an_answer(made, parsed):
    """Zero pages are no error."""
    document = parsed("a.pdf", made.pdf([]))
    assert (document.text, document.notes) == ("", ["no text: no pages"])


def test_a_password_is_told_apart_from_damage(made, refused):
    """A person can do something about one of them."""
    pypdf = pytest.importorskip("pypdf", reason="makes the encrypted file; part of the extra 'bench'")
    writer = pypdf.PdfWriter()
    writer.add_blank_page(100, 100)
    writer.encrypt("secret", algorithm="RC4-128")
    out = io.BytesIO()
    writer.write(out)
    assert refused("a.pdf", out.getvalue()).reason == "encrypted"
    assert refused("a.pdf", b"%PDF-1.4 garbage \x00\x01").reason == "broken"


def test_a_pdf_with_bytes_before_its_header_or_a_wrong_name_is_read(made, parsed):
    """Mail gateways put lines in front; people rename files."""
    body = made.pdf([[(10, "innerword")]])
    assert "innerword" in parsed("a.txt", body).text
    assert parsed("unnamed", body, "application/octet-stream").content_type == "application/pdf"
