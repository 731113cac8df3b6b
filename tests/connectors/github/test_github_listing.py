"""Listings: everything once, whatever the size of pages, and complete only where all was read."""

from __future__ import annotations

import threading

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import ConfigRejected, SourceDown
from catchment.kit import Checkpoint, Complete, Item
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository
from catchment.simulators.github.git import LINK, SUBMODULE, Entry
from connectors.github import GitHub, issues
from tests.connectors.github.conftest import MakeSource, asked, listed, state


def talk_of(repo: Repository, clock: SetClock, things: int, *, apart: float = 60.0) -> None:
    """Open issues and pull requests, with comments on every third."""
    for number in range(things):
        clock.advance(apart)
        made = repo.open(f"Issue {number}", f"Body {number}", pull=number % 4 == 3)
        if number % 3 == 0:
            repo.comment(made.number, f"Comment {number}")
        if made.is_pull:
            repo.remark(made.number, f"Remark {number}")


class TestFiles:
    def test_are_a_commit_by_two_requests(self, source: GitHub, vendor: Vendor, repo: Repository) -> None:
        """The branch and its tree; the hash of the blob is the version."""
        scope = source.scopes()[0]
        asked(vendor)
        events = list(source.listing(scope))
        assert asked(vendor)[0] == "/branches/main"
        items = {event.path: event for event in events if isinstance(event, Item)}
        assert set(items) == {"octo-org/weir/README.md", "octo-org/weir/docs/a.md", "octo-org/weir/src/b.py"}
        item = items["octo-org/weir/docs/a.md"]
        assert item.key == f"{repo.id}:main:docs/a.md"
        assert item.version == repo.files()["docs/a.md"].sha
        assert item.size == 7
        assert item.url == "https://github.com/octo-org/weir/blob/main/docs/a.md"

    @pytest.mark.parametrize("most", [1, 2, 5, 9])
    def test_a_truncated_tree_is_walked(
        self, source: GitHub, vendor: Vendor, repo: Repository, most: int
    ) -> None:
        """Acceptance 14: folder by folder, down to where nothing is cut off."""
        repo.commit({f"deep/{a}/{b}/{c}.md": f"{a}{b}{c}" for a in "xy" for b in "xy" for c in "xy"})
        vendor.most_entries = most
        items, _ = listed(source)
        assert set(items) == state(vendor)

    def test_links_and_submodules_are_refused_by_name(self, source: GitHub, repo: Repository) -> None:
        """Nothing is silent."""
        repo.commit({"link": Entry(LINK, repo.git.blob(b"README.md")), "lib": Entry(SUBMODULE, "1" * 40)})
        items, _ = listed(source)
        assert {item.path: item.refusal for item in items.values() if item.refusal} == {
            "octo-org/weir/link": "symlink",
            "octo-org/weir/lib": "submodule",
        }

    def test_the_path_filter_is_about_paths_in_the_repository(self, make_source: MakeSource) -> None:
        """One pattern or several; issues are not affected."""
        source = make_source(path_filter="docs/")
        assert [item.path for item in listed(source)[0].values()] == ["octo-org/weir/docs/a.md"]
        assert source.admits("octo-org/weir/docs/x/y.md")
        assert not source.admits("octo-org/weir/src/b.py")
        assert source.admits("octo-org/weir/issues/12")
        source = make_source(path_filter=["*.md", "!docs/"])
        assert [item.path for item in listed(source)[0].values()] == ["octo-org/weir/README.md"]

    def test_an_empty_repository_is_empty_and_a_branch_that_is_not_there_an_error(
        self, make_source: MakeSource, vendor: Vendor
    ) -> None:
        """The one names nothing, the other the setting."""
        vendor.repository("octo-org/empty", collaborators={"octo-ann": "read"})
        items, marks = listed(make_source(repos=["octo-org/empty"]))
        assert items == {}
        assert set(marks.values()) != {None}
        source = make_source(branch="nowhere")
        with pytest.raises(ConfigRejected) as caught:
            list(source.listing(source.scopes()[0]))
        assert caught.value.setting == "branch"

    def test_branches_of_their_own(self, make_source: MakeSource, repo: Repository) -> None:
        """Acceptance 14: each is a scope, and the default branch is the one of today."""
        repo.branches["feature/x"] = repo.branches["main"]
        repo.commit({"only-there.md": "x"}, branch="feature/x")
        source = make_source(repos=["octo-org/weir@feature/x", "octo-org/weir"], kinds=["files"])
        assert [scope.key for scope in source.scopes()] == [
            f"{repo.id}:files:feature/x",
            f"{repo.id}:files:main",
        ]
        items, _ = listed(source)
        assert f"{repo.id}:feature/x:only-there.md" in items
        repo.default_branch = "feature/x"
        assert [scope.key for scope in make_source(kinds=["files"]).scopes()] == [
            f"{repo.id}:files:feature/x"
        ]


class TestIssues:
    def test_the_next_page_is_on_its_way_while_one_is_worked_on(
        self,
        source: GitHub,
        vendor: Vendor,
        repo: Repository,
        clock: SetClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Whoever lists has nothing but the first issue yet."""
        monkeypatch.setattr("connectors.github.client.PER_PAGE", 5)
        for number in range(10):
            clock.advance(600)
            repo.open(f"Thing {number}", "Body")
        asked_again = threading.Event()
        vendor.faults.add(Fault(faults.meanwhile(asked_again.set), path=".*/weir/issues", skip=1, times=1))
        first = next(iter(source.listing(source.scopes()[1])))
        assert isinstance(first, Item)
        assert asked_again.wait(10)

    @pytest.mark.parametrize("size", [1, 2, 11, 12, 100])
    @pytest.mark.parametrize("apart", [60.0, 0.0])
    def test_every_one_is_named_whatever_the_size_of_pages(
        self,
        source: GitHub,
        vendor: Vendor,
        repo: Repository,
        clock: SetClock,
        size: int,
        apart: float,
    ) -> None:
        """Also where all bear the same second."""
        talk_of(repo, clock, 11, apart=apart)
        vendor.most_per_page = size
        scope = source.scopes()[1]
        events = list(source.listing(scope))
        assert isinstance(events[-1], Complete)
        keys = [event.key for event in events if isinstance(event, Item)]
        assert len(keys) == len(set(keys)) == 11
        assert set(keys) == {issue.node_id for issue in repo.issues.values()}

    def test_they_cost_a_request_for_a_hundred(
        self, source: GitHub, vendor: Vendor, repo: Repository, clock: SetClock
    ) -> None:
        """Pages of issues, of comments and of remarks, one question about reviews, and nothing for each."""
        talk_of(repo, clock, 250)
        scope = source.scopes()[1]
        asked(vendor)
        list(source.listing_with_content(scope))
        paths = asked(vendor)
        assert set(paths) == {"/issues", "/issues/comments", "/pulls/comments", "/graphql"}
        assert paths.count("/graphql") == 1
        list(source.listing(scope))
        assert len(asked(vendor)) <= 3 + 1 + 1

    def test_an_issue_that_goes_while_they_are_listed_hides_no_other(
        self, source: GitHub, vendor: Vendor, repo: Repository, clock: SetClock
    ) -> None:
        """Acceptance 2: numbered pages would move up by one, past the reader."""
        talk_of(repo, clock, 30)
        vendor.most_per_page = 10
        vendor.faults.add(Fault(faults.meanwhile(lambda: repo.delete(3)), path=r".*/issues", skip=1, times=1))
        vendor.faults.add(
            Fault(faults.meanwhile(lambda: repo.edit(5, title="Now")), path=r".*/issues", skip=1, times=1)
        )
        scope = source.scopes()[1]
        keys = {event.key for event in source.listing(scope) if isinstance(event, Item)}
        assert keys >= {issue.node_id for issue in repo.issues.values()}

    def test_a_tie_that_moves_while_its_pages_are_turned_hides_no_other(
        self, source: GitHub, vendor: Vendor, repo: Repository, clock: SetClock
    ) -> None:
        """Acceptance 2: a second look finds what moved up."""
        talk_of(repo, clock, 30, apart=0.0)
        vendor.most_per_page = 10
        clock.advance(100)
        vendor.faults.add(
            Fault(faults.meanwhile(lambda: repo.edit(2, title="Now")), path=r".*/issues", skip=2, times=1)
        )
        scope = source.scopes()[1]
        keys = {event.key for event in source.listing(scope) if isinstance(event, Item)}
        assert keys == {issue.node_id for issue in repo.issues.values()}

    def test_a_listing_goes_on_from_every_position(
        self,
        source: GitHub,
        vendor: Vendor,
        repo: Repository,
        clock: SetClock,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Acceptance 8: and ends where an undisturbed one does, as far as it goes."""
        monkeypatch.setattr(issues, "CHECKPOINT_ITEMS", 1)
        talk_of(repo, clock, 23)
        vendor.most_per_page = 5
        scope = source.scopes()[1]
        events = list(source.listing(scope))
        whole = {event.key for event in events if isinstance(event, Item)}
        positions = [at for at, event in enumerate(events) if isinstance(event, Checkpoint)]
        assert len(positions) > 3
        for at in positions:
            before = {event.key for event in events[:at] if isinstance(event, Item)}
            position = events[at]
            assert isinstance(position, Checkpoint)
            rest = list(source.listing(scope, position.position))
            after = {event.key: event.version for event in rest if isinstance(event, Item)}
            assert before | set(after) == whole
            assert isinstance(rest[-1], Complete)

    def test_a_repository_without_issues_has_pull_requests_still(
        self, source: GitHub, vendor: Vendor, repo: Repository, clock: SetClock
    ) -> None:
        """Forks begin so; versions are the same when listed and when read."""
        talk_of(repo, clock, 8)
        for number in [one.number for one in repo.issues.values() if not one.is_pull]:
            del repo.issues[number]
        repo.has_issues, repo.comments_touch = False, False
        clock.advance(60)
        repo.edit_comment(4, next(iter(repo.issues[4].remarks)), "Edited")
        items, marks = listed(source)
        pulls = [item for item in items.values() if item.metadata.get("kind") == "pull request"]
        assert {item.key for item in pulls} == {issue.node_id for issue in repo.issues.values()}
        for item in pulls:
            fresh = source.fetch(item).item
            assert fresh is not None
            assert fresh.version == item.version
        assert marks


class TestBroken:
    @pytest.mark.parametrize(
        "fault",
        [
            faults.answer(500, b"<html>No server is available</html>"),
            faults.malformed(),
            faults.cut(40),
            faults.answer(200, {"message": "not a list"}),
        ],
    )
    def test_a_page_that_fails_for_good_completes_nothing(
        self,
        source: GitHub,
        vendor: Vendor,
        repo: Repository,
        clock: SetClock,
        fault: faults.Answer,
    ) -> None:
        """Acceptance 1: what came before is real, and no `Complete` follows."""
        talk_of(repo, clock, 30)
        vendor.most_per_page = 10
        vendor.faults.add(Fault(fault, path=r".*/issues", skip=2))
        seen = []
        with pytest.raises(SourceDown):
            for event in source.listing(source.scopes()[1]):
                seen.append(event)
        assert seen
        assert not any(isinstance(event, Complete) for event in seen)

    @pytest.mark.parametrize("path", [r".*/issues/comments", r".*/pulls/comments"])
    def test_without_what_was_said_nothing_is_listed(
        self, source: GitHub, vendor: Vendor, repo: Repository, clock: SetClock, path: str
    ) -> None:
        """Both lists come before the issues: an issue that is listed has all its comments."""
        talk_of(repo, clock, 3)
        vendor.faults.add(Fault(faults.answer(500), path=path))
        events = []
        with pytest.raises(SourceDown):
            for event in source.listing(source.scopes()[1]):
                events.append(event)
        assert not events

    def test_and_what_fails_once_costs_a_request(
        self, source: GitHub, vendor: Vendor, repo: Repository, clock: SetClock
    ) -> None:
        """Nothing is missing."""
        talk_of(repo, clock, 30)
        vendor.most_per_page = 10
        for fault in (faults.answer(502), faults.malformed(), faults.cut(40), faults.drip(0.00001)):
            vendor.faults.add(Fault(fault, path=r".*/(issues|comments|git/trees/.*)", skip=1, times=1))
        items, _ = listed(source)
        assert set(items) == state(vendor)
        assert vendor.faults.happened == 4

    def test_a_link_that_leads_back_has_an_end(
        self, source: GitHub, vendor: Vendor, repo: Repository, clock: SetClock
    ) -> None:
        """A repeated page is an error, not a circle."""
        talk_of(repo, clock, 30, apart=0.0)
        vendor.most_per_page = 10
        first: list[str] = []

        def repeat(_: object, reply: faults.Reply) -> None:
            first.append(reply.headers.get("Link", ""))
            reply.headers["Link"] = first[0]

        vendor.faults.add(Fault(faults.changed(repeat), path=r".*/issues", query={"state": "all"}))
        with pytest.raises(SourceDown, match="no end"):
            list(source.listing(source.scopes()[1]))

    def test_a_part_of_a_tree_that_fails_completes_nothing(
        self, source: GitHub, vendor: Vendor, repo: Repository
    ) -> None:
        """Acceptance 1: neither is one that cannot be listed whole."""
        repo.commit({f"deep/{one}.md": str(one) for one in range(6)})
        vendor.most_entries = 3
        vendor.faults.add(Fault(faults.answer(500), path=r".*/git/trees/.*", skip=2))
        events = []
        with pytest.raises(SourceDown):
            for event in source.listing(source.scopes()[0]):
                events.append(event)
        assert not any(isinstance(event, Complete) for event in events)


class TestRepositories:
    def test_one_that_cannot_be_seen_leaves_the_others_alone(
        self, make_source: MakeSource, repo: Repository
    ) -> None:
        """Acceptance 1: it is a scope that fails and says why."""
        source = make_source(repos=["octo-org/secret", "octo-org/weir"])
        scopes = source.scopes()
        assert [scope.key for scope in scopes] == [
            "unknown:octo-org/secret",
            f"{repo.id}:files:main",
            f"{repo.id}:issues",
            f"{repo.id}:discussions",
        ]
        with pytest.raises(ConfigRejected, match="octo-org/secret") as caught:
            list(source.listing(scopes[0]))
        assert caught.value.setting == "repos"
        assert list(source.listing(scopes[1]))
        found = list(source.find(scopes, ["1:main:x.md"]))
        assert "octo-org/secret" in found[0].unknown

    def test_without_any_all_that_the_credentials_were_given(
        self, make_source: MakeSource, vendor: Vendor, repo: Repository
    ) -> None:
        """Page by page."""
        more = [vendor.repository(f"octo-org/r{n}", collaborators={"octo-ann": "read"}) for n in range(4)]
        vendor.repository("others/hidden")
        vendor.most_per_page = 2
        scopes = make_source(repos=[], kinds=["issues"]).scopes()
        assert [scope.key for scope in scopes] == [f"{one.id}:issues" for one in (*more, repo)]

    def test_a_renamed_one_keeps_its_keys(
        self, make_source: MakeSource, vendor: Vendor, repo: Repository, clock: SetClock
    ) -> None:
        """Acceptance 14: its id is its identity; the old name leads to it."""
        talk_of(repo, clock, 3)
        before, _ = listed(make_source())
        vendor.rename_repository(repo, "octo-org/dam")
        after, _ = listed(make_source())
        assert set(before) == set(after)
        assert {item.path.split("/")[1] for item in after.values()} == {"dam"}
        assert {key: item.version for key, item in before.items()} == {
            key: item.version for key, item in after.items()
        }

    def test_a_rename_in_the_middle_of_a_listing_is_followed(
        self, source: GitHub, vendor: Vendor, repo: Repository, clock: SetClock
    ) -> None:
        """Acceptance 14: every address leads on, with its parameters."""
        talk_of(repo, clock, 12)
        vendor.most_per_page = 5
        scopes = source.scopes()
        vendor.rename_repository(repo, "octo-org/dam")
        keys = {event.key for scope in scopes for event in source.listing(scope) if isinstance(event, Item)}
        assert keys == state(vendor)
