"""From entries to items: who is who, what counts as a change, and which dates are believed."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from catchment.kit import Item
from connectors.rss.addresses import Place
from connectors.rss.entries import Told, told_of
from connectors.rss.model import Document, Enclosure, Entry
from connectors.rss.text import paragraphs, title_text, visible

PLACE = Place("https://blog.example/feed.xml")
NOW = 1_750_000_000.0
DAY = 86_400.0
ENTRY = Entry(guid="g1", link="https://blog.example/a/1/", title="One", html="<p>Some words</p>")


def told(*entries: Entry, full_text: bool = False, place: Place = PLACE) -> list[Told]:
    """What becomes of the entries of a feed, the last one first."""
    return list(told_of(place, Document("The blog", list(entries)), full_text=full_text, now=NOW))


def item(**facts: Any) -> Item:
    """What becomes of one entry."""
    return told(replace(ENTRY, **facts))[0].item


class TestIdentity:
    def test_the_guid_then_the_link_then_the_text(self) -> None:
        """Whatever there is, as it is; and the feed in front, since guids are unique in one only."""
        assert item().key == f"{PLACE.id}:g1"
        assert item(guid="").key == f"{PLACE.id}:https://blog.example/a/1/"
        bare = item(guid="", link="")
        assert bare.key.startswith(f"{PLACE.id}:text-")
        assert bare.key != item(guid="", link="", html="<p>Other words</p>").key
        assert bare.key == item(guid="", link="", html="<p>Some   <b>words</b></p>", published=5.0).key
        assert told(ENTRY, place=Place("https://b.example/"))[0].item.key != item().key

    def test_the_way_somebody_came_is_no_part_of_a_link(self) -> None:
        """Campaigns change from one reading to the next."""
        link = "https://b.example/p?utm_source=rss&id=7&utm_medium=x&fbclid=1"
        assert item(guid="", link=link).key == f"{PLACE.id}:https://b.example/p?id=7"
        assert item(guid="", link="https://b.example/p?utm_source=rss").url == "https://b.example/p"

    def test_the_first_of_several_counts(self) -> None:
        """Feeds that repeat an entry have its newest state in front."""
        (one,) = told(ENTRY, replace(ENTRY, title="Before"))
        assert one.item.title == "One"

    def test_a_guid_that_all_entries_share_identifies_none(self) -> None:
        """Some feeds give the site's address; the links tell the entries apart then."""
        entries = [replace(ENTRY, guid="https://b.example/", link=f"https://b.example/{n}") for n in range(3)]
        assert {one.item.key for one in told(*entries)} == {
            f"{PLACE.id}:https://b.example/{n}" for n in range(3)
        }
        moved = [replace(ENTRY, link="https://b.example/new"), replace(ENTRY, guid="g2")]
        assert {one.item.key for one in told(*moved)} == {f"{PLACE.id}:g1", f"{PLACE.id}:g2"}

    def test_the_oldest_comes_first(self) -> None:
        """Feeds have it last."""
        names = [
            one.item.title for one in told(*(replace(ENTRY, guid=str(n), title=str(n)) for n in range(3)))
        ]
        assert names == ["2", "1", "0"]


class TestVersion:
    @pytest.mark.parametrize(
        "facts",
        [
            {"title": "Two"},
            {"html": "<p>Other words</p>"},
            {"author": "Ann"},
            {"tags": ("x",)},
            {"link": "https://blog.example/other"},
            {"enclosures": [Enclosure("https://b.example/a.mp3")]},
        ],
    )
    def test_it_changes_with_what_people_read(self, facts: dict[str, Any]) -> None:
        """Each of these."""
        assert item(**facts).version != item().version

    @pytest.mark.parametrize(
        "facts",
        [
            {"published": 1.7e9},
            {"updated": 1.7e9},
            {"html": "<p>Some\n <b>words</b><img src='https://t.example/?r=1'><script>var t=1</script></p>"},
            {"link": "https://blog.example/a/1/?utm_source=rss"},
        ],
    )
    def test_it_does_not_change_with_what_changes_by_itself(self, facts: dict[str, Any]) -> None:
        """Dates of the moment, pixels that count readers, markup."""
        assert item(**facts).version == item().version

    def test_files_are_the_same_with_other_signatures(self) -> None:
        """And tags in another order."""
        one = {"enclosures": [Enclosure("https://b.example/a.mp3?sig=1")], "tags": ("x", "y")}
        other = {"enclosures": [Enclosure("https://b.example/a.mp3?sig=2")], "tags": ("y", "x")}
        assert item(**one).version == item(**other).version

    def test_full_texts_are_another_version(self) -> None:
        """So that all is read again when they are asked for."""
        assert told(ENTRY, full_text=True)[0].version != told(ENTRY)[0].version


class TestDates:
    @pytest.mark.parametrize(
        ("published", "updated", "created", "modified"),
        [
            (NOW - DAY, NOW - 60, NOW - DAY, NOW - 60),
            (NOW - DAY, None, NOW - DAY, NOW - DAY),
            (NOW - DAY, NOW - 2 * DAY, NOW - DAY, NOW - DAY),
            (NOW + 3600, None, NOW, NOW),
            (NOW + 400 * DAY, NOW - DAY, None, NOW - DAY),
            (0.0, -62_135_596_800.0, None, None),
            (None, None, None, None),
        ],
    )
    def test_only_those_that_can_be_true(
        self, published: float | None, updated: float | None, created: float | None, modified: float | None
    ) -> None:
        """An hour ahead is a wrong zone; a year ahead and the beginning of an epoch are no dates."""
        found = item(published=published, updated=updated)
        assert (found.created_at, found.modified_at) == (created, modified)


class TestFacts:
    def test_an_item_has_what_a_person_looks_for(self) -> None:
        """A path to filter by, the link to open, author, tags, the feed and the file."""
        found = item(author="Ann", tags=("x",), enclosures=[Enclosure("https://b.example/a.mp3")])
        assert (found.path, found.url) == ("blog.example/a/1", "https://blog.example/a/1/")
        assert (found.author, found.tags, found.title) == ("Ann", ("x",), "One")
        assert found.metadata == {"feed": "The blog", "enclosure": "https://b.example/a.mp3"}
        assert item(link="https://b.example/?p=7").path == "b.example?p=7"
        assert (item(link="").path, item(link="").url) == ("blog.example/g1", None)

    def test_no_secret_of_a_link_is_kept(self) -> None:
        """Feeds for one reader have links with that reader's token."""
        found = item(
            guid="",
            link="https://u:canary@b.example/1?token=canary",
            enclosures=[Enclosure("https://b.example/a?sig=canary")],
        )
        assert "canary" not in repr(found)

    def test_the_body_is_a_page(self) -> None:
        """Title as a heading, text, names of files; what looks like markup in a title is none."""
        (one,) = told(
            replace(ENTRY, title="a < b & <c>", enclosures=[Enclosure("https://b.example/x/a.mp3")])
        )
        body = one.body.decode()
        assert "<h1>a &lt; b &amp; &lt;c&gt;</h1>" in body
        assert "<p>Some words</p>" in body
        assert "<li>a.mp3</li>" in body
        assert one.item.size == len(one.body)
        assert told(ENTRY, full_text=True)[0].item.size is None


class TestText:
    def test_visible(self) -> None:
        """Words with single blanks, entities read, scripts and styles left out."""
        page = "<p>a&amp;b<br>c</p><script>x</script><STYLE>y</STYLE >d<script>e"
        assert visible(page) == "a&b c d"

    def test_titles_and_paragraphs(self) -> None:
        """Markup of titles goes; blank lines of plain text part paragraphs."""
        assert title_text("A <b>c</b> &amp; d < e") == "A c & d < e"
        assert paragraphs("a\r\n\r\nb <c>\n") == "<p>a</p>\n<p>b &lt;c&gt;</p>"
