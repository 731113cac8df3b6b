"""`python -m benchmarks`: measure, check, and write one table."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import report, rows
from benchmarks.bench import QUICK, Bench, Sizes
from benchmarks.measure import load, machine


def main() -> int:
    """Run the rows that are asked for; 1 if a run ended with an error or failed its token check."""
    given = _arguments()
    given.load = load()
    bench = Bench(
        given.cache,
        rounds=given.rounds,
        sizes=QUICK if given.quick else Sizes(),
        peers_python=given.peers_python,
    )
    bench.clear()
    results: list[report.Result] = []
    for name in given.only:
        print(f"{name} ...", file=sys.stderr, flush=True)
        results += rows.run(name, bench)
        _write(results, given)
    print(_table(results, given))
    return 1 if any(result.failed for result in results) else 0


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", type=_row_names, default=list(rows.ROWS), metavar="ROW[,ROW]")
    parser.add_argument("--rounds", type=int, default=3, help="runs of each tool in a comparison")
    parser.add_argument("--quick", action="store_true", help="small corpora, for a first look")
    parser.add_argument("--out", type=Path, help="Markdown file; the same as JSON is laid beside it")
    parser.add_argument("--cache", type=Path, default=Path(".bench"), help="folder for corpora")
    parser.add_argument("--peers-python", default=sys.executable, help="interpreter that has peers installed")
    return parser.parse_args()


def _row_names(text: str) -> list[str]:
    names = [name for each in text.split(",") for name in rows.GROUPS.get(each, (each,))]
    if unknown := [name for name in names if name not in rows.ROWS]:
        raise argparse.ArgumentTypeError(
            f"no row {', '.join(unknown)}; there are {', '.join([*rows.ROWS, *rows.GROUPS])}"
        )
    return names


def _table(results: list[report.Result], given: argparse.Namespace) -> str:
    return report.markdown(results, **_circumstances(given))


def _write(results: list[report.Result], given: argparse.Namespace) -> None:
    """Write what there is after each row, so that a stopped run leaves its figures."""
    if given.out:
        given.out.parent.mkdir(parents=True, exist_ok=True)
        given.out.write_text(_table(results, given), encoding="utf-8")
        figures = report.as_json(results, **_circumstances(given))
        given.out.with_suffix(".json").write_text(figures, encoding="utf-8")


def _circumstances(given: argparse.Namespace) -> report.Circumstances:
    return {"machine": machine(), "rounds": given.rounds, "quick": given.quick, "load": given.load}


if __name__ == "__main__":
    sys.exit(main())
