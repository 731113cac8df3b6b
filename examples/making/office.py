"""Word, Excel and PowerPoint, through the libraries of the `bench` extra."""

from __future__ import annotations

import io
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from docx import Document
from openpyxl import Workbook  # type: ignore[import-untyped]
from openpyxl.comments import Comment  # type: ignore[import-untyped]
from pptx import Presentation
from pptx.util import Inches

from making.zips import settle

_DATE = datetime(2025, 6, 2, 8, 0, 0)


def make(root: Path) -> None:
    """Write the Office files of the corpus."""
    _save(root / "handbook/night shift checklist.docx", _checklist())
    _save(root / "reports/Annual report 2024.docx", _annual_report())
    _save(root / "reports/Protokoll Übung Februar.docx", _exercise())
    _save(root / "measurements/lab-results.xlsx", _lab_results())
    _save(root / "reports/budget 2026.xlsx", _budget())
    _save(root / "slides/flood debrief.pptx", _debrief())
    _save(root / "slides/sensor plan.pptx", _sensor_plan())


def _save(target: Path, document: Any) -> None:
    """Save a document of any of the three libraries without a trace of the clock."""
    properties = document.properties if isinstance(document, Workbook) else document.core_properties
    properties.created = properties.modified = _DATE
    if not isinstance(document, Workbook):
        properties.author = "the station"
    buffer = io.BytesIO()
    document.save(buffer)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(settle(buffer.getvalue()))


def _document(title: str) -> Any:
    document = Document()
    document.core_properties.title = title
    document.add_heading(title, level=0)
    return document


def _fill(table: Any, rows: Sequence[tuple[str, ...]]) -> None:
    for row, values in zip(table.rows, rows, strict=True):
        for cell, value in zip(row.cells, values, strict=True):
            cell.text = value


def _word_table(document: Any, rows: Sequence[tuple[str, ...]]) -> None:
    _fill(document.add_table(rows=len(rows), cols=len(rows[0]), style="Table Grid"), rows)


def _checklist() -> Any:
    document = _document("Night shift checklist")
    document.sections[0].footer.paragraphs[0].text = "Hang it back on its nail, please."
    document.add_paragraph("Tick with a pen, not in your head. The order is the order of the walk.")
    document.add_heading("On arrival", level=1)
    for line in (
        "Read the last page of the night book aloud",
        "Count nine keys",
        "Test the horn at low pressure",
    ):
        document.add_paragraph(line, style="List Number")
    _word_table(
        document,
        [
            ("What", "Good", "Otherwise"),
            ("Residual at the outlet", "0.1 to 0.5 mg/l", "change the pump over, see chapter 5"),
            ("Level of the clear-water tank", "above 2.8 m", "call the duty hydrologist"),
            ("Safety shower (Mondays)", "runs within two seconds", "lock the dosing room"),
        ],
    )
    document.add_heading("At midnight", level=1)
    document.add_paragraph(
        "Walk: filters, dosing room, diesel, gate house. Put your hand on the bearing of filter pump 2; "
        "if you cannot leave it there, "
        "write down the hour."
    )
    document.add_heading("Before you go", level=1)
    document.add_paragraph("Wash your cup. Wake the one on the cot.")
    return document


def _annual_report() -> Any:
    document = _document("Annual report 2024 of the river station")
    document.add_heading("The year in one paragraph", level=1)
    document.add_paragraph(
        "A quiet year: one watch level in January, no warning, no danger. The works delivered 3.9 million "
        "cubic metres of drinking "
        "water. Leakage fell from 14 to 11 percent after the last iron main in Tanner's Row was replaced, "
        "twenty-six years after the "
        "leak survey had asked for it."
    )
    document.add_heading("Water delivered", level=1)
    _word_table(
        document,
        [
            ("Quarter", "Delivered (1000 m3)", "Lost (%)"),
            ("first", "951", "13.2"),
            ("second", "1004", "11.8"),
            ("third", "1062", "10.4"),
            ("fourth", "883", "9.1"),
        ],
    )
    document.add_heading("Turnover of the Upper Tarn", level=2)
    document.add_paragraph(
        "The lake mixed on 14 November, a week later than usual. Iron reached 0.31 mg/l at the surface; "
        "the aeration was run for nine days."
    )
    document.add_heading("Worries", level=1)
    document.add_paragraph(
        "The survey found cracks and seepage at the old quarry face. The county has been written to twice."
    )
    return document


def _exercise() -> Any:
    document = _document("Protokoll der Übung vom 13. Februar 2026")
    document.add_paragraph(
        "Angenommen wurde ein Hochwasser von 300 cm am Wehr und, was niemand vorher wusste, ein Ausfall "
        "der Funkanlage. Die Nachtschicht "
        "stellte nach neun Minuten auf Boten um; das Fahrrad hatte einen platten Reifen."
    )
    document.add_heading("Was gut lief", level=1)
    document.add_paragraph(
        "Die Entnahme Brightwell war nach vier Minuten geschlossen. Niemand wartete auf eine Erlaubnis."
    )
    document.add_heading("Was wir ändern", level=1)
    document.add_paragraph(
        "Luftpumpe ans Fahrrad. Zweites Handfunkgerät ins Schützenhaus am Wehr.", style="List Bullet"
    )
    return document


def _lab_results() -> Workbook:
    book = Workbook()
    book.properties.title = "Laboratory results 2025"
    sheet = book.active
    assert sheet is not None
    sheet.title = "Tap water"
    sheet.append(
        ["Date", "Place", "Turbidity (NTU)", "Nitrate (mg/l)", "Free chlorine (mg/l)", "E. coli /100 ml"]
    )
    for row in _TAP_WATER:
        sheet.append(list(row))
    sheet["F4"].comment = Comment(
        "Reason for the boil-water notice; repeated the same evening.", "laboratory"
    )
    raw = book.create_sheet("Raw water")
    raw.append(["Date", "Place", "pH by hand", "pH online (S-47)"])
    for day, hand, online in ((21, 7.6, 7.6), (28, 7.6, 7.7), (5, 7.7, 7.9), (12, 7.6, 7.9), (19, 7.6, 8.0)):
        raw.append([datetime(2025, 4 if day > 20 else 5, day), "Brightwell", hand, online])
    notes = book.create_sheet("Notes")
    notes["A1"] = "Pesticides are measured by the laboratory of the county; results arrive after six weeks."
    return book


_TAP_WATER = [
    (datetime(2025, 3, 10), "school", 0.2, 18.4, 0.31, 0),
    (datetime(2025, 3, 15), "market", 0.6, 21.0, 0.04, 0),
    (datetime(2025, 3, 15), "school", 0.5, 20.7, 0.02, 2),
    (datetime(2025, 3, 16), "school", 0.4, 20.1, 0.35, 0),
    (datetime(2025, 3, 17), "school", 0.3, 19.6, 0.33, 0),
]


def _budget() -> Workbook:
    book = Workbook()
    book.properties.title = "Budget 2026"
    sheet = book.active
    assert sheet is not None
    sheet.title = "Investments"
    sheet.append(["Item", "Reason", "Cost"])
    sheet.append(["Turbidity meter S-33 at Quarry Lock", "measure of the flood report", 14800])
    sheet.append(["Compressor for the horn", "INC-213", 2350])
    sheet.append(["Degassing chamber", "bubbles at S-46", 640])
    sheet.append(["Second float switch, basin 2", "Überlauf vom 4. Juni", 410])
    sheet["A6"], sheet["C6"] = "Sum", "=SUM(C2:C5)"
    return book


def _debrief() -> Any:
    deck = Presentation()
    deck.core_properties.title = "Debrief of the flood"
    _slide(
        deck,
        "Debrief of the flood, March 2025",
        ["For everybody who was awake, and for those who were let sleep"],
        "Begin with thanks. Name the roles, not the people; they blush.",
    )
    _slide(
        deck,
        "What went well",
        [
            "Intake closed 85 minutes before the peak",
            "Crisis room answered at the first ring",
            "No boat was lost",
        ],
        "Show the framed page of the night book. Wait until they have read it.",
    )
    _slide(
        deck,
        "What nobody wrote down",
        ["The gate stuck for seven minutes", "Two radios on one charger", "Nobody had eaten"],
        "Tell it as it was: the thermos flask of the lock keeper had rolled under the chain of the relief "
        "gate and "
        "jammed it. It still keeps tea warm. Since then the gate house has a shelf.",
    )
    _slide(
        deck,
        "Next February",
        ["An exercise in which something unrelated breaks"],
        "Do not say what will break. Only the station lead and the workshop know.",
    )
    return deck


def _sensor_plan() -> Any:
    deck = Presentation()
    deck.core_properties.title = "Sensor plan 2026"
    slide = _slide(
        deck, "Sensors to be replaced in 2026", [], "Prices are in the budget workbook, sheet Investments."
    )
    rows = [
        ("Sensor", "Place", "Age (years)", "Why"),
        ("S-32", "Quarry Lock", "11", "spiders like it"),
        ("S-21", "Alder Bend", "14", "drifts with temperature"),
        ("S-33", "Quarry Lock", "new", "sees the clay first"),
    ]
    table = slide.shapes.add_table(len(rows), 4, Inches(0.5), Inches(1.8), Inches(9), Inches(2)).table
    _fill(table, rows)
    _slide(
        deck,
        "Calibration calendar",
        ["pH every week", "turbidity every quarter", "level probes every spring, after the ice"],
        "The sister station calibrates turbidity every month and laughs at us.",
    )
    return deck


def _slide(deck: Any, title: str, points: list[str], notes: str) -> Any:
    slide = deck.slides.add_slide(deck.slide_layouts[1 if points else 5])
    slide.shapes.title.text = title
    if points:
        slide.placeholders[1].text = "\n".join(points)
    slide.notes_slide.notes_text_frame.text = notes
    return slide
