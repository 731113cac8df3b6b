"""Small flows for tests of the stack: each shows from outside what happens to its process."""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import time
from pathlib import Path

from prefect import flow


@flow(name="quick")
def quick() -> None:
    """End at once."""


@flow(name="report")
def report(path: str) -> None:
    """Write down what the flow process sees."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        modules_of_child = pool.apply(_loaded_modules)
    seen = {
        "environment": dict(os.environ),
        "directory": str(Path.cwd()),
        "safe_path": sys.flags.safe_path,
        "executable": sys.executable,
        "child_has_engine": "prefect.engine" in modules_of_child,
        "child_main": [name for name in modules_of_child if name == "catchment.local.engine"],
    }
    Path(path).write_text(json.dumps(seen))


@flow(name="linger")
def linger(folder: str) -> None:
    """Beat until told to stop; then leave a farewell, which a killed process cannot."""
    place = Path(folder)
    try:
        while True:
            (place / "beat").write_text(f"{os.getpid()} {time.time()}")
            time.sleep(0.1)
    finally:
        (place / "farewell").write_text("done")


def _loaded_modules() -> list[str]:
    return sorted(sys.modules)
