"""OLE compound files: an .xls workbook, an .msg letter and a workbook locked with a password.

No library here writes them, so this file does: version 3, sectors of 512 bytes, streams below
4,096 bytes in the mini stream. At most 109 sectors of allocation table, that is 6.8 MB.
"""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Union

Tree = dict[str, Union[bytes, "Tree"]]
"""A storage: names to streams or to further storages."""

_SECTOR, _MINI, _CUTOFF = 512, 64, 4096
_FREE, _END, _TABLE, _NONE = 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD, 0xFFFFFFFF


_BLANK = bytes(68) + struct.pack("<III", _NONE, _NONE, _NONE) + bytes(48)
"""An unused line of the directory, which comes in fours."""


class _Entry:
    """One line of the directory."""

    def __init__(self, name: str, kind: int, data: bytes = b"") -> None:
        self.name, self.kind, self.data = name, kind, data
        self.left = self.right = self.child = _NONE
        self.start, self.size = _END, len(data)

    def packed(self) -> bytes:
        name = self.name.encode("utf-16-le") + b"\0\0"
        head = struct.pack("<64sHBB", name, len(name), self.kind, 1)  # 1: every node black, which is legal
        links = struct.pack("<III", self.left, self.right, self.child)
        return head + links + bytes(16 + 4 + 8 + 8) + struct.pack("<IQ", self.start, self.size)


def compound_file(tree: Tree) -> bytes:
    """The bytes of a compound file with these storages and streams."""
    entries = [_Entry("Root Entry", 5)]
    entries[0].child = _add(tree, entries)
    mini, mini_table = _mini_stream(entries)
    entries[0].data, entries[0].size = mini, len(mini)

    sectors: list[bytes] = []
    table: list[int] = []

    def place(data: bytes) -> int:
        first = len(sectors)
        count = -(-len(data) // _SECTOR)
        for index in range(count):
            sectors.append(data[index * _SECTOR : (index + 1) * _SECTOR].ljust(_SECTOR, b"\0"))
            table.append(first + index + 1 if index + 1 < count else _END)
        return first if count else _END

    for entry in entries:
        if entry.kind == 5 or (entry.kind == 2 and entry.size >= _CUTOFF):
            entry.start = place(entry.data)
    mini_start = place(mini_table)
    directory = b"".join(entry.packed() for entry in entries)
    blanks = -len(entries) % 4
    directory_start = place(directory + _BLANK * blanks)
    return _with_allocation_table(sectors, table, directory_start, mini_start, len(mini_table))


def _add(tree: Tree, entries: list[_Entry]) -> int:
    """Append a storage's entries, as a search tree in the format's own order; answers the topmost one."""
    names = sorted(tree, key=lambda name: (len(name.encode("utf-16-le")), name.upper()))
    numbers = []
    for name in names:
        content = tree[name]
        numbers.append(len(entries))
        if isinstance(content, bytes):
            entries.append(_Entry(name, 2, content))
        else:
            storage = _Entry(name, 1)
            entries.append(storage)
            storage.child = _add(content, entries)
    return _balance(numbers, entries)


def _balance(numbers: list[int], entries: list[_Entry]) -> int:
    if not numbers:
        return _NONE
    middle = len(numbers) // 2
    entry = entries[numbers[middle]]
    entry.left = _balance(numbers[:middle], entries)
    entry.right = _balance(numbers[middle + 1 :], entries)
    return numbers[middle]


def _mini_stream(entries: list[_Entry]) -> tuple[bytes, bytes]:
    """Put small streams behind each other; answers the stream and its allocation table."""
    stream = b""
    table: list[int] = []
    for entry in entries:
        if entry.kind == 2 and 0 < entry.size < _CUTOFF:
            entry.start = len(table)
            count = -(-entry.size // _MINI)
            table += [entry.start + index + 1 for index in range(count - 1)] + [_END]
            stream += entry.data.ljust(count * _MINI, b"\0")
    table += [_FREE] * (-len(table) % (_SECTOR // 4))
    return stream, struct.pack(f"<{len(table)}I", *table)


def _with_allocation_table(
    sectors: list[bytes], table: list[int], directory_start: int, mini_start: int, mini_bytes: int
) -> bytes:
    per_sector = _SECTOR // 4
    count = 1
    while count * per_sector < len(table) + count:
        count += 1
    first = len(sectors)
    table = table + [_TABLE] * count
    table += [_FREE] * (count * per_sector - len(table))
    header = struct.pack(
        "<8s16sHHHHH6sIIIIIIIII",
        b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", bytes(16), 0x3E, 3, 0xFFFE, 9, 6, bytes(6),
        0, count, directory_start, 0, _CUTOFF, mini_start, mini_bytes // _SECTOR, _END, 0,
    )  # fmt: skip
    locations = [first + index for index in range(count)]
    header += struct.pack("<109I", *(locations + [_FREE] * (109 - count)))
    return header + b"".join(sectors) + struct.pack(f"<{len(table)}I", *table)


def make(root: Path) -> None:
    """Write the compound files of the corpus."""
    (root / "measurements/legacy gauges 1998.xls").write_bytes(_old_workbook())
    (root / "mail/Handover of the horn.msg").write_bytes(_letter())
    (root / "broken/locked with a password.xlsx").write_bytes(locked_workbook())


def locked_workbook() -> bytes:
    """What Office writes for a workbook with a password: the zip stands inside, encrypted."""
    state, noise = 20250315, bytearray()
    for _ in range(6144):  # a linear congruence: looks like cipher text, is the same every time
        state = (state * 1103515245 + 12345) % 2**31
        noise.append(state >> 16 & 255)
    info = struct.pack("<HHI", 4, 4, 0x40) + (
        b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><encryption '
        b'xmlns="http://schemas.microsoft.com/office/2006/encryption">'
        b'<keyData saltSize="16" blockSize="16" keyBits="256" '
        b'hashSize="64" cipherAlgorithm="AES" cipherChaining="ChainingModeCBC" hashAlgorithm="SHA512" '
        b'saltValue="b3N0cmVsb3N0cmVsb3N0cg=="/></encryption>'
    )
    return compound_file({"EncryptionInfo": info, "EncryptedPackage": struct.pack("<Q", 6130) + bytes(noise)})


def _record(number: int, data: bytes) -> bytes:
    return struct.pack("<HH", number, len(data)) + data


def _biff_text(text: str, length: str = "<H") -> bytes:
    return struct.pack(length, len(text)) + b"\x01" + text.encode("utf-16-le")


_OLD_ROWS: list[tuple[str | float, ...]] = [
    ("Date", "Gauge", "Crest (cm)", "Read by"),
    ("1998-10-28", "Quarry Lock", 301.0, "lock keeper, staff gauge by lantern"),
    ("1998-10-28", "Millbridge Weir", 351.0, "chalk mark on the gate house wall"),
    ("1998-10-29", "Fenmouth", 288.0, "harbour master, spring tide"),
]


def _old_workbook() -> bytes:
    """A BIFF8 workbook with one sheet."""
    begin = {
        kind: _record(0x0809, struct.pack("<HHHHII", 0x600, kind, 0x0DBB, 1996, 0, 6)) for kind in (5, 0x10)
    }
    end = _record(0x000A, b"")
    code_page = _record(0x0042, struct.pack("<H", 1200))
    name = _biff_text("Crests 1998", "<B")
    globals_length = len(begin[5] + code_page + end) + 4 + 6 + len(name)
    book = begin[5] + code_page + _record(0x0085, struct.pack("<IH", globals_length, 0) + name) + end
    cells = b""
    for row, values in enumerate(_OLD_ROWS):
        for column, value in enumerate(values):
            place = struct.pack("<HHH", row, column, 0)
            if isinstance(value, str):
                cells += _record(0x0204, place + _biff_text(value))
            else:
                cells += _record(0x0203, place + struct.pack("<d", value))
    size = _record(0x0200, struct.pack("<IIHHH", 0, len(_OLD_ROWS), 0, len(_OLD_ROWS[0]), 0))
    sheet = begin[0x10] + size + cells + end
    return compound_file({"Workbook": (book + sheet).ljust(_CUTOFF, b"\0")})


_TEXT, _BINARY, _NUMBER, _TIME = 0x001F, 0x0102, 0x0003, 0x0040


def _properties(values: dict[tuple[int, int], str | bytes | int], header: bytes) -> Tree:
    """One MAPI object: texts and blobs are streams, numbers stand in the property stream."""
    tree: Tree = {}
    lines = b""
    for (tag, kind), value in values.items():
        if isinstance(value, int):
            content = struct.pack("<Q", value)
        else:
            data = value.encode("utf-16-le") if isinstance(value, str) else value
            tree[f"__substg1.0_{tag:04X}{kind:04X}"] = data
            content = struct.pack("<II", len(data) + (2 if isinstance(value, str) else 0), 0)
        lines += struct.pack("<HHI", kind, tag, 6) + content
    tree["__properties_version1.0"] = header + lines
    return tree


_LETTER_BODY = (
    "The new compressor brings the horn to seven bar. We blew it once at noon; the anglers two hundred "
    "metres below dropped a pike.\r\n\r\n"
    "INC-213 can be closed when the camera at the meadow is dry again (INC-211).\r\n"
)


def _letter() -> bytes:
    """An Outlook letter with one recipient and one attachment."""
    tree = _properties(
        {
            (0x001A, _TEXT): "IPM.Note",
            (0x0037, _TEXT): "Handover of the horn",
            (0x0039, _TIME): 133936704000000000,  # 2025-06-06 08:00 UTC in steps of 100 ns since 1601
            (0x0C1A, _TEXT): "instrument workshop",
            (0x0C1F, _TEXT): "workshop@station.example",
            (0x0C1E, _TEXT): "SMTP",
            (0x0E04, _TEXT): "duty hydrologist",
            (0x340D, _NUMBER): 0x40000,
            (0x1000, _TEXT): _LETTER_BODY,
        },
        struct.pack("<8xIIII8x", 1, 1, 1, 1),
    )
    tree["__recip_version1.0_#00000000"] = _properties(
        {
            (0x0C15, _NUMBER): 1,
            (0x3001, _TEXT): "duty hydrologist",
            (0x3003, _TEXT): "hydrologist@station.example",
            (0x3002, _TEXT): "SMTP",
        },
        bytes(8),
    )
    note = b"Pressure test of the horn, 6 June 2025\r\n4 bar: 96 dB at 50 m\r\n7 bar: 108 dB at 50 m\r\n"
    tree["__attach_version1.0_#00000000"] = _properties(
        {
            (0x3705, _NUMBER): 1,
            (0x3707, _TEXT): "pressure test.txt",
            (0x3704, _TEXT): "PRESSU~1.TXT",
            (0x370E, _TEXT): "text/plain",
            (0x3701, _BINARY): note,
        },
        bytes(8),
    )
    tree["__nameid_version1.0"] = {f"__substg1.0_000{n}0102": b"" for n in (2, 3, 4)}
    return compound_file(tree)
