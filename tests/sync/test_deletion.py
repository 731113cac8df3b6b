"""What may be removed, on which evidence, and what is held."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select

from catchment.core.errors import RunCancelled, SourceDown
from catchment.core.runs import ItemState
from catchment.kit.connector import ChangeFeed
from catchment.store import meta
from catchment.store.engine import reading, writing
from catchment.store.tables import held_removals, items
from catchment.sync import index as lane
from tests.support.scripted import World
from tests.support.vault import Crash, Vault, counts
from tests.sync.conftest import Register


class TestEvidence:
    def test_what_a_complete_listing_does_not_name_goes(self, house: Vault, world: World) -> None:
        """From search, from the index and from the ledger, which remembers why."""
        world.fill(5)
        house.sync()
        world.remove("doc001")
        run = house.sync()
        assert counts(run) == {"collected": 4, "skipped": 4, "deleted": 1}
        assert house.texts() == world.texts()
        assert not house.search("doc001")
        assert house.fact("doc001", "state") == "deleted"
        assert house.fact("doc001", "reason") == "absent from a complete listing"
        house.check_index()

    def test_it_comes_back_under_its_old_id(self, house: Vault, world: World) -> None:
        """Restored with the same version mark: the tombstone becomes a document again."""
        world.fill(3)
        house.sync()
        before = house.ids()
        thing = world.remove("doc001")
        house.sync()
        world.scopes["main"]["doc001"] = thing
        assert counts(house.sync()) == {
            "collected": 3,
            "fetched": 1,
            "parsed": 1,
            "indexed": 1,
            "skipped": 2,
        }
        assert house.ids() == before
        house.check_index()

    @pytest.mark.parametrize("feed", [ChangeFeed.NONE, ChangeFeed.COMPLETE])
    def test_a_listing_that_breaks_off_removes_nothing(
        self, house: Vault, world: World, register: Register, feed: ChangeFeed
    ) -> None:
        """Page 3 answers an error for good: the scope is incomplete, the others are not (1)."""
        register(feed=feed)
        world.fill(9)
        world.fill(4, scope="side", head="side")
        house.sync()
        saved = house.cursors.saved[house.connector().id].current.text
        house.configure(reconcile_seconds=0)
        house.clock.advance(10)
        world.remove("doc001")
        world.put("doc000", "changed before the error")
        world.remove("side001", scope="side")
        world.list_errors["main"] = (7, SourceDown("500"))
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "scope_incomplete")
        assert "main" in (run.error_message or "")
        assert run.details["scopes"]["main"]["state"] == "incomplete"
        assert run.details["scopes"]["side"]["state"] == "complete"
        assert house.texts()["doc000"] == "changed before the error"
        assert "doc001" in house.shown()
        assert "side001" not in house.shown()
        marks = house.cursors.saved[house.connector().id].current.text
        if feed is ChangeFeed.COMPLETE:
            assert f'"main":"{9}"' in saved
            assert f'"main":"{9}"' in marks
            assert f'"side":"{5}"' in marks
        world.list_errors.clear()
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert house.texts() == world.texts()

    def test_a_listing_that_ends_without_a_word_removes_nothing(self, house: Vault, world: World) -> None:
        """Ending is not completing."""
        world.fill(5)
        house.sync()
        world.remove("doc001")
        world.cut_short.add("main")
        assert house.sync().error_code == "scope_incomplete"
        assert "doc001" in house.shown()

    def test_what_was_indexed_while_the_listing_ran_stays(self, house: Vault, world: World) -> None:
        """An item of a number above the listing's watermark is no business of its sweep (2)."""
        world.fill(6)
        house.sync()

        def somebody_adds_one() -> None:
            with writing(house.engine) as connection:
                row = dict(house.item("doc000") or {})
                row.update(pk=meta.allocate_pks(connection, 1), key="aaa", path="aaa")
                connection.execute(items.insert().values(row))

        world.before_item["main", 4] = somebody_adds_one
        assert house.sync().state == "SUCCEEDED"
        assert house.fact("aaa", "state") == "indexed"
        world.before_item.clear()
        house.sync()
        assert house.fact("aaa", "state") == "deleted"

    def test_an_upload_is_no_business_of_a_listing(self, house: Vault, world: World) -> None:
        """What the source never had is not missed there."""
        world.fill(3)
        house.sync()
        with writing(house.engine) as connection:
            connection.execute(items.update().where(items.c.key == "doc000").values(origin="upload"))
        world.remove("doc000")
        world.remove("doc001")
        house.sync()
        assert house.shown() == {"doc000", "doc002"}

    def test_an_item_that_failed_was_seen(self, house: Vault, world: World) -> None:
        """It is not deleted, whatever stage it failed at (5)."""
        world.fill(3)
        house.sync()
        world.put("doc001", "new text that cannot be read")
        world.fetch_errors["doc001"] = SourceDown("500")
        run = house.sync()
        assert (run.failed, run.deleted) == (1, 0)
        assert "doc001" in house.shown()

    def test_a_cancelled_run_removes_nothing(self, house: Vault, world: World) -> None:
        """A listing that was cut off by a person proves nothing."""
        world.fill(9)
        house.sync()
        world.remove("doc001")
        run = house.begin()
        world.before_item["main", 8] = lambda: run.stop.set(RunCancelled("Enough."))
        house.work(run)
        assert house.run(run.row.id).state == "CANCELLED"
        assert "doc001" in house.shown()

    def test_a_refused_item_loses_its_document(self, house: Vault, world: World) -> None:
        """Refused by rule counts as skipped; allowed again it comes back under its id."""
        world.fill(3)
        house.sync()
        before = house.ids()
        world.put("doc001", "archived", refusal="storage_class: GLACIER")
        run = house.sync()
        assert counts(run) == {"collected": 3, "skipped": 3, "deleted": 1}
        assert run.details["skipped"] == {"unchanged": 2, "storage_class": 1}
        assert house.fact("doc001", "reason") == "storage_class: GLACIER"
        assert counts(house.sync()) == {"collected": 3, "skipped": 3}
        world.put("doc001", "thawed", refusal=None)
        house.sync()
        assert house.texts() == world.texts()
        assert house.ids() == before

    def test_an_item_over_the_limit_is_refused_unread(self, house: Vault, world: World) -> None:
        """By the size that the listing tells, or while it is read where the listing tells none."""
        house.tune(max_file_bytes=100)
        world.streams = True
        world.put("told", "x" * 101)
        world.put("silent", "y" * 101, size=0)
        world.put("small", "z" * 100)
        run = house.sync()
        assert (run.state, run.skipped, run.indexed) == ("SUCCEEDED", 2, 1)
        assert run.details["skipped"] == {"too_large": 2}
        assert "told" not in world.fetched
        assert house.shown() == {"small"}

    def test_an_item_grown_too_old_loses_its_document(self, house: Vault, world: World) -> None:
        """The greatest age is a rule like any other."""
        world.put("a", "news", modified_at=house.clock.now())
        house.configure(max_age_days=1)
        house.sync()
        assert house.shown() == {"a"}
        house.clock.advance(86_401)
        run = house.sync()
        assert counts(run) == {"collected": 1, "skipped": 1, "deleted": 1}
        assert house.fact("a", "state") == ItemState.SKIPPED


class TestConfirmation:
    """Sources whose listings may miss what is there, such as a search that lags."""

    @pytest.fixture
    def doubtful(self, house: Vault, world: World, register: Register) -> None:
        register(confirms=True)
        world.fill(9)
        house.sync()
        world.requests.clear()

    def test_only_what_the_source_says_is_gone_goes(self, doubtful: None, house: Vault, world: World) -> None:
        """What was missed stays, and so does what nothing can be told of; the run says how many."""
        world.remove("doc001")
        world.missed = {"doc002", "doc003"}
        world.untold = {"doc003"}
        run = house.sync()
        assert (run.state, run.deleted) == ("SUCCEEDED", 1)
        assert house.shown() == {f"doc{number:03}" for number in range(9)} - {"doc001"}
        assert "2 of what the listing of Main missed is there all the same." in run.details["notes"]
        assert world.requests["find"] == 1

    def test_nothing_is_asked_when_nothing_is_missing(
        self, doubtful: None, house: Vault, world: World
    ) -> None:
        """A run without deletions costs nothing more."""
        assert house.sync().deleted == 0
        assert world.requests["find"] == 0

    def test_without_an_answer_nothing_goes(self, doubtful: None, house: Vault, world: World) -> None:
        """The scope is incomplete, and says why; the next run asks again."""
        world.remove("doc001")
        world.find_error = SourceDown("The vendor is away.")
        run = house.sync()
        assert (run.state, run.error_code, run.deleted) == ("FAILED", "scope_incomplete", 0)
        assert "could not be confirmed" in (run.error_message or "")
        assert "doc001" in house.shown()
        world.find_error = None
        assert house.sync().deleted == 1

    def test_a_dry_run_asks_too(self, doubtful: None, house: Vault, world: World) -> None:
        """It says what would go, and no more."""
        world.remove("doc001")
        world.missed = {"doc002"}
        assert house.sync(dry_run=True).deleted == 1
        assert len(house.shown()) == 9


class TestGuard:
    def test_an_empty_listing_is_held(self, house: Vault, world: World) -> None:
        """Whatever the number of documents; counts and a sample are on the run (9)."""
        world.fill(3)
        house.sync()
        world.scopes["main"].clear()
        run = house.sync()
        assert (run.state, run.error_code, run.deleted) == ("FAILED", "deletion_guard", 0)
        assert run.details["held"]["main"] == {
            "count": 3,
            "documents": 3,
            "sample": ["doc000", "doc001", "doc002"],
        }
        assert len(house.shown()) == 3
        assert held(house) == 3

    @pytest.mark.parametrize(
        ("documents", "gone", "held_back"),
        [(38, 20, True), (40, 20, False), (37, 19, False), (30, 29, True)],
    )
    def test_more_than_half_and_at_least_twenty_are_held(
        self, house: Vault, world: World, documents: int, gone: int, held_back: bool
    ) -> None:
        """Both must be true; fewer pass (9)."""
        keys = world.fill(documents)
        house.sync()
        for key in keys[:gone]:
            world.remove(key)
        run = house.sync()
        assert (run.error_code == "deletion_guard") is held_back
        assert run.deleted == (0 if held_back else gone)
        assert len(house.shown()) == (documents if held_back else documents - gone)

    def test_an_operator_can_allow_them(self, house: Vault, world: World) -> None:
        """The next run with the option carries them out, and the held list is gone."""
        world.fill(30)
        house.sync()
        world.scopes["main"].clear()
        house.sync()
        run = house.sync(allow_mass_delete=True)
        assert (run.state, run.deleted) == ("SUCCEEDED", 30)
        assert house.shown() == set()
        assert held(house) == 0
        assert house.sync().state == "SUCCEEDED"

    def test_what_is_held_is_forgotten_when_it_is_back(self, house: Vault, world: World) -> None:
        """An outage of the source ends without a trace."""
        world.fill(30)
        house.sync()
        before = dict(world.scopes["main"])
        world.scopes["main"].clear()
        house.sync()
        house.sync()
        assert held(house) == 30
        world.scopes["main"].update(before)
        run = house.sync()
        assert counts(run) == {"collected": 30, "skipped": 30}
        assert held(house) == 0

    def test_it_counts_per_scope(self, house: Vault, world: World) -> None:
        """One scope's removals are held, the other's are not."""
        world.fill(30)
        world.fill(30, scope="side", head="side")
        house.sync()
        world.scopes["main"].clear()
        world.remove("side000", scope="side")
        run = house.sync()
        assert run.error_code == "deletion_guard"
        assert run.deleted == 1
        assert set(run.details["held"]) == {"main"}

    def test_held_items_that_move_to_another_scope_are_held_there(self, house: Vault, world: World) -> None:
        """The list of what is held has one entry an item, wherever it was last."""
        keys = world.fill(30)
        world.fill(30, scope="side", head="side")
        house.sync()
        things = dict(world.scopes["main"])
        world.scopes["main"].clear()
        assert house.sync().error_code == "deletion_guard"
        world.list_errors["main"] = (1, SourceDown("500"))
        world.scopes["side"] |= {key: things[key] for key in keys}
        house.sync()
        assert held(house) == 30
        world.scopes["side"].clear()
        assert house.sync().error_code == "deletion_guard"
        assert held(house) == 60

    def test_new_documents_are_indexed_while_removals_are_held(self, house: Vault, world: World) -> None:
        """The guard holds removals and nothing else."""
        world.fill(30)
        house.sync()
        world.scopes["main"].clear()
        world.put("new", "brand new")
        run = house.sync()
        assert run.error_code == "deletion_guard"
        assert len(house.shown()) == 31


class TestNarrowing:
    @pytest.mark.parametrize("feed", [ChangeFeed.NONE, ChangeFeed.COMPLETE])
    @pytest.mark.parametrize(
        "narrow", [{"prefix": "zzz"}, {"include": ["nothing/"]}, {"exclude": ["doc*"]}, {"scopes": ["side"]}]
    )
    def test_what_lies_outside_goes_without_the_guard_and_comes_back(
        self,
        house: Vault,
        world: World,
        register: Register,
        feed: ChangeFeed,
        narrow: dict[str, object],
    ) -> None:
        """The configuration is the evidence; the scope returns, and so do the documents (30)."""
        register(feed=feed)
        world.fill(30)
        world.fill(2, scope="side", head="zzz")
        house.sync()
        before = house.ids()
        house.configure(**narrow)
        run = house.sync()
        assert run.state == "SUCCEEDED", run.error_message
        assert run.deleted >= 30
        assert run.details["narrowed"] == run.deleted
        house.configure()
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert house.texts() == world.texts()
        assert house.ids() == before
        house.check_index()

    def test_a_narrowing_that_dies_half_way_is_undone_whole(
        self, house: Vault, world: World, with_feed: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Back under the old configuration its cursor must not pass over what was removed."""
        world.fill(4)
        house.sync()
        house.configure(exclude=["doc00[12]"])

        def die(*_: object) -> None:
            raise Crash

        with monkeypatch.context() as patch:
            patch.setattr(lane, "_complete_scope", die)
            assert house.crash()
        assert house.shown() == {"doc000", "doc003"}
        house.configure()
        house.sync()
        assert house.texts() == world.texts()

    @pytest.mark.parametrize(
        "narrow",
        [{"prefix": "zzz"}, {"include": ["nothing/"]}, {"exclude": ["doc*"]}, {"exclude": ["doc00*"]}],
    )
    def test_what_a_feed_showed_and_nobody_wants_any_more_goes(
        self, house: Vault, world: World, as_feed: None, narrow: dict[str, object]
    ) -> None:
        """A feed never names it again: the settings are the evidence, and a dry run tells how many (30)."""
        world.fill(30)
        world.fill(2, scope="side", head="zzz")
        house.sync()
        house.configure(**narrow)
        assert house.sync(mode="incremental").deleted == 0
        told = house.sync(dry_run=True)
        run = house.sync()
        assert run.state == "SUCCEEDED", run.error_message
        assert run.deleted == told.deleted == run.details["narrowed"] == told.details["narrowed"] >= 10
        admits = house.begin().admits
        assert house.shown() == {key for key in world.texts() if admits(key)}
        house.check_index()

    def test_a_feed_is_looked_through_once_for_each_change_of_settings(
        self, house: Vault, world: World, as_feed: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Not in every run: the ledger may be long."""
        seen: list[str] = []
        real = lane.find_left_out
        monkeypatch.setattr(
            lane, "find_left_out", lambda run, scope: seen.append(scope.config_hash) or real(run, scope)
        )
        world.fill(4)
        house.sync()
        for _ in range(2):
            house.configure(exclude=["doc001"])
            house.sync()
        assert seen[0] is None
        assert seen[1] not in (None, seen[2])
        assert house.shown() == {"doc000", "doc002", "doc003"}

    def test_a_feed_narrowed_half_way_begins_anew(
        self, house: Vault, world: World, as_feed: None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Back under the old settings its mark must not pass over what was removed."""
        world.fill(4)
        house.sync()
        house.configure(exclude=["doc00[12]"])
        world.put("doc002", "reported, and left out")

        def die(*_: object) -> None:
            raise Crash

        with monkeypatch.context() as patch:
            patch.setattr(lane, "_complete_scope", die)
            assert house.crash()
        assert house.shown() == {"doc000", "doc003"}
        house.configure()
        house.sync()
        assert house.texts() == world.texts()

    def test_removals_within_the_scope_are_still_guarded(self, house: Vault, world: World) -> None:
        """Narrowing hides no accident in what remains."""
        world.fill(30)
        world.fill(30, head="other")
        house.sync()
        house.configure(exclude=["other*"])
        for key in list(world.scopes["main"]):
            if key.startswith("doc"):
                world.remove(key)
        world.put("doc999", "one is left")
        run = house.sync()
        assert run.error_code == "deletion_guard"
        assert run.details["narrowed"] == 30
        assert len([key for key in house.shown() if key.startswith("doc")]) == 31


class TestScopes:
    @pytest.mark.parametrize("route", [("first", "second"), ("second", "first")])
    @pytest.mark.usefixtures("lagging")
    def test_an_item_that_moves_to_another_scope_stays_a_document(
        self, house: Vault, world: World, route: tuple[str, str]
    ) -> None:
        """Whichever scope is listed first."""
        source, target = route
        world.scopes = {"first": {}, "second": {}}
        world.fill(3, scope="first", head="f")
        world.fill(3, scope="second", head="s")
        house.sync()
        before = house.ids()
        world.transfer(f"{source[0]}001", source, target)
        for _ in range(2):
            run = house.sync()
            assert run.state == "SUCCEEDED"
            counts(run)
            assert house.texts() == world.texts()
            assert house.ids() == before
        house.check_index()


def held(house: Vault) -> int:
    """Return how many removals the guard holds."""
    with reading(house.engine) as connection:
        return int(connection.execute(select(func.count()).select_from(held_removals)).scalar_one())
