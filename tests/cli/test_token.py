"""``catchment token`` and ``catchment api``, as far as they go without a stack."""

from __future__ import annotations

from pathlib import Path

import pytest

from catchment.core.errors import Unauthenticated
from catchment.services import access
from catchment.services.access import Caller
from tests.cli.conftest import Cli, Place


@pytest.fixture
def place(place: Place) -> Place:
    """A place whose store is there."""
    _ = place.house
    return place


def who(place: Place, secret: str) -> Caller:
    from catchment.cli.house import House

    return access.authenticate(House().context(), secret)


def test_a_token_is_made_and_shown_alone(place: Place, cli: Cli) -> None:
    """Standard output is the token and nothing else, fit for a variable of the shell."""
    said = cli("token", "add", "guest", "--role", "viewer")
    assert said.code == 0
    assert "not shown again" in said.err
    assert who(place, said.out.strip()).role == "viewer"


def test_a_token_has_the_roles_that_were_said(place: Place, cli: Cli) -> None:
    """In the tenant, in spaces, in none."""
    spaces = who(place, cli("token", "add", "a", "--json").record["secret"]).space_roles
    (space,) = spaces
    assert spaces[space] == "editor"
    one = cli("token", "add", "b", "--space", f"{space}=viewer", "--json").record["secret"]
    assert who(place, one).space_roles == {space: "viewer"}
    none = cli("token", "add", "c", "--no-space", "--json").record["secret"]
    assert who(place, none).space_roles == {}
    assert cli("token", "add", "d", "--no-space", "--space", space).code == 2


def test_a_token_says_as_whom_it_reads(place: Place, cli: Cli) -> None:
    """When it is made and later, in place of what was said; without a word it is only shown."""
    words = ("--email", "Ann@Example.org", "--email", "a@b.org", "--group", "eng", "--team", "Acme/Core")
    made = cli("token", "add", "ann", *words, "--json").record
    known = ["group:eng", "team:Acme/Core", "user:a@b.org", "user:ann@example.org"]
    assert made["reads_as"] == cli("token", "reads-as", "ann", "--json").record["reads_as"] == known
    assert cli("token", "list", "--json").record["reads_as"] == known
    changed = cli("token", "reads-as", made["prefix"], "--group", "ops")
    assert "reads as group:ops." in changed.out
    assert "nobody" in cli("token", "reads-as", "ann", "--nobody").out
    assert cli("token", "reads-as", "ann", "--json").record["reads_as"] == []
    for wrong in (("--email", "ann"), ("--nobody", "--group", "x"), ("--group", "")):
        assert cli("token", "reads-as", "ann", *wrong).code == 2
    assert cli("token", "reads-as", "bob").code == 2
    assert cli("token", "add", "bob", "--email", "bob").code == 2
    assert [one["name"] for one in cli("token", "list", "--json").records] == ["ann"]


def test_a_token_for_another_tenant_makes_it(place: Place, cli: Cli) -> None:
    """Two tenants share an installation, and the list of the operator has both."""
    here = cli("token", "add", "here", "--json").record
    there = cli("token", "add", "there", "--tenant", "Other", "--role", "owner", "--json").record
    assert here["tenant"] != there["tenant"]
    assert [one["name"] for one in cli("token", "list", "--json").records] == ["here", "there"]


def test_the_list_gives_nothing_away(place: Place, cli: Cli) -> None:
    """It shows how tokens begin."""
    secret = cli("token", "add", "guest", "--json").record["secret"]
    listed = cli("token", "list")
    assert secret[:11] in listed.out
    assert secret not in listed.out
    assert "guest" in listed.out


def test_a_revoked_token_opens_nothing(place: Place, cli: Cli) -> None:
    """By name; what is not there is said to be wrong use."""
    secret = cli("token", "add", "guest", "--json").record["secret"]
    assert cli("token", "revoke", "guest").code == 0
    with pytest.raises(Unauthenticated):
        who(place, secret)
    assert cli("token", "revoke", "guest").code == 2
    assert "revoked" in cli("token", "list").out


@pytest.mark.parametrize(
    "words", [("--role", "god"), ("--days", "0"), ("--space", "nowhere=viewer")], ids=str
)
def test_what_cannot_be_makes_no_token(place: Place, cli: Cli, words: tuple[str, ...]) -> None:
    """Exit code 2, and nothing is stored."""
    assert cli("token", "add", "guest", *words).code == 2
    assert cli("token", "list", "--json").records == []


def test_the_api_wants_a_store(home: Path, cli: Cli) -> None:
    """Without one it names the command that makes it."""
    said = cli("api")
    assert said.code == 2
    assert "catchment up" in said.err


def test_a_setting_of_the_api_that_cannot_be_is_named(
    place: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The variable is named, its value not."""
    from catchment.core import settings

    monkeypatch.setenv("CATCHMENT_API_PORT", "70000")
    settings.api_settings.cache_clear()

    def read(*_args: object) -> None:
        settings.api_settings()

    monkeypatch.setattr(access, "all_tokens", read)
    said = cli("token", "list")
    settings.api_settings.cache_clear()
    assert said.code == 2
    assert "CATCHMENT_API_PORT" in said.err
    assert "70000" not in said.err
