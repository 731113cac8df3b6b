"""Work that shares a turn: its order, its bounds, and whose error is whose."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

import pytest

from catchment.services.together import Together
from tests.support.stack import wait_for


class Counter:
    """Does numbers by doubling them; the first turn waits until it is let go."""

    def __init__(self, *, most: int = 10, most_size: int = 100) -> None:
        self.turns: list[list[int]] = []
        self.begun, self.let_go = threading.Event(), threading.Event()
        self.line = Together(self._double, most=most, most_size=most_size)
        self.came: dict[int, int | BaseException] = {}
        self._threads: list[threading.Thread] = []

    def _double(self, numbers: Sequence[int]) -> list[int | Exception]:
        self.turns.append(list(numbers))
        self.begun.set()
        assert self.let_go.wait(30)
        if 13 in numbers:
            raise OSError("the machine stands still")
        return [ValueError(f"{number} is odd") if number % 2 else number * 2 for number in numbers]

    def ask(self, number: int, *, size: int = 1) -> None:
        """Ask in a thread, which stands in line when this returns."""

        def go() -> None:
            try:
                self.came[number] = self.line.do(number, size=size)
            except Exception as error:
                self.came[number] = error

        is_first, before = not self._threads, len(self.line)
        self._threads.append(threading.Thread(target=go))
        self._threads[-1].start()
        if is_first:
            assert self.begun.wait(30)
        else:
            wait_for(lambda: len(self.line) > before, seconds=30, what="a place in the line")

    def finish(self) -> None:
        """Let the turns go on, and wait for all that asked."""
        self.let_go.set()
        for thread in self._threads:
            thread.join(30)
            assert not thread.is_alive()


class TestATurn:
    def test_takes_along_what_came_meanwhile_in_its_order(self) -> None:
        """Nobody overtakes, and everyone gets what is its own."""
        counter = Counter()
        for number in (2, 8, 4, 6):
            counter.ask(number)
        counter.finish()
        assert counter.turns == [[2], [8, 4, 6]]
        assert counter.came == {2: 4, 8: 16, 4: 8, 6: 12}

    @pytest.mark.parametrize(
        ("most", "size", "turns"),
        [
            (2, lambda _: 1, [[0], [2, 4], [6, 8]]),
            (10, lambda _: 50, [[0], [2, 4], [6, 8]]),
            # One that is larger than a turn has a turn of its own.
            (10, lambda number: 500 if number == 4 else 1, [[0], [2], [4], [6, 8]]),
        ],
    )
    def test_is_bounded(self, most: int, size: Callable[[int], int], turns: list[list[int]]) -> None:
        """By the number of its pieces, and by what their sizes add up to."""
        counter = Counter(most=most)
        for number in (0, 2, 4, 6, 8):
            counter.ask(number, size=size(number))
        counter.finish()
        assert counter.turns == turns
        assert counter.came == {number: number * 2 for number in (0, 2, 4, 6, 8)}

    def test_has_an_error_for_the_one_whose_it_is(self) -> None:
        """The others of its turn have their results."""
        counter = Counter()
        for number in (2, 4, 5, 6):
            counter.ask(number)
        counter.finish()
        assert isinstance(counter.came.pop(5), ValueError)
        assert counter.came == {2: 4, 4: 8, 6: 12}

    def test_that_fails_fails_for_all_of_it_and_for_nobody_else(self) -> None:
        """The line goes on behind it."""
        counter = Counter(most=2)
        for number in (2, 4, 13, 6):
            counter.ask(number)
        counter.finish()
        assert isinstance(counter.came.pop(4), OSError)
        assert isinstance(counter.came.pop(13), OSError)
        assert counter.came == {2: 4, 6: 12}
        assert counter.line.do(8, size=1) == 16
