"""Signing in, limits, permissions: what each refusal means, and what is never told."""

from __future__ import annotations

import logging
import threading
from typing import Any

import httpx
import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from pydantic import ValidationError

from catchment.core.clock import SetClock
from catchment.core.errors import (
    AuthRejected,
    CatchmentError,
    ConfigRejected,
    PermissionMissing,
    RunCancelled,
    SourceError,
)
from catchment.kit import Health, Session
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository, secondary_limit
from catchment.simulators.wire import Reply
from connectors.github import GitHub, GitHubConfig, GitHubCredentials
from connectors.github.pace import Pace, PacedWire, wire_to
from tests.connectors.github.conftest import TOKEN, MakeSource, asked, listed, state

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
PEM = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
CURVE = (
    ec.generate_private_key(ec.SECP256R1())
    .private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    .decode()
)
LOCKED = KEY.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"words")).decode()


def app(**facts: Any) -> GitHubCredentials:
    return GitHubCredentials(**{"app_id": "42", "private_key": PEM, **facts})


def token(name: str) -> GitHubCredentials:
    return GitHubCredentials(token=name)  # type: ignore[arg-type]


class TestApps:
    @pytest.fixture
    def installed(self, vendor: Vendor, repo: Repository) -> int:
        vendor.app("42", PUBLIC)
        repo.open("Issue", "Body")
        return vendor.install("octo-org", [repo]).id

    def test_an_app_signs_in_and_is_given_its_repositories(
        self, make_source: MakeSource, vendor: Vendor, installed: int
    ) -> None:
        """With the ID of the installation, or without where there is one only."""
        for facts in ({"installation_id": str(installed)}, {}):
            source = make_source(credentials=app(**facts), repos=[])
            assert set(listed(source)[0]) == state(vendor)
            assert [one.health for one in source.check()][:5] == [Health.OK] * 5

    def test_its_token_is_renewed_before_it_ends(
        self, make_source: MakeSource, vendor: Vendor, clock: SetClock, installed: int
    ) -> None:
        """Acceptance 18: and after a refusal, once."""
        source = make_source(credentials=app(installation_id=installed))
        listed(source)
        asked(vendor)
        for _ in range(4):
            clock.advance(775)
            listed(source)
        assert len({request.headers["authorization"] for request in vendor.asked[-3:]}) == 1
        assert [path for path in asked(vendor) if path.startswith("/app")] == [
            f"/app/installations/{installed}/access_tokens"
        ]
        vendor.access.tokens.clear()
        assert set(listed(source)[0]) == state(vendor)

    def test_what_is_wrong_is_told(
        self, make_source: MakeSource, vendor: Vendor, installed: int, repo: Repository
    ) -> None:
        """An unknown app, an unknown installation, several of them, a suspended one."""
        with pytest.raises(AuthRejected):
            listed(make_source(credentials=app(app_id="43")))
        with pytest.raises(AuthRejected, match="installation"):
            listed(make_source(credentials=app(installation_id="7")))
        vendor.access.installations[installed].suspended = True
        with pytest.raises(AuthRejected, match="suspended"):
            listed(make_source(credentials=app(installation_id=installed)))
        vendor.install("other-org", [])
        with pytest.raises(ConfigRejected) as caught:
            make_source(credentials=app(), repos=[]).scopes()
        assert (caught.value.setting, caught.value.part) == ("installation_id", "credentials")

    def test_its_word_is_signed_with_its_key_and_is_good_for_minutes(
        self, make_source: MakeSource, vendor: Vendor, clock: SetClock, installed: int
    ) -> None:
        """GitHub takes one method, the app's own name, and ten minutes at most, by its own clock."""
        listed(make_source(credentials=app(app_id=" 42 ")))
        word = next(
            one.headers["authorization"].removeprefix("Bearer ")
            for one in vendor.asked
            if one.path.startswith("/app")
        )
        assert jwt.get_unverified_header(word) == {"alg": "RS256", "typ": "JWT"}
        times: Any = dict.fromkeys(("verify_exp", "verify_iat", "verify_nbf"), False)
        claims = jwt.decode(word, PUBLIC, algorithms=["RS256"], options=times)
        assert claims == {"iss": "42", "iat": claims["iat"], "exp": claims["iat"] + 600}
        assert claims["iat"] < clock.now() < claims["exp"]
        assert isinstance(claims["iat"], int)

    @pytest.mark.parametrize(
        "pem",
        ["nonsense", PEM[:200], PUBLIC.decode(), CURVE, LOCKED, PEM.replace("A", "é"), f"\ud800{PEM}", "\0"],
        ids=["nonsense", "cut", "public", "curve", "locked", "letters", "surrogate", "nothing"],
    )
    def test_a_key_that_is_none_is_not_repeated(self, make_source: MakeSource, pem: str) -> None:
        """Neither in the error nor in what caused it."""
        with pytest.raises(ConfigRejected) as caught:
            make_source(credentials=app(private_key=pem))
        assert caught.value.setting == "private_key"
        assert caught.value.__cause__ is None
        assert caught.value.__context__ is None
        assert pem[:20] not in str(caught.value)

    def test_a_key_on_one_line_is_read(self, make_source: MakeSource, vendor: Vendor, installed: int) -> None:
        """As environments have it."""
        source = make_source(credentials=app(private_key=PEM.replace("\n", "\\n")))
        assert set(listed(source)[0]) == state(vendor)


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


class TestRefusals:
    @pytest.mark.parametrize(
        ("reply", "error", "word"),
        [
            (Reply(401, {"message": "Bad credentials"}), AuthRejected, "refuses the credentials"),
            (
                Reply(403, {"message": "Resource not accessible by personal access token"}),
                PermissionMissing,
                "may not do this",
            ),
            (
                Reply(
                    403,
                    {"message": "Resource not accessible by integration"},
                    {"X-Accepted-GitHub-Permissions": "contents=read", "X-RateLimit-Remaining": "0"},
                ),
                PermissionMissing,
                r"\(contents=read\)",
            ),
            (
                Reply(
                    403,
                    {"message": "Resource protected by organization SAML enforcement."},
                    {
                        "X-GitHub-SSO": "required; url=https://github.com/orgs/x/sso?authorization_request=canary"
                    },
                ),
                PermissionMissing,
                "single sign-on",
            ),
            (
                Reply(
                    403,
                    {
                        "message": "Although you appear to have the correct authorization credentials, the"
                        " organization has an IP allow list enabled"
                    },
                ),
                PermissionMissing,
                "address",
            ),
            (Reply(403, {"message": "This installation has been suspended"}), AuthRejected, "suspended"),
            (Reply(403, b"<html>"), PermissionMissing, "may not do this"),
            (Reply(403, ["odd"]), PermissionMissing, "may not do this"),
            (Reply(404, {"message": "Not Found"}), ConfigRejected, "shows no repository"),
            (Reply(410, {"message": "Gone"}), ConfigRejected, "shows no repository"),
            (Reply(451, {"message": "Repository access blocked"}), ConfigRejected, "451"),
        ],
    )
    def test_each_meaning_is_told_apart(
        self, source: GitHub, vendor: Vendor, reply: Reply, error: type[SourceError], word: str
    ) -> None:
        """With something to do about it, and without a secret."""
        vendor.faults.add(Fault(lambda *_: reply))
        with pytest.raises(error, match=word) as caught:
            scopes = source.scopes()
            list(source.listing(scopes[0]))
        assert "canary" not in str(caught.value)
        if reply.status != 451:
            assert caught.value.remedy

    def test_a_token_that_ends_in_the_middle_of_a_run_is_an_error_of_the_sign_in(
        self, source: GitHub, vendor: Vendor, repo: Repository, clock: SetClock
    ) -> None:
        """Acceptance 18: nothing completes."""
        repo.forum.open("Discussion", "Body")
        scopes = source.scopes()
        assert len(scopes) == 3
        vendor.access.tokens[TOKEN].expires = clock.now()
        for scope in scopes:
            with pytest.raises(AuthRejected):
                list(source.listing(scope))

    def test_no_secret_is_told(
        self,
        make_source: MakeSource,
        vendor: Vendor,
        caplog: pytest.LogCaptureFixture,
        url: str,
    ) -> None:
        """Acceptance 29: neither by errors nor by logs, reprs, checks or documents."""
        caplog.set_level(logging.DEBUG)
        told: list[str] = []
        for status in (400, 401, 403, 404, 409, 422, 429, 500):
            source = make_source()
            vendor.faults.clear()
            vendor.faults.add(
                Fault(faults.answer(status, {"message": f"echo {TOKEN}"}, {"Retry-After": "0"}), times=60)
            )
            try:
                listed(source)
            except CatchmentError as error:
                told += [str(error), repr(error.__cause__)]
            told += [repr(source.credentials), repr(source.client._sign_in), str(source.check())]
        vendor.faults.clear()
        told.append(str(listed(make_source())))
        assert not any(TOKEN in one for one in told)
        assert TOKEN not in caplog.text
        assert PEM.splitlines()[1] not in repr(app())


class TestCheck:
    def health(self, source: GitHub) -> dict[str, Health]:
        return {one.name: one.health for one in source.check()}

    def test_all_is_well(self, source: GitHub, repo: Repository) -> None:
        """Each capability by itself."""
        assert self.health(source) == dict.fromkeys(
            (
                "sign-in",
                "repositories",
                "files",
                "issues",
                "pull requests",
                "discussions",
                "access lists",
            ),
            Health.OK,
        )

    def test_a_bad_token_and_no_answer_are_told_apart(self, make_source: MakeSource, vendor: Vendor) -> None:
        """What comes after is not tried."""
        assert set(self.health(make_source(credentials=token("bad"))).values()) == {Health.DENIED}
        source = make_source(api_url="http://127.0.0.1:9")
        results = source.check()
        assert {one.health for one in results} == {Health.UNREACHABLE}
        assert results[0].remedy

    @pytest.mark.parametrize(
        ("given", "denied"),
        [
            (("issues", "pull_requests"), {"files"}),
            (("contents", "pull_requests"), {"issues"}),
            (("contents", "issues"), {"pull requests"}),
        ],
    )
    def test_a_missing_permission_is_named(
        self, make_source: MakeSource, vendor: Vendor, given: tuple[str, ...], denied: set[str]
    ) -> None:
        """By the capability that lacks it, with the remedy."""
        vendor.token("fine", permissions=given)
        results = make_source(credentials=token("fine")).check()
        assert {one.name for one in results if one.health is not Health.OK} == denied
        assert all(one.health is Health.DENIED and one.remedy for one in results if one.name in denied)

    def test_who_may_only_read_cannot_see_who_else_may(self, make_source: MakeSource, vendor: Vendor) -> None:
        """GitHub tells collaborators to those who may write."""
        vendor.token("reader", "octo-bob", permissions=("contents", "issues", "pull_requests"))
        vendor.token("narrow", scopes=("repo",))
        for name in ("reader", "narrow"):
            results = make_source(credentials=token(name)).check()
            wrong = [one for one in results if one.health is not Health.OK]
            assert [(one.name, one.health) for one in wrong] == [("access lists", Health.DENIED)]
            assert "read:org" in wrong[0].remedy

    def test_settings_that_cannot_work_are_named(self, make_source: MakeSource, repo: Repository) -> None:
        """A repository that is not there; a branch that is not."""
        results = make_source(repos=["octo-org/wier"]).check()
        wrong = next(one for one in results if one.name == "repositories")
        assert (wrong.health, wrong.setting) == (Health.MISCONFIGURED, "repos")
        results = make_source(branch="nowhere").check()
        wrong = next(one for one in results if one.name == "files")
        assert (wrong.health, wrong.setting) == (Health.MISCONFIGURED, "branch")


class TestBounds:
    def test_a_private_address_is_out_of_bounds(self, url: str, clock: SetClock, repo: Repository) -> None:
        """For connectors that were made through a face; nothing is sent there."""
        session = Session(clock=clock, trusted=False)
        source = GitHub(GitHubConfig(api_url=url, repos=["octo-org/weir"]), token(TOKEN), session)
        results = source.check()
        assert (results[0].health, results[0].setting) == (Health.MISCONFIGURED, "api_url")
        source.close()


class TestAccess:
    def lists(self, source: GitHub) -> Any:
        return {
            (one.public, tuple(sorted(entry.subject for entry in one.entries)))
            for one in source.permissions(list(listed(source)[0].values())).values()
        }

    def test_are_those_of_the_repository(
        self, make_source: MakeSource, vendor: Vendor, repo: Repository
    ) -> None:
        """Acceptance 21: collaborators of a private one, everybody for a public one, by one request each."""
        repo.open("Issue", "Body")
        vendor.most_per_page = 2
        repo.collaborators |= {f"octo-{n}": "read" for n in range(5)}
        source = make_source()
        assert self.lists(source) == {(False, tuple(sorted(repo.collaborators)))}
        vendor.publish(repo, public=True)
        assert self.lists(make_source()) == {(True, ())}
        repo.visibility, repo.private = "internal", True
        assert self.lists(make_source()) == {(False, tuple(sorted(repo.collaborators)))}

    def test_fail_closed(self, make_source: MakeSource, vendor: Vendor, repo: Repository) -> None:
        """Acceptance 21: without the permission, and when it fails, nobody is said to see anything."""
        vendor.token("reader", "octo-bob")
        source = make_source(credentials=token("reader"))
        items = list(listed(source)[0].values())
        with pytest.raises(PermissionMissing):
            source.permissions(items)
        source = make_source()
        vendor.faults.add(Fault(faults.answer(500), path=r".*/collaborators"))
        with pytest.raises(SourceError):
            source.permissions(items)

    def test_a_word_that_is_missing_is_no_proof(
        self, make_source: MakeSource, vendor: Vendor, repo: Repository
    ) -> None:
        """Acceptance 21: public only where GitHub says that it is not private."""
        source = make_source()
        items = list(listed(source)[0].values())

        def silent(_: object, reply: Reply) -> None:
            del reply.body["private"]
            reply.body["visibility"] = "public"

        vendor.faults.add(Fault(faults.changed(silent), path=r"/repositories/\d+"))
        assert not any(one.public for one in source.permissions(items).values())


class TestSettings:
    def test_repositories_are_written_in_one_way(self) -> None:
        """However a person writes them."""
        given = ["https://github.com/o/n", "o/n.git", "github.com/o/n/", "o/n@feature/x", " o/n ", "o/n.js"]
        assert GitHubConfig(repos=given).repos == ["o/n", "o/n@feature/x", "o/n.js"]

    @pytest.mark.parametrize(
        "settings",
        [
            {"repos": ["justaname"]},
            {"repos": ["a/b/c"]},
            {"repos": ["a/.."]},
            {"repos": ["https://gitlab.com/o/n"]},
            {"branch": "a b"},
            {"branch": "a:b"},
            {"path_filter": ["!docs/"]},
            {"kinds": []},
            {"kinds": ["wikis"]},
            {"api_url": "ftp://x"},
            {"api_url": "https://user:secret@x/api"},
            {"unknown": 1},
        ],
    )
    def test_what_cannot_work_is_refused(self, settings: dict[str, Any]) -> None:
        """Before anything is asked."""
        with pytest.raises(ValidationError):
            GitHubConfig(**settings)

    def test_the_names_of_old_configurations_hold(self) -> None:
        """As they are kept, and as clients write them."""
        from catchment.kit.catalog import PLANNED, spelled

        planned = next(one for one in PLANNED if one.slug == "github")
        names = {one.name: ["o/n"] if one.name == "repos" else "docs" for one in planned.config}
        config = GitHubConfig.model_validate(spelled(GitHubConfig, names))
        assert (config.repos, config.branch, config.path_filter) == (["o/n"], "docs", ["docs"])
        assert GitHubConfig.model_validate({"repos": ["o/n"], "branch": None, "path_filter": None})
        for one in planned.credentials:
            assert one.name in GitHubCredentials.model_fields

    def test_what_to_grant_is_told_before_the_code_is_there(self) -> None:
        """The catalogue names each permission that the connector needs; it may say more in words."""
        from catchment.kit.catalog import PLANNED

        planned = next(one for one in PLANNED if one.slug == "github")
        assert set(planned.scopes) == {one for one in GitHub.scopes_needed if one.endswith(":read")}

    @pytest.mark.parametrize(
        "given",
        [{}, {"token": ""}, {"app_id": "1"}, {"private_key": PEM}, {"token": "x", "app_id": "1"}],
    )
    def test_half_a_sign_in_is_refused(self, given: dict[str, Any]) -> None:
        """And nothing of it repeated."""
        with pytest.raises(ValidationError):
            GitHubCredentials(**given)

    def test_addresses_are_recognised(self) -> None:
        """With a branch, too; others are not ours, and a page of GitHub's is no repository."""
        found = GitHub.address("https://github.com/o/n/tree/feature/x")
        assert found is not None
        assert found.config == {"repos": ["o/n@feature/x"]}
        assert GitHub.address("https://example.com/o/n") is None
        assert GitHub.address("./folder") is None
        with pytest.raises(ConfigRejected):
            GitHub.address("https://github.com/pricing")
        assert GitHub.identity({"repos": ["B/c", "a/b"]}) == GitHub.identity({"repos": ["a/b", "b/C"]})

    def test_the_other_api_of_an_own_server(self) -> None:
        """Lies beside the first."""
        assert GitHubConfig().graphql_url == "https://api.github.com/graphql"
        own = GitHubConfig(api_url="https://ghe.example.com/api/v3/")
        assert own.graphql_url == "https://ghe.example.com/api/graphql"

    def test_what_can_be_chosen(self, make_source: MakeSource, vendor: Vendor, repo: Repository) -> None:
        """Repositories, then branches, page by page; ids are what the settings take."""
        vendor.repository("octo-org/dam", collaborators={"octo-ann": "read"})
        repo.branches["feature/x"] = repo.branches["main"]
        vendor.most_per_page = 1
        source = make_source()
        first = source.browse()
        second = source.browse(page=first.next_page)
        assert [one.id for one in (*first.resources, *second.resources)] == ["octo-org/dam", "octo-org/weir"]
        assert second.next_page is None
        branches = source.browse("octo-org/weir")
        more = source.browse("octo-org/weir", branches.next_page)
        ids = [one.id for one in (*branches.resources, *more.resources)]
        assert ids == ["octo-org/weir@feature/x", "octo-org/weir@main"]
        assert make_source(repos=ids, kinds=["files"]).scopes()
        assert source.browse(ids[0]).resources == []
