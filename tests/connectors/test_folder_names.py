"""Names as keys: reversible for any bytes, unchanged for names that people give (24)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connectors.folder.names import from_key, to_key, to_parts

file_names = st.one_of(
    st.binary(min_size=1, max_size=40),
    # Dense in what the scheme could confuse.
    st.lists(
        st.sampled_from([b"%", b"2", b"5", b"E", b"9", b"e", b"\xe9", b"\xc3\xa9", b"%25"]), min_size=1
    ).map(b"".join),
).filter(lambda raw: b"/" not in raw and b"\0" not in raw)


class TestRoundTrip:
    @given(file_names)
    def test_every_name_comes_back_from_its_key(self, raw: bytes) -> None:
        """Line 24: a name that is not UTF-8 loses nothing, and its key is valid text."""
        key = to_key(raw)
        key.encode("utf-8")
        assert from_key(key) == raw

    @given(file_names, file_names)
    def test_two_names_never_share_a_key(self, one: bytes, other: bytes) -> None:
        """Distinct files stay distinct items."""
        assert (to_key(one) == to_key(other)) == (one == other)

    @given(st.text(max_size=20))
    def test_a_text_that_is_no_key_stands_for_no_name(self, text: str) -> None:
        """A key that the scheme would not write finds nothing, so one file has one key."""
        raw = from_key(text)
        assert raw is None or to_key(raw) == text


class TestSpelling:
    @pytest.mark.parametrize(
        ("raw", "key"),
        [
            (b"report.txt", "report.txt"),
            ("caf\u00e9".encode(), "caf\u00e9"),
            ("cafe\u0301".encode(), "cafe\u0301"),
            (b"caf\xe9", "caf%E9"),
            (b"50% off", "50% off"),
            (b"a%20b", "a%20b"),
            (b"100%25", "100%2525"),
            (b"caf%E9", "caf%25E9"),
            (b"caf%e9", "caf%e9"),
            (b"\xed\xa0\x80", "%ED%A0%80"),
        ],
    )
    def test_only_what_needs_it_is_escaped(self, raw: bytes, key: str) -> None:
        """Both normal forms stay as they are; a percent sign is escaped only where it could mislead."""
        assert to_key(raw) == key

    @pytest.mark.parametrize(
        "key", ["", "/etc", "a//b", "a/", "./a", "a/../b", "..", "a\0b", "\ud800", "%C3%A9"]
    )
    def test_what_no_file_below_can_be_called_is_refused(self, key: str) -> None:
        """A key never leads upwards, to nothing, or to a second spelling."""
        assert to_parts(key) is None
