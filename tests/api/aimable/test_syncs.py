"""Syncs over HTTP: the rules beside those of the contract's own cases."""

from __future__ import annotations

from typing import Any

from tests.api.aimable.conftest import Aimable
from tests.api.aimable.test_connectors import told


def start(aimable: Aimable, path: str, **more: Any) -> dict[str, Any]:
    answer = aimable.ask("POST", f"{path}/sync", **more)
    assert answer.status_code == 202, answer.text
    data: dict[str, Any] = answer.json()["data"]
    return data


def shown(aimable: Aimable, path: str, sync: dict[str, Any]) -> dict[str, Any]:
    data: dict[str, Any] = aimable.ask("GET", f"{path}/sync/{sync['id']}").json()["data"]
    return data


class TestStart:
    def test_tells_the_counters_in_the_end(self, aimable: Aimable) -> None:
        """records_fetched counts what was looked at, also what was found unchanged."""
        path = aimable.fixture("a.md", "b.md")
        start(aimable, path)
        aimable.wire.rest()
        again = start(aimable, path)
        aimable.wire.rest()
        done = shown(aimable, path, again)
        assert (done["status"], done["records_fetched"]) == ("completed", 2)
        counters = {name: done["metadata"][name] for name in ("collected", "indexed", "skipped", "failed")}
        assert counters == {"collected": 2, "indexed": 0, "skipped": 2, "failed": 0}
        assert done["metadata"]["mode"] == "auto"
        assert done["metadata"]["trigger"] == "manual"
        assert done["metadata"]["strategy"] == "listing"
        synced = aimable.ask("GET", path).json()["data"]
        assert synced["last_synced_at"] is not None

    def test_takes_a_mode_and_names(self, aimable: Aimable) -> None:
        """An extension: full indexes anew, names narrow; an unknown mode is a 422."""
        path = aimable.fixture("a.md", "b.md")
        start(aimable, path)
        aimable.wire.rest()
        full = start(aimable, path, json={"sync_mode": "full", "unknown": 1})
        aimable.wire.rest()
        assert shown(aimable, path, full)["metadata"]["indexed"] == 2
        named = start(aimable, path, json={"sync_mode": "incremental", "file_filter": ["/a.md"]})
        aimable.wire.rest()
        assert shown(aimable, path, named)["metadata"]["indexed"] == 1
        assert told(aimable.ask("POST", f"{path}/sync", json={"sync_mode": "odd"}))[0][0] == [
            "body",
            "sync_mode",
        ]

    def test_a_key_is_honoured_and_not_needed(self, aimable: Aimable) -> None:
        """The same key gives the first answer again, and starts nothing."""
        path = aimable.fixture("a.md")
        headers = {"Idempotency-Key": "once"}
        first = aimable.ask("POST", f"{path}/sync", headers=headers)
        aimable.wire.rest()
        again = aimable.ask("POST", f"{path}/sync", headers=headers)
        assert again.json() == first.json()
        assert again.headers["idempotent-replayed"] == "true"
        assert len(aimable.ask("GET", f"{path}/sync").json()["data"]) == 1

    def test_nothing_is_stored_while_prefect_is_away(self, aimable: Aimable) -> None:
        """503, and no sync in the list."""
        path = aimable.fixture("a.md")
        aimable.wire.is_away = True
        assert aimable.ask("POST", f"{path}/sync").status_code == 503
        aimable.wire.is_away = False
        assert aimable.ask("GET", f"{path}/sync").json()["data"] == []

    def test_named_files_wait_behind_a_sync_that_runs(self, aimable: Aimable) -> None:
        """Only what is not narrowed conflicts."""
        aimable.wire.has_worker = False
        path = aimable.fixture("a.md")
        start(aimable, path)
        assert aimable.ask("POST", f"{path}/sync").status_code == 409
        waiting = start(aimable, path, json={"file_filter": ["a.md"]})
        merged = start(aimable, path, json={"file_filter": ["b.md"]})
        assert waiting["id"] == merged["id"]
        assert shown(aimable, path, waiting)["status"] == "running"


class TestCancel:
    def test_of_a_sync_that_has_not_begun_is_done_at_once(self, aimable: Aimable) -> None:
        """Its end is told; then there is nothing more to cancel."""
        aimable.wire.has_worker = False
        path = aimable.fixture("a.md")
        begun = start(aimable, path)
        ended = aimable.ask("POST", f"{path}/sync/cancel").json()["data"]
        assert (ended["id"], ended["status"]) == (begun["id"], "cancelled")
        assert ended["completed_at"] is not None
        assert ended["metadata"]["cancel_requested_at"] is not None
        assert aimable.ask("POST", f"{path}/sync/cancel").status_code == 409

    def test_may_be_asked_for_twice(self, aimable: Aimable) -> None:
        """A running sync stays running with a mark, and both answers are 202."""
        path = aimable.fixture(*(f"{number}.md" for number in range(9)), latency_ms=400)
        begun = start(aimable, path)
        while shown(aimable, path, begun)["started_at"] is None:
            pass
        for _ in range(2):
            answer = aimable.ask("POST", f"{path}/sync/cancel")
            assert answer.status_code == 202
            assert answer.json()["data"]["status"] == "running"
            assert answer.json()["data"]["metadata"]["cancel_requested_at"] is not None
        aimable.wire.rest()
        assert shown(aimable, path, begun)["status"] == "cancelled"

    def test_comes_before_a_removal(self, aimable: Aimable) -> None:
        """Removing a connector ends its sync; both are unknown afterwards."""
        path = aimable.fixture(*(f"{number}.md" for number in range(9)), latency_ms=400)
        begun = start(aimable, path)
        assert aimable.ask("DELETE", path).status_code == 204
        assert aimable.ask("GET", f"{path}/sync/{begun['id']}").status_code == 404
        assert aimable.ask("DELETE", path).status_code == 404


class TestList:
    def test_is_newest_first_in_pages_and_can_be_narrowed(self, aimable: Aimable) -> None:
        """By status; positions of the list of connectors are not taken."""
        aimable.wire.has_worker = False
        path = aimable.fixture("a.md")
        made = []
        for _ in range(3):
            made.append(start(aimable, path)["id"])
            aimable.ask("POST", f"{path}/sync/cancel")
        made.append(start(aimable, path)["id"])
        first = aimable.ask("GET", f"{path}/sync", params={"limit": 2}).json()
        query = {"limit": 2, "cursor": first["meta"]["next_cursor"]}
        second = aimable.ask("GET", f"{path}/sync", params=query).json()
        assert [one["id"] for one in first["data"] + second["data"]] == made[::-1]
        assert second["meta"] == {"next_cursor": None, "has_more": False}
        running = aimable.ask("GET", f"{path}/sync", params={"status": "running"}).json()["data"]
        assert [one["id"] for one in running] == made[-1:]
        aimable.fixture("b.md")
        other = aimable.ask("GET", aimable.connectors, params={"limit": 1}).json()["meta"]["next_cursor"]
        assert told(aimable.ask("GET", f"{path}/sync", params={"cursor": other}))[0][0] == ["query", "cursor"]

    def test_a_sync_of_another_connector_is_unknown(self, aimable: Aimable) -> None:
        """404 under the wrong connector."""
        path, other = aimable.fixture("a.md"), aimable.fixture("b.md")
        begun = start(aimable, path)
        aimable.wire.rest()
        assert aimable.ask("GET", f"{other}/sync/{begun['id']}").status_code == 404
