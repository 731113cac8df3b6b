"""The model of the sync: a machine that does everything to a source and to runs, and says what must hold.

It edits a source at random, lets it fail, syncs it in every mode, cancels runs and kills them at random
transactions, changes the settings and the clock. After each run nothing may be doubled, removed without
evidence, or counted wrong; at the end one run without faults must leave the index equal to the source.

Which source that is, its `Side` says. `CATCHMENT_SOAK=1` runs it far longer.
"""

from __future__ import annotations

import logging
import os
import shutil
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, event, note, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule
from sqlalchemy import event as listening
from sqlalchemy import select, update

from catchment.core.clock import SetClock
from catchment.core.errors import RunCancelled
from catchment.core.runs import Reason
from catchment.kit import registry
from catchment.kit.connector import Kind
from catchment.store.engine import reading, writing
from catchment.store.index import index_for
from catchment.store.rows import RunRow
from catchment.store.tables import items
from catchment.sync import fetching, stop, team
from tests.support.parser import BROKEN, QuickParser
from tests.support.sides import DRAFTS, SCOPES, Manner, ScriptedSide, Seen, Side
from tests.support.vault import Crash, Vault, counts

SLOTS = [f"k{number}" for number in range(7)]
FOLDERS = ["", DRAFTS, "final/"]
MODES = ["auto", "auto", "auto", "incremental", "full"]
DISTURBANCES = ["save", "cancel", "edit", "edit", "remove"]
CONFIGS: list[dict[str, Any]] = [{}, {"exclude": [DRAFTS]}, {"scopes": ["a"]}, {"scopes": ["b"]}]

slots = st.sampled_from(SLOTS)
scopes = st.sampled_from(SCOPES)
places = st.integers(1, 8)


def one_of_the_sides(name: str) -> st.SearchStrategy[Any]:
    """Draw from what the side of the machine that asks has to offer."""
    return st.runner().flatmap(lambda machine: st.sampled_from(getattr(machine.side_type, name)))


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
    """See the module.

    Attributes:
        side_type: The source that it plays with.
        ground: What the sources of all examples share.
        template: A store to begin with.
    """

    side_type: type[Side] = ScriptedSide
    ground: Any = None
    template: Path

    @initialize(
        shape=one_of_the_sides("shapes"),
        marks=st.booleans(),
        page=st.integers(1, 4),
        small=st.booleans(),
        fetches=st.sampled_from([1, 1, 3]),
        together=st.sampled_from([1, 1, 2]),
        filled=st.sampled_from([len(SLOTS), len(SLOTS), 4, 1, 0]),
        synced=st.booleans(),
    )
    def build(
        self,
        shape: Any,
        marks: bool,
        page: int,
        small: bool,
        fetches: int,
        together: int,
        filled: int,
        synced: bool,
    ) -> None:
        """Make a source of some shape and a store."""
        manner = Manner(shape, page=page, marks=marks, fetches=fetches, together=together)
        self.side = side = self.side_type(manner, self.ground)
        registry.provider.known[side.slug] = side.provider  # type: ignore[attr-defined]
        self.folder = Path(tempfile.mkdtemp(prefix="model-"))
        sizes = {"first_batch_items": 1, "batch_items": 2, "page_items": 2} if small else {}
        self.clock = SetClock()
        self.house = self.make_house(sizes)
        self.house.credentials = dict(side.credentials) if side.credentials is not None else None
        self.house.add(side.slug, side.settings({}))
        self.faults = Faults(self.house)
        self.config: dict[str, Any] = {}
        self.words = 0
        self.moved: set[str] = set()
        self.before: set[str] = set()  # what was shown as the last run began, and then as it ended
        for number, slot in enumerate(SLOTS[:filled]):
            self.put(slot, SCOPES[number % 2], "new")
        if synced:
            self.sync_in_peace("auto")

    def make_house(self, sizes: dict[str, Any]) -> Vault:
        """Make a store of this example's own."""
        shutil.copy(self.template, self.folder / "catchment.db")
        return Vault(self.folder, clock=self.clock, cursor_seconds=0, **sizes)

    # -- the source -----------------------------------------------------------------------------

    def fresh(self, kind: str) -> str:
        """Return a text with a word that nothing else has."""
        self.words += 1
        return f"{BROKEN if kind == 'broken' else ''} word{self.words}x".strip()

    def put(self, slot: str, scope: str, kind: str) -> None:
        """Make or change a thing."""
        here = self.side.find(slot)
        text = here.text if here is not None and kind == "same" else self.fresh(kind)
        self.side.put(slot, scope, text)
        if here is None:
            self.name_taken(slot)

    def name_taken(self, slot: str) -> None:
        """What is shown by this name is another thing, which is gone: its scope may be listed alone."""
        made = self.side.find(slot)
        if made is not None and made.key in self.before:
            self.moved.add(made.key)

    @rule(slot=slots, scope=scopes, kind=st.sampled_from(["new", "new", "new", "same", "broken"]))
    def edit(self, slot: str, scope: str, kind: str) -> None:
        """Somebody works at the source."""
        self.put(slot, scope, kind)

    @rule(slot=slots, what=st.sampled_from(["remove", "transfer", *FOLDERS]))
    def tidy(self, slot: str, what: str) -> None:
        """Somebody deletes a thing, moves it to the other scope, or gives it another path."""
        here = self.side.find(slot)
        if here is None:
            return
        if what == "remove":
            self.side.remove(slot)
        elif what == "transfer":
            self.moved.add(here.key)
            self.side.transfer(slot)
        else:
            self.side.rename(slot, what)

    @precondition(lambda self: self.side.moves_are_told)
    @rule(slot=slots, other=slots)
    def move(self, slot: str, other: str) -> None:
        """A thing gets another key, and a hint tells that it is the same."""
        if self.side.find(slot) is not None and self.side.find(other) is None:
            self.side.move(slot, other, self.house)
            self.name_taken(other)

    @rule(slot=slots, refused=st.booleans())
    def refuse(self, slot: str, refused: bool) -> None:
        """The source hands a thing out no longer, or again."""
        if self.side.find(slot) is not None:
            self.side.refuse(slot, refused)

    @rule(slot=slots, how=one_of_the_sides("failures"))
    def break_fetch(self, slot: str, how: str) -> None:
        """One thing cannot be read, or can be again."""
        self.side.fail(slot, how)

    @rule(scope=scopes, at=places, what=one_of_the_sides("troubles"))
    def break_source(self, scope: str, at: int, what: str) -> None:
        """The source answers one kind of request badly, or all of them well again."""
        self.side.trouble(scope, at, what)

    # -- people ---------------------------------------------------------------------------------

    @rule(config=st.sampled_from(CONFIGS))
    def configure(self, config: dict[str, Any]) -> None:
        """Somebody changes the settings."""
        if self.side.kind is Kind.FEED and "exclude" in config:
            return  # what a feed has shown once it does not show again
        self.config = config
        self.house.configure(**self.side.settings(config))

    @rule(seconds=st.sampled_from([1, 61, 1000, 100_000]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.clock.advance(seconds)

    @rule(slot=slots)
    def hide(self, slot: str) -> None:
        """Somebody deletes a document; the item stays."""
        row = self.house.item(self.side.name(slot))
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
        mode=st.sampled_from(MODES),
        scope=scopes,
        at=st.sampled_from([1, 2, 2, 2, 3, 3, 4, 6]),
        what=one_of_the_sides("troubles"),
        slot=slots,
        how=one_of_the_sides("failures"),
    )
    def sync_in_trouble(self, mode: str, scope: str, at: int, what: str, slot: str, how: str) -> None:
        """One run of a source that answers badly, and goes on to do so."""
        self.side.trouble(scope, at, what)
        self.side.fail(slot, how)
        self.sync(mode, "none", 1, None)

    @rule(
        mode=st.sampled_from(["auto", "incremental"]),
        chosen=st.lists(slots, min_size=1, max_size=3),
        at=places,
    )
    def sync_named(self, mode: str, chosen: list[str], at: int) -> None:
        """One run of named entries, which may die."""
        self.sync(mode, "commit" if at > 4 else "none", at - 4, [self.side.name(slot) for slot in chosen])

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
        self.before = self.house.shown()
        self.arm(fault, at)
        try:
            run = self.house.begin(mode=mode, file_filter=names or [])
            if fault == "cancel":
                signal = run.stop
                self.side.hook(at, lambda: signal.set(RunCancelled("Enough.")))
            elif fault in ("edit", "remove"):
                self.side.hook(at, lambda: self.meddle(fault, SLOTS[at % len(SLOTS)]))
            self.house.work(run)
        except Crash:
            event("crash")
            self.faults.calm()
            self.house.silence()
        finally:
            self.faults.calm()
            self.side.unhook()
        self.check(self.house.run(run.row.id) if run is not None else None)

    def arm(self, fault: str, at: int) -> None:
        """Prepare a death."""
        if fault in ("commit", "after"):
            self.faults.commits, self.faults.after = at, fault == "after"
        self.faults.no_save = fault == "save"

    def meddle(self, what: str, slot: str) -> None:
        """Change the source while it is read."""
        if what == "edit":
            self.put(slot, "a", "new")
        elif self.side.find(slot) is not None:
            self.side.remove(slot)

    # -- promises -------------------------------------------------------------------------------

    def states(self) -> dict[str, str]:
        """Return how the ledger knows each item, by key."""
        with reading(self.house.engine) as connection:
            return {row[0]: row[1] for row in connection.execute(select(items.c.key, items.c.state))}

    def check(self, row: RunRow | None) -> None:
        """What holds after every run, however it ended."""
        self.house.check_index()
        if row is not None:
            note(f"{row.mode} {row.strategy} {row.reason} -> {row.state} {row.error_code} {counts(row)}")
            event(f"{row.strategy} {row.state}")
            assert row.error_code != "internal", row.error_message
        shown = self.house.texts()
        assert all(text.count("word") == 1 for text in shown.values()), "chunks of two versions lie together"
        due = {seen.key for seen in self.side.things() if self.is_wanted(seen)} - self.moved
        for key in self.before - set(shown):
            assert key not in due, f"{key} was removed without evidence"
        self.before = set(shown)
        if row is not None and row.state == "SUCCEEDED" and row.mode != "incremental" and not row.filter:
            self.moved.clear()

    def is_wanted(self, seen: Seen) -> bool:
        """Whether the source hands a thing out, and the settings take it in."""
        excluded = "exclude" in self.config and seen.path.startswith(DRAFTS)
        return not seen.refused and seen.scope in self.config.get("scopes", SCOPES) and not excluded

    def teardown(self) -> None:
        """A quiet end: one run without faults makes everything true."""
        if not hasattr(self, "house"):
            return
        try:
            self.settle()
        finally:
            self.leave_house()
            self.side.close()
            shutil.rmtree(self.folder)

    def leave_house(self) -> None:
        """Let go of the store."""
        self.house.engine.dispose()

    def settle(self) -> None:
        """Let the faults end, sync once, and compare the index with the source."""
        self.side.mend()
        # Beyond retries and beyond what counts as recently processed, not beyond a reconciliation.
        self.clock.advance(4000)
        self.moved.clear()
        row = self.last_run()
        resumed = any("went on" in text for text in row.details.get("notes", []))
        carried_out = any(told["reason"] == Reason.HELD for told in row.details["scopes"].values())
        if resumed or carried_out:
            # What changed behind the position of a listing that was resumed is for the run after it,
            # as is what is new in a scope where only held removals went.
            self.last_run()
        states = self.states()
        shown = self.house.texts()
        expected = {seen.key: seen.text for seen in self.side.things() if self.is_wanted(seen)}
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


def examples(few: int, many: int) -> settings:
    """Return the profile with other numbers of examples: in the suite, and in the long form."""
    return settings(PROFILE, max_examples=many if SOAK else few)


@pytest.fixture
def machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> type[Syncing]:
    """The machine, with a store to copy, a parser in the same thread, and its source registered."""
    Vault(tmp_path, clock=SetClock()).engine.dispose()
    monkeypatch.setattr(team, "ParserProcess", QuickParser)
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
