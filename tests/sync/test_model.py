"""The sync against a model: whatever happens on the way, a quiet run at the end makes all of it true.

A machine edits a source at random, lets it fail, syncs it in every mode, cancels runs and kills them at
random transactions, changes the settings and the clock. After each run nothing may be doubled, removed
without evidence, or counted wrong; at the end one run without faults must leave the index equal to the
source. `CATCHMENT_SOAK=1` runs it far longer.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import event as listening
from sqlalchemy import select, update

from catchment.core.errors import RunCancelled, SourceDown
from catchment.kit import registry
from catchment.kit.connector import ChangeFeed, Kind
from catchment.store.engine import reading, writing
from catchment.store.index import index_for
from catchment.store.rows import RunRow
from catchment.store.tables import items
from catchment.sync import fetching, stop
from catchment.sync import parse as parse_lane
from tests.support.clock import SetClock
from tests.support.parser import BROKEN, QuickParser
from tests.support.scripted import SLUG, World, provider
from tests.support.vault import Crash, Vault, counts

KEYS = [f"k{number}" for number in range(7)]
SCOPES = ["a", "b"]
PATHS = ["", "drafts/", "final/"]
SHAPES = [
    (Kind.LISTING, ChangeFeed.NONE, False),
    (Kind.LISTING, ChangeFeed.NONE, True),
    (Kind.LISTING, ChangeFeed.PARTIAL, False),
    (Kind.LISTING, ChangeFeed.COMPLETE, False),
    (Kind.LISTING, ChangeFeed.COMPLETE, True),
    (Kind.FEED, ChangeFeed.PARTIAL, False),
]
MODES = ["auto", "auto", "auto", "incremental", "full"]
DISTURBANCES = ["save", "cancel", "edit", "edit", "remove"]
CONFIGS: list[dict[str, Any]] = [{}, {"exclude": ["drafts/"]}, {"scopes": ["a"]}, {"scopes": ["b"]}]

keys = st.sampled_from(KEYS)
scopes = st.sampled_from(SCOPES)
places = st.integers(1, 8)


class Faults:
    """Lets the process die at a transaction of the store, or before the cursor is saved."""

    def __init__(self, house: Vault) -> None:
        self.house = house
        self.commits: int | None = None
        self.after = False
        self.dead = False
        self.no_save = False
        real = house.cursors.save

        def save(cursor: Any) -> None:
            if self.no_save or self.dead:
                self.dead = True
                raise Crash
            real(cursor)

        house.cursors.save = save  # type: ignore[method-assign]
        listening.listen(house.engine, "commit", self._commit)
        listening.listen(house.engine, "begin", self._begin)

    def calm(self) -> None:
        """Let nothing happen any more."""
        self.commits, self.after, self.dead, self.no_save = None, False, False, False

    def _commit(self, _connection: object) -> None:
        if self.dead:
            raise Crash
        if self.commits is not None:
            self.commits -= 1
            if self.commits == 0 and not self.after:
                self.dead = True
                raise Crash
            # With `after` the commit goes through, and the next transaction never begins.

    def _begin(self, _connection: object) -> None:
        if self.after and self.commits is not None and self.commits <= 0:
            self.dead = True
        if self.dead:
            raise Crash


class Syncing(RuleBasedStateMachine):
    """See the module."""

    template: Path

    @initialize(
        shape=st.sampled_from(SHAPES),
        marks=st.booleans(),
        page=st.integers(1, 4),
        small=st.booleans(),
        fetches=st.sampled_from([1, 1, 3]),
        together=st.sampled_from([1, 1, 2]),
        filled=st.integers(0, len(KEYS)),
    )
    def build(
        self,
        shape: tuple[Kind, ChangeFeed, bool],
        marks: bool,
        page: int,
        small: bool,
        fetches: int,
        together: int,
        filled: int,
    ) -> None:
        """Make a source of some shape and a store."""
        self.kind, self.feed, self.resumable = shape
        self.world = World(scopes={"a": {}, "b": {}}, marks=marks, page=page, compact=True)
        source = provider(
            self.world,
            kind=self.kind,
            feed=self.feed,
            resumable=self.resumable,
            fetches=fetches,
            together=together,
        )
        registry.provider.known[SLUG] = source  # type: ignore[attr-defined]
        self.folder = Path(tempfile.mkdtemp(prefix="model-"))
        sizes = {"first_batch_items": 1, "batch_items": 2, "page_items": 2} if small else {}
        self.clock = SetClock()
        self.house = self.make_house(sizes)
        self.house.add(SLUG, {})
        self.faults = Faults(self.house)
        self.config: dict[str, Any] = {}
        self.words = 0
        self.moved: set[str] = set()
        for number, key in enumerate(KEYS[:filled]):
            self.put(key, SCOPES[number % 2], "new")

    def make_house(self, sizes: dict[str, Any]) -> Vault:
        """Make a store of this example's own."""
        shutil.copy(self.template, self.folder / "catchment.db")
        return Vault(self.folder, clock=self.clock, cursor_seconds=0, **sizes)

    # -- the source -----------------------------------------------------------------------------

    def where(self, key: str) -> str | None:
        """Return the scope that a key lies in."""
        return next((scope for scope in SCOPES if key in self.world.scopes[scope]), None)

    def fresh(self, kind: str) -> str:
        """Return a text with a word that nothing else has."""
        self.words += 1
        return f"{BROKEN if kind == 'broken' else ''} word{self.words}x".strip()

    def put(self, key: str, scope: str, kind: str) -> None:
        """Make or change a thing."""
        here = self.where(key)
        if here is None:
            self.world.put(key, self.fresh(kind), scope=scope, path=key)
        elif kind == "same":
            self.world.put(key, self.world.scopes[here][key].text, scope=here)
        else:
            self.world.put(key, self.fresh(kind), scope=here)

    @rule(key=keys, scope=scopes, kind=st.sampled_from(["new", "new", "new", "same", "broken"]))
    def edit(self, key: str, scope: str, kind: str) -> None:
        """Somebody works at the source."""
        self.put(key, scope, kind)

    @rule(key=keys, what=st.sampled_from(["remove", "transfer", *PATHS]))
    def tidy(self, key: str, what: str) -> None:
        """Somebody deletes a thing, moves it to the other scope, or gives it another path."""
        here = self.where(key)
        if here is None:
            return
        if what == "remove":
            self.world.remove(key, scope=here)
        elif what == "transfer":
            self.moved.add(key)
            self.world.transfer(key, here, "b" if here == "a" else "a")
        else:
            self.world.rename(key, what + key, scope=here)

    @precondition(lambda self: self.kind is Kind.LISTING and self.feed is not ChangeFeed.COMPLETE)
    @rule(key=keys, other=keys)
    def move(self, key: str, other: str) -> None:
        """A thing gets another key, and a hint tells that it is the same."""
        here = self.where(key)
        if here is None or self.where(other) is not None:
            return
        thing = self.world.scopes[here].pop(key)
        thing.move_hint = f"inode of {thing.key}"
        if self.house.item(key) is not None:
            with writing(self.house.engine) as connection:
                hint = {"move_hint": thing.move_hint}
                connection.execute(update(items).where(items.c.key == key).values(hint))
        thing.key, thing.path = other, other
        self.world.scopes[here][other] = thing

    @rule(key=keys, refused=st.booleans())
    def refuse(self, key: str, refused: bool) -> None:
        """The source hands a thing out no longer, or again."""
        here = self.where(key)
        if here is not None:
            text = self.world.scopes[here][key].text
            self.world.put(key, text, scope=here, refusal="storage_class: GLACIER" if refused else None)

    @rule(key=keys, what=st.sampled_from(["down", "up"]))
    def break_fetch(self, key: str, what: str) -> None:
        """One thing cannot be read, or can be again."""
        if what == "down":
            self.world.fetch_errors[key] = SourceDown("500")
        else:
            self.world.fetch_errors.clear()

    @rule(scope=scopes, at=places, what=st.sampled_from(["list", "find", "position", "cursor", "nothing"]))
    def break_source(self, scope: str, at: int, what: str) -> None:
        """The source answers one kind of request badly, or all of them well again."""
        world = self.world
        world.list_errors.clear()
        world.feed_errors.clear()
        world.find_error, world.resume_refused = None, what == "position"
        if what == "list":
            world.list_errors[scope] = world.feed_errors[scope] = (at, SourceDown("500"))
        elif what == "find":
            world.find_error = SourceDown("500")
        elif what == "cursor":
            world.expired_below = max(len(log) for log in [*world.log.values(), []])

    # -- people ---------------------------------------------------------------------------------

    @rule(config=st.sampled_from(CONFIGS))
    def configure(self, config: dict[str, Any]) -> None:
        """Somebody changes the settings."""
        if self.kind is Kind.FEED and "exclude" in config:
            return  # what a feed has shown once it does not show again
        self.config = config
        self.house.configure(**config)

    @rule(seconds=st.sampled_from([1, 61, 1000, 100_000]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.clock.advance(seconds)

    @rule(key=keys)
    def hide(self, key: str) -> None:
        """Somebody deletes a document; the item stays."""
        row = self.house.item(key)
        if row is None or row["state"] != "indexed":
            return
        with writing(self.house.engine) as connection:
            index_for(self.house.engine.dialect.name).remove(connection, [row["pk"]], now=self.clock.now())
            connection.execute(update(items).where(items.c.pk == row["pk"]).values(state="hidden"))

    @rule()
    def lose_the_block(self) -> None:
        """The block with the cursor is deleted."""
        self.house.cursors.saved.clear()

    # -- runs -----------------------------------------------------------------------------------

    @rule(mode=st.sampled_from(["auto", "auto", "incremental"]))
    def sync_in_peace(self, mode: str) -> None:
        """One run that nobody disturbs."""
        self.sync(mode, "none", 1, None)

    @rule(
        mode=st.sampled_from(["auto", "incremental"]), names=st.lists(keys, min_size=1, max_size=3), at=places
    )
    def sync_named(self, mode: str, names: list[str], at: int) -> None:
        """One run of named entries, which may die."""
        self.sync(mode, "commit" if at > 4 else "none", at - 4, names)

    @rule(mode=st.sampled_from(MODES), at=st.integers(1, 14), after=st.booleans())
    def sync_and_die(self, mode: str, at: int, after: bool) -> None:
        """One run that dies at a transaction."""
        self.sync(mode, "after" if after else "commit", at, None)

    @rule(mode=st.sampled_from(MODES), at=st.integers(1, 14), what=st.sampled_from(DISTURBANCES))
    def sync_disturbed(self, mode: str, at: int, what: str) -> None:
        """One run that is cancelled, sees the source change, or dies before a cursor is saved."""
        self.sync(mode, what, at, None)

    def sync(self, mode: str, fault: str, at: int, names: list[str] | None) -> None:
        """One run, which may die, be cancelled, or see the source change under it."""
        run = None
        before = self.house.shown()
        self.arm(fault, at)
        try:
            run = self.house.begin(mode=mode, file_filter=names or [])
            if fault == "cancel":
                signal = run.stop
                self.hook(at, lambda: signal.set(RunCancelled("Enough.")))
            elif fault in ("edit", "remove"):
                self.hook(at, lambda: self.meddle(fault, KEYS[at % len(KEYS)]))
            self.house.work(run)
        except Crash:
            event("crash")
            self.faults.calm()
            self.house.silence()
        finally:
            self.faults.calm()
            self.world.before_item.clear()
            self.world.before_event.clear()
        self.check(self.house.run(run.row.id) if run is not None else None, before)

    def arm(self, fault: str, at: int) -> None:
        """Prepare a death."""
        if fault in ("commit", "after"):
            self.faults.commits, self.faults.after = at, fault == "after"
        self.faults.no_save = fault == "save"

    def hook(self, at: int, act: Callable[[], None]) -> None:
        """Let something happen while the source is read."""
        scope = "a" if at % 2 else "b"
        self.world.before_item[scope, at // 2 + 1] = act
        self.world.before_event[scope, at // 2 + 1] = act

    def meddle(self, what: str, key: str) -> None:
        """Change the source while it is read."""
        self.world.before_item.clear()
        self.world.before_event.clear()
        here = self.where(key)
        if what == "edit":
            if here is None:
                # Away when its scope was listed, back before the run was over.
                self.moved.add(key)
            self.put(key, "a", "new")
        elif here is not None:
            self.world.remove(key, scope=here)

    # -- promises -------------------------------------------------------------------------------

    def states(self) -> dict[str, str]:
        """Return how the ledger knows each item, by key."""
        with reading(self.house.engine) as connection:
            return {row[0]: row[1] for row in connection.execute(select(items.c.key, items.c.state))}

    def check(self, row: RunRow | None, before: set[str]) -> None:
        """What holds after every run, however it ended."""
        self.house.check_index()
        if row is not None:
            note(f"{row.mode} {row.strategy} {row.reason} -> {row.state} {row.error_code} {counts(row)}")
            event(f"{row.strategy} {row.state}")
            assert row.error_code != "internal"
        shown = self.house.texts()
        assert all(text.count("word") == 1 for text in shown.values()), "chunks of two versions lie together"
        for key in before - set(shown):
            assert not self.must_be_shown(key), f"{key} was removed without evidence"
        if row is not None and row.state == "SUCCEEDED" and row.mode != "incremental" and not row.filter:
            self.moved.clear()

    def must_be_shown(self, key: str) -> bool:
        """Whether the source still has the thing where it always was, in scope, and hands it out."""
        here = self.where(key)
        if here is None or key in self.moved:
            return False
        thing = self.world.scopes[here][key]
        return thing.refusal is None and self.in_scope(here, thing.path)

    def in_scope(self, scope: str, path: str) -> bool:
        """Whether the settings take it in."""
        excluded = "exclude" in self.config and path.startswith("drafts/")
        return scope in self.config.get("scopes", SCOPES) and not excluded

    def teardown(self) -> None:
        """A quiet end: one run without faults makes everything true."""
        if not hasattr(self, "house"):
            return
        try:
            self.settle()
        finally:
            self.leave_house()
            shutil.rmtree(self.folder)

    def leave_house(self) -> None:
        """Let go of the store."""
        self.house.engine.dispose()

    def settle(self) -> None:
        """Let the faults end, sync once, and compare the index with the source."""
        world = self.world
        world.list_errors.clear()
        world.feed_errors.clear()
        world.fetch_errors.clear()
        world.find_error = None
        # Beyond retries and beyond what counts as recently processed, not beyond a reconciliation.
        self.clock.advance(4000)
        self.moved.clear()
        row = self.last_run()
        if any("went on" in text for text in row.details.get("notes", [])):
            # What changed behind the position of a listing that was resumed is for the run after it.
            self.last_run()
        states = self.states()
        shown = self.house.texts()
        expected: dict[str, str] = {}
        for scope in SCOPES:
            for key, thing in world.scopes[scope].items():
                if thing.refusal is None and self.in_scope(scope, thing.path):
                    expected[key] = thing.body.decode()
        for key, text in expected.items():
            if states[key] in ("hidden", "quarantined") or text.startswith(BROKEN):
                continue
            assert shown.get(key) == text, f"{key} is {states[key]}"
            # What was moved away may leave its old text behind where a new thing cannot be read.
            assert [hit.key for hit in self.house.search(text) if not hit.stale] == [key]
        assert set(shown) <= set(expected), "something is shown that the source does not have"
        self.named_again([key for key in expected if states[key] == "quarantined"], expected)

    def last_run(self) -> RunRow:
        """The quiet run itself; what the guard would hold is allowed."""
        row = self.house.sync(mode="auto", allow_mass_delete=True)
        note(f"last: {row.strategy} {row.reason} -> {row.state} {row.error_code} {row.details}")
        if row.error_code != "all_failed":
            assert row.state == "SUCCEEDED", row.error_message
        counts(row)
        self.house.check_index()
        return row

    def named_again(self, quarantined: list[str], expected: dict[str, str]) -> None:
        """What was in quarantine comes back when it is asked for."""
        if not quarantined:
            return
        event("quarantine")
        self.house.sync(file_filter=quarantined)
        shown = self.house.texts()
        for key in quarantined:
            if not expected[key].startswith(BROKEN):
                assert shown.get(key) == expected[key]


SOAK = bool(os.environ.get("CATCHMENT_SOAK"))
PROFILE = settings(
    max_examples=5000 if SOAK else 120,
    stateful_step_count=60 if SOAK else 30,
    deadline=None,
    derandomize=not SOAK,
    database=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate, Phase.shrink] if SOAK else [Phase.generate],
    report_multiple_bugs=False,
)


@pytest.fixture
def machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> type[Syncing]:
    """The machine, with a store to copy, a parser in the same thread, and its source registered."""
    Vault(tmp_path, clock=SetClock()).engine.dispose()
    monkeypatch.setattr(parse_lane, "ParserProcess", QuickParser)
    # Lanes look at the signal this often; here runs are stopped all the time.
    monkeypatch.setattr(stop, "TICK_SECONDS", 0.01)
    monkeypatch.setattr(fetching, "TICK_SECONDS", 0.01)
    caplog.set_level(logging.CRITICAL, "catchment.sync")
    known: dict[str, Any] = {}

    def look_up(slug: str) -> Any:
        return known[slug]

    look_up.known = known  # type: ignore[attr-defined]
    monkeypatch.setattr(registry, "provider", look_up)
    Syncing.template = tmp_path / "catchment.db"
    return Syncing


def test_whatever_happens_a_quiet_run_makes_the_index_equal_to_the_source(machine: type[Syncing]) -> None:
    """Nothing lost, nothing deleted without proof, nothing silent, nothing twice."""
    run_state_machine_as_test(machine, settings=PROFILE)
