"""The product as the benchmark sees it: one sync without Prefect, one through the command, one search.

    python -m benchmarks.catchment_adapter FOLDER HOME    sync without Prefect, counters as JSON

Everything that the benchmark knows of the product's inside stands in this file.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.check import Search

_PLAIN_SYNC = ("catchment.sync.local", "sync_folder_without_prefect")
_COMMAND = Path(sys.executable).with_name("catchment")
_FIND = """
SELECT i.key FROM chunks_fts f JOIN items i ON i.pk = f.rowid >> 20 WHERE chunks_fts MATCH ?
"""


def run_without_prefect(source: Path, home: Path, mode: str = "auto") -> dict[str, int]:
    """Sync a folder into the store of a home by the lanes alone, in plain threads.

    Args:
        source: The folder.
        home: What CATCHMENT_HOME would be; made where it is missing.
        mode: auto, full or incremental.

    Returns:
        The counters of the run.
    """
    module, function = _PLAIN_SYNC
    counters = getattr(importlib.import_module(module), function)(source, home, mode=mode)
    return {name: int(value) for name, value in dict(counters).items()}


def without_prefect_is_missing() -> str | None:
    """Say why a sync without Prefect cannot run here, or return None."""
    try:
        found = importlib.util.find_spec(_PLAIN_SYNC[0])
    except ModuleNotFoundError:
        found = None
    return None if found else f"{_PLAIN_SYNC[0]} is not installed"


def command_is_missing() -> str | None:
    """Say why the `catchment` command cannot run here, or return None."""
    try:
        found = importlib.util.find_spec("catchment.cli.main")
    except ModuleNotFoundError:
        found = None
    if not found:
        return "catchment.cli.main is not installed"
    return None if _COMMAND.exists() else f"{_COMMAND.name} is not installed beside the interpreter"


def command(*words: object) -> list[str]:
    """Return the command line of `catchment` with these words."""
    return [str(_COMMAND), *map(str, words)]


def environment(home: Path) -> dict[str, str]:
    """Return what the environment must hold for a command to use this home."""
    return {"CATCHMENT_HOME": str(home)}


@contextmanager
def open_search(home: Path) -> Iterator[Search]:
    """Open the store of a home for finding words in texts, by SQL, past ranking, paging and filters.

    The numbers of a document's chunks begin with the number of its item, shifted by 20 bits.
    """
    from catchment.store.engine import open_engine, reading

    engine = open_engine(f"sqlite:///{home / 'catchment.db'}")
    try:
        with reading(engine) as connection:

            def search(word: str) -> list[str]:
                return [row[0] for row in connection.exec_driver_sql(_FIND, (f"body : {word}",))]

            yield search
    finally:
        engine.dispose()


def prefect_of(home: Path) -> tuple[str, str, str]:
    """Return address, sign-in (``user:password``) and work pool of the local stack that runs for a home.

    Raises:
        RuntimeError: No stack runs for this home.
    """
    from catchment.local.pool import POOL
    from catchment.local.state import read_state

    state = read_state(home)
    if state is None:
        raise RuntimeError(f"No stack runs for {home}.")
    return state.api_url, state.auth, POOL


def main() -> None:
    """Run one sync without Prefect and print its counters as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("source", type=Path)
    parser.add_argument("home", type=Path)
    parser.add_argument("--mode", default="auto")
    given = parser.parse_args()
    print(json.dumps(run_without_prefect(given.source, given.home, given.mode)))


if __name__ == "__main__":
    main()
