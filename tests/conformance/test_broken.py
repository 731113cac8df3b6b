"""Every check fails on a connector that breaks its promise: one that cannot fail proves nothing."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from catchment.conformance import Outcome, World, all_checks, run_check, stage
from catchment.kit.registry import AnyConnector
from tests.conformance.broken import failing, following, hooks, reading, setting_up
from tests.conformance.shelf.world import ShelfWorld

ENDLESS = {"paging-ends-on-repeated-cursor", "cancel-in-work", "cancel-in-wait"}
"""What does not end is looked at for so long:"""
LIMIT_SECONDS = 3.0
RAISING = {
    "malformed-cursor-costs-a-listing",
    "paging-ends-without-next",
    "retry-after-date",
    "webhook-unknown-event",
}
"""Where the defect is an error that nobody raises on purpose."""

BROKEN: dict[str, type[AnyConnector] | type[World]] = {
    "addition-seen": reading.TellsOnlyWhatItKnows,
    "broken-off-listing-goes-on": reading.CompletesWhatItShouldResume,
    "cancel-in-wait": failing.WaitsWhereNobodySees,
    "cancel-in-work": reading.WorksOnAfterACancel,
    "check-bad-token": setting_up.ChecksNothing,
    "check-missing-scope": setting_up.ChecksTheListAlone,
    "check-ok": setting_up.NeedsSomethingToRead,
    "check-tells-apart": setting_up.BlamesTheCredentials,
    "check-unreachable": setting_up.BlamesTheCredentials,
    "check-wrong-setting": setting_up.NamesNoSetting,
    "counters-add-up": failing.ReadsNothingFromABadBook,
    "created-meanwhile-survives": reading.LeavesOutWhatIsNewAndTakesTheMarkAtTheEnd,
    "edit-seen": reading.TellsVersionsBySize,
    "edited-meanwhile-is-seen": reading.TakesTheMarkAtTheEnd,
    "emptied-source-is-held": reading.AdmitsWhatItHasJustSeen,
    "error-with-200-is-an-error": reading.ReadsErrorsAsPages,
    "exact-set": reading.LosesTheLastOfEachPage,
    "expired-cursor-costs-a-listing": following.TakesExpiryForTrouble,
    "failed-listing-deletes-nothing": reading.TakesAFailureForEmptiness,
    "first-listing-breaks-off-anywhere": reading.CompletesWhatItShouldResume,
    "future-cursor-loses-nothing": following.WaitsForTheFuture,
    "ids-stable": reading.MakesVersionsUp,
    "ids-unique": reading.NamesEachTwice,
    "killed-before-save-converges": following.TellsEachMarkOnce,
    "killed-first-sync-converges": reading.PutsTheCheckpointBeforeThePage,
    "killed-repeat-converges": reading.PutsTheCheckpointBeforeThePage,
    "late-arrival-seen": following.LooksNotBack,
    "malformed-cursor-costs-a-listing": following.TrustsItsMarks,
    "memory-flat-over-bytes": reading.ReadsBodiesAtOnce,
    "memory-flat-over-items": reading.KeepsAllThatItNames,
    "move-seen": reading.ShowsNoPlaceInPaths,
    "no-change-no-work": reading.HasNoVersions,
    "old-cursor-is-followed": following.LooksTwoHoursBack,
    "older-settings-load": setting_up.DemandingWorld,
    "paging-ends-on-repeated-cursor": reading.FollowsPagesForEver,
    "paging-ends-without-next": reading.InsistsOnNext,
    "paging-goes-on-after-an-empty-page": reading.StopsAtAnEmptyPage,
    "partial-listing-deletes-nothing": reading.TakesAFailureForTheEnd,
    "permission-change-seen": following.ShowsEverythingToEverybody,
    "poisoned-item-is-isolated": failing.EndsWithOneBadBook,
    "removal-seen": following.IgnoresDeletions,
    "rename-seen": reading.ShowsNoTitleInPaths,
    "request-budget": reading.AsksBeforeItReads,
    "restoration-seen": following.BelievesInDeath,
    "resumed-feed-is-whole": reading.PutsTheCheckpointBeforeThePage,
    "resumed-listing-is-whole": reading.PutsTheCheckpointBeforeThePage,
    "retry-after-absurd": failing.WaitsAMinuteAtMost,
    "retry-after-date": failing.ReadsNumbersOnly,
    "retry-after-seconds": failing.WaitsAsItLikes,
    "retry-after-unsaid": failing.NeedsToBeToldHowLong,
    "retry-after-zero": failing.TakesZeroForNever,
    "same-input-same-documents": reading.WritesTheTimeIntoTexts,
    "same-moment-edits-seen": following.PassesOverTies,
    "secrets-marked": setting_up.PrintsItsToken,
    "secrets-stay-inside": setting_up.LogsItsToken,
    "settings-schema": setting_up.TakesAnySetting,
    "skips-have-reasons": failing.LeavesOutWhatIsLong,
    "token-expires": failing.KeepsNoRenewedToken,
    "token-revoked": failing.TakesARefusedTokenForTrouble,
    "two-runs-at-once": reading.SharesItsPlace,
    "webhook-burst": hooks.TiresOfListening,
    "webhook-replayed": hooks.ListensOnce,
    "webhook-signature": hooks.BelievesEverybody,
    "webhook-stale": hooks.BelievesOldLetters,
    "webhook-unknown-event": hooks.KnowsTwoKinds,
}


def world_of(broken: Any) -> type[World]:
    return (
        broken if issubclass(broken, World) else type(broken.__name__, (ShelfWorld,), {"connector": broken})
    )


def test_for_every_check_there_is_a_connector_that_breaks_its_promise() -> None:
    assert set(BROKEN) == {check.name for check in all_checks()}


@pytest.mark.parametrize("check", all_checks(), ids=str)
def test_the_check_fails_on_what_is_broken(check: Any, tmp_path: Path) -> None:
    """For what was seen: not for an error of the kit, nor because it took long."""
    limit = LIMIT_SECONDS if check.name in ENDLESS else stage.LIMIT_SECONDS
    result = run_check(check, world_of(BROKEN[check.name]), tmp_path, limit_seconds=limit)
    assert result.outcome is Outcome.FAILED, result
    assert bool(re.match(r"\w+: ", result.reason)) is (check.name in RAISING), result
    assert "come to an end" not in result.reason or check.name in ENDLESS, result
