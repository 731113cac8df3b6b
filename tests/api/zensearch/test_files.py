"""Files of the ZenSearch face: what the source holds, and what people hand in beside it."""

from __future__ import annotations

from typing import Any

from tests.api.zensearch.conftest import Zen, refused


def part(name: str, text: str) -> tuple[str, tuple[str, bytes, str]]:
    return "files", (name, text.encode(), "text/plain")


class TestList:
    def test_shows_what_was_read_and_what_could_not_be(self, zen: Zen) -> None:
        """Path, version, size, document; a page has its total."""
        path = zen.fixture("docs/a.md", "docs/b.md")
        zen.sync(path)
        answer = zen.ask("GET", f"{path}/files", params={"limit": "1"}).json()
        assert answer["meta"]["total"] == 2
        (file,) = answer["data"]
        assert (file["path"], file["version"], file["size"]) == ("docs/a.md", "1", 18)
        assert (file["origin"], file["status"]) == ("source", "indexed")
        assert zen.data("GET", f"{path}/documents/{file['documentId']}")["path"] == "docs/a.md"


class TestUpload:
    def test_becomes_a_document_by_a_job_of_its_own(self, zen: Zen) -> None:
        """202 with files and job; a sync of the source leaves it where it is."""
        path = zen.fixture("a.md")
        answer = zen.ask(
            "POST", f"{path}/files/upload", files=[part("x/note.txt", "a note"), part("b.md", "b")]
        )
        assert answer.status_code == 202
        taken = answer.json()["data"]
        assert [(one["path"], one["origin"]) for one in taken["files"]] == [
            ("x/note.txt", "upload"),
            ("b.md", "upload"),
        ]
        zen.wire.rest()
        job = zen.data("GET", f"{path}/sync/{taken['jobId']}")
        assert (job["status"], job["kind"], job["progress"]["indexed"]) == ("completed", "upload", 2)
        zen.sync(path)
        assert {one["path"] for one in zen.data("GET", f"{path}/documents")} == {"a.md", "b.md", "x/note.txt"}

    def test_does_not_wait_for_prefect(self, zen: Zen) -> None:
        """The files are kept, and the job is queued until Prefect is back."""
        path = zen.fixture("a.md")
        zen.wire.is_away = True
        taken = zen.data("POST", f"{path}/files/upload", files=[part("note.txt", "a note")])
        assert zen.data("GET", f"{path}/sync/{taken['jobId']}")["status"] == "queued"

    def test_is_refused_where_it_cannot_be(self, zen: Zen) -> None:
        """Nothing sent, no file, too large a file, a paused connector, a viewer."""
        path = f"{zen.fixture('a.md')}"
        upload = f"{path}/files/upload"
        refused(zen.ask("POST", upload), 400, "invalid_request", "files")
        refused(zen.ask("POST", upload, data={"files": "text"}), 400, "invalid_request")
        refused(zen.ask("POST", upload, json={"files": []}), 400, "invalid_request")
        refused(zen.ask("POST", upload, token="viewer", files=[part("a", "b")]), 403, "forbidden")
        zen.client.app.state.settings.upload_file_bytes = 1024  # type: ignore[attr-defined]
        refused(zen.ask("POST", upload, files=[part("big.txt", "x" * 2000)]), 413, "payload_too_large")
        zen.data("PUT", path, json={"enabled": False})
        refused(zen.ask("POST", upload, files=[part("a.txt", "b")]), 409, "conflict")
        assert [one["path"] for one in zen.data("GET", f"{path}/files")] == []

    def test_takes_hostile_names(self, zen: Zen) -> None:
        """No name climbs out, and none breaks the answer."""
        path = zen.fixture("a.md")
        taken = zen.data("POST", f"{path}/files/upload", files=[part("../../etc/passwd", "x")])
        assert [one["path"] for one in taken["files"]] == ["etc/passwd"]


class TestDelete:
    def holding(self, zen: Zen) -> tuple[str, dict[str, Any]]:
        path = zen.fixture("a.md", "b.md", "c.md")
        zen.sync(path)
        return path, {one["path"]: one for one in zen.data("GET", f"{path}/files")}

    def test_takes_paths_and_ids_and_names_what_it_did_not_find(self, zen: Zen) -> None:
        """By body; documents go with their files, and a later sync leaves them away.

        A file is called by the number of its item: zero and what no database counts to are nobody's.
        """
        path, held = self.holding(zen)
        nobodys = [f"file_{digit * 32}" for digit in "0f"]
        body = {"paths": ["/a.md", "never.md"], "ids": [held["b.md"]["id"], "file_nope", *nobodys]}
        done = zen.data("DELETE", f"{path}/files", json=body)
        assert done["deleted"] == 2
        assert sorted(done["notFound"]) == sorted(["file_nope", "never.md", *nobodys])
        zen.sync(path)
        assert [one["path"] for one in zen.data("GET", f"{path}/documents")] == ["c.md"]

    def test_takes_paths_by_query(self, zen: Zen) -> None:
        """For clients that cannot send a body with a DELETE."""
        path, _ = self.holding(zen)
        done = zen.data("DELETE", f"{path}/files", params={"path": ["a.md", "c.md"]})
        assert done == {"deleted": 2, "notFound": []}

    def test_erases_what_was_handed_in(self, zen: Zen) -> None:
        """An upload is gone for good, its bytes too."""
        path, _ = self.holding(zen)
        zen.data("POST", f"{path}/files/upload", files=[part("note.txt", "a note")])
        zen.wire.rest()
        assert list(zen.context.blobs.all())
        assert zen.data("DELETE", f"{path}/files", json={"paths": ["note.txt"]})["deleted"] == 1
        assert not list(zen.context.blobs.all())

    def test_needs_names_and_an_editor(self, zen: Zen) -> None:
        """400 where nothing is named; 403 for a viewer; another connector's file is not found."""
        path, held = self.holding(zen)
        empty: list[dict[str, Any] | None] = [None, {}, {"paths": []}]
        for nothing in empty:
            refused(zen.ask("DELETE", f"{path}/files", json=nothing), 400, "invalid_request", "paths")
        body = {"ids": [held["a.md"]["id"]]}
        refused(zen.ask("DELETE", f"{path}/files", token="viewer", json=body), 403, "forbidden")
        other = zen.fixture("x.md")
        assert zen.data("DELETE", f"{other}/files", json=body)["notFound"] == body["ids"]
