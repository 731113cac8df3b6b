"""The rules of the house that no single test of a part would notice."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
import tempfile
import tomllib
from functools import cache
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from catchment.kit.registry import provider

ROOT = Path(__file__).parent.parent
PACKAGES = ("catchment", "flows", "tasks", "connectors", "deployments")
MOST_LINES = 600
PYPROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONNECTORS: dict[str, str] = PYPROJECT["project"]["entry-points"]["catchment.connectors"]
FLOWS: dict[str, str] = PYPROJECT["project"]["entry-points"]["catchment.flows"]
ON_EVERY_MACHINE = {"/", "/home", "/mnt", "/opt", "/srv", "/tmp", tempfile.gettempdir()}
"""Folders that tell nothing of one machine; a checkout may lie right below them."""


@cache
def tracked() -> tuple[Path, ...]:
    """The files of the repository; outside a checkout of git there are none to look at."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("this is no checkout of git")
    names = listed.stdout.decode("utf-8", "surrogateescape").split("\0")
    return tuple(path for name in names if name and (path := ROOT / name).is_file())


def test_imports_run_one_way() -> None:
    """The layers of pyproject hold."""
    checked = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout[-3000:]
    assert "0 broken" in checked.stdout


@pytest.mark.parametrize("slug", sorted(CONNECTORS))
class TestEverySource:
    def test_has_a_page_that_tells_its_blind_spots(self, slug: str) -> None:
        """Each source has a page, and the page has everything that the source says it cannot tell."""
        page = ROOT / "docs" / "connectors" / f"{slug}.md"
        assert page.is_file(), f"write docs/connectors/{slug}.md"
        words = page.read_text().lower()
        assert "blind" in words or not provider(slug).blind_spots

    def test_has_a_flow_of_its_own(self, slug: str) -> None:
        """Each source is synced by a flow that bears its name; that it exists is seen in `tests/flows`."""
        assert FLOWS[slug] == f"flows.connectors:sync_{slug.replace('-', '_')}"

    def test_is_called_what_it_calls_itself(self, slug: str) -> None:
        """The name of the entry point is the identity that rows keep."""
        assert provider(slug).slug == slug


def test_no_flow_is_left_without_its_source() -> None:
    """The two groups name the same sources."""
    assert set(FLOWS) == set(CONNECTORS)


def test_no_file_of_code_is_longer_than_people_read() -> None:
    """A file that wants a table of contents wants to be two files."""
    long = {
        str(path.relative_to(ROOT)): lines
        for path in tracked()
        if path.suffix == ".py" and (lines := path.read_text(errors="replace").count("\n")) > MOST_LINES
    }
    assert long == {}


def test_no_file_knows_the_machine_that_it_was_written_on() -> None:
    """No tracked file has a path into this checkout, its parent or this person's home."""
    places = {str(place) for place in (ROOT, ROOT.parent, Path.home())} - ON_EVERY_MACHINE
    pattern = re.compile(
        rb"(?<![\w./~-])(?:" + b"|".join(re.escape(place.encode()) for place in places) + rb")/\w"
    )
    telling = [str(path.relative_to(ROOT)) for path in tracked() if pattern.search(path.read_bytes())]
    assert telling == []


def test_every_package_says_what_it_is() -> None:
    """Each folder of code is a package whose docstring is a sentence."""
    silent = []
    for package in PACKAGES:
        for folder in {path.parent for path in (ROOT / package).rglob("*.py")}:
            entry = folder / "__init__.py"
            said = ast.get_docstring(ast.parse(entry.read_text())) if entry.exists() else None
            if not said or not said.splitlines()[0].endswith("."):
                silent.append(str(folder.relative_to(ROOT)))
    assert silent == []


def test_tests_are_no_packages() -> None:
    """An __init__ under tests would make names of test files collide with ours."""
    assert [
        path for path in tracked() if path.name == "__init__.py" and path.parts[-2:-1] == ("tests",)
    ] == []
    assert list((ROOT / "tests").rglob("__init__.py")) == []


@pytest.mark.skipif(
    not (ROOT / "catchment" / "cli" / "main.py").exists(), reason="there is no command line yet"
)
def test_the_help_of_the_command_does_not_wait_for_prefect() -> None:
    """Prefect takes most of a second to import; the help does without it."""
    script = (
        "import sys\n"
        "from catchment.cli.main import main\n"
        "sys.argv = ['catchment', '--help']\n"
        "try:\n    main()\n"
        "except SystemExit as end:\n    assert not end.code, end.code\n"
        "print(*sorted({'prefect', 'alembic', 'fastapi', 'boto3'} & set(sys.modules)), file=sys.stderr)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    assert "sync" in told.stdout
    assert told.stderr.split() == []


def requirements() -> list[Requirement]:
    """Everything that pyproject asks for, extras too."""
    project = PYPROJECT["project"]
    asked = [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]  # noqa: RUF017
    return [Requirement(line) for line in asked]


@pytest.mark.parametrize("wanted", requirements(), ids=lambda wanted: wanted.name)
def test_the_constraints_name_a_version_of(wanted: Requirement) -> None:
    """What is installed for the tests is what was tried: each dependency is pinned within its range."""
    pinned = {}
    for line in (ROOT / "constraints.txt").read_text().splitlines():
        if line.strip() and not line.startswith("#"):
            pin = Requirement(line)
            pinned[canonicalize_name(pin.name)] = pin
    assert canonicalize_name(wanted.name) in pinned
    (version,) = pinned[canonicalize_name(wanted.name)].specifier
    assert version.operator == "=="
    assert wanted.specifier.contains(version.version, prereleases=True)
