"""Bodies, and single things by name: files as they are, issues with all that was said about them."""

from __future__ import annotations

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import ItemUnreadable, SourceDown
from catchment.kit import Item
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository
from catchment.simulators.github import code as vendor_code
from connectors.github import GitHub
from connectors.github.finding import MOST_FAILURES
from connectors.github.rendering import talk
from tests.connectors.github.conftest import MakeSource, asked, changed, listed

BIG = b"the gauge at the weir was read again\n" * 60_000


def body_of(source: GitHub, item: Item) -> bytes:
    """Read a body whole."""
    with source.fetch(item).stream() as stream:
        return stream.read()


class TestFiles:
    def test_are_the_very_bytes(self, source: GitHub, vendor: Vendor, repo: Repository) -> None:
        """Empty, binary, large; one request each."""
        raw = bytes(range(256))
        repo.commit({"empty": b"", "raw.bin": raw, "big.txt": BIG})
        items, _ = listed(source)
        asked(vendor)
        head = f"{repo.id}:main:"
        assert body_of(source, items[f"{head}empty"]) == b""
        assert body_of(source, items[f"{head}raw.bin"]) == raw
        assert body_of(source, items[f"{head}big.txt"]) == BIG
        assert len(asked(vendor)) == 3
        assert not isinstance(source.fetch(items[f"{head}big.txt"]).body, bytes), "a stream"

    def test_a_change_has_no_size_and_is_read_all_the_same(
        self, source: GitHub, vendor: Vendor, repo: Repository
    ) -> None:
        """A comparison tells no size; a small file is asked for again where it breaks off."""
        _, marks = listed(source)
        repo.commit({"big.txt": BIG, "none.txt": b""})
        found, _ = changed(source, marks)
        for path, body in (("big.txt", BIG), ("none.txt", b"")):
            item = found[f"{repo.id}:main:{path}"]
            assert item is not None
            assert item.size is None
            assert body_of(source, item) == body
        repo.commit({"small.txt": b"a few words"})
        item = changed(source, marks)[0][f"{repo.id}:main:small.txt"]
        assert item is not None
        vendor.faults.add(Fault(faults.cut(3), path=r".*/blobs/.*", times=1))
        assert body_of(source, item) == b"a few words"

    def test_what_cannot_be_read_says_why(
        self, source: GitHub, repo: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Gone, in LFS, too large for the API: the item, and not the source."""
        pointer = b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n"
        repo.commit({"big.txt": BIG, "in-lfs.bin": pointer})
        items, _ = listed(source)
        monkeypatch.setattr(vendor_code, "LARGEST_BYTES", 1000)
        reasons = {}
        sha = repo.files()["docs/a.md"].sha
        kept = repo.git.blobs.pop(sha)
        for path in ("big.txt", "in-lfs.bin", "docs/a.md"):
            with pytest.raises(ItemUnreadable) as caught:
                source.fetch(items[f"{repo.id}:main:{path}"])
            reasons[path] = caught.value.reason
        assert reasons == {"big.txt": "too_large", "in-lfs.bin": "lfs", "docs/a.md": "gone"}
        repo.git.blobs[sha] = kept
        _, marks = listed(source)
        repo.commit({"another.bin": pointer + b"x"})
        item = changed(source, marks)[0][f"{repo.id}:main:another.bin"]
        assert item is not None
        with pytest.raises(ItemUnreadable, match="LFS"):
            source.fetch(item)

    def test_a_stream_that_breaks_off_is_no_file(
        self, source: GitHub, vendor: Vendor, repo: Repository
    ) -> None:
        """It ends in an error, not in half a body."""
        repo.commit({"big.txt": BIG})
        items, _ = listed(source)
        vendor.faults.add(Fault(faults.cut(500_000), path=r".*/blobs/.*"))
        with pytest.raises(SourceDown, match="broke off"):
            body_of(source, items[f"{repo.id}:main:big.txt"])


class TestIssues:
    def test_have_all_that_was_said_in_order(
        self, source: GitHub, vendor: Vendor, repo: Repository, clock: SetClock
    ) -> None:
        """Below headings with authors; at most four requests for a pull request, one for a plain issue."""
        repo.open("Plain", "Nothing more.")
        pull = repo.open(
            "Stop the leak", "# Why\r\n\r\nIt <!-- hidden -->leaks.\n```\n# no heading\n```", pull=True
        )
        pull.labels, pull.assignees, pull.milestone = ["bug", "urgent"], ["octo-bob"], "Spring"
        clock.advance(60)
        repo.comment(2, "Since when?\n## Details\nnone")
        clock.advance(60)
        repo.remark(2, "Why here?", path="src/b.py", line=7)
        clock.advance(60)
        repo.review(2, "", state="APPROVED")
        repo.review(2, "", state="COMMENTED")
        items, _ = listed(source)
        asked(vendor)
        content = source.fetch(items[pull.node_id])
        assert asked(vendor) == ["/pulls/2", "/issues/2/comments", "/pulls/2/comments", "/pulls/2/reviews"]
        assert isinstance(content.body, bytes)
        assert content.body.decode() == (
            "# Stop the leak (#2)\n\n"
            "Labels: bug, urgent\nMilestone: Spring\nAssigned to: octo-bob\n\n"
            "## Why\n\nIt leaks.\n```\n# no heading\n```\n\n"
            "## octo-bob commented, 2025-06-15\n\nSince when?\n#### Details\nnone\n\n"
            "## octo-bob on src/b.py, line 7, 2025-06-15\n\nWhy here?\n\n"
            "## octo-bob approved, 2025-06-15\n"
        )
        plain = next(item for item in items.values() if item.title == "Plain")
        source.fetch(plain)
        assert asked(vendor) == ["/issues/1"]

    def test_a_listing_brings_the_same_text_along(
        self, source: GitHub, repo: Repository, clock: SetClock
    ) -> None:
        """Of issues and pull requests, with remarks and reviews; but no long ones."""
        for number in range(4):
            repo.open(f"Issue {number}", "Body", pull=number == 3)
            repo.comment(number + 1, "x" * 100)
        repo.comment(3, "x" * 20_000)
        repo.remark(4, "Too low", path="weir.py", line=7)
        repo.review(4, "Mind the gauge", state="CHANGES_REQUESTED")
        items, _ = listed(source, content=True)
        brought = {item.title for item in items.values() if item.content is not None}
        assert brought == {"Issue 0", "Issue 1", "Issue 3"}
        for item in items.values():
            if item.content is not None:
                read = source.fetch(item)
                assert item.content.body == read.body
                assert read.item is not None
                assert read.item.version == item.version

    def test_a_comment_that_comes_after_the_comments_were_read_is_not_left_out(
        self, source: GitHub, vendor: Vendor, repo: Repository
    ) -> None:
        """The text is then fetched, since the number of comments tells of one more."""
        repo.open("Issue", "Body")
        comment = faults.meanwhile(lambda: repo.comment(1, "Just now"))
        vendor.faults.add(Fault(comment, path=r".*/weir/issues", times=1))
        items, _ = listed(source, content=True)
        item = items[repo.issues[1].node_id]
        assert item.content is None
        assert b"Just now" in body_of(source, item)

    def test_those_that_went_are_gone(self, source: GitHub, vendor: Vendor, repo: Repository) -> None:
        """Deleted, or transferred to where the old address leads on to."""
        other = vendor.repository("octo-org/dam", collaborators={"octo-ann": "admin"})
        for number in range(3):
            repo.open(f"Issue {number}", "Body")
        items, _ = listed(source)
        deleted = repo.delete(1).node_id
        moved = repo.issues[2].node_id
        repo.transfer(2, other)
        for key in (deleted, moved):
            with pytest.raises(ItemUnreadable) as caught:
                source.fetch(items[key])
            assert caught.value.reason == "gone"

    def test_odd_ones_can_be_written(self) -> None:
        """No author, no body, no title, labels as plain words."""
        text = talk(
            {"number": 1, "title": None, "body": None, "user": None, "labels": ["a", {"name": "b"}]},
            [{"id": 1, "user": None, "body": "x", "created_at": None, "updated_at": "2025"}],
        )
        assert text == "# Untitled (#1)\n\nLabels: a, b\n\n## ghost commented\n\nx\n"


class TestFinding:
    def test_by_key_and_by_path(self, source: GitHub, vendor: Vendor, repo: Repository) -> None:
        """Files by one request, issues by number, nodes by the other API; each name gets one answer."""
        repo.open("Issue", "Body")
        pull = repo.open("Pull", "Body", pull=True)
        items, _ = listed(source)
        scopes = source.scopes()
        names = [
            f"{repo.id}:main:docs/a.md",
            f"{repo.id}:main:nowhere.md",
            f"{repo.id}:main:docs",
            f"{repo.id}:other:docs/a.md",
            "octo-org/weir/src/b.py",
            "octo-org/weir/issues/1",
            "octo-org/weir/pull/2",
            "octo-org/weir/issues/99",
            "octo-org/elsewhere/x.md",
            pull.node_id,
            "I_nobody",
        ]
        asked(vendor)
        found = list(source.find(scopes, names))
        assert sorted(one.name for one in found) == sorted(names)
        answers = {one.name: one.item.key if one.item is not None else None for one in found}
        assert answers == {
            f"{repo.id}:main:docs/a.md": f"{repo.id}:main:docs/a.md",
            f"{repo.id}:main:nowhere.md": None,
            f"{repo.id}:main:docs": None,
            f"{repo.id}:other:docs/a.md": None,
            "octo-org/weir/src/b.py": f"{repo.id}:main:src/b.py",
            "octo-org/weir/issues/1": repo.issues[1].node_id,
            "octo-org/weir/pull/2": pull.node_id,
            "octo-org/weir/issues/99": None,
            "octo-org/elsewhere/x.md": None,
            pull.node_id: pull.node_id,
            "I_nobody": None,
        }
        for one in found:
            if one.item is not None:
                assert one.item.version == items[one.item.key].version
                assert one.item.path == items[one.item.key].path
                assert one.scope in {scope.key for scope in scopes}
        assert asked(vendor).count("/graphql") == 1

    def test_a_transferred_one_is_not_found_where_it_was(
        self, source: GitHub, vendor: Vendor, repo: Repository
    ) -> None:
        """Although the old address leads to it."""
        other = vendor.repository("octo-org/dam", collaborators={"octo-ann": "admin"})
        repo.open("Issue", "Body")
        issue = repo.transfer(1, other)
        found = list(source.find(source.scopes(), ["octo-org/weir/issues/1", issue.node_id]))
        assert [one.item for one in found] == [None, None]

    def test_the_path_filter_holds(self, make_source: MakeSource, repo: Repository) -> None:
        """What is outside is not there."""
        source = make_source(path_filter="docs/")
        assert not source.in_scope(f"{repo.id}:main:src/b.py")
        assert source.in_scope(f"{repo.id}:main:docs/a.md")
        found = list(source.find(source.scopes(), [f"{repo.id}:main:src/b.py"]))
        assert found[0].item is None

    def test_one_that_is_not_shown_keeps_no_other_from_being_found(
        self, source: GitHub, vendor: Vendor, repo: Repository
    ) -> None:
        """It is unknown, and not gone; many in a row are GitHub's own failure."""
        issues = [repo.open(f"Issue {number}", "Body") for number in range(MOST_FAILURES + 1)]
        names = [issue.node_id for issue in issues]
        vendor.faults.add(Fault(faults.answer(500), path=r".*/issues/2"))
        found = list(source.find(source.scopes(), names))
        assert [one.name for one in found if one.item is None] == [names[1]]
        assert found[1].unknown
        vendor.faults.add(Fault(faults.answer(500), path=r".*/issues/\d"))
        with pytest.raises(SourceDown):
            list(source.find(source.scopes(), names))
