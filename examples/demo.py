"""What `make demo` shows: a first sync, three searches, and a second sync that costs almost nothing.

    python examples/demo.py [FOLDER-OR-URL]

Everything is done by the `catchment` command, as a person would; the lines that begin with $ can be
typed again. The demo has a home of its own, .demo, made new each time unless KEEP=1 is set.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
CORPUS = Path("examples/corpus")
QUERIES = ROOT / "examples" / "queries.txt"
HOME = ROOT / ".demo"
COMMAND = Path(sys.executable).with_name("catchment")
SOME_ITEMS_FAILED = 3


def main() -> int:
    """Run the demo; returns 0, or the exit code of the first sync if that failed."""
    source = sys.argv[1] if len(sys.argv) > 1 else str(CORPUS)
    os.chdir(ROOT)
    os.environ["CATCHMENT_HOME"] = str(HOME)
    if os.environ.get("KEEP") != "1" and HOME.exists():
        catchment("down", quiet=True)
        shutil.rmtree(HOME)
    try:
        say("A first sync: every document is collected, parsed and indexed by a Prefect flow.")
        first = catchment("sync", source)
        if first not in (0, SOME_ITEMS_FAILED):
            return first
        if source == str(CORPUS):
            say("Why is a document missing?")
            catchment("why", "corpus", "broken/locked report.pdf")
        say("Three searches:")
        for words in queries(source):
            catchment("search", *words.split(), "--limit", "3")
        say("A second sync: nothing changed, so nothing is read again.")
        catchment("sync", source)
        catchment("status")
    finally:
        catchment("down", quiet=True)
    say("To look around with Prefect's pages, runs and schedules:")
    print(f"  $ CATCHMENT_HOME={shlex.quote(str(HOME.relative_to(ROOT)))} {command()} up")
    return 0


def queries(source: str) -> list[str]:
    """Return the words to search for: those of the shipped corpus, or common ones."""
    if source != str(CORPUS):
        return ["the", "and", "a"]
    lines = QUERIES.read_text(encoding="utf-8").splitlines()
    return [line.split("\t")[0] for line in lines if line and not line.startswith("#")]


def command() -> str:
    """Return the command as a person would type it here."""
    return str(COMMAND.relative_to(ROOT)) if COMMAND.is_relative_to(ROOT) else COMMAND.name


def catchment(*words: str, quiet: bool = False) -> int:
    """Run the command and return its exit code; `quiet` shows neither the line nor its output."""
    if not quiet:
        print(f"\n$ {command()} {shlex.join(words)}", flush=True)
    silent = subprocess.DEVNULL if quiet else None
    return subprocess.run([COMMAND, *words], stdout=silent, stderr=silent, check=False).returncode


def say(sentence: str) -> None:
    """Print a heading."""
    print(f"\n== {sentence}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
