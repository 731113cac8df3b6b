"""Time as it is written and read."""

from __future__ import annotations

import time

import pytest

from catchment.core.clock import SystemClock, iso


@pytest.mark.parametrize(
    ("seconds", "written"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_700_000_000, "2023-11-14T22:13:20Z"),
        (1_700_000_000.999_999, "2023-11-14T22:13:20Z"),
        (-1, "1969-12-31T23:59:59Z"),
        (253_402_300_799, "9999-12-31T23:59:59Z"),
        (1e12, "9999-12-31T23:59:59Z"),
        (float("inf"), "9999-12-31T23:59:59Z"),
        (-1e12, "0001-01-01T00:00:00Z"),
    ],
)
def test_iso_is_utc_in_whole_seconds(seconds: float, written: str) -> None:
    """No fraction, no local time, whatever the machine's zone."""
    assert iso(seconds) == written


def test_iso_of_no_time_is_no_time() -> None:
    """What has no time is not 1970."""
    assert iso(None) is None


def test_iso_does_not_follow_the_zone_of_the_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same text everywhere."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        assert iso(0) == "1970-01-01T00:00:00Z"
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_system_clock_never_measures_backwards() -> None:
    """Waits are measured with a clock that nobody sets."""
    clock = SystemClock()
    moments = [clock.monotonic() for _ in range(1000)]
    assert moments == sorted(moments)
    assert abs(clock.now() - time.time()) < 60
