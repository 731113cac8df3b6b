"""Secrets of the API's own: useless without the key file."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine

from catchment.store import sealed
from catchment.store.engine import reading, writing
from catchment.store.sealed import KeyFile, WrongKey


@pytest.fixture
def key(tmp_path: Path) -> KeyFile:
    return KeyFile(tmp_path / "key")


class TestAKeyFile:
    def test_is_its_owners_alone(self, key: KeyFile) -> None:
        """It is made when it is first needed, and stays the same."""
        assert not key.path.exists()
        first = key.seal("a", b"jewel")
        assert stat.S_IMODE(key.path.stat().st_mode) == 0o600
        assert key.path.stat().st_size == 32
        assert [path.name for path in key.path.parent.iterdir()] == ["key"]
        assert KeyFile(key.path).open("a", first) == b"jewel"

    def test_is_made_once_by_many(self, key: KeyFile) -> None:
        """Whoever comes first at the same time: all seal with one key."""
        with ThreadPoolExecutor(8) as threads:
            made = list(threads.map(lambda _: KeyFile(key.path).seal("a", b"jewel"), range(32)))
        assert {key.open("a", data) for data in made} == {b"jewel"}
        assert len(set(made)) == 32


class TestWhatIsSealed:
    def test_does_not_show_what_it_is(self, key: KeyFile) -> None:
        """Neither the text, nor whether two texts are the same."""
        once, again = key.seal("a", b"jewel" * 10), key.seal("a", b"jewel" * 10)
        assert b"jewel" not in once
        assert once[12:20] != again[12:20]

    def test_is_opened_by_its_key_and_name_alone(self, key: KeyFile, tmp_path: Path) -> None:
        """Not with another key, not under another name, not when it was changed, not when the key is gone."""
        data = key.seal("a", b"jewel")
        other = KeyFile(tmp_path / "other")
        other.seal("a", b"")
        changed = bytes([*data[:-1], data[-1] ^ 1])
        for opener, name, given in (
            (other, "a", data),
            (key, "b", data),
            (key, "a", changed),
            (key, "a", b""),
            (KeyFile(tmp_path / "gone"), "a", data),
        ):
            with pytest.raises(WrongKey) as refused:
                opener.open(name, given)
            assert "jewel" not in str(refused.value)
        assert not (tmp_path / "gone").exists()


def test_rows_are_kept_under_their_names(store: Engine) -> None:
    """The last one counts; names are listed by their beginning, which is no pattern."""
    with writing(store) as connection:
        for name in ("a:b", "a:c", "a%d", "b:a"):
            sealed.put(connection, name, b"old", now=1.0)
        sealed.put(connection, "a:b", b"new", now=2.0)
        assert sealed.drop(connection, "a:c")
        assert not sealed.drop(connection, "a:c")
    with reading(store) as connection:
        assert sealed.get(connection, "a:b") == b"new"
        assert sealed.get(connection, "a:c") is None
        assert sealed.names(connection, "a:") == [("a:b", 2.0)]
        assert sealed.names(connection, "a%") == [("a%d", 1.0)]
