"""The page about the client is true: its lines are carried out, in order, against the real application."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import carried_out
from tests.client.conftest import House, items

PAGE = Path(__file__).parents[2] / "docs" / "client.md"
BUCKET = re.compile(r'"s3",(\s+name="Reports",\s+)config=\{.*?\},\s+credentials=\{.*?\},', re.DOTALL)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_its_lines_run_as_they_stand(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    """Only address and token are others, and a source without a network stands for the bucket."""
    script = "\n".join(blocks("python"))
    script = script.replace("http://127.0.0.1:8377", house.address)
    script = script.replace("ct_...", house.served.variables["tok_admin"])
    source = items("2026/january.pdf", "2026/february.pdf")
    script, count = BUCKET.subn(lambda found: f'"fixture",{found[1]}config={source!r},', script)
    assert count == 1
    script = script.replace('config={"prefix": "2026/"}', 'config={"latency_ms": 1}')
    names: dict[str, Any] = {}
    exec(compile(script, str(PAGE), "exec"), names)  # the page is ours
    told = capsys.readouterr().out
    assert names["report"].status == "completed"
    assert "completed 2 indexed" in told
    assert "2 0 2026-01-31" in told
    assert "[('n3', 'Text content is empty')]" in told
    assert [hit.path for hit in names["found"]] == ["n1", "n2"]
    assert "3 completed" in told


def test_its_commands_run_as_they_stand(
    house: House, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each ends well, at the server."""
    with house.client() as client:
        notes = client.connectors.create_pushed("notes", name="Notes")
        gate = {"external_id": "n1", "text": "The relief gate opens.", "author": "Ada"}
        client.documents.push([gate], connector=notes.id)
    lines = "".join(blocks("sh")).replace("http://127.0.0.1:8377", house.address)
    lines = lines.replace("ct_...", house.served.variables["tok_admin"])
    said = []
    for line in lines.splitlines():
        word, *rest = shlex.split(line)
        if word == "export":
            monkeypatch.setenv(*rest[0].split("=", 1))
            continue
        assert word == "catchment"
        done = carried_out(capsys, *rest)
        assert done.code == 0, (line, done)
        said.append(done.out)
    assert house.address in said[0]
    assert "The relief gate opens." in said[3]
