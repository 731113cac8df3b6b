"""Files made by hand, so that every byte of an input is known."""

from __future__ import annotations

import io
import itertools
import struct
import zipfile
from collections.abc import Callable

import pytest

from catchment.core.documents import ParsedDocument, ParseFailure, ParseRequest
from catchment.core.settings import ParseSettings
from catchment.parsing.document import parse_document

_SECTOR = 512
_END, _FREE, _FAT = 0xFFFFFFFE, 0xFFFFFFFF, 0xFFFFFFFD


def _zip(parts: dict[str, bytes | str]) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    return out.getvalue()


def _ole(streams: dict[str, bytes]) -> bytes:
    """A compound file; paths with slashes make storages. Streams are padded to 4 KB."""
    tree: dict[str, object] = {}
    for path, data in streams.items():
        *folders, name = path.split("/")
        node = tree
        for folder in folders:
            node = node.setdefault(folder, {})  # type: ignore[assignment]
        node[name] = data + b"\0" * max(0, 4096 - len(data))
    entries: list[list[object]] = [["Root Entry", 5, _FREE, _FREE, _FREE, _END, 0]]
    bodies: list[tuple[int, bytes]] = []

    def add(children: dict[str, object]) -> int:
        numbers = []
        for name in sorted(children, key=lambda word: (len(word), word.upper())):
            child = children[name]
            number = len(entries)
            entries.append([name, 1 if isinstance(child, dict) else 2, _FREE, _FREE, _FREE, 0, 0])
            numbers.append(number)
            if isinstance(child, dict):
                entries[number][4] = add(child)
            else:
                bodies.append((number, child))  # type: ignore[arg-type]
        for left, right in itertools.pairwise(numbers):
            entries[left][3] = right
        return numbers[0] if numbers else _FREE

    entries[0][4] = add(tree)
    directory_sectors = -(-len(entries) // 4)
    data_sectors = sum(-(-len(body) // _SECTOR) for _, body in bodies)
    fat_sectors = -(-(directory_sectors + data_sectors + 4) // 127)
    fat = [_FAT] * fat_sectors
    fat += [*range(fat_sectors + 1, fat_sectors + directory_sectors), _END]
    content = b""
    for number, body in bodies:
        count = -(-len(body) // _SECTOR)
        entries[number][5], entries[number][6] = len(fat), len(body)
        fat += [*range(len(fat) + 1, len(fat) + count), _END]
        content += body.ljust(count * _SECTOR, b"\0")
    fat += [_FREE] * (fat_sectors * 128 - len(fat))
    directory = b""
    for name, kind, left, right, child, start, size in entries:
        wide = str(name).encode("utf-16-le") + b"\0\0"
        directory += wide.ljust(64, b"\0") + struct.pack("<HBBIII", len(wide), kind, 1, left, right, child)
        directory += bytes(16 + 4 + 16) + struct.pack("<IQ", start, size)
    unused = struct.pack("<HBBIII", 0, 0, 0, _FREE, _FREE, _FREE)
    directory += (bytes(64) + unused + bytes(48)) * (directory_sectors * 4 - len(entries))
    header = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6)
    header += bytes(6) + struct.pack("<IIIIIIIII", 0, fat_sectors, fat_sectors, 0, 4096, _END, 0, _END, 0)
    header += struct.pack("<109I", *range(fat_sectors), *[_FREE] * (109 - fat_sectors))
    return header + struct.pack(f"<{len(fat)}I", *fat) + directory + content


def _pdf(pages: list[list[tuple[int, str]]], *, info: str = "") -> bytes:
    """A PDF with lines of (letter size, words); every page with a content stream of its own."""
    font = b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>"
    objects = [b"<< /Type /Catalog /Pages 2 0 R >>", b"", font]
    kids = []
    for lines in pages:
        stream, y = b"BT\n", 780
        for size, words in lines:
            stream += f"/F1 {size} Tf 1 0 0 1 50 {y} Tm ({words}) Tj\n".encode()
            y -= size + 10
        stream += b"ET"
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
        page = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Resources << /Font << /F1 3 0 R >> >> "
        objects.append(f"{page}/Contents {len(objects)} 0 R >>".encode())
        kids.append(f"{len(objects)} 0 R")
    objects[1] = f"<< /Type /Pages /Count {len(kids)} /Kids [{' '.join(kids)}] >>".encode()
    objects.append(f"<< {info} >>".encode())
    out, offsets = b"%PDF-1.4\n", []
    for number, body in enumerate(objects, start=1):
        offsets.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (number, body)
    table = b"".join(b"%010d 00000 n \n" % offset for offset in offsets)
    size, start = len(objects) + 1, len(out)
    trailer = f"<< /Size {size} /Root 1 0 R /Info {len(objects)} 0 R >>".encode()
    end = b"trailer\n%s\nstartxref\n%d\n%%%%EOF" % (trailer, start)
    return out + b"xref\n0 %d\n0000000000 65535 f \n%s%s" % (size, table, end)


_W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'


def _docx(body: str, **parts: str) -> bytes:
    styles = (
        f'<w:styles {_W}><w:style w:styleId="H1"><w:name w:val="heading 1"/></w:style>'
        '<w:style w:styleId="H2"><w:name w:val="heading 2"/></w:style>'
        '<w:style w:styleId="Own"><w:name w:val="house style"/><w:basedOn w:val="H2"/></w:style></w:styles>'
    )
    core = (
        '<c:p xmlns:c="urn:c" xmlns:dc="http://purl.org/dc/elements/1.1/">'
        "<dc:title>River report</dc:title><dc:creator>Ann</dc:creator></c:p>"
    )
    return _zip(
        {
            "[Content_Types].xml": "<Types/>",
            "word/document.xml": f"<w:document {_W}><w:body>{body}</w:body></w:document>",
            "word/styles.xml": styles,
            "docProps/core.xml": core,
            **{f"word/{name}.xml": f"<w:{name} {_W}>{data}</w:{name}>" for name, data in parts.items()},
        }
    )


class Made:
    """Makers of files."""

    zip = staticmethod(_zip)
    ole = staticmethod(_ole)
    pdf = staticmethod(_pdf)
    docx = staticmethod(_docx)


@pytest.fixture(scope="session")
def made() -> type[Made]:
    return Made


@pytest.fixture(scope="session")
def parsed() -> Callable[..., ParsedDocument]:
    """Parse in this process; a failure fails the test."""

    def parse(name: str, body: bytes, content_type: str | None = None) -> ParsedDocument:
        answer = parse_document(ParseRequest(name, content_type, body), ParseSettings())
        assert isinstance(answer, ParsedDocument), answer
        return answer

    return parse


@pytest.fixture(scope="session")
def refused() -> Callable[..., ParseFailure]:
    """Parse in this process; a success fails the test."""

    def parse(name: str, body: bytes, content_type: str | None = None) -> ParseFailure:
        answer = parse_document(ParseRequest(name, content_type, body), ParseSettings())
        assert isinstance(answer, ParseFailure), answer
        return answer

    return parse
