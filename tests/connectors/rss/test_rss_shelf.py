"""Bodies that are kept for a moment: memory is bounded, whatever the feeds bring."""

from __future__ import annotations

from connectors.rss.shelf import Shelf


def test_the_oldest_go_when_there_is_no_room() -> None:
    """The newest stays, even where it alone is too large; one that is put again counts once."""
    shelf = Shelf(most_bytes=10)
    for name in ("a", "b", "a", "c"):
        shelf.put(name, b"1234")
    assert [shelf.get(name) is not None for name in ("a", "b", "c")] == [True, False, True]
    shelf.put("d", b"x" * 50)
    assert [shelf.get(name) is not None for name in ("a", "c", "d")] == [False, False, True]
    shelf.put("e", b"12")
    assert (shelf.get("d"), shelf.get("e")) == (None, b"12")
