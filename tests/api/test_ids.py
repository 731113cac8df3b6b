"""One id, many spellings."""

from __future__ import annotations

import pytest

from catchment.api import ids
from catchment.core.errors import NotFound

INNER = "01a20f4d8f957021b113307f75936a9b"
HYPHENATED = "01a20f4d-8f95-7021-b113-307f75936a9b"


@pytest.mark.parametrize(
    "spelling", [INNER, HYPHENATED, f"conn_{INNER}", f"conn_{HYPHENATED}", INNER.upper(), HYPHENATED.upper()]
)
def test_every_spelling_is_read(spelling: str) -> None:
    """Whatever one face wrote, all of them read."""
    assert ids.read("connector", spelling) == INNER


@pytest.mark.parametrize(
    "text",
    [
        "",
        "conn_",
        f"col_{INNER}",
        INNER[:-1],
        f"{INNER}0",
        HYPHENATED.replace("-", "", 1),
        "x" * 10_000,
        f"conn_conn_{INNER}",
        f"{INNER}\n",
        "no-such-connector",
        "ⅷ" * 32,
    ],
)
def test_what_is_no_id_of_this_kind_means_nothing(text: str) -> None:
    """Malformed is not found, and nothing else."""
    with pytest.raises(NotFound):
        ids.read("connector", text)


def test_each_face_writes_them_its_way() -> None:
    """Bare, with a prefix, with hyphens."""
    assert ids.prefixed("connector", INNER) == f"conn_{INNER}"
    assert ids.hyphenated(INNER) == HYPHENATED
    assert ids.hyphenated("0123456789abcdef") == "0123456789abcdef"


def test_a_document_has_sixteen_digits() -> None:
    """With or without its prefix."""
    assert ids.read("document", "doc_0123456789abcdef") == ids.read("document", "0123456789ABCDEF")
    assert ids.parse("document", INNER) is None
