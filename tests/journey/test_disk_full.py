"""A disk that fills up while runs write: they stop, keep what they have, and go on when there is room."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import DiskFull
from catchment.store import scopes
from catchment.store.engine import reading, writing
from catchment.sync.cursor import SavedCursor
from tests.support.vault import Vault, counts

MIB = 1024 * 1024
DISK = 64 * MIB
FILES = 240
FEW = 20
CHARACTERS = 40_000
"""240 files of 40 kB come to some 30 MiB in the store: too much beside the ballast, and well without it."""


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 64 MiB, in memory, that no other test can fill."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if mount is None or os.name != "posix":
        pytest.skip("there is no mount command")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if made.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {made.stderr.strip()}")
    try:
        yield folder
    finally:
        # Lazily: a file that a failed test has left open must not keep the mount.
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    folder.mkdir()
    return folder


@pytest.fixture
def house(disk: Path, source: Path) -> Iterator[Vault]:
    """A store on the small disk, with one connector to a folder on another."""
    sizes = {"batch_items": 16, "first_batch_items": 8, "min_free_bytes": MIB}
    vault = Vault(disk, clock=SetClock(), poll_seconds=0.5, **sizes)
    vault.add("folder", {"path": str(source)})
    yield vault
    vault.engine.dispose()


def fill(source: Path, numbers: range) -> None:
    """Write files of words that do not repeat, so that text and index both cost what they cost."""
    for number in numbers:
        words = random.Random(number)
        text = " ".join(f"{words.randrange(16**6):06x}" for _ in range(CHARACTERS // 7))
        (source / f"f{number:04}.txt").write_text(f"token{number:04} {text}\n")


def leave_free(disk: Path, wanted: int) -> Path:
    """Write ballast until only so many bytes are free; return the file that holds them."""
    ballast = disk / "ballast"
    ballast.write_bytes(b"\0" * max(0, shutil.disk_usage(disk).free - wanted))
    return ballast


def place_of(house: Vault) -> tuple[SavedCursor | None, list[int]]:
    """Return where the next run begins: the cursor, and how many listings of the scope were completed."""
    connector = house.connector()
    with reading(house.engine) as connection:
        known = scopes.of_connector(connection, connector.pk)
    return house.cursors.load(connector.id), [scope.generation for scope in known.values()]


def check_exact(house: Vault, source: Path) -> None:
    """The index holds the files of the source, each with its own text, and the file is sound."""
    held = house.texts()
    files = {path.name: path.read_text() for path in source.iterdir()}
    assert held.keys() == files.keys()
    for name, text in files.items():
        assert held[name].split()[0] == text.split()[0]
        assert len(held[name].split()) >= len(text.split())
    check_sound(house)


def check_sound(house: Vault) -> None:
    with reading(house.engine) as connection:
        assert connection.exec_driver_sql("PRAGMA integrity_check").scalars().all() == ["ok"]
    house.check_index()


class TestLittleRoom:
    def test_a_run_stops_before_the_disk_is_full_and_the_next_goes_on(
        self, house: Vault, disk: Path, source: Path
    ) -> None:
        """It ends as disk_full and says what to do; the cursor stays, nothing is lost, nothing done twice.

        Acceptance 26.
        """
        fill(source, range(FEW))
        assert counts(house.sync())["indexed"] == FEW
        before, kept = place_of(house), house.texts()
        fill(source, range(FEW, FILES))
        house.tune(min_free_bytes=16 * MIB)
        ballast = leave_free(disk, 28 * MIB)

        full = house.sync()
        assert (full.state, full.error_code) == ("FAILED", "disk_full")
        assert "MiB are free where the store lies" in (full.error_message or "")
        assert shutil.disk_usage(disk).free > 0, "the run came to the very end of the disk"
        assert 0 < full.indexed < FILES - FEW
        assert place_of(house) == before
        held = house.texts()
        assert held.items() >= kept.items()
        assert len(held) == FEW + full.indexed, "the counters tell other than the store"
        assert list((disk / "spool").glob("*")) == []
        check_sound(house)

        ballast.unlink()
        following = counts(house.sync())
        assert following["skipped"] == len(held), "what was indexed before was done again"
        assert following["indexed"] == FILES - len(held)
        assert following.get("deleted", 0) == 0
        assert place_of(house) != before
        check_exact(house, source)

    def test_a_disk_that_is_full_from_the_start_costs_nothing(
        self, house: Vault, disk: Path, source: Path
    ) -> None:
        """Run after run ends as disk_full and changes neither index nor cursor."""
        fill(source, range(FEW))
        house.sync()
        (source / "f0000.txt").write_text("token0000 edited\n")
        (source / "f0001.txt").unlink()
        before, kept = place_of(house), house.texts()
        house.tune(min_free_bytes=16 * MIB)
        ballast = leave_free(disk, 8 * MIB)
        for _ in range(3):
            assert house.sync().error_code == "disk_full"
        assert (place_of(house), house.texts()) == (before, kept)
        ballast.unlink()
        assert counts(house.sync()) == {
            "collected": FEW - 1, "fetched": 1, "parsed": 1, "indexed": 1, "skipped": FEW - 2, "deleted": 1
        }  # fmt: skip
        check_exact(house, source)


class TestNoRoom:
    def test_a_transaction_that_finds_no_room_is_rolled_back_whole(self, house: Vault, disk: Path) -> None:
        """`DiskFull` is raised, nothing of the transaction is kept, and the file stays sound."""
        leave_free(disk, 4 * MIB)
        with pytest.raises(DiskFull, match="no room left for the store"), writing(house.engine) as connection:
            connection.exec_driver_sql("CREATE TABLE ballast (bytes BLOB)")
            for _ in range(64):
                connection.exec_driver_sql("INSERT INTO ballast VALUES (zeroblob(1048576))")
        with reading(house.engine) as connection:
            known = connection.exec_driver_sql("SELECT name FROM sqlite_master").scalars().all()
        assert "ballast" not in known
        check_sound(house)

    def test_a_run_that_hits_the_end_of_the_disk_loses_nothing(
        self, house: Vault, disk: Path, source: Path
    ) -> None:
        """With no reserve SQLite itself finds no room: the run ends as disk_full, and the next goes on."""
        fill(source, range(FEW))
        house.sync()
        before, kept = place_of(house), house.texts()
        fill(source, range(FEW, FILES))
        house.tune(min_free_bytes=0)
        ballast = leave_free(disk, 10 * MIB)

        full = house.sync()
        assert (full.state, full.error_code) == ("FAILED", "disk_full")
        assert "no room left for the store" in (full.error_message or "")
        assert place_of(house) == before
        held = house.texts()
        assert held.items() >= kept.items()
        assert len(held) == FEW + full.indexed
        check_sound(house)

        ballast.unlink()
        following = counts(house.sync())
        assert following["skipped"] == len(held)
        assert following.get("deleted", 0) == 0
        check_exact(house, source)

    def test_a_spool_file_that_finds_no_room_ends_the_run_not_the_item(
        self, house: Vault, disk: Path, source: Path
    ) -> None:
        """A large body that does not fit is no failure of the file: the run ends, and the next takes it."""
        fill(source, range(FEW))
        house.sync()
        line = "the gauge at the weir was read again and stood higher than before\n"
        (source / "large.txt").write_text("token9999 " + line * (16 * MIB // len(line)))
        house.tune(min_free_bytes=0)
        ballast = leave_free(disk, 8 * MIB)
        full = house.sync()
        assert (full.state, full.error_code, full.failed) == ("FAILED", "disk_full", 0)
        assert "spool" in (full.error_message or "")
        assert list((disk / "spool").glob("*")) == []
        assert house.item("large.txt") is None
        ballast.unlink()
        (source / "large.txt").write_text("token9999 " + line * (6 * MIB // len(line)))
        following = counts(house.sync())
        assert (following["indexed"], following["skipped"]) == (1, FEW)
        check_exact(house, source)
