"""Checks: each capability by itself, with what to do about it."""

from __future__ import annotations

import pytest

from catchment.core.clock import SetClock
from catchment.kit import Health, Session
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository
from connectors.github import GitHub, GitHubConfig
from tests.connectors.github.conftest import TOKEN, MakeSource, token


class TestCheck:
    def health(self, source: GitHub) -> dict[str, Health]:
        return {one.name: one.health for one in source.check()}

    def test_all_is_well(self, source: GitHub, repo: Repository) -> None:
        """Each capability by itself."""
        assert self.health(source) == dict.fromkeys(
            (
                "sign-in",
                "repositories",
                "files",
                "issues",
                "pull requests",
                "discussions",
                "access lists",
            ),
            Health.OK,
        )

    def test_a_bad_token_and_no_answer_are_told_apart(self, make_source: MakeSource, vendor: Vendor) -> None:
        """What comes after is not tried."""
        assert set(self.health(make_source(credentials=token("bad"))).values()) == {Health.DENIED}
        source = make_source(api_url="http://127.0.0.1:9")
        results = source.check()
        assert {one.health for one in results} == {Health.UNREACHABLE}
        assert results[0].remedy

    @pytest.mark.parametrize(
        ("given", "denied"),
        [
            (("issues", "pull_requests"), {"files"}),
            (("contents", "pull_requests"), {"issues"}),
            (("contents", "issues"), {"pull requests"}),
        ],
    )
    def test_a_missing_permission_is_named(
        self, make_source: MakeSource, vendor: Vendor, given: tuple[str, ...], denied: set[str]
    ) -> None:
        """By the capability that lacks it, with the remedy."""
        vendor.token("fine", permissions=given)
        results = make_source(credentials=token("fine")).check()
        assert {one.name for one in results if one.health is not Health.OK} == denied
        assert all(one.health is Health.DENIED and one.remedy for one in results if one.name in denied)

    def test_who_may_only_read_cannot_see_who_else_may(self, make_source: MakeSource, vendor: Vendor) -> None:
        """GitHub tells collaborators to those who may write."""
        vendor.token("reader", "octo-bob", permissions=("contents", "issues", "pull_requests"))
        vendor.token("narrow", scopes=("repo",))
        for name in ("reader", "narrow"):
            results = make_source(credentials=token(name)).check()
            wrong = [one for one in results if one.health is not Health.OK]
            assert [(one.name, one.health) for one in wrong] == [("access lists", Health.DENIED)]
            assert "read:org" in wrong[0].remedy

    def test_settings_that_cannot_work_are_named(self, make_source: MakeSource, repo: Repository) -> None:
        """A repository that is not there; a branch that is not."""
        results = make_source(repos=["octo-org/wier"]).check()
        wrong = next(one for one in results if one.name == "repositories")
        assert (wrong.health, wrong.setting) == (Health.MISCONFIGURED, "repos")
        results = make_source(branch="nowhere").check()
        wrong = next(one for one in results if one.name == "files")
        assert (wrong.health, wrong.setting) == (Health.MISCONFIGURED, "branch")


class TestBounds:
    def test_a_private_address_is_out_of_bounds(self, url: str, clock: SetClock, repo: Repository) -> None:
        """For connectors that were made through a face; nothing is sent there."""
        session = Session(clock=clock, trusted=False)
        source = GitHub(GitHubConfig(api_url=url, repos=["octo-org/weir"]), token(TOKEN), session)
        results = source.check()
        assert (results[0].health, results[0].setting) == (Health.MISCONFIGURED, "api_url")
        source.close()
