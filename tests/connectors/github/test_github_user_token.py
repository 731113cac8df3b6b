"""Tokens of a sign-in in the browser: renewed when they have ended, once, and kept before they are used."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from catchment.core.clock import SetClock
from catchment.core.errors import AuthRejected, SourceDown
from catchment.kit import Session, SourceCredentials, oauth
from catchment.kit.renewal import EARLY_SECONDS
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository
from connectors.github import GitHub, GitHubCredentials
from tests.connectors.github.conftest import MakeSource, asked, listed, state

HOURS = 3600.0
RENEWAL = "/login/oauth/access_token"
SignedIn = Callable[..., GitHub]


@pytest.fixture
def kept(session: Session, vendor: Vendor) -> list[GitHubCredentials]:
    """What was saved; each time the access token is looked for among what the vendor was asked with."""
    saved: list[GitHubCredentials] = []

    def save(credentials: SourceCredentials) -> None:
        assert isinstance(credentials, GitHubCredentials)
        used = {request.headers.get("authorization") for request in vendor.asked}
        assert f"Bearer {credentials.bearer}" not in used, "used before it was saved"
        saved.append(credentials)

    session.save_credentials = save
    return saved


@pytest.fixture
def signed_in(
    make_source: MakeSource, vendor: Vendor, repo: Repository, session: Session, url: str
) -> SignedIn:
    """A connector of somebody who signed in at an app of the operator's."""
    vendor.access.clients["us"] = "our secret"
    settings = oauth.ClientSettings(
        client_id="us", client_secret=SecretStr("our secret"), token_url=f"{url}{RENEWAL}"
    )
    session.oauth_client = settings.client
    repo.open("Issue", "Body")
    repo.forum.open("Discussion", "Body")

    def make(credentials: GitHubCredentials | None = None) -> GitHub:
        if credentials is None:
            token, refresh = vendor.access.grant("octo-ann")
            credentials = GitHubCredentials(access_token=SecretStr(token), refresh_token=SecretStr(refresh))
        return make_source(credentials=credentials)

    return make


def granted(vendor: Vendor, *, told: bool = True) -> GitHubCredentials:
    """Sign in, and keep when the token ends, as far as GitHub tells it."""
    token, refresh = vendor.access.grant("octo-ann")
    ends = vendor.access.tokens[token].expires if told else None
    return GitHubCredentials(access_token=SecretStr(token), refresh_token=SecretStr(refresh), expires_at=ends)


class TestRenewal:
    def test_a_token_that_ended_is_renewed_and_the_run_goes_on(
        self, signed_in: SignedIn, vendor: Vendor, clock: SetClock, kept: list[GitHubCredentials]
    ) -> None:
        """Acceptance 18: by one request, also in the middle of a run; through both APIs."""
        source = signed_in()
        scopes = source.scopes()
        clock.advance(9 * HOURS)
        for scope in reversed(scopes):
            assert list(source.listing(scope))
        assert asked(vendor).count(RENEWAL) == 1
        assert len(kept) == 1
        clock.advance(9 * HOURS)
        assert set(listed(source)[0]) == state(vendor)
        assert [one.refresh_token for one in kept] != [kept[0].refresh_token] * 2

    def test_the_next_run_goes_on_with_what_was_kept(
        self, signed_in: SignedIn, vendor: Vendor, clock: SetClock, kept: list[GitHubCredentials]
    ) -> None:
        """Days later, since what renews it lasts for months; the tokens before are good no more."""
        first = signed_in()
        clock.advance(9 * HOURS)
        listed(first)
        clock.advance(240 * HOURS)
        assert set(listed(signed_in(kept[0]))[0]) == state(vendor)
        with pytest.raises(AuthRejected):
            signed_in(first.credentials).scopes()

    @pytest.mark.parametrize("hours", [7.9, 9], ids=["early", "late"])
    @pytest.mark.parametrize("told", [True, False], ids=["told", "not told"])
    def test_many_threads_renew_it_once(
        self,
        signed_in: SignedIn,
        vendor: Vendor,
        clock: SetClock,
        kept: list[GitHubCredentials],
        hours: float,
        told: bool,
    ) -> None:
        """A refresh token is good once; ahead of time only where it is told when the token ends."""
        source = signed_in(granted(vendor, told=told))
        clock.advance(hours * HOURS)
        failed: list[BaseException] = []
        together = threading.Barrier(8)

        def work() -> None:
            try:
                together.wait()
                source.client.http.get_json("/user")
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failed == []
        renewals = 1 if told or hours > 8 else 0
        assert asked(vendor).count(RENEWAL) == renewals
        assert len(kept) == renewals


class TestAheadOfTime:
    def test_a_token_is_renewed_minutes_before_it_ends(
        self, signed_in: SignedIn, vendor: Vendor, clock: SetClock, kept: list[GitHubCredentials]
    ) -> None:
        """So that no request is refused; the next end is kept with the next token, for the next run, too."""
        source = signed_in(granted(vendor))
        for number in (1, 2):
            begun = clock.now()
            clock.advance(8 * HOURS - EARLY_SECONDS - 60)
            asked(vendor)
            listed(source)
            assert RENEWAL not in asked(vendor)
            clock.seconds = begun + 8 * HOURS - EARLY_SECONDS
            asked(vendor)
            source.client.http.get_json("/user")
            listed(source)
            assert asked(vendor)[:2] == [RENEWAL, "/user"]
            assert len(kept) == number
            assert kept[-1].expires_at == clock.now() + 8 * HOURS
        following = signed_in(GitHubCredentials.model_validate(kept[-1].reveal()))
        clock.advance(8 * HOURS - 1)
        asked(vendor)
        following.client.http.get_json("/user")
        assert asked(vendor) == [RENEWAL, "/user"]

    def test_a_renewal_that_fails_leaves_the_token_in_use(
        self, signed_in: SignedIn, vendor: Vendor, clock: SetClock, kept: list[GitHubCredentials]
    ) -> None:
        """It is good for minutes still; when it is refused, it is tried once more."""
        source = signed_in(granted(vendor))
        clock.advance(8 * HOURS - 300)
        vendor.faults.add(Fault(faults.answer(500), path=RENEWAL, times=1))
        asked(vendor)
        assert set(listed(source)[0]) == state(vendor)
        assert asked(vendor).count(RENEWAL) == 1
        assert kept == []
        clock.advance(600)
        assert set(listed(source)[0]) == state(vendor)
        assert len(kept) == 1

    def test_a_token_that_ended_while_nothing_ran_is_not_tried(
        self, signed_in: SignedIn, vendor: Vendor, clock: SetClock, kept: list[GitHubCredentials]
    ) -> None:
        """It is renewed at once, and a refusal is told as such."""
        source = signed_in(granted(vendor))
        clock.advance(9 * HOURS)
        vendor.faults.add(Fault(faults.answer(200, {"error": "bad_refresh_token"}), path=RENEWAL, times=1))
        asked(vendor)
        with pytest.raises(AuthRejected, match="does not renew"):
            source.client.http.get_json("/user")
        assert asked(vendor) == [RENEWAL]
        assert kept == []

    def test_a_token_that_lives_for_minutes_is_not_renewed_for_every_request(
        self,
        signed_in: SignedIn,
        vendor: Vendor,
        clock: SetClock,
        kept: list[GitHubCredentials],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        """Nor is one without a client to renew it with; what it still can do, it does."""
        monkeypatch.setattr("catchment.simulators.github.access.SIGN_IN_SECONDS", 2 * EARLY_SECONDS)
        source = signed_in(granted(vendor))
        clock.advance(EARLY_SECONDS)
        assert set(listed(source)[0]) == state(vendor)
        clock.advance(EARLY_SECONDS + 1)
        listed(source)
        assert len(kept) == 1

    def test_without_a_client_the_token_is_used_to_its_end(
        self, signed_in: SignedIn, vendor: Vendor, clock: SetClock, session: Session
    ) -> None:
        """Nobody could renew it."""
        source = signed_in(granted(vendor))
        session.oauth_client = lambda _: None
        clock.advance(8 * HOURS - 1)
        source.client.http.get_json("/user")
        clock.advance(1)
        with pytest.raises(AuthRejected, match="refuses the credentials"):
            source.client.http.get_json("/user")


class TestRefusal:
    def test_a_refresh_token_that_is_refused_asks_to_sign_in_again(
        self, signed_in: SignedIn, vendor: Vendor, clock: SetClock, kept: list[GitHubCredentials]
    ) -> None:
        """GitHub refuses with a good status; others with another; nothing secret is told."""
        for fault in (None, faults.answer(400, {"error": "canary"}), faults.answer(200, ["canary"])):
            source = signed_in()
            clock.advance(9 * HOURS)
            vendor.access.grants.clear()
            vendor.faults.clear()
            if fault is not None:
                vendor.faults.add(Fault(fault, path=RENEWAL))
            with pytest.raises(AuthRejected, match="does not renew") as caught:
                source.scopes()
            assert "gain" in (caught.value.remedy or "")
            assert "canary" not in str(caught.value)
            assert "ghr_" not in str(caught.value)
        assert kept == []

    def test_an_answer_that_is_lost_is_not_asked_for_again(
        self, signed_in: SignedIn, vendor: Vendor, clock: SetClock, kept: list[GitHubCredentials]
    ) -> None:
        """It may have used the token up."""
        source = signed_in()
        clock.advance(9 * HOURS)
        asked(vendor)
        vendor.faults.add(Fault(faults.cut(5), path=RENEWAL))
        with pytest.raises(SourceDown):
            source.client.http.get_json("/user")
        assert asked(vendor).count(RENEWAL) == 1
        assert kept == []

    def test_without_a_client_or_a_refresh_token_it_is_begun_anew(
        self, signed_in: SignedIn, vendor: Vendor, clock: SetClock, session: Session
    ) -> None:
        """And nothing is asked for in vain; a personal token beside it is used as it is."""
        no_refresh = GitHubCredentials(access_token=SecretStr(vendor.access.grant("octo-ann")[0]))
        made = [signed_in(), signed_in(no_refresh)]
        session.oauth_client = lambda _: None
        clock.advance(9 * HOURS)
        asked(vendor)
        for source in made:
            with pytest.raises(AuthRejected, match="refuses the credentials"):
                source.scopes()
        personal = GitHubCredentials(token=SecretStr("bad"), refresh_token=SecretStr("ghr_other"))
        assert not personal.renews
        assert RENEWAL not in asked(vendor)
