"""PDF: a writer for headings, paragraphs and tables in Helvetica, and the documents made with it."""

from __future__ import annotations

import io
import textwrap
import zlib
from dataclasses import dataclass, field
from pathlib import Path

from making import media

_WIDTH, _HEIGHT, _MARGIN = 595, 842, 64
_LINE_CHARACTERS = 88
"""Helvetica of 10 points fits about this many characters between the margins."""


@dataclass
class Paper:
    """One PDF under construction; text is limited to what cp1252 can write."""

    title: str
    pages: list[bytes] = field(default_factory=list)
    _lines: list[str] = field(default_factory=list)
    _y: float = _HEIGHT - _MARGIN

    def heading(self, text: str, size: int = 18) -> None:
        """A line in bold; 18 points for a chapter, 13 for a section."""
        self._room(size * 3)
        self._y -= size * 0.8
        self._put(text, font="F2", size=size)
        self._y -= size * 0.5

    def paragraph(self, text: str) -> None:
        """Running text, broken into lines and, where needed, over pages."""
        for line in textwrap.wrap(text, _LINE_CHARACTERS):
            self._room(14)
            self._put(line)
        self._y -= 7

    def table(self, rows: list[tuple[str, ...]], widths: tuple[int, ...]) -> None:
        """Rows of short cells; widths in points. The first row is the head."""
        for number, row in enumerate(rows):
            self._room(16)
            x = float(_MARGIN)
            y = self._y
            for cell, width in zip(row, widths, strict=True):
                self._y = y
                self._put(cell, font="F2" if number == 0 else "F1", x=x)
                x += width
            self._y -= 2
        self._y -= 8

    def new_page(self) -> None:
        """Close the page and begin the next."""
        self.pages.append("\n".join(self._lines).encode("cp1252"))
        self._lines, self._y = [], _HEIGHT - _MARGIN

    def save(self) -> bytes:
        """The finished file."""
        self.new_page()
        fonts = b"<< /Font << /F1 %d 0 R /F2 %d 0 R >> >>" % (3, 4)
        return assemble(self.title, self.pages, fonts, [_font("Helvetica"), _font("Helvetica-Bold")])

    def _room(self, points: float) -> None:
        if self._y - points < _MARGIN:
            self.new_page()

    def _put(self, text: str, *, font: str = "F1", size: int = 10, x: float = _MARGIN) -> None:
        escaped = text.replace("\\", r"\\").replace("(", r"\(").replace(")", r"\)")
        self._lines.append(f"BT /{font} {size} Tf {x:.0f} {self._y:.1f} Td ({escaped}) Tj ET")
        self._y -= size * 1.4


def _font(name: str) -> bytes:
    return f"<< /Type /Font /Subtype /Type1 /BaseFont /{name} /Encoding /WinAnsiEncoding >>".encode()


def _stream(data: bytes, entries: bytes = b"") -> bytes:
    return b"<< /Length %d %s>>\nstream\n" % (len(data), entries) + data + b"\nendstream"


def assemble(title: str, pages: list[bytes], resources: bytes, extra: list[bytes]) -> bytes:
    """Number the objects, write the cross-reference table. `extra` objects are numbered from 3."""
    first_page = 3 + len(extra)
    kids = b" ".join(b"%d 0 R" % (first_page + 2 * index) for index in range(len(pages)))
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>" % (kids, len(pages)),
        *extra,
    ]
    for index, content in enumerate(pages):
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 %d %d] /Resources %s /Contents %d 0 R >>"
            % (_WIDTH, _HEIGHT, resources, first_page + 2 * index + 1)
        )
        objects.append(_stream(zlib.compress(content), b"/Filter /FlateDecode "))
    objects.append(f"<< /Title ({title}) /CreationDate (D:20250602080000Z) >>".encode("cp1252"))
    return _file(objects)


def _file(objects: list[bytes]) -> bytes:
    out = io.BytesIO()
    out.write(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    offsets = []
    for number, body in enumerate(objects, start=1):
        offsets.append(out.tell())
        out.write(b"%d 0 obj\n%s\nendobj\n" % (number, body))
    table = out.tell()
    out.write(b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1))
    out.writelines(b"%010d 00000 n \n" % offset for offset in offsets)
    out.write(b"trailer\n<< /Size %d /Root 1 0 R /Info %d 0 R >>\n" % (len(objects) + 1, len(objects)))
    out.write(b"startxref\n%d\n%%%%EOF\n" % table)
    return out.getvalue()


def scanned(title: str, picture: bytes, width: int, height: int) -> bytes:
    """A page that is nothing but a JPEG photograph of paper, as a flat-bed scanner leaves it."""
    image = _stream(
        picture,
        b"/Type /XObject /Subtype /Image /Width %d /Height %d /ColorSpace /DeviceGray /BitsPerComponent 8 "
        b"/Filter /DCTDecode " % (width, height),
    )
    page = b"q %d 0 0 %d 0 0 cm /Im1 Do Q" % (_WIDTH, _HEIGHT)
    return assemble(title, [page], b"<< /XObject << /Im1 3 0 R >> >>", [image])


def make(root: Path) -> None:
    """Write the PDFs of the corpus."""
    (root / "reports/flood-2025-03.pdf").write_bytes(flood_report())
    (root / "handbook/Handbook of the night shift.pdf").write_bytes(_night_handbook())
    picture, width, height = media.scanned_letter()
    (root / "reports/old/deed of the weir 1911.pdf").write_bytes(
        scanned("Deed of the weir, 1911", picture, width, height)
    )


def flood_report() -> bytes:
    """The report that the rest of the corpus refers to; three pages."""
    paper = Paper("The flood of March 2025 on the Ostrel")
    paper.heading("The flood of March 2025 on the Ostrel")
    paper.paragraph(
        "Report of the river station at Millbridge to the council of the valley. Written by the duty "
        "hydrologist with "
        "the night operator, the laboratory and the lock keeper. Levels are those of gauge G4 unless "
        "another is named."
    )
    paper.heading("Summary", 13)
    paper.paragraph(
        "Between noon of 14 March and noon of 16 March the Ostrel carried its second largest flood since "
        "records began. "
        "The crest passed Millbridge Weir on 15 March at 04:40 with 342 centimetres. A landslip above "
        "Quarry Lock at "
        "02:15 put about a thousand cubic metres of clay into the river and raised the turbidity at "
        "Brightwell to "
        "870 NTU. The intake had been closed by hand eighty-five minutes earlier. No muddy water reached "
        "the filters."
    )
    paper.paragraph(
        "Independently of the river, dosing pump P-12 lost its prime at 06:10. For fifty-five minutes the "
        "water of "
        "Harrow Lane was not reliably disinfected, and the Lower Town was asked to boil its water for "
        "three days."
    )
    paper.heading("Rain and soil", 13)
    paper.paragraph(
        "Forty millimetres of rain on 12 and 13 March had filled the ground. The 57.8 millimetres that "
        "the bucket at "
        "Alder Bend counted for the fifteenth therefore ran off almost whole; the coefficient of run-off "
        "was 0.81, "
        "against 0.45 in an ordinary spring."
    )
    paper.new_page()
    paper.heading("Course of the night")
    paper.table(
        [
            ("Time", "Place", "What happened"),
            ("18:00", "G4", "Watch level of 210 cm passed, rising eleven centimetres an hour"),
            ("22:00", "G4", "Warning level passed; relief gate opened by ten centimetres"),
            ("02:15", "G3", "Landslip from the old quarry face, heard by the lock keeper"),
            ("03:00", "G4", "Danger level of 320 cm passed; crisis room informed"),
            ("03:50", "Brightwell", "Intake closed by hand at 118 NTU"),
            ("04:40", "G4", "Crest, 342 cm"),
            ("05:15", "Brightwell", "Turbidity 870 NTU"),
            ("06:10", "Harrow Lane", "Pump P-12 loses its prime"),
            ("07:05", "Harrow Lane", "Pump P-11 carries the dosing"),
        ],
        (60, 90, 300),
    )
    paper.heading("The landslip", 13)
    paper.paragraph(
        "The face of the abandoned quarry had been listed in the survey of 2024 with cracks and seepage. "
        "The slip is "
        "forty metres wide. The county geologist expects a second, smaller movement (see the field notes "
        "of 18 March); "
        "three pegs and a slack wire now tell us when it begins. The towpath stays closed."
    )
    paper.new_page()
    paper.heading("What we learned")
    paper.paragraph(
        "First: turbidity travels faster than the crest when its source lies halfway down the river. A "
        "rule that waits "
        "for 150 NTU is too slow for clay that arrives in one front. Second: two unrelated failures in "
        "one night are not "
        "bad luck but normal, because the same people are busy with the first. Third: the suction hose of a "
        "hypochlorite pump must not pass a warm duct."
    )
    paper.heading("Measures", 13)
    paper.paragraph(
        "A turbidity meter at Quarry Lock (ordered, S-33). A second float switch at basin 2. A louder "
        "horn for the "
        "relief gate (ticket INC-213). An exercise every February in which something unrelated breaks as "
        "well. The "
        "measures cost less than four days of water trucks did."
    )
    return paper.save()


def _night_handbook() -> bytes:
    paper = Paper("Handbook of the night shift")
    paper.heading("Handbook of the night shift")
    paper.paragraph(
        "This booklet hangs on a nail beside the control desk. It is short, because it is read at three "
        "in the morning."
    )
    for number, (title, text) in enumerate(_NIGHT_CHAPTERS, start=1):
        paper.heading(f"{number}. {title}", 13)
        paper.paragraph(text)
        if number == 3:
            paper.new_page()
    return paper.save()


_NIGHT_CHAPTERS = [
    (
        "Handing over",
        "Read the last page of the night book aloud to each other. What is not in the book has not "
        "happened. Count the "
        "keys: there are nine, and the ninth is the one for the gate house.",
    ),
    (
        "The round at midnight",
        "Filters, dosing room, diesel, gate house. Listen before you look. A healthy diaphragm pump "
        "ticks; a pump that "
        "is about to lose its prime sounds like somebody drinking through a straw.",
    ),
    (
        "When two gauges disagree",
        "Believe the probe, unless it is below zero. Call nobody for a spider. Call the duty hydrologist "
        "for anything that moves.",
    ),
    (
        "Power cuts",
        "The diesel starts by itself after eight seconds and carries everything but the kettle. If it "
        "does not start, "
        "close the intake, then go down with the torch: the red lever stands to the left of the door.",
    ),
    (
        "Staying awake",
        "Nobody is scolded for setting an alarm clock. The cot in the archive is for those who have been "
        "relieved, not for those who wait for it.",
    ),
]
