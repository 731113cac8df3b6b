"""Spreadsheets (xlsx, xlsb, xls, ods): every sheet a section, every row a line of a table."""

from __future__ import annotations

import datetime
import io
import zipfile
from collections.abc import Sequence

from python_calamine import CalamineError, CalamineWorkbook, PasswordError

from catchment.parsing import kinds
from catchment.parsing.formats.docx import properties
from catchment.parsing.formats.opendocument import refuse_encrypted
from catchment.parsing.package import Package
from catchment.parsing.reading import MIB, Reading, Sections, Source, Unreadable, table_row, too_much_text

_CELLS_AT_MOST = 20_000_000
_PART_BYTES = 512 * MIB


def read(source: Source) -> Reading:
    """All sheets with their names as headings; values as they were last calculated.

    Raises:
        Unreadable: Protected by a password (``encrypted``), damaged (``broken``), or far larger inside than
            outside (``bomb``).
    """
    title, author = _package_checks(source) if zipfile.is_zipfile(io.BytesIO(source.body)) else (None, None)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(source.body))
    except PasswordError as error:
        raise Unreadable("encrypted", "The workbook is protected by a password.") from error
    except CalamineError as error:
        reason = "encrypted" if "password" in str(error).lower() else "broken"
        raise Unreadable(reason, "The file is not a readable workbook.") from error
    pot = Sections(source.budget)
    warnings: list[str] = []
    for name in workbook.sheet_names:
        try:
            sheet = workbook.get_sheet_by_name(name)
            if sheet.total_height * sheet.total_width > _CELLS_AT_MOST:
                warnings.append(f"sheet {name} is too large")
                continue
            pot.heading(1, name)
            pot.paragraph(_table(sheet.to_python(skip_empty_area=True), source.budget.characters))
        except CalamineError:
            warnings.append(f"sheet {name} cannot be read")
    reading = pot.reading(title=title, author=author)
    reading.warnings = warnings
    reading.metadata = {"sheets": str(len(workbook.sheet_names))}
    reading.content_type = _content_type(source)
    return reading


def _package_checks(source: Source) -> tuple[str | None, str | None]:
    """Refuse what would burst inside the library, which unpacks without limits."""
    package = Package(source.body, source.budget)
    total = sum(info.file_size for info in package.archive.infolist())
    if total > _PART_BYTES or (total > 8 * MIB and total > 200 * len(source.body)):
        raise Unreadable("bomb", "The workbook unfolds into far more data than it is made of.")
    refuse_encrypted(package)
    return properties(package)


def _content_type(source: Source) -> str | None:
    if source.body.startswith(b"\xd0\xcf"):
        return kinds.content_type_of(kinds.SHEET, "xls")
    if b"opendocument.spreadsheet" in source.body[:200]:
        return kinds.content_type_of(kinds.SHEET, "ods")
    return None


def _table(rows: Sequence[Sequence[object]], limit: int) -> str:
    lines: list[str] = []
    size = 0
    for row in rows:
        cells = [_cell(value) for value in row]
        while cells and not cells[-1]:
            cells.pop()
        if not cells:
            continue
        lines.append(table_row(cells))
        if len(lines) == 1:
            lines.append("|" + " --- |" * len(cells))
        size += len(lines[-1])
        if size > limit:
            raise too_much_text(limit)
    return "\n".join(lines)


def _cell(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, datetime.datetime | datetime.date | datetime.time):
        return value.isoformat(" ") if isinstance(value, datetime.datetime) else value.isoformat()
    return "" if value is None else str(value)
