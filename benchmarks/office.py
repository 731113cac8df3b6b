"""W2: office documents of six formats, each with several pages, sheets or slides and one unique token.

600 files in all: 100 each of pdf, docx, xlsx, pptx, html and eml. The same seed makes the same bytes:
dates inside the containers are fixed, and the containers are packed again with fixed times.
"""

from __future__ import annotations

import html
import io
import random
import re
import zipfile
import zlib
from datetime import UTC, datetime
from email.message import EmailMessage
from pathlib import Path

import docx
import openpyxl  # type: ignore[import-untyped]
import pptx

from benchmarks.corpora import Corpus, cached
from benchmarks.words import draw, sentences, title, token, with_token

FORMATS = ("pdf", "docx", "xlsx", "pptx", "html", "eml")
_RECIPE = 1
_LINE = 88
_LONG_AGO = (2024, 1, 1, 0, 0, 0)

Section = tuple[str, list[str]]
"""A heading and its paragraphs: a page, a slide, a chapter."""


def make_w2(cache: Path, *, per_format: int = 100, seed: int = 1) -> Corpus:
    """Return the W2 corpus with so many files of each format, making it on the first call."""
    return cached(cache / f"w2-{_RECIPE}-{per_format}-{seed}", lambda root: _write_w2(root, per_format, seed))


def _write_w2(root: Path, per_format: int, seed: int) -> dict[str, str]:
    rng = random.Random(f"office {seed}")
    tokens: dict[str, str] = {}
    for number in range(per_format):
        for ending in FORMATS:
            path = f"{ending}/{number // 25}/{draw(rng, 1)[0]}-{number:04}.{ending}"
            tokens[path] = token(f"w2 {seed}", path)
            file = root / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(_WRITERS[ending](_sections(tokens[path], rng), rng))
    return tokens


def _sections(unique: str, rng: random.Random) -> list[Section]:
    sections = [
        (title(rng), [sentences(rng, rng.randint(150, 700)) for _ in range(rng.randint(3, 5))])
        for _ in range(rng.randint(4, 8))
    ]
    paragraphs = rng.choice(sections)[1]
    place = rng.randrange(len(paragraphs))
    paragraphs[place] = with_token(paragraphs[place], unique, rng)
    return sections


def _as_docx(sections: list[Section], rng: random.Random) -> bytes:
    document = docx.Document()
    for heading, paragraphs in sections:
        document.add_heading(heading, level=rng.randint(1, 3))
        for paragraph in paragraphs:
            document.add_paragraph(paragraph)
        table = document.add_table(rows=3, cols=3)
        for row in table.rows:
            for cell in row.cells:
                cell.text = title(rng)
    buffer = io.BytesIO()
    document.save(buffer)
    return _packed_again(buffer)


def _as_pptx(sections: list[Section], _: random.Random) -> bytes:
    deck = pptx.Presentation()
    for heading, paragraphs in sections:
        for at in range(0, len(paragraphs), 2):
            slide = deck.slides.add_slide(deck.slide_layouts[1])
            slide.shapes.title.text = heading
            slide.placeholders[1].text = "\n".join(paragraphs[at : at + 2])
    buffer = io.BytesIO()
    deck.save(buffer)
    return _packed_again(buffer)


def _as_xlsx(sections: list[Section], rng: random.Random) -> bytes:
    book = openpyxl.Workbook(write_only=True)
    for number, (_, paragraphs) in enumerate([*sections[:4], _merged(sections[4:])]):
        sheet = book.create_sheet(f"Sheet {number + 1}")
        sheet.append(["Date", "Item", "Amount", "Price", "Remark"])
        remarks = iter(paragraphs)
        for row in range(60):
            remark = next(remarks, "") if row % 3 == 0 else ""
            date = datetime(2024, 1 + row % 12, 1 + row % 28)
            sheet.append([date, title(rng), rng.randint(1, 999), round(rng.random() * 100, 2), remark])
    buffer = io.BytesIO()
    book.save(buffer)
    return _packed_again(buffer)


def _merged(sections: list[Section]) -> Section:
    return "", [paragraph for _, paragraphs in sections for paragraph in paragraphs]


def _as_html(sections: list[Section], rng: random.Random) -> bytes:
    rows = "".join(f"<tr><td>{title(rng)}</td><td>{rng.randint(1, 999)}</td></tr>" for _ in range(40))
    body = "".join(
        f"<h2>{html.escape(heading)}</h2>" + "".join(f"<p>{html.escape(text)}</p>" for text in paragraphs)
        for heading, paragraphs in sections
    )
    menu = "".join(f"<li><a href='/{number}'>{title(rng)}</a></li>" for number in range(20))
    page = (
        f"<!DOCTYPE html><html><head><meta charset='utf-8'><title>{html.escape(sections[0][0])}</title>"
        f"<script>var a = 1;</script></head><body><nav><ul>{menu}</ul></nav>{body}"
        f"<table>{rows}</table></body></html>"
    )
    return page.encode()


def _as_eml(sections: list[Section], rng: random.Random) -> bytes:
    message = EmailMessage()
    message["From"] = f"{draw(rng, 1)[0]}@example.org".encode("ascii", "ignore").decode()
    message["To"] = "team@example.org"
    message["Subject"] = sections[0][0]
    message["Date"] = datetime(2024, 1, rng.randint(1, 28), tzinfo=UTC)
    message["Message-ID"] = f"<{rng.getrandbits(64):x}@example.org>"
    text = "\n\n".join("\n\n".join([heading, *paragraphs]) for heading, paragraphs in sections)
    message.set_content(text, cte="quoted-printable")
    message.add_alternative("<p>The same in colour.</p>", subtype="html")
    message.add_attachment(rng.randbytes(2_000), maintype="image", subtype="png", filename="logo.png")
    message.set_boundary(f"part-{rng.getrandbits(64):x}")
    for number, part in enumerate(message.iter_parts()):
        if part.is_multipart():
            part.set_boundary(f"inner-{number}-{rng.getrandbits(64):x}")
    return message.as_bytes()


def _as_pdf(sections: list[Section], _: random.Random) -> bytes:
    """Write a PDF 1.4 by hand: one page a section, Helvetica, compressed content."""
    pages = [_pdf_page(heading, paragraphs) for heading, paragraphs in sections]
    first = 4
    kids = " ".join(f"{first + 2 * number} 0 R" for number in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        f"<< /Type /Pages /Kids [{kids}] /Count {len(pages)} >>".encode(),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>",
    ]
    for number, content in enumerate(pages):
        body = zlib.compress(content)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] "
            b"/Resources << /Font << /F1 3 0 R >> >> /Contents %d 0 R >>" % (first + 2 * number + 1)
        )
        objects.append(b"<< /Length %d /Filter /FlateDecode >>\nstream\n%s\nendstream" % (len(body), body))
    return _pdf_file(objects)


def _pdf_page(heading: str, paragraphs: list[str]) -> bytes:
    lines = [b"BT /F1 18 Tf 50 790 Td (%s) Tj" % _pdf_string(heading), b"/F1 10 Tf 12 TL T* T*"]
    for paragraph in paragraphs:
        lines += [b"(%s) Tj T*" % _pdf_string(line) for line in _wrapped(paragraph)]
        lines.append(b"T*")
    return b"\n".join([*lines, b"ET"])


def _wrapped(paragraph: str) -> list[str]:
    lines, line = [], ""
    for word in paragraph.split(" "):
        if line and len(line) + len(word) >= _LINE:
            lines.append(line)
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, line]


def _pdf_string(text: str) -> bytes:
    return re.sub(rb"([\\()])", rb"\\\1", text.encode("cp1252", "replace"))


def _pdf_file(objects: list[bytes]) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    for place in places:
        out.write(b"%010d 00000 n \n" % place)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n" % (len(objects) + 1, table))
    return out.getvalue()


def _packed_again(buffer: io.BytesIO) -> bytes:
    """Write the container with fixed times, so that a seed names its bytes and not the hour."""
    out = io.BytesIO()
    with zipfile.ZipFile(buffer) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            body = old.read(name)
            if name == "docProps/core.xml":
                body = re.sub(rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", b"2024-01-01T00:00:00", body)
            new.writestr(zipfile.ZipInfo(name, _LONG_AGO), body, zipfile.ZIP_DEFLATED)
    return out.getvalue()


_WRITERS = {
    "pdf": _as_pdf,
    "docx": _as_docx,
    "xlsx": _as_xlsx,
    "pptx": _as_pptx,
    "html": _as_html,
    "eml": _as_eml,
}
