"""The PostgreSQL connector keeps every promise that has a meaning for tables, however it follows changes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from catchment.conformance import Check, all_checks, require
from tests.conformance.postgresql import (
    Ground,
    LoggedTableWorld,
    TableWorld,
    TimedTableWorld,
    ground_of,
)
from tests.support.postgres import Site, postgres_site

__all__ = ["postgres_site"]

FOLLOWING = ("changes", "completeness", "cursors", "identity", "resuming")
"""Files of checks whose outcome depends on how changes are followed; of the others one world is enough."""


@pytest.fixture(scope="module")
def ground(postgres_site: Site) -> Iterator[Ground]:
    """One database for all checks; each has a schema of its own."""
    with ground_of(postgres_site) as made:
        yield made


@pytest.mark.parametrize("check", all_checks(), ids=str)
def test_postgresql_keeps_the_promise(check: Check, ground: Ground, tmp_path: Path) -> None:
    require(check, partial(LoggedTableWorld, ground), tmp_path)


@pytest.mark.parametrize("world", [TimedTableWorld, TableWorld])
@pytest.mark.parametrize(
    "check", [check for check in all_checks() if check.act.__module__.endswith(FOLLOWING)], ids=str
)
def test_it_keeps_the_promise_without_the_log(
    check: Check, world: type[TableWorld], ground: Ground, tmp_path: Path
) -> None:
    require(check, partial(world, ground), tmp_path)
