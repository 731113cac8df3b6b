"""The GitHub connector keeps every promise of the kit: for files, for issues, and for discussions."""

from __future__ import annotations

from pathlib import Path

import pytest

from catchment.conformance import Check, all_checks, require
from tests.conformance.github import FilesWorld, GitHubWorld
from tests.conformance.github_talks import DiscussionsWorld, IssuesWorld

WORLDS = (FilesWorld, IssuesWorld, DiscussionsWorld)


@pytest.mark.parametrize("world", WORLDS, ids=lambda world: world.kinds[0])
@pytest.mark.parametrize("check", all_checks(), ids=str)
def test_github_keeps_the_promise(check: Check, world: type[GitHubWorld], tmp_path: Path) -> None:
    require(check, world, tmp_path)
