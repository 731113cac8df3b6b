"""The stand-in of Notion answers as the vendor does."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from catchment.simulators.notion import NotionSimulator, Spec, block, cell_row, heading, paragraph, text
from tests.support.notion import HEADERS, HOOKS, Schemas, needs_data


@pytest.fixture
def world() -> NotionSimulator:
    return NotionSimulator()


@pytest.fixture
def client(world: NotionSimulator) -> Iterator[httpx.Client]:
    with world.serve() as url, httpx.Client(base_url=f"{url}/v1", headers=HEADERS, timeout=10) as client:
        yield client


@pytest.fixture(scope="module")
def schemas() -> Schemas:
    return Schemas()


def search(client: httpx.Client, **asked: Any) -> dict[str, Any]:
    answer: dict[str, Any] = client.post("/search", json=asked).json()
    return answer


def found(client: httpx.Client, **asked: Any) -> list[str]:
    return [each["id"] for each in search(client, **asked)["results"]]


class TestDoor:
    @pytest.mark.parametrize(
        ("method", "path", "headers", "status", "code"),
        [
            ("GET", "/users/me", {"Authorization": "Bearer wrong"}, 401, "unauthorized"),
            ("GET", "/users/me", {"Notion-Version": None}, 400, "missing_version"),
            ("GET", "/invalid", {}, 400, "invalid_request_url"),
            ("GET", "/pages/00000000-0000-0000-0000-000000000000", {}, 404, "object_not_found"),
            ("POST", "/search", {}, 403, "restricted_resource"),
        ],
    )
    def test_refusals_have_the_vendors_words(
        self,
        world: NotionSimulator,
        client: httpx.Client,
        method: str,
        path: str,
        headers: dict[str, str | None],
        status: int,
        code: str,
    ) -> None:
        """Status, code and a request id, as the vendor has them."""
        world.capabilities.discard("read content") if status == 403 else None
        sent = {name: value for name, value in {**HEADERS, **headers}.items() if value is not None}
        answer = httpx.request(method, f"{client.base_url}{path.lstrip('/')}", headers=sent)
        told = answer.json()
        assert (answer.status_code, told["object"], told["status"], told["code"]) == (
            status,
            "error",
            status,
            code,
        )
        assert told["request_id"]

    def test_a_token_ends_and_is_renewed(self, world: NotionSimulator, client: httpx.Client) -> None:
        """With the client in the header; a refresh token is good once."""
        access, refresh = world.grant(seconds=60)
        headers = {**HEADERS, "Authorization": f"Bearer {access}"}
        assert client.get("/users/me", headers=headers).status_code == 200
        world.clock.advance(61)
        assert client.get("/users/me", headers=headers).status_code == 401
        asked = {"grant_type": "refresh_token", "refresh_token": refresh}
        assert client.post("/oauth/token", json=asked, auth=("x", "y")).status_code == 401
        given = client.post("/oauth/token", json=asked, auth=world.client).json()
        headers["Authorization"] = f"Bearer {given['access_token']}"
        assert client.get("/users/me", headers=headers).status_code == 200
        assert client.post("/oauth/token", json=asked, auth=world.client).status_code == 400

    def test_too_many_requests_in_a_second_must_wait(
        self, world: NotionSimulator, client: httpx.Client
    ) -> None:
        """With the vendor's header; the next second is another one."""
        world.per_second = 2
        answers = [client.get("/users/me") for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200, 200, 429]
        assert answers[2].headers["retry-after"] == "1"
        world.clock.advance(1)
        assert client.get("/users/me").status_code == 200


class TestSearch:
    def test_pages_and_data_sources_in_the_order_of_their_edits(
        self, world: NotionSimulator, client: httpx.Client
    ) -> None:
        """Either way round, a page of results at a time, and one kind alone; titles only."""
        first = world.page("Weir")
        world.clock.advance(60)
        _, source = world.database("Tasks", first)
        world.clock.advance(60)
        last = world.page("Gauge", blocks=[paragraph("weir")])
        rising = {"timestamp": "last_edited_time", "direction": "ascending"}
        assert set(found(client)) == {first, source, last}
        assert found(client)[0] == last
        assert found(client, sort=rising)[-1] == last
        assert found(client, query="weir") == [first]
        assert found(client, filter={"property": "object", "value": "data_source"}) == [source]
        page = search(client, sort=rising, page_size=2)
        assert (len(page["results"]), page["has_more"]) == (2, True)
        assert found(client, sort=rising, page_size=2, start_cursor=page["next_cursor"]) == [last]
        for wrong in ({"page_size": 101}, {"start_cursor": "x"}, {"filter": {"value": "database"}}):
            assert search(client, **wrong)["code"] == "validation_error"

    def test_it_learns_of_changes_late(self, world: NotionSimulator, client: httpx.Client) -> None:
        """Made, edited and thrown away: after a while, when a page itself tells at once."""
        world.search_lag_seconds = 30
        page = world.page("New")
        assert found(client) == []
        assert client.get(f"/pages/{page}").status_code == 200
        world.clock.advance(30)
        assert found(client) == [page]
        world.trash(page)
        assert client.get(f"/pages/{page}").json()["in_trash"] is True
        assert found(client) == [page]
        world.clock.advance(30)
        assert found(client) == []
        assert found(client, filter={"in_trash": True}) == [page]

    def test_it_says_when_it_does_not_tell_all(self, world: NotionSimulator, client: httpx.Client) -> None:
        """The last page has no next one, and the status says incomplete."""
        for number in range(3):
            world.page(f"Page {number}")
        world.most_results = 2
        answer = search(client)
        assert (len(answer["results"]), answer["has_more"]) == (2, False)
        assert answer["request_status"]["type"] == "incomplete"


class TestChanges:
    def test_what_people_do_shows(self, world: NotionSimulator, client: httpx.Client) -> None:
        """Edits move the page's minute, not its parent's; moves, trash, sharing and deletion show."""
        parent, other = world.page("Parent"), world.page("Other")
        page = world.page("Page", parent, blocks=[paragraph("old")])
        before = client.get(f"/pages/{page}").json()
        world.clock.advance(120)
        inner = client.get(f"/blocks/{page}/children").json()["results"][0]["id"]
        world.edit(inner, "new")
        after = client.get(f"/pages/{page}").json()
        assert before["last_edited_time"] < after["last_edited_time"]
        assert after["last_edited_time"].endswith(":00.000Z")
        assert client.get(f"/pages/{parent}").json()["last_edited_time"] == before["last_edited_time"]
        told = client.get(f"/blocks/{page}/children").json()["results"][0]
        assert told["paragraph"]["rich_text"][0]["plain_text"] == "new"
        world.move(page, other)
        assert client.get(f"/pages/{page}").json()["parent"] == {"type": "page_id", "page_id": other}
        world.trash(other)
        assert page not in found(client)
        world.restore(other)
        assert page in found(client)
        world.unshare(other)
        assert client.get(f"/pages/{page}").status_code == 404
        world.share(other)
        world.rename(page, "Named anew")
        assert found(client, query="anew") == [page]
        world.erase(page)
        assert client.get(f"/pages/{page}").status_code == 404
        assert found(client, query="anew") == []

    def test_the_same_acts_give_the_same_workspace(self) -> None:
        """Ids and times come from the seed and the clock."""
        one, two, other = NotionSimulator.demo(1), NotionSimulator.demo(1), NotionSimulator.demo(2)
        assert one.things == two.things
        assert one.things.keys() != other.things.keys()
        assert 200 < len(one.living()) < 500


class TestRows:
    def test_a_query_sorts_and_filters_by_time(self, world: NotionSimulator, client: httpx.Client) -> None:
        """Closed at the lower bound; the trash apart."""
        _, source = world.database("Tasks")
        first = world.page("One", source)
        world.clock.advance(60)
        second = world.page("Two", source)
        path = f"/data_sources/{source}/query"
        sorts = [{"timestamp": "created_time", "direction": "descending"}]
        assert [each["id"] for each in client.post(path, json={"sorts": sorts}).json()["results"]] == [
            second,
            first,
        ]
        since = client.get(f"/pages/{second}").json()["created_time"]
        wanted = {"timestamp": "created_time", "created_time": {"on_or_after": since}}
        assert [each["id"] for each in client.post(path, json={"filter": wanted}).json()["results"]] == [
            second
        ]
        world.trash(first)
        assert [each["id"] for each in client.post(path, json={"in_trash": True}).json()["results"]] == [
            first
        ]

    def test_long_properties_are_cut_and_told_elsewhere(
        self, world: NotionSimulator, client: httpx.Client
    ) -> None:
        """25 references; the others page by page."""
        _, source = world.database("Tasks", schema={"Others": "relation"})
        others = [{"id": world.new_id()} for _ in range(30)]
        page = world.page("Row", source, properties={"Others": {"relation": others}})
        told = client.get(f"/pages/{page}").json()["properties"]["Others"]
        assert (len(told["relation"]), told["has_more"]) == (25, True)
        path = f"/pages/{page}/properties/{told['id']}"
        assert len(client.get(path).json()["results"]) == 30


class TestWebhooks:
    def test_files_are_handed_out_for_an_hour(self, world: NotionSimulator, client: httpx.Client) -> None:
        """At an address that is new each time, to whoever has it, and to nobody who signs in besides."""
        page = world.page("Page", blocks=[block("pdf", caption=[], **world.upload("plan.pdf", b"%PDF-"))])

        def address() -> str:
            told = client.get(f"/blocks/{page}/children").json()["results"][0]["pdf"]["file"]
            assert told["expiry_time"] > "2025"
            return str(told["url"])

        first = address()
        assert httpx.get(first).content == b"%PDF-"
        assert httpx.get(first, headers={"Authorization": "Bearer x"}).status_code == 400
        assert httpx.get(first.replace("Signature=", "Signature=0")).status_code == 403
        world.clock.advance(3600)
        assert httpx.get(first).status_code == 403
        assert address() != first
        assert httpx.get(address()).status_code == 200

    def test_deliveries_are_signed_over_their_bytes(self, world: NotionSimulator) -> None:
        """With the token of the handshake."""
        token = json.loads(world.handshake()[1])["verification_token"]
        headers, body = world.delivery("page.created", world.page("New"))
        signature = hmac.new(token.encode(), body, hashlib.sha256).hexdigest()
        assert headers["X-Notion-Signature"] == f"sha256={signature}"


@needs_data
class TestSchemas:
    """Every answer is of the type that the vendor publishes."""

    def test_of_a_demo(self, schemas: Schemas) -> None:
        """Lists, pages, blocks, databases, comments and users."""
        world = NotionSimulator.demo()
        world.clock.advance(3600)
        with world.serve() as url, httpx.Client(base_url=f"{url}/v1", headers=HEADERS, timeout=10) as client:
            schemas.check("users_me_response", client.get("/users/me").json())
            schemas.check("list_users_response", client.get("/users").json())
            answer = search(client, page_size=40)
            schemas.check("search_response", answer)
            for each in answer["results"][::4]:
                if each["object"] == "page":
                    schemas.check("page_full", client.get(f"/pages/{each['id']}").json())
                    children = client.get(f"/blocks/{each['id']}/children").json()
                    schemas.check("list_block_children_response", children)
            for comment in world.comments[:3]:
                answer = client.get("/comments", params={"block_id": comment.on}).json()
                schemas.check("list_comments_response", answer)
            wanted = {"property": "object", "value": "data_source"}
            for each in search(client, filter=wanted)["results"]:
                schemas.check("data_source_full", client.get(f"/data_sources/{each['id']}").json())
                database = client.get(f"/databases/{each['parent']['database_id']}").json()
                schemas.check("database_full", database)
                rows = client.post(f"/data_sources/{each['id']}/query", json={"page_size": 10}).json()
                schemas.check("query_data_source_response", rows)
            given = world.grant()[1]
            asked = {"grant_type": "refresh_token", "refresh_token": given}
            schemas.check(
                "oauth_token_response", client.post("/oauth/token", json=asked, auth=world.client).json()
            )

    def test_of_every_block(self, world: NotionSimulator, client: httpx.Client, schemas: Schemas) -> None:
        """As many types as the simulator's own words make."""
        table = {"table_width": 1, "has_column_header": True, "has_row_header": False}
        link = {"caption": [], "url": "https://example.com"}
        page = world.page(
            "All",
            blocks=[
                paragraph([text("linked", href="https://example.com", bold=True)], paragraph("inner")),
                heading(1, "One", paragraph("folded")),
                block("to_do", "do it", checked=True),
                block("code", "x = 1", language="python"),
                block("callout", "mind"),
                block("quote", "said"),
                block("toggle", "open"),
                block("equation", expression="e=mc^2"),
                block("divider"),
                block("bookmark", **link),
                block("unsupported", block_type="form"),
                block("synced_block", synced_from=None),
                Spec("table", table, [cell_row("a"), cell_row("b")]),
                Spec("column_list", {}, [Spec("column", {}, [paragraph("left")])]),
            ],
        )
        world.database("Inside", page)
        for each in client.get(f"/blocks/{page}/children").json()["results"]:
            schemas.check("block_full", each)

    @pytest.mark.parametrize(
        "event", ["page.created", "page.content_updated", "page.deleted", "data_source.schema_updated"]
    )
    def test_of_webhooks(self, world: NotionSimulator, schemas: Schemas, event: str) -> None:
        """And they have no other fields than the published examples."""
        _, source = world.database("Tasks", world.page("Parent"))
        entity = source if event.startswith("data") else world.page("Row", source)
        told = json.loads(world.delivery(event, entity)[1])
        schemas.check("webhook_event", told)
        example = json.loads((HOOKS / "page_created.json").read_text())
        assert told.keys() - {"api_version"} == example.keys() - {"accessible_by"}
