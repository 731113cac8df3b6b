"""How long a recording is, from its headers alone."""

from __future__ import annotations

import struct

_MP3_KILOBITS = {
    # MPEG 1 layer III, then MPEG 2 and 2.5 layer III
    True: (0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0),
    False: (0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0),
}
_MP3_RATES = {3: (44100, 48000, 32000), 2: (22050, 24000, 16000), 0: (11025, 12000, 8000)}


def duration_seconds(body: bytes) -> float | None:
    """Seconds of a wav, flac, ogg, mp4/m4a/mov or mp3 file; None where the headers do not tell.

    Raises:
        struct.error: A header is cut off.
    """
    if body.startswith(b"RIFF") and body[8:12] == b"WAVE":
        return _wav(body)
    if body.startswith(b"fLaC"):
        packed = int.from_bytes(body[18:26], "big")
        return (packed & 0xFFFFFFFFF) / (packed >> 44) if packed >> 44 else None
    if body.startswith(b"OggS"):
        return _ogg(body)
    if body[4:8] == b"ftyp":
        return _mp4(body)
    if body.startswith((b"ID3", b"\xff\xfb", b"\xff\xf3", b"\xff\xf2", b"\xff\xfa")):
        return _mp3(body)
    return None


def _wav(body: bytes) -> float | None:
    position, bytes_per_second = 12, 0
    while position + 8 <= len(body):
        name, size = struct.unpack_from("<4sI", body, position)
        if name == b"fmt ":
            bytes_per_second = struct.unpack_from("<I", body, position + 16)[0]
        elif name == b"data":
            return min(size, len(body) - position - 8) / bytes_per_second if bytes_per_second else None
        position += 8 + size + (size & 1)
    return None


def _ogg(body: bytes) -> float | None:
    last = body.rfind(b"OggS")
    samples = struct.unpack_from("<q", body, last + 6)[0]
    if b"OpusHead" in body[:256]:
        return float(samples) / 48_000
    head = body.find(b"\x01vorbis", 0, 256)
    if head < 0:
        return None
    rate = struct.unpack_from("<I", body, head + 12)[0]
    return float(samples) / rate if rate else None


def _mp4(body: bytes) -> float | None:
    head = body.find(b"mvhd")
    if head < 0:
        return None
    version = body[head + 4]
    scale, length = struct.unpack_from(
        ">IQ" if version == 1 else ">II", body, head + (24 if version == 1 else 16)
    )
    return float(length) / scale if scale else None


def _mp3(body: bytes) -> float | None:
    start = 0
    if body.startswith(b"ID3"):
        a, b, c, d = body[6:10]
        start = 10 + (a << 21 | b << 14 | c << 7 | d)
    frame = struct.unpack_from(">I", body, start)[0]
    version, rate, bits = frame >> 19 & 3, frame >> 10 & 3, frame >> 12 & 15
    if frame >> 21 != 0x7FF or version == 1 or rate == 3:
        return None
    rate_hz, kilobits = _MP3_RATES[version][rate], _MP3_KILOBITS[version == 3][bits]
    for name in (b"Xing", b"Info"):
        at = body.find(name, start, start + 64)
        if at >= 0 and body[at + 7] & 1:
            frames = struct.unpack_from(">I", body, at + 8)[0]
            return float(frames) * (1152 if version == 3 else 576) / rate_hz
    # A constant rate is assumed where no frame count is written.
    return (len(body) - start) * 8 / (kilobits * 1000) if kilobits else None
