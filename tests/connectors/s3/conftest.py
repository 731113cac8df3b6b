"""A bucket of each test's own behind a proxy that can play faults, and connectors that read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from catchment.core.clock import PassingClock
from catchment.kit import Item, Session, registry
from catchment.kit.registry import AnyConnector
from connectors.s3 import S3, S3Config, S3Credentials, pace
from tests.support.s3 import ACCESS_KEY, SECRET_KEY, Bucket, Moto, Proxy
from tests.support.vault import Vault

KEYS = S3Credentials(access_key_id=ACCESS_KEY, secret_access_key=SECRET_KEY)  # type: ignore[arg-type]
MakeSource = Callable[..., S3]


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    server = Moto()
    yield server
    server.close()


@pytest.fixture
def bucket(moto: Moto) -> Bucket:
    return moto.bucket()


@pytest.fixture
def proxy(moto: Moto) -> Iterator[Proxy]:
    made = Proxy(moto.url)
    yield made
    made.close()


@pytest.fixture(autouse=True)
def _short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits before another try are the product's, a thousand times shorter."""
    monkeypatch.setattr(pace, "BUSY_SECONDS", 0.001)
    monkeypatch.setattr(pace, "DOWN_SECONDS", 0.001)


@pytest.fixture(autouse=True)
def _no_identity_of_this_machine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whoever runs the tests has no AWS settings, and no metadata service is asked."""
    for name in (
        "AWS_PROFILE",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "aws-config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "aws-credentials"))


@pytest.fixture
def make_source(bucket: Bucket, proxy: Proxy) -> Iterator[MakeSource]:
    """Make connectors to the bucket, by way of the proxy."""
    made: list[S3] = []

    def make(
        *, credentials: S3Credentials | None = KEYS, session: Session | None = None, **settings: Any
    ) -> S3:
        config = S3Config(**{"bucket": bucket.name, "endpoint": proxy.url, **settings})
        made.append(S3(config, credentials, session))
        return made[-1]

    yield make
    for source in made:
        source.close()


@pytest.fixture
def source(make_source: MakeSource) -> S3:
    return make_source()


@pytest.fixture
def clock() -> PassingClock:
    return PassingClock(2_000_000_000.0)


@pytest.fixture
def house(
    tmp_path: Path, clock: PassingClock, bucket: Bucket, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Vault]:
    """A store with one connector, `docs`, to the bucket."""
    real = registry.provider

    def look_up(slug: str) -> type[AnyConnector]:
        return S3 if slug == "s3" else real(slug)

    monkeypatch.setattr(registry, "provider", look_up)
    home = tmp_path / "home"
    home.mkdir()
    vault = Vault(home, clock=clock)
    vault.credentials = KEYS.reveal()
    vault.add("s3", {"bucket": bucket.name, "endpoint": proxy.url})
    yield vault
    vault.engine.dispose()


def items_of(source: S3) -> dict[str, Item]:
    """List every scope, and return the items by key."""
    found: dict[str, Item] = {}
    for scope in source.scopes():
        events = list(source.listing(scope))
        assert not isinstance(events[-1], Item), "a listing ends in Complete"
        for event in events[:-1]:
            assert isinstance(event, Item)
            assert event.key not in found
            found[event.key] = event
    return found
