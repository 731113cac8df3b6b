"""GitHub through the product's own lanes: the scenarios where connector platforms are known to fail."""

from __future__ import annotations

import threading

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import RunCancelled
from catchment.kit import Session
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository, secondary_limit
from catchment.store.engine import writing
from connectors.github import fetching, issues
from tests.connectors.github.conftest import REAL_WAIT, asked, state
from tests.support.vault import Crash, Vault, counts, done
from tests.support.waiting import until

DAY = 24 * 3600


@pytest.fixture
def talk(repo: Repository, clock: SetClock) -> Repository:
    """Forty files, and thirty issues and pull requests."""
    repo.commit({f"docs/{number:02}.md": f"# Page {number}\n\nText {number}.\n" for number in range(37)})
    for number in range(1, 31):
        clock.advance(600)
        repo.open(f"Issue {number}", f"Body of {number}.", pull=number % 5 == 0)
        if number % 2:
            repo.comment(number, f"Comment on {number}.")
    clock.advance(600)
    return repo


def equal(house: Vault, vendor: Vendor, repo: Repository) -> None:
    """See that the index is what the vendor has, word for word where it is a file."""
    texts = house.texts()
    assert set(texts) == state(vendor)
    for path, entry in repo.files().items():
        body = repo.git.blobs[entry.sha].decode()
        assert body.split()[-1] in texts[f"{repo.id}:main:{path}"]
    for issue in repo.issues.values():
        text = texts[issue.node_id]
        assert issue.title in text
        for comment in (*issue.comments.values(), *issue.remarks.values()):
            assert comment.body in text
    house.check_index()


class TestCost:
    def test_the_first_sync_the_next_and_a_days_changes(
        self, house: Vault, vendor: Vendor, talk: Repository, clock: SetClock
    ) -> None:
        """Requests are pages and bodies; nothing changed is no body; a day's changes are all seen."""
        run = house.sync()
        assert counts(run)["indexed"] == 70
        equal(house, vendor, talk)
        paths = asked(vendor)
        # The repository, its branch, its tree, three lists; each file; one question about pull requests.
        assert len(paths) == 6 + 40 + 1

        run = house.sync()
        assert (run.state, run.fetched, run.deleted) == ("SUCCEEDED", 0, 0)
        assert len(asked(vendor)) <= 1 + 1 + 4

        clock.advance(3600)
        talk.commit({"docs/00.md": "# Page 0\n\nEdited.\n", "new.md": "New.\n", "docs/01.md": None})
        talk.rename("docs/02.md", "pages/02.md")
        talk.edit(1, body="Edited body.")
        talk.comment(2, "One more comment.")
        talk.close(5, merge=True)
        talk.open("Opened today", "Body.")
        run = house.sync()
        assert (run.state, run.fetched, run.deleted) == ("SUCCEEDED", 7, 2)
        equal(house, vendor, talk)
        assert house.sync().fetched == 0

    def test_deleted_and_transferred_issues_go_with_the_next_run(
        self, house: Vault, vendor: Vendor, talk: Repository
    ) -> None:
        """Acceptance 3: the reason stands on the run."""
        house.sync()
        talk.delete(3)
        talk.transfer(4, vendor.repository("octo-org/other"))
        run = house.sync()
        assert (run.state, run.deleted, run.fetched) == ("SUCCEEDED", 2, 0)
        assert run.reason == "cursor_expired"
        assert set(house.texts()) == state(vendor) - {
            issue.node_id for issue in vendor.named("octo-org/other").issues.values()
        }

    def test_a_force_push_costs_a_tree_and_what_differs(
        self, house: Vault, vendor: Vendor, talk: Repository
    ) -> None:
        """Acceptance 3 and 14: everything is compared by its hash, not read again."""
        house.sync()
        talk.force_push({"docs/00.md": "# Page 0\n\nRewritten.\n", "docs/01.md": None, "new.md": "New.\n"})
        asked(vendor)
        run = house.sync()
        assert (run.state, run.reason, run.fetched, run.deleted) == ("SUCCEEDED", "cursor_expired", 2, 1)
        assert sum("/git/blobs/" in path for path in asked(vendor)) == 2
        equal(house, vendor, talk)

    def test_more_files_than_are_compared(self, house: Vault, vendor: Vendor, talk: Repository) -> None:
        """Acceptance 14: 320 in one commit."""
        house.sync()
        talk.commit({f"many/{number:03}.md": f"Many {number}\n" for number in range(320)})
        run = house.sync()
        assert (run.state, run.fetched, run.deleted) == ("SUCCEEDED", 320, 0)
        equal(house, vendor, talk)

    def test_a_renamed_repository_reads_nothing_again(
        self, house: Vault, vendor: Vendor, talk: Repository
    ) -> None:
        """Acceptance 14: the same documents, under their new paths."""
        house.sync()
        before = house.ids()
        vendor.rename_repository(talk, "octo-org/dam")
        run = house.sync()
        assert (run.state, run.fetched, run.deleted) == ("SUCCEEDED", 0, 0)
        assert house.ids() == before
        assert house.fact(talk.issues[1].node_id, "path") == "octo-org/dam/issues/1"

    def test_another_default_branch_takes_the_place_of_the_old(
        self, house: Vault, vendor: Vendor, talk: Repository
    ) -> None:
        """Acceptance 14 and 30: without tripping the guard."""
        house.sync()
        talk.branches["trunk"] = talk.branches.pop("main")
        talk.default_branch = "trunk"
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert house.shown() == state(vendor)

    def test_a_moved_folder_in_a_complete_listing_stays_the_same_documents(
        self, house: Vault, vendor: Vendor, talk: Repository, clock: SetClock
    ) -> None:
        """By the hashes of their content; nothing is read."""
        house.sync()
        before = house.ids()
        talk.rename("docs", "pages")
        clock.advance(2 * DAY)
        run = house.sync()
        assert (run.state, run.fetched, run.deleted) == ("SUCCEEDED", 0, 0)
        head = f"{talk.id}:main:"
        assert house.ids()[f"{head}pages/07.md"] == before[f"{head}docs/07.md"]


class TestBroken:
    def test_a_page_that_fails_for_good_removes_nothing(
        self, house: Vault, vendor: Vendor, talk: Repository, clock: SetClock
    ) -> None:
        """Acceptance 1: its scope is incomplete, the files are unaffected."""
        house.sync()
        clock.advance(2 * DAY)
        vendor.most_per_page = 10
        talk.delete(1)
        talk.commit({"docs/00.md": None})
        vendor.faults.add(Fault(faults.answer(500), path=r".*/weir/issues", skip=2))
        run = house.sync()
        assert (run.state, run.error_code, run.deleted) == ("FAILED", "scope_incomplete", 1)
        vendor.faults.clear()
        run = house.sync()
        assert (run.state, run.deleted) == ("SUCCEEDED", 1)
        equal(house, vendor, talk)

    def test_a_repository_that_vanishes_takes_nothing_with_it(
        self, house: Vault, vendor: Vendor, talk: Repository
    ) -> None:
        """Acceptance 1: that it cannot be seen proves nothing."""
        house.sync()
        shown = house.shown()
        talk.collaborators.pop("octo-ann")
        run = house.sync()
        assert (run.state, run.deleted) == ("FAILED", 0)
        assert "octo-org/weir" in (run.error_message or "")
        assert house.shown() == shown

    def test_an_item_that_fails_is_tried_again_and_then_left(
        self, house: Vault, vendor: Vendor, talk: Repository, clock: SetClock
    ) -> None:
        """Acceptance 5 and 6: recorded, not removed; the others go on; five times, then quarantined."""
        sha = talk.files()["docs/00.md"].sha
        issue = talk.issues[5]
        talk.edit(5, body="A long story. " * 2000)  # too long to come along with a list
        vendor.faults.add(Fault(faults.answer(500), path=rf".*/git/blobs/{sha}"))
        vendor.faults.add(Fault(faults.answer(500), path=r".*/weir/pulls/5/reviews"))
        run = house.sync()
        assert (run.state, run.failed) == ("SUCCEEDED", 2)
        for _ in range(6):
            clock.advance(DAY / 2)
            house.sync()
        assert house.fact(f"{talk.id}:main:docs/00.md", "state") == "quarantined"
        assert house.fact(issue.node_id, "state") == "quarantined"
        vendor.faults.clear()
        talk.comment(5, "Now it can be read.")
        assert house.sync(file_filter=["octo-org/weir/docs/00.md"]).indexed == 1
        house.sync()
        equal(house, vendor, talk)

    def test_an_interrupted_listing_goes_on_and_deletes_against_the_whole(
        self, house: Vault, vendor: Vendor, talk: Repository, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 7, 8 and 20: killed in the middle, nothing is read twice, nothing lost.

        What was listed before the death, and has gone since, goes with the run after that which went on.
        """
        vendor.most_per_page = 5
        monkeypatch.setattr(issues, "CHECKPOINT_ITEMS", 1)
        house.tune(first_batch_items=5, page_items=5)
        real, seen = fetching.fetch, []

        def dying(*arguments: object) -> object:
            seen.append(arguments)
            if len(seen) == 60:
                raise Crash
            return real(*arguments)  # type: ignore[arg-type]

        with monkeypatch.context() as patched:
            patched.setattr(fetching, "fetch", dying)
            patched.setattr("connectors.github.pulls.BROUGHT_CHARACTERS", 0)  # all is read by itself
            assert house.crash()
        indexed = house.shown()
        assert indexed < state(vendor)
        talk.commit({"docs/00.md": None})
        gone = talk.delete(2).node_id
        assert gone in indexed
        assert house.sync().state == "SUCCEEDED"
        run = house.sync()
        assert (run.state, run.reason, run.fetched) == ("SUCCEEDED", "cursor_expired", 0)
        equal(house, vendor, talk)
        talk.delete(3)
        assert house.sync().deleted == 1

    @pytest.mark.parametrize("seed", range(3))
    def test_one_request_in_a_hundred_failing_costs_time_and_nothing_else(
        self, house: Vault, vendor: Vendor, talk: Repository, clock: SetClock, seed: int
    ) -> None:
        """All kinds of faults; the index is exact after each run."""
        vendor.faults._random.seed(seed)
        vendor.most_per_page = 7
        for fault in (
            faults.answer(502, b"<html>"),
            faults.malformed(),
            faults.cut(20),
            lambda *_: secondary_limit(retry_after="3"),
            lambda *_: secondary_limit(status=429),
        ):
            vendor.faults.add(Fault(fault, chance=0.01))
        for number in range(4):
            run = house.sync()
            assert (run.state, run.failed) == ("SUCCEEDED", 0)
            equal(house, vendor, talk)
            clock.advance(3600)
            talk.commit(
                {f"docs/{number:02}.md": f"# Page\n\nEdited {number}.\n", f"docs/{number + 20}.md": None}
            )
            talk.comment(number + 1, f"Comment of day {number}.")
            talk.delete(20 + number)
        assert vendor.faults.happened

    def test_a_cancel_in_a_wait_of_ten_minutes_ends_at_once(
        self,
        house: Vault,
        vendor: Vendor,
        talk: Repository,
        clock: SetClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Acceptance 19: what is indexed stays, and the next run goes on."""
        monkeypatch.setattr(Session, "wait", REAL_WAIT)
        vendor.faults.add(Fault(lambda *_: secondary_limit(retry_after="600"), path=r".*/blobs/.*", skip=10))
        run = house.begin()
        ended = threading.Event()

        def work() -> None:
            house.work(run)
            ended.set()

        threading.Thread(target=work).start()
        until(lambda: vendor.faults.happened > 0)
        run.stop.set(RunCancelled("Enough."))
        assert ended.wait(5), "the run waits for the limit"
        vendor.faults.clear()
        clock.advance(600)
        shown = len(house.shown())
        assert house.sync().fetched == 70 - shown
        equal(house, vendor, talk)


class TestGuardAndScope:
    def test_an_emptied_repository_is_held(self, house: Vault, vendor: Vendor, talk: Repository) -> None:
        """Acceptance 9: until a person allows it."""
        house.sync()
        files = set(talk.files())
        talk.force_push(dict.fromkeys(sorted(files)[1:]))
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "deletion_guard")
        assert run.details["held"][f"{talk.id}:files:main"]["count"] == len(files) - 1
        assert house.sync(allow_mass_delete=True).state == "SUCCEEDED"
        equal(house, vendor, talk)

    def test_a_narrower_scope_takes_the_others_away_and_back(
        self, house: Vault, vendor: Vendor, talk: Repository
    ) -> None:
        """Acceptance 30: it is no mass deletion, since the settings say so."""
        config = house.connector().config
        house.sync()
        house.configure(**config, path_filter=["README.md"], kinds=["files"])
        assert house.sync().state == "SUCCEEDED"
        assert house.shown() == {f"{talk.id}:main:README.md"}
        house.configure(**config)
        assert house.sync().state == "SUCCEEDED"
        equal(house, vendor, talk)

    def test_two_connectors_of_one_repository_keep_their_own(
        self, house: Vault, vendor: Vendor, talk: Repository
    ) -> None:
        """Acceptance 17."""
        house.sync()
        house.add("github", house.connector().config, name="twin")
        assert house.sync("twin").indexed == 70
        talk.commit({"docs/00.md": None})
        assert house.sync("twin").deleted == 1
        assert f"{talk.id}:main:docs/00.md" in house.ids()

    def test_an_older_store_beside_a_newer_cursor(
        self, house: Vault, vendor: Vendor, talk: Repository
    ) -> None:
        """Acceptance 28: everything is listed, and nothing is missing."""
        house.sync()
        talk.edit(1, body="Edited.")
        house.sync()
        with writing(house.engine) as connection:
            connection.exec_driver_sql("UPDATE connectors SET cursor_revision = 0")
        run = house.sync()
        assert (run.state, run.reason) == ("SUCCEEDED", "cursor_ahead")
        equal(house, vendor, talk)

    def test_a_change_in_the_middle_of_the_first_listing_is_in_the_next(
        self, house: Vault, vendor: Vendor, talk: Repository
    ) -> None:
        """Acceptance 2 and 4: nothing that came meanwhile is removed or missed."""
        vendor.most_per_page = 10
        late = faults.meanwhile(lambda: (talk.comment(1, "Meanwhile."), talk.open("Late", "Body.")))
        vendor.faults.add(Fault(late, path=r".*/weir/issues", skip=2, times=1))
        commit = faults.meanwhile(lambda: talk.commit({"late.md": "Late.\n"}))
        vendor.faults.add(Fault(commit, path=r".*/git/trees/.*", times=1))
        assert house.sync().state == "SUCCEEDED"
        assert house.sync().state == "SUCCEEDED"
        equal(house, vendor, talk)


def test_counters_add_up(house: Vault, vendor: Vendor, talk: Repository) -> None:
    """Everything that was collected was indexed."""
    assert counts(house.sync()) == done(70)
