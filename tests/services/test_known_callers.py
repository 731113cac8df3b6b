"""Callers that are known: for how long, and what ends it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from catchment.core.errors import Forbidden, Unauthenticated
from catchment.services import access, known_callers
from catchment.services.context import Context
from catchment.services.known_callers import KnownCallers
from catchment.store.engine import open_engine, writing
from catchment.store.meta import put
from tests.support.desk import Desk


@pytest.fixture
def issued(desk: Desk) -> access.IssuedToken:
    return access.add_token(desk.context, "guest", lives_seconds=60)


@pytest.fixture
def callers(desk: Desk) -> KnownCallers:
    return KnownCallers(desk.context)


class TestACaller:
    def test_is_known_after_it_was_asked_for(
        self, callers: KnownCallers, issued: access.IssuedToken, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As the store told it, for the tenant that was named and no other, and without a query."""
        assert callers.known(issued.secret, None) is None
        asked = callers.ask(issued.secret, None)
        monkeypatch.setattr(known_callers, "authenticate", None)
        assert callers.known(issued.secret, None) == asked
        assert callers.known(issued.secret, asked.tenant_id) is None
        assert callers.known(issued.secret + "x", None) is None

    @pytest.mark.parametrize("elsewhere", [False, True])
    def test_is_known_no_longer_when_anything_was_written(
        self, desk: Desk, callers: KnownCallers, issued: access.IssuedToken, *, elsewhere: bool
    ) -> None:
        """By this process or another one: what was written may be the end of the token."""
        callers.ask(issued.secret, None)
        engine = open_engine(str(desk.engine.url)) if elsewhere else desk.engine
        with writing(engine) as connection:
            put(connection, "anything", "else")
        assert callers.known(issued.secret, None) is None
        callers.ask(issued.secret, None)
        assert callers.known(issued.secret, None) is not None
        if elsewhere:
            engine.dispose()

    @pytest.mark.parametrize(
        "end",
        [
            lambda context, issued: access.revoke_token(context, issued.token.id),
            lambda context, _: context.clock.advance(60),
        ],
    )
    def test_is_known_no_longer_when_its_token_has_ended(
        self,
        desk: Desk,
        callers: KnownCallers,
        issued: access.IssuedToken,
        end: Callable[[Context, access.IssuedToken], object],
    ) -> None:
        """Revoked, or by the time."""
        callers.ask(issued.secret, None)
        end(desk.context, issued)
        assert callers.known(issued.secret, None) is None
        with pytest.raises(Unauthenticated):
            callers.ask(issued.secret, None)

    def test_that_is_refused_is_not_known(self, callers: KnownCallers, issued: access.IssuedToken) -> None:
        """Neither a stranger, nor somebody in a tenant that is not its own."""
        with pytest.raises(Unauthenticated):
            callers.ask("ct_nobody", None)
        with pytest.raises(Forbidden):
            callers.ask(issued.secret, "0" * 32)
        assert callers.known("ct_nobody", None) is None
        assert callers.known(issued.secret, "0" * 32) is None

    def test_is_known_as_it_was_when_the_question_began(
        self, desk: Desk, callers: KnownCallers, issued: access.IssuedToken, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """What is written while the store is being asked makes the answer an old one."""
        real = access.authenticate

        def slow(context: Context, secret: str, *, tenant_id: str | None = None) -> access.Caller:
            found = real(context, secret, tenant_id=tenant_id)
            access.revoke_token(context, issued.token.id)
            return found

        monkeypatch.setattr(known_callers, "authenticate", slow)
        callers.ask(issued.secret, None)
        assert callers.known(issued.secret, None) is None

    def test_is_asked_for_each_time_where_the_store_has_no_version(self, any_desk: Desk) -> None:
        """On PostgreSQL nobody is known, and everyone is told as on SQLite."""
        context = any_desk.context
        made = access.add_token(context, "guest", role="viewer")
        callers = KnownCallers(context)
        caller = callers.ask(made.secret, None)
        assert (caller.principal_name, caller.role, list(caller.space_roles.values())) == (
            "guest",
            "viewer",
            ["viewer"],
        )
        is_known = callers.known(made.secret, None) is not None
        assert is_known == (any_desk.engine.dialect.name == "sqlite")
