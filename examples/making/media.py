"""Pictures and sounds: small, drawn and computed here."""

from __future__ import annotations

import io
import math
import struct
import wave
from pathlib import Path

from PIL import Image, ImageDraw, PngImagePlugin

_LEVELS_CM = [164, 178, 212, 251, 262, 289, 317, 331, 342, 327, 301, 243, 205]


def make(root: Path) -> None:
    """Write the pictures and sounds of the corpus."""
    media = root / "media"
    media.mkdir(parents=True, exist_ok=True)
    _hydrograph(media / "hydrograph march 2025.png")
    _photograph(media / "intake at dusk.jpeg")
    _tide(media / "tide at fenmouth.gif")
    _horn(media / "horn of the relief gate.wav")
    (media / "voice note night operator.mp3").write_bytes(_silent_mp3())


def scanned_letter() -> tuple[bytes, int, int]:
    """A grey picture with handwriting-like strokes and no readable text: JPEG, width, height."""
    width, height = 300, 424
    image = Image.new("L", (width, height), 232)
    draw = ImageDraw.Draw(image)
    for line in range(14):
        y = 60 + line * 22
        points = [
            (x, y + 4 * math.sin(x / 3.1 + line) * math.cos(x / 17.0)) for x in range(40, 250 - line % 3 * 30)
        ]
        draw.line(points, fill=70, width=1)
    return _saved(image, "JPEG", quality=60), width, height


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    return buffer.getvalue()


def _hydrograph(target: Path) -> None:
    image = Image.new("RGB", (420, 220), "white")
    draw = ImageDraw.Draw(image)
    draw.text((10, 6), "Millbridge Weir, 14 to 16 March 2025, cm", fill="black")
    for limit, colour in ((210, "gold"), (260, "orange"), (320, "red")):
        draw.line([(20, 380 - limit), (400, 380 - limit)], fill=colour)
    points = [(20 + index * 31, 380 - level) for index, level in enumerate(_LEVELS_CM)]
    draw.line(points, fill="navy", width=3)
    notes = PngImagePlugin.PngInfo()
    notes.add_text("Title", "Hydrograph of Millbridge Weir, March 2025")
    target.write_bytes(_saved(image, "PNG", pnginfo=notes, optimize=True))


def _photograph(target: Path) -> None:
    image = Image.new("RGB", (320, 200))
    pixels = [
        (int(90 + 120 * y / 200), int(70 + 60 * y / 200 + 10 * math.sin(x / 9)), 120 - y // 4)
        for y in range(200)
        for x in range(320)
    ]
    image.putdata(pixels)
    ImageDraw.Draw(image).rectangle([200, 90, 270, 170], fill=(50, 45, 48))
    exif = Image.Exif()
    exif[0x010E] = "The intake house at Brightwell at dusk"
    exif[0x0132] = "2025:03:14 17:40:00"
    target.write_bytes(_saved(image, "JPEG", quality=70, exif=exif))


def _tide(target: Path) -> None:
    frames = []
    for hour in range(12):
        frame = Image.new("P", (120, 80), 0)
        frame.putpalette([255, 255, 255, 30, 90, 180] + [0] * 750)
        level = 45 + int(20 * math.sin(hour / 12 * 2 * math.pi))
        ImageDraw.Draw(frame).rectangle([0, 80 - level, 120, 80], fill=1)
        frames.append(frame)
    target.write_bytes(
        _saved(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=200, loop=0)
    )


def _horn(target: Path) -> None:
    """Half a second of two close tones, 8 kHz mono, 16 bit."""
    rate = 8000
    samples = [
        int(9000 * (math.sin(2 * math.pi * 233 * n / rate) + math.sin(2 * math.pi * 277 * n / rate)))
        for n in range(rate // 2)
    ]
    with wave.open(str(target), "wb") as sound:
        sound.setnchannels(1)
        sound.setsampwidth(2)
        sound.setframerate(rate)
        sound.writeframes(struct.pack(f"<{len(samples)}h", *samples))


def _silent_mp3() -> bytes:
    """A second of silence with a title: frames whose side information is zero decode to nothing.

    MPEG-1 layer III, 32 kbit/s, 44.1 kHz, mono: 104 bytes a frame, 38 frames a second.
    """
    frame = b"\xff\xfb\x10\xc4" + bytes(100)
    tags = _id3_text("TIT2", "Voice note of the night operator") + _id3_text("TDRC", "2025-03-15")
    size = len(tags)
    sync_safe = bytes([size >> 21 & 127, size >> 14 & 127, size >> 7 & 127, size & 127])
    return b"ID3\x04\x00\x00" + sync_safe + tags + frame * 38


def _id3_text(name: str, text: str) -> bytes:
    body = b"\x03" + text.encode()
    return name.encode() + struct.pack(">I", len(body)) + b"\x00\x00" + body
