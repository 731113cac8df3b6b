"""What `check` and `browse` tell a person."""

from __future__ import annotations

import pytest

from catchment.core.errors import AuthRejected
from catchment.kit import Capability, Health
from catchment.kit.connector import Resource
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.notion import NotionSimulator, block, paragraph
from connectors.notion import Notion, api
from tests.connectors.notion.conftest import MakeSource, listed

NAMES = ["sign-in", "list", "read", "comments", "people"]


def by_name(source: Notion) -> dict[str, Capability]:
    return {each.name: each for each in source.check()}


class TestCheck:
    def test_all_is_well(self, source: Notion, world: NotionSimulator) -> None:
        """The workspace is named."""
        world.page("Page")
        found = by_name(source)
        assert list(found) == NAMES
        assert {each.health for each in found.values()} == {Health.OK}
        assert "Simulated workspace" in found["sign-in"].message

    def test_a_bad_token(self, make_source: MakeSource, world: NotionSimulator) -> None:
        """Denied, with what to do; nothing else is tried."""
        found = by_name(make_source(token="ntn_canary"))
        assert {each.health for each in found.values()} == {Health.DENIED}
        assert "Sign in again" in found["sign-in"].remedy
        assert "canary" not in repr(found)
        assert [asked.path for asked in world.asked] == ["/v1/users/me"]

    def test_out_of_reach(self, make_source: MakeSource) -> None:
        """Not denied, and not wrong."""
        found = by_name(make_source(base_url="http://127.0.0.1:9"))
        assert found["sign-in"].health is Health.UNREACHABLE
        assert found["sign-in"].remedy

    def test_not_the_api(self, source: Notion, world: NotionSimulator) -> None:
        """The setting is named."""
        world.faults.add(Fault(faults.answer(400, {"code": "invalid_request_url"})))
        found = by_name(source)["sign-in"]
        assert (found.health, found.setting) == (Health.MISCONFIGURED, "base_url")

    @pytest.mark.parametrize(
        ("capability", "name"),
        [("read content", "list"), ("read comments", "comments"), ("read users", "people")],
    )
    def test_a_missing_capability(
        self, source: Notion, world: NotionSimulator, capability: str, name: str
    ) -> None:
        """Each is told by itself, with its name in Notion."""
        world.page("Page")
        world.capabilities.discard(capability)
        found = by_name(source)
        assert found[name].health is Health.DENIED
        assert "capability to read" in found[name].remedy
        assert found["sign-in"].health is Health.OK

    def test_nothing_is_shared(self, source: Notion, make_source: MakeSource, world: NotionSimulator) -> None:
        """Or not the page that was chosen: how to share one is said."""
        assert "add the integration" in by_name(source)["list"].remedy
        page = world.page("Page")
        world.unshare(page)
        world.page("Another")
        found = by_name(make_source(roots=[page]))["list"]
        assert (found.health, found.setting) == (Health.MISCONFIGURED, "roots")
        world.share(page)
        assert by_name(make_source(roots=[page]))["list"].health is Health.OK

    def test_a_database_may_be_chosen(self, make_source: MakeSource, world: NotionSimulator) -> None:
        """By its own id or its data source's."""
        for root in world.database("Tasks"):
            assert by_name(make_source(roots=[root]))["list"].health is Health.OK


class TestBrowse:
    @pytest.fixture
    def tree(self, world: NotionSimulator) -> dict[str, str]:
        made = {"Top": world.page("Top", blocks=[paragraph("text"), block("divider")])}
        made["Inner"] = world.page("Inner", made["Top"])
        made["Base"], made["Tasks"] = world.database("Tasks", made["Top"])
        made["Archive"] = world.data_source(made["Base"], "Archive")
        made["Row"] = world.page("Row", made["Tasks"])
        hidden = world.page("Hidden")
        made["Seen"] = world.page("Seen", hidden)
        world.unshare(hidden)
        world.share(hidden)
        made["Hidden"] = hidden
        return made

    def test_from_the_top_to_a_row(self, source: Notion, tree: dict[str, str]) -> None:
        """Pages, databases, data sources, rows: each level by the id of the one above."""
        top = {each.name: each for each in source.browse().resources}
        assert set(top) == {"Top", "Hidden"}
        below = source.browse(top["Top"].id).resources
        assert below == [
            Resource(tree["Inner"], "Inner", "page", has_children=True),
            Resource(tree["Base"], "Tasks", "database", has_children=True),
        ]
        sources = source.browse(tree["Base"]).resources
        assert [(each.id, each.name) for each in sources] == [
            (tree["Tasks"], "Tasks"),
            (tree["Archive"], "Archive"),
        ]
        assert [each.id for each in source.browse(tree["Tasks"]).resources] == [tree["Row"]]

    def test_what_is_chosen_can_be_listed(
        self, source: Notion, make_source: MakeSource, tree: dict[str, str]
    ) -> None:
        """Every id that is shown is one that the setting takes."""
        for chosen in ("Top", "Base", "Tasks", "Row"):
            assert listed(make_source(roots=[tree[chosen]]))

    def test_page_by_page(
        self, source: Notion, world: NotionSimulator, tree: dict[str, str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Nothing twice, nothing missing, no page of a picker empty."""
        monkeypatch.setattr(api, "PAGE_SIZE", 1)
        for parent, expected in ((None, {"Top", "Hidden"}), (tree["Tasks"], {"Row"})):
            names: list[str] = []
            page: str | None = None
            while True:
                found = source.browse(parent, page)
                names += [each.name for each in found.resources]
                page = found.next_page
                assert found.resources or page is None
                if page is None:
                    break
            assert sorted(names) == sorted(expected)

    def test_errors_are_let_through(self, make_source: MakeSource) -> None:
        """A picker shows them."""
        with pytest.raises(AuthRejected):
            make_source(token="ntn_wrong").browse()
