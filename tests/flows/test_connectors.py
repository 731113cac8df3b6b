"""The named flows, in a process of their own: Prefect is never imported into this one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def run(tmp_path: Path, code: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-c", f"import json\n{code}"],
        env={**os.environ, "PREFECT_HOME": str(tmp_path), "CATCHMENT_HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_flow_is_made_when_it_is_asked_for_and_once(tmp_path: Path) -> None:
    code = """
import prefect
made, make = [], prefect.flow
prefect.flow = lambda **options: (made.append(options["name"]), make(**options))[1]
import flows.connectors
made.append("imported")
flows.connectors.sync_folder, flows.connectors.sync_folder
print(json.dumps(made))
"""
    assert run(tmp_path, code) == ["imported", "sync-folder"]


def test_every_source_of_the_package_has_its_flow(tmp_path: Path) -> None:
    """Named in Prefect as its function is, with a description of its own, and listed with the module."""
    code = """
from flows import connectors
flows = {name: getattr(connectors, name) for name in dir(connectors) if name.startswith("sync_")}
print(json.dumps({name: [flow.name, flow.description] for name, flow in flows.items()}))
"""
    flows = run(tmp_path, code)
    points = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["entry-points"]
    named = {point.rpartition(":")[2] for point in points["catchment.flows"].values()}
    assert set(flows) == {*named, "sync_connector"}
    assert {name: flow for name, (flow, _) in flows.items()} == {
        name: name.replace("_", "-") for name in flows
    }
    assert flows["sync_folder"][1].startswith("Sync a folder of this machine into its collection.")
    assert len({description for _, description in flows.values()}) == len(flows)


def test_there_are_no_others(tmp_path: Path) -> None:
    code = """
from flows import connectors
print(json.dumps([hasattr(connectors, name) for name in ("sync_nothing", "folder", "sync_", "sync_folder")]))
"""
    assert run(tmp_path, code) == [False, False, False, True]
