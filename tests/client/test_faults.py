"""What the client does when the wire fails: what it repeats, how long it waits, and what its errors hold."""

from __future__ import annotations

import json
import pickle
import traceback
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import pytest

from catchment.client import (
    Client,
    ClientError,
    Conflict,
    Invalid,
    NotFound,
    RateLimited,
    Retries,
    ServerFailed,
    StillRunning,
    TooLarge,
    Unavailable,
    Unreachable,
)
from catchment.client.steps import Call, Cut
from catchment.core import errors
from catchment.core.clock import START
from tests.client.conftest import TOKEN, Faulty, House, Waits, items

CONNECTOR = {
    "id": "conn_" + "1" * 32,
    "name": "Notes",
    "type": "notes",
    "status": "active",
    "collection": "col_" + "2" * 32,
    "lastSync": None,
    "createdAt": "2026-01-31T10:00:00Z",
    "updatedAt": "2026-01-31T10:00:00Z",
    "config": {},
    "schedule": None,
    "enabled": True,
    "documentCount": 0,
    "errorMessage": None,
}
TAKEN = {
    "documentsIndexed": 1,
    "documentsSkipped": 0,
    "errors": [],
    "cursor": None,
    "transcriptionsQueued": 0,
}
ONE = [{"external_id": "n", "text": "words"}]


def ok(data: Any, status: int = 200) -> httpx.Response:
    return httpx.Response(status, json=data)


def shown() -> httpx.Response:
    return ok({"data": CONNECTOR, "meta": {}})


def busy(status: int = 503, **headers: str) -> httpx.Response:
    return httpx.Response(status, json={"detail": "busy"}, headers=headers)


def in_seconds(seconds: float) -> str:
    return format_datetime(datetime.fromtimestamp(START, UTC) + timedelta(seconds=seconds), usegmt=True)


class TestRetryAfter:
    @pytest.mark.parametrize("status", [429, 503])
    @pytest.mark.parametrize(("told", "seconds"), [("7", 7.0), (in_seconds(42), 42.0), (in_seconds(-5), 0.0)])
    def test_is_obeyed_in_both_forms(self, status: int, told: str, seconds: float, faulty: Faulty) -> None:
        """Seconds, or a moment; one that has passed means at once."""
        faulty.wire.replies = [busy(status, **{"Retry-After": told}), shown()]
        assert faulty.client.connectors.get("x").name == "Notes"
        assert faulty.waits.slept == [seconds]

    def test_is_never_cut_short_by_chance(self, faulty: Faulty) -> None:
        """Chance only adds to what the server asks for."""
        faulty.client.session.chance = lambda: 1.0
        faulty.wire.replies = [busy(429, **{"Retry-After": "3"}), shown()]
        faulty.client.connectors.get("x")
        assert faulty.waits.slept == [3.5]

    def test_beyond_all_patience_is_an_error_that_says_how_long(self, faulty: Faulty) -> None:
        """Nobody sleeps for an hour in a function call."""
        faulty.wire.replies = [busy(429, **{"Retry-After": "3600"})]
        with pytest.raises(RateLimited) as limited:
            faulty.client.connectors.get("x")
        assert limited.value.retry_after_seconds == 3600
        assert faulty.waits.slept == []

    def test_that_nobody_can_read_counts_as_none(self, faulty: Faulty) -> None:
        """The usual waits follow."""
        faulty.wire.replies = [busy(503, **{"Retry-After": "soon"}), shown()]
        faulty.client.connectors.get("x")
        assert faulty.waits.slept == [0.5]


class TestRetries:
    @pytest.mark.parametrize("fault", [500, 502, 504, 408, "cut", "refused", "late"])
    def test_waits_grow_until_the_attempts_are_used_up(self, fault: int | str, faulty: Faulty) -> None:
        """Twice as long each time; then the error comes, and says how often it was tried."""
        made: dict[str, Exception] = {
            "cut": httpx.ReadError("reset"),
            "refused": httpx.ConnectError("refused"),
            "late": httpx.ReadTimeout("late"),
        }
        fault_now = made[fault] if isinstance(fault, str) else httpx.Response(fault, text="<html>")
        faulty.wire.replies = [fault_now] * 4
        expected = Unreachable if isinstance(fault, str) else Unavailable if fault == 408 else ServerFailed
        with pytest.raises(expected) as failed:
            faulty.client.connectors.get("x")
        assert failed.value.attempts == 4
        assert faulty.waits.slept == [0.5, 1.0, 2.0]

    def test_chance_spreads_the_waits(self) -> None:
        """Up to half of a wait falls away, and none is longer than the longest."""
        retries = Retries(attempts=30, most_seconds=8)
        call, outcome = Call("GET", "/"), Cut("reset", was_sent=True)
        waits = [
            retries.wait(call, outcome, attempt, now=0, chance=lambda: 1.0) for attempt in (1, 2, 3, 10, 29)
        ]
        assert waits == [0.25, 0.5, 1.0, 4.0, 4.0]
        assert retries.wait(call, outcome, 30, now=0, chance=lambda: 1.0) is None

    @pytest.mark.parametrize("status", [400, 401, 403, 404, 405, 409, 413, 422, 451])
    def test_what_the_server_refuses_is_not_repeated(self, status: int, faulty: Faulty) -> None:
        """One request, one error."""
        faulty.wire.replies = [httpx.Response(status, json={"detail": "no"})]
        with pytest.raises(ClientError, match="no") as refused:
            faulty.client.connectors.get("x")
        assert (refused.value.status, refused.value.attempts) == (status, 1)
        assert faulty.waits.slept == []

    def test_a_source_that_refuses_is_not_asked_again(self, faulty: Faulty) -> None:
        """502 in the words of our server is the source's answer, not a passing fault."""
        faulty.client.session.homes[CONNECTOR["id"]] = str(CONNECTOR["collection"])
        faulty.client.session.spaces[str(CONNECTOR["collection"])] = "3" * 32
        faulty.wire.replies = [httpx.Response(502, json={"detail": "The bucket is not there."})]
        with pytest.raises(ServerFailed, match="bucket"):
            faulty.client.connectors.browse(str(CONNECTOR["id"]))
        assert len(faulty.wire.requests) == 1

    def test_what_cannot_be_repeated_is_not_sent_twice(self, faulty: Faulty) -> None:
        """After a cut nobody knows whether it was done; where no connection came about, it was not."""
        faulty.wire.replies = [httpx.ReadError("reset")]
        with pytest.raises(Unreachable):
            faulty.client.connectors.create_pushed("notes")
        assert len(faulty.wire.requests) == 1
        made = ok({"data": {"createConnector": {"id": "1" * 32}}})
        away = ok({"data": None, "errors": [{"message": "away", "extensions": {"code": "UNAVAILABLE"}}]})
        faulty.wire.replies = [httpx.ConnectError("refused"), away, made, shown()]
        assert faulty.client.connectors.create_pushed("notes").name == "Notes"
        assert faulty.wire.paths[1:] == ["POST /graphql"] * 3 + ["GET /api/v1/connectors/" + "1" * 32]

    def test_a_removal_that_was_cut_is_done(self, faulty: Faulty) -> None:
        """The second request finds nothing, because the first one arrived."""
        faulty.wire.replies = [httpx.ReadError("reset"), busy(404)]
        faulty.client.connectors.delete("x")
        faulty.wire.replies = [busy(404)]
        with pytest.raises(NotFound):
            faulty.client.connectors.delete("x")


class CutOnce:
    """A transport that lets a request arrive and loses its answer, once for each path that ends so."""

    def __init__(self, *endings: str) -> None:
        self.endings = list(endings)
        self.inner = httpx.HTTPTransport()

    def handle(self, request: httpx.Request) -> httpx.Response:
        answer = self.inner.handle_request(request)
        answer.read()
        for ending in self.endings:
            if request.method == "POST" and request.url.path.endswith(ending):
                self.endings.remove(ending)
                raise httpx.ReadError("reset")
        return httpx.Response(answer.status_code, headers=_plain(answer.headers), content=answer.content)


def _plain(headers: httpx.Headers) -> dict[str, str]:
    return {name: value for name, value in headers.items() if name not in ("content-encoding",)}


class TestARepeatedRequest:
    """Against the real application, whose answer is lost after the request arrived."""

    @pytest.fixture
    def lossy(self, house: House) -> Any:
        def make(*endings: str) -> Client:
            waits = Waits()
            transport = httpx.MockTransport(CutOnce(*endings).handle)
            return house.client(transport=transport, sleep=waits.sleep)

        return make

    def test_makes_no_second_connector_and_no_second_job(self, lossy: Any) -> None:
        """The idempotency key gives the first answer again."""
        with lossy("/connectors", "/sync") as client:
            made = client.connectors.create("fixture", config=items("a.md"))
            assert [one.id for one in client.connectors.list()] == [made.id]
            job = client.connectors.sync(made.id)
            assert [one.id for one in client.jobs.list(made.id)] == [job.id]

    def test_brings_no_document_twice(self, lossy: Any) -> None:
        """The second time they are known, and the cursor's guard knows its own move."""
        with lossy("/documents") as client:
            notes = client.connectors.create_pushed("notes")
            done = client.documents.push(ONE, connector=notes.id, cursor="page-2", cursor_before=None)
            assert (done.indexed, done.skipped, done.cursor) == (0, 1, "page-2")
            assert len(client.documents.list(notes.id)) == 1
            with pytest.raises(Conflict):
                client.documents.push(ONE, connector=notes.id, cursor="page-3", cursor_before=None)


class TestPushes:
    def test_go_on_after_a_busy_server(self, faulty: Faulty) -> None:
        """The same batch once more, byte by byte."""
        faulty.wire.replies = [busy(429, **{"Retry-After": "2"}), httpx.ReadError("reset"), ok(TAKEN)]
        assert faulty.client.documents.push(ONE, connector="c").indexed == 1
        assert len({request.content for request in faulty.wire.requests}) == 1
        assert faulty.waits.slept == [2.0, 1.0]

    def test_do_not_take_a_foreign_cursor_for_their_own(self, faulty: Faulty) -> None:
        """After a cut, the cursor may have been moved by somebody else: that stays a conflict."""
        cursor = ok({"data": {"connector": {"cursor": "of somebody else"}}})
        faulty.wire.replies = [httpx.ReadError("reset"), busy(409), cursor]
        with pytest.raises(Conflict):
            faulty.client.documents.push(ONE, connector="c", cursor="page-2", cursor_before="page-1")
        assert faulty.wire.paths == ["POST /api/sync/documents"] * 2 + ["POST /graphql"]

    def test_that_fail_tell_what_was_done_before(self, faulty: Faulty) -> None:
        """The error has the result so far."""
        documents = [{"external_id": str(number), "text": "words"} for number in range(3)]
        faulty.wire.replies = [ok(TAKEN), *[busy()] * 4]
        with pytest.raises(Unavailable) as failed:
            faulty.client.documents.push(documents, connector="c", batch_size=1)
        assert failed.value.pushed is not None
        assert (failed.value.pushed.indexed, failed.value.pushed.batches) == (1, 1)

    def test_are_halved_where_they_are_too_large(self, faulty: Faulty) -> None:
        """Down to one document, which is then an error of its own; the cursor goes with the last part."""
        sent: list[dict[str, Any]] = []

        def picky(request: httpx.Request) -> httpx.Response:
            body = json.loads(request.content)
            if any(one["text"] == "huge" for one in body["documents"]):
                return httpx.Response(413, json={"error": "More than 1 MiB is not taken.", "errors": []})
            sent.append(body)
            return ok({**TAKEN, "documentsIndexed": len(body["documents"])})

        faulty.wire.behind = picky
        documents = [
            {"external_id": str(number), "text": "huge" if number == 2 else "words"} for number in range(6)
        ]
        done = faulty.client.documents.push(documents, connector="c", cursor="end")
        assert done.indexed == 5
        assert [(one.external_id, one.place) for one in done.errors] == [("2", 2)]
        assert [body.get("cursor") for body in sent] == [None] * (len(sent) - 1) + ["end"]

    def test_are_bounded_in_bytes(self, faulty: Faulty) -> None:
        """A batch holds so many bytes at the most; a document that is larger travels alone."""
        faulty.wire.behind = lambda _request: ok(TAKEN)
        documents = [
            {"external_id": str(number), "text": "x" * size}
            for number, size in enumerate((400, 400, 2000, 9))
        ]
        faulty.client.documents.push(documents, connector="c", batch_bytes=1000)
        counts = [len(json.loads(request.content)["documents"]) for request in faulty.wire.requests]
        assert counts == [2, 1, 1]


def stands(status: str, *, job: str = "job_1", **more: Any) -> httpx.Response:
    """How a job stands, on the ZenSearch face."""
    told = {"jobId": job, "status": status, "startedAt": "2026-01-31T10:00:00Z", "kind": "sync"}
    return ok({"data": {**told, "mode": "auto", "trigger": "manual", "progress": {}, **more}, "meta": {}})


class TestWaits:
    def test_grow_while_nothing_moves(self, faulty: Faulty) -> None:
        """Up to the longest one; what moves is looked at often again, and told once."""
        moved = stands("running", progress={"indexed": 1})
        faulty.wire.replies = [*[stands("queued")] * 12, moved, moved, stands("completed")]
        told: list[str] = []
        job = faulty.client.jobs.get("c", "job_1")
        job.wait(progress=lambda seen: told.append(f"{seen.status} {seen.progress.indexed}"))
        assert told == ["queued 0", "running 1", "completed 0"]
        waits = [round(seconds, 2) for seconds in faulty.waits.slept]
        assert waits == [0.2, 0.3, 0.45, 0.68, 1.01, 1.52, 2.28, 3.42, 5.0, 5.0, 5.0, 0.2, 0.3]

    def test_end_at_their_time(self, faulty: Faulty) -> None:
        """Not a moment later, however long the next pause would be."""
        faulty.wire.behind = lambda _request: stands("running")
        with pytest.raises(StillRunning):
            faulty.client.jobs.get("c", "job_1").wait(timeout=10)
        assert sum(faulty.waits.slept) == pytest.approx(10)

    def test_outlast_a_server_that_is_started_anew(self, faulty: Faulty) -> None:
        """A look that fails is repeated as any request."""
        faulty.wire.replies = [stands("running"), httpx.ConnectError("refused"), busy(), stands("completed")]
        assert faulty.client.jobs.get("c", "job_1").wait().status == "completed"

    @pytest.mark.parametrize("follow", [True, False])
    def test_follow_the_job_that_takes_up_an_interrupted_one(self, follow: bool, faulty: Faulty) -> None:
        """Its process died: the server opens another job, and that is the one that is waited for."""
        dead = stands("failed", error={"code": "interrupted", "message": "Its process died."})
        listed = {"collection_connector_id": "c", "records_fetched": 0, "metadata": {}}
        listed |= {"status": "running", "created_at": "2026-01-31T10:01:00Z", "error_message": None}
        page = {"data": [{**listed, "id": "job_2"}, {**listed, "id": "job_1"}], "meta": {"next_cursor": None}}
        none_yet = {"data": [{**listed, "id": "job_1"}], "meta": {"next_cursor": None}}
        next_one = stands("running", job="job_2", trigger="resume")
        places = [shown(), ok([{"id": "s", "name": "Default", "created_at": "2026-01-31T10:00:00Z"}])]
        collection = {"id": CONNECTOR["collection"], "space_id": "s", "name": "Default"}
        places.append(ok({"data": [{**collection, "created_at": "2026-01-31T10:00:00Z"}], "meta": {}}))
        faulty.wire.replies = [dead, dead, *places, ok(none_yet), ok(page), next_one]
        faulty.wire.replies += [next_one, stands("completed", job="job_2", trigger="resume")]
        job = faulty.client.jobs.get(str(CONNECTOR["id"]), "job_1")
        report = job.wait(follow=follow)
        assert (report.id, report.status) == (("job_2", "completed") if follow else ("job_1", "failed"))
        assert job.id == report.id


class TestErrors:
    def test_are_those_of_the_house(self, faulty: Faulty) -> None:
        """Who knows Catchment's errors catches these."""
        pairs: list[tuple[int, type[Exception]]] = [
            (401, errors.Unauthenticated),
            (403, errors.Forbidden),
            (404, errors.NotFound),
            (409, errors.Conflict),
            (422, errors.UsageError),
        ]
        for status, kind in pairs:
            faulty.wire.replies = [httpx.Response(status, json={"detail": "no"})]
            with pytest.raises(kind):
                faulty.client.connectors.get("x")
        faulty.wire.replies = [
            httpx.Response(413, json={"error": {"code": "payload_too_large", "message": "no"}})
        ]
        with pytest.raises(TooLarge):
            faulty.client.connectors.get("x")

    @pytest.mark.parametrize(
        ("body", "message", "field"),
        [
            (
                {"error": {"message": "Wrong.", "details": {"field": "config.bucket"}}},
                "Wrong.",
                "config.bucket",
            ),
            (
                {"detail": [{"loc": ["body", "name"], "msg": "Too long", "type": "x"}]},
                "name: Too long",
                "name",
            ),
            ({"detail": "Not so."}, "Not so.", None),
            ({"error": "Not so.", "errors": [{"external_id": None, "error": "Not so."}]}, "Not so.", None),
            ([], "http://api.test answers with status 400", None),
            ({"error": {"message": 5, "details": 7}, "detail": {}}, "answers with status 400", None),
        ],
    )
    def test_tell_what_the_face_told(
        self, body: Any, message: str, field: str | None, faulty: Faulty
    ) -> None:
        """Sentence and field, in whichever form they came."""
        faulty.wire.replies = [httpx.Response(400, json=body, headers={"X-Request-ID": "req_1"})]
        with pytest.raises(Invalid, match=message) as refused:
            faulty.client.connectors.get("x")
        assert (refused.value.field, refused.value.request_id) == (field, "req_1")

    @pytest.mark.parametrize(
        "answer",
        [
            httpx.Response(200, text="<html>a page</html>"),
            httpx.Response(200, json=[]),
            httpx.Response(200, json={"data": {"id": "x"}}),
            httpx.Response(302, headers={"Location": "https://elsewhere.test/"}),
        ],
        ids=["a page", "a list", "half a connector", "a redirect"],
    )
    def test_an_answer_that_is_none_of_ours(self, answer: httpx.Response, faulty: Faulty) -> None:
        """One sentence with the address; nobody is followed to another address with the token."""
        faulty.wire.replies = [answer]
        with pytest.raises(ServerFailed, match=r"http://api\.test"):
            faulty.client.connectors.get("x")
        assert len(faulty.wire.requests) == 1

    @pytest.mark.parametrize(
        "fault",
        [
            httpx.ReadError(f"cut with {TOKEN}"),
            httpx.ConnectError("refused"),
            httpx.Response(
                401,
                json={"error": {"message": f"unknown: {TOKEN}", "details": {"field": TOKEN, "was": [TOKEN]}}},
                headers={"X-Request-ID": TOKEN},
            ),
            httpx.Response(500, text=TOKEN),
            httpx.Response(200, json={"data": {"id": TOKEN}}),
        ],
        ids=["cut", "refused", "echoed", "failed", "unreadable"],
    )
    def test_never_hold_the_token(self, fault: Any, faulty: Faulty) -> None:
        """Not in the sentence, in a trace, in attributes, in a pickle, nor in what they were caused by."""
        faulty.wire.replies = [fault] * 4
        with pytest.raises(ClientError) as failed:
            faulty.client.connectors.get("x")
        error: BaseException | None = failed.value
        seen = [
            pickle.dumps(failed.value).decode("latin-1"),
            repr(faulty.client.session),
            repr(faulty.client),
        ]
        while error is not None:
            seen += [str(error), repr(error), repr(vars(error)), *map(str, error.args)]
            seen += traceback.format_exception(error)
            assert not isinstance(error, httpx.HTTPError)
            error = error.__cause__ or error.__context__
        assert not [text for text in seen if TOKEN in text]

    @pytest.mark.parametrize(
        "address", ["", "api.test", "ftp://api.test", "http://", "ct_secret", "http://a:b"]
    )
    def test_an_address_that_is_none_is_refused_and_not_repeated(self, address: str) -> None:
        """It may be the token in the wrong place."""
        with pytest.raises(Invalid) as refused:
            Client(address, TOKEN)
        assert refused.value.field == "address"
        assert "ct_" not in str(refused.value)

    @pytest.mark.parametrize("token", ["ct_secret\n", "ct_s\u00e9cret", "ct secret"])
    def test_a_token_that_cannot_travel_is_refused_and_not_repeated(self, token: str) -> None:
        """Before anything is sent."""
        with pytest.raises(Invalid) as refused:
            Client("http://api.test", token)
        assert refused.value.field == "token"
        assert "cret" not in str(refused.value)

    @pytest.mark.parametrize("text", ["", ".", "..", "../tokens", "a/b?c#d", "%2e%2e", "\u00e9"])
    def test_an_id_leads_nowhere_else(self, text: str, faulty: Faulty) -> None:
        """Whatever it holds, it is one part of the path."""
        faulty.wire.replies = [shown()]
        faulty.client.connectors.get(text)
        (request,) = faulty.wire.requests
        assert request.url.raw_path.startswith(b"/api/v1/connectors/")
        assert request.url.raw_path.count(b"/") == 4
        assert not request.url.query
        assert request.url.raw_path.rpartition(b"/")[2] not in (b"", b".", b"..")

    def test_an_address_is_shown_without_its_password(self, faulty: Faulty) -> None:
        """And a path before those of the faces stays."""
        wire = faulty.wire
        wire.replies = [shown(), *[httpx.ConnectError("refused")]]
        with Client(
            "https://me:hidden@api.test/catchment/",
            TOKEN,
            transport=httpx.MockTransport(wire.answer),
            retries=Retries(attempts=1),
        ) as client:
            client.connectors.get("x")
            assert wire.paths == ["GET /catchment/api/v1/connectors/x"]
            with pytest.raises(Unreachable) as failed:
                client.connectors.get("x")
        assert "https://api.test/catchment" in str(failed.value)
        assert "hidden" not in str(failed.value)
