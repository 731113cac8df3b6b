"""The samples of the ZenSearch document, its endpoints too, each with what it must get."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar

from tests.support.sampling import Answer, Server, differences
from tests.support.seeds import sample
from tests.support.stack import wait_for

CLIENT = Path(__file__).with_name("zensearch.mjs")
CONNECTORS = "/api/v1/connectors"
ONE = f"{CONNECTORS}/{{id}}"
KEY = {"AWS_ACCESS_KEY": "an-access-key", "AWS_SECRET_KEY": "a-secret-of-ours"}


class ZenSearchSamples:
    """The samples, run against a server.

    Attributes:
        runs: What runs each sample, and looks at its answer.
        reasons: Samples that cannot be run by themselves, and why.
    """

    def __init__(self, server: Server) -> None:
        self.server = server

    # -- connectors -----------------------------------------------------------------------------

    def lists(self) -> None:
        """Each is shown as in the document; before its first sync `lastSync` is null."""
        self.synced  # noqa: B018 - the list must have one that was synced
        answer = self.ask("GET", CONNECTORS)
        shown = shown_in("zensearch json 1")
        assert answer.status == 200
        rows = answer.body["data"]
        free = ("name", "type", "status")
        assert differences(shown["data"], [row for row in rows if row["lastSync"]], free=free) == []
        assert differences(shown["data"], rows, free=(*free, "lastSync")) == []

    def creates(self) -> None:
        """It is active at once, and shows no secret."""
        sent = self.bucket_sample
        answer = self.bucket
        (shown,) = shown_in("zensearch json 1")["data"]
        assert answer.status == 201
        made = answer.body["data"]
        assert differences(shown, made, free=("name", "type", "lastSync")) == []
        assert [made[name] for name in ("name", "type", "collection", "lastSync")] == [
            *(sent[name] for name in ("name", "type", "collection")),
            None,
        ]
        assert made["config"].items() >= sent["config"].items()
        for secret in sent["credentials"].values():
            assert secret not in json.dumps(answer.body).replace("*", "")

    def gets(self) -> None:
        """As it was made."""
        answer = self.ask("GET", ONE, id=self.bucket_id)
        assert answer.status == 200
        assert answer.body["data"]["id"] == self.bucket_id

    def updates(self) -> None:
        """What was sent is new, and the other settings stay."""
        sent = json.loads(sample("zensearch json 3").text)
        answer = self.ask("PUT", ONE, sent, id=self.bucket_id)
        assert answer.status == 200
        changed = answer.body["data"]
        assert changed["name"] == sent["name"]
        assert changed["config"] == {**self.bucket_sample["config"], **sent["config"]}

    def deletes(self) -> None:
        """Afterwards there is none of this id."""
        made = self.connector("to be deleted")
        assert self.ask("DELETE", ONE, id=made).status == 200
        assert self.ask("GET", ONE, id=made).status == 404

    def creates_by_code(self) -> None:
        """The client of the sample gets the connector itself."""
        words = {"col_abc123": self.collection}
        made = json.loads(
            self.run("zensearch javascript 1", words, "console.log(JSON.stringify(connector));", **KEY)
        )
        (shown,) = shown_in("zensearch json 1")["data"]
        assert differences(shown, made, free=("name", "type", "lastSync")) == []

    def tests_a_stored_one(self) -> None:
        """Its source answers."""
        answer = self.ask("POST", f"{ONE}/test", id=self.synced)
        assert (answer.status, answer.body["data"]["success"]) == (200, True)

    def tests_before_one_is_stored(self) -> None:
        """A source that answers, and one that refuses."""
        for refuse, success in ((False, True), (True, False)):
            config = {"items": [], "refuse": refuse}
            answer = self.ask("POST", f"{CONNECTORS}/test", {"type": "fixture", "config": config})
            assert (answer.status, answer.body["data"]["success"]) == (200, success)

    # -- syncs ----------------------------------------------------------------------------------

    def syncs(self) -> None:
        """Without a body; it answers as shown, and ends well."""
        made = self.connector("to be synced")
        answer = self.ask("POST", f"{ONE}/sync", id=made)
        assert answer.status == 202
        assert differences(shown_in("zensearch json 5"), answer.body) == []
        assert self.job(made, answer)["status"] == "completed"

    def syncs_with_a_body(self) -> None:
        """A full sync takes everything, whatever the filter."""
        answer = self.ask("POST", f"{ONE}/sync", shown_in("zensearch json 4"), id=self.synced)
        assert answer.status == 202
        job = self.job(self.synced, answer)
        assert (job["status"], job["progress"]["indexed"]) == ("completed", 2)

    def shows_a_job_at_work(self) -> None:
        """Counters are seen to grow while it runs, and never overtake each other."""
        path = f"{ONE}/sync/{{jobId}}"
        made = self.connector("slow", paths=[f"slow/{number}.txt" for number in range(5)], latency_ms=800)
        job = self.ask("POST", f"{ONE}/sync", id=made).body["data"]["jobId"]

        def at_work() -> Answer | None:
            answer = self.ask("GET", path, id=made, jobId=job)
            assert answer.body["data"]["status"] in ("queued", "running")
            is_seen = answer.body["data"].get("progress", {}).get("collected", 0) > 0
            return answer if is_seen else None

        answer = wait_for(at_work, seconds=60, what="a job at work")
        shown = shown_in("zensearch json 6")
        assert answer.status == 200
        assert differences(shown, answer.body, free=tuple(shown["data"]["progress"])) == []
        progress = answer.body["data"]["progress"]
        assert progress["collected"] >= progress["parsed"] >= progress["indexed"]
        assert self.server.ended(filled(path, id=made, jobId=job))["progress"]["indexed"] == 5

    def syncs_by_code(self) -> None:
        """The client of the sample reads the job's id."""
        made = self.connector("synced by code")
        said = self.run("zensearch javascript 2", {"conn_abc123": made})
        job = said.removeprefix("Sync started: ").strip()
        assert self.server.ended(filled(f"{ONE}/sync/{{jobId}}", id=made, jobId=job))["status"] == "completed"

    def refreshes_permissions(self) -> None:
        """It is a job like a sync."""
        answer = self.ask("POST", f"{ONE}/refresh-permissions", id=self.synced)
        assert answer.status == 202
        assert differences(shown_in("zensearch json 5"), answer.body) == []
        assert self.job(self.synced, answer)["status"] == "completed"

    # -- documents and files --------------------------------------------------------------------

    def lists_shows_and_deletes_documents(self) -> None:
        """A document that was deleted is in no list any more."""
        path, made = f"{ONE}/documents", self.synced_apart
        listed = self.ask("GET", path, id=made)
        assert listed.status == 200
        first, *others = [one["id"] for one in listed.body["data"]]
        shown = self.ask("GET", f"{path}/{{documentId}}", id=made, documentId=first)
        assert (shown.status, shown.body["data"]["id"]) == (200, first)
        assert self.ask("DELETE", f"{path}/{{documentId}}", id=made, documentId=first).status == 200
        assert [one["id"] for one in self.ask("GET", path, id=made).body["data"]] == others
        assert self.ask("GET", f"{path}/{{documentId}}", id=made, documentId=first).status == 404

    def lists_uploads_and_deletes_files(self) -> None:
        """A file that was handed in is listed beside those of the source, until it is deleted."""
        path, made = f"{ONE}/files", self.synced_apart
        before = self.paths(made)
        upload = {"files": ("note.txt", b"the words of a note", "text/plain")}
        answer = self.ask("POST", f"{path}/upload", id=made, files=upload)
        assert answer.status == 202
        assert self.job(made, answer)["status"] == "completed"
        assert self.paths(made) == before | {"note.txt"}
        answer = self.ask("DELETE", path, {"paths": ["note.txt"]}, id=made)
        assert (answer.status, answer.body["data"]["deleted"]) == (200, 1)
        assert self.paths(made) == before

    # -- signing in -----------------------------------------------------------------------------

    def signs_in(self) -> None:
        """The browser is sent to the vendor, and comes back; here the person said no."""
        sent = {
            "provider": "google_drive",
            "collection": self.collection,
            "redirectUri": "https://app.example.com/done",
        }
        begun = self.ask("POST", "/api/v1/oauth/init", sent)
        assert begun.status == 200
        assert begun.body["data"]["authUrl"].startswith("https://")
        back = {"state": begun.body["data"]["state"], "error": "access_denied"}
        path = "/api/v1/oauth/callback/{provider}"
        assert self.ask("GET", path, provider="google_drive", params=back).status == 302
        assert self.ask("GET", path, provider="google_drive", params=back).status == 400

    runs: ClassVar[dict[str, Callable[[Any], None]]] = {
        f"zensearch GET {CONNECTORS}": lists,
        "zensearch json 1": lists,
        f"zensearch POST {CONNECTORS}": creates,
        "zensearch json 2": creates,
        f"zensearch GET {ONE}": gets,
        f"zensearch PUT {ONE}": updates,
        "zensearch json 3": updates,
        f"zensearch DELETE {ONE}": deletes,
        "zensearch javascript 1": creates_by_code,
        f"zensearch POST {ONE}/test": tests_a_stored_one,
        f"zensearch POST {CONNECTORS}/test": tests_before_one_is_stored,
        f"zensearch POST {ONE}/sync": syncs,
        "zensearch json 5": syncs,
        "zensearch json 4": syncs_with_a_body,
        f"zensearch GET {ONE}/sync/{{jobId}}": shows_a_job_at_work,
        "zensearch json 6": shows_a_job_at_work,
        "zensearch javascript 2": syncs_by_code,
        f"zensearch POST {ONE}/refresh-permissions": refreshes_permissions,
        f"zensearch GET {ONE}/documents": lists_shows_and_deletes_documents,
        f"zensearch GET {ONE}/documents/{{documentId}}": lists_shows_and_deletes_documents,
        f"zensearch DELETE {ONE}/documents/{{documentId}}": lists_shows_and_deletes_documents,
        f"zensearch GET {ONE}/files": lists_uploads_and_deletes_files,
        f"zensearch POST {ONE}/files/upload": lists_uploads_and_deletes_files,
        f"zensearch DELETE {ONE}/files": lists_uploads_and_deletes_files,
        "zensearch POST /api/v1/oauth/init": signs_in,
        "zensearch GET /api/v1/oauth/callback/{provider}": signs_in,
    }
    reasons: ClassVar[dict[str, str]] = {}

    # -- what they need -------------------------------------------------------------------------

    @property
    def collection(self) -> str:
        """Where connectors go."""
        return self.server.variables["zen_collection"]

    @property
    def bucket_sample(self) -> Any:
        """The body that makes a bucket's connector."""
        return json.loads(sample("zensearch json 2").with_words({"col_abc123": self.collection}))

    @cached_property
    def bucket(self) -> Answer:
        """What it got."""
        return self.ask("POST", CONNECTORS, self.bucket_sample)

    @property
    def bucket_id(self) -> str:
        """Its id."""
        return str(self.bucket.body["data"]["id"])

    @cached_property
    def synced(self) -> str:
        """A connector with two documents."""
        return self.made_and_synced("synced")

    @cached_property
    def synced_apart(self) -> str:
        """Another one, whose documents are deleted by and by."""
        return self.made_and_synced("synced, too", paths=[f"a/{number}.txt" for number in range(9)])

    def made_and_synced(self, name: str, **config: Any) -> str:
        """Make a connector and sync it; return its id."""
        made = self.connector(name, **config)
        job = self.job(made, self.ask("POST", f"{ONE}/sync", id=made))
        assert job["status"] == "completed"
        return made

    def connector(self, name: str, *, paths: tuple[str, ...] | list[str] = (), **config: Any) -> str:
        """Make a connector with contents of our own; return its id."""
        (named,) = shown_in("zensearch json 4")["file_filter"]
        items = [
            {"path": path, "text": f"the words of {path}", "version": "1"}
            for path in paths or (named, "path/to/another.txt")
        ]
        values = {"name": name, "type": "fixture", "collection": self.collection}
        answer = self.ask("POST", CONNECTORS, {**values, "config": {"items": items, **config}})
        return str(answer.body["data"]["id"])

    def job(self, connector: str, started: Answer) -> Any:
        """Wait for the end of a job that was started."""
        job = started.body["data"]["jobId"]
        return self.server.ended(filled(f"{ONE}/sync/{{jobId}}", id=connector, jobId=job))

    def paths(self, connector: str) -> set[str]:
        """Return the paths of the files of a connector."""
        answer = self.ask("GET", f"{ONE}/files", id=connector)
        assert answer.status == 200
        return {one["path"] for one in answer.body["data"]}

    def ask(
        self,
        method: str,
        endpoint: str,
        body: Any = None,
        *,
        files: Any = None,
        params: Any = None,
        **ids: str,
    ) -> Answer:
        """Call an endpoint of the document, spelled as there, with ids in its gaps."""
        written = sample(f"zensearch {method} {endpoint}").text.removeprefix(f"{method} ")
        return self.server.ask(method, filled(written, **ids), body, files=files, params=params)

    def run(self, key: str, words: dict[str, str], last: str = "", **environment: str) -> str:
        """Run code of the document with its client; return what it prints."""
        first = f"import {{ client }} from {json.dumps(CLIENT.as_uri())};"
        code = "\n".join([first, sample(key).with_words(words), last])
        return self.server.node(code, **environment).stdout


def shown_in(key: str) -> Any:
    """Return the JSON of a sample."""
    return json.loads(sample(key).text)


def filled(endpoint: str, **ids: str) -> str:
    """Put ids into the gaps of an endpoint."""
    return endpoint.format(**ids)
