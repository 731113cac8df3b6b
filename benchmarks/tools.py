"""What can be measured as a sync: the product, with and without Prefect, and the hand-written script."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks import catchment_adapter, naive
from benchmarks.check import Search
from benchmarks.measure import python_job


@dataclass(frozen=True)
class Tool:
    """Something that brings an index in line with a folder.

    Attributes:
        name: As it stands in the table.
        command: Source folder and index folder to the command that syncs once.
        search: Index folder to a search for the token check.
        environment: Index folder to additions to the environment.
        missing: Why it cannot run here, or None.
    """

    name: str
    command: Callable[[Path, Path], list[str]]
    search: Callable[[Path], AbstractContextManager[Search]]
    environment: Callable[[Path], dict[str, str]] = lambda _: {}
    missing: Callable[[], str | None] = lambda: None


@contextmanager
def _naive_search(index: Path) -> Iterator[Search]:
    with closing(naive.connect(index / "naive.db")) as db:
        yield lambda word: naive.find(db, word)


NAIVE = Tool(
    name="hand-written script",
    command=lambda source, index: python_job("benchmarks.naive", source, index / "naive.db"),
    search=_naive_search,
)

PLAIN = Tool(
    name="catchment without Prefect",
    command=lambda source, index: catchment_adapter.job(catchment_adapter.folder_source(source), index),
    search=catchment_adapter.open_search,
    environment=catchment_adapter.environment,
    missing=catchment_adapter.without_prefect_is_missing,
)

COMMAND = Tool(
    name="catchment sync",
    command=lambda source, _: catchment_adapter.command("sync", source, "--json"),
    search=catchment_adapter.open_search,
    environment=catchment_adapter.environment,
    missing=catchment_adapter.command_is_missing,
)
