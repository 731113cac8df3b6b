"""The clients that vendors know this installation by."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import pytest
from msgspec.structs import replace

from catchment.core.errors import ConfigRejected, NotFound, UsageError
from catchment.kit import Session, oauth
from catchment.services import oauth_clients
from catchment.services.context import Context
from catchment.services.oauth_clients import NotConfigured
from catchment.store.sealed import KeyFile, WrongKey
from tests.support.desk import Desk

CLIENT = {"client_id": "us", "client_secret": "the jewel"}
VARIABLES = {f"CATCHMENT_OAUTH_GOOGLE_DRIVE_{name.upper()}": value for name, value in CLIENT.items()}


@pytest.fixture
def context(desk: Desk, tmp_path: Path) -> Context:
    """The desk's surroundings, with a key of this test's own."""
    return replace(desk.context, key=KeyFile(tmp_path / "key"))


def on_disk(context: Context) -> bytes:
    """Return all that the store has written, its log too."""
    path = Path(str(context.engine.url.database))
    return b"".join(one.read_bytes() for one in path.parent.glob(f"{path.name}*"))


def test_a_client_is_kept_sealed(context: Context) -> None:
    """Whoever has the store has its provider and no more; with the key it is what was given."""
    oauth_clients.keep(context, "google-drive", CLIENT)
    written = on_disk(context)
    assert b"oauth-client:google-drive" in written
    assert b"the jewel" not in written
    client = oauth_clients.client_for(context, "google-drive")
    assert (client.client_id, client.client_secret) == ("us", "the jewel")
    assert client.vendor.token_url == "https://oauth2.googleapis.com/token"
    assert "jewel" not in repr(client)
    assert list(oauth_clients.kept(context)) == ["google-drive"]


def test_a_vendor_of_ones_own_is_asked_at_its_own_address(context: Context) -> None:
    """Where it is self-hosted."""
    oauth_clients.keep(context, "confluence", {**CLIENT, "token_url": "https://wiki.example.org/token"})
    vendor = oauth_clients.client_for(context, "confluence").vendor
    assert vendor.token_url == "https://wiki.example.org/token"
    assert vendor.authorize_url == "https://auth.atlassian.com/authorize"


@pytest.mark.parametrize(
    "values",
    [
        {"client_id": "us"},
        {"client_id": "us", "client_secret": ""},
        {**CLIENT, "token_url": "file:///the jewel"},
        {**CLIENT, "secret": "the jewel"},
    ],
)
def test_half_a_client_is_none(context: Context, values: dict[str, str]) -> None:
    """The field is named, its value is not, and nothing is kept."""
    with pytest.raises(ConfigRejected) as refused:
        oauth_clients.keep(context, "google-drive", values)
    assert "jewel" not in str(refused.value)
    assert oauth_clients.kept(context) == {}


def test_a_provider_without_such_a_sign_in_takes_none(context: Context) -> None:
    """Nor does one that nobody knows."""
    with pytest.raises(UsageError):
        oauth_clients.keep(context, "s3", CLIENT)
    with pytest.raises(NotFound):
        oauth_clients.keep(context, "nobody", CLIENT)


def test_without_one_the_operator_is_told_what_to_do(context: Context) -> None:
    """The command, and the variables."""
    with pytest.raises(NotConfigured, match="catchment oauth set google-drive") as refused:
        oauth_clients.client_for(context, "google-drive")
    assert all(name in str(refused.value) for name in VARIABLES)
    oauth_clients.keep(context, "google-drive", CLIENT)
    oauth_clients.forget(context, "google-drive")
    with pytest.raises(NotConfigured):
        oauth_clients.client_for(context, "google-drive")
    with pytest.raises(NotFound):
        oauth_clients.forget(context, "google-drive")


class TestTheEnvironment:
    def test_is_taken_over_once(self, context: Context) -> None:
        """What it gives is kept sealed, stays when the variables go, and changes when they do."""
        assert oauth_clients.take_over(context, VARIABLES) == ["google-drive"]
        assert oauth_clients.take_over(context, VARIABLES) == []
        assert oauth_clients.take_over(context, {}) == []
        assert oauth_clients.client_for(context, "google-drive").client_secret == "the jewel"
        assert b"the jewel" not in on_disk(context)
        changed = {**VARIABLES, "CATCHMENT_OAUTH_GOOGLE_DRIVE_CLIENT_SECRET": "another"}
        assert oauth_clients.take_over(context, changed) == ["google-drive"]
        assert oauth_clients.client_for(context, "google-drive").client_secret == "another"

    def test_takes_the_place_of_what_no_key_opens(self, context: Context, tmp_path: Path) -> None:
        """A key file that is gone is no dead end."""
        oauth_clients.keep(context, "google-drive", CLIENT)
        context.key = KeyFile(tmp_path / "another")
        with pytest.raises(WrongKey):
            oauth_clients.client_for(context, "google-drive")
        assert oauth_clients.take_over(context, VARIABLES) == ["google-drive"]
        assert oauth_clients.client_for(context, "google-drive").client_id == "us"

    def test_that_gives_a_half_is_refused(self, context: Context) -> None:
        """An id without its secret helps nobody."""
        with pytest.raises(ConfigRejected):
            oauth_clients.take_over(context, {"CATCHMENT_OAUTH_SLACK_CLIENT_ID": "us"})


def client_id_of(session: Session) -> str | None:
    """Return the id of the client that a run would renew tokens of Notion with."""
    found = oauth.client_of(session, "notion")
    return found.client_id if found is not None else None


def test_a_run_finds_the_client_that_renews_its_tokens(
    context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As the operator keeps it; else as the environment gives it; else there is none."""
    session = Session(oauth_client=partial(oauth_clients.known, context))
    assert client_id_of(session) is None
    monkeypatch.setenv(oauth.variable("notion", "client_id"), "of the environment")
    assert client_id_of(session) is None
    monkeypatch.setenv(oauth.variable("notion", "client_secret"), "secret")
    assert client_id_of(session) == "of the environment"
    oauth_clients.keep(context, "notion", CLIENT)
    assert client_id_of(session) == CLIENT["client_id"]
