"""Signing in, being refused, being kept waiting: each told apart, with what to do, without a secret."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

import pytest

from catchment.core.errors import (
    AuthRejected,
    CatchmentError,
    ConfigRejected,
    PermissionMissing,
    RunCancelled,
    SourceDown,
)
from catchment.kit import Health, Session, oauth
from catchment.kit.config import SourceCredentials
from catchment.simulators import faults
from catchment.simulators.confluence import signin
from catchment.simulators.faults import Fault
from connectors.confluence import Confluence, ConfluenceConfig
from tests.connectors.confluence.conftest import REAL_WAIT
from tests.support.confluence import SECRETS, Bench, basic, expected, listed, personal, text

OK, DENIED, UNREACHABLE, MISCONFIGURED = (
    Health.OK,
    Health.DENIED,
    Health.UNREACHABLE,
    Health.MISCONFIGURED,
)


def health(source: Confluence) -> dict[str, Health]:
    return {one.name: one.health for one in source.check()}


class TestCheck:
    @pytest.mark.parametrize("way", ["cloud", "app", "data center"])
    def test_says_that_all_is_well(self, bench: Bench, way: str) -> None:
        """Whoever signs in."""
        given = {"cloud": None, "app": bench.app(), "data center": personal()}[way]
        told = bench.source(credentials=given, space_keys=["ENG"]).check()
        assert {one.health for one in told} == {OK}, told
        assert {one.name for one in told} >= {"sign-in", "spaces", "pages", "blog posts", "permissions"}

    @pytest.mark.parametrize(
        "given",
        [
            {"email": signin.EMAIL, "api_token": "wrong"},
            {"access_token": "wrong"},
            {"personal_token": "wrong"},
            {"email": signin.EMAIL},
            {},
        ],
        ids=["token", "access", "personal", "half", "none"],
    )
    def test_tells_a_sign_in_that_is_not_good(self, bench: Bench, given: dict[str, Any]) -> None:
        """With the remedy, and nothing else."""
        (told,) = bench.source(credentials=given).check()
        assert (told.name, told.health) == ("sign-in", DENIED)
        assert told.remedy
        assert "wrong" not in told.message

    def test_tells_a_site_that_does_not_answer(self, bench: Bench) -> None:
        """By name or port."""
        told = bench.source(instance_url="http://127.0.0.1:1").check()
        assert [one.health for one in told] == [UNREACHABLE]

    def test_tells_a_place_where_there_is_no_confluence(self, bench: Bench) -> None:
        """A site of another product, and a page for people."""
        bench.site.faults.add(Fault(faults.answer(404, {"message": "no"}), times=1))
        (told,) = bench.source().check()
        assert (told.health, told.setting) == (MISCONFIGURED, "instance_url")
        page = faults.answer(200, b"<html>Sign in</html>", {"Content-Type": "text/html;charset=UTF-8"})
        bench.site.faults.add(Fault(page, times=1))
        (told,) = bench.source().check()
        assert (told.health, told.setting) == (MISCONFIGURED, "instance_url")

    @pytest.mark.parametrize(
        ("scope", "name"),
        [
            ("read:page:confluence", "pages"),
            ("read:comment:confluence", "comments"),
            ("read:attachment:confluence", "attachments"),
            ("read:confluence-content.all", "permissions"),
        ],
    )
    def test_tells_each_scope_that_is_missing(self, bench: Bench, scope: str, name: str) -> None:
        """By name, in the remedy; what does not need it is well."""
        given = bench.app(scopes=signin.ALL_SCOPES - {scope})
        told = {one.name: one for one in bench.source(credentials=given).check()}
        assert told[name].health is DENIED
        assert scope in told[name].remedy
        assert told["sign-in"].health is OK

    def test_tells_spaces_that_are_not_there(self, bench: Bench) -> None:
        """By key; and an account that sees none."""
        told = bench.source(space_keys=["ENG", "NONE"]).check()
        bad = next(one for one in told if one.health is not OK)
        assert (bad.name, bad.health, bad.setting) == ("spaces", MISCONFIGURED, "space_keys")
        assert "NONE" in bad.message
        bench.world.grant_space("ENG")
        assert health(bench.source())["spaces"] is DENIED

    def test_tells_a_site_that_the_sign_in_is_not_for(self, bench: Bench) -> None:
        """And names those that it is for."""
        source = bench.source(credentials=bench.app(), instance_url="https://elsewhere.example")
        (told,) = source.check()
        assert (told.health, told.setting) == (MISCONFIGURED, "instance_url")
        assert "https://other.example" in told.message

    @pytest.mark.parametrize("setting", ["instance_url", "gateway_url"])
    def test_made_through_a_face_reaches_no_private_address(self, bench: Bench, setting: str) -> None:
        """Whichever setting leads there; nothing is sent."""
        elsewhere = "https://8.8.8.8"
        source = bench.source(
            credentials=bench.app() if setting == "gateway_url" else basic(),
            session=Session(clock=bench.clock, trusted=False),
            **{"instance_url": elsewhere, "gateway_url": elsewhere, setting: bench.url},
        )
        (told,) = source.check()
        assert (told.health, told.setting) == (MISCONFIGURED, setting)
        assert bench.site.asked == []


class TestRenewing:
    def test_a_token_that_ends_in_the_middle_is_renewed_and_kept(self, bench: Bench) -> None:
        """Acceptance 18: kept before it is used, because the old one is good no longer."""
        for number in range(6):
            bench.world.add_page("ENG", f"Page {number}")
        kept: list[dict[str, Any]] = []

        def keep(credentials: SourceCredentials) -> None:
            kept.append({**credentials.reveal(), "asked": bench.asked("/ex/")})

        session = Session(clock=bench.clock, save_credentials=keep)
        source = bench.source(credentials=bench.app(), session=session)
        found = listed(source)
        bench.clock.advance(signin.ACCESS_SECONDS + 1)
        items = list(found.values())
        threads = [threading.Thread(target=source.fetch, args=(item,)) for item in items]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [(one["access_token"], one["refresh_token"]) for one in kept] == [("access-2", "refresh-2")]
        assert bench.asked("/oauth/token") - bench.asked("accessible-resources") == 1
        assert text(source, items[0])
        bench.clock.advance(signin.ACCESS_SECONDS + 1)
        assert text(source, items[0])
        assert kept[-1]["refresh_token"] == "refresh-3"

    def test_a_refresh_token_that_is_refused_asks_for_a_new_sign_in(self, bench: Bench) -> None:
        """Once; nothing is told of it."""
        source = bench.source(credentials=bench.app())
        listed(source)
        bench.site.sign_ins.refresh.clear()
        bench.clock.advance(signin.ACCESS_SECONDS + 1)
        with pytest.raises(AuthRejected) as caught:
            listed(source)
        assert "Sign in again" in caught.value.remedy
        assert "refresh-1" not in str(caught.value)

    def test_without_a_refresh_token_or_a_client_too(
        self, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing can be renewed with."""
        given = bench.app()
        bench.clock.advance(signin.ACCESS_SECONDS + 1)
        with pytest.raises(AuthRejected):
            listed(bench.source(credentials={"access_token": given["access_token"]}))
        monkeypatch.delenv(oauth.variable("confluence", "client_id"))
        with pytest.raises(AuthRejected):
            listed(bench.source(credentials=given))

    def test_a_sign_in_that_does_not_answer_is_tried_later(self, bench: Bench) -> None:
        """And not taken for a refusal."""
        source = bench.source(credentials=bench.app())
        listed(source)
        bench.clock.advance(signin.ACCESS_SECONDS + 1)
        bench.site.faults.add(Fault(faults.answer(500), path="/oauth/token", times=1))
        with pytest.raises(SourceDown):
            listed(source)
        assert set(listed(source)) == expected(bench.site)

    def test_a_token_of_an_app_is_for_the_gateway(self, bench: Bench) -> None:
        """The site itself never sees it; and the store of files sees no credential at all."""
        page = bench.world.add_page("ENG", "Page")
        bench.world.attach(page, "a.txt", b"a")
        source = bench.source(credentials=bench.app())
        for item in listed(source).values():
            source.fetch(item)
        for request in bench.site.asked:
            assert request.path.startswith(("/ex/confluence/", "/oauth/", "/media/"))
            assert ("authorization" in request.headers) is (not request.path.startswith("/media/"))


class TestLimits:
    @pytest.mark.parametrize(
        ("headers", "seconds"),
        [
            ({"Retry-After": "0"}, 0),
            ({"Retry-After": "7"}, 7),
            ({"Retry-After": "86400"}, 86_400),
            ({"Retry-After": "date"}, 90),
            ({"X-RateLimit-Reset": "iso"}, 120),
            ({"X-RateLimit-Reset": "tomorrow"}, 60),
            ({}, 60),
        ],
    )
    def test_are_obeyed_in_every_form(self, bench: Bench, headers: dict[str, str], seconds: float) -> None:
        """Acceptance 18; the moment of a reset is ISO 8601."""
        now = bench.clock.now()
        forms = {
            "date": format_datetime(datetime.fromtimestamp(now + 90, UTC), usegmt=True),
            "iso": datetime.fromtimestamp(now + 120, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        }
        sent = {name: forms.get(value, value) for name, value in headers.items()}
        bench.site.faults.add(Fault(faults.answer(429, {"message": "slow"}, sent), times=1))
        assert set(listed(bench.source())) == expected(bench.site)
        assert bench.clock.now() - now == pytest.approx(seconds)

    def test_of_the_site_itself_are_kept(self, bench: Bench) -> None:
        """Five requests a minute: it takes longer, and all is there; one sign-in waits as one."""
        bench.site.limit_requests(5, seconds=60)
        began = bench.clock.now()
        assert set(listed(bench.source())) == expected(bench.site)
        assert set(listed(bench.source())) == expected(bench.site)
        assert bench.clock.now() - began > 60
        refused = len(bench.site.asked) - 12
        assert 0 < refused <= 3

    def test_a_cancel_ends_a_long_wait(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        """Acceptance 19: a day is not waited out."""
        monkeypatch.setattr(Session, "wait", REAL_WAIT)
        session = Session()
        bench.site.faults.add(Fault(faults.answer(429, None, {"Retry-After": "86400"})))
        threading.Timer(0.2, session.stop.set).start()
        with pytest.raises(RunCancelled):
            listed(bench.source(session=session))

    def test_a_cancel_ends_an_answer_that_drips(self, bench: Bench) -> None:
        """And a file, too."""
        session = Session(clock=bench.clock)
        bench.site.faults.add(Fault(faults.drip(0.2), path=r".*/pages"))
        threading.Timer(0.2, session.stop.set).start()
        with pytest.raises(RunCancelled):
            listed(bench.source(session=session))


class TestRefusals:
    @pytest.mark.parametrize(
        ("answer", "error", "words"),
        [
            (faults.answer(401, b""), AuthRejected, "Sign in again"),
            (
                faults.answer(401, {"code": 401, "message": "Unauthorized; scope does not match"}),
                PermissionMissing,
                "read:page:confluence",
            ),
            (
                faults.answer(403, {"message": "Not permitted to use Confluence"}),
                PermissionMissing,
                "Not permitted",
            ),
            (
                faults.answer(403, b"", {"X-Authentication-Denied-Reason": "CAPTCHA_CHALLENGE"}),
                AuthRejected,
                "CAPTCHA",
            ),
            (faults.answer(400, {"errors": [{"title": "Bad"}]}), ConfigRejected, "400"),
            (faults.answer(500), SourceDown, "500"),
        ],
        ids=["401", "scope", "403", "captcha", "400", "500"],
    )
    def test_are_told_apart(
        self, bench: Bench, answer: faults.Answer, error: type[CatchmentError], words: str
    ) -> None:
        """Each as what helps against it."""
        bench.site.faults.add(Fault(answer, path=r".*/pages"))
        with pytest.raises(error) as caught:
            listed(bench.source())
        assert words in str(caught.value)

    @pytest.mark.parametrize("way", ["cloud", "app", "data center"])
    def test_hold_no_secret_and_neither_do_logs(
        self, bench: Bench, way: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        """Whatever goes wrong."""
        given = {"cloud": basic(), "app": bench.app(), "data center": personal()}[way]
        said: list[str] = []
        answers: list[Callable[..., Any]] = [
            faults.answer(status, {"message": "x"}) for status in (400, 401, 403, 404, 410, 500)
        ]
        with caplog.at_level(logging.DEBUG):
            for answer in [*answers, faults.cut(10), faults.malformed()]:
                bench.site.faults.clear()
                bench.site.faults.add(Fault(answer, path=r".*/(pages|content|token)"))
                source = bench.source(credentials=given)
                with pytest.raises(CatchmentError) as caught:
                    listed(source)
                said += [
                    repr(caught.value),
                    str(caught.value),
                    repr(source.check()),
                    repr(source.credentials),
                ]
        said += [record.getMessage() for record in caplog.records]
        assert not [secret for secret in SECRETS for text_ in said if secret in text_]


def test_a_sign_in_in_the_browser_asks_for_what_is_needed() -> None:
    """No scope more, and none less."""
    assert set(oauth.VENDORS["confluence"].scopes) == set(Confluence.scopes_needed)
    assert set(Confluence.scopes_needed) == signin.ALL_SCOPES


class TestSettings:
    @pytest.mark.parametrize(
        ("given", "tidy"),
        [
            ("https://acme.atlassian.net", "https://acme.atlassian.net"),
            ("acme.atlassian.net/", "https://acme.atlassian.net"),
            ("https://ACME.atlassian.net/wiki/spaces/ENG/overview", "https://acme.atlassian.net"),
            ("https://wiki.example.com/confluence/display/ENG/Home", "https://wiki.example.com/confluence"),
            ("http://wiki.example.com:8090/pages/viewpage.action?pageId=1", "http://wiki.example.com:8090"),
        ],
    )
    def test_an_address_of_a_page_is_one_of_its_site(self, given: str, tidy: str) -> None:
        """People copy what their browser shows."""
        assert ConfluenceConfig(instance_url=given).instance_url == tidy

    @pytest.mark.parametrize("bad", ["", "ftp://x", "https://", "https://user:pw@x.example"])
    def test_what_is_no_address_is_refused(self, bad: str) -> None:
        """And a password in it is no place for one."""
        with pytest.raises(ValueError, match="instance_url"):
            ConfluenceConfig(instance_url=bad)

    def test_an_address_names_the_space(self) -> None:
        """At the command line."""
        found = Confluence.address("https://acme.atlassian.net/wiki/spaces/ENG/pages/1/Home")
        assert found is not None
        assert found.config == {"instance_url": "https://acme.atlassian.net", "space_keys": ["ENG"]}
        assert found.identity == Confluence.identity(
            {"instanceUrl": "acme.atlassian.net", "spaceKeys": ["ENG"]}
        )
        whole = Confluence.address("https://acme.atlassian.net")
        assert whole is not None
        assert whole.config == {"instance_url": "https://acme.atlassian.net"}
        for other in ("https://example.com/wiki", "s3://x", "./docs", "https://acme.atlassian.net/jira"):
            assert Confluence.address(other) is None


class TestBrowsing:
    @pytest.mark.parametrize("way", ["cloud", "data center"])
    def test_goes_from_spaces_to_pages_below_pages(self, bench: Bench, way: str) -> None:
        """Ids of spaces are what the settings take."""
        world = bench.world
        world.add_space("OPS", "Operations")
        top = world.add_page("ENG", "Top")
        world.add_page("ENG", "Below", parent=top)
        source = bench.source(credentials=personal() if way == "data center" else None)
        spaces = source.browse().resources
        assert [(one.id, one.name, one.kind) for one in spaces] == [
            ("ENG", "Engineering", "space"),
            ("OPS", "Operations", "space"),
        ]
        pages = source.browse("ENG").resources
        assert [one.name for one in pages] == ["Engineering home", "Top"]
        assert [one.name for one in source.browse(pages[1].id).resources] == ["Below"]
        with pytest.raises(ConfigRejected):
            source.browse("NONE")

    @pytest.mark.parametrize("way", ["cloud", "data center"])
    def test_shows_many_pages_bit_by_bit(self, bench: Bench, way: str) -> None:
        """Until there is no more."""
        for number in range(230):
            bench.world.add_page("ENG", f"Page {number}")
        source = bench.source(credentials=personal() if way == "data center" else None)
        names: list[str] = []
        page: str | None = None
        for _ in range(5):
            shown = source.browse("ENG", page)
            names += [one.name for one in shown.resources]
            page = shown.next_page
            if page is None:
                break
        assert len(names) == len(set(names)) == 231


class TestFinding:
    @pytest.mark.parametrize("way", ["cloud", "data center"])
    def test_names_each_thing_by_id_without_a_listing(self, bench: Bench, way: str) -> None:
        """Of every kind; what is gone, hidden or in another space is None."""
        world = bench.world
        page = world.add_page("ENG", "Page")
        post = world.add_blogpost("ENG", "Post")
        comment = world.add_comment(page, "<p>x</p>", selection="y")
        file = world.attach(post, "a.txt", b"a")
        gone = world.add_page("ENG", "Gone")
        world.trash(gone)
        world.add_space("OPS")
        other = world.add_page("OPS", "Other")
        given = personal() if way == "data center" else None
        whole = listed(bench.source(credentials=given))
        source = bench.source(credentials=given, space_keys=["ENG"])
        names = [str(page), str(post), str(comment), f"att{file}", str(gone), str(other), "77", "att77"]
        found = {one.name: one.item for one in source.find(source.scopes(), names)}
        assert set(found) == set(names)
        for name in names[:4]:
            assert found[name] == whole[name]
        assert [found[name] for name in names[4:]] == [None] * 4
        assert bench.asked("/spaces") <= 2

    def test_paths_are_found_by_listing(self, bench: Bench) -> None:
        """As people write them."""
        bench.world.add_page("ENG", "Page")
        source = bench.source()
        (found,) = source.find(source.scopes(), ["ENG/Page"])
        assert found.item is not None
        assert found.item.title == "Page"
