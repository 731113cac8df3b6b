"""Names of the people of a workspace, where the integration may read them."""

from __future__ import annotations

from collections.abc import Mapping
from threading import Lock

from catchment.core.errors import PermissionMissing
from catchment.kit.http import Missing
from connectors.notion.api import Api


class People:
    """Names by id, read once, when the first is asked for."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._names: dict[str, str] | None = None
        self._lock = Lock()

    @property
    def names(self) -> Mapping[str, str]:
        """Names by id; none where the integration may not read them.

        Raises:
            SourceError: Notion does not answer.
        """
        with self._lock:
            if self._names is None:
                try:
                    told = {str(user["id"]): user.get("name") for user in self._api.users()}
                except (PermissionMissing, Missing):
                    told = {}
                self._names = {each: name for each, name in told.items() if name}
            return self._names
