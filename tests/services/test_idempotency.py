"""Work that is done once for a key."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from catchment.core.clock import SetClock
from catchment.core.errors import Conflict, NotFound, UsageError
from catchment.services import access, idempotency
from catchment.services.context import Context
from catchment.services.idempotency import Answer, InFlight
from catchment.store.engine import open_engine
from catchment.store.migrate import migrate


class Desk:
    """Somebody who asks for work, and counts how often it is done."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self.caller = access.authenticate(context, access.add_token(context, "guest").secret)
        self.done = 0

    def ask(self, key: str = "k", request: Any = None, **other: Any) -> Answer:
        """Ask for the work."""
        given = {"caller": self.caller, "work": self.work, "method": "POST", "path": "/v1/x", **other}
        caller, work = given.pop("caller"), given.pop("work")
        body = {"a": 1} if request is None else request
        return idempotency.once(self.context, caller, key, work, request=body, **given)

    def work(self) -> tuple[int, Any]:
        """Do it."""
        self.done += 1
        return 201, {"number": self.done}


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["sqlite", "postgres"])
def desk(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> Iterator[Desk]:
    engine: Engine = (
        open_engine(f"sqlite:///{tmp_path / 'catchment.db'}")
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_store")
    )
    migrate(engine)
    yield Desk(Context(engine, connect=lambda: None, clock=clock))  # type: ignore[arg-type,return-value]
    engine.dispose()


def test_the_first_answer_is_given_again(desk: Desk) -> None:
    """Same key, same body: nothing is done, and the answer says that it is an old one."""
    assert desk.ask() == Answer(201, {"number": 1})
    assert desk.ask() == Answer(201, {"number": 1}, replayed=True)
    assert desk.ask(request={"a": 1}) == Answer(201, {"number": 1}, replayed=True)
    assert desk.done == 1


def test_the_order_of_names_makes_no_other_body(desk: Desk) -> None:
    """Bodies are compared as JSON."""
    desk.ask(request={"a": 1, "b": 2})
    assert desk.ask(request={"b": 2, "a": 1}).replayed


def test_another_body_under_the_same_key_is_refused(desk: Desk) -> None:
    """It is a mistake of the client's, and nothing is done."""
    desk.ask()
    with pytest.raises(Conflict):
        desk.ask(request={"a": 2})
    assert desk.done == 1


@pytest.mark.parametrize("other", [{"key": "l"}, {"method": "PUT"}, {"path": "/v1/y"}], ids=str)
def test_a_key_belongs_to_its_method_and_path(desk: Desk, other: dict[str, Any]) -> None:
    """The same word elsewhere is another key."""
    desk.ask()
    assert not desk.ask(**other).replayed


def test_a_key_belongs_to_its_principal(desk: Desk) -> None:
    """Nobody gets another's answer."""
    desk.ask()
    other = access.authenticate(desk.context, access.add_token(desk.context, "other").secret)
    assert not desk.ask(caller=other).replayed


def test_what_is_refused_does_not_use_up_the_key(desk: Desk) -> None:
    """Only work that succeeded is remembered."""

    def refuse() -> tuple[int, Any]:
        raise NotFound("There is no such space.")

    with pytest.raises(NotFound):
        desk.ask(work=refuse)
    assert desk.ask(request={"corrected": True}) == Answer(201, {"number": 1})


def test_the_second_is_told_to_wait_while_the_first_works(desk: Desk) -> None:
    """Two at once: one does it, the other is refused with a time to come again."""
    begun, go_on = threading.Event(), threading.Event()

    def slow() -> tuple[int, Any]:
        begun.set()
        assert go_on.wait(20)
        return desk.work()

    answers: list[Answer] = []
    first = threading.Thread(target=lambda: answers.append(desk.ask(work=slow)))
    first.start()
    assert begun.wait(20)
    with pytest.raises(InFlight) as told:
        desk.ask()
    assert told.value.retry_after_seconds == 1
    go_on.set()
    first.join()
    assert answers == [Answer(201, {"number": 1})]
    assert desk.ask().replayed


def test_many_at_once_do_it_once(desk: Desk) -> None:
    """However they meet, the work is done a single time."""
    meeting = threading.Barrier(8)
    seen: list[object] = []

    def ask() -> None:
        meeting.wait(20)
        try:
            seen.append(desk.ask().body)
        except InFlight as told:
            seen.append(told)

    callers = [threading.Thread(target=ask) for _ in range(8)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert desk.done == 1
    assert len(seen) == 8


def test_work_that_died_is_taken_over(desk: Desk, clock: SetClock) -> None:
    """A process that was killed in between does not block the key for a day, nor answer late."""

    def overtaken() -> tuple[int, Any]:
        clock.advance(idempotency.DEAD_AFTER_SECONDS + 1)
        assert desk.ask() == Answer(201, {"number": 1})
        return 201, {"number": "late"}

    desk.ask(work=overtaken)
    assert desk.ask() == Answer(201, {"number": 1}, replayed=True)


def test_a_key_lives_for_a_day(desk: Desk, clock: SetClock) -> None:
    """After that it is free again, also where nobody cleans up; cleaning up forgets it."""
    desk.ask()
    clock.advance(24 * 3600 - 1)
    assert desk.ask().replayed
    clock.advance(2)
    assert desk.ask() == Answer(201, {"number": 2})
    clock.advance(24 * 3600 + 1)
    assert idempotency.purge(desk.context) == 1


@pytest.mark.parametrize("key", ["", "x" * 256, "a\nb", "é", "a\0"])
def test_a_key_is_printable(desk: Desk, key: str) -> None:
    """1 to 255 printable ASCII characters."""
    with pytest.raises(UsageError):
        desk.ask(key=key)
    assert desk.done == 0
