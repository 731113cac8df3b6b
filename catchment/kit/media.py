"""The media type that the ending of a name stands for, the same on every machine."""

from __future__ import annotations

import mimetypes
from functools import lru_cache

# The interpreter's table differs between its versions, and the machine's own between machines.
_MEDIA_TYPES = {
    ".7z": "application/x-7z-compressed",
    ".bz2": "application/x-bzip2",
    ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
    ".epub": "application/epub+zip",
    ".gz": "application/gzip",
    ".jsonl": "application/jsonl",
    ".log": "text/plain",
    ".markdown": "text/markdown",
    ".md": "text/markdown",
    ".msg": "application/vnd.ms-outlook",
    ".odp": "application/vnd.oasis.opendocument.presentation",
    ".ods": "application/vnd.oasis.opendocument.spreadsheet",
    ".odt": "application/vnd.oasis.opendocument.text",
    ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
    ".rst": "text/x-rst",
    ".rtf": "application/rtf",
    ".toml": "application/toml",
    ".ts": "text/x-typescript",
    ".webp": "image/webp",
    ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ".xz": "application/x-xz",
    ".yaml": "application/yaml",
    ".yml": "application/yaml",
    ".zst": "application/zstd",
}

_SAYS_NOTHING = frozenset({"", "application/octet-stream", "binary/octet-stream", "application/unknown"})


@lru_cache(maxsize=1)
def _media_types() -> dict[str, str]:
    # Before it is asked to look at the machine's own table, which takes a while, the module shows the
    # interpreter's; afterwards a new instance does.
    table = mimetypes.MimeTypes().types_map[True] if mimetypes.inited else mimetypes.types_map
    return table | _MEDIA_TYPES


@lru_cache(maxsize=1024)
def _media_type_of_ending(ending: str) -> str | None:
    return _media_types().get(f".{ending.lower()}")


def media_type(path: str) -> str | None:
    """Return the media type that the ending of a name stands for, without a look at the content.

    Args:
        path: A name, or a path that ends in it; asked of every item of a listing.
    """
    stem, _, ending = path.rpartition(".")
    # A dot in the name of a folder begins no ending that is known, as it has a slash in it.
    return _media_type_of_ending(ending) if stem and stem[-1] != "/" else None


def declared_type(content_type: str | None) -> str | None:
    """Return the media type that a source declares, or None where what it declares says nothing."""
    bare = (content_type or "").partition(";")[0].strip().lower()
    return None if bare in _SAYS_NOTHING else content_type
