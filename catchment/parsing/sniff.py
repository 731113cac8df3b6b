"""Tells what a body is: content first, then what the source states, then the ending of its name."""

from __future__ import annotations

import io
import zipfile
from typing import Final

from catchment.parsing import kinds
from catchment.parsing.charset import looks_like_text
from catchment.parsing.reading import Unreadable

_ZIP: Final = (b"PK\x03\x04", b"PK\x05\x06")
_OLE: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_SQUEEZED: Final = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\x00")
NOT_TEXT: Final = (b"%PDF-", b"{\\rtf", _OLE, *_ZIP, *_SQUEEZED)
_ODF_MIMETYPES: Final = {
    b"application/vnd.oasis.opendocument.text": kinds.ODT,
    b"application/vnd.oasis.opendocument.presentation": kinds.ODP,
    b"application/vnd.oasis.opendocument.spreadsheet": kinds.SHEET,
    b"application/epub+zip": kinds.EPUB,
}
_OLE_STREAMS: Final = (
    ("WordDocument", kinds.DOC),
    ("PowerPoint Document", kinds.PPT),
    ("Workbook", kinds.SHEET),
    ("Book", kinds.SHEET),
    ("__properties_version1.0", kinds.OUTLOOK),
)
# A DRM-protected or password-protected OOXML file is an OLE container around the encrypted zip.
_OLE_ENCRYPTED: Final = ("EncryptedPackage", "EncryptionInfo")


def kind_of(name: str, body: bytes, content_type: str | None) -> str:
    """Name the kind of a body that is not empty.

    A body that contradicts name and type is what its bytes say: a ``.docx`` that holds plain text is text.
    Binary data with the name of a document keeps that kind, so that its reader can say what is wrong.

    Raises:
        Unreadable: An office file protected by a password (``encrypted``).
    """
    named = kinds.promised_kind(name, content_type)
    if not body.startswith(NOT_TEXT):
        # The common case first: a name that promises text, and nothing binary near the beginning.
        if named in kinds.TEXTUAL and looks_like_text(body):
            return named
    else:
        kind = _kind_by_magic(body, named)
        if kind is not None:
            return kind
    if looks_like_text(body) and named not in kinds.MEDIA:
        return _kind_of_text(body) if named is None or named not in kinds.TEXTUAL else named
    return _kind_of_binary(body, named)


def _kind_by_magic(body: bytes, named: str | None) -> str | None:
    if body.startswith(b"%PDF-"):
        return kinds.PDF
    if body.startswith(b"{\\rtf"):
        return kinds.RTF
    if body.startswith(_OLE):
        return _kind_of_ole(body, named)
    if body.startswith(_ZIP):
        return _kind_of_zip(body, named)
    if body.startswith(_SQUEEZED):
        return kinds.SQUEEZED if not body.startswith(b"BZh") or body[4:10] == b"1AY&SY" else None
    return None


def _kind_of_zip(body: bytes, named: str | None) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            names = set(archive.namelist())
            if "mimetype" in names and archive.getinfo("mimetype").file_size < 200:
                kind = _ODF_MIMETYPES.get(archive.read("mimetype").strip().replace(b"-template", b""))
                if kind is not None:
                    return kind
    except Exception:  # a damaged directory: the reader that the name asks for says so
        return named if named not in kinds.TEXTUAL and named is not None else kinds.ZIP
    if "[Content_Types].xml" in names:
        for folder, kind in (("word/", kinds.DOCX), ("ppt/", kinds.PPTX), ("xl/", kinds.SHEET)):
            if any(member.startswith(folder) for member in names):
                return kind
    if "META-INF/container.xml" in names:
        return kinds.EPUB
    return kinds.ZIP


def _kind_of_ole(body: bytes, named: str | None) -> str:
    import olefile

    try:
        with olefile.OleFileIO(io.BytesIO(body)) as ole:
            roots = {entry[0] for entry in ole.listdir(streams=True, storages=True)}
    except Exception:  # olefile raises many kinds of errors on damaged files
        roots = set()
    if any(stream in roots for stream in _OLE_ENCRYPTED):
        raise Unreadable("encrypted", "The file is protected by a password.")
    for stream, kind in _OLE_STREAMS:
        if stream in roots:
            return kind
    return (
        named if named in (kinds.DOC, kinds.PPT, kinds.SHEET, kinds.OUTLOOK) and not roots else kinds.BINARY
    )


def _kind_of_text(body: bytes) -> str:
    """The kind of text whose name says nothing, or says something that it is not."""
    head = body[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if head.startswith((b"<!doctype html", b"<html")) or (b"<html" in head and head[:1] == b"<"):
        return kinds.HTML
    if head.startswith(b"<?xml"):
        return kinds.XML
    if head.startswith((b"received:", b"return-path:", b"delivered-to:", b"mime-version:")):
        return kinds.MAIL
    return kinds.TEXT


def _kind_of_binary(body: bytes, named: str | None) -> str:
    if b"%PDF-" in body[:1024]:
        return kinds.PDF
    if body[257:262] == b"ustar":
        return kinds.TAR
    if named in kinds.MEDIA:
        return named or kinds.BINARY
    if named is not None and named not in kinds.TEXTUAL:
        return named
    import filetype

    guess = filetype.guess(body[:8192])
    found = kinds.kind_of_content_type(guess.mime) if guess is not None else None
    return found if found in kinds.MEDIA else kinds.BINARY
