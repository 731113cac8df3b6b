# ruff: noqa: E501 - samples are easier to read unbroken
"""Archives, mail and books: one item is one document, whatever it contains."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
from email.message import EmailMessage

import pytest


def _tar(members: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        for name, body in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(body)
            archive.addfile(info, io.BytesIO(body))
    return out.getvalue()


class TestArchives:
    def test_members_are_sections_under_their_names(self, made, parsed):
        """A heading inside a member stands below the member's name; a comment in a script does not."""
        long = "words of the section " * 40
        files = {
            "docs/a.md": f"# Plan\n\n{long}\n\n## Tasks\n\n{long}",
            "run.sh": f"# comment\n{long}",
            "pic.png": b"\x89PNG\r\n\x1a\n",
        }
        document = parsed("a.zip", made.zip(files))
        assert "# docs/a.md\n\n# Plan" in document.text
        assert "# pic.png" in document.text
        assert {chunk.heading_path for chunk in document.chunks} == {
            "docs/a.md",
            "docs/a.md > Plan > Tasks",
            "run.sh",
            "pic.png",
        }

    def test_a_bad_member_is_a_warning(self, made, parsed):
        """It does not cost the others."""
        document = parsed("a.zip", made.zip({"bad.pdf": b"%PDF-1.4 nothing", "good.txt": "goodword"}))
        assert "goodword" in document.text
        assert [warning.partition(":")[0] for warning in document.warnings] == ["bad.pdf"]

    @pytest.mark.parametrize(
        ("name", "squeeze"),
        [
            ("a.tar", bytes),
            ("a.tar.gz", gzip.compress),
            ("a.tgz", gzip.compress),
            ("a.tar.bz2", bz2.compress),
            ("a.tar.xz", lzma.compress),
        ],
    )
    def test_tar_is_read_bare_and_compressed(self, parsed, name, squeeze):
        """In each of the usual packings."""
        document = parsed(name, squeeze(_tar({"one.txt": b"oneword", "two.html": b"<h1>twoword</h1>"})))
        assert "# one.txt\n\noneword" in document.text
        assert "twoword" in document.text

    def test_a_single_compressed_file_is_that_file(self, parsed):
        """notes.md.gz is Markdown."""
        document = parsed("notes.md.gz", gzip.compress(b"# Notes\n\ntext"))
        assert document.text == "# Notes\n\ntext"

    def test_archives_in_archives_are_read_to_a_limit(self, made, parsed):
        """Three levels inside; what lies deeper is a warning."""
        body = made.zip({"leaf.txt": "leafword"})
        for level in range(3):
            body = made.zip({f"level{level}.zip": body, f"note{level}.txt": f"noteword{level}"})
        assert "leafword" in parsed("a.zip", body).text
        for level in range(3, 6):
            body = made.zip({f"level{level}.zip": body, f"note{level}.txt": f"noteword{level}"})
        document = parsed("a.zip", body)
        assert "noteword5" in document.text
        assert "leafword" not in document.text
        assert any("too deep" in warning for warning in document.warnings)

    @pytest.mark.parametrize("wrap", [False, True], ids=["bare", "nested"])
    def test_a_zip_bomb_is_refused(self, made, refused, wrap):
        """Also when it hides inside another archive; memory stays small."""
        bomb = made.zip({"zeros.txt": bytes(64 * 1024 * 1024)})
        assert refused("a.zip", made.zip({"inner.zip": bomb}) if wrap else bomb).reason == "bomb"

    def test_a_compressed_bomb_is_refused(self, refused):
        """The ratio counts for gzip as well."""
        assert refused("a.txt.gz", gzip.compress(bytes(64 * 1024 * 1024))).reason == "bomb"

    def test_an_office_file_that_is_a_bomb_is_refused(self, made, refused):
        """Office files are archives too."""
        assert refused("a.docx", made.docx(" " * 64 * 1024 * 1024)).reason == "bomb"

    def test_many_members_are_read_to_a_limit(self, made, parsed):
        """The rest is named in a warning."""
        document = parsed("a.zip", made.zip({f"{number}.txt": "x" for number in range(2100)}))
        assert any("too many members" in warning for warning in document.warnings)

    def test_an_empty_archive_says_so(self, made, refused):
        """It has no text and never will."""
        assert refused("a.zip", made.zip({})).reason == "empty_archive"

    def test_an_archive_with_a_password_says_so(self, made, refused):
        """The flag of the directory tells."""
        body = bytearray(made.zip({"a.txt": "secret"}))
        body[6] |= 1
        body[body.index(b"PK\x01\x02") + 8] |= 1
        assert refused("a.zip", bytes(body)).reason == "encrypted"

    def test_a_damaged_archive_is_broken(self, made, refused):
        """With a reason, never an exception."""
        assert refused("a.zip", made.zip({"a.txt": "x" * 500})[:-30]).reason == "broken"
        assert refused("a.tar.gz", gzip.compress(_tar({"a.txt": b"x"}))[:-20]).reason == "broken"

    def test_names_that_lead_outside_stay_names(self, parsed):
        """Nothing is ever written to disk."""
        out = io.BytesIO()
        with zipfile.ZipFile(out, "w") as archive:
            archive.writestr("../../etc/evil.txt", "evilword")
        assert "# ../../etc/evil.txt\n\nevilword" in parsed("a.zip", out.getvalue()).text


class TestMail:
    def test_a_message_keeps_subject_people_body_and_attachments(self, parsed):
        """Attachments are sections; a message inside is read like one."""
        inner = EmailMessage()
        inner["Subject"] = "Innersubject"
        inner.set_content("innerbody")
        message = EmailMessage()
        message["Subject"], message["From"], message["To"] = "Über den Fluß", "Ann <ann@x.test>", "bo@x.test"
        message.set_content("plainbody")
        message.add_alternative("<p>htmlbody</p>", subtype="html")
        message.add_attachment(b"# Plan\n\nplanword", maintype="text", subtype="markdown", filename="plan.md")
        message.add_attachment(b"\x89PNG\r\n\x1a\n\0\0", maintype="image", subtype="png", filename="map.png")
        message.add_attachment(inner)
        document = parsed("a.eml", message.as_bytes())
        assert (document.title, document.author) == ("Über den Fluß", "Ann <ann@x.test>")
        for found in (
            "plainbody",
            "# plan.md",
            "planword",
            "# map.png",
            "Innersubject",
            "innerbody",
            "To: bo@x.test",
        ):
            assert found in document.text
        assert "htmlbody" not in document.text
        assert document.metadata["attachments"] == "3"

    def test_html_is_taken_where_no_plain_text_is(self, parsed):
        """Without scripts and styles."""
        body = b"Subject: s\nContent-Type: text/html\n\n<style>styleword</style><h1>Head</h1><p>htmlbody</p>"
        text = parsed("a.eml", body).text
        assert "htmlbody" in text
        assert "styleword" not in text

    @pytest.mark.parametrize("charset", ["windows-1251", "no-such-charset", "base64"])
    def test_any_charset_is_decoded_somehow(self, parsed, charset):
        """An unknown one is guessed."""
        words = "Привет, это письмо о реке и о дожде, который шел всю ночь" * 3
        head = f"Subject: s\nContent-Type: text/plain; charset={charset}\nContent-Transfer-Encoding: 8bit\n\n"
        assert "письмо о реке" in parsed("a.eml", head.encode() + words.encode("cp1251")).text

    def test_a_message_without_its_last_boundary_keeps_its_parts(self, parsed):
        """Mail is often cut off."""
        body = b'Subject: s\nContent-Type: multipart/mixed; boundary="b"\n\n--b\nContent-Type: text/plain\n\ncutword'
        assert "cutword" in parsed("a.eml", body).text

    def test_an_endless_header_is_bounded(self, parsed):
        """300,000 encoded words keep the standard library busy for minutes."""
        body = b"Subject: " + b"=?utf-8?q?a?= " * 300_000 + b"\n\nbodyword"
        assert "bodyword" in parsed("a.eml", body).text

    def test_an_outlook_message_is_read_with_attachments_and_messages_inside(self, made, parsed):
        """From the streams of the compound file."""

        def text(number: str, words: str) -> tuple[str, bytes]:
            return f"__substg1.0_{number}001F", words.encode("utf-16-le")

        def below(folder: str, *pairs: tuple[str, bytes]) -> dict[str, bytes]:
            return {f"{folder}/{name}": data for name, data in pairs}

        inside = "__attach_version1.0_#00000001/__substg1.0_3701000D"
        streams = {
            "__properties_version1.0": b"",
            **dict(
                [text("0037", "Flood"), text("1000", "bodyword"), text("0C1A", "Ann"), text("0E04", "Bo")]
            ),
            **below(
                "__attach_version1.0_#00000000",
                text("3707", "plan.txt"),
                ("__substg1.0_37010102", b"planword " * 500),
            ),
            **below("__attach_version1.0_#00000001", text("3001", "Re: Flood")),
            **below(inside, text("0037", "Inner"), text("1000", "innerword")),
        }
        document = parsed("a.msg", made.ole(streams))
        assert (document.title, document.author) == ("Flood", "Ann")
        for found in ("# Flood", "To: Bo", "bodyword", "# plan.txt", "planword", "innerword"):
            assert found in document.text


class TestBooks:
    def test_chapters_come_in_the_order_of_the_spine(self, made, parsed):
        """With title and author; a missing chapter is a warning."""
        container = "<container><rootfiles><rootfile full-path='O/book.opf'/></rootfiles></container>"
        dc = 'xmlns:dc="http://purl.org/dc/elements/1.1/"'
        items = "".join(f"<item id='{n}' href='c%20{n}.xhtml'/>" for n in "abc")
        spine = "".join(f"<itemref idref='{n}'/>" for n in "bac")
        about = "<dc:title>Rivers</dc:title><dc:creator>Ann</dc:creator>"
        parts = {
            "mimetype": "application/epub+zip",
            "META-INF/container.xml": container,
            "O/book.opf": f"<package {dc}><metadata>{about}</metadata><manifest>{items}</manifest><spine>{spine}</spine></package>",
            "O/c a.xhtml": "<html><body><h1>Second</h1></body></html>",
            "O/c b.xhtml": "<html><body><h1>First</h1></body></html>",
        }
        document = parsed("a.epub", made.zip(parts))
        assert document.text == "# First\n\n# Second"
        assert (document.title, document.author, len(document.warnings)) == ("Rivers", "Ann", 1)
