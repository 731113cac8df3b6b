"""Documents of the ZenSearch face: listed as they stand, shown with their text, deleted once."""

from __future__ import annotations

from sqlalchemy import update

from catchment.store.engine import writing
from catchment.store.tables import documents, items
from tests.api.zensearch.conftest import Zen, refused


class TestList:
    def test_pages_through_them_newest_first(self, zen: Zen) -> None:
        """Each with path, title, state and place."""
        path = zen.fixture("a.md", "b.md", "c.md")
        zen.sync(path)
        answer = zen.ask("GET", f"{path}/documents", params={"limit": "2"}).json()
        assert answer["meta"]["total"] == 3
        rest = zen.data("GET", f"{path}/documents", params={"limit": "2", "offset": "2"})
        paths = [one["path"] for one in [*answer["data"], *rest]]
        assert paths == ["c.md", "b.md", "a.md"]
        first = answer["data"][0]
        assert first["status"] == "indexed"
        assert (first["collection"], first["connectorId"]) == (zen.collection, path.rpartition("/")[2])
        assert "content" not in first

    def test_filters_by_state(self, zen: Zen) -> None:
        """A document whose new version could not be read has failed, and keeps its old text."""
        path = zen.fixture("a.md", "b.md")
        zen.sync(path)
        with writing(zen.context.engine) as connection:
            connection.execute(update(items).where(items.c.path == "a.md").values(state="failed"))
        for state, expected in (("failed", ["a.md"]), ("indexed", ["b.md"]), ("pending", [])):
            answer = zen.ask("GET", f"{path}/documents", params={"status": state}).json()
            assert [one["path"] for one in answer["data"]] == expected
            assert answer["meta"]["total"] == len(expected)
        refused(
            zen.ask("GET", f"{path}/documents", params={"status": "odd"}), 400, "invalid_request", "status"
        )

    def test_leaves_out_what_the_source_does_not_show_the_caller(self, zen: Zen) -> None:
        """A document with access lists of its source is there for nobody who is not on them."""
        path = zen.fixture("a.md", "b.md")
        zen.sync(path)
        hidden = next(one for one in zen.data("GET", f"{path}/documents") if one["path"] == "a.md")["id"]
        with writing(zen.context.engine) as connection:
            changed = update(documents).where(documents.c.id == hidden.removeprefix("doc_"))
            connection.execute(changed.values(acl="source"))
        assert [one["path"] for one in zen.data("GET", f"{path}/documents")] == ["b.md"]
        refused(zen.ask("GET", f"{path}/documents/{hidden}"), 404, "not_found")
        refused(zen.ask("DELETE", f"/documents/{hidden}"), 404, "not_found")
        found = zen.data("POST", "/search", json={"query": "words"})
        assert [one["path"] for one in found["results"]] == ["b.md"]


class TestOne:
    def test_is_shown_with_its_text(self, zen: Zen) -> None:
        """Below its connector, and by its id alone."""
        path = zen.fixture("a.md")
        zen.sync(path)
        document = zen.data("GET", f"{path}/documents")[0]["id"]
        below = zen.data("GET", f"{path}/documents/{document}")
        assert below["content"] == "words of a.md"
        assert zen.data("GET", f"/documents/{document}", token="viewer") == below
        assert zen.data("GET", f"/documents/{document}/content")["content"] == "words of a.md"

    def test_has_a_summary_of_its_beginning(self, zen: Zen) -> None:
        """It is cut at the end of a sentence."""
        text = "The gate of the weir is old. " * 40
        items_ = [{"path": "a.txt", "text": text, "version": "1"}]
        made = zen.create(type="fixture", config={"items": items_}).json()["data"]["id"]
        path = f"/connectors/{made}"
        zen.sync(path)
        document = zen.data("GET", f"{path}/documents")[0]["id"]
        summary = zen.data("GET", f"/documents/{document}/summary")["summary"]
        assert 250 < len(summary) <= 500
        assert summary.endswith("old.")

    def test_is_known_to_its_connector_and_team_only(self, zen: Zen) -> None:
        """404 below another connector and for another team; 403 without a role in the space."""
        one, other = zen.fixture("a.md"), zen.fixture("b.md")
        zen.sync(one)
        document = zen.data("GET", f"{one}/documents")[0]["id"]
        refused(zen.ask("GET", f"{other}/documents/{document}"), 404, "not_found")
        refused(zen.ask("DELETE", f"{other}/documents/{document}"), 404, "not_found")
        for path in (
            f"/documents/{document}",
            f"/documents/{document}/content",
            f"/documents/{document}/summary",
        ):
            refused(zen.ask("GET", path, token="other_tenant"), 404, "not_found")
            refused(zen.ask("GET", path, token="outsider"), 403, "forbidden")
        refused(zen.ask("GET", "/documents/doc_nope"), 404, "not_found")


class TestDelete:
    def test_happens_once_and_lasts(self, zen: Zen) -> None:
        """200, then 404; auto leaves it away, full brings it back."""
        path = zen.fixture("a.md", "b.md")
        zen.sync(path)
        document = zen.data("GET", f"{path}/documents")[0]["id"]
        refused(zen.ask("DELETE", f"{path}/documents/{document}", token="viewer"), 403, "forbidden")
        assert zen.data("DELETE", f"{path}/documents/{document}") == {"id": document, "deleted": True}
        refused(zen.ask("DELETE", f"{path}/documents/{document}"), 404, "not_found")
        zen.sync(path)
        assert len(zen.data("GET", f"{path}/documents")) == 1
        zen.sync(path, sync_mode="full")
        assert len(zen.data("GET", f"{path}/documents")) == 2

    def test_works_by_id_alone(self, zen: Zen) -> None:
        """The same at the top."""
        path = zen.fixture("a.md")
        zen.sync(path)
        document = zen.data("GET", f"{path}/documents")[0]["id"]
        assert zen.data("DELETE", f"/documents/{document}", token="editor")["deleted"] is True
        refused(zen.ask("DELETE", f"/documents/{document}"), 404, "not_found")
