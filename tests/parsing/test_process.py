"""The parser process: one answer per request whatever the documents do (25)."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from catchment.core.documents import ParsedDocument, ParseFailure, ParseRequest
from catchment.core.errors import RunCancelled
from catchment.core.settings import ParseSettings
from catchment.parsing.document import parse_document
from catchment.parsing.process import ParserProcess

_HOSTILE = (sys.executable, "-P", str(Path(__file__).with_name("hostile_child.py")))


class Hostile(ParserProcess):
    command = _HOSTILE


@pytest.fixture
def parser() -> Iterator[ParserProcess]:
    with Hostile(ParseSettings(seconds=2, memory_bytes=256 * 1024 * 1024)) as process:
        yield process


def _texts(*texts: str) -> list[ParseRequest]:
    return [ParseRequest("note.txt", body=text.encode()) for text in texts]


def _seen(answers: Sequence[ParsedDocument | ParseFailure]) -> list[str]:
    return [answer.text if isinstance(answer, ParsedDocument) else answer.reason for answer in answers]


class TestAnswers:
    def test_every_request_is_answered_in_order(self) -> None:
        """What comes out of the child equals what the plain function says, one for one."""
        requests = _texts(*(f"note {number}\n\n" + "word " * (number * 7 % 900) for number in range(700)))
        settings = ParseSettings()
        with ParserProcess(settings) as process:
            assert list(process.parse(requests)) == [
                parse_document(request, settings) for request in requests
            ]

    def test_large_bodies_and_large_texts_do_not_block_each_other(self) -> None:
        """Both directions full at once is no deadlock."""
        requests = _texts(*(f"{number} " + "long line\n" * 300_000 for number in range(6)))
        with ParserProcess(ParseSettings()) as process:
            lengths = [
                len(answer.text) for answer in process.parse(requests) if isinstance(answer, ParsedDocument)
            ]
        assert lengths == [len(request.body or b"") for request in requests]

    def test_a_spool_file_is_read_by_the_child(self, tmp_path: Path) -> None:
        """A body may lie in a file."""
        spool = tmp_path / "spool"
        spool.write_bytes(b"# From the spool")
        with ParserProcess(ParseSettings()) as process:
            (answer,) = process.parse([ParseRequest("a.md", spool_path=str(spool))])
        assert isinstance(answer, ParsedDocument)
        assert answer.title == "From the spool"

    def test_a_caller_that_stops_after_the_last_answer_keeps_the_child(self, parser: ParserProcess) -> None:
        """``zip`` leaves the generator suspended; that must not cost a restart."""
        (first,) = [answer for _, answer in zip([1], parser.parse(_texts("pid")), strict=False)]
        (second,) = parser.parse(_texts("pid"))
        assert first == second

    def test_answers_of_an_abandoned_batch_never_reach_the_next(self, parser: ParserProcess) -> None:
        """A caller that leaves early gets fresh answers afterwards."""
        next(parser.parse(_texts("one", "two " * 300_000, "three " * 300_000)))
        assert _seen(list(parser.parse(_texts("four")))) == ["four"]


class TestHarm:
    def test_a_hang_costs_one_document(self, parser: ParserProcess) -> None:
        """The child is killed after the time limit; the rest of the batch is parsed."""
        assert _seen(list(parser.parse(_texts("a", "hang", "b", "c")))) == ["a", "timed_out", "b", "c"]

    def test_a_crash_of_the_parser_costs_one_document(self, parser: ParserProcess) -> None:
        """A segmentation fault and an abort are answers like others."""
        answers = list(parser.parse(_texts("a", "segfault", "b", "abort", "c")))
        assert _seen(answers) == ["a", "crashed", "b", "crashed", "c"]
        assert isinstance(answers[1], ParseFailure)
        assert "SIGSEGV" in answers[1].message

    @pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not limit the address space")
    def test_a_document_that_eats_memory_costs_one_document(self, parser: ParserProcess) -> None:
        """The address space is limited, so the machine never feels it."""
        assert _seen(list(parser.parse(_texts("a", "eat", "b")))) == ["a", "out_of_memory", "b"]

    def test_a_kill_from_outside_is_taken_for_want_of_memory(self, parser: ParserProcess) -> None:
        """Nobody but the kernel's memory killer ends the child this way."""
        assert _seen(list(parser.parse(_texts("killed", "b")))) == ["out_of_memory", "b"]

    def test_a_panic_of_a_native_library_costs_one_document(self, parser: ParserProcess) -> None:
        """Panics of Rust libraries are not exceptions of the usual kind."""
        assert _seen(list(parser.parse(_texts("panic", "b")))) == ["broken", "b"]

    def test_many_bad_documents_in_a_row_leave_their_neighbours_alone(self, parser: ParserProcess) -> None:
        """Every restart goes on with the right document."""
        chance = random.Random(7)
        orders = [chance.choice(["segfault", "abort", "fine", "panic"]) for _ in range(24)]
        expected = {"segfault": "crashed", "abort": "crashed", "fine": "fine", "panic": "broken"}
        assert _seen(list(parser.parse(_texts(*orders)))) == [expected[order] for order in orders]

    def test_bad_documents_among_hundreds_that_were_sent_together_cost_themselves_only(
        self, parser: ParserProcess
    ) -> None:
        """Small bodies are sent many at a time, and each still has an answer of its own."""
        texts = [f"note {number}" for number in range(500)]
        harm = {37: "segfault", 200: "hang", 201: "segfault", 330: "killed", 499: "segfault"}
        for place, order in harm.items():
            texts[place] = order
        reasons = {"segfault": "crashed", "hang": "timed_out", "killed": "out_of_memory"}
        assert _seen(list(parser.parse(_texts(*texts)))) == [reasons.get(text, text) for text in texts]

    def test_a_child_that_dies_between_batches_blames_nobody(self, parser: ParserProcess) -> None:
        """An idle child that was killed is replaced without a failure."""
        (answer,) = parser.parse(_texts("pid"))
        assert isinstance(answer, ParsedDocument)
        os.kill(int(answer.text), signal.SIGKILL)
        assert parser._child is not None
        parser._child._process.wait()
        assert _seen(list(parser.parse(_texts("next")))) == ["next"]

    def test_a_child_that_cannot_start_is_an_error_of_the_installation(self) -> None:
        """No document is blamed for it."""

        class Missing(ParserProcess):
            command = (sys.executable, "-P", "-c", "raise SystemExit('no library')")

        with Missing(ParseSettings()) as process, pytest.raises(RuntimeError, match="no library"):
            list(process.parse(_texts("a")))


class TestMemory:
    @pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not limit the address space")
    def test_a_child_that_keeps_its_memory_is_replaced(self) -> None:
        """What large documents leave behind must not make a later one fail."""
        with Hostile(ParseSettings(memory_bytes=256 * 1024 * 1024)) as process:
            answers = list(process.parse(_texts("pid", "keep " * 100_000, "pid")))
        assert _seen(answers)[0] != _seen(answers)[2]
        assert isinstance(answers[1], ParsedDocument)


class TestStop:
    def test_a_stop_while_a_document_hangs_raises_at_once(self) -> None:
        """The stop signal does not wait for the time limit of the document."""
        stop = threading.Event()
        with Hostile(ParseSettings(seconds=600), stop=stop) as process:
            answers = process.parse(_texts("a", "hang"))
            assert _seen([next(answers)]) == ["a"]
            threading.Timer(0.1, stop.set).start()
            with pytest.raises(RunCancelled):
                next(answers)

    def test_closing_leaves_no_process(self, parser: ParserProcess) -> None:
        """The child is gone and reaped."""
        (answer,) = parser.parse(_texts("pid"))
        parser.close()
        assert isinstance(answer, ParsedDocument)
        with pytest.raises(ProcessLookupError):
            os.kill(int(answer.text), 0)

    def test_the_child_dies_with_its_parent(self) -> None:
        """A parent that is killed in the middle of a document leaves nothing behind."""
        script = (
            "from catchment.core.documents import ParseRequest\n"
            "from catchment.core.settings import ParseSettings\n"
            "from catchment.parsing.process import ParserProcess\n"
            f"ParserProcess.command = {_HOSTILE!r}\n"
            "process = ParserProcess(ParseSettings())\n"
            "bodies = [b'pid', b'hang']\n"
            "answers = process.parse([ParseRequest('a.txt', body=body) for body in bodies])\n"
            "print(next(answers).text, flush=True); next(answers)"
        )
        with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as parent:
            assert parent.stdout is not None
            child = int(parent.stdout.readline())
            parent.kill()
        for _ in range(100):
            if not _is_running(child):
                break
            time.sleep(0.1)
        assert not _is_running(child)


class TestChild:
    def test_it_imports_nothing_heavy(self) -> None:
        """Prefect, SQLAlchemy and the settings library would cost a second and 80 MB per restart."""
        code = "import sys, catchment.parsing.child; print(*sys.modules)"
        run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        heavy = {
            "prefect",
            "sqlalchemy",
            "httpx",
            "pydantic",
            "xberg",
            "lxml",
            "pypdfium2",
            "html_to_markdown",
        }
        assert not heavy & set(run.stdout.split())

    def test_it_gets_no_secrets_of_its_parent(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """A hostile document finds no tokens in the environment."""
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
        monkeypatch.setenv("CATCHMENT_DATABASE_URL", "x")
        with Hostile(ParseSettings()) as process:
            (answer,) = process.parse(_texts("secrets"))
        assert isinstance(answer, ParsedDocument)
        assert "AWS_SECRET_ACCESS_KEY" not in answer.text
        assert "CATCHMENT" not in answer.text


def _is_running(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    state = Path(f"/proc/{pid}/stat")
    return not (state.exists() and ") Z" in state.read_text())  # a zombie waits for whoever inherited it
