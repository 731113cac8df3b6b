"""A source of a third party, installed beside the product: it signs in, and it may go wrong with its secret.

``PYTHONPATH`` with this folder on it is all the installation there is; the stack of the journeys has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import ClassVar, Literal

from pydantic import SecretStr

from catchment.core.errors import AuthRejected
from catchment.core.items import Complete, Content, Item, Scope
from catchment.kit import (
    BrowsePage,
    Capability,
    Connector,
    Health,
    ListingEvent,
    SourceConfig,
    SourceCredentials,
)


class LedgerConfig(SourceConfig):
    """How it behaves."""

    behaviour: Literal["well", "refuses", "breaks", "breaks_at_fetch", "slow"] = "well"


class LedgerCredentials(SourceCredentials):
    """What it signs in with."""

    user: str
    token: SecretStr


class Ledger(Connector[LedgerConfig, LedgerCredentials]):
    """Three pages of a ledger, or 600 that come slowly."""

    slug: ClassVar[str] = "ledger"
    display_name: ClassVar[str] = "Ledger"
    config_model = LedgerConfig
    credentials_model = LedgerCredentials

    def check(self) -> list[Capability]:
        """Sign in."""
        return [Capability("sign in", Health.OK, "")]

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:
        """Nothing can be chosen."""
        return BrowsePage([])

    def scopes(self) -> list[Scope]:
        """The whole ledger."""
        return [Scope("all", "all")]

    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        """List the pages."""
        token = self.credentials.token.get_secret_value()
        if self.config.behaviour == "refuses":
            raise AuthRejected("The ledger does not accept the token.", remedy="Make a new one.")
        for number in range(3):
            yield Item(f"page-{number}", f"page-{number}.txt", version="1")
        if self.config.behaviour == "slow":
            for number in range(3, 600):
                self.session.wait(0.2, "the ledger allows five pages a second")
                yield Item(f"page-{number}", f"page-{number}.txt", version="1")
        if self.config.behaviour == "breaks":
            # As libraries do: the request, with its headers, is part of the error's text.
            raise RuntimeError(f"GET /pages failed; headers: Authorization: Bearer {token}")
        yield Complete(mark="1")

    def fetch(self, item: Item) -> Content:
        """Return a page."""
        if self.config.behaviour == "breaks_at_fetch":
            token = self.credentials.token.get_secret_value()
            raise RuntimeError(f"GET /pages/{item.key}?token={token} failed")
        return Content.text(f"The text of {item.key}.")
