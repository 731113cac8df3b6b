"""Signing in: apps and their keys, what each refusal means, and what is never told."""

from __future__ import annotations

import logging
from typing import Any

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
    SourceError,
)
from catchment.kit import Health
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository
from catchment.simulators.wire import Reply
from connectors.github import GitHub, GitHubCredentials
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


class TestCredentials:
    @pytest.mark.parametrize(
        "given",
        [{}, {"token": ""}, {"app_id": "1"}, {"private_key": PEM}, {"token": "x", "app_id": "1"}],
    )
    def test_half_a_sign_in_is_refused(self, given: dict[str, Any]) -> None:
        """And nothing of it repeated."""
        with pytest.raises(ValidationError):
            GitHubCredentials(**given)


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
