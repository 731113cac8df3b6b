"""Jobs of the ZenSearch face: the three modes, what stands in the way, and live progress."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.zensearch.conftest import Zen, refused
from tests.support.waiting import until


def progress(job: dict[str, Any]) -> tuple[int, int, int, int]:
    """Collected, parsed, indexed and skipped."""
    counts = job["progress"]
    return counts["collected"], counts["parsed"], counts["indexed"], counts["skipped"]


class TestModes:
    def test_say_what_is_taken(self, zen: Zen) -> None:
        """What is unchanged is skipped by auto; incremental takes what is named; full takes everything."""
        path = zen.fixture("a.md", "b.md", "c.md")
        assert progress(zen.sync(path)) == (3, 3, 3, 0)
        assert progress(zen.sync(path, sync_mode="auto")) == (3, 0, 0, 3)
        assert progress(zen.sync(path, file_filter=["a.md"])) == (1, 0, 0, 1)
        assert progress(zen.sync(path, sync_mode="incremental", file_filter=["/a.md"])) == (1, 1, 1, 0)
        assert progress(zen.sync(path, sync_mode="full", file_filter=["a.md"])) == (3, 3, 3, 0)
        assert progress(zen.sync(path, sync_mode="full", file_filter=[])) == (3, 3, 3, 0)

    def test_no_body_an_empty_one_and_null_mean_auto(self, zen: Zen) -> None:
        """All of them are 202, queued, with the time of acceptance."""
        path = zen.fixture("a.md")
        null = {"content": b"null", "headers": {"Content-Type": "application/json"}}
        bodies: list[dict[str, Any]] = [{}, {"json": {}}, null]
        for more in bodies:
            answer = zen.ask("POST", f"{path}/sync", **more)
            assert answer.status_code == 202, answer.text
            assert answer.json()["data"]["status"] == "queued"
            assert "deprecation" not in answer.headers
            zen.wire.rest()

    def test_the_old_word_for_full_is_marked(self, zen: Zen) -> None:
        """force_full_sync works, and the answer says that it is deprecated."""
        path = zen.fixture("a.md")
        zen.sync(path)
        answer = zen.ask("POST", f"{path}/sync", json={"force_full_sync": True})
        assert answer.headers["deprecation"] == "true"
        zen.wire.rest()
        job = zen.data("GET", f"{path}/sync/{answer.json()['data']['jobId']}")
        assert (job["mode"], job["progress"]["indexed"]) == ("full", 1)

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({"sync_mode": "sideways"}, "sync_mode"),
            ({"sync_mode": "incremental", "file_filter": []}, "file_filter"),
            ({"file_filter": []}, "file_filter"),
            ({"file_filter": "a.md"}, "file_filter"),
            ({"file_filter": [""]}, "file_filter.0"),
            ({"file_filter": ["/"]}, "file_filter.0"),
            ({"file_filter": ["a"] * 1001}, "file_filter"),
            ({"sync_mode": "incremental", "force_full_sync": True}, "force_full_sync"),
            ({"force_full_sync": "yes"}, "force_full_sync"),
            ([], "body"),
        ],
    )
    def test_what_contradicts_itself_is_refused(self, zen: Zen, body: Any, field: str) -> None:
        """400 that names the field, and no job."""
        path = zen.fixture("a.md")
        refused(zen.ask("POST", f"{path}/sync", json=body), 400, "invalid_request", field)
        assert zen.wire.flow_runs == {}


class TestBesideAnother:
    def test_a_second_sync_is_refused_and_told_of_the_first(self, zen: Zen) -> None:
        """409 with the id of the job that runs."""
        zen.wire.has_worker = False
        path = zen.fixture("a.md")
        first = zen.data("POST", f"{path}/sync")["jobId"]
        error = refused(zen.ask("POST", f"{path}/sync", json={"sync_mode": "full"}), 409, "conflict")
        assert error["details"] == {"jobId": first}

    def test_one_that_names_files_waits_and_takes_others_in(self, zen: Zen) -> None:
        """202, one job for both, behind the one that runs."""
        zen.wire.has_worker = False
        path = zen.fixture("a.md", "b.md")
        first = zen.data("POST", f"{path}/sync")["jobId"]
        jobs = {
            zen.data("POST", f"{path}/sync", json={"file_filter": [name]})["jobId"]
            for name in ("a.md", "b.md")
        }
        assert len(jobs) == 1
        assert first not in jobs
        assert zen.data("GET", f"{path}/sync/{jobs.pop()}")["status"] == "queued"

    def test_no_job_is_left_where_prefect_is_away(self, zen: Zen) -> None:
        """503, and the next try is not in its way."""
        path = zen.fixture("a.md")
        zen.wire.is_away = True
        refused(zen.ask("POST", f"{path}/sync"), 503, "unavailable")
        zen.wire.is_away = False
        assert zen.sync(path)["status"] == "completed"


class TestFollow:
    def test_counters_are_live(self, zen: Zen) -> None:
        """While a job runs it says running, and has counted something before it ends."""
        path = zen.fixture(*(f"{number}.md" for number in range(120)), latency_ms=40)
        job = zen.data("POST", f"{path}/sync")["jobId"]
        seen: list[dict[str, Any]] = []

        def is_seen_at_work() -> bool:
            seen.append(zen.data("GET", f"{path}/sync/{job}"))
            return seen[-1]["status"] == "running" and seen[-1]["progress"]["collected"] in range(1, 120)

        until(is_seen_at_work)
        zen.wire.rest()
        ended = zen.data("GET", f"{path}/sync/{job}")
        assert (ended["status"], ended["progress"]["indexed"]) == ("completed", 120)
        assert {one["startedAt"] for one in [*seen, ended]} == {ended["startedAt"]}
        assert ended["completedAt"] >= ended["startedAt"]
        assert (ended["strategy"], ended["trigger"], ended["error"]) == ("listing", "manual", None)

    def test_an_entry_that_failed_is_told(self, zen: Zen) -> None:
        """Errors of single items are listed, and do not fail the job."""
        path = zen.fixture("a.md")
        job = zen.sync(path, sync_mode="incremental", file_filter=["a.md", "never.md"])
        assert (job["status"], job["progress"]["failed"]) == ("completed", 1)
        assert [(one["path"], one["reason"]) for one in job["errors"]] == [("never.md", "not_found")]

    def test_a_job_is_known_under_its_connector_only(self, zen: Zen) -> None:
        """404 under another connector, for an unknown id, and for another team."""
        one, other = zen.fixture("a.md"), zen.fixture("b.md")
        job = zen.sync(one)["jobId"]
        refused(zen.ask("GET", f"{other}/sync/{job}"), 404, "not_found")
        refused(zen.ask("GET", f"{one}/sync/job_nope"), 404, "not_found")
        refused(zen.ask("GET", f"{one}/sync/{job}", token="other_tenant"), 404, "not_found")
        assert zen.data("GET", f"{one}/sync/{job}", token="viewer")["jobId"] == job

    def test_viewers_start_nothing(self, zen: Zen) -> None:
        """403 for a sync and for a refresh of permissions."""
        path = zen.fixture("a.md")
        for what in ("sync", "refresh-permissions"):
            refused(zen.ask("POST", f"{path}/{what}", token="viewer"), 403, "forbidden")


def test_a_refresh_of_permissions_is_a_job(zen: Zen) -> None:
    """202 like a sync; where the source has no access lists it is done at once."""
    path = zen.fixture("a.md")
    answer = zen.ask("POST", f"{path}/refresh-permissions")
    assert answer.status_code == 202
    assert answer.json()["data"]["status"] == "queued"
    job = zen.data("GET", f"{path}/sync/{answer.json()['data']['jobId']}")
    assert (job["status"], job["kind"]) == ("completed", "permissions")
