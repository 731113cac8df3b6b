"""Limits: each is waited for, visibly, and no more is asked than they allow."""

from __future__ import annotations

import threading

import httpx
import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import RunCancelled
from catchment.kit import Session
from catchment.simulators.faults import Fault
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository, secondary_limit
from connectors.github import GitHub, GitHubConfig
from connectors.github.errors import Judge
from connectors.github.pace import Pace, PacedWire, wire_to
from tests.connectors.github.conftest import TOKEN, MakeSource, listed, state, token


class TestLimits:
    def test_the_hourly_limit_is_waited_for(
        self, source: GitHub, vendor: Vendor, repo: Repository, clock: SetClock, session: Session
    ) -> None:
        """Acceptance 18: visibly, to the second that GitHub names; with 403, and with 429."""
        waits: list[str] = []

        def note(reason: str, _seconds: float) -> None:
            if reason:
                waits.append(reason)
                vendor.access.limit = 5000

        session.on_wait = note
        for status in (403, 429):
            vendor.access.limit_status = status
            vendor.access.limit = vendor.access.tokens[TOKEN].used + 2
            reset = (vendor.access.tokens[TOKEN].window or clock.now()) + 3600
            assert set(listed(source)[0]) == state(vendor)
            assert reset <= clock.now() <= reset + 5
        assert waits
        assert all("GitHub allows no more requests" in reason for reason in waits)

    @pytest.mark.parametrize("status", [403, 429])
    @pytest.mark.parametrize(("asked_for", "waited"), [("0", 0), ("7", 7), ("86400", 86400), (None, 60)])
    def test_the_secondary_limit_is_obeyed_in_every_form(
        self,
        source: GitHub,
        vendor: Vendor,
        clock: SetClock,
        status: int,
        asked_for: str | None,
        waited: float,
    ) -> None:
        """Acceptance 18: none, seconds, a day; without a word a minute."""
        source.scopes()
        began = clock.now()
        reply = secondary_limit(status=status, retry_after=asked_for)
        vendor.faults.add(Fault(lambda *_: reply, times=1))
        source.scopes()
        assert clock.now() - began == waited

    def test_a_secondary_limit_that_comes_again_lasts_longer(
        self, source: GitHub, vendor: Vendor, clock: SetClock
    ) -> None:
        """A minute, two, four; and a minute again after it was well."""
        source.scopes()
        began = clock.now()
        vendor.faults.add(Fault(lambda *_: secondary_limit(), times=3))
        source.scopes()
        assert clock.now() - began == 60 + 120 + 240
        vendor.faults.add(Fault(lambda *_: secondary_limit(), times=1))
        source.scopes()
        assert clock.now() - began == 60 + 120 + 240 + 60

    @pytest.mark.parametrize("status", [200, 403])
    def test_headers_that_are_no_numbers_say_nothing(self, clock: SetClock, status: int) -> None:
        """Not even signs that look like digits to some."""
        judge = Judge(Session(clock=clock))
        odd = {"x-ratelimit-remaining": "\u00b2", "x-ratelimit-reset": "\u00b3"}
        raw = [(name.encode(), value.encode("latin-1")) for name, value in odd.items()]
        judge(httpx.Response(status, headers=raw, request=httpx.Request("GET", "https://api.github.com/")))
        assert judge.left is None

    def test_a_cancel_ends_a_wait_of_an_hour(self, url: str, vendor: Vendor, repo: Repository) -> None:
        """Acceptance 19: at once."""
        session = Session()
        config = GitHubConfig(api_url=url, repos=["octo-org/weir"])
        source = GitHub(config, token(TOKEN), session)
        source.scopes()
        vendor.faults.add(Fault(lambda *_: secondary_limit(retry_after="3600")))
        session.on_wait = lambda reason, seconds: session.stop.set() if reason else None
        ended = threading.Event()

        def work() -> None:
            with pytest.raises(RunCancelled):
                source.scopes()
            ended.set()

        threading.Thread(target=work).start()
        assert ended.wait(30)
        source.close()

    def test_two_connectors_of_one_token_wait_together(
        self, make_source: MakeSource, vendor: Vendor, clock: SetClock
    ) -> None:
        """Acceptance 18: what one is told holds for both."""
        first, second = make_source(), make_source()
        vendor.faults.add(Fault(lambda *_: secondary_limit(retry_after="500"), times=1))
        began = clock.now()
        first.scopes()
        assert clock.now() - began == 500
        assert first.client.http._governor is second.client.http._governor


class TestPace:
    def test_a_minute_has_only_so_many_requests(self, session: Session, clock: SetClock) -> None:
        """The next ones wait until the first are a minute old."""
        pace = Pace(session, most=3, seconds=60)
        waits: list[float] = []
        session.on_wait = lambda reason, seconds: waits.append(seconds) if reason else None
        began = clock.now()
        for _ in range(3):
            pace.wait()
            clock.advance(10)
        assert waits == []
        pace.wait()
        assert clock.now() - began == 60
        pace.wait()
        assert clock.now() - began == 70
        assert waits == [30, 10]

    def test_it_holds_for_githubs_own_server(self, session: Session, clock: SetClock) -> None:
        """Others are asked as fast as they answer."""
        assert isinstance(wire_to("https://api.github.com", session, setting="api_url"), PacedWire)
        assert not isinstance(wire_to("https://ghe.example/api/v3", session, setting="api_url"), PacedWire)
        answered = httpx.MockTransport(lambda request: httpx.Response(200))
        wire = PacedWire(answered, Pace(session, most=1, seconds=60))
        began = clock.now()
        with httpx.Client(transport=wire) as client:
            for _ in range(3):
                assert client.get("https://api.github.com/user").status_code == 200
        assert clock.now() - began == 120
