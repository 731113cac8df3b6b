"""The samples of the Trove document, each with what it must get."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from tests.support.sampling import Answer, Server
from tests.support.seeds import sample

HOST = "https://api.ontrove.sh"
PAGES = Path(__file__).with_name("notion.mts")


class TroveSamples:
    """The samples, run against a server.

    Attributes:
        runs: What runs each sample, and looks at its answer.
        reasons: Samples that cannot be run by themselves, and why.
    """

    def __init__(self, server: Server) -> None:
        self.server = server

    def creates_a_connector(self) -> None:
        """It is active at once, and its id is in the answer."""
        made = self.created["data"]["createConnector"]
        assert (made["name"], made["status"]) == ("My Notion", "ACTIVE")
        assert made["id"]

    def pushes_a_document(self) -> None:
        """It is new the first time, and known the second."""
        told = {"errors": [], "cursor": None}
        for indexed, skipped in ((1, 0), (0, 1)):
            answer = self.pushed_sample()
            assert answer.status == 200
            counted = {"documentsIndexed": indexed, "documentsSkipped": skipped}
            assert answer.body.items() >= {**counted, **told}.items()

    def pushes_with_a_cursor(self) -> None:
        """The cursor comes back, and stands on the connector for the next run."""
        page = json.dumps([{"external_id": "of-page-3", "text": "The words of page 3"}])
        words = {"YOUR_CONNECTOR_ID": self.connector, "[...]": page}
        body = json.loads(sample("trove json 1").with_words(words))
        answer = self.server.ask("POST", "/api/sync/documents", body)
        assert (answer.status, answer.body["cursor"]) == (200, body["cursor"])
        query = f'{{ connector(id: "{self.connector}") {{ cursor }} }}'
        read = self.server.ask("POST", "/graphql", {"query": query}).body
        assert read == {"data": {"connector": {"cursor": body["cursor"]}}}

    def answers_as_shown(self) -> None:
        """As many new, known and broken documents as it shows get exactly what it shows."""
        shown = json.loads(sample("trove json 2").text)
        known = [
            {"external_id": f"known-{number}", "text": "known"} for number in range(shown["documentsSkipped"])
        ]
        new = [{"external_id": f"new-{number}", "text": "new"} for number in range(shown["documentsIndexed"])]
        broken = [{"external_id": one["external_id"], "text": " "} for one in shown["errors"]]
        self.push(known)
        answer = self.push([*known, *new, *broken], cursor=shown["cursor"])
        assert answer.status == 200
        assert answer.body.items() >= shown.items()

    def syncs_page_by_page(self) -> None:
        """Batches of fifty, the blank page told as an error; run again, it sends nothing new."""
        code = "\n".join(
            [
                f"import {{ fetchNotionPages }} from {json.dumps(PAGES.as_uri())};",
                sample("trove typescript 1").with_words({HOST: self.server.address}),
                "await syncNotion(process.env.CONNECTOR!, process.env.CATCHMENT_TOKEN!);",
            ]
        )
        for indexed, skipped in (([50, 50, 19], [0, 0, 0]), ([0, 0, 0], [50, 50, 19])):
            ran = self.server.node(code, typed=True, CONNECTOR=self.connector)
            assert ran.stdout.splitlines() == [
                f"Indexed: {new}, Skipped: {known}" for new, known in zip(indexed, skipped, strict=True)
            ]
            assert ran.stderr.count("Errors:") == 1
            assert "page-119" in ran.stderr
            assert "Text content is empty" in ran.stderr

    runs: ClassVar[dict[str, Callable[[Any], None]]] = {
        "trove curl 1": creates_a_connector,
        "trove curl 2": pushes_a_document,
        "trove json 1": pushes_with_a_cursor,
        "trove json 2": answers_as_shown,
        "trove typescript 1": syncs_page_by_page,
    }
    reasons: ClassVar[dict[str, str]] = {}

    @cached_property
    def created(self) -> Any:
        """What the first command got."""
        words = {HOST: self.server.address, "YOUR_TOKEN": self.server.token}
        answer = self.server.curl(sample("trove curl 1").with_words(words))
        assert answer.status == 200
        assert "errors" not in answer.body
        return answer.body

    @property
    def connector(self) -> str:
        """The id that it says to save."""
        return str(self.created["data"]["createConnector"]["id"])

    def pushed_sample(self) -> Answer:
        """Run the second command."""
        words = {
            HOST: self.server.address,
            "YOUR_TOKEN": self.server.token,
            "YOUR_CONNECTOR_ID": self.connector,
        }
        return self.server.curl(sample("trove curl 2").with_words(words))

    def push(self, documents: list[dict[str, str]], **more: Any) -> Answer:
        """Push documents of our own."""
        body = {"connector_id": self.connector, "documents": documents, **more}
        return self.server.ask("POST", "/api/sync/documents", body)
