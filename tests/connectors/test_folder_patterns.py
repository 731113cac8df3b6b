"""Ignore patterns: what Git leaves out is left out, and nothing else."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from connectors.folder.patterns import IgnoreList

# Where Git departs from its own manual: stars behind a literal beginning, doubled slashes.
PECULIAR = re.compile(r"[^/!]\*\*|//|\\/")

pieces = st.sampled_from(
    [
        "a",
        "b",
        "ab",
        "*",
        "**",
        "?",
        "[ab]",
        "[!a]",
        "[a-c]",
        "/",
        "\\a",
        "\\*",
        "*.c",
        "a.c",
        " ",
        "#",
        "[]a]",
        "-",
    ]
)
patterns = st.builds(
    "{}{}".format, st.sampled_from(["", "", "!"]), st.lists(pieces, min_size=1, max_size=5).map("".join)
).filter(lambda pattern: not PECULIAR.search(pattern))


def leaves_out(lines: list[str], path: str, *, folder: bool = False) -> bool:
    """Ask for each part of the path, outermost first, as a walk does."""
    found = IgnoreList.of(lines)
    parts = path.split("/")
    return found is not None and any(
        found.ignores("/".join(parts[: depth + 1]), part, is_folder=folder or depth < len(parts) - 1)
        for depth, part in enumerate(parts)
    )


class TestPatterns:
    @pytest.mark.parametrize(
        ("lines", "path", "left_out"),
        [
            (["*.log"], "a/b/x.log", True),
            (["*.log", "!keep.log"], "keep.log", False),
            (["build/"], "src/build/x", True),
            (["build/"], "build", False),
            (["/build"], "src/build", False),
            (["docs/*.txt"], "docs/a/x.txt", False),
            (["docs/**/x.txt"], "docs/x.txt", True),
            (["docs/**"], "docs/a/b", True),
            (["*", "!*/", "!*.txt"], "a/b/x.txt", False),
            (["*", "!*/", "!*.txt"], "a/b/x.pdf", True),
            (["closed/", "!closed/open.txt"], "closed/open.txt", True),
            (["# note", "", "   "], "# note", False),
            (["\\#note"], "#note", True),
            (["name\\ "], "name ", True),
            (["[!a-c]x"], "dx", True),
            (["[[:digit:]]*"], "1.txt", True),
            (["broken["], "broken[", False),
            (["a\r"], "a", True),
        ],
    )
    def test_a_pattern_means_what_it_means_to_git(self, lines: list[str], path: str, left_out: bool) -> None:
        """Anchors, folders, stars, exceptions, brackets and escapes as documented there."""
        assert leaves_out(lines, path) is left_out

    def test_a_hostile_pattern_is_answered_at_once(self) -> None:
        """Stars by the dozen do not multiply: a naive translation would not come back."""
        lines = ["*a" * 60 + "b", "**/a/" * 40 + "**/b", "/" + "a*" * 30 + "b/**/c"]
        assert not leaves_out(lines, "/".join(["a"] * 60) + "/" + "a" * 250)


@pytest.fixture(scope="module")
def repository(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("repository")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    for outer in ("a", "b", "ab", "a.c", "#a", "-"):
        for inner in ("a", "b", "a.c", "c d"):
            (root / outer / inner).mkdir(parents=True)
            for name in ("a", "b.c", "*"):
                (root / outer / inner / name).touch()
    return root


@pytest.mark.skipif(shutil.which("git") is None, reason="needs git to compare with")
class TestAgainstGit:
    @settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(lines=st.lists(patterns, min_size=1, max_size=4))
    def test_any_patterns_leave_out_what_git_leaves_out(self, repository: Path, lines: list[str]) -> None:
        """Entry by entry, the answer is that of `git check-ignore`."""
        (repository / ".gitignore").write_text("\n".join(lines) + "\n")
        entries = {
            path.relative_to(repository).as_posix(): path.is_dir()
            for path in repository.rglob("*")
            if ".git" not in path.parts and path.name != ".gitignore"
        }
        answer = subprocess.run(
            ["git", "-C", str(repository), "check-ignore", "-z", "--no-index", "--stdin"],
            input="\0".join(entries).encode(),
            capture_output=True,
            check=False,
        )
        by_git = {entry for entry in answer.stdout.decode().split("\0") if entry}
        assert {e for e, is_folder in entries.items() if leaves_out(lines, e, folder=is_folder)} == by_git
