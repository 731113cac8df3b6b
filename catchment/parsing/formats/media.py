"""Pictures, sound, films and unknown data: no text, but the facts that their first bytes tell."""

from __future__ import annotations

import struct

from catchment.parsing import kinds
from catchment.parsing.formats import sound
from catchment.parsing.reading import Reading, Source

_NOTES = {
    kinds.IMAGE: "no text: image",
    kinds.AUDIO: "no text: audio",
    kinds.VIDEO: "no text: video",
    kinds.BINARY: "no text: unknown binary format",
}


def read(source: Source) -> Reading:
    """A note instead of a text; width and height of a picture, seconds of a sound where they can be told."""
    reading = Reading("", notes=[_NOTES[source.kind]])
    reading.content_type = _content_type(source)
    try:
        if source.kind == kinds.IMAGE:
            size = picture_size(source.body)
            if size is not None:
                reading.metadata = {"width": str(size[0]), "height": str(size[1])}
        elif source.kind in (kinds.AUDIO, kinds.VIDEO):
            seconds = sound.duration_seconds(source.body)
            if seconds is not None:
                reading.metadata = {"seconds": f"{seconds:.1f}"}
    except (struct.error, IndexError, ValueError, ZeroDivisionError, OverflowError):
        reading.warnings = ["the header is damaged"]
    return reading


def picture_size(body: bytes) -> tuple[int, int] | None:
    """Width and height in pixels of a PNG, GIF, BMP, JPEG or WebP picture."""
    if body.startswith(b"\x89PNG\r\n\x1a\n"):
        return _pair(">II", body, 16)
    if body.startswith(b"GIF8"):
        return _pair("<HH", body, 6)
    if body.startswith(b"BM"):
        width, height = _pair("<ii", body, 18)
        return width, abs(height)
    if body.startswith(b"\xff\xd8"):
        return _jpeg_size(body)
    if body.startswith(b"RIFF") and body[8:12] == b"WEBP":
        return _webp_size(body)
    return None


def _pair(layout: str, body: bytes, offset: int) -> tuple[int, int]:
    first, second = struct.unpack_from(layout, body, offset)
    return first, second


def _jpeg_size(body: bytes) -> tuple[int, int] | None:
    position = 2
    while position + 9 < len(body):
        if body[position] != 0xFF:
            return None
        marker = body[position + 1]
        if marker == 0xFF:
            position += 1
        elif 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = _pair(">HH", body, position + 5)
            return width, height
        else:
            position += 2 + struct.unpack_from(">H", body, position + 2)[0]
    return None


def _webp_size(body: bytes) -> tuple[int, int] | None:
    form = body[12:16]
    if form == b"VP8X":
        return 1 + int.from_bytes(body[24:27], "little"), 1 + int.from_bytes(body[27:30], "little")
    if form == b"VP8L":
        bits = int.from_bytes(body[21:25], "little")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if form == b"VP8 ":
        width, height = _pair("<HH", body, 26)
        return width & 0x3FFF, height & 0x3FFF
    return None


def _content_type(source: Source) -> str | None:
    if kinds.BY_EXTENSION.get(kinds.extension(source.name)) == source.kind != kinds.BINARY:
        return None
    import filetype

    guess = filetype.guess(source.body[:8192])
    return str(guess.mime) if guess is not None else None
