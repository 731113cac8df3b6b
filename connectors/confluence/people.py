"""Names of people whom texts mention, and who wrote them: asked for many at a time, once in a run."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Mapping

from catchment.core.errors import PermissionMissing, SourceError
from catchment.kit.http import Missing
from connectors.confluence.client import Client
from connectors.confluence.cloud import V2
from connectors.confluence.records import Located
from connectors.confluence.storage import mentioned

MOST_NAMED = 100
"""Account ids in one question."""
_TOGETHER = 100


class People:
    """Names by account id; used by many threads at once.

    Where the account may not see profiles, ids stay what they are. Data Center has no such question: there
    texts mention by user name, or by a key, which stays.
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._may_ask = not client.is_data_center
        self._names: dict[str, str] = {}
        self._lock = threading.Lock()

    def names(self, ids: Iterable[str]) -> Mapping[str, str]:
        """Return the names of those among these that have one.

        Raises:
            SourceError: The site does not answer.
        """
        wanted = list(dict.fromkeys(ids))
        with self._lock:
            new = [id for id in wanted if id not in self._names]
            for start in range(0, len(new), MOST_NAMED):
                self._ask(new[start : start + MOST_NAMED])
            return {id: name for id in wanted if (name := self._names.get(id))}

    def _ask(self, ids: list[str]) -> None:
        if not self._may_ask:
            return
        try:
            told = self._client.post(f"{V2}/users-bulk", {"accountIds": ids}).get("results")
        except (Missing, PermissionMissing):
            self._may_ask = False
            return
        # One that is not told is not asked for again.
        self._names.update(dict.fromkeys(ids, ""))
        for user in told if isinstance(told, list) else ():
            name = user.get("displayName") or user.get("publicName")
            if user.get("accountId") and name:
                self._names[str(user["accountId"])] = " ".join(str(name).split())

    def known_before(self, located: Iterator[Located]) -> Iterator[Located]:
        """Yield what a listing brings, when the names in the bodies are known, a hundred bodies at a time.

        Raises:
            SourceError: As the listing; what came before is yielded first.
        """
        for some in _together(located):
            self.names(
                id for one in some if one.record.body for id in self._in(one.record.body, one.record.author)
            )
            yield from some

    @staticmethod
    def _in(body: str, author: str | None) -> Iterator[str]:
        yield from mentioned(body)
        if author:
            yield author


def _together(located: Iterator[Located]) -> Iterator[list[Located]]:
    some: list[Located] = []
    try:
        for one in located:
            some.append(one)
            if len(some) >= _TOGETHER:
                yield some
                some = []
    except SourceError:
        if some:
            yield some
        raise
    if some:
        yield some
