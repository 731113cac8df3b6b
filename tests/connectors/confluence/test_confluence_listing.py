"""Listings: exactly what the site has, where it stands, at no more requests than pages."""

from __future__ import annotations

import pytest

from catchment.core.errors import ConfigRejected, ItemUnreadable, SourceDown
from catchment.core.items import Complete
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from connectors.confluence import cloud, datacenter
from tests.support.confluence import Bench, expected, listed, personal, text

WAYS = ["cloud", "app", "data center"]


def given(bench: Bench, way: str) -> dict[str, object]:
    """Return the credentials of a way to sign in."""
    return {"cloud": None, "app": bench.app(), "data center": personal()}[way]  # type: ignore[return-value]


def furnish(bench: Bench) -> dict[str, int]:
    """Put one of everything into the space."""
    world = bench.world
    ids = {"guide": world.add_page("ENG", "Guide", "<p>Read the gauge.</p>")}
    ids["night"] = world.add_page("ENG", "Night/day", "<p>At night.</p>", parent=ids["guide"])
    ids["folder"] = world.add_folder("ENG", "Plans", parent=ids["guide"])
    ids["plan"] = world.add_page("ENG", "Plan A", "<p>First.</p>", parent=ids["folder"])
    ids["news"] = world.add_blogpost("ENG", "News", "<p>It rains.</p>")
    ids["comment"] = world.add_comment(ids["guide"], "<p>Is it so?</p>")
    ids["answer"] = world.add_comment(ids["guide"], "<p>It is.</p>", answers=ids["comment"])
    ids["inline"] = world.add_comment(ids["night"], "<p>Which one?</p>", selection="At night")
    ids["file"] = world.attach(ids["guide"], "level log.txt", b"3.14 m")
    ids["of_news"] = world.attach(ids["news"], "rain.csv", b"mm\n7\n", media_type="text/csv")
    return ids


@pytest.mark.parametrize("way", WAYS)
class TestEverything:
    def test_is_listed_once_with_the_ids_of_the_site(self, bench: Bench, way: str) -> None:
        """Whoever signs in: the very set of ids, without trash and drafts."""
        ids = furnish(bench)
        gone = bench.world.add_page("ENG", "Gone")
        bench.world.attach(gone, "gone.txt", b"x")
        bench.world.trash(gone)
        source = bench.source(credentials=given(bench, way))
        found = listed(source)
        assert set(found) == expected(bench.site) >= {str(ids["guide"]), f"att{ids['file']}"}

    def test_is_read_as_text_or_file(self, bench: Bench, way: str) -> None:
        """Bodies of each kind."""
        ids = furnish(bench)
        source = bench.source(credentials=given(bench, way))
        found = listed(source)
        assert text(source, found[str(ids["guide"])]) == "# Guide\n\nRead the gauge.\n"
        assert text(source, found[str(ids["news"])]) == "# News\n\nIt rains.\n"
        assert text(source, found[str(ids["answer"])]) == "# Re: Guide\n\nIt is.\n"
        assert text(source, found[str(ids["inline"])]) == "# Re: Night/day\n\n> At night\n\nWhich one?\n"
        assert text(source, found[f"att{ids['file']}"]) == "3.14 m"
        assert text(source, found[f"att{ids['of_news']}"]) == "mm\n7\n"

    def test_stands_below_its_ancestors(self, bench: Bench, way: str) -> None:
        """Space, titles from the top, and for parts the page they belong to."""
        ids = furnish(bench)
        found = listed(bench.source(credentials=given(bench, way)))
        paths = {
            name: found.get(str(id), found.get(f"att{id}")) for name, id in ids.items() if name != "folder"
        }
        told = {name: item.path for name, item in paths.items() if item is not None}
        above_plan = "ENG/Guide/Plans" if way != "data center" else "ENG/Guide"
        assert told == {
            "guide": "ENG/Guide",
            "night": "ENG/Guide/Night\u2215day",
            "plan": f"{above_plan}/Plan A",
            "news": "ENG/blog/2025-06-15/News",
            "comment": f"ENG/Guide/comments/{ids['comment']}",
            "answer": f"ENG/Guide/comments/{ids['answer']}",
            "inline": f"ENG/Guide/Night\u2215day/comments/{ids['inline']}",
            "file": "ENG/Guide/level log.txt",
            "of_news": "ENG/blog/2025-06-15/News/rain.csv",
        }

    def test_has_all_parts_of_a_page_that_has_many(self, bench: Bench, way: str) -> None:
        """More comments and files than come along with a page."""
        page = bench.world.add_page("ENG", "Page")
        for number in range(60):
            bench.world.add_comment(page, f"<p>Remark {number}.</p>")
            bench.world.attach(page, f"{number}.txt", b"x")
        assert set(listed(bench.source(credentials=given(bench, way)))) == expected(bench.site)

    @pytest.mark.parametrize("size", ["one", "two", "all", "more"])
    def test_is_the_same_whatever_the_size_of_a_page(
        self, bench: Bench, way: str, size: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """1, 2, n and n+1 in a page."""
        for number in range(5):
            bench.world.add_page("ENG", f"Page {number}")
        furnish(bench)
        pages = sum(one.kind == "page" for one in bench.world.contents.values())
        items = {"one": 1, "two": 2, "all": pages, "more": pages + 1}[size]

        monkeypatch.setattr(cloud, "PAGE_ITEMS", items)
        monkeypatch.setattr(datacenter, "PAGE_ITEMS", items)
        assert set(listed(bench.source(credentials=given(bench, way)))) == expected(bench.site)


@pytest.mark.parametrize("way", WAYS)
class TestBodies:
    def test_come_with_what_the_page_says_by_now(self, bench: Bench, way: str) -> None:
        """Edited, renamed and labelled between listing and fetch: version, path and tags are fresh."""
        ids = furnish(bench)
        source = bench.source(credentials=given(bench, way))
        item = listed(source)[str(ids["night"])]
        bench.clock.advance(60)
        bench.world.edit(ids["night"], "<p>By day.</p>", title="Day/night")
        bench.world.label(ids["night"], "shift", "late")
        content = source.fetch(item)
        assert content.body == b"# Day/night\n\nBy day.\n"
        assert content.item is not None
        assert content.item.path == "ENG/Guide/Day\u2215night"
        assert (content.item.version, content.item.tags) == ("2", ("shift", "late"))
        assert content.item.modified_at == bench.clock.now()

    @pytest.mark.parametrize("name", ["guide", "news", "comment", "inline", "file"])
    def test_of_what_went_meanwhile_are_gone(self, bench: Bench, way: str, name: str) -> None:
        """Into the trash or for good."""
        ids = furnish(bench)
        source = bench.source(credentials=given(bench, way))
        key = f"att{ids[name]}" if name == "file" else str(ids[name])
        item = listed(source)[key]
        for act in (bench.world.trash, bench.world.purge):
            act(ids[name])
            with pytest.raises(ItemUnreadable) as caught:
                source.fetch(item)
            assert (caught.value.key, caught.value.reason) == (key, "gone")

    def test_that_are_long_are_streamed(self, bench: Bench, way: str) -> None:
        """And one that breaks off is an error, not half a file."""
        data = bytes(range(256)) * 20_000
        page = bench.world.add_page("ENG", "Page")
        file = bench.world.attach(page, "big.bin", data, media_type="application/octet-stream")
        source = bench.source(credentials=given(bench, way))
        item = listed(source)[f"att{file}"]
        assert item.size == len(data)
        content = source.fetch(item)
        assert not isinstance(content.body, bytes)
        with content.body as stream:
            assert stream.read() == data
        bench.site.faults.add(Fault(faults.cut(3_000_000), path=r"/(media|download)/.*"))
        content = source.fetch(item)
        assert not isinstance(content.body, bytes)
        with pytest.raises(SourceDown), content.body as stream:
            stream.read()

    def test_that_may_not_be_read_are_told_so(self, bench: Bench, way: str) -> None:
        """This item alone."""
        ids = furnish(bench)
        source = bench.source(credentials=given(bench, way))
        item = listed(source)[str(ids["guide"])]
        bench.site.faults.add(
            Fault(faults.answer(403, {"message": "Not permitted"}), path=rf".*/{ids['guide']}")
        )
        with pytest.raises(ItemUnreadable, match="Not permitted") as caught:
            source.fetch(item)
        assert caught.value.reason == "permission"


class TestScopes:
    def test_paths_of_other_spaces_are_not_admitted(self, bench: Bench) -> None:
        """Nor those of a space whose key begins alike; ids may lie anywhere."""
        source = bench.source(space_keys=["ENG"])
        assert source.admits("ENG/Page")
        assert source.in_scope("98304")
        assert source.in_scope("att98304")
        assert not source.admits("ENGLISH/Page")
        assert not source.admits("OPS/98304")
        assert bench.source().admits("OPS/Page")

    def test_named_spaces_are_scopes_of_their_own(self, bench: Bench) -> None:
        """And nothing of another space is in them."""
        furnish(bench)
        bench.world.add_space("OPS")
        bench.world.attach(bench.world.add_page("OPS", "Pump"), "pump.txt", b"on")
        bench.world.add_space("HR")
        source = bench.source(space_keys=["ENG", "OPS"])
        assert [scope.key for scope in source.scopes()] == ["ENG", "OPS"]
        assert set(listed(source)) == expected(bench.site, "ENG", "OPS")
        assert bench.asked("/attachments") == 1, "the files of the site are listed once for both"

    @pytest.mark.parametrize("way", WAYS)
    def test_many_spaces_are_asked_for_some_at_a_time(self, bench: Bench, way: str) -> None:
        """An address holds only so much."""
        keys = [f"S{number:03}" for number in range(230)]
        for key in keys:
            bench.world.add_space(key)
        source = bench.source(credentials=given(bench, way), space_keys=keys)
        assert [space.key for space in source.reading.spaces(keys)] == keys
        assert bench.asked("/space") == 3
        assert max(len(str(request.query)) for request in bench.site.asked) < 1000

    def test_a_space_that_is_not_there_is_a_setting_to_mend(self, bench: Bench) -> None:
        """And no empty scope."""
        source = bench.source(space_keys=["ENG", "NONE"])
        with pytest.raises(ConfigRejected) as caught:
            list(source.listing(source.scopes()[1]))
        assert caught.value.setting == "space_keys"

    def test_archives_are_read_where_they_are_asked_for(self, bench: Bench) -> None:
        """Archived pages with their parts, and archived spaces."""
        ids = furnish(bench)
        bench.world.archive(ids["night"])
        bench.world.add_space("OLD")
        bench.world.archive_space("OLD")
        assert set(listed(bench.source())) == expected(bench.site)
        found = set(listed(bench.source(include_archived=True)))
        assert found == expected(bench.site, archived=True)
        assert str(ids["night"]) in found

    def test_kinds_can_be_left_out(self, bench: Bench) -> None:
        """Then they cost no request."""
        furnish(bench)
        found = listed(bench.source(attachments=False, comments=False))
        assert {item.metadata["type"] for item in found.values()} == {"page", "blogpost"}
        assert bench.asked("comments") == bench.asked("attachments") == 0

    def test_what_the_account_may_not_see_is_not_there(self, bench: Bench) -> None:
        """Nor what lies below; a page whose parent is hidden stands at the top."""
        ids = furnish(bench)
        bench.world.add_user("712020:other")
        bench.world.restrict(ids["guide"], users=["712020:other"])
        assert set(listed(bench.source())) == expected(bench.site)


class TestRequests:
    def test_are_the_pages_of_the_lists_and_nothing_else(self, bench: Bench) -> None:
        """Spaces, pages, posts, files, two kinds of comments, and each folder."""
        furnish(bench)
        listed(bench.source())
        assert len(bench.site.asked) == 7

    def test_a_parent_that_comes_later_is_waited_for(self, bench: Bench) -> None:
        """A page moved below a younger one."""
        first = bench.world.add_page("ENG", "First")
        second = bench.world.add_page("ENG", "Second")
        bench.world.move(first, parent=second)
        assert listed(bench.source())[str(first)].path == "ENG/Second/First"


class TestFaults:
    def test_a_page_that_fails_for_good_makes_no_complete_listing(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 1: what was listed before it is told, and no Complete."""
        monkeypatch.setattr(cloud, "PAGE_ITEMS", 2)
        for number in range(6):
            bench.world.add_page("ENG", f"Page {number}")
        bench.site.faults.add(Fault(faults.answer(500), path=r".*/pages", skip=2))
        source = bench.source(space_keys=["ENG"])
        seen = []
        with pytest.raises(SourceDown):
            for event in source.listing(source.scopes()[0]):
                seen.append(event)
        assert len(seen) == 4
        assert not any(isinstance(event, Complete) for event in seen)

    @pytest.mark.parametrize(
        "fault",
        [faults.answer(500), faults.answer(503), faults.cut(40), faults.malformed()],
        ids=["500", "503", "cut", "half"],
    )
    def test_one_bad_answer_is_asked_again(self, bench: Bench, fault: faults.Answer) -> None:
        """And nobody notices."""
        furnish(bench)
        bench.site.faults.add(Fault(fault, path=r".*/(pages|attachments)", times=2))
        assert set(listed(bench.source())) == expected(bench.site)
        assert bench.site.faults.happened == 2

    def test_a_list_that_goes_round_in_a_circle_ends(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A cursor that comes again is an error, and no listing."""
        monkeypatch.setattr(cloud, "PAGE_ITEMS", 1)
        for number in range(4):
            bench.world.add_page("ENG", f"Page {number}")
        first: list[str] = []

        def again(_request: object, reply: faults.Reply) -> None:
            if isinstance(reply.body, dict) and "next" in reply.body["_links"]:
                first.append(reply.body["_links"]["next"])
                reply.body["_links"]["next"] = first[0]

        bench.site.faults.add(Fault(faults.changed(again), path=r".*/pages"))
        with pytest.raises(SourceDown, match="no end"):
            listed(bench.source())

    def test_a_list_that_says_the_same_again_and_again_ends(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At Data Center, where lists go by position: an error, and no listing."""
        monkeypatch.setattr(datacenter, "PAGE_ITEMS", 2)
        for number in range(4):
            bench.world.add_page("ENG", f"Page {number}")
        first: list[object] = []

        def again(_request: object, reply: faults.Reply) -> None:
            first.append(reply.body)
            reply.body = first[0]

        bench.site.faults.add(Fault(faults.changed(again), path=r".*/content"))
        with pytest.raises(SourceDown, match="again and again"):
            listed(bench.source(credentials=personal()))

    @pytest.mark.parametrize("items", [1, 3])
    def test_an_empty_page_is_not_the_end_while_another_follows(
        self, bench: Bench, items: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """At Data Center: what stood on it is asked for again."""
        monkeypatch.setattr(datacenter, "PAGE_ITEMS", items)
        for number in range(4):
            bench.world.add_page("ENG", f"Page {number}")

        def empty(_request: object, reply: faults.Reply) -> None:
            reply.body["results"] = []

        bench.site.faults.add(Fault(faults.changed(empty), path=r".*/content", skip=1, times=1))
        assert set(listed(bench.source(credentials=personal()))) == expected(bench.site)

    def test_a_link_in_the_header_alone_is_followed(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And the one that names the site is not taken for it."""
        monkeypatch.setattr(cloud, "PAGE_ITEMS", 2)
        furnish(bench)

        def drop(_request: object, reply: faults.Reply) -> None:
            if isinstance(reply.body, dict):
                reply.body["_links"].pop("next", None)

        bench.site.faults.add(Fault(faults.changed(drop)))
        assert set(listed(bench.source())) == expected(bench.site)

    @pytest.mark.parametrize("way", WAYS)
    def test_deleted_and_made_between_two_pages(
        self, bench: Bench, way: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing that was there all along is missed, though places in the list have moved."""
        monkeypatch.setattr(cloud, "PAGE_ITEMS", 4)
        monkeypatch.setattr(datacenter, "PAGE_ITEMS", 4)
        made = [bench.world.add_page("ENG", f"Page {number}") for number in range(20)]
        stays = expected(bench.site) - {str(made[0]), str(made[1]), str(made[6])}

        def change() -> None:
            for id_ in (made[0], made[1], made[6]):
                bench.world.purge(id_)
            bench.world.add_page("ENG", "New")

        path = r".*/(pages|content)"
        bench.site.faults.add(Fault(faults.meanwhile(change), path=path, skip=2, times=1))
        assert set(listed(bench.source(credentials=given(bench, way)))) >= stays
