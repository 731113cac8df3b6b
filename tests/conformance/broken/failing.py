"""Connectors with one defect each in how they take what goes wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import httpx

from catchment.core.errors import AuthRejected, SourceError
from catchment.kit import Content, Item, ListingEvent, Scope, SourceDown
from catchment.kit.http import Again, Verdict, Wait
from tests.conformance.shelf.connector import Shelf


class EndsWithOneBadBook(Shelf):
    def fetch(self, item: Item) -> Content:
        try:
            return super().fetch(item)
        except SourceDown as error:
            raise AuthRejected("Something is wrong.") from error


class ReadsNothingFromABadBook(Shelf):
    def fetch(self, item: Item) -> Content:
        try:
            return super().fetch(item)
        except SourceDown:
            return Content(b"nothing", "text/plain")


class LeavesOutWhatIsLong(Shelf):
    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        most = self.config.max_file_bytes or 2**40
        for event in super().listing(scope, resume):
            if not (isinstance(event, Item) and (event.size or 0) > most):
                yield event


class KeepsNoRenewedToken(Shelf):
    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.session.save_credentials = lambda _: None


class TakesARefusedTokenForTrouble(Shelf):
    def judge(self, response: httpx.Response) -> Verdict:
        return SourceDown("It answered 401.") if response.status_code == 401 else super().judge(response)


class _Hasty(Shelf):
    """Reads Retry-After by itself."""

    def judge(self, response: httpx.Response) -> Verdict:
        if response.status_code != httpx.codes.TOO_MANY_REQUESTS:
            return super().judge(response)
        return self.asked(response.headers.get("retry-after"))

    def asked(self, form: str | None) -> Verdict:
        raise NotImplementedError


class TakesZeroForNever(_Hasty):
    def asked(self, form: str | None) -> Verdict:
        seconds = float(form or 0)
        return Wait(seconds, "busy") if seconds else SourceDown("It is busy.")


class WaitsAsItLikes(_Hasty):
    def asked(self, form: str | None) -> Verdict:
        return Again("busy")


class ReadsNumbersOnly(_Hasty):
    def asked(self, form: str | None) -> Verdict:
        return Wait(float(form or 1), "busy")


class NeedsToBeToldHowLong(_Hasty):
    def asked(self, form: str | None) -> Verdict:
        return Wait(float(form), "busy") if form is not None else SourceDown("It is busy.")


class WaitsAMinuteAtMost(_Hasty):
    def asked(self, form: str | None) -> Verdict:
        return Wait(min(float(form or 1), 60.0), "busy")


class WaitsWhereNobodySees(_Hasty):
    def asked(self, form: str | None) -> Verdict:
        threading.Event().wait(3)
        return SourceError("It is busy.")
