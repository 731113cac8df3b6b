"""The rate of a token: what several processes over one store let pass together."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine

from catchment.api import rates as limits
from catchment.api.rates import Rates
from catchment.core.clock import SetClock
from catchment.services import access
from catchment.store.engine import open_engine
from tests.support.desk import Desk
from tests.support.postgres import postgres_server, postgres_store, postgres_template

__all__ = ["postgres_server", "postgres_store", "postgres_template"]
MINUTE = 1_750_000_020.0 // 60 * 60


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'catchment.db'}"
    engine: Engine = request.getfixturevalue("postgres_store")
    return engine.url.render_as_string(hide_password=False)


@pytest.fixture
def desk(tmp_path: Path, url: str) -> Iterator[Desk]:
    made = Desk(tmp_path, clock=SetClock(MINUTE), store_url=url)
    yield made
    made.engine.dispose()


@pytest.fixture
def tokens(desk: Desk) -> list[str]:
    return [access.add_token(desk.context, name).token.id for name in ("a", "b")]


@pytest.fixture
def clocks() -> list[SetClock]:
    return [SetClock(MINUTE), SetClock(MINUTE)]


@pytest.fixture
def processes(url: str, clocks: list[SetClock]) -> Iterator[list[Rates]]:
    """Two that serve the store, which `tokens` makes, each with connections and a clock of its own."""
    engines = [open_engine(url) for _ in clocks]
    yield [Rates(100, clock, engine) for clock, engine in zip(clocks, engines, strict=True)]
    for engine in engines:
        engine.dispose()


def passed(rates: Rates, token: str, requests: int) -> int:
    """Make requests, and return how many were let pass."""
    told = [rates.take(token) or rates.ask(token) for _ in range(requests)]
    return sum(one.refusal is None for one in told)


class TestTheLimit:
    def test_holds_over_two_processes(self, processes: list[Rates], tokens: list[str]) -> None:
        """Whoever is asked, a hundred pass in all; those of another token are counted by themselves."""
        one, two = processes
        let = [passed(rates, tokens[0], 10) for _ in range(8) for rates in (one, two)]
        assert sum(let) == 100
        assert passed(one, tokens[0], 3) == passed(two, tokens[0], 3) == 0
        assert passed(two, tokens[1], 150) == 100

    def test_holds_for_requests_at_once(self, processes: list[Rates], tokens: list[str]) -> None:
        """Of many threads in both processes together."""
        let: list[int] = []
        gate = threading.Barrier(8)

        def go(rates: Rates) -> None:
            gate.wait()
            let.append(passed(rates, tokens[0], 40))

        threads = [threading.Thread(target=go, args=(processes[place % 2],)) for place in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sum(let) == 100

    def test_is_new_in_each_minute_by_the_fastest_clock(
        self, processes: list[Rates], clocks: list[SetClock], tokens: list[str]
    ) -> None:
        """A process whose clock is slow counts into the minute that others are in already."""
        one, two = processes
        assert passed(one, tokens[0], 100) == 100
        clocks[0].advance(60)
        assert passed(one, tokens[0], 60) == 60
        assert passed(two, tokens[0], 100) < 41
        clocks[1].advance(61)
        assert passed(one, tokens[0], 100) + passed(two, tokens[0], 100) <= 40

    def test_costs_few_questions_to_the_store(
        self, processes: list[Rates], tokens: list[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A process takes many at a time; refusals cost none at all."""
        asked: list[int] = []
        take = limits.rates.take

        def counted(*args: object, **more: int) -> object:
            asked.append(more["wanted"])
            return take(*args, **more)  # type: ignore[arg-type]

        monkeypatch.setattr(limits.rates, "take", counted)
        rates = processes[0]
        told = [rates.take(tokens[0]) or rates.ask(tokens[0]) for _ in range(500)]
        assert [one.headers["X-RateLimit-Remaining"] for one in told[:100]] == [
            str(left) for left in reversed(range(100))
        ]
        assert (sum(asked), max(asked)) == (100, 12)
        assert len(asked) < 35
