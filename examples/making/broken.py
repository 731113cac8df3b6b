"""Files that cannot be read, each in its own way: a sync has to name them and go on."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

from pypdf import PdfReader, PdfWriter
from pypdf.generic import ArrayObject, ByteStringObject

from making import pdf
from making.zips import zip_bytes

_GARBAGE = b'<?xml version="1.0"?><worksheet><sheetData><row><c t="n"><v>0.2</v></row>\xff\xfe<<<' + bytes(64)
BOMB_MIB = 200
"""What the zip bomb would unfold to; on disk it takes about a thousandth."""


def make(root: Path) -> None:
    """Write the broken files; run after the sound ones, for some are damaged copies of them."""
    folder = root / "broken"
    folder.mkdir(parents=True, exist_ok=True)
    report = pdf.flood_report()
    (folder / "locked report.pdf").write_bytes(_locked(report))
    (folder / "cut off report.pdf").write_bytes(report[: len(report) // 3])
    checklist = (root / "handbook/night shift checklist.docx").read_bytes()
    (folder / "half a checklist.docx").write_bytes(checklist[: len(checklist) // 2])
    results = bytearray((root / "measurements/lab-results.xlsx").read_bytes())
    for position in range(60, len(results) - 600, 7):
        results[position] ^= 0x5A
    (folder / "scrambled results.xlsx").write_bytes(bytes(results))
    (folder / "one garbled sheet.xlsx").write_bytes(
        _with_member(
            (root / "measurements/lab-results.xlsx").read_bytes(), "xl/worksheets/sheet1.xml", _GARBAGE
        )
    )
    _bomb(folder / "bomb.zip")


def _with_member(package: bytes, name: str, data: bytes) -> bytes:
    """The same zip with other contents of one member."""
    with zipfile.ZipFile(io.BytesIO(package)) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    return zip_bytes({**members, name: data})


def _locked(document: bytes) -> bytes:
    """The same report with a password that nobody has; RC4, because AES draws its salts by lot."""
    writer = PdfWriter()
    writer.append(PdfReader(io.BytesIO(document)))
    identity = ByteStringObject(b"ostrel-flood-202")
    writer._ID = ArrayObject([identity, identity])
    writer.encrypt("the key is under the mat", algorithm="RC4-128")
    writer._ID = ArrayObject([identity, identity])  # again: the library draws the second half by lot
    buffer = io.BytesIO()
    writer.write(buffer)
    return buffer.getvalue()


def _bomb(target: Path) -> None:
    info = zipfile.ZipInfo("a very long night.log", (2025, 3, 15, 3, 0, 0))
    info.compress_type = zipfile.ZIP_DEFLATED
    chunk = bytes(1024 * 1024)
    with zipfile.ZipFile(target, "w", compresslevel=9) as archive, archive.open(info, "w") as member:
        for _ in range(BOMB_MIB):
            member.write(chunk)
