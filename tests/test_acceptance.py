"""Every scenario where connector platforms are known to fail is a test of every source that it concerns.

The tests say so in their docstrings: "Acceptance 5 and 23" in the folder of a source, and with the names of
the sources, "Acceptance 7 for s3 and postgresql", everywhere else.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

TESTS = Path(__file__).parent
SCENARIOS = TESTS.parents[1] / "shared" / "acceptance.md"
LINES = {
    "confluence": {1, 2, 4, 5, 6, 7, 8, 9, 13, 17, 18, 19, 20, 21, 28, 30},
    "github": {1, 2, 3, 4, 5, 6, 7, 8, 9, 14, 17, 18, 19, 20, 21, 28, 30},
    "notion": {1, 2, 4, 5, 6, 7, 8, 9, 11, 17, 18, 19, 20, 28, 30},
    "s3": {1, 2, 4, 5, 6, 7, 8, 9, 17, 18, 19, 20, 22, 23, 28, 30},
    "postgresql": {1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 17, 20, 28, 30},
}
"""Which lines concern a source; 3 and 4 are for those that follow changes, 18 and 19 for those over HTTP."""
_NAMES = {
    "confluence": "Confluence",
    "github": "GitHub",
    "notion": "Notion",
    "s3": "S3",
    "postgresql": "PostgreSQL",
}
_CLAIM = re.compile(r"\b[Aa]cceptance (\d+(?:(?:, | and )\d+)*)(?: for ((?:\w+(?:, | and ))*\w+))?")


def docstrings(path: Path) -> Iterator[str]:
    """Yield what the tests of a file, and their classes, say of themselves."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and node.name.lower().startswith("test"):
            yield " ".join((ast.get_docstring(node) or "").split())


def claims() -> dict[str, set[int]]:
    """Return the lines that tests say they are, by source."""
    found: dict[str, set[int]] = defaultdict(set)
    for path in TESTS.rglob("test_*.py"):
        own = path.parent.name if path.parent.parent.name == "connectors" else ""
        for said in docstrings(path):
            for numbers, sources in _CLAIM.findall(said):
                for source in re.split(r", | and ", sources) if sources else [own]:
                    found[source] |= {int(number) for number in re.findall(r"\d+", numbers)}
    return found


@pytest.mark.parametrize("source", sorted(LINES))
def test_each_line_is_a_test_of_each_source(source: str) -> None:
    """None is left out."""
    missing = LINES[source] - claims()[source]
    assert missing == set(), f"no test of {source} says that it is one of these"


@pytest.mark.parametrize("source", sorted(LINES))
def test_the_lines_of_a_source_are_those_that_name_it(source: str) -> None:
    """A line that is added to the scenarios is not overlooked."""
    if not SCENARIOS.exists():
        pytest.skip("the scenarios are not here")
    rows = re.findall(r"(?m)^\| (\d+) \| .* \| ([^|]+) \|$", SCENARIOS.read_text())
    named = {int(number) for number, sources in rows if _NAMES[source] in sources or sources == "all"}
    # 27 is a promise of the store alone, and 29 one of the whole stack.
    assert named - {27, 29} <= LINES[source]
