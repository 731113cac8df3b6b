"""Makes the binary and legacy-encoded documents of the demo corpus again.

    python examples/make_corpus.py [FOLDER]

Needs the `bench` extra. Without a folder the shipped corpus is overwritten in place; the plain
texts in it are written by hand and left alone. The same machine makes the same bytes every time;
another version of zlib or of an office library may pack them differently.
"""

from __future__ import annotations

import sys
from pathlib import Path

from making import archives, broken, compound, legacy, mail, media, office, opendocument, pdf

CORPUS = Path(__file__).parent / "corpus"
_FOLDERS = (
    "handbook",
    "reports/old",
    "measurements",
    "slides",
    "mail",
    "media",
    "broken",
    "languages",
    "notices",
)


def make_corpus(root: Path) -> None:
    """Write every made document below `root`, which is created where it is missing."""
    for folder in _FOLDERS:
        (root / folder).mkdir(parents=True, exist_ok=True)
    for maker in (legacy, pdf, office, opendocument, compound, mail, media, archives, broken):
        maker.make(root)


if __name__ == "__main__":
    make_corpus(Path(sys.argv[1]) if len(sys.argv) > 1 else CORPUS)
