"""Archives: a zip with a tar inside, and a tar of a measuring campaign."""

from __future__ import annotations

import gzip
import io
import tarfile
from collections.abc import Mapping
from pathlib import Path

from making.zips import write_zip

_MTIME = 1748851200
"""2 June 2025, 08:00 UTC."""


def make(root: Path) -> None:
    """Write the archives of the corpus."""
    (root / "archives").mkdir(parents=True, exist_ok=True)
    nights = tar_gz({f"2025-01-{day:02}.log": _winter_log(day) for day in (7, 8, 9)})
    members = {name: text.encode() for name, text in _WINTER.items()}
    write_zip(root / "archives/winter logs.zip", {**members, "nights.tar.gz": nights})
    (root / "archives/survey 2024.tar.gz").write_bytes(tar_gz(_SURVEY))


_WINTER = {
    "read me first.txt": """Three nights of frost. The radar head of G1 measured ice; look for ICE in the log.
""",
    "notes/frost.md": """# Frost

At minus eleven degrees the hinge of the staff gauge broke. A new one was turned from brass.
""",
}

_SURVEY = {
    "survey/reach-2.csv": """km,bank,finding
39.6,left,crack 8 mm along the quarry edge
39.8,left,seepage the colour of rust
""",
    "survey/reach-3.csv": """km,bank,finding
48.1,right,unlicensed hose
51.0,left,Biberdamm über dem Zufluss
""",
    "survey/team.txt": """Two hydrologists, one boat, no dry socks. The boat's name is Patience.
""",
}


def tar_gz(members: Mapping[str, str]) -> bytes:
    """A packed tar whose times, owners and order are fixed."""
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for name, text in members.items():
            data = text.encode()
            info = tarfile.TarInfo(name)
            info.size, info.mtime = len(data), _MTIME
            tar.addfile(info, io.BytesIO(data))
    return gzip.compress(plain.getvalue(), mtime=_MTIME)


def _winter_log(day: int) -> str:
    return (
        f"2025-01-{day:02}T01:00:00Z INFO  collector G1 probe=61 head=88 verdict=ICE\n"
        f"2025-01-{day:02}T03:00:00Z INFO  operator  diesel preheated, {-8 - day % 4} degrees outside\n"
        f"2025-01-{day:02}T05:00:00Z WARN  collector G1 stilling well may be frozen, trend flat for 4 h\n"
    )
