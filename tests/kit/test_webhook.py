"""What all deliveries have in common: headers, signatures, ages, and greetings that hide their secret."""

from __future__ import annotations

import hashlib
import hmac

import pytest
from pydantic import SecretStr

from catchment.kit import Handshake, PermissionMissing
from catchment.kit.webhook import AHEAD_SECONDS, header, is_signed, require_fresh
from connectors.rss import RSS

BODY = b'{"a": 1}'
SECRET = "key"
GOOD = hmac.new(SECRET.encode(), BODY, hashlib.sha256).hexdigest()


def test_headers_have_no_case() -> None:
    """Servers write them as they like; one that is missing is empty."""
    assert header({"X-Some-Header": "a"}, "x-some-header") == header({"x-some-header": "a"}, "X-SOME-HEADER")
    assert header({}, "x-some-header") == ""


@pytest.mark.parametrize(
    ("given", "body", "secret"),
    [
        ("", BODY, SECRET),
        (GOOD, BODY, SECRET),
        (f"sha256={GOOD[:-1]}", BODY, SECRET),
        (f"sha256={GOOD}", BODY + b" ", SECRET),
        (f"sha256={GOOD}", BODY, "other"),
        ("sha256=ä\ud800", BODY, SECRET),
        ("sha256=" + hmac.new(b"", BODY, hashlib.sha256).hexdigest(), BODY, ""),
    ],
)
def test_only_the_whole_signature_of_the_very_body_is_one(given: str, body: bytes, secret: str) -> None:
    """Absent, bare, cut, of other bytes, of another secret, of strange letters, and of no secret at all."""
    assert is_signed(f"sha256={GOOD}", BODY, SECRET)
    assert not is_signed(given, body, secret)


def test_old_and_future_deliveries_are_refused() -> None:
    """To the second; a clock may be a little ahead."""
    for sent_at in (1000.0, 1060.0 + AHEAD_SECONDS):
        require_fresh(sent_at, now=1060.0, most_seconds=60.0)
    for sent_at in (999.0, 1061.0 + AHEAD_SECONDS):
        with pytest.raises(PermissionMissing, match="old"):
            require_fresh(sent_at, now=1060.0, most_seconds=60.0)


def test_a_source_without_deliveries_greets_nobody_and_takes_none_in() -> None:
    """Feeds have no webhooks."""
    assert RSS.handshake({}, b"{}", SECRET) is None
    with pytest.raises(NotImplementedError):
        RSS.webhook({}, b"{}", SECRET)


def test_a_greeting_does_not_show_its_secret() -> None:
    """It may end in a log."""
    assert "verysecret" not in repr(Handshake(b"verysecret", secret=SecretStr("verysecret")))
