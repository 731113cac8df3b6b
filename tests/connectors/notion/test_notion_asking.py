"""How Notion is asked: every refusal told apart, every wait obeyed, tokens renewed and never told."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import (
    AuthRejected,
    ConfigRejected,
    PermissionMissing,
    RunCancelled,
    SourceDown,
    SourceError,
)
from catchment.kit import ItemUnreadable, Session
from catchment.kit.config import SourceCredentials
from catchment.kit.http import Missing
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.notion import NotionSimulator, paragraph
from catchment.simulators.notion.simulator import TOKEN
from connectors.notion import Notion, NotionConfig, NotionCredentials
from connectors.notion.api import Api
from tests.connectors.notion.conftest import MakeSource, listed, paths, settle, text_of


class Patience(threading.Event):
    """A stop signal whose waits pass at once and move a clock."""

    def __init__(self, clock: SetClock) -> None:
        super().__init__()
        self.clock = clock

    def wait(self, timeout: float | None = None) -> bool:
        self.clock.advance(timeout or 0)
        return self.is_set()


@pytest.fixture
def waits() -> list[tuple[str, float]]:
    return []


@pytest.fixture
def session(clock: SetClock, waits: list[tuple[str, float]]) -> Session:
    """Waits that pass at once, written down."""

    def note(reason: str, seconds: float) -> None:
        if reason:
            waits.append((reason, seconds))

    return Session(stop=Patience(clock), clock=clock, on_wait=note)


@pytest.fixture
def patient(make_source: MakeSource, session: Session) -> Notion:
    return make_source(session=session)


@pytest.fixture
def client_of_ours(monkeypatch: pytest.MonkeyPatch, world: NotionSimulator) -> None:
    """The operator has told what Notion knows this installation by."""
    monkeypatch.setenv("CATCHMENT_OAUTH_NOTION_CLIENT_ID", world.client[0])
    monkeypatch.setenv("CATCHMENT_OAUTH_NOTION_CLIENT_SECRET", world.client[1])


class TestWaiting:
    @pytest.mark.parametrize(
        ("status", "code", "asked_for", "waited"),
        [
            (429, "rate_limited", "0", 0),
            (429, "rate_limited", "7", 7),
            (429, "rate_limited", "86400", 86_400),
            (429, "rate_limited", "Sun, 15 Jun 2025 15:08:10 GMT", 90),
            (429, "rate_limited", None, 60),
            (529, "service_overload", "4", 4),
            (529, "service_overload", None, 10),
            (529, "", None, 10),
            (503, "service_unavailable", "5", 5),
        ],
    )
    def test_what_notion_asks_for_is_waited(
        self,
        patient: Notion,
        world: NotionSimulator,
        clock: SetClock,
        status: int,
        code: str,
        asked_for: str | None,
        waited: float,
    ) -> None:
        """Acceptance 18: every form, also a day, and the requests of posts, too."""
        page = world.page("Page")
        headers = {"Retry-After": asked_for} if asked_for is not None else {}
        refusal = {"object": "error", "status": status, "code": code, "message": "Wait."} if code else b"busy"
        world.faults.add(Fault(faults.answer(status, refusal, headers), path=r"/v1/search", times=1))
        began = clock.now()
        assert set(listed(patient)) == {page}
        assert clock.now() - began == waited

    def test_the_limit_of_three_a_second_is_kept_to(
        self, patient: Notion, world: NotionSimulator, waits: list[tuple[str, float]]
    ) -> None:
        """Everything arrives, and the waits were seen."""
        for number in range(10):
            world.page(f"Page {number}", blocks=[paragraph("text")])
        world.per_second = 3
        assert len([patient.fetch(item) for item in listed(patient).values()]) == 10
        assert waits

    def test_a_cancel_ends_a_long_wait(self, url: str, world: NotionSimulator) -> None:
        """Acceptance 19: through the library's client, at once."""
        session = Session()
        source = Notion(NotionConfig(base_url=url), NotionCredentials(integration_token=TOKEN), session)  # type: ignore[arg-type]
        world.faults.add(Fault(faults.answer(429, None, {"Retry-After": "600"})))
        threading.Timer(0.2, session.stop.set).start()
        with pytest.raises(RunCancelled):
            listed(source)
        source.close()

    def test_a_cancel_ends_an_answer_that_drips(self, url: str, world: NotionSimulator) -> None:
        """Acceptance 19."""
        session = Session()
        source = Notion(NotionConfig(base_url=url), NotionCredentials(integration_token=TOKEN), session)  # type: ignore[arg-type]
        world.faults.add(Fault(faults.drip(5)))
        threading.Timer(0.2, session.stop.set).start()
        with pytest.raises(RunCancelled):
            listed(source)
        source.close()


class TestRefusals:
    @pytest.mark.parametrize(
        ("status", "code", "error", "words"),
        [
            (401, "unauthorized", AuthRejected, "Sign in again"),
            (403, "restricted_resource", PermissionMissing, "capability to read content"),
            (404, "object_not_found", Missing, "not shared"),
            (410, "", Missing, "has no"),
            (400, "validation_error", Missing, "cannot tell"),
            (400, "invalid_request_url", ConfigRejected, "not the API of Notion"),
            (500, "internal_server_error", SourceDown, "does not answer"),
            (504, "gateway_timeout", SourceDown, "does not answer"),
            (409, "conflict_error", SourceDown, "another change"),
        ],
    )
    def test_are_told_apart(
        self,
        source: Notion,
        world: NotionSimulator,
        status: int,
        code: str,
        error: type[Exception],
        words: str,
    ) -> None:
        """Each with what to do."""
        told = {"object": "error", "status": status, "code": code, "message": "No."} if code else None
        world.faults.add(Fault(faults.answer(status, told)))
        with pytest.raises(error, match=words):
            source.api.page(world.page("Page"))

    def test_a_page_that_is_gone_is_one_item(
        self, source: Notion, make_source: MakeSource, world: NotionSimulator
    ) -> None:
        """`gone`: deleted, shared no more or thrown away before a run reads it that has no body of it."""
        pages = [world.page(f"Page {number}") for number in range(3)]
        _, tasks = world.database("Tasks")
        _, thrown = world.database("Thrown away")
        row = world.page("Row", tasks)
        items = listed(source)
        world.trash(thrown)
        world.erase(pages[0])
        world.unshare(pages[1])
        world.trash(pages[2])
        world.trash(row)
        world.unshare(tasks)
        source = make_source()
        for key in (*pages, row, tasks, thrown):
            with pytest.raises(ItemUnreadable) as caught:
                source.fetch(items[key])
            assert caught.value.reason == "gone"

    def test_without_the_capability_for_comments_pages_are_read_without(
        self, source: Notion, world: NotionSimulator
    ) -> None:
        """It is asked once; names of people likewise."""
        for number in range(3):
            world.comment(world.page(f"Page {number}"), "a remark")
        world.capabilities -= {"read comments", "read users"}
        items = listed(source)
        texts = [bytes(source.fetch(item).stream().read()).decode() for item in items.values()]
        assert len(texts) == 3
        assert "remark" not in "".join(texts)
        assert {item.author for item in items.values()} == {None}
        assert sum(asked.path == "/v1/comments" for asked in world.asked) == 1

    def test_an_answer_of_something_else_is_no_workspace(
        self, source: Notion, world: NotionSimulator
    ) -> None:
        """A web page in Notion's place is not taken for an empty list."""
        world.faults.add(Fault(faults.answer(200, b"<html></html>", {"Content-Type": "text/html"})))
        with pytest.raises(SourceDown):
            listed(source)


@pytest.mark.usefixtures("client_of_ours")
class TestRenewing:
    @pytest.fixture
    def saved(self) -> list[SourceCredentials]:
        return []

    @pytest.fixture
    def granted(
        self,
        make_source: MakeSource,
        world: NotionSimulator,
        session: Session,
        saved: list[SourceCredentials],
    ) -> Notion:
        """Signed in with OAuth, for a minute."""
        access, refresh = world.grant(seconds=60)
        session.save_credentials = saved.append
        credentials = NotionCredentials(access_token=access, refresh_token=refresh)  # type: ignore[arg-type]
        return make_source(session=session, credentials=credentials)

    def test_a_token_that_ends_in_the_middle_is_renewed(
        self, granted: Notion, world: NotionSimulator, clock: SetClock, saved: list[SourceCredentials]
    ) -> None:
        """Acceptance 18: the new ones are saved, and the run goes on."""
        pages = [world.page(f"Page {number}", blocks=[paragraph("text")]) for number in range(3)]
        items = listed(granted)
        clock.advance(61)
        assert {granted.fetch(items[page]).content_type for page in pages}
        assert len(saved) == 1
        token = saved[0].reveal()["access_token"]
        assert world.asked[-1].headers["authorization"] == f"Bearer {token}"
        assert saved[0].reveal()["refresh_token"] in world.refreshable

    def test_many_threads_renew_it_once(
        self, granted: Notion, world: NotionSimulator, clock: SetClock, saved: list[SourceCredentials]
    ) -> None:
        """A refresh token is good once."""
        page = world.page("Page")
        clock.advance(61)
        failures: list[BaseException] = []

        def ask() -> None:
            try:
                granted.api.page(page)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=ask) for _ in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(saved) == 1

    def test_where_it_cannot_be_renewed_a_person_must_sign_in(
        self, granted: Notion, world: NotionSimulator, clock: SetClock, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Refused by Notion, or no client is set up here."""
        clock.advance(61)
        world.refreshable.clear()
        with pytest.raises(AuthRejected):
            listed(granted)
        monkeypatch.delenv("CATCHMENT_OAUTH_NOTION_CLIENT_SECRET")
        with pytest.raises(AuthRejected):
            listed(granted)

    def test_a_refresh_token_is_handed_in_once(
        self, granted: Notion, world: NotionSimulator, clock: SetClock
    ) -> None:
        """Whether Notion took it before the connection broke nobody knows: it is not sent again."""
        clock.advance(61)
        world.faults.add(Fault(faults.answer(500), path="/v1/oauth/token"))
        with pytest.raises(SourceDown):
            listed(granted)
        assert sum(asked.path == "/v1/oauth/token" for asked in world.asked) == 1

    def test_an_internal_token_is_never_renewed(
        self, make_source: MakeSource, world: NotionSimulator
    ) -> None:
        """There is nothing to renew it with."""
        with pytest.raises(AuthRejected):
            listed(make_source(token="ntn_wrong"))
        assert all(asked.path != "/v1/oauth/token" for asked in world.asked)

    def test_without_any_token_nothing_is_asked(
        self, make_source: MakeSource, world: NotionSimulator
    ) -> None:
        """The sentence says where to go."""
        with pytest.raises(AuthRejected, match="Nobody has signed in"):
            listed(make_source(credentials=NotionCredentials()))
        assert world.asked == []


class TestSecrets:
    @pytest.fixture
    def words(self, caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
        with caplog.at_level(logging.DEBUG):
            yield caplog

    def test_no_token_is_in_any_error_or_log(
        self,
        make_source: MakeSource,
        world: NotionSimulator,
        words: pytest.LogCaptureFixture,
        client_of_ours: None,
    ) -> None:
        """Acceptance 29: whatever goes wrong, and however much is logged."""
        credentials = NotionCredentials(access_token="ntn_canary1", refresh_token="nrt_canary2")  # type: ignore[arg-type]
        source = make_source(credentials=credentials)
        told = [repr(credentials), repr(source.config), repr(source.credentials)]
        for fault in (
            faults.answer(401, {"code": "unauthorized", "message": "bad ntn_canary1"}),
            faults.answer(403, {"code": "restricted_resource", "message": "bad ntn_canary1"}),
            faults.answer(400, {"code": "validation_error", "message": "bad ntn_canary1"}),
            faults.answer(500, b"ntn_canary1"),
            faults.malformed(),
        ):
            world.faults.clear()
            world.faults.add(Fault(fault))
            with pytest.raises(SourceError) as caught:
                listed(source)
            told += [str(caught.value), repr(caught.value)]
        told += [record.getMessage() for record in words.records]
        assert any("send_request_headers" in line for line in told), "the library of the wire logs, too"
        assert "canary" not in " ".join(told)

    def test_the_signature_goes_to_notion_alone(self, url: str, world: NotionSimulator) -> None:
        """No proxy settings of the library's client, no header and no log of it get in between."""
        page = world.page("Page")
        api = Api(NotionConfig(base_url=url), NotionCredentials(integration_token=TOKEN), Session())  # type: ignore[arg-type]
        api.page(page)
        assert world.asked[-1].headers["authorization"] == f"Bearer {TOKEN}"
        assert world.asked[-1].headers["notion-version"] == "2025-09-03"
        assert world.asked[-1].headers["user-agent"] == "catchment"
        assert logging.getLogger("notion_client").handlers == []
        api.close()

    def test_private_addresses_are_out_of_bounds_for_those_that_are_not_trusted(self, url: str) -> None:
        """Ruling 26, through the library's client."""
        session = Session(trusted=False)
        source = Notion(NotionConfig(base_url=url), NotionCredentials(integration_token=TOKEN), session)  # type: ignore[arg-type]
        with pytest.raises(ConfigRejected) as caught:
            listed(source)
        assert caught.value.setting == "base_url"
        source.close()


class TestSettings:
    @pytest.mark.parametrize("wrong", [{"roots": ["nonsense"]}, {"base_url": "notion"}, {"spaces": []}])
    def test_that_cannot_work_are_refused(self, wrong: dict[str, Any]) -> None:
        """At once, by name."""
        with pytest.raises(ValueError, match=next(iter(wrong))):
            NotionConfig(**wrong)

    def test_names_of_older_clients_are_taken(self) -> None:
        """Capitals or underscores."""
        for name in ("integration_token", "integrationToken"):
            assert NotionCredentials(**{name: "ntn_1"}).token() == "ntn_1"

    @pytest.mark.parametrize(
        ("text", "roots"),
        [
            ("notion://", None),
            ("https://www.notion.so/acme/Handbook-393abc1eedcd81d5bf32d1339d9031c2?v=1", True),
            ("https://app.notion.com/p/Handbook-393abc1eedcd81d5bf32d1339d9031c2", True),
            ("notion://393abc1e-edcd-81d5-bf32-d1339d9031c2", True),
        ],
    )
    def test_addresses_of_pages_are_sources(self, text: str, roots: bool | None) -> None:
        """With the page as the root."""
        found = Notion.address(text)
        assert found is not None
        assert found.config.get("roots") == (["393abc1e-edcd-81d5-bf32-d1339d9031c2"] if roots else None)

    @pytest.mark.parametrize(
        "text", ["https://example.com/393abc1eedcd81d5bf32d1339d9031c2", "/tmp", "s3://x"]
    )
    def test_other_addresses_are_not(self, text: str) -> None:
        """They are somebody else's."""
        assert Notion.address(text) is None


def test_a_row_is_read_with_what_the_listing_brought(source: Notion, world: NotionSimulator) -> None:
    """Its comments are asked for, and its properties and body not again."""
    _, tasks = world.database("Tasks", schema={"Site": "url"})
    row = world.page("Row", tasks, properties={"Site": {"url": "https://example.com"}})
    settle(world)
    item = listed(source)[row]
    assert paths(world)[-1] == "GET /blocks/*/children", "its files are looked for"
    asked = len(world.asked)
    assert b"Site: https://example.com" in source.fetch(item).stream().read()
    assert [each.path for each in world.asked[asked:]] == ["/v1/comments"]
    assert "Site: https://example.com" in text_of(source, row)
