"""Connectors with one defect each in settings, credentials and what `check` says."""

from __future__ import annotations

import logging
from typing import Any, ClassVar

from pydantic import ConfigDict, Field

from catchment.core.errors import SourceError
from catchment.kit import Capability, Health, Session, SourceCredentials
from tests.conformance.shelf.connector import Shelf, ShelfConfig, ShelfCredentials
from tests.conformance.shelf.world import ShelfWorld


class CarelessConfig(ShelfConfig):
    model_config = ConfigDict(extra="ignore")


class TakesAnySetting(Shelf):
    config_model = CarelessConfig


class DemandingConfig(ShelfConfig):
    region: str = Field(title="Region", description="New in this version, and without a default.")


class DemandsWhatIsNew(Shelf):
    config_model = DemandingConfig


class DemandingWorld(ShelfWorld):
    connector = DemandsWhatIsNew

    def config(self) -> dict[str, Any]:
        return {**super().config(), "region": "north"}


class PlainCredentials(SourceCredentials):
    token: str
    refresh_token: str | None = None


class PrintsItsToken(Shelf):
    credentials_model: ClassVar[Any] = PlainCredentials

    def __init__(self, config: ShelfConfig, credentials: Any, session: Session | None = None) -> None:
        super().__init__(config, ShelfCredentials.model_validate(credentials.model_dump()), session)


class LogsItsToken(Shelf):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        logging.getLogger("shelf").debug("signs in with %s", self.sign_in.headers())


class NeedsSomethingToRead(Shelf):
    def try_read(self) -> None:
        if not self.page("/books", {})["books"]:
            raise SourceError("There is nothing to read.")


class ChecksNothing(Shelf):
    def check(self) -> list[Capability]:
        return [Capability("list", Health.OK, "It will work.")]


class BlamesTheCredentials(Shelf):
    """Whatever is the matter."""

    def tried(self, name: str, act: Any) -> Capability:
        told = super().tried(name, act)
        if told.health is Health.OK:
            return told
        return Capability(name, Health.DENIED, "It does not work.", remedy="Sign in again.")


class ChecksTheListAlone(Shelf):
    def check(self) -> list[Capability]:
        return [self.tried("list", self.try_list)]


class NamesNoSetting(Shelf):
    def tried(self, name: str, act: Any) -> Capability:
        told = super().tried(name, act)
        return Capability(name, told.health, told.message, remedy=told.remedy)
