"""What a run shows in Prefect: one progress artifact, one table, both changed in place, and a report."""

from __future__ import annotations

import json
from typing import Any

from prefect.artifacts import create_markdown_artifact, create_progress_artifact, create_table_artifact

from catchment.core.counters import Counters
from catchment.core.errors import CatchmentError
from catchment.services.prefect_client import PrefectClient
from catchment.sync.close import Outcome
from catchment.sync.run import Run
from flows.context import log

MOST_ROWS = 20
_FIRST = ("indexed", "skipped", "failed", "deleted")


class Progress:
    """The live counters of one run on its page in Prefect.

    The artifacts are made once and changed in place: making them again with the same key would pile
    up a card for every second. The page shows an artifact's description without a click, so the
    counters stand there.
    """

    def __init__(self, run: Run, client: PrefectClient) -> None:
        self._client = client
        # The card of an artifact is narrow and shows its key in large letters: short words, no ids. Runs
        # of one connector share the key, so that Prefect's list of artifacts shows the latest of each.
        key = self._key = run.connector.slug
        self._bar = create_progress_artifact(0.0, key=f"{key}-progress", description=_words(run.counters))
        self._table = create_table_artifact(
            _rows(run.counters), key=f"{key}-counters", description="Counters of this run"
        )
        self._shown = run.snapshot()

    def show(self, run: Run) -> None:
        """Show the counters as they are; called at most once a second."""
        counters = run.snapshot()
        if counters == self._shown:
            return
        self._shown = counters
        try:
            self._write(run, counters, done=False)
        except CatchmentError as error:
            # The run goes on without its picture.
            log.debug("progress was not shown: %s", error)

    def finish(self, run: Run, outcome: Outcome) -> None:
        """Show the final counters and a report of what was skipped, failed and held."""
        try:
            self._write(run, run.snapshot(), done=outcome.message is None)
            create_markdown_artifact(
                report(run, outcome), key=f"{self._key}-report", description="Report of this run"
            )
        except Exception as error:
            log.warning("the report was not written: %s", type(error).__name__)

    def _write(self, run: Run, counters: Counters, *, done: bool) -> None:
        share = 100.0 if done else min(99.0, 100.0 * counters.settled / max(counters.collected, 1))
        words = _words(counters)
        if run.waiting is not None and run.waiting[0] and not done:
            words = f"waiting: {run.waiting[0]}; {words}"
        body = {"data": share, "description": words}
        self._client.request("PATCH", f"/artifacts/{self._bar}", body)
        self._client.request("PATCH", f"/artifacts/{self._table}", {"data": json.dumps(_rows(counters))})


def _words(counters: Counters) -> str:
    """Say the counters in the order of their weight; a card shows the first forty characters."""
    shown = counters.public()
    others = [name for name in (*_FIRST, *shown) if shown[name]]
    return ", ".join(
        [
            f"collected {shown['collected']}",
            *(f"{name} {shown[name]}" for name in dict.fromkeys(others) if name != "collected"),
        ]
    )


def _rows(counters: Counters) -> list[dict[str, Any]]:
    return [{"step": name, "items": count} for name, count in counters.public().items()]


def report(run: Run, outcome: Outcome) -> str:
    """Write what a run came to, as Markdown; keys and reasons, nothing of any document."""
    lines = [f"## {run.connector.name}: {outcome.state.value.lower()}"]
    if outcome.message:
        lines += ["", outcome.message]
    strategy = run.strategy.value if run.strategy else "none"
    reason = run.reason.value if run.reason else "none"
    lines += ["", f"Mode `{run.mode.value}`, strategy `{strategy}` because of `{reason}`.", ""]
    lines += ["| step | items |", "|---|--:|"]
    lines += [f"| {name} | {count} |" for name, count in run.counters.public().items()]
    if run.report.skipped:
        lines += ["", "### Skipped", "", "| reason | items |", "|---|--:|"]
        lines += [f"| {_cell(reason)} | {count} |" for reason, count in run.report.skipped.most_common()]
    if run.report.errors:
        lines += ["", "### Failed", "", "| item | stage | reason |", "|---|---|---|"]
        for error in run.report.errors[:MOST_ROWS]:
            lines.append(f"| {_cell(error['key'])} | {error['stage']} | {_cell(error['reason'])} |")
    for scope, held in run.report.held.items():
        lines += ["", f"### Held in {_cell(scope)}", "", f"{held['count']} documents would be deleted:"]
        lines += [f"- `{_cell(key)}`" for key in held["sample"]]
    return "\n".join(lines)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ").replace("`", "'")
