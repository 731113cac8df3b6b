"""OpenDocument text, spreadsheet and presentation, and EPUB: zips of XML written by hand."""

from __future__ import annotations

from html import escape
from pathlib import Path

from making.zips import write_zip

_SPACES = (
    'xmlns:office="urn:oasis:names:tc:opendocument:xmlns:office:1.0" '
    'xmlns:text="urn:oasis:names:tc:opendocument:xmlns:text:1.0" '
    'xmlns:table="urn:oasis:names:tc:opendocument:xmlns:table:1.0" '
    'xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
    'xmlns:presentation="urn:oasis:names:tc:opendocument:xmlns:presentation:1.0" '
    'xmlns:meta="urn:oasis:names:tc:opendocument:xmlns:meta:1.0" '
    'xmlns:dc="http://purl.org/dc/elements/1.1/" office:version="1.3"'
)


def make(root: Path) -> None:
    """Write the OpenDocument files and the EPUB of the corpus."""
    _document(
        root / "reports/turbidity-review.odt", "text", "Review of turbidity alarms", _turbidity_review()
    )
    _document(root / "measurements/pump-hours.ods", "spreadsheet", "Pump hours 2025", _pump_hours())
    _document(root / "slides/induction.odp", "presentation", "Induction", _induction())
    _epub(root / "handbook/Stories from the river.epub")


def _document(target: Path, kind: str, title: str, body: str) -> None:
    mime = f"application/vnd.oasis.opendocument.{kind}"
    content = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-content {_SPACES}><office:body>'
        f"<office:{kind}>{body}</office:{kind}></office:body></office:document-content>"
    )
    meta = (
        f'<?xml version="1.0" encoding="UTF-8"?><office:document-meta {_SPACES}><office:meta>'
        f"<dc:title>{escape(title)}</dc:title><dc:date>2025-06-02T08:00:00</dc:date></office:meta></office:document-meta>"
    )
    manifest = (
        '<?xml version="1.0" encoding="UTF-8"?>'
        '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0" '
        'manifest:version="1.3">'
        f'<manifest:file-entry manifest:full-path="/" manifest:media-type="{mime}"/>'
        '<manifest:file-entry manifest:full-path="content.xml" manifest:media-type="text/xml"/>'
        '<manifest:file-entry manifest:full-path="meta.xml" manifest:media-type="text/xml"/>'
        "</manifest:manifest>"
    )
    parts = {"mimetype": mime, "content.xml": content, "meta.xml": meta, "META-INF/manifest.xml": manifest}
    write_zip(target, {name: text.encode() for name, text in parts.items()}, stored=("mimetype",))


def _heading(text: str, level: int) -> str:
    return f'<text:h text:outline-level="{level}">{escape(text)}</text:h>'


def _paragraph(text: str) -> str:
    return f"<text:p>{escape(text)}</text:p>"


def _table(name: str, rows: list[tuple[str | float, ...]]) -> str:
    width = len(rows[0])
    columns = f'<table:table-column table:number-columns-repeated="{width}"/>'
    body = "".join(f"<table:table-row>{''.join(map(_cell, row))}</table:table-row>" for row in rows)
    return f'<table:table table:name="{escape(name)}">{columns}{body}</table:table>'


def _cell(value: str | float) -> str:
    kind = (
        'office:value-type="string"'
        if isinstance(value, str)
        else f'office:value-type="float" office:value="{value}"'
    )
    return f"<table:table-cell {kind}>{_paragraph(str(value))}</table:table-cell>"


def _turbidity_review() -> str:
    return "".join(
        [
            _heading("Review of turbidity alarms, 2020 to 2025", 1),
            _paragraph(
                "The laboratory looked at every hour in which the meter at Brightwell (S-46) stood above "
                "50 NTU. Out of 61 alarms, "
                "44 followed rain at Alder Bend within nine hours, nine were bubbles, five were leaves on "
                "the window, and "
                "three came from the quarry."
            ),
            _heading("Bubbles", 2),
            _paragraph(
                "Bubbles come when the water warms by more than two degrees in an hour. The curve is "
                "ragged, whereas clay draws a "
                "smooth hill. A degassing chamber of half a litre has been ordered."
            ),
            _heading("Cost of a false alarm", 2),
            _table(
                "cost",
                [
                    ("Cause", "Alarms", "Hours closed", "Water not made (m3)"),
                    ("rain", 44, 213.5, 136640),
                    ("bubbles", 9, 6.0, 3840),
                    ("leaves", 5, 4.5, 2880),
                    ("quarry", 3, 52.0, 33280),
                ],
            ),
            _heading("Recommendation", 2),
            _paragraph(
                "Keep the alarm at 50. Add a second meter upstream of the lock, where the quarry can be "
                "seen coming."
            ),
        ]
    )


def _pump_hours() -> str:
    hours = _table(
        "Hours",
        [
            ("Month", "P-11", "P-12", "Diesel", "Remark"),
            ("January", 372.0, 372.0, 1.5, "monthly change-over kept"),
            ("February", 336.0, 336.0, 1.5, "diesel test under load"),
            ("March", 559.5, 184.5, 0.8, "P-12 out of service from the 15th to the 24th"),
            ("April", 360.0, 360.0, 1.5, "new suction hose proved tight"),
            ("May", 372.0, 372.0, 1.5, ""),
        ],
    )
    parts = _table(
        "Spare parts",
        [
            ("Part", "Shelf", "In stock"),
            ("Diaphragm, PTFE coated", "B4", 3),
            ("Suction hose 8 mm, EPDM, sunlight proof", "B5", 12),
            ("Ball valve, titanium", "B6", 2),
        ],
    )
    return hours + parts


def _induction() -> str:
    pages = [
        (
            "Welcome to Millbridge",
            ["84 kilometres of river", "five gauges, one intake", "no stupid questions"],
            "",
        ),
        (
            "Three numbers to know by heart",
            ["210 watch", "260 warning", "320 danger"],
            "Let them write the numbers on the back of their hand. It works.",
        ),
        (
            "Where you must never go alone",
            ["gate house in a flood", "the sludge lagoon", "the dosing room without the mask"],
            "The lagoon looks like a lawn in summer. Tell the story of the football.",
        ),
    ]
    return "".join(_slide(number, *page) for number, page in enumerate(pages, start=1))


def _slide(number: int, title: str, points: list[str], notes: str) -> str:
    items = "".join(f"<text:list-item>{_paragraph(point)}</text:list-item>" for point in points)
    spoken = (
        f'<presentation:notes><draw:frame presentation:class="notes"><draw:text-box>{_paragraph(notes)}'
        "</draw:text-box></draw:frame></presentation:notes>"
        if notes
        else ""
    )
    return (
        f'<draw:page draw:name="page{number}">'
        '<draw:frame presentation:class="title"><draw:text-box>'
        f"{_paragraph(title)}</draw:text-box></draw:frame>"
        '<draw:frame presentation:class="outline"><draw:text-box>'
        f"<text:list>{items}</text:list></draw:text-box></draw:frame>"
        f"{spoken}</draw:page>"
    )


_STORIES = [
    (
        "The bell of Quarry Lock",
        "Before there was radio, the lock keeper rang a bell for the mill below. One ring meant boat, two "
        "meant wood, three meant "
        "run. In the flood of 1911 it rang three, and the miller's family ran, and the mill did not. The "
        "bell hangs in the "
        "corridor now. On the first of March every year somebody rings it once, to hear whether it still "
        "can.",
    ),
    (
        "How the heron got its name",
        "The heron at the eel ramp is called the Customs Officer. It arrived in the first week of the "
        "ramp and has not missed an evening in "
        "May. The fish group has tried a lid, a scarecrow and a radio play. It listened to the end.",
    ),
    (
        "The football in the lagoon",
        "In dry summers grass grows on the sludge lagoon, and it looks like a pitch. A football lay in "
        "its middle for eleven years. Nobody "
        "knows who kicked it, and everybody knows why nobody fetched it.",
    ),
]


def _epub(target: Path) -> None:
    names = [f"story{number}.xhtml" for number in range(1, len(_STORIES) + 1)]
    items = "".join(
        f'<item id="s{n}" href="{name}" media-type="application/xhtml+xml"/>' for n, name in enumerate(names)
    )
    spine = "".join(f'<itemref idref="s{n}"/>' for n in range(len(names)))
    links = "".join(
        f'<li><a href="{name}">{escape(title)}</a></li>'
        for name, (title, _) in zip(names, _STORIES, strict=True)
    )
    parts = {
        "mimetype": "application/epub+zip",
        "META-INF/container.xml": '<?xml version="1.0"?><container version="1.0" '
        'xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles><rootfile '
        'full-path="EPUB/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>',
        "EPUB/book.opf": '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0" '
        'unique-identifier="id"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">'
        '<dc:identifier id="id">urn:ostrel:stories</dc:identifier><dc:title>Stories from the river</dc:title>'
        "<dc:language>en</dc:language>"
        '<meta property="dcterms:modified">2025-06-02T08:00:00Z</meta></metadata>'
        f'<manifest>{items}<item id="nav" href="nav.xhtml" properties="nav" '
        'media-type="application/xhtml+xml"/>'
        f"</manifest><spine>{spine}</spine></package>",
        "EPUB/nav.xhtml": _page(
            "Contents",
            f'<nav xmlns:epub="http://www.idpf.org/2007/ops" epub:type="toc"><ol>{links}</ol></nav>',
        ),
    }
    for name, (title, text) in zip(names, _STORIES, strict=True):
        parts[f"EPUB/{name}"] = _page(title, f"<h1>{escape(title)}</h1><p>{escape(text)}</p>")
    write_zip(target, {name: text.encode() for name, text in parts.items()}, stored=("mimetype",))


def _page(title: str, body: str) -> str:
    return (
        '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml">'
        f"<head><title>{escape(title)}</title></head><body>{body}</body></html>"
    )
