"""Deliveries: signature first, then age, then what they report."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from catchment.core.items import Changed, Deleted, Item
from catchment.kit import FeedEvent, PermissionMissing
from catchment.simulators.confluence import Confluence as Site
from connectors.confluence import Confluence, connect, webhook
from tests.support.confluence import DATA, needs_data

SECRET = Site().webhook_secret


HEAD = {"typ": "JWT", "alg": "HS256"}

Way = Callable[..., tuple[dict[str, str], bytes]]


@pytest.fixture
def site() -> Site:
    return Site()


@pytest.fixture(params=["data center", "cloud"])
def deliver(request: pytest.FixtureRequest, site: Site) -> Way:
    """How a site sends: Data Center signs the body, Cloud the request."""
    way: Way = site.delivery if request.param == "data center" else site.cloud_delivery
    return way


def told_of(site: Site, delivery: tuple[dict[str, str], bytes], secret: str = SECRET) -> list[FeedEvent]:
    """Take a delivery in at the site's own time."""
    return Confluence.webhook(*delivery, secret, now=site.clock.now())


def web64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).decode().rstrip("=")


def sealed(words: str, secret: str = SECRET, *, digest: str = "sha256") -> str:
    """Sign what was written already, by hand: no library would write all that is tried here."""
    return f"{words}.{web64(hmac.digest(secret.encode(), words.encode(), digest))}"


def signed(head: object, claims: object, secret: str = SECRET) -> str:
    """Return a word of Connect with a good signature, whatever it says."""
    return sealed(".".join(web64(json.dumps(each).encode()) for each in (head, claims)), secret)


def told_with(site: Site, word: str, *, secret: str = SECRET, path: str | None = None) -> list[FeedEvent]:
    """Take a delivery of Cloud in with another word."""
    headers, body = site.cloud_delivery("page_updated", 7)
    changed = {"Authorization": f"JWT {word}", ":path": headers[":path"] if path is None else path}
    return told_of(site, ({**headers, **changed}, body), secret)


@pytest.mark.parametrize(
    ("event", "id_", "told"),
    [
        ("page_updated", 7, Changed(Item("7", "7"))),
        ("page_created", 7, Changed(Item("7", "7"))),
        ("page_restored", 7, Changed(Item("7", "7"))),
        ("page_moved", 7, Changed(Item("7", "7"))),
        ("blog_updated", 8, Changed(Item("8", "8"))),
        ("comment_created", 9, Changed(Item("9", "9"))),
        ("attachment_updated", 5, Changed(Item("att5", "att5"))),
        ("page_trashed", 7, Deleted("7")),
        ("page_removed", 7, Deleted("7")),
        ("page_archived", 7, Deleted("7")),
        ("comment_removed", 9, Deleted("9")),
    ],
)
def test_what_happened_is_told_by_key(site: Site, deliver: Way, event: str, id_: int, told: object) -> None:
    """Ids are numbers here, and keys are text."""
    assert told_of(site, deliver(event, id_)) == [told]


@pytest.mark.parametrize(
    "event", ["page_viewed", "space_logo_updated", "label_added", "user_created", "", "page"]
)
def test_other_events_tell_nothing(site: Site, deliver: Way, event: str) -> None:
    """They are well signed, and no error."""
    assert told_of(site, deliver(event, 7)) == []


def test_a_signature_that_is_absent_or_wrong_is_refused(site: Site) -> None:
    """Also of another body, with another secret, and with none at all."""
    headers, body = site.delivery("page_updated", 7)
    _, other = site.delivery("page_updated", 8)
    signed = headers["X-Hub-Signature"]
    for given, sent, secret in (
        ({}, body, SECRET),
        ({"X-Hub-Signature": ""}, body, SECRET),
        ({"X-Hub-Signature": "sha256="}, body, SECRET),
        ({"X-Hub-Signature": "sha256=äöü"}, body, SECRET),
        ({"X-Hub-Signature": "\ud800"}, body, SECRET),
        ({"Authorization": "jwt äöü", "X-Hub-Signature": signed}, other, SECRET),
        ({"X-Hub-Signature": signed[:-1]}, body, SECRET),
        ({"X-Hub-Signature": signed}, other, SECRET),
        ({"X-Hub-Signature": signed}, body, "another secret"),
        (site.delivery("page_updated", 7, secret="")[0], body, ""),
    ):
        with pytest.raises(PermissionMissing) as caught:
            told_of(site, (given, sent), secret)
        assert SECRET not in str(caught.value)


def test_names_of_headers_may_be_written_in_any_case(site: Site) -> None:
    """As servers hand them on."""
    headers, body = site.delivery("page_updated", 7)
    assert told_of(site, ({name.lower(): value for name, value in headers.items()}, body))


def test_an_old_delivery_is_refused(site: Site) -> None:
    """And one of a time to come; within a quarter of an hour it is good."""
    delivery = site.delivery("page_updated", 7)
    site.clock.advance(webhook.STALE_SECONDS - 1)
    assert told_of(site, delivery)
    site.clock.advance(2)
    with pytest.raises(PermissionMissing, match="old"):
        told_of(site, delivery)


@pytest.mark.parametrize("stamp", ["9" * 400, "1e999", "-1e999", "NaN", "true"])
def test_an_absurd_time_is_old(site: Site, stamp: str) -> None:
    """Though it is signed."""
    body = b'{"event": "page_updated", "page": {"id": 7}, "timestamp": %s}' % stamp.encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    with pytest.raises(PermissionMissing, match="old"):
        told_of(site, ({"X-Hub-Signature": signature}, body))


class TestCloud:
    def test_a_signature_ends(self, site: Site) -> None:
        """After three minutes, as Cloud makes it; one of a time to come is none either."""
        delivery = site.cloud_delivery("page_updated", 7)
        site.clock.advance(180)
        assert told_of(site, delivery)
        site.clock.advance(1)
        with pytest.raises(PermissionMissing, match="ended"):
            told_of(site, delivery)
        site.clock.advance(-3600)
        with pytest.raises(PermissionMissing, match="its signature has ended, or is of a time to come"):
            told_of(site, delivery)

    def test_it_is_good_for_one_request_alone(self, site: Site) -> None:
        """Another event, path or verb is another request; more below the app's own address is not."""
        headers, body = site.cloud_delivery("page_updated", 7)
        address = headers[":path"]
        assert told_of(site, ({**headers, ":path": f"/deeper{address}"}, body))
        for changed in (
            {":path": address.replace("page_updated", "page_removed")},
            {":path": f"{address}&more=1"},
            {":path": address.replace("/confluence", "/confluence/more")},
            {":path": address.partition("?")[0]},
            {":path": ""},
            {":method": "PUT"},
        ):
            with pytest.raises(PermissionMissing, match="another request"):
                told_of(site, ({**headers, **changed}, body))

    @pytest.mark.parametrize("secret", ["another secret, which is as long as the first one", ""])
    def test_another_secret_is_refused(self, site: Site, secret: str) -> None:
        """Also none: that would be everybody's."""
        for delivery in (
            site.cloud_delivery("page_updated", 7),
            site.cloud_delivery("page_updated", 7, secret=""),
        ):
            with pytest.raises(PermissionMissing) as caught:
                told_of(site, delivery, secret)
            assert SECRET not in str(caught.value)

    @pytest.fixture
    def claims(self, site: Site) -> dict[str, Any]:
        """What a good word says."""
        word = site.cloud_delivery("page_updated", 7)[0]["Authorization"]
        told: dict[str, Any] = json.loads(base64.urlsafe_b64decode(word.split(".")[1] + "=="))
        return told

    def test_what_is_no_word_of_connect_is_refused(self, site: Site, claims: dict[str, Any]) -> None:
        """Cut, without a signature, without an end, without what it is for, or no word at all."""
        head, told, signature = signed(HEAD, claims).split(".")
        assert told_with(site, f"{head}.{told}.{signature}")
        assert told_with(site, signed(HEAD, {**claims, "sub": None, "aud": ["x"], "jti": 1, "nbf": 9e9}))
        for word in (
            "",
            "..",
            f"{head}.{told}.",
            f"{head}.{told}",
            f"{head}.{told}.{signature[:-2]}",
            f"{head}.{told}.{signature}.{signature}",
            f"{head}.{told}.{signature}!",
            signed([], claims),
            signed({}, claims),
            signed(HEAD, []),
            *(signed(HEAD, {**claims, name: None}) for name in ("exp", "iat", "qsh")),
            *(signed(HEAD, {key: claims[key] for key in claims if key != name}) for name in ("exp", "iat")),
        ):
            with pytest.raises(PermissionMissing):
                told_with(site, word)

    @pytest.mark.parametrize(
        "method", ["none", "None", "", None, "hs256", "HS384", "HS512", ["HS256"], {}, 7]
    )
    def test_no_other_method_is_taken(self, site: Site, claims: dict[str, Any], method: object) -> None:
        """Whatever the head says, with a good signature of the one kind or of its own, and without any."""
        word = signed({"typ": "JWT", "alg": method}, claims)
        texts = [word, word.rpartition(".")[0] + "."]
        if isinstance(method, str) and method.startswith("HS"):
            texts.append(sealed(word.rpartition(".")[0], digest=f"sha{method[2:]}"))
        for text in texts:
            with pytest.raises(PermissionMissing, match="wrong"):
                told_with(site, text)

    def test_a_key_of_two_halves_is_no_secret(self, site: Site, claims: dict[str, Any]) -> None:
        """Were its public half the secret, everybody could sign with it; its private half signs otherwise."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()
        for word in (signed(HEAD, claims, secret=public), jwt.encode(claims, key, algorithm="RS256")):
            with pytest.raises(PermissionMissing, match="wrong"):
                told_with(site, word, secret=public)

    @pytest.mark.parametrize(
        "told",
        [
            {"exp": "soon"},
            {"exp": math.nan},
            {"exp": math.inf},
            {"exp": True},
            {"exp": []},
            {"iat": math.nan},
            {"iat": -math.inf},
            {"iat": 10**400},
            {"qsh": "\ud800"},
            {"qsh": {"\ud800": []}},
            {"qsh": "é"},
        ],
    )
    def test_absurd_claims_are_refused(
        self, site: Site, claims: dict[str, Any], told: dict[str, Any]
    ) -> None:
        """Times that no clock shows, and hashes that are none, though the secret signed them."""
        with pytest.raises(PermissionMissing):
            told_with(site, signed(HEAD, {**claims, **told}))

    def test_absurd_words_are_refused(self, site: Site, claims: dict[str, Any]) -> None:
        """Letters that no server lets through, and what is nested deeper than anybody can follow."""
        deep = b"[" * 100_000
        good = web64(json.dumps(HEAD).encode())
        for word in (
            "é.é.é",
            "\ud800.\ud800.\ud800",
            "\0",
            "." * 10_000,
            f"{web64(deep)}.{web64(b'{}')}.x",
            f"{web64(bytes(range(256)))}.{web64(b'{}')}.x",
            sealed(f"{good}.{web64(deep)}"),
            sealed(f"{good}.{web64(bytes(range(256)))}"),
            sealed(f"{good}.{web64(b'9' * 100_000)}"),
            signed({**HEAD, "crit": ["exp"], "exp": 1}, claims),
            signed({**HEAD, "b64": False, "crit": ["b64"]}, claims),
        ):
            with pytest.raises(PermissionMissing):
                told_with(site, word)

    @pytest.mark.parametrize("path", ["//[", "/\ud800", "/?event=\ud800", "https://[x/?event=page_updated"])
    def test_an_absurd_address_is_refused(self, site: Site, claims: dict[str, Any], path: str) -> None:
        """It is no other error, though the word is good."""
        with pytest.raises(PermissionMissing):
            told_with(site, signed(HEAD, claims), path=path)

    def test_parameters_are_signed_in_the_order_of_their_names(self) -> None:
        """Signs are written out, and values of one name stand together."""
        query = connect._query("zee_last=param&repeated=parameter 1&first=param&repeated=parameter 2&jwt=ABC")
        assert query == "first=param&repeated=parameter%201,parameter%202&zee_last=param"
        assert connect._query("a=x%2By+~*&dash=-") == "a=x%2By%20~%2A&dash=-"


def test_nobody_has_to_be_greeted(site: Site, deliver: Way) -> None:
    """Neither kind of site makes anybody's acquaintance first."""
    assert Confluence.handshake(*deliver("page_updated", 7), SECRET) is None


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"ping",
        b"[]",
        b"{}",
        b"\xff",
        b"[" * 100_000,
        b'{"event": "page_updated", "page": {"id": "x"}}',
    ],
)
def test_a_body_without_an_event_tells_nothing(site: Site, body: bytes) -> None:
    """Such as that of the button that tries a webhook."""
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    assert told_of(site, ({"X-Hub-Signature": f"sha256={signature}"}, body)) == []


@needs_data
def test_the_example_of_data_center_is_read(site: Site) -> None:
    """And the simulator's deliveries have its form."""
    example: dict[str, Any] = json.loads(
        (DATA / "webhook-examples" / "datacenter.page_updated.json").read_text()
    )
    site.clock.seconds = example["timestamp"] / 1000
    headers, body = site.delivery(example["event"], example["page"]["id"])
    assert {**json.loads(body), "userKey": ""} == {**example, "userKey": ""}
    assert told_of(site, (headers, body)) == [Changed(Item("123456", "123456"))]
