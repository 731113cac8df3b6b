"""What the protocol does for a connector that says little."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from catchment.kit import (
    AccessList,
    BrowsePage,
    Capability,
    Checkpoint,
    Complete,
    Connector,
    Content,
    Found,
    Item,
    Scope,
    SourceConfig,
)
from catchment.kit.connector import ListingEvent


class Shelf(Connector[SourceConfig, None]):
    """Two scopes with three items."""

    slug = "shelf"
    display_name = "Shelf"
    config_model = SourceConfig

    def check(self) -> list[Capability]:
        return []

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:
        return BrowsePage()

    def scopes(self) -> list[Scope]:
        return [Scope("a", "A"), Scope("b", "B")]

    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        yield Item(f"{scope.key}1", f"{scope.key}/one")
        yield Checkpoint("1")
        yield Item(f"{scope.key}2", f"{scope.key}/two")
        yield Complete()

    def fetch(self, item: Item) -> Content:
        return Content.text("text")


@pytest.fixture
def shelf() -> Shelf:
    return Shelf(SourceConfig(), None)


class TestFind:
    def test_answers_once_for_each_name(self, shelf: Shelf) -> None:
        """By key or by path; what no scope has is answered too."""
        found = list(shelf.find(shelf.scopes(), ["b2", "a/one", "gone"]))
        assert {answer.name: (answer.item and answer.item.key, answer.scope) for answer in found} == {
            "b2": ("b2", "b"),
            "a/one": ("a1", "a"),
            "gone": (None, None),
        }
        assert len(found) == 3

    def test_answers_each_of_two_names_for_one_item(self, shelf: Shelf) -> None:
        """Key and path of the same item are two questions."""
        assert {answer.name for answer in shelf.find(shelf.scopes(), ["a1", "a/one"])} == {"a1", "a/one"}

    def test_says_nothing_about_absence_before_everything_was_read(self, shelf: Shelf) -> None:
        """A source that fails half-way must not look like one that lost the item."""

        def broken(scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
            yield Item("a1", "a/one")
            raise ConnectionError

        shelf.listing = broken  # type: ignore[method-assign]
        answers: list[Found] = []
        with pytest.raises(ConnectionError):
            answers.extend(shelf.find(shelf.scopes(), ["gone"]))
        assert answers == []


def test_what_a_connector_does_not_offer_is_refused_loudly(shelf: Shelf) -> None:
    """No feed, no access lists, no deliveries: an error each, never an empty answer or a public document."""
    for call in (
        lambda: shelf.changes(Scope("a", "A"), None),
        lambda: shelf.permissions([]),
        lambda: Shelf.webhook({}, b"", ""),
    ):
        with pytest.raises(NotImplementedError):
            call()


def test_nothing_is_public_by_default() -> None:
    """An access list without entries lets nobody in."""
    assert AccessList() == AccessList(entries=(), public=False)


def test_content_is_read_as_a_stream_whatever_it_was() -> None:
    """Text, with lone surrogates too, becomes bytes; bytes become a stream."""
    assert Content.text("Ü\ud800").stream().read() == b"\xc3\x9c\xed\xa0\x80"
    stream = Content(b"x").stream()
    assert Content(stream).stream() is stream
