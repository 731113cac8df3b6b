"""Archives: every member that has text is a section under its name; a bad member is a warning.

Limits hold for the document as a whole, however deep its archives are nested: bytes, members, characters
(see `Budget`), and three levels of archives inside archives.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from typing import IO, cast

from catchment.parsing import kinds
from catchment.parsing.package import Package, unpack_all
from catchment.parsing.reading import Reading, Sections, Source, Unreadable
from catchment.parsing.registry import read_member

_DEEPEST = 3
_IGNORED = ("__MACOSX/", ".git/", ".svn/")
_WHOLE_DOCUMENT = frozenset({"bomb", "too_much_text"})

Member = tuple[str, Callable[[], bytes]]


def read(source: Source) -> Reading:
    """The texts of all members.

    Raises:
        Unreadable: No member at all (``empty_archive``), all protected by a password (``encrypted``), damaged
            (``broken``), or more inside than is reasonable (``bomb``).
    """
    if source.depth > _DEEPEST:
        raise Unreadable("broken", "The archive lies too deep inside other archives.")
    if source.kind == kinds.SQUEEZED:
        return _squeezed(source)
    if source.kind == kinds.TAR:
        return collect(source, _tar_members(source.body))
    return collect(source, _zip_members(Package(source.body, source.budget)))


def collect(source: Source, members: Iterator[Member], pot: Sections | None = None) -> Reading:
    """Read members one after the other into one text."""
    pot = pot or Sections(source.budget)
    warnings: list[str] = []
    reasons: list[str] = []
    count = 0
    for name, body in members:
        count += 1
        if source.budget.members <= 0:
            warnings.append(f"the rest from {name} on was left out: too many members")
            break
        source.budget.members -= 1
        try:
            member = read_member(source, name, body())
        except Unreadable as error:
            if error.reason in _WHOLE_DOCUMENT:
                raise
            warnings.append(f"{name}: {error.message}")
            reasons.append(error.reason)
            continue
        except Exception as error:  # a library's own error on damaged bytes
            warnings.append(f"{name}: cannot be read ({type(error).__name__})")
            continue
        pot.heading(1, name)
        pot.include(member, below=1)
        warnings.extend(f"{name}: {warning}" for warning in member.warnings)
    if not count:
        raise Unreadable("empty_archive", "The archive holds no files.")
    if len(reasons) == count and set(reasons) == {"encrypted"}:
        raise Unreadable("encrypted", "Every file in the archive is protected by a password.")
    reading = pot.reading()
    reading.warnings = warnings
    reading.metadata = {"members": str(count)}
    return reading


def _zip_members(package: Package) -> Iterator[Member]:
    for info in package.archive.infolist():
        if not info.is_dir() and _is_wanted(info.filename):
            yield info.filename, _zip_opener(package, info)


def _zip_opener(package: Package, info: zipfile.ZipInfo) -> Callable[[], bytes]:
    return lambda: package.read_info(info)


def _tar_members(body: bytes) -> Iterator[Member]:
    try:
        with tarfile.open(fileobj=io.BytesIO(body), mode="r:") as archive:
            for info in archive:
                if info.isreg() and _is_wanted(info.name):
                    yield info.name, _tar_opener(archive, info)
    except (tarfile.TarError, EOFError, OSError, ValueError) as error:
        raise Unreadable("broken", "The archive is damaged.") from error


def _tar_opener(archive: tarfile.TarFile, info: tarfile.TarInfo) -> Callable[[], bytes]:
    def opened() -> bytes:
        # Nothing is compressed here, so a member is at most as long as the archive.
        stream = archive.extractfile(info)
        return stream.read() if stream is not None else b""

    return opened


def _is_wanted(name: str) -> bool:
    base = name.rpartition("/")[2]
    return (
        bool(base)
        and base != ".DS_Store"
        and not any(name.startswith(p) or f"/{p}" in name for p in _IGNORED)
    )


def _squeezed(source: Source) -> Reading:
    """One compressed file; a tar inside is read as if it had come bare."""
    body = _unsqueezed(source)
    name, _, ending = source.name.rpartition(".")
    if ending.lower() in ("tgz", "tbz", "tbz2", "txz") or not name:
        name = (name or "content") + ".tar"
    if body[257:262] == b"ustar" or name.endswith(".tar"):
        return collect(source, _tar_members(body))
    reading = read_member(source, name, body)
    reading.content_type = None
    return reading


def _unsqueezed(source: Source) -> bytes:
    stream: IO[bytes]
    raw = io.BytesIO(source.body)
    if source.body.startswith(b"\x1f\x8b"):
        stream = cast("IO[bytes]", gzip.GzipFile(fileobj=raw))
    elif source.body.startswith(b"BZh"):
        stream = cast("IO[bytes]", bz2.BZ2File(raw))
    else:
        stream = cast("IO[bytes]", lzma.LZMAFile(raw))  # noqa: SIM115 - a view of bytes
    try:
        return unpack_all(stream, len(source.body), source.budget)
    except (OSError, EOFError, zlib.error, lzma.LZMAError, ValueError) as error:
        raise Unreadable("broken", "The compressed file is damaged.") from error
