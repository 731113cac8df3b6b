"""Requests on threads of their own: who asks gets their answer, whenever it comes."""

from __future__ import annotations

import threading
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotYet

import pytest

from catchment.core.errors import RunCancelled
from catchment.kit import Session, SourceDown, errands
from catchment.kit.errands import Errand, Errands


class _Late(Future[str]):
    """An answer that comes in the very moment in which the wait for it ends."""

    def __init__(self, error: Exception | None = None) -> None:
        super().__init__()
        self._late_error = error

    def result(self, timeout: float | None = None) -> str:
        if timeout is None or self.done():
            return super().result(timeout)
        if self._late_error is not None:
            self.set_exception(self._late_error)
        else:
            self.set_result("late")
        raise NotYet


def test_an_answer_that_comes_as_the_wait_ends_is_an_answer() -> None:
    """Once in some thousands of requests, on a crowded machine, it was an unexpected TimeoutError."""
    assert Errand(_Late(), Session()).result() == "late"


def test_so_is_an_error_even_one_of_that_name() -> None:
    """What the request raised is raised, and not taken for a wait that goes on."""
    with pytest.raises(SourceDown):
        Errand(_Late(SourceDown("gone")), Session()).result()
    with pytest.raises(NotYet, match="its own"):
        Errands(Session()).run(_times_out)


def _times_out() -> str:
    raise NotYet("its own")


def test_who_must_end_leaves_a_silent_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """The request stays behind, in its thread."""
    monkeypatch.setattr(errands, "_TICK_SECONDS", 0.01)
    stop, silent = threading.Event(), threading.Event()
    session = Session(stop=stop)
    errand = Errands(session).start(silent.wait)
    stop.set()
    with pytest.raises(RunCancelled):
        errand.result()
    assert not errand.done
    silent.set()
