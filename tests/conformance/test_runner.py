"""How checks are run, skipped and reported."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import ClassVar

import pytest

from catchment.conformance import Ability, Check, Outcome, World, all_checks, conform, require, run_check
from catchment.conformance.check import Broken, Skip, check
from catchment.conformance.stage import Stage
from catchment.conformance.world import does
from catchment.core.clock import PassingClock
from catchment.kit import registry
from catchment.kit.governor import governor_for
from tests.conformance.folder import FolderWorld
from tests.conformance.shelf.world import ShelfWorld

PAGE = Path(__file__).parents[2] / "docs" / "connector-kit.md"


def made(*needs: Ability, act: object = None) -> Check:
    """A check that is not among the others."""
    return Check("made-up", "It holds.", needs, act or (lambda stage: None))  # type: ignore[arg-type]


def raising(error: BaseException) -> object:
    def act(stage: Stage) -> None:
        raise error

    return act


class Mute(FolderWorld):
    """Neither can something nor says why."""

    cannot: ClassVar[Mapping[Ability, str]] = {}


class Modest(FolderWorld):
    """Can something and denies it."""

    cannot: ClassVar[Mapping[Ability, str]] = {**FolderWorld.cannot, Ability.RENAME: "paths are keys"}


class Unsigned(ShelfWorld):
    """Says of signatures that they do not cover bodies."""

    unsigned_body = "the vendor signs the address alone"


class TestSkips:
    def test_what_a_vendor_cannot_do_is_skipped_with_the_reason(self, tmp_path: Path) -> None:
        result = run_check(made(Ability.PAGE_SIZE), FolderWorld, tmp_path)
        assert result.outcome is Outcome.SKIPPED
        assert result.reason == "page_size: a folder is read entry by entry"

    def test_what_has_no_meaning_without_http_is_declared_once(self, tmp_path: Path) -> None:
        result = run_check(made(Ability.RATE_LIMIT), FolderWorld, tmp_path)
        assert result.outcome is Outcome.SKIPPED
        assert "files are read through the operating system" in result.reason

    def test_an_ability_that_lacks_without_a_reason_is_an_error(self, tmp_path: Path) -> None:
        result = run_check(made(Ability.PAGE_SIZE), Mute, tmp_path)
        assert result.outcome is Outcome.FAILED
        assert "page_size()" in result.reason

    def test_a_skip_for_what_the_world_does_is_an_error(self, tmp_path: Path) -> None:
        result = run_check(made(Ability.RENAME), Modest, tmp_path)
        assert result.outcome is Outcome.FAILED
        assert "says that it cannot" in result.reason

    def test_a_body_that_is_signed_after_all_is_an_error(self, tmp_path: Path) -> None:
        signature = next(check for check in all_checks() if check.name == "webhook-signature")
        result = run_check(signature, Unsigned, tmp_path)
        assert result.outcome is Outcome.FAILED
        assert "its body is signed" in result.reason

    def test_the_reference_skips_nothing(self) -> None:
        """A skip there would be a check that nobody has seen pass."""
        assert [ability for ability in Ability if not _does(ability)] == []
        assert not ShelfWorld.cannot


def _does(ability: Ability) -> bool:
    return getattr(ShelfWorld, ability.value) is not getattr(World, ability.value)


class TestOutcomes:
    @pytest.mark.parametrize(
        ("error", "outcome", "reason"),
        [
            (Broken("documents went"), Outcome.FAILED, r"documents went"),
            (Skip("no feed"), Outcome.SKIPPED, r"no feed"),
            (ValueError("a bug"), Outcome.FAILED, r"ValueError: a bug \(.*test_runner\.py:\d+\)"),
        ],
    )
    def test_every_end_is_a_result(
        self, error: BaseException, outcome: Outcome, reason: str, tmp_path: Path
    ) -> None:
        result = run_check(made(act=raising(error)), FolderWorld, tmp_path)
        assert result.outcome is outcome
        assert re.fullmatch(reason, result.reason)

    def test_a_run_that_does_not_end_is_told_so(self, tmp_path: Path) -> None:
        def hang(stage: Stage) -> None:
            stage.within(lambda: stage.clock.waiting.wait(5))

        result = run_check(made(act=hang), FolderWorld, tmp_path, limit_seconds=0.01)
        assert result.outcome is Outcome.FAILED
        assert "did not come to an end" in result.reason

    def test_each_check_has_everything_for_itself_and_leaves_nothing(self, tmp_path: Path) -> None:
        """World, store, paces and the name in the registry."""
        seen: list[tuple[World, Path]] = []

        def look(stage: Stage) -> None:
            governor_for("folder", "x").hold(stage.source().session, 600, "rate limit")
            assert registry.provider("folder") is Local
            stage.fill(1)
            stage.succeed()
            seen.append((stage.world, stage.house.home))

        class Local(FolderWorld.connector):  # type: ignore[name-defined, misc]
            """A class that is not installed."""

        world = type("LocalWorld", (FolderWorld,), {"connector": Local})
        for _ in range(2):
            assert run_check(made(act=look), world, tmp_path).outcome is Outcome.PASSED
        assert seen[0][0] is not seen[1][0]
        assert seen[0][1] != seen[1][1]
        assert list(tmp_path.iterdir()) == []
        assert registry.provider("folder") is not Local

    def test_pytest_sees_skips_and_failures(self, tmp_path: Path) -> None:
        with pytest.raises(pytest.skip.Exception, match="no feed"):
            require(made(act=raising(Skip("no feed"))), FolderWorld, tmp_path)
        with pytest.raises(AssertionError, match=r"It holds\. But: documents went"):
            require(made(act=raising(Broken("documents went"))), FolderWorld, tmp_path)
        require(made(), FolderWorld, tmp_path)


class TestReport:
    def test_a_report_has_a_line_for_each_check_and_the_sums(self, tmp_path: Path) -> None:
        report = conform(FolderWorld, folder=tmp_path, only=["ids-unique", "late-arrival-seen"])
        assert report.conforms
        assert str(report).splitlines() == [
            "passed  ids-unique",
            "skipped late-arrival-seen: late: the source has no change feed",
            "FolderWorld: 1 passed, 0 failed, 1 skipped",
        ]

    def test_a_world_that_needs_more_is_named_all_the_same(self, tmp_path: Path) -> None:
        """A server that several worlds share comes by `partial`."""
        report = conform(partial(FolderWorld), folder=tmp_path, only=["late-arrival-seen"])
        assert report.connector == "FolderWorld"

    def test_one_failure_is_no_conformance(self, tmp_path: Path) -> None:
        report = conform(Modest, folder=tmp_path, only=["rename-seen"])
        assert not report.conforms
        assert [result.name for result in report.of(Outcome.FAILED)] == ["rename-seen"]

    def test_an_unknown_name_is_an_error(self) -> None:
        with pytest.raises(KeyError):
            conform(FolderWorld, only=["no-such-check"])


class TestChecks:
    def test_names_are_stable_words_and_promises_are_sentences(self) -> None:
        found = all_checks()
        assert len({one.name for one in found}) == len(found)
        for one in found:
            assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", one.name)
            assert re.fullmatch(r"[A-Z0-9].+", one.promise)
            assert one.promise.endswith(".")

    def test_a_name_is_given_once(self) -> None:
        with pytest.raises(ValueError, match="two checks called exact-set"):
            check("exact-set", "It holds.")(lambda stage: None)

    def test_every_ability_is_a_method_and_needed_by_a_check(self) -> None:
        """An ability that no check asks for would be work for nothing."""
        needed = {need for one in all_checks() for need in one.needs}
        used = {Ability.PAGE_SIZE, Ability.EDIT}  # asked for where a world has them
        assert needed | used == set(Ability)
        assert all(callable(getattr(World, ability.value)) for ability in Ability)

    def test_the_page_names_every_check_with_its_promise(self) -> None:
        rows = re.findall(r"^\| `([a-z0-9-]+)` \| (.+?) \|$", PAGE.read_text(), re.MULTILINE)
        assert dict(rows) == {one.name: one.promise for one in all_checks()}


@pytest.fixture
def worlds(tmp_path: Path) -> Iterator[list[World]]:
    made_worlds: list[World] = [FolderWorld(tmp_path, PassingClock()), ShelfWorld(tmp_path, PassingClock())]
    yield made_worlds
    for world in made_worlds:
        world.close()


def test_a_world_does_what_it_overrides(worlds: list[World]) -> None:
    folder, shelf = worlds
    assert does(shelf, Ability.PAGE_SIZE)
    assert not does(folder, Ability.PAGE_SIZE)
