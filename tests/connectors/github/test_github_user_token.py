"""Tokens of a sign-in in the browser: renewed when they have ended, once, and kept before they are used."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from pydantic import SecretStr

from catchment.core.clock import SetClock
from catchment.core.errors import AuthRejected, SourceDown
from catchment.kit import Session, SourceCredentials, oauth
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

    def test_many_threads_renew_it_once(
        self, signed_in: SignedIn, vendor: Vendor, clock: SetClock, kept: list[GitHubCredentials]
    ) -> None:
        """A refresh token is good once."""
        source = signed_in()
        clock.advance(9 * HOURS)
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
        assert asked(vendor).count(RENEWAL) == 1
        assert len(kept) == 1


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
