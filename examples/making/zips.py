"""Zip files whose bytes depend on their contents alone."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Mapping
from pathlib import Path

STAMP = (2025, 6, 2, 8, 0, 0)
"""The time that every member claims; zip would otherwise write the clock's."""
_MODIFIED = re.compile(rb"(<dcterms:(?:modified|created)[^>]*>)[^<]*(</dcterms:)")


def write_zip(target: Path, members: Mapping[str, bytes], stored: tuple[str, ...] = ()) -> None:
    """Write members in the given order; those named in `stored` are not compressed."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(zip_bytes(members, stored))


def zip_bytes(members: Mapping[str, bytes], stored: tuple[str, ...] = ()) -> bytes:
    """The same as `write_zip`, in memory: for archives inside archives."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in members.items():
            info = zipfile.ZipInfo(name, STAMP)
            info.compress_type = zipfile.ZIP_STORED if name in stored else zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, data)
    return buffer.getvalue()


def settle(office_file: bytes) -> bytes:
    """Rewrite what an office library saved without the times of the clock.

    The thumbnail that templates carry is left out: it shows another document and weighs more than ours.
    """
    members = {}
    with zipfile.ZipFile(io.BytesIO(office_file)) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if name == "docProps/core.xml":
                data = _MODIFIED.sub(rb"\g<1>2025-06-02T08:00:00Z\g<2>", data)
            if name == "_rels/.rels":
                data = re.sub(rb"<Relationship [^>]*thumbnail[^>]*/>", b"", data)
            if name != "docProps/thumbnail.jpeg":
                members[name] = data
    return zip_bytes(members)
