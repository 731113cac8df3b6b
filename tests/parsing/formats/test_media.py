"""Pictures, sound and unknown data are documents without text, and say why."""

from __future__ import annotations

import io
import struct
import wave

import pytest

_PNG = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sII", 13, b"IHDR", 640, 480) + bytes(20)
_GIF = b"GIF89a" + struct.pack("<HH", 640, 480) + bytes(20)
_BMP = b"BM" + bytes(16) + struct.pack("<ii", 640, -480) + bytes(20)
_JPEG = b"\xff\xd8\xff\xe0\x00\x04ab\xff\xc0" + struct.pack(">HBHH", 17, 8, 480, 640) + bytes(20)
_WEBP = (
    b"RIFF\0\0\0\0WEBPVP8X" + bytes(8) + (639).to_bytes(3, "little") + (479).to_bytes(3, "little") + bytes(9)
)


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("a.png", _PNG),
        ("a.gif", _GIF),
        ("a.bmp", _BMP),
        ("a.jpg", _JPEG),
        ("a.webp", _WEBP),
        ("unnamed", _PNG),
    ],
)
def test_a_picture_tells_its_size(parsed, name, body):
    """Width and height from the header, whatever the name."""
    document = parsed(name, body)
    assert (document.text, document.notes) == ("", ["no text: image"])
    assert document.metadata == {"width": "640", "height": "480"}
    assert document.content_type.startswith("image/")


def _wav() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(8000)
        sound.writeframes(bytes(2 * 8000 * 3))
    return out.getvalue()


_FLAC = b"fLaC\0\0\0\x22" + bytes(10) + (8000 << 44 | 24000).to_bytes(8, "big") + bytes(16)
_OPUS = b"OggS" + bytes(24) + b"OpusHead" + bytes(30) + b"OggS\0\0" + struct.pack("<q", 144_000) + bytes(20)
_M4A = (
    b"\0\0\0\x14ftypM4A "
    + bytes(8)
    + b"\0\0\0\x6cmoov\0\0\0\x64mvhd"
    + bytes(12)
    + struct.pack(">II", 1000, 3000)
    + bytes(20)
)
_MP3 = b"ID3\x03\0\0\0\0\0\0\xff\xfb\x90\x00" + bytes(128_000 // 8 * 3 - 4)


@pytest.mark.parametrize(
    ("name", "body"),
    [("a.wav", _wav()), ("a.flac", _FLAC), ("a.opus", _OPUS), ("a.m4a", _M4A), ("a.mp3", _MP3)],
)
def test_a_recording_tells_its_length(parsed, name, body):
    """From headers alone."""
    document = parsed(name, body)
    assert (document.text, document.notes) == ("", ["no text: audio"])
    assert document.metadata == {"seconds": "3.0"}


def test_unknown_data_is_a_document_with_a_note(parsed):
    """It can be found by its name."""
    document = parsed("blob.dat", bytes(range(256)) * 20)
    assert (document.text, document.notes) == ("", ["no text: unknown binary format"])


def test_a_picture_that_is_cut_off_is_still_a_document(parsed):
    """The header is damaged, the item is not lost."""
    document = parsed("a.png", _PNG[:18])
    assert document.notes == ["no text: image"]
    assert document.warnings
