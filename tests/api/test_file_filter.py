"""Names in a sync request that would lead out of a folder: nothing beyond it is read, by either face."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from catchment.services import connectors, syncs
from catchment.store.rows import ConnectorRow, RunRow
from tests.support.asked import everything_in
from tests.support.faces import Served, served

CANARY = "canary4711"
NAMES = [
    "../secret.txt",
    "inner/../../secret.txt",
    "..\\secret.txt",
    "%2e%2e/secret.txt",
    "..%2fsecret.txt",
    "/etc/hostname",
    "//etc/hostname",
    "out/secret.txt",
    "out.txt",
    "./inner/a.txt",
    "inner//a.txt",
    ".",
    "~/secret.txt",
    "file:///etc/hostname",
    "a\nb",
]


@pytest.fixture
def face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Served]:
    home = tmp_path / "home"
    home.mkdir()
    with served(home, monkeypatch) as made:
        yield made


@pytest.fixture
def folder(face: Served, tmp_path: Path) -> ConnectorRow:
    """A folder with a file, and ways out of it that a file system offers."""
    root = tmp_path / "root"
    (root / "inner").mkdir(parents=True)
    (root / "inner/a.txt").write_text("a quizzical heron")
    (tmp_path / "secret.txt").write_text(CANARY)
    (root / "out").symlink_to("..")
    (root / "out.txt").symlink_to("../secret.txt")
    return connectors.add(face.context, "folder", {"path": str(root)})


def at_zensearch(face: Served, row: ConnectorRow, body: dict[str, Any]) -> Any:
    return ask(face, f"/api/v1/connectors/{row.id}/sync", body)


def at_aimable(face: Served, row: ConnectorRow, body: dict[str, Any]) -> Any:
    collection = f"/v1/spaces/{face.variables['space_id']}/collections/{face.variables['collection_id']}"
    return ask(face, f"{collection}/connectors/{UUID(row.id)}/sync", body)


def ask(face: Served, path: str, body: dict[str, Any]) -> Any:
    headers = {"Authorization": f"Bearer {face.variables['tok_admin']}"}
    answer = face.client.post(path, json=body, headers=headers)
    assert answer.status_code == 202, answer.text
    face.wire.rest()
    found = answer.json()["data"]
    told = face.client.get(f"{path}/{found.get('jobId', found.get('id'))}", headers=headers)
    assert CANARY not in told.text
    return told.json()["data"]


def the_run(face: Served, told: Any) -> RunRow:
    return syncs.show(face.context, told.get("jobId", told.get("id")).removeprefix("job_").replace("-", ""))


@pytest.mark.parametrize("start", [at_zensearch, at_aimable])
@pytest.mark.parametrize("mode", ["auto", "incremental"])
def test_a_name_leads_nowhere(
    face: Served, folder: ConnectorRow, start: Callable[..., Any], mode: str
) -> None:
    """Each is told as not found or out of scope; a good name beside them is taken."""
    run = the_run(face, start(face, folder, {"sync_mode": mode, "file_filter": [*NAMES, "inner/a.txt"]}))
    assert (run.state, run.indexed) == ("SUCCEEDED", 1), run.details
    assert {error["reason"] for error in run.details["errors"]} <= {"not_found", "out_of_scope"}
    assert run.collected == run.indexed + run.failed + run.skipped + run.gone
    kept = everything_in(face)
    assert "quizzical" in kept
    assert CANARY not in kept
