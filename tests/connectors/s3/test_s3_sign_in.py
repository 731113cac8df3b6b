"""Who signs, where, and the one sentence for everything that is wrong with it."""

from __future__ import annotations

import socket
import ssl
import threading
from pathlib import Path

import pytest

from catchment.core.clock import SetClock
from catchment.core.errors import RunCancelled, SourceError
from catchment.kit import AuthRejected, ConfigRejected, PermissionMissing, Session, SourceDown
from catchment.kit.network import Network
from connectors.s3 import S3, S3Credentials, pace
from tests.connectors.s3.conftest import KEYS, MakeSource, items_of
from tests.support.s3 import (
    ACCESS_KEY,
    Answer,
    Asked,
    Bucket,
    Moto,
    Proxy,
    error,
    gets,
    lists,
    private_certificate,
)
from tests.support.waiting import until

REFUSALS = {
    "no such bucket": (error("NoSuchBucket", 404), ConfigRejected, "bucket"),
    "wrong key id": (error("InvalidAccessKeyId", 403), AuthRejected, "access key ID"),
    "wrong secret": (error("SignatureDoesNotMatch", 403), AuthRejected, "secret access key"),
    "expired token": (
        error("ExpiredToken", 400, "The provided token has expired."),
        AuthRejected,
        "session token has expired",
    ),
    "denied": (error("AccessDenied", 403, "Access Denied"), PermissionMissing, "s3:ListBucket"),
    "clock": (error("RequestTimeTooSkewed", 403), SourceError, "Set the clock"),
    "other": (error("OperationAborted", 409, "Try another."), SourceError, "OperationAborted"),
}


def signed_for(asked: Asked) -> str:
    """Return the region that a request is signed for."""
    return asked.headers["authorization"].split("Credential=")[1].split("/")[2]


class TestRefusals:
    @pytest.mark.parametrize("case", REFUSALS)
    def test_each_refusal_has_its_sentence(self, make_source: MakeSource, proxy: Proxy, case: str) -> None:
        """Asked once, since asking again would not help; the sentence says what to do."""
        answer, kind, words = REFUSALS[case]
        proxy.fault(lists, answer)
        with pytest.raises(kind) as raised:
            items_of(make_source())
        assert type(raised.value) is kind
        assert words in str(raised.value)
        assert proxy.counts() == {"LIST": 1}
        assert ACCESS_KEY not in str(raised.value)

    def test_a_bucket_that_is_not_there_names_the_setting(self, make_source: MakeSource) -> None:
        """Told by a real server."""
        with pytest.raises(ConfigRejected) as raised:
            items_of(make_source(bucket="missing-bucket"))
        assert raised.value.setting == "bucket"
        assert "missing-bucket" in str(raised.value)

    def test_nobody_is_told_to_grant_something_to_anonymous(
        self, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """The remedy is a key."""
        proxy.fault(lists, error("AccessDenied", 403))
        with pytest.raises(PermissionMissing) as raised:
            items_of(make_source(anonymous=True, credentials=None))
        assert "store an access key" in raised.value.remedy


class TestUnreachable:
    @pytest.fixture
    def closed(self) -> str:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        return f"http://127.0.0.1:{port}"

    def test_a_server_that_is_not_there_names_the_endpoint(
        self, make_source: MakeSource, closed: str
    ) -> None:
        """And what the network said."""
        with pytest.raises(SourceDown) as raised:
            items_of(make_source(endpoint=closed))
        assert closed in str(raised.value)
        assert "connection refused" in str(raised.value)
        assert "`endpoint`" in raised.value.remedy

    def test_a_host_that_nobody_knows_is_said_to_be_unknown(self, make_source: MakeSource) -> None:
        """A name under .invalid is never known."""
        with pytest.raises(SourceDown) as raised:
            items_of(make_source(endpoint="http://nowhere.invalid:9000"))
        assert "unknown host" in str(raised.value)

    def test_https_where_http_is_spoken_is_told_apart(self, make_source: MakeSource, proxy: Proxy) -> None:
        """The commonest mistake with a server of one's own."""
        with pytest.raises(SourceDown) as raised:
            items_of(make_source(endpoint=proxy.url.replace("http:", "https:")))
        assert "TLS" in str(raised.value)
        assert "http or https" in raised.value.remedy


class TestRegion:
    def test_a_bucket_in_another_region_is_read_there(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """Silently, by both libraries, with one detour for the whole run."""
        bucket.put("a.txt", "x")

        def elsewhere(asked: Asked) -> bool:
            return signed_for(asked) != "eu-central-1"

        told = {"x-amz-bucket-region": "eu-central-1"}
        proxy.fault(
            elsewhere,
            error("PermanentRedirect", 301, headers=told, more="<Endpoint>other</Endpoint>"),
        )
        source = make_source(region="us-west-2")
        (item,) = items_of(source).values()
        assert source.fetch(item).body == b"x"
        proxy.asked.clear()
        items_of(source)
        source.fetch(item)
        assert [signed_for(asked) for asked in proxy.asked] == ["eu-central-1"] * 2

    def test_the_other_refusal_of_a_wrong_region_is_understood(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """Some endpoints say that the signature is malformed."""
        bucket.put("a.txt", "x")
        proxy.fault(
            lambda asked: signed_for(asked) != "eu-west-3",
            error(
                "AuthorizationHeaderMalformed",
                400,
                "The authorization header is malformed; the region is wrong; expecting 'eu-west-3'",
                more="<Region>eu-west-3</Region>",
            ),
        )
        assert set(items_of(make_source())) == {"a.txt"}

    def test_a_look_at_one_object_goes_to_the_other_region_too(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """An answer to HEAD has headers only."""
        bucket.put("a.txt", "x")
        proxy.fault(
            lambda asked: signed_for(asked) != "eu-west-3",
            Answer(301, b"", {"x-amz-bucket-region": "eu-west-3"}),
        )
        source = make_source()
        (found,) = source.find(source.scopes(), ["a.txt"])
        assert found.item is not None

    def test_a_region_that_is_not_told_is_asked_of_the_person(
        self, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """The setting is named."""
        proxy.fault(lambda asked: True, error("PermanentRedirect", 301))
        with pytest.raises(ConfigRejected) as raised:
            items_of(make_source(region="us-west-2"))
        assert raised.value.setting == "region"


class TestIdentity:
    def test_a_session_token_goes_with_the_keys(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """In requests of both libraries."""
        bucket.put("a.txt", "x")
        keys = KEYS.model_copy(
            update={
                "session_token": S3Credentials.model_validate(
                    {"access_key_id": "a", "secret_access_key": "b", "session_token": "token-of-the-tests"}
                ).session_token
            }
        )
        source = make_source(credentials=keys)
        for item in items_of(source).values():
            source.fetch(item)
        assert [asked.headers["x-amz-security-token"] for asked in proxy.asked] == ["token-of-the-tests"] * 2

    def test_anonymous_signs_nothing(self, bucket: Bucket, make_source: MakeSource, proxy: Proxy) -> None:
        """By either library."""
        bucket.put("a.txt", "x", ACL="public-read")
        source = make_source(anonymous=True, credentials=None)
        for item in items_of(source).values():
            source.fetch(item)
        assert len(proxy.asked) == 2
        assert not any("authorization" in asked.headers for asked in proxy.asked)

    def test_a_profile_of_the_machine_signs(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy, tmp_path: Path
    ) -> None:
        """Keys and region come from it."""
        bucket.put("a.txt", "x")
        (tmp_path / "aws-credentials").write_text(
            "[work]\naws_access_key_id = WORKKEY\naws_secret_access_key = s\n"
        )
        (tmp_path / "aws-config").write_text("[profile work]\nregion = eu-south-2\n")
        source = make_source(profile="work", credentials=None)
        for item in items_of(source).values():
            source.fetch(item)
        assert {signed_for(asked) for asked in proxy.asked} == {"eu-south-2"}
        assert all("Credential=WORKKEY/" in asked.headers["authorization"] for asked in proxy.asked)

    def test_a_profile_that_is_not_there_names_the_setting(self, make_source: MakeSource) -> None:
        """Without a request."""
        with pytest.raises(ConfigRejected) as raised:
            items_of(make_source(profile="nobody", credentials=None))
        assert raised.value.setting == "profile"
        assert "nobody" in str(raised.value)

    def test_a_machine_without_identity_asks_for_a_key(self, make_source: MakeSource) -> None:
        """The remedy names the ways to sign in."""
        with pytest.raises(AuthRejected) as raised:
            items_of(make_source(credentials=None))
        assert "anonymous" in raised.value.remedy

    def test_the_machines_own_identity_signs_for_its_operator(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Environment, instance role and the like: what boto3 finds."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "MACHINEKEY")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        bucket.put("a.txt", "x")
        items_of(make_source(credentials=None))
        assert "Credential=MACHINEKEY/" in proxy.asked[0].headers["authorization"]

    @pytest.mark.parametrize("settings", [{}, {"profile": "default"}])
    def test_nobody_else_borrows_the_machines_identity(
        self,
        make_source: MakeSource,
        proxy: Proxy,
        monkeypatch: pytest.MonkeyPatch,
        settings: dict[str, str],
    ) -> None:
        """A connector made through a face has keys of its own or is anonymous."""
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "MACHINEKEY")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "s")
        source = make_source(credentials=None, session=Session(trusted=False), endpoint=None, **settings)
        with pytest.raises(ConfigRejected, match="may not sign in as the machine"):
            items_of(source)

    def test_nobody_else_reaches_a_private_address(self, make_source: MakeSource, proxy: Proxy) -> None:
        """The endpoint of such a connector must be public or allowed."""
        source = make_source(session=Session(trusted=False))
        with pytest.raises(ConfigRejected) as raised:
            items_of(source)
        assert raised.value.setting == "endpoint"
        assert proxy.asked == []

    def test_nobody_else_is_led_elsewhere_by_a_redirect(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """An allowed server cannot send such a connector to the machine's neighbours."""
        monkeypatch.setattr(
            "catchment.kit.session.network_settings",
            lambda guarded: Network(allowed=("127.0.0.1",), guarded=guarded),
        )
        bucket.put("a.txt", "x")
        source = make_source(session=Session(trusted=False))
        (item,) = items_of(source).values()
        proxy.fault(gets, Answer(302, b"", {"Location": f"{proxy.url}/secrets"}))
        with pytest.raises(SourceError):
            source.fetch(item)
        assert not any(asked.path == "/secrets" for asked in proxy.asked)

    def test_a_key_and_another_sign_in_exclude_each_other(self, make_source: MakeSource) -> None:
        """Nobody has to guess which of them counts."""
        for settings in ({"anonymous": True}, {"profile": "work"}):
            with pytest.raises(ConfigRejected) as raised:
                items_of(make_source(**settings))
            assert raised.value.setting in settings

    def test_a_broken_profile_of_the_machine_harms_no_key_of_ones_own(
        self, bucket: Bucket, make_source: MakeSource, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        """A connector with a key does not depend on the machine's settings."""
        monkeypatch.setenv("AWS_PROFILE", "missing")
        (tmp_path / "aws-config").write_text("[broken")
        bucket.put("a.txt", "x")
        assert set(items_of(make_source())) == {"a.txt"}


class TestRole:
    ROLE = "arn:aws:iam::123456789012:role/reader"

    def test_an_assumed_role_signs_all_requests(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """Its temporary keys, by both libraries; the external id is sent along."""
        bucket.put("a.txt", "x")
        source = make_source(role_arn=self.ROLE, external_id="agreed")
        for item in items_of(source).values():
            assert source.fetch(item).body == b"x"
        assumed, *others = proxy.asked
        assert assumed.method == "POST"
        assert f"Credential={ACCESS_KEY}/" in assumed.headers["authorization"]
        assert len(others) == 2
        assert all("x-amz-security-token" in asked.headers for asked in others)
        assert not any(ACCESS_KEY in asked.headers["authorization"] for asked in others)

    def test_a_role_that_may_not_be_assumed_names_the_settings(
        self, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """It is the role that is refused, and not the bucket."""
        body = b"<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>"
        proxy.fault(lambda asked: asked.method == "POST", Answer(403, body, {"Content-Type": "text/xml"}))
        with pytest.raises(AuthRejected) as raised:
            items_of(make_source(role_arn=self.ROLE))
        assert "role_arn" in raised.value.remedy
        assert self.ROLE in str(raised.value)


class TestNetwork:
    def test_the_proxy_of_the_installation_is_used_by_both_libraries(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing goes to the server by itself, where nobody listens."""
        monkeypatch.setattr(
            "catchment.kit.session.network_settings", lambda guarded: Network(proxy=proxy.url)
        )
        bucket.put("a.txt", "x")
        source = make_source(endpoint="http://127.0.0.1:9")
        (item,) = items_of(source).values()
        assert source.fetch(item).body == b"x"
        assert ["Boto3" in asked.headers["user-agent"] for asked in proxy.asked] == [True, False]

    def test_a_private_authority_is_trusted_by_both_libraries_when_it_is_named(
        self,
        bucket: Bucket,
        make_source: MakeSource,
        moto: Moto,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
    ) -> None:
        """And by neither when it is not."""
        authority, chain = private_certificate(tmp_path)
        bucket.put("a.txt", "x")
        secured = Proxy(moto.url, certificate=chain)
        try:
            with pytest.raises(SourceDown, match="CATCHMENT_NETWORK_CA_FILE"):
                items_of(make_source(endpoint=secured.url))
            monkeypatch.setattr(
                "catchment.kit.session.network_settings", lambda guarded: Network(ca_file=str(authority))
            )
            source = make_source(endpoint=secured.url)
            (item,) = items_of(source).values()
            assert source.fetch(item).body == b"x"
            assert ["Boto3" in asked.headers["user-agent"] for asked in secured.asked] == [True, False]
        finally:
            secured.close()


class TestPatience:
    def test_all_requests_wait_when_one_is_told_to(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """Acceptance 18, 19: Retry-After is obeyed, the wait shown with its reason, a cancel ends it."""
        bucket.put("a.txt", "x")
        waits: list[tuple[str, float]] = []
        session = Session(on_wait=lambda reason, seconds: waits.append((reason, seconds)))
        source = make_source(session=session)
        (item,) = items_of(source).values()
        proxy.mend()
        proxy.fault(lists, error("SlowDown", 503, headers={"Retry-After": "86400"}), times=1)
        errors: list[BaseException] = []

        def work(ask: object) -> None:
            try:
                ask()  # type: ignore[operator]
            except RunCancelled as cancelled:
                errors.append(cancelled)

        first = threading.Thread(target=work, args=(lambda: items_of(source),))
        first.start()
        until(lambda: bool(waits))
        second = threading.Thread(target=work, args=(lambda: source.fetch(item),))
        second.start()
        until(lambda: len(waits) == 2)
        session.stop.set()
        first.join(30)
        second.join(30)
        assert len(errors) == 2
        assert [reason for reason, seconds in waits if seconds > 80_000] == ["S3 asks for fewer requests"] * 2
        assert proxy.counts() == {"LIST": 1}, "the read waited, too"

    def test_another_run_of_the_bucket_waits_as_long(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """Acceptance 18: what one was told holds for the other, which does not ask meanwhile."""
        bucket.put("a.txt", "x")
        clock = SetClock()
        proxy.fault(lists, error("SlowDown", 503, headers={"Retry-After": "3600"}), times=1)
        waits: list[float] = []

        def ask() -> None:
            def told(_reason: str, seconds: float) -> None:
                waits.extend([seconds] if seconds else [])
                session.stop.set()

            session = Session(clock=clock, on_wait=told)
            with pytest.raises(RunCancelled):
                items_of(make_source(session=session))

        ask()
        clock.advance(600)
        ask()
        assert waits == [3600, 3000]
        assert proxy.counts() == {"LIST": 1}

    @pytest.mark.parametrize("header", ["0", "soon", "Tue, 15 Nov 1994 08:12:31 GMT", "-5", ""])
    def test_a_date_gone_by_or_a_word_is_no_wait(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy, header: str
    ) -> None:
        """Acceptance 18: then our own wait holds."""
        bucket.put("a.txt", "x")
        proxy.fault(lists, error("SlowDown", 429, headers={"Retry-After": header}), times=2)
        assert set(items_of(make_source())) == {"a.txt"}

    def test_waits_grow_twofold_and_have_an_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Shortened by chance to no less than half."""
        monkeypatch.setattr(pace.random, "uniform", lambda low, high: high)
        assert [pace._grown(1.0, times) for times in range(1, 8)] == [1, 2, 4, 8, 16, 30, 30]
        monkeypatch.setattr(pace.random, "uniform", lambda low, high: low)
        assert pace._grown(1.0, 3) == 2


def test_the_module_that_makes_addresses_needs_no_library_of_amazon() -> None:
    """The command line asks every provider about a path; boto3 would cost it a tenth of a second."""
    import subprocess
    import sys

    script = (
        "import sys; from connectors.s3 import S3; S3.address('s3://docs/a?region=eu-west-1');"
        "print(*{'boto3', 'botocore', 'obstore'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert told.stdout.split() == []


def test_ssl_is_what_is_said_when_a_certificate_is_not_trusted() -> None:
    """The name of the setting for a private authority stands in the remedy."""
    from botocore.exceptions import SSLError

    from connectors.s3.errors import Place, source_error

    cause = ssl.SSLCertVerificationError("certificate verify failed: unable to get local issuer certificate")
    told = source_error(SSLError(endpoint_url="https://x", error=cause), Place("docs", "https://x"))
    assert "CATCHMENT_NETWORK_CA_FILE" in told.remedy
    assert isinstance(told, SourceDown)


def test_s3_is_used_as_the_kit_asks() -> None:
    """Stored credentials are welcome and not required."""
    assert S3.credentials_model is S3Credentials
    assert not S3.credentials_required
