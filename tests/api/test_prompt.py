"""The watch over hanging requests."""

from __future__ import annotations

import time

import pytest

from tests.api.conftest import Api
from tests.support import prompt


def test_a_request_that_takes_too_long_fails(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """By the processor or by the clock; one that does not is answered as ever."""

    def work() -> dict[str, str]:
        until = time.process_time() + 0.05
        while time.process_time() < until:
            pass
        return {}

    api.route("/work", work)
    assert api.raw("GET", "/work").status_code == 200
    monkeypatch.setattr(prompt, "MOST_SECONDS", 0.01)
    assert api.raw("GET", "/work").status_code == 500
    monkeypatch.setattr(prompt, "MOST_SECONDS", 10.0)
    monkeypatch.setattr(prompt, "PATIENCE_SECONDS", 0.01)
    assert api.raw("GET", "/work").status_code == 500
