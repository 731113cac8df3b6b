"""Principals, roles and tokens."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import NoReturn

import pytest
from sqlalchemy import Engine, select

from catchment.core.clock import SetClock
from catchment.core.errors import Forbidden, NotFound, Unauthenticated, Unavailable, UsageError
from catchment.services import access, reach, spaces
from catchment.services.access import Caller
from catchment.services.context import Context
from catchment.store import connectors
from catchment.store.access_tables import tokens
from catchment.store.engine import open_engine, reading
from catchment.store.migrate import migrate
from catchment.store.rows import ConnectorRow
from catchment.store.spaces import default_space
from tests.support.library import add_connector


@pytest.fixture
def clock() -> SetClock:
    return SetClock()


@pytest.fixture(params=["sqlite", "postgres"])
def context(request: pytest.FixtureRequest, tmp_path: Path, clock: SetClock) -> Iterator[Context]:
    def away() -> NoReturn:
        raise Unavailable("Prefect is away.")

    engine: Engine = (
        open_engine(f"sqlite:///{tmp_path / 'catchment.db'}")
        if request.param == "sqlite"
        else request.getfixturevalue("postgres_store")
    )
    migrate(engine)
    yield Context(engine, connect=away, clock=clock)
    engine.dispose()


def home_space(context: Context) -> str:
    with reading(context.engine) as connection:
        return default_space(connection, connectors.default_tenant(connection))


def stored_connector(context: Context) -> ConnectorRow:
    pk = add_connector(context.engine)
    with reading(context.engine) as connection:
        return connectors.by_pk(connection, pk)


def _rows_of_tokens(context: Context) -> bytes:
    with reading(context.engine) as connection:
        return repr(connection.execute(select(tokens)).all()).encode()


class TestAToken:
    def test_is_nowhere_in_the_store(self, context: Context, tmp_path: Path) -> None:
        """Whoever reads the file, its log or a backup, has no token."""
        made = access.add_token(context, "guest")
        access.authenticate(context, made.secret)
        if context.engine.dialect.name == "postgresql":
            written = _rows_of_tokens(context)
        else:
            written = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert made.token.hash.encode() in written
        assert made.secret.encode() not in written
        assert made.secret[len(access.PREFIX) + 10 :].encode() not in written

    def test_has_the_randomness_of_its_length(self, context: Context) -> None:
        """32 random bytes, and no two alike."""
        secrets = {access.add_token(context, f"guest {number}").secret for number in range(20)}
        assert len(secrets) == 20
        assert {len(secret) for secret in secrets} == {len("ct_") + 43}

    def test_does_not_show_in_its_repr(self, context: Context) -> None:
        """A log line of the object gives nothing away."""
        made = access.add_token(context, "guest")
        assert made.secret not in repr(made)

    @pytest.mark.parametrize("change", [str.upper, lambda s: s[:-1], lambda s: f"{s}x", lambda s: f" {s}"])
    def test_that_is_nearly_right_is_wrong(self, context: Context, change: object) -> None:
        """Only the very same text is taken."""
        made = access.add_token(context, "guest")
        with pytest.raises(Unauthenticated):
            access.authenticate(context, change(made.secret))  # type: ignore[operator]

    @pytest.mark.parametrize("secret", ["", "x" * 100_000, "ct_\0", "ct_\ud800"])
    def test_that_is_none_is_refused_without_harm(self, context: Context, secret: str) -> None:
        """Whatever is sent, it is a 401 and nothing else."""
        with pytest.raises(Unauthenticated):
            access.authenticate(context, secret)

    def test_is_ended_by_its_name_or_its_beginning(self, context: Context) -> None:
        """What the list shows is enough to end it; a name that several have is not."""
        one, two = access.add_token(context, "guest"), access.add_token(context, "guest")
        with pytest.raises(UsageError, match="2 tokens"):
            access.revoke_token(context, "guest")
        access.revoke_token(context, one.token.prefix)
        assert access.revoke_token(context, "guest").id == two.token.id
        with pytest.raises(NotFound):
            access.revoke_token(context, "guest")


class TestTheFirstToken:
    def test_is_made_once(self, context: Context) -> None:
        """Also when it was revoked since: a store that had tokens makes none by itself."""
        made = access.first_token(context)
        assert made is not None
        assert made.role == "owner"
        assert access.first_token(context) is None
        access.revoke_token(context, made.token.id)
        assert access.first_token(context) is None


class TestRoles:
    def caller(self, role: str, **space_roles: str) -> Caller:
        return Caller("p", "name", "user", "t", role, space_roles)

    def test_include_the_weaker_ones(self) -> None:
        """Owner, admin, editor, viewer."""
        for number, role in enumerate(access.TENANT_ROLES):
            allowed = [least for least in access.TENANT_ROLES if self.caller(role).has_role(least)]
            assert allowed == list(access.TENANT_ROLES[: number + 1])
        with pytest.raises(Forbidden, match="needs the role editor; yours is viewer"):
            self.caller("viewer").require_role("editor")

    def test_in_spaces_are_given_one_by_one(self) -> None:
        """None is none; owner and admin of the tenant are admin everywhere in it."""
        editor = self.caller("editor", a="viewer")
        editor.require_space_role("a")
        with pytest.raises(Forbidden):
            editor.require_space_role("a", "editor")
        with pytest.raises(Forbidden, match="no role"):
            editor.require_space_role("b")
        assert self.caller("admin").space_role("b") == "admin"
        assert (editor.space_role("a"), editor.space_role("b")) == ("viewer", None)
        assert self.caller("owner").space_role("b") == "admin"

    def test_of_a_newcomer_hold_in_the_default_space(self, context: Context) -> None:
        """Unless it was said otherwise."""
        guest = access.authenticate(context, access.add_token(context, "guest", role="viewer").secret)
        assert guest.space_roles == {home_space(context): "viewer"}
        outsider = access.add_token(context, "outsider", role="viewer", space_roles={})
        assert access.authenticate(context, outsider.secret).space_roles == {}

    def test_change_for_all_tokens_of_a_principal(self, context: Context) -> None:
        """Roles belong to the principal, not to the token."""
        first = access.add_token(context, "guest", role="viewer")
        access.add_token(context, "again", role="editor", principal_id=first.principal.id)
        assert access.authenticate(context, first.secret).role == "editor"

    @pytest.mark.parametrize(
        "wrong",
        [
            {"role": "god"},
            {"kind": "ghost"},
            {"space_roles": {"x": "owner"}},
            {"space_roles": {"x": "viewer"}},
            {"principal_id": "nobody"},
        ],
        ids=str,
    )
    def test_that_cannot_be_leave_nothing_behind(self, context: Context, wrong: dict[str, object]) -> None:
        """Neither token nor principal."""
        with pytest.raises(UsageError):
            access.add_token(context, "guest", **wrong)  # type: ignore[arg-type]
        assert access.list_tokens(context) == []


class TestTenants:
    def test_are_made_with_a_space_and_a_collection(self, context: Context) -> None:
        """A tenant of this name is made once."""
        other = access.tenant_called(context, "Other")
        assert access.tenant_called(context, "Other") == other
        assert access.tenant_called(context, other) == other
        owner = access.authenticate(
            context, access.add_token(context, "boss", role="owner", tenant_id=other).secret
        )
        assert [space.name for space in spaces.list_spaces(context, owner)] == ["Default"]
        assert [one.row.name for one in spaces.list_collections(context, owner)] == ["Default"]

    def test_do_not_see_each_other(self, context: Context) -> None:
        """A connector, space or collection of another tenant is not found by any id."""
        other = access.tenant_called(context, "Other")
        here = access.authenticate(context, access.add_token(context, "here", role="owner").secret)
        there = access.authenticate(
            context, access.add_token(context, "there", role="owner", tenant_id=other).secret
        )
        row = stored_connector(context)
        assert reach.connector(context, here, row.id).pk == row.pk
        mine = reach.collection_of(context, row)
        for look in (
            lambda: reach.connector(context, there, row.id),
            lambda: reach.space(context, there, mine.space_id),
            lambda: reach.collection(context, there, mine.id),
        ):
            with pytest.raises(NotFound):
                look()

    def test_share_no_names_but_ids_and_deployments_mean_one(self, context: Context) -> None:
        """A flow gets the name of a deployment, whoever's it is; a person's words stay within the tenant."""
        row = stored_connector(context)
        other = access.tenant_called(context, "Other")
        with reading(context.engine) as connection:
            assert connectors.find(connection, other, row.slug) == []
            assert connectors.find(connection, other, row.id) == [row]
