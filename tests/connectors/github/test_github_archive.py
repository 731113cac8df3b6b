"""The archive of a commit: taken where it is cheaper, believed by hashes alone, and never needed."""

from __future__ import annotations

import gzip
import io
import shutil
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import ItemUnreadable, RunCancelled
from catchment.kit import Content, Item, Session
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository
from catchment.simulators.github.git import LINK, SUBMODULE, Entry
from catchment.simulators.wire import Reply
from connectors.github import GitHub, archive
from connectors.github.archive import MIB, is_cheaper
from connectors.github.shelf import Shelf
from tests.connectors.github.conftest import MakeSource, asked, listed
from tests.support.vault import Vault

BIG = b"the gauge at the weir was read again\n" * 60_000
CODELOAD = r"/codeload/.*"


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five files are many, and any disk has room."""
    monkeypatch.setattr(archive, "LEAST_FILES", 5)
    monkeypatch.setattr(archive, "LEAST_FREE_BYTES", 0)


@pytest.fixture
def many(repo: Repository) -> Repository:
    """Twenty files, and three more."""
    repo.commit({f"docs/{number:02}.md": f"# Page {number}\n" for number in range(20)})
    return repo


def bodies(source: GitHub, *, content: bool = True) -> dict[str, bytes]:
    """List, and read every file, by its path in the repository."""
    items, _ = listed(source, content=content)
    return {item.path.split("/", 2)[2]: body_of(source, item) for item in items.values() if not item.refusal}


def body_of(source: GitHub, item: Item) -> bytes:
    with source.fetch(item).stream() as stream:
        return stream.read()


def truth(repo: Repository) -> dict[str, bytes]:
    files = repo.files().items()
    return {path: repo.git.blobs[entry.sha] for path, entry in files if entry.mode not in (LINK, SUBMODULE)}


def blobs(vendor: Vendor) -> int:
    """Return how many bodies were asked for one by one since the last look."""
    return sum("/git/blobs/" in path for path in asked(vendor))


class TestCheaper:
    @pytest.mark.parametrize(
        ("facts", "cheaper"),
        [
            ({"files": 100, "bytes_read": MIB, "bytes_all": MIB}, True),
            ({"files": 99, "bytes_read": MIB, "bytes_all": MIB}, False),
            ({"files": 100, "bytes_read": 0, "bytes_all": 100 * 128 * 1024}, True),
            ({"files": 100, "bytes_read": 0, "bytes_all": 100 * 128 * 1024 + 1}, False),
            ({"files": 100, "bytes_read": 512 * MIB, "bytes_all": 512 * MIB}, True),
            ({"files": 100, "bytes_read": 513 * MIB, "bytes_all": 513 * MIB}, False),
            ({"files": 100, "bytes_read": 0, "bytes_all": 500 * MIB, "requests_left": 600}, False),
            ({"files": 100, "bytes_read": 0, "bytes_all": 500 * MIB, "requests_left": 599}, True),
            ({"files": 99, "bytes_read": 0, "bytes_all": MIB, "requests_left": 0}, False),
        ],
    )
    def test_by_number_size_and_what_the_limit_leaves(
        self, facts: dict[str, Any], cheaper: bool, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Many files, little for nothing, and never more than the disk should bear."""
        monkeypatch.setattr(archive, "LEAST_FILES", 100)
        assert is_cheaper(**{"requests_left": None, **facts}) is cheaper

    def test_only_what_would_be_read_counts(
        self, make_source: MakeSource, vendor: Vendor, many: Repository
    ) -> None:
        """Not what the path filter, the patterns of every source, or the size leave out."""
        for settings in (
            {"path_filter": "README.md"},
            {"include": ["octo-org/weir/src/"]},
            {"exclude": ["*.md"]},
            {"max_file_bytes": 2},
        ):
            source = make_source(**settings)
            bodies(source)
            assert not any("tarball" in path for path in asked(vendor))
            source.close()

    def test_a_disk_without_room_is_left_alone(
        self, source: GitHub, vendor: Vendor, many: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Bodies then come one by one."""
        monkeypatch.setattr(archive, "LEAST_FREE_BYTES", 2**60)
        assert bodies(source) == truth(many)
        assert not any("tarball" in path for path in asked(vendor))

    def test_what_the_limit_leaves_is_known_from_the_last_answer(
        self, make_source: MakeSource, vendor: Vendor, many: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A large file that nobody reads does not keep the archive away once requests are few."""
        monkeypatch.setattr(archive, "BYTES_FOR_REQUEST", 0)
        source = make_source(exclude=["*.bin"])
        many.commit({"big.bin": BIG})
        bodies(source)
        assert not any("tarball" in path for path in asked(vendor))
        vendor.access.limit = 500
        bodies(source)
        assert any("tarball" in path for path in asked(vendor))


class TestTaken:
    def test_a_first_sync_reads_all_files_by_two_requests(
        self, house: Vault, vendor: Vendor, many: Repository, clock: SetClock
    ) -> None:
        """The next reads what changed by itself; `full` takes an archive again."""
        run = house.sync()
        assert (run.state, run.indexed) == ("SUCCEEDED", 23)
        paths = asked(vendor)
        assert sum("tarball" in path or "codeload" in path for path in paths) == 2
        assert not any("/git/blobs/" in path for path in paths)
        texts = house.texts()
        for path, body in truth(many).items():
            assert body.decode().split()[-1] in texts[f"{many.id}:main:{path}"]
        many.commit({f"docs/{number:02}.md": "# Edited\n" for number in range(10)})
        assert house.sync().fetched == 10
        assert blobs(vendor) == 10
        assert house.sync(mode="full").state == "SUCCEEDED"
        assert blobs(vendor) == 0
        house.check_index()

    def test_every_kind_of_file_is_its_very_bytes(
        self, source: GitHub, vendor: Vendor, many: Repository
    ) -> None:
        """Empty, binary, large, equal ones, with long and strange names; links and submodules are refused."""
        many.commit(
            {
                "empty": b"",
                "raw.bin": bytes(range(256)),
                "big.txt": BIG,
                "same-1": b"same",
                "same-2": b"same",
                f"{'deep/' * 40}ü ä.txt": b"far down",
                "link": Entry(LINK, many.git.blob(b"README.md")),
                "lib": Entry(SUBMODULE, "1" * 40),
            }
        )
        assert bodies(source) == truth(many)
        assert blobs(vendor) == 0
        items, _ = listed(source, content=True)
        assert not isinstance(source.fetch(items[f"{many.id}:main:big.txt"]).body, bytes), "a stream"
        assert {item.refusal for item in items.values()} == {None, "symlink", "submodule"}

    def test_what_attributes_leave_out_or_change_is_read_by_itself(
        self, source: GitHub, vendor: Vendor, many: Repository
    ) -> None:
        """The bytes are those of the commit, by their hash."""
        many.commit(
            {
                ".gitattributes": "docs/0*.md export-ignore\nversion.txt export-subst\n",
                "version.txt": "$Format:%H$\n",
            }
        )
        assert bodies(source) == truth(many)
        assert blobs(vendor) == 10 + 1

    def test_a_pointer_to_lfs_is_refused_as_ever(
        self, source: GitHub, vendor: Vendor, many: Repository
    ) -> None:
        """Where the archive holds the file itself its hash is another."""
        many.commit({"in-lfs.bin": b"version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 9\n"})
        items, _ = listed(source, content=True)
        with pytest.raises(ItemUnreadable) as caught:
            source.fetch(items[f"{many.id}:main:in-lfs.bin"])
        assert caught.value.reason == "lfs"
        assert blobs(vendor) == 0

    def test_a_tree_that_was_cut_off_makes_no_difference(
        self, source: GitHub, vendor: Vendor, many: Repository
    ) -> None:
        """Acceptance 14: folders are listed one by one, bodies come together."""
        vendor.most_entries = 12
        assert bodies(source) == truth(many)
        assert blobs(vendor) == 0

    def test_nothing_is_kept_beyond_the_next_listing(
        self, source: GitHub, vendor: Vendor, many: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nor when the connector is closed; a body that is being read is read to its end."""
        many.commit({"big.txt": BIG})
        items, _ = listed(source, content=True)
        item = items[f"{many.id}:main:big.txt"]
        stream = source.fetch(item).stream()
        assert stream.read(10) == BIG[:10]
        monkeypatch.setattr(archive, "LEAST_FILES", 1000)
        listed(source, content=True)
        assert source.files.archives.get(str(item.version), whole_bytes=1) is None
        assert stream.read() == BIG[10:]
        stream.close()
        asked(vendor)
        assert body_of(source, item) == BIG
        assert blobs(vendor) == 1

    def test_a_cancel_while_it_comes_ends_the_run(
        self, source: GitHub, vendor: Vendor, many: Repository, session: Session
    ) -> None:
        """Acceptance 19: and leaves nothing behind."""
        vendor.faults.add(Fault(faults.meanwhile(session.stop.set), path=CODELOAD))
        with pytest.raises(RunCancelled):
            listed(source, content=True)
        assert source.files.archives.get("x", whole_bytes=1) is None


def packed(change: Callable[[tarfile.TarFile], None]) -> bytes:
    """Return an archive of one's own."""
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w", format=tarfile.PAX_FORMAT) as tar:
        change(tar)
    return gzip.compress(made.getvalue())


def long_header(tar: tarfile.TarFile) -> None:
    info = tarfile.TarInfo("head/docs/00.md")
    info.pax_headers = {"comment": "x" * (2 * MIB)}
    tar.addfile(info)


def wrong_bytes(tar: tarfile.TarFile) -> None:
    for number in range(20):
        info = tarfile.TarInfo(f"head/docs/{number:02}.md")
        info.size = 5
        tar.addfile(info, io.BytesIO(b"wrong"))


def sparse(tar: tarfile.TarFile) -> None:
    info = tarfile.TarInfo("head/docs/00.md")
    info.type = tarfile.GNUTYPE_SPARSE
    tar.addfile(info)


class TestTrouble:
    @pytest.mark.parametrize(
        "fault",
        [
            faults.answer(404, {"message": "Not Found"}),
            faults.answer(500, b"<html>"),
            faults.answer(200, b"no archive at all"),
            faults.answer(200, b""),
            faults.answer(200, gzip.compress(b"packed, and no archive" * 100)),
            faults.answer(200, packed(long_header)),
            faults.answer(200, packed(wrong_bytes)),
            faults.answer(200, packed(sparse)),
            faults.cut(300),
            faults.malformed(),
        ],
    )
    def test_costs_requests_and_nothing_else(
        self, source: GitHub, vendor: Vendor, many: Repository, fault: faults.Answer
    ) -> None:
        """Not there, broken off, nonsense, wrong: every file is read all the same, and none is believed."""
        vendor.faults.add(Fault(fault, path=CODELOAD))
        assert bodies(source) == truth(many)
        assert blobs(vendor) > 10

    def test_what_came_before_it_broke_off_counts(
        self, source: GitHub, vendor: Vendor, many: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Only the rest is read one by one."""
        many.commit({f"z/{number:03}.bin": bytes([number]) * 20_000 for number in range(40)})
        monkeypatch.setattr(archive, "MOST_BYTES", 400_000)
        monkeypatch.setattr(archive, "is_cheaper", lambda **_: True)
        assert bodies(source) == truth(many)
        assert 15 <= blobs(vendor) <= 30

    def test_what_would_be_read_into_memory_whole_is_refused(self, session: Session) -> None:
        """Headers about the next header have no bound of their own; and a cancel ends the unpacking."""
        with pytest.raises(tarfile.ReadError, match="too long"):
            list(archive._members(archive._Unpacked(iter([packed(long_header)]), session)))
        session.stop.set()
        with pytest.raises(RunCancelled):
            list(archive._members(archive._Unpacked(iter([packed(wrong_bytes)]), session)))

    def test_one_that_unpacks_to_more_than_it_should_is_given_up(
        self, source: GitHub, vendor: Vendor, many: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Whatever it claims to hold."""
        monkeypatch.setattr(archive, "_MOST_UNPACKED", 50_000)
        seen: list[int] = []
        real = archive._Unpacked.next_piece

        def counted(unpacked: archive._Unpacked) -> bytes:
            piece = real(unpacked)
            seen.append(len(piece))
            return piece

        monkeypatch.setattr(archive._Unpacked, "next_piece", counted)
        bomb = gzip.compress(bytes(200 * MIB))
        vendor.faults.add(Fault(lambda *_: Reply(200, bomb), path=CODELOAD))
        assert bodies(source) == truth(many)
        assert sum(seen) <= 50_000


class TestShelf:
    def test_bytes_are_found_by_the_hash_of_git(self, tmp_path: Path) -> None:
        """A file that is shorter than it said, or longer, is not."""
        shelf = Shelf(tmp_path)
        shelf.put([b"hel", b"lo"], 5)
        shelf.put([b"hel"], 5)
        shelf.put([b"hello!"], 5)
        shelf.put([], 0)
        shelf.put([b"hel", b"lo"], 5)
        shelf.finish()
        found = shelf.get("b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0", whole_bytes=10)
        assert found == b"hello"
        stream = shelf.get("b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0", whole_bytes=1)
        assert not isinstance(stream, bytes)
        assert stream is not None
        with stream:
            assert stream.readall() == b"hello"
        assert shelf.get("e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", whole_bytes=10) == b""
        assert shelf.get("0" * 40, whole_bytes=10) is None
        shelf.close()
        assert shelf.get("b6fc4c620b67d95f953a5c1c1230aaab5db5a1b0", whole_bytes=10) is None

    def test_lies_where_the_run_keeps_large_bodies(
        self, house: Vault, many: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On the disk of the store, whose room is looked at first; the temporary folder may be memory."""
        looked: list[Path] = []
        made: list[Path] = []
        usage, file = shutil.disk_usage, tempfile.TemporaryFile

        def seen(folder: Path) -> Any:
            looked.append(folder)
            return usage(folder)

        def opened(**where: Path) -> Any:
            made.extend(where.values())
            return file(**where)

        monkeypatch.setattr(shutil, "disk_usage", seen)
        monkeypatch.setattr(tempfile, "TemporaryFile", opened)
        house.sync()
        assert len(made) == 1
        assert made[0].parent == house.home / "spool"
        assert made[0] in looked
        assert list((house.home / "spool").iterdir()) == []

    def test_without_a_folder_files_come_one_by_one(
        self, source: GitHub, session: Session, vendor: Vendor, many: Repository
    ) -> None:
        """Acceptance 26: also where it is gone by the time that the archive comes."""
        calls: list[int] = []

        def nowhere() -> Path:
            raise OSError(30, "Read-only file system")

        def going() -> Path:
            calls.append(1)
            return Path(tempfile.gettempdir()) if len(calls) == 1 else nowhere()

        for spool in (nowhere, going):
            session.spool = spool
            assert bodies(source) == truth(many)
            assert not any("tarball" in path for path in asked(vendor))
        assert len(calls) == 2

    def test_a_disk_that_fills_up_is_no_end_of_the_run(
        self, source: GitHub, many: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 26: neither at the beginning, in the middle, nor at the end."""
        for method in ("__init__", "put", "finish"):
            with monkeypatch.context() as patched:

                def full(*_: object) -> None:
                    raise OSError(28, "No space left on device")

                patched.setattr(Shelf, method, full)
                items, _ = listed(source, content=True)
            content = source.fetch(items[f"{many.id}:main:docs/00.md"])
            assert isinstance(content, Content)
            assert content.body == b"# Page 0\n"
