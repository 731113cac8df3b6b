"""Changes: what happened since the cursor, each kind of it, or a refusal that leads to a complete listing."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import CursorExpired
from catchment.kit import Complete, Item
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository
from connectors.github import GitHub
from tests.connectors.github.conftest import MakeSource, asked, changed, listed


@pytest.fixture
def talk(repo: Repository, clock: SetClock) -> Repository:
    """Six issues and two pull requests, an hour ago."""
    for number in range(8):
        clock.advance(60)
        repo.open(f"Issue {number}", "Body", pull=number > 5)
    repo.comment(1, "A comment")
    repo.remark(7, "A remark")
    clock.advance(600)
    repo.edit(6, title="Later than what was said")
    clock.advance(3600)
    return repo


class TestFiles:
    def test_each_kind_of_change_is_told(
        self, source: GitHub, vendor: Vendor, repo: Repository, clock: SetClock
    ) -> None:
        """Acceptance 14: added, edited, removed, moved; with two requests."""
        _, marks = listed(source)
        repo.commit({"new.md": "new", "docs/a.md": "edited", "README.md": None})
        repo.rename("src/b.py", "lib/b.py")
        asked(vendor)
        head = f"{repo.id}:main:"
        events = list(source.changes(source.scopes()[0], marks[f"{repo.id}:files:main"]))
        assert len(asked(vendor)) == 1 + 2
        assert isinstance(events[-1], Complete)
        found, _ = changed(source, marks)
        assert {key.removeprefix(head): item and item.version for key, item in found.items()} == {
            "README.md": None,
            "docs/a.md": repo.files()["docs/a.md"].sha,
            "lib/b.py": repo.files()["lib/b.py"].sha,
            "new.md": repo.files()["new.md"].sha,
            "src/b.py": None,
        }

    def test_nothing_costs_nothing_of_the_limit(
        self, source: GitHub, vendor: Vendor, repo: Repository
    ) -> None:
        """The branch is asked for with its mark, and did not change."""
        _, marks = listed(source)
        scope = source.scopes()[0]
        used = vendor.access.tokens["ghp_canary0123456789"].used
        asked(vendor)
        events = list(source.changes(scope, marks[scope.key]))
        assert asked(vendor) == ["/branches/main"]
        assert vendor.access.tokens["ghp_canary0123456789"].used == used
        assert events == [Complete(marks[scope.key])]

    def test_the_path_filter_holds(self, make_source: MakeSource, repo: Repository) -> None:
        """What is moved out of it is gone."""
        source = make_source(path_filter="docs/", kinds=["files"])
        _, marks = listed(source)
        repo.commit({"src/other.py": "x", "docs/new.md": "x"})
        repo.rename("docs/a.md", "src/a.md")
        found, _ = changed(source, marks)
        head = f"{repo.id}:main:"
        assert {key.removeprefix(head): item is not None for key, item in found.items()} == {
            "docs/new.md": True,
            "docs/a.md": False,
        }

    @pytest.mark.parametrize("forget", [False, True])
    def test_a_force_push_is_no_comparison(self, source: GitHub, repo: Repository, forget: bool) -> None:
        """Acceptance 3 and 14: the histories part, or the old commit is gone."""
        _, marks = listed(source)
        repo.force_push({"docs/a.md": None, "new.md": "x"}, forget=forget)
        with pytest.raises(CursorExpired):
            changed(source, marks)

    def test_a_branch_that_went_back_is_no_comparison(self, source: GitHub, repo: Repository) -> None:
        """Acceptance 14: compared with where they part, nothing would differ."""
        before = repo.branches["main"]
        repo.commit({"new.md": "x"})
        _, marks = listed(source)
        repo.branches["main"] = before
        with pytest.raises(CursorExpired, match="rewritten"):
            changed(source, marks)

    @pytest.mark.parametrize(("files", "is_too_many"), [(299, False), (300, True), (301, True)])
    def test_more_files_than_are_named_are_listed(
        self, source: GitHub, repo: Repository, files: int, is_too_many: bool
    ) -> None:
        """Acceptance 3 and 14: 300 may be all, or not."""
        _, marks = listed(source)
        repo.commit({f"many/{number}.md": str(number) for number in range(files)})
        if is_too_many:
            with pytest.raises(CursorExpired, match="300"):
                changed(source, marks)
        else:
            assert len(changed(source, marks)[0]) == files

    def test_another_name_asks_for_a_listing(
        self, make_source: MakeSource, vendor: Vendor, repo: Repository
    ) -> None:
        """Acceptance 14: paths and addresses of everything differ."""
        _, marks = listed(make_source())
        vendor.rename_repository(repo, "octo-org/dam")
        for scope in (source := make_source()).scopes():
            with pytest.raises(CursorExpired, match="octo-org/dam"):
                list(source.changes(scope, marks[scope.key]))


class TestIssues:
    @pytest.mark.parametrize(
        ("act", "numbers"),
        [
            (lambda repo: repo.open("New", "x"), {9}),
            (lambda repo: repo.edit(2, title="Edited"), {2}),
            (lambda repo: repo.edit(3, labels=["bug"]), {3}),
            (lambda repo: repo.close(4), {4}),
            (lambda repo: repo.comment(5, "More"), {5}),
            (lambda repo: repo.remark(8, "Here"), {8}),
            (lambda repo: repo.review(8, "Good"), {8}),
            (lambda repo: repo.close(7, merge=True), {7}),
            (lambda repo: repo.edit_comment(1, next(iter(repo.issues[1].comments)), "Edited"), {1}),
            (lambda repo: repo.edit_comment(7, next(iter(repo.issues[7].remarks)), "Edited"), {7}),
            (lambda repo: repo.delete_comment(1, next(iter(repo.issues[1].comments))), {1}),
        ],
    )
    @pytest.mark.parametrize("touch", [True, False])
    def test_each_kind_of_change_is_told(
        self,
        source: GitHub,
        talk: Repository,
        act: Callable[[Repository], object],
        numbers: set[int],
        touch: bool,
    ) -> None:
        """With a version that differs from the one before, and is the one that reading finds."""
        talk.comments_touch = touch
        before, marks = listed(source)
        act(talk)
        found, _ = changed(source, marks)
        if not touch and "delete" in str(act.__code__.co_names):
            # A blind spot of changes, which the next complete listing sees.
            found = dict(listed(source)[0])
        new = {
            key: item
            for key, item in found.items()
            if item and (key not in before or item.version != before[key].version)
        }
        assert set(new) == {talk.issues[number].node_id for number in numbers}
        for item in new.values():
            fresh = source.fetch(item).item
            assert fresh is not None
            assert fresh.version == item.version
        assert {key: item.version for key, item in listed(source)[0].items() if key in new} == {
            key: item.version for key, item in new.items()
        }

    def test_nothing_costs_four_requests_and_then_one_of_the_limit(
        self, source: GitHub, vendor: Vendor, talk: Repository
    ) -> None:
        """Their number, and three pages that did not change; nothing is told that was not known."""
        before, marks = listed(source)
        scope = source.scopes()[1]
        for _ in range(2):
            asked(vendor)
            events = list(source.changes(scope, marks[scope.key]))
            assert sorted(asked(vendor)) == ["/issues", "/issues", "/issues/comments", "/pulls/comments"]
            told = [event.item for event in events if not isinstance(event, Complete)]  # type: ignore[union-attr]
            assert all(before[item.key].version == item.version for item in told)
            assert isinstance(events[-1], Complete)
            marks[scope.key] = events[-1].mark or ""
        used = vendor.access.tokens["ghp_canary0123456789"].used
        list(source.changes(scope, marks[scope.key]))
        assert vendor.access.tokens["ghp_canary0123456789"].used == used + 1

    def test_deleted_and_transferred_ones_are_missed_by_number(
        self, source: GitHub, vendor: Vendor, talk: Repository
    ) -> None:
        """Acceptance 3: no list names them, so that everything is listed; others are opened meanwhile."""
        _, marks = listed(source)
        talk.open("New", "x")
        _, marks = changed(source, marks)
        gone = talk.delete(2)
        talk.open("Another", "x")
        with pytest.raises(CursorExpired, match="deleted"):
            changed(source, marks)
        items, marks = listed(source)
        assert gone.node_id not in items
        other = vendor.repository("octo-org/dam", collaborators={"octo-ann": "admin"})
        talk.transfer(3, other)
        with pytest.raises(CursorExpired):
            changed(source, marks)
        _, marks = listed(source)
        talk.restore(gone)
        found, _ = changed(source, marks)
        assert gone.node_id in found

    def test_where_pages_have_no_numbers_nothing_is_concluded(
        self, source: GitHub, vendor: Vendor, talk: Repository
    ) -> None:
        """The number is not known then."""
        _, marks = listed(source)
        vendor.tells_last_page = False
        talk.edit(1, title="Edited")
        found, _ = changed(source, marks)
        assert talk.issues[1].node_id in found

    def test_what_was_listed_late_is_seen(self, source: GitHub, talk: Repository, clock: SetClock) -> None:
        """A change whose time is a little before the newest that was seen."""
        talk.edit(1, title="Seen")
        _, marks = listed(source)
        talk.edit(2, title="Late")
        talk.issues[2].updated -= 100
        found, _ = changed(source, marks)
        assert talk.issues[2].node_id in found

    def test_a_tie_at_the_mark_is_seen(self, source: GitHub, talk: Repository) -> None:
        """The lower bound is closed: two changes of the same second, one after the listing."""
        talk.edit(1, title="First")
        _, marks = listed(source)
        talk.edit(2, title="Second")
        assert talk.issues[2].node_id in changed(source, marks)[0]

    def test_pull_requests_of_a_repository_without_issues(
        self, source: GitHub, talk: Repository, clock: SetClock
    ) -> None:
        """By the order of their changes, as far back as is new."""
        for number in range(1, 7):
            del talk.issues[number]
        talk.has_issues = False
        talk.edit(8, title="Later than the other")
        _, marks = listed(source)
        clock.advance(3600)
        talk.edit(8, title="Edited")
        found, new = changed(source, marks)
        assert set(found) == {talk.issues[8].node_id}
        assert set(changed(source, new)[0]) == {talk.issues[8].node_id}

    @pytest.mark.parametrize("cursor", ["", "{}", "nonsense", '{"name": 1, "issues": "x"}', '{"head": ""}'])
    def test_cursors_that_are_none_are_refused(self, source: GitHub, cursor: str) -> None:
        """Old, foreign and broken ones ask for a listing."""
        for scope in source.scopes():
            with pytest.raises(CursorExpired):
                list(source.changes(scope, cursor))

    def test_a_change_in_the_middle_of_a_listing_is_seen_by_the_next(
        self, source: GitHub, talk: Repository, vendor: Vendor, clock: SetClock
    ) -> None:
        """Acceptance 4: the marks are of what was seen, not of the end."""
        scope = source.scopes()[1]
        events = source.listing(scope)
        seen = next(events)
        assert isinstance(seen, Item)
        clock.advance(1)
        talk.comment(1, "While it lists")
        rest = list(events)
        assert isinstance(rest[-1], Complete)
        found = list(source.changes(scope, rest[-1].mark))
        keys = {event.item.key for event in found if hasattr(event, "item")}
        assert talk.issues[1].node_id in keys

    def test_marks_of_a_time_that_has_not_come_are_refused(
        self, source: GitHub, talk: Repository, debate: Repository
    ) -> None:
        """As a server leaves them that was set back to an earlier state: nothing would ever be new."""
        _, marks = listed(source)
        times = {"issues", "comments", "remarks", "updated"}
        for scope in source.scopes()[1:]:
            mark = json.loads(marks[scope.key])
            late = {name: "2999-01-01T00:00:00Z" if name in times else told for name, told in mark.items()}
            with pytest.raises(CursorExpired):
                list(source.changes(scope, json.dumps(late)))

    def test_so_are_those_of_pull_requests_without_issues(
        self, make_source: MakeSource, talk: Repository
    ) -> None:
        """Their list has no number that would tell."""
        talk.has_issues = False
        source = make_source(kinds=["issues"])
        scope, (mark, *_) = source.scopes()[0], listed(source)[1].values()
        late = {**json.loads(mark), "issues": "2999-01-01T00:00:00Z"}
        with pytest.raises(CursorExpired):
            list(source.changes(scope, json.dumps(late)))
