"""Confluence at Data Center under the control of the kit: lists by position, and a token that stays."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any, ClassVar

from catchment.conformance import Ability, Setup, SimulatedWorld, World
from catchment.simulators.wire import Reply, Request
from tests.conformance.confluence import ANN, ConfluenceWorld, leading

PERSONAL, BLIND = "canary-personal-token-of-ann", "canary-personal-token-of-bob"


class DataCenterWorld(ConfluenceWorld):
    """The same things, as version 1 of the API tells them; webhooks are signed with their body."""

    listing_path = r"/rest/api/content(/search)?"
    address_setting = "instance_url"
    error_body: ClassVar[Any] = {"statusCode": 503, "message": "Not now"}
    cannot: ClassVar[dict[Ability, str]] = {
        Ability.EXPIRE_CURSORS: ConfluenceWorld.cannot[Ability.EXPIRE_CURSORS],
        Ability.EXPIRE_TOKEN: "a personal access token is not renewed",
    }
    old_configs = ({"instanceUrl": "https://wiki.example.com/confluence", "spaceKeys": ["ENG"]},)
    expire_token = World.expire_token
    unsigned_body = ""

    def sign_in(self) -> None:
        self.simulator.sign_ins.personal.update({PERSONAL: ANN, BLIND: "bob"})

    def body_path(self, name: str) -> str:
        one = self.site.contents[self.ids[name]]
        return rf"/rest/api/content/{one.id}|/download/attachments/{one.container_id}/{one.title}"

    def config(self) -> dict[str, Any]:
        return {"instance_url": self.url}

    def credentials(self) -> dict[str, Any]:
        return {"personal_token": PERSONAL}

    def least_requests(self, listed: int, read: int) -> int:
        kinds = Counter(one.kind for one in self.living())
        size = self.simulator.most_at_once
        # Each page of a list begins with the last row of the one before. What belongs to pages comes along.
        lists = [max(-(-(kinds[kind] - 1) // (size - 1)), 1) for kind in ("page", "blogpost")]
        return 1 + sum(lists) + read

    def bad_token(self) -> Setup:
        return Setup(credentials={"personal_token": "canary-personal-token-of-nobody"})

    def missing_scope(self) -> Setup:
        return Setup(credentials={"personal_token": BLIND})

    def fail_body(self, name: str) -> None:
        SimulatedWorld.fail_body(self, name)

    def repeat_cursor(self) -> None:
        def repeat(request: Request, reply: Reply) -> Reply:
            first = self.simulator.answer(replace(request, query={**request.query, "start": "0"}))
            return leading(first, "the same")

        self.change_pages(repeat)

    def empty_page(self) -> None:
        def emptied(_: Request, reply: Reply) -> Reply:
            reply.body = {**reply.body, "results": []}
            return reply

        self.change_pages(emptied, skip=1, times=1)

    def sent(self, event: str, id: int) -> tuple[dict[str, str], bytes]:
        """Return headers and body of a delivery, as they are sent now: signed with the secret of the hook."""
        return self.simulator.delivery(event, id)
