# ruff: noqa: E501 - samples are easier to read unbroken
"""Office formats, new and old."""

from __future__ import annotations

import struct

import pytest


def _p(words: str, *, style: str = "") -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r><w:t>{words}</w:t></w:r></w:p>"


class TestWord:
    def test_headings_tables_and_paragraphs_keep_their_order(self, made, parsed):
        """Also a heading whose style only inherits its level."""
        cells = "".join(f"<w:tc>{_p(word)}</w:tc>" for word in ("site", "metres"))
        body = (
            _p("Floods", style="H1")
            + _p("first")
            + f"<w:tbl><w:tr>{cells}</w:tr></w:tbl>"
            + _p("2019", style="Own")
            + _p("last")
        )
        document = parsed("a.docx", made.docx(body))
        assert document.text == "# Floods\n\nfirst\n\n| site | metres |\n| --- | --- |\n\n## 2019\n\nlast"
        assert (document.title, document.author) == ("River report", "Ann")

    def test_insertions_are_in_and_deletions_are_out(self, made, parsed):
        """The text as it would be printed."""
        body = (
            "<w:p><w:r><w:t>kept </w:t></w:r><w:ins><w:r><w:t>inserted</w:t></w:r></w:ins>"
            "<w:del><w:r><w:delText>deleted</w:delText></w:r></w:del>"
            "<w:moveFrom><w:r><w:t>moved</w:t></w:r></w:moveFrom></w:p>"
        )
        assert parsed("a.docx", made.docx(body)).text == "kept inserted"

    def test_footnotes_and_comments_are_found(self, made, parsed):
        """With a mark where the note belongs."""
        body = '<w:p><w:r><w:t>claim</w:t><w:footnoteReference w:id="2"/></w:r></w:p>'
        notes = f'<w:footnote w:id="2">{_p("source of it")}</w:footnote>'
        comments = f'<w:comment w:id="0" w:author="Bo">{_p("check this")}</w:comment>'
        document = parsed("a.docx", made.docx(body, footnotes=notes, comments=comments))
        assert "claim[^2]" in document.text
        assert "[^2] source of it" in document.text
        assert "Bo: check this" in document.text

    def test_a_text_box_is_read_once(self, made, parsed):
        """Word writes it twice, for old and new programs."""
        mc = 'xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"'
        box = f"<w:txbxContent>{_p('boxword')}</w:txbxContent>"
        body = (
            f"<w:p><w:r><mc:AlternateContent {mc}><mc:Choice>{box}</mc:Choice>"
            f"<mc:Fallback>{box}</mc:Fallback></mc:AlternateContent></w:r></w:p>"
        )
        assert parsed("a.docx", made.docx(body)).text.count("boxword") == 1

    def test_a_docx_that_is_a_text_file_is_read_as_text(self, parsed):
        """Content wins over the name."""
        document = parsed("letter.docx", b"Dear all,\n\nplain words.")
        assert document.text == "Dear all,\n\nplain words."
        assert document.content_type == "text/plain"

    def test_a_docx_under_another_name_is_read_as_a_docx(self, made, parsed):
        """Content wins over the name, again."""
        assert parsed("upload.bin", made.docx(_p("inside"))).text == "inside"

    def test_a_password_is_told_apart_from_damage(self, made, refused):
        """Encrypted office files are compound files around the encrypted package."""
        assert (
            refused("a.docx", made.ole({"EncryptedPackage": b"x", "EncryptionInfo": b"y"})).reason
            == "encrypted"
        )
        assert refused("a.docx", b"PK\x03\x04 cut off \x00\x01\x02").reason == "broken"
        assert refused("a.docx", b"\x00\x01\x02\x03" * 100).reason == "broken"


class TestSlides:
    A = 'xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main"'
    P = 'xmlns:p="http://schemas.openxmlformats.org/presentationml/2006/main"'
    R = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

    def _shape(self, words: str, role: str = "") -> str:
        place = f'<p:ph type="{role}"/>' if role else ""
        words = f"<a:p><a:r><a:t>{words}</a:t></a:r></a:p>"
        return f"<p:sp><p:nvSpPr><p:nvPr>{place}</p:nvPr></p:nvSpPr><p:txBody>{words}</p:txBody></p:sp>"

    def _relations(self, *pairs: tuple[str, str]) -> str:
        items = "".join(
            f'<Relationship Id="r{n}" Type="{self.R}/{kind}" Target="{target}"/>'
            for n, (kind, target) in enumerate(pairs)
        )
        return f"<Relationships>{items}</Relationships>"

    def test_slides_come_in_order_with_titles_groups_and_notes(self, made, parsed):
        """The order of the presentation, not of the file names."""

        def slide(body: str) -> str:
            return f"<p:sld {self.P} {self.A}><p:cSld><p:spTree>{body}</p:spTree></p:cSld></p:sld>"

        parts = {
            "[Content_Types].xml": "<Types/>",
            "ppt/presentation.xml": f'<p:presentation {self.P} xmlns:r="{self.R}"><p:sldIdLst>'
            '<p:sldId id="1" r:id="r1"/><p:sldId id="2" r:id="r0"/></p:sldIdLst></p:presentation>',
            "ppt/_rels/presentation.xml.rels": self._relations(
                ("slide", "slides/slide1.xml"), ("slide", "slides/slide2.xml")
            ),
            "ppt/slides/slide1.xml": slide(self._shape("Second", "title")),
            "ppt/slides/slide2.xml": slide(
                self._shape("First", "title") + f"<p:grpSp>{self._shape('grouped')}</p:grpSp>"
            ),
            "ppt/slides/_rels/slide2.xml.rels": self._relations(("notesSlide", "../notesSlides/n.xml")),
            "ppt/notesSlides/n.xml": slide(self._shape("say this", "body") + self._shape("7", "sldNum")),
        }
        document = parsed("a.pptx", made.zip(parts))
        assert document.text == "# First\n\ngrouped\n\nNotes: say this\n\n# Second"
        assert document.metadata["slides"] == "2"


class TestOpenDocument:
    NAMES = " ".join(
        f'xmlns:{short}="urn:oasis:names:tc:opendocument:xmlns:{long}:1.0"'
        for short, long in [
            ("office", "office"),
            ("text", "text"),
            ("table", "table"),
            ("draw", "drawing"),
            ("p", "presentation"),
        ]
    )

    def _file(self, made, kind: str, body: str, **parts: str) -> bytes:
        content = f"<office:document-content {self.NAMES}><office:body>{body}</office:body></office:document-content>"
        return made.zip(
            {"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content, **parts}
        )

    def test_a_text_keeps_headings_lists_tables_and_notes(self, made, parsed):
        """And a bomb of blanks stays small."""
        body = (
            '<office:text><text:h text:outline-level="2">Head</text:h><text:p>one<text:s text:c="2000000000"/>two'
            "<text:note><text:note-citation>1</text:note-citation><text:note-body><text:p>noteword</text:p></text:note-body>"
            "</text:note></text:p><text:list><text:list-item><text:p>item</text:p></text:list-item></text:list>"
            "<table:table><table:table-row><table:table-cell><text:p>cell</text:p></table:table-cell></table:table-row>"
            "</table:table><text:tracked-changes><text:p>deletedword</text:p></text:tracked-changes></office:text>"
        )
        document = parsed("a.odt", self._file(made, "text", body))
        assert document.text.startswith("## Head\n\none")
        assert len(document.text) < 400
        for found in ("two[^1]", "[^1] noteword", "- item", "| cell |"):
            assert found in document.text
        assert "deletedword" not in document.text

    def test_a_presentation_has_a_heading_per_slide(self, made, parsed):
        """Titles are headings, boxes and notes are text."""
        body = (
            '<office:presentation><draw:page><draw:frame p:class="title"><draw:text-box><text:p>Aims</text:p></draw:text-box>'
            "</draw:frame><draw:frame><draw:text-box><text:p>boxword</text:p></draw:text-box></draw:frame>"
            "<p:notes><text:p>noteword</text:p></p:notes></draw:page></office:presentation>"
        )
        assert parsed("a.odp", self._file(made, "presentation", body)).text == "# Aims\n\nboxword\n\nnoteword"

    def test_a_password_is_told(self, made, refused):
        """The manifest says which parts are encrypted."""
        parts = {"META-INF/manifest.xml": "<manifest><encryption-data/></manifest>"}
        assert refused("a.odt", self._file(made, "text", "<office:text/>", **parts)).reason == "encrypted"


class TestSheets:
    def test_every_sheet_is_a_section(self, made, parsed):
        """Numbers as a person writes them, names as headings."""
        ns = 'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
        rel = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"

        def sheet(*rows: str) -> str:
            return f"<worksheet {ns}><sheetData>{''.join(rows)}</sheetData></worksheet>"

        def text(place: str, words: str) -> str:
            return f'<c r="{place}" t="inlineStr"><is><t>{words}</t></is></c>'

        rels = 'xmlns="http://schemas.openxmlformats.org/package/2006/relationships"'
        parts = {
            "[Content_Types].xml": "<Types/>",
            "_rels/.rels": f'<Relationships {rels}><Relationship Id="r0" Type="{rel}/officeDocument" '
            'Target="xl/workbook.xml"/></Relationships>',
            "xl/workbook.xml": f'<workbook {ns} xmlns:r="{rel}"><sheets><sheet name="Levels" sheetId="1" r:id="r1"/>'
            '<sheet name="Sites" sheetId="2" r:id="r2"/></sheets></workbook>',
            "xl/_rels/workbook.xml.rels": f"<Relationships {rels}>"
            + "".join(
                f'<Relationship Id="r{n}" Type="{rel}/worksheet" Target="worksheets/s{n}.xml"/>'
                for n in (1, 2)
            )
            + "</Relationships>",
            "xl/worksheets/s1.xml": sheet(
                f'<row r="1">{text("A1", "day")}{text("B1", "metres")}</row>',
                '<row r="2"><c r="A2"><v>7</v></c><c r="B2"><v>2.5</v></c></row>',
            ),
            "xl/worksheets/s2.xml": sheet(f'<row r="1">{text("A1", "Weir")}</row>'),
        }
        document = parsed("a.xlsx", made.zip(parts))
        assert (
            document.text
            == "# Levels\n\n| day | metres |\n| --- | --- |\n| 7 | 2.5 |\n\n# Sites\n\n| Weir |\n| --- |"
        )
        assert document.metadata["sheets"] == "2"

    def test_an_old_workbook_is_read(self, made, parsed):
        """Such a file is a stream of records in a compound file."""

        def record(number: int, data: bytes) -> bytes:
            return struct.pack("<HH", number, len(data)) + data

        begin = record(0x809, struct.pack("<HHHHII", 0x600, 5, 0, 0, 0, 0))
        end = record(0x0A, b"")
        name = b"Old"
        place = len(begin) + 4 + 8 + len(name) + len(end)
        index = record(0x85, struct.pack("<IBBBB", place, 0, 0, len(name), 0) + name)
        label = record(0x204, struct.pack("<HHHHB", 0, 0, 0, 7, 0) + b"oldword")
        page = record(0x809, struct.pack("<HHHHII", 0x600, 0x10, 0, 0, 0, 0)) + label + end
        document = parsed("a.xls", made.ole({"Workbook": begin + index + end + page}))
        assert document.text == "# Old\n\n| oldword |\n| --- |"
        assert document.content_type == "application/vnd.ms-excel"

    def test_garbage_is_broken(self, refused):
        """With a reason, never an exception."""
        assert refused("a.xlsx", b"\x00\x01garbage" * 50).reason == "broken"


class TestLegacy:
    def test_rich_text_is_read_with_its_properties(self, parsed):
        """Headings by outline level."""
        body = (
            rb"{\rtf1\ansi{\info{\title Rich title}{\author Ann}}\pard\outlinelevel0 Head\par"
            rb"\pard Plain {\b bold} caf\'e9 \u1055? words\par}"
        )
        document = parsed("a.rtf", body)
        assert (document.title, document.author) == ("Rich title", "Ann")
        assert "# Head" in document.text
        assert "café П words" in document.text

    @pytest.mark.parametrize("name", ["a.doc", "a.rtf", "noending"])
    def test_rich_text_under_any_name(self, parsed, name):
        """Many .doc files are rich text."""
        assert "Words inside" in parsed(name, rb"{\rtf1\ansi Words inside\par}").text

    def test_an_old_word_document_is_read(self, made, parsed):
        """The text lies where the piece table says."""
        words = b"Old words of a document\r"
        clx = b"\x02" + struct.pack("<I", 16) + struct.pack("<II", 0, len(words))
        clx += struct.pack("<HIH", 0, (2048 * 2) | 0x40000000, 0)
        fib = bytearray(2048)
        struct.pack_into("<HH", fib, 0, 0xA5EC, 0xC1)
        struct.pack_into("<H", fib, 0x0A, 0x0200)
        struct.pack_into("<H", fib, 0x20, 14)
        struct.pack_into("<H", fib, 0x3E, 22)
        struct.pack_into("<I", fib, 0x4C, len(words))
        struct.pack_into("<H", fib, 0x98, 93)
        struct.pack_into("<II", fib, 0x1A2, 0, len(clx))
        document = parsed("a.doc", made.ole({"WordDocument": bytes(fib) + words, "1Table": clx}))
        assert "Old words of a document" in document.text

    def test_garbage_in_a_compound_file_is_broken(self, made, refused):
        """With a reason, never an exception."""
        assert refused("a.doc", made.ole({"WordDocument": b"x"})).reason == "broken"
        assert refused("a.msg", made.ole({"WordDocument": b"x"})[:1000]).reason == "broken"

    def test_slides_without_any_text_say_so(self, made, parsed):
        """A document, with a note."""
        document = parsed("a.ppt", made.ole({"PowerPoint Document": b"\xff" * 99}))
        assert document.notes == ["no text: the file holds none"]
