"""Listing a folder: what is in it, in which order, and when it may be called complete (24)."""

from __future__ import annotations

import errno
import os
import socket
import threading
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catchment.core.errors import RunCancelled
from catchment.kit import (
    Complete,
    ConfigRejected,
    Item,
    PermissionMissing,
    Scope,
    Session,
    SourceDown,
)
from connectors.folder import Folder, FolderConfig

ALL = Scope(".", "all")


def folder(root: Path, session: Session | None = None, **settings: Any) -> Folder:
    return Folder(FolderConfig(path=str(root), **settings), None, session)


def listed(source: Folder, scope: Scope = ALL) -> dict[str, Item]:
    """List a scope to its end and insist that it ends in `Complete`."""
    *items, last = list(source.listing(scope))
    assert isinstance(last, Complete)
    assert all(isinstance(item, Item) for item in items)
    return {item.key: item for item in items if isinstance(item, Item)}


def keys_until_error(
    source: Folder, error: type[Exception], scope: Scope = ALL
) -> tuple[list[str], Exception]:
    """List a scope that must end in this error; return what came before it."""
    keys: list[str] = []
    with pytest.raises(error) as raised:
        for event in source.listing(scope):
            assert isinstance(event, Item), "an incomplete scope must not be called complete"
            keys.append(event.key)
    return keys, raised.value


def write(root: Path, *names: str) -> None:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(name)


@pytest.fixture
def refuse(monkeypatch: pytest.MonkeyPatch) -> Callable[[bytes, int], None]:
    """Let the system refuse to open anything of a name; the tests may run as root, whom it never does."""
    real_open = os.open

    def refuse(name: bytes, number: int) -> None:
        def refusing(path: Any, flags: int, mode: int = 0o777, *, dir_fd: int | None = None) -> int:
            if path == name:
                raise OSError(number, os.strerror(number), path)
            return real_open(path, flags, mode, dir_fd=dir_fd)

        monkeypatch.setattr(os, "open", refusing)

    return refuse


class TestItems:
    def test_an_item_states_what_the_file_system_knows(self, tmp_path: Path) -> None:
        """Key and path are relative, the version is time, size and inode, the address opens the file."""
        write(tmp_path, "team a/report 1.md")
        file = tmp_path / "team a/report 1.md"
        file.chmod(0o640)
        os.utime(file, ns=(1, 1_700_000_000_123_456_789))
        item = listed(folder(tmp_path))["team a/report 1.md"]
        facts = file.stat()
        assert item.path == item.key
        assert item.version == f"1700000000123456789:{facts.st_size}:{facts.st_ino}"
        assert item.move_hint == f"{facts.st_dev}:1700000000123456789:{facts.st_size}:{facts.st_ino}"
        assert (item.size, item.content_type) == (facts.st_size, "text/markdown")
        assert item.modified_at == pytest.approx(1_700_000_000.123456)
        assert item.url == file.as_uri()
        assert item.metadata == {"mode": "0640"}

    def test_the_order_is_the_same_on_every_machine(self, tmp_path: Path) -> None:
        """Names in byte order, the files of a folder before those of its sub-folders."""
        write(tmp_path, "b.txt", "a/z.txt", "a/B.txt", "c.txt", "\u00e9.txt", "a/in/x.txt", "A.txt")
        expected = ["A.txt", "b.txt", "c.txt", "\u00e9.txt", "a/B.txt", "a/z.txt", "a/in/x.txt"]
        assert list(listed(folder(tmp_path))) == expected

    def test_names_that_are_not_utf8_are_listed_and_read(self, tmp_path: Path) -> None:
        """Line 24: such a name becomes a key of valid text, which leads back to the file."""
        (tmp_path / os.fsdecode(b"caf\xe9.txt")).write_bytes(b"coffee")
        source = folder(tmp_path)
        item = listed(source)["caf%E9.txt"]
        assert item.url is not None
        assert item.url.endswith("/caf%E9.txt")
        assert source.fetch(item).body == b"coffee"

    def test_both_normal_forms_are_two_files(self, tmp_path: Path) -> None:
        """Names are bytes: composed and decomposed accents stay apart where the file system keeps them so."""
        names = {"caf\u00e9.txt", "cafe\u0301.txt"}
        write(tmp_path, *names)
        if {path.name for path in tmp_path.iterdir()} != names:
            pytest.skip("this file system takes the two for one")
        assert set(listed(folder(tmp_path))) == names

    def test_a_rename_of_case_only_is_seen(self, tmp_path: Path) -> None:
        """Line 24: the new spelling is the key, and the move hint says it is the same file."""
        write(tmp_path, "Readme.md")
        before = listed(folder(tmp_path))["Readme.md"]
        (tmp_path / "Readme.md").rename(tmp_path / "README.md")
        after = listed(folder(tmp_path))
        assert list(after) == ["README.md"]
        assert after["README.md"].move_hint == before.move_hint

    def test_two_names_of_one_file_are_not_a_move(self, tmp_path: Path) -> None:
        """Hard links carry no move hint."""
        write(tmp_path, "one")
        os.link(tmp_path / "one", tmp_path / "two")
        assert [item.move_hint for item in listed(folder(tmp_path)).values()] == [None, None]

    def test_a_file_moved_over_another_of_same_size_and_time_is_a_new_version(self, tmp_path: Path) -> None:
        """The inode tells what size and time cannot."""
        write(tmp_path, "a")
        (tmp_path / "b").write_text("B")
        for name in ("a", "b"):
            os.utime(tmp_path / name, ns=(5, 5))
        before = listed(folder(tmp_path))["a"].version
        (tmp_path / "b").replace(tmp_path / "a")
        assert listed(folder(tmp_path))["a"].version != before

    def test_a_change_of_permissions_is_no_new_version(self, tmp_path: Path) -> None:
        """A chmod over a whole tree must not read every file again."""
        write(tmp_path, "a")
        before = listed(folder(tmp_path))["a"].version
        (tmp_path / "a").chmod(0o600)
        assert listed(folder(tmp_path))["a"].version == before

    def test_the_mark_was_taken_before_the_listing_began(self, tmp_path: Path) -> None:
        """A change made during the listing lies behind the mark."""

        class Clock:
            seconds = 1_700_000_000.0

            def now(self) -> float:
                return self.seconds

            def monotonic(self) -> float:
                return self.seconds

        clock = Clock()
        write(tmp_path, "a")
        events = folder(tmp_path, Session(clock=clock)).listing(ALL)
        next(events)
        clock.seconds += 3600
        assert next(events) == Complete(mark="2023-11-14T22:13:20Z")


class TestSpecialFiles:
    def test_fifos_and_sockets_are_refused_and_never_opened(self, tmp_path: Path) -> None:
        """Line 24: a FIFO without writer would hang whoever opens it."""
        os.mkfifo(tmp_path / "pipe")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "socket"))
            items = listed(folder(tmp_path))
        assert {key: item.refusal for key, item in items.items()} == {
            "pipe": "special_file: fifo",
            "socket": "special_file: socket",
        }

    def test_links_are_refused_unless_they_are_to_be_followed(self, tmp_path: Path) -> None:
        """A link is listed, so that a person who misses it learns why."""
        write(tmp_path, "real/a.txt")
        (tmp_path / "folder").symlink_to("real")
        (tmp_path / "file").symlink_to("real/a.txt")
        (tmp_path / "dangling").symlink_to("nowhere")
        (tmp_path / "circle").symlink_to("circle")
        items = listed(folder(tmp_path))
        assert {key: item.refusal for key, item in items.items()} == {
            "circle": "broken_link: leads in a circle",
            "dangling": "broken_link",
            "file": "symlink",
            "folder": "symlink",
            "real/a.txt": None,
        }

    def test_followed_links_are_read_under_their_own_path(self, tmp_path: Path) -> None:
        """Relative and absolute links inside the folder, to files and to folders."""
        write(tmp_path, "real/deep/a.txt")
        (tmp_path / "folder").symlink_to(tmp_path / "real")
        (tmp_path / "real/up.txt").symlink_to("../real/deep/a.txt")
        source = folder(tmp_path, follow_symlinks=True)
        items = listed(source)
        readable = {key for key, item in items.items() if item.refusal is None}
        assert readable == {"real/deep/a.txt", "real/up.txt", "folder/deep/a.txt"}
        assert {source.fetch(items[key]).body for key in readable} == {b"real/deep/a.txt"}
        assert {key: source.fetch(items[key]).item for key in readable} == {
            key: items[key] for key in readable
        }
        assert items["folder/up.txt"].refusal == "symlink: lies behind another one"
        assert items["real/up.txt"].move_hint is None

    def test_links_that_lead_outside_are_never_followed(self, tmp_path: Path) -> None:
        """Neither by an absolute path, nor by climbing, nor over a second link."""
        write(tmp_path, "secret/key.txt", "root/a.txt")
        root = tmp_path / "root"
        (root / "absolute").symlink_to(tmp_path / "secret")
        (root / "climbing").symlink_to("../secret/key.txt")
        (root / "twice").symlink_to("climbing")
        (root / "there-and-back").symlink_to("../secret/../root/a.txt")
        (root / "sibling").symlink_to(f"{root}-other")
        items = listed(folder(root, follow_symlinks=True))
        refusals = {key: item.refusal for key, item in items.items()}
        outside = "symlink: leads outside the folder"
        assert refusals.pop("a.txt") is None
        assert refusals == dict.fromkeys(
            ["absolute", "climbing", "sibling", "there-and-back", "twice"], outside
        )

    def test_loops_of_links_end(self, tmp_path: Path) -> None:
        """Line 24: a link to a folder above, and two folders full of links to each other."""
        write(tmp_path, "a/x.txt", "b/y.txt")
        (tmp_path / "a/up").symlink_to("..")
        (tmp_path / "a/self").symlink_to(".")
        (tmp_path / "a/b").symlink_to("../b")
        (tmp_path / "b/a").symlink_to("../a")
        items = listed(folder(tmp_path, follow_symlinks=True))
        readable = {key for key, item in items.items() if item.refusal is None}
        assert readable == {"a/x.txt", "b/y.txt", "a/b/y.txt", "b/a/x.txt"}
        assert items["a/up"].refusal == "symlink: leads to a folder that it lies in"

    def test_a_folder_configured_through_a_link_is_its_target(self, tmp_path: Path) -> None:
        """The path itself may be a link; absolute links in its spelling still lie inside."""
        write(tmp_path, "disk/a.txt")
        (tmp_path / "docs").symlink_to("disk")
        (tmp_path / "disk/link").symlink_to(tmp_path / "docs/a.txt")
        items = listed(folder(tmp_path / "docs", follow_symlinks=True))
        assert [items[key].refusal for key in ("a.txt", "link")] == [None, None]


class TestWhatIsLeftOut:
    def test_hidden_names_and_junk_are_left_out(self, tmp_path: Path) -> None:
        """What programs leave behind is no document."""
        write(
            tmp_path, "a.txt", ".env", ".git/config", "node_modules/x/y.md", "~$a.docx", "a.tmp", "Thumbs.db"
        )
        assert list(listed(folder(tmp_path))) == ["a.txt"]
        assert sorted(listed(folder(tmp_path, hidden=True))) == [".env", "a.txt"]
        everything = listed(folder(tmp_path, hidden=True, ignore_files=False))
        assert len(everything) == 7

    def test_ignore_files_hold_for_their_folder_and_below(self, tmp_path: Path) -> None:
        """Inner ones overrule outer ones, and .catchmentignore overrules .gitignore."""
        write(
            tmp_path,
            "a.log",
            "x.pdf",
            "in/a.log",
            "in/b.log",
            "in/deep/b.log",
            "build/keep.txt",
            "other/c.txt",
        )
        (tmp_path / ".gitignore").write_text("*.log\nbuild/\n*.pdf\n")
        (tmp_path / ".catchmentignore").write_text("!x.pdf\n")
        (tmp_path / "in/.gitignore").write_text("!b.log\n")
        (tmp_path / "other/.gitignore").write_text("/c.txt\n")
        assert list(listed(folder(tmp_path))) == ["x.pdf", "in/b.log", "in/deep/b.log"]
        assert len(listed(folder(tmp_path, ignore_files=False))) == 7

    def test_an_ignore_file_that_cannot_be_read_leaves_the_scope_incomplete(
        self, tmp_path: Path, refuse: Callable[[bytes, int], None]
    ) -> None:
        """Otherwise what it leaves out would be collected all of a sudden."""
        write(tmp_path, "a.txt", "in/private.txt")
        (tmp_path / "in/.catchmentignore").write_text("private*")
        refuse(b".catchmentignore", errno.EACCES)
        keys, error = keys_until_error(folder(tmp_path), PermissionMissing)
        assert keys == ["a.txt"]
        assert "in cannot be looked at" in str(error)

    def test_admits_answers_like_a_listing(self, tmp_path: Path) -> None:
        """For a path alone, whether or not the file still exists."""
        write(tmp_path, "docs/a.txt", "other/b.txt")
        (tmp_path / ".gitignore").write_text("docs/private/\n*.log\n")
        (tmp_path / "docs/.gitignore").write_text("!keep.log\n")
        source = folder(tmp_path, folders=["docs"])
        admitted = ["docs/a.txt", "docs/gone.txt", "docs/keep.log"]
        refused = [
            "other/b.txt",
            "docs",
            "docs/private/x",
            "docs/x.log",
            "docs/.env",
            "docs/a/.b/c",
            "docs/x.tmp",
        ]
        assert [path for path in (*admitted, *refused) if source.admits(path)] == admitted
        assert not any(
            source.in_scope(name) for name in ("../docs/a", "docs/../../x", "/docs/a.txt", "docs//a", "")
        )

    def test_admits_does_not_refuse_for_want_of_an_answer(
        self, tmp_path: Path, refuse: Callable[[bytes, int], None]
    ) -> None:
        """An ignore file that cannot be read drops no document."""
        write(tmp_path, "a.txt")
        (tmp_path / ".gitignore").write_text("*")
        refuse(b".gitignore", errno.EACCES)
        assert folder(tmp_path).admits("a.txt")


class TestScopes:
    def test_each_sub_folder_is_a_scope_with_full_keys(self, tmp_path: Path) -> None:
        """Keys do not change when the choice of sub-folders does."""
        write(tmp_path, "a/x.txt", "b/c/y.txt", "d.txt")
        source = folder(tmp_path, folders=["b/c/", "./a"])
        assert [(scope.key, list(listed(source, scope))) for scope in source.scopes()] == [
            ("a", ["a/x.txt"]),
            ("b/c", ["b/c/y.txt"]),
        ]

    def test_a_hidden_sub_folder_is_read_when_it_is_named(self, tmp_path: Path) -> None:
        """What a person names is meant; what lies hidden in it still is left out."""
        write(tmp_path, ".notes/a.txt", ".notes/.b.txt")
        source = folder(tmp_path, folders=[".notes"])
        assert list(listed(source, source.scopes()[0])) == [".notes/a.txt"]
        assert source.admits(".notes/a.txt")

    @pytest.mark.parametrize("escape", ["../secret", "a/../../secret", "link", "/etc"])
    def test_a_sub_folder_outside_is_refused(self, tmp_path: Path, escape: str) -> None:
        """By dots, by a link, or as an absolute path."""
        (tmp_path / "secret").mkdir()
        (tmp_path / "root").mkdir()
        (tmp_path / "root/link").symlink_to("../secret")
        with pytest.raises(ConfigRejected) as raised:
            folder(tmp_path / "root", folders=[escape]).scopes()
        assert raised.value.setting == "folders"

    def test_a_sub_folder_that_is_missing_is_never_an_empty_scope(self, tmp_path: Path) -> None:
        """Nor is one that became a file, a link, or ignored: its documents stay until a person decides."""
        write(tmp_path, "file", "real/a.txt", "ignored/a.txt")
        (tmp_path / "link").symlink_to("real")
        (tmp_path / ".gitignore").write_text("ignored/\n")
        for name in ("missing", "file", "link", "ignored"):
            keys, error = keys_until_error(
                folder(tmp_path, folders=[name]), ConfigRejected, Scope(name, name)
            )
            assert keys == []
            assert isinstance(error, ConfigRejected)
            assert error.setting == "folders"


class TestIncomplete:
    def test_a_folder_that_cannot_be_read_leaves_the_scope_incomplete(
        self, tmp_path: Path, refuse: Callable[[bytes, int], None]
    ) -> None:
        """Line 24: all the rest is yielded first, then the error comes instead of `Complete`."""
        write(tmp_path, "a/x.txt", "closed/y.txt", "z/w.txt")
        refuse(b"closed", errno.EACCES)
        keys, error = keys_until_error(folder(tmp_path), PermissionMissing)
        assert keys == ["a/x.txt", "z/w.txt"]
        assert "closed" in str(error)

    def test_a_disk_error_leaves_the_scope_incomplete(
        self, tmp_path: Path, refuse: Callable[[bytes, int], None]
    ) -> None:
        """An error of the disk is told apart from a missing permission."""
        write(tmp_path, "bad/y.txt")
        refuse(b"bad", errno.EIO)
        keys_until_error(folder(tmp_path), SourceDown)

    def test_entries_that_cannot_be_looked_at_leave_the_scope_incomplete(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A folder that may be listed and not entered hides what its entries are."""
        write(tmp_path, "a.txt", "b.txt")
        real_stat = os.stat

        def refusing(path: Any, **how: Any) -> os.stat_result:
            if path == b"b.txt":
                raise PermissionError(errno.EACCES, "denied")
            return real_stat(path, **how)

        monkeypatch.setattr(os, "stat", refusing)
        keys, _ = keys_until_error(folder(tmp_path), PermissionMissing)
        assert keys == ["a.txt"]

    def test_an_excluded_folder_need_not_be_readable(
        self, tmp_path: Path, refuse: Callable[[bytes, int], None]
    ) -> None:
        """The remedy that the error names works, unless an exception may lie in the folder."""
        write(tmp_path, "a.txt", "closed/y.txt")
        refuse(b"closed", errno.EACCES)
        assert list(listed(folder(tmp_path, exclude=["closed/"]))) == ["a.txt"]
        keys_until_error(folder(tmp_path, exclude=["closed/", "!closed/y.txt"]), PermissionMissing)
        keys_until_error(folder(tmp_path, exclude=["closed/*.pdf"]), PermissionMissing)

    @pytest.mark.parametrize("neighbour", ["a.txt", "z.txt"])
    def test_a_folder_that_vanished_meanwhile_is_simply_gone(self, tmp_path: Path, neighbour: str) -> None:
        """Before or after it was looked at: the listing is complete without its documents."""
        write(tmp_path, neighbour, "gone/y.txt")
        events = folder(tmp_path).listing(ALL)
        assert isinstance(next(events), Item)
        (tmp_path / "gone/y.txt").unlink()
        (tmp_path / "gone").rmdir()
        assert isinstance(next(events), Complete)

    def test_a_folder_swapped_for_a_link_to_outside_is_not_entered(self, tmp_path: Path) -> None:
        """Whoever may write into the folder gains no look at what lies outside."""
        write(tmp_path, "secret/key.txt", "root/in/y.txt", "root/z.txt")
        events = folder(tmp_path / "root").listing(ALL)
        next(events)
        (tmp_path / "root/in").rename(tmp_path / "moved")
        (tmp_path / "root/in").symlink_to(tmp_path / "secret")
        assert isinstance(next(events), Complete)

    def test_a_folder_replaced_during_the_listing_is_not_complete(self, tmp_path: Path) -> None:
        """What was read belongs to another folder than the one that is there now."""
        write(tmp_path, "root/a.txt")
        events = folder(tmp_path / "root").listing(ALL)
        next(events)
        (tmp_path / "root").rename(tmp_path / "old")
        (tmp_path / "root").mkdir()
        with pytest.raises(SourceDown):
            next(events)

    def test_a_missing_folder_is_a_matter_of_the_path(self, tmp_path: Path) -> None:
        """Missing, or a file: the setting and the path are named."""
        write(tmp_path, "file")
        for name in ("missing", "file"):
            _, error = keys_until_error(folder(tmp_path / name), ConfigRejected)
            assert isinstance(error, ConfigRejected)
            assert error.setting == "path"
            assert str(tmp_path / name) in str(error)

    def test_an_empty_folder_is_complete(self, tmp_path: Path) -> None:
        """Whether that may remove anything is for the guard to decide."""
        assert listed(folder(tmp_path)) == {}

    def test_a_closed_root_asks_for_permission(
        self, tmp_path: Path, refuse: Callable[[bytes, int], None], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whether it may not be entered or not be listed."""
        write(tmp_path, "a.txt")
        for name in (str(tmp_path), "."):
            with monkeypatch.context():
                refuse(name, errno.EACCES)  # type: ignore[arg-type]
                keys_until_error(folder(tmp_path), PermissionMissing)

    def test_an_untrusted_connector_reads_no_folder(self, tmp_path: Path) -> None:
        """Only whoever runs the machine may point at its folders."""
        write(tmp_path, "a.txt")
        keys_until_error(folder(tmp_path, Session(trusted=False)), ConfigRejected)


class TestSize:
    def test_a_folder_of_twenty_thousand_files_is_listed_in_little_memory(self, tmp_path: Path) -> None:
        """Line 24: the names of one folder are held, items are not."""
        count = 20_000
        for number in range(count):
            (tmp_path / f"file-{number:05}.txt").touch()
        source = folder(tmp_path)
        tracemalloc.start()
        try:
            seen = sum(isinstance(event, Item) for event in source.listing(ALL))
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert seen == count
        assert peak < count * 300

    def test_a_tree_deeper_than_any_path_may_be_long_is_listed(self, tmp_path: Path) -> None:
        """Folders are opened one in the other, with few descriptors, so no limit of the system is met."""
        depth, name = 300, "a-folder-name"
        place = os.open(tmp_path, os.O_RDONLY)
        for _ in range(depth):
            os.mkdir(name, dir_fd=place)
            inner = os.open(name, os.O_RDONLY, dir_fd=place)
            os.close(place)
            place = inner
        os.close(os.open("x.txt", os.O_CREAT | os.O_WRONLY, dir_fd=place))
        os.close(place)
        source = folder(tmp_path)
        (item,) = listed(source).values()
        assert len(item.key) > depth * len(name)
        assert source.fetch(item).body == b""
        assert source.admits(item.key)
        assert [found.item for found in source.find([ALL], [item.key])] == [item]

    def test_a_stop_ends_a_listing_within_one_folder(self, tmp_path: Path) -> None:
        """A person who stops a run does not wait for a large folder."""
        for number in range(600):
            (tmp_path / f"{number}").touch()
        stop = threading.Event()
        events = folder(tmp_path, Session(stop=stop)).listing(ALL)
        next(events)
        stop.set()
        with pytest.raises(RunCancelled):
            for _ in range(599):
                next(events)

    def test_no_descriptor_stays_open(self, tmp_path: Path) -> None:
        """Neither after a listing, nor after one that was left, nor after reading."""
        write(tmp_path, "a/b/c.txt", "a/d.txt")
        before = len(list(Path("/dev/fd").iterdir()))
        source = folder(tmp_path)
        for item in listed(source).values():
            source.fetch(item)
        left = source.listing(ALL)
        next(left)
        left.close()  # type: ignore[attr-defined]
        source.check()
        list(source.find([ALL], ["a/b/c.txt", "none"]))
        source.close()
        assert len(list(Path("/dev/fd").iterdir())) == before
