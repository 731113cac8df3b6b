"""Secrets inside of URLs."""

from __future__ import annotations

import pytest

from catchment.core.secrets import MARK, holds_secret, without_secrets

LONG = 1_000_000


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("https://ann:pass@host/x", f"https://ann:{MARK}@host/x"),
        ("postgresql://ann:pass@host:5432/db", f"postgresql://ann:{MARK}@host:5432/db"),
        ("s3://KEY:SEC/RET@bucket/x", f"s3://KEY:{MARK}@bucket/x"),
        ("https://ann:p@ss@host/x", f"https://ann:{MARK}@host/x"),
        ("https://ann:8080@host/", f"https://ann:{MARK}@host/"),
        ("https://sk_live:@host/", f"https://{MARK}@host/"),
        ("git+https://ghp_abc@host/x", f"git+https://{MARK}@host/x"),
        ("https://h/?a=1&token=abc#top", f"https://h/?a=1&token={MARK}#top"),
        ("https://h/k?X-Amz-Signature=abc&x=1", f"https://h/k?X-Amz-Signature={MARK}&x=1"),
        ("https://h/k?sv=1&sig=a%2Fb", f"https://h/k?sv=1&sig={MARK}"),
        ("https://h/?%74oken=abc", f"https://h/?%74oken={MARK}"),
        ("https://h/?apiKey=abc", f"https://h/?apiKey={MARK}"),
        ("https://h/#access_token=abc", f"https://h/#access_token={MARK}"),
        ("jdbc:sqlserver://h:1433;user=u;password=abc", f"jdbc:sqlserver://h:1433;user=u;password={MARK}"),
        ("https://h/?next=https://u:abc@i/", f"https://h/?next=https://u:{MARK}@i/"),
        ("see https://a.b/c, and https://u:abc@h/ too", f"see https://a.b/c, and https://u:{MARK}@h/ too"),
    ],
)
def test_a_secret_is_found_and_taken_out(text: str, shown: str) -> None:
    """The rest stays, so that a person knows the address again; the mark is no secret."""
    assert holds_secret(text)
    assert holds_secret({"deep": [{"url": text}]})
    assert holds_secret({text: 1})
    assert without_secrets(text) == shown
    assert not holds_secret(shown)


@pytest.mark.parametrize(
    "text",
    [
        "https://host:8080/a@b",
        "http://[::1]:80/a@b",
        "postgresql://reader@host:5432/db",
        "ssh://git@github.com/x",
        "git@github.com:owner/name",
        "mailto:ann@example.org",
        "https://shop.example/item?key={id}&token={token}",
        "https://h/?page=2&monkey=1&design=3&q=a",
        "SELECT a::text FROM b WHERE c = 'x@y' AND key = 'v'",
        "",
    ],
)
def test_what_is_none_is_left_alone(text: str) -> None:
    """A port is no password, a user of a database no secret, and a template holds nothing yet."""
    assert without_secrets(text) == text
    assert not holds_secret([text])


@pytest.mark.parametrize(
    "piece", ["://a:", ":", "@", "://a:@", "?a=", "?a", "://a:b/", "https://", "a", "://a:x@ ", "=", "%"]
)
def test_a_hostile_text_takes_no_longer_than_another(piece: str) -> None:
    """Every pattern goes over it once: with one that tried again from every place this would take hours."""
    without_secrets("https://a:" + piece * (LONG // len(piece)) + "@ =")
