from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import pytest

from catchment.cli.house import House
from catchment.cli.main import main
from catchment.core import settings
from catchment.core.home import home_settings
from catchment.services.blocks import BlockCursorStore
from tests.cli.prefect_wire import Wire
from tests.support.plain import PlainHouse


@dataclass
class Said:
    """What a command left behind."""

    code: int
    out: str
    err: str

    @property
    def records(self) -> list[dict[str, Any]]:
        """The JSON objects on standard output; nothing else may be there."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def record(self) -> dict[str, Any]:
        """The last of them."""
        return self.records[-1]


Cli = Callable[..., Said]


def _forget_settings() -> None:
    for read in (home_settings, settings.sync_settings, settings.parse_settings):
        read.cache_clear()


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    home = tmp_path / "home"
    home.mkdir(mode=0o700)
    monkeypatch.setenv("CATCHMENT_HOME", str(home))
    for name in (
        "CATCHMENT_PREFECT_API_URL",
        "CATCHMENT_DATABASE_URL",
        "CATCHMENT_SERVER_URL",
        "CATCHMENT_DEBUG",
    ):
        monkeypatch.delenv(name, raising=False)
    _forget_settings()
    yield home
    _forget_settings()


@pytest.fixture
def cli(home: Path, capsys: pytest.CaptureFixture[str]) -> Cli:
    """Run a command line and return what it said."""
    return partial(carried_out, capsys)


def carried_out(capsys: pytest.CaptureFixture[str], *words: object) -> Said:
    """Carry out a command line in this process."""
    capsys.readouterr()
    code = main([str(word) for word in words])
    said = capsys.readouterr()
    return Said(code, said.out, said.err)


class Place:
    """A home with a store, a folder of documents, and the wire to Prefect."""

    def __init__(self, home: Path, docs: Path) -> None:
        self.home = home
        self.docs = docs
        self.wire = Wire(lambda: self.house)

    @cached_property
    def house(self) -> PlainHouse:
        """The store; made at first use, as the local stack makes it at its start."""
        house = PlainHouse(self.home)
        house.cursors = BlockCursorStore(self.wire.client())  # type: ignore[assignment]
        return house

    def write(self, **files: str | None) -> None:
        """Write files of the folder, by their stem; None takes one away."""
        for stem, text in files.items():
            path = self.docs / f"{stem}.txt"
            path.unlink(missing_ok=True) if text is None else path.write_text(text, encoding="utf-8")


@pytest.fixture
def place(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    docs = tmp_path / "docs"
    docs.mkdir()
    place = Place(home, docs)

    def connect(_self: House) -> Any:
        _ = place.house
        return place.wire.client()

    monkeypatch.setattr(House, "connect", connect)
    return place


@pytest.fixture
def synced(place: Place, cli: Cli) -> Place:
    """The place, with two documents and a broken one in the index, by the name of docs."""
    place.write(heron="The heron stands in the shallow water.", otter="The otter sleeps on the bank.")
    (place.docs / "torn.pdf").write_bytes(b"%PDF-1.4 torn")
    said = cli("sync", place.docs)
    assert said.code == 3, said
    return place
