"""Bytes of files: from addresses that end, at hosts that get no token, and within bounds."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from catchment.core.errors import SourceError
from catchment.core.items import Item
from catchment.kit import ItemUnreadable, Session, SourceBusy
from catchment.kit.network import Network
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.notion import NotionSimulator, Spec, block
from catchment.simulators.notion.simulator import TOKEN
from catchment.simulators.notion.uploads import GOOD_SECONDS
from connectors.notion import Notion
from connectors.notion.files import PropertyPlace, block_of, split_version, with_files
from tests.connectors.notion.conftest import (
    PLAN,
    MakeSource,
    files,
    listed,
)

SIGNED, BLOCKS = r"/signed/.*", r"/v1/blocks/.*/children"


def bytes_of(source: Notion, item: Item) -> bytes:
    with source.fetch(item).stream() as stream:
        return stream.read()


def elsewhere(address: str) -> Spec:
    return block("image", type="external", external={"url": address}, caption=[])


class TestReading:
    def test_the_bytes_are_those_that_were_uploaded(
        self, source: Notion, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """From an address that is asked for at that moment, days after the listing."""
        found = listed(source)
        world.clock.advance(3 * 86_400)
        assert bytes_of(source, found[f"file:{handbook['plan']}"]) == PLAN
        both = {bytes_of(source, item) for item in found.values() if item.title == "offer.md"}
        assert both == {b"first", b"second"}

    def test_an_address_that_has_ended_is_asked_for_once_more(
        self, source: Notion, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """A run may wait between the two; where the new one is refused as well, that is an answer."""
        item = listed(source)[f"file:{handbook['plan']}"]
        late = faults.meanwhile(lambda: world.clock.advance(GOOD_SECONDS))
        world.faults.add(Fault(late, path=SIGNED, times=1))
        assert bytes_of(source, item) == PLAN
        world.faults.add(Fault(late, path=SIGNED))
        with pytest.raises(ItemUnreadable) as caught:
            source.fetch(item)
        assert caught.value.reason == "permission"

    def test_the_token_stays_with_notion(
        self,
        source: Notion,
        world: NotionSimulator,
        handbook: dict[str, str],
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        """Acceptance 29: the host of files gets none, and no log gets an address that lets anybody in."""
        item = listed(source)[f"file:{handbook['plan']}"]
        with caplog.at_level(logging.INFO):
            assert bytes_of(source, item) == PLAN
        asked = [each for each in world.asked if each.path.startswith("/signed/")]
        assert asked
        assert not [each for each in asked if TOKEN in repr(each.headers)]
        assert "Signature" not in caplog.text

    @pytest.mark.parametrize(
        ("fault", "reason"),
        [
            (faults.answer(404), "gone"),
            (faults.answer(403), "permission"),
            (faults.answer(401), "permission"),
        ],
    )
    def test_a_refusal_of_the_host_is_one_files_failure(
        self, source: Notion, world: NotionSimulator, handbook: dict[str, str], fault: Any, reason: str
    ) -> None:
        """Also one that would end a run, did Notion say it."""
        item = listed(source)[f"file:{handbook['plan']}"]
        world.faults.add(Fault(fault, path=SIGNED))
        with pytest.raises(ItemUnreadable) as caught:
            source.fetch(item)
        assert caught.value.reason == reason

    def test_a_host_that_wants_to_be_left_alone_holds_nobody_up(
        self, source: Notion, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """For an hour; the file is tried again later."""
        item = listed(source)[f"file:{handbook['plan']}"]
        world.faults.add(Fault(faults.answer(503, headers={"Retry-After": "3600"}), path=SIGNED))
        with pytest.raises(SourceBusy):
            source.fetch(item)

    def test_half_a_file_is_no_file(
        self, source: Notion, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """A connection that breaks is an error."""
        item = listed(source)[f"file:{handbook['plan']}"]
        world.faults.add(Fault(faults.cut(5), path=SIGNED))
        with pytest.raises(SourceError):
            bytes_of(source, item)

    def test_what_is_gone_meanwhile_is_gone(
        self, source: Notion, world: NotionSimulator, handbook: dict[str, str]
    ) -> None:
        """Block, page, or value of the property."""
        found = listed(source)
        world.trash(handbook["plan"])
        world.erase(handbook["row"])
        for item in found.values():
            if item.title in ("plan.md", "offer.md"):
                with pytest.raises(ItemUnreadable) as caught:
                    source.fetch(item)
                assert caught.value.reason == "gone"


class TestElsewhere:
    @pytest.fixture
    def other(self) -> Iterator[tuple[NotionSimulator, str]]:
        """Another host, with a file whose address lasts."""
        host = NotionSimulator()
        told = host.upload("map.txt", b"a map of the river", "text/plain")
        with host.serve() as url:
            signed = host._uploads.signed(told, base_url=url, now=host.clock.now() + 9e9)
            yield host, signed["file"]["url"]

    def test_files_elsewhere_are_left_there(
        self, source: Notion, world: NotionSimulator, other: tuple[NotionSimulator, str]
    ) -> None:
        """Their names stand in the page's text."""
        world.page("Page", blocks=[elsewhere(other[1])])
        assert files(listed(source)) == {}
        assert other[0].asked == []

    def test_they_are_not_fetched_once_the_settings_say_so(
        self, make_source: MakeSource, world: NotionSimulator, other: tuple[NotionSimulator, str]
    ) -> None:
        """Whatever a run before has recorded: the other host is not asked."""
        world.page("Page", blocks=[elsewhere(other[1])])
        (item,) = files(listed(make_source(external_files=True))).values()
        with pytest.raises(ItemUnreadable) as caught:
            make_source().fetch(item)
        assert caught.value.reason == "gone"
        assert other[0].asked == []

    def test_they_are_fetched_where_the_settings_say_so(
        self, make_source: MakeSource, world: NotionSimulator, other: tuple[NotionSimulator, str]
    ) -> None:
        """Without any token."""
        world.page("Page", blocks=[elsewhere(other[1])])
        source = make_source(external_files=True)
        (item,) = files(listed(source)).values()
        assert item.path == "Page/map.txt"
        assert bytes_of(source, item) == b"a map of the river"
        assert [each.headers.get("authorization") for each in other[0].asked] == [None]

    def test_private_addresses_are_out_of_bounds(
        self,
        make_source: MakeSource,
        world: NotionSimulator,
        other: tuple[NotionSimulator, str],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Ruling 26: for connectors that the operator did not make, whatever a page names."""
        world.page("Page", blocks=[elsewhere(other[1]), elsewhere("file:///etc/passwd")])
        found = files(listed(make_source(external_files=True)))
        monkeypatch.setattr(Session, "network", property(lambda _: Network(guarded=True)))
        source = make_source(external_files=True)
        with pytest.raises(SourceError, match="private"):
            source._downloads.open(found["Page/map.txt"], other[1])
        for address in ("file:///etc/passwd", "ftp://example.com/passwd", "", "https:///passwd"):
            with pytest.raises(ItemUnreadable, match="no address"):
                source._downloads.open(found["Page/passwd"], address)
        assert other[0].asked == []


class TestKeys:
    def test_of_properties_can_be_read_back(self) -> None:
        """Whatever stands in a name or in the id of a property."""
        page = "393abc1e-edcd-81d5-bf32-d1339d9031c2"
        for name in ("a:b.pdf", "50 %.md", "é/ü", "2"):
            for number in (1, 2):
                place = PropertyPlace(page, "wX%7Bd", name, number)
                read = PropertyPlace.read(place.key())
                assert read is not None
                assert (read.page, read.name, read.number) == (page, name, number)
                assert read.key() == place.key()
                assert block_of(place.key()) is None

    def test_versions_tell_the_blocks_with_files(self) -> None:
        """None known is another thing than none there."""
        blocks = ["393abc1e-edcd-81d5-bf32-d1339d9031c2", "393abc1e-edcd-81d5-bf32-d1339d9031c3"]
        assert split_version(with_files("2025", blocks) or "") == ("2025", blocks)
        assert split_version(with_files("2025~1.5", []) or "") == ("2025~1.5", [])
        assert split_version("2025") == ("2025", None)
        assert with_files(None, blocks) is None
