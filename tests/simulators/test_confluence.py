"""The simulated site: its own rules, and the forms of its answers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from jsonschema import Draft202012Validator

from catchment.simulators.confluence import Confluence, demo, signin
from catchment.simulators.confluence.world import ADMIN
from tests.support.confluence import DATA, Relay, basic, needs_data, recorded

V2 = "/wiki/api/v2"
AUTH = (signin.EMAIL, signin.API_TOKEN)


@pytest.fixture
def site() -> Confluence:
    made = Confluence()
    world = made.world
    world.add_space("ENG", "Engineering")
    page = world.add_page("ENG", "Page", "<p>x</p>", parent=world.add_folder("ENG", "Folder"))
    world.label(page, "seen")
    comment = world.add_comment(page, "<p>c</p>")
    world.add_comment(page, "<p>d</p>", answers=comment)
    world.add_comment(page, "<p>e</p>", selection="x")
    world.attach(page, "a b.txt", b"abc")
    world.attach(world.add_blogpost("ENG", "Post", "<p>y</p>"), "c.txt", b"c")
    world.restrict(page, users=[signin.ADMIN], groups=["confluence-users"])
    return made


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[Relay, httpx.Client]]:
    relay = Relay()
    with relay.serve() as url, httpx.Client(base_url=url, auth=AUTH, timeout=10) as client:
        yield relay, client


@pytest.fixture
def http(site: Confluence, served: tuple[Relay, httpx.Client]) -> httpx.Client:
    served[0].site = site
    return served[1]


class TestLists:
    def test_go_on_by_cursor_whatever_is_changed(self, site: Confluence, http: httpx.Client) -> None:
        """The link names the path of the site, in body and header; deleting moves nothing."""
        made = [site.world.add_page("ENG", f"Page {number}") for number in range(5)]
        first = http.get(f"{V2}/pages", params={"limit": 3, "sort": "id"})
        link = first.json()["_links"]["next"]
        assert link.startswith("/wiki/api/v2/pages?")
        assert f'<{link}>; rel="next"' in first.headers["link"]
        site.world.purge(made[0])
        rest = http.get(link).json()
        assert "next" not in http.get(link).json()["_links"] or len(rest["results"]) == 3
        assert next(row["id"] for row in rest["results"]) == str(made[1])

    def test_refuse_what_they_do_not_know(self, http: httpx.Client) -> None:
        """Limits, sorts, formats, statuses and cursors."""
        for name, value in (
            ("limit", "251"),
            ("limit", "0"),
            ("sort", "size"),
            ("body-format", "view"),
            ("status", "draft"),
            ("cursor", "x"),
        ):
            answer = http.get(f"{V2}/pages", params={name: value})
            assert answer.status_code == 400, name
            assert answer.json()["errors"][0]["code"] == "INVALID_REQUEST_PARAMETER"
        assert http.get(f"{V2}/pages/999").json()["errors"][0]["code"] == "NOT_FOUND"

    def test_have_no_body_unless_it_is_asked_for(self, http: httpx.Client) -> None:
        """And comments of a page are those that answer no other."""
        assert {json.dumps(row["body"]) for row in http.get(f"{V2}/pages").json()["results"]} == {"{}"}
        page = next(row for row in http.get(f"{V2}/pages").json()["results"] if row["title"] == "Page")
        assert len(http.get(f"{V2}/pages/{page['id']}/footer-comments").json()["results"]) == 1
        assert len(http.get(f"{V2}/footer-comments").json()["results"]) == 2

    def test_leave_the_trash_out_and_show_it_when_asked(self, site: Confluence, http: httpx.Client) -> None:
        """With what belongs to it."""
        page = next(one for one in site.world.contents.values() if one.title == "Page")
        site.world.trash(page.id)
        assert "Page" not in {row["title"] for row in http.get(f"{V2}/pages").json()["results"]}
        shown = http.get(f"{V2}/pages", params={"status": "trashed"}).json()["results"]
        assert [row["title"] for row in shown] == ["Page"]
        assert [row["title"] for row in http.get(f"{V2}/attachments").json()["results"]] == ["c.txt"]


class TestSignIns:
    def test_are_each_good_at_their_own_place(self, site: Confluence, http: httpx.Client) -> None:
        """The token of an app is not good at the site, an API token not at the gateway."""
        access, _ = site.sign_ins.grant()
        bearer = {"Authorization": f"Bearer {access}"}
        gateway = f"/ex/confluence/{signin.CLOUD_ID}{V2}/spaces"
        assert http.get(gateway, headers=bearer, auth=None).status_code == 200
        assert http.get(gateway).status_code == 401
        refused = httpx.get(f"{http.base_url}{V2}/spaces", headers=bearer)
        assert refused.status_code == 401
        assert refused.headers["x-seraph-loginreason"] == "AUTHENTICATED_FAILED"
        assert http.get("/rest/api/space").status_code == 401

    def test_end_after_an_hour_and_are_exchanged_once(self, site: Confluence, http: httpx.Client) -> None:
        """The refresh token rotates."""
        access, refresh = site.sign_ins.grant()
        site.clock.advance(signin.ACCESS_SECONDS)
        bearer = {"Authorization": f"Bearer {access}"}
        told = http.get("/oauth/token/accessible-resources", headers=bearer, auth=None)
        assert (told.status_code, told.json()["message"]) == (401, "Unauthorized")
        sent = {
            "grant_type": "refresh_token",
            "client_id": signin.CLIENT_ID,
            "client_secret": signin.CLIENT_SECRET,
            "refresh_token": refresh,
        }
        assert http.post("/oauth/token", json=sent).json()["refresh_token"] != refresh
        again = http.post("/oauth/token", json=sent)
        assert (again.status_code, again.json()["error"]) == (403, "invalid_grant")

    def test_without_a_scope_are_refused_by_the_gateway(self, site: Confluence, http: httpx.Client) -> None:
        """In its own words."""
        access, _ = site.sign_ins.grant(scopes=frozenset({"read:space:confluence"}))
        answer = http.get(
            f"/ex/confluence/{signin.CLOUD_ID}{V2}/pages",
            headers={"Authorization": f"Bearer {access}"},
            auth=None,
        )
        assert answer.status_code == 401
        assert answer.json() == {"code": 401, "message": "Unauthorized; scope does not match"}


def test_limits_are_told_in_headers(site: Confluence, http: httpx.Client) -> None:
    """Seconds in one, a moment in the other; a new window lets more through."""
    site.limit_requests(1, seconds=60)
    assert http.get(f"{V2}/spaces").status_code == 200
    busy = http.get(f"{V2}/spaces")
    assert busy.status_code == 429
    assert 0 < int(busy.headers["retry-after"]) <= 60
    assert busy.headers["x-ratelimit-reset"].endswith("Z")
    site.clock.advance(60)
    assert http.get(f"{V2}/spaces").status_code == 200


def test_a_file_is_fetched_by_a_signed_address(site: Confluence, http: httpx.Client) -> None:
    """At another host, which refuses whoever sends a credential along."""
    file = http.get(f"{V2}/attachments").json()["results"][0]
    path = f"/wiki/rest/api/content/{file['pageId']}/child/attachment/{file['id']}/download"
    led = http.get(path)
    assert led.status_code == 302
    assert httpx.get(led.headers["location"]).content == b"abc"
    assert http.get(led.headers["location"]).status_code == 403
    assert httpx.get(led.headers["location"].replace("token=", "token=x")).status_code == 403


def test_the_index_of_the_search_is_behind(site: Confluence) -> None:
    """Queries have minutes and a zone; what they cannot read is a 400."""
    site.lag_seconds = 60
    site.clock.advance(3600)
    site.world.add_page("ENG", "Late")
    headers = {"Authorization": f"Bearer {signin.PERSONAL_TOKEN}"}
    with site.serve() as url, httpx.Client(base_url=url, headers=headers) as http:

        def found(query: str) -> set[str]:
            rows = http.get("/rest/api/content/search", params={"cql": query, "limit": 100}).json()["results"]
            return {row["title"] for row in rows}

        assert "Late" not in found('space = "ENG" and type = page')
        site.clock.advance(60)
        assert "Late" in found('space = "ENG" and type = page')
        assert found('lastmodified >= "2025/06/15 16:06" order by lastmodified asc') == {"Late"}
        site.time_zone = "America/New_York"
        assert found('lastmodified >= "2025/06/15 16:06"') == set()
        assert found('lastmodified >= "2025/06/15 12:06"') == {"Late"}
        assert http.get("/rest/api/content/search", params={"cql": "weather = fine"}).status_code == 400


def test_the_demo_is_the_same_each_time() -> None:
    """A few hundred things, by the seed."""

    def told(seed: int) -> list[tuple[int, str, str]]:
        return [(one.id, one.title, one.body) for one in Confluence.demo(seed).world.contents.values()]

    assert told(1) == told(1) != told(2)
    assert 300 < len(told(1)) < 500
    assert demo.EVERYBODY in Confluence.demo().world.groups


def test_it_says_how_to_connect() -> None:
    """With the account that it knows."""
    said = Confluence().how_to_connect("http://127.0.0.1:8000")
    assert "instanceUrl=http://127.0.0.1:8000" in said
    assert json.loads(said.split("'")[1]) == basic()


# -- forms ------------------------------------------------------------------------------------------


def schema_of(file: str, path: str) -> dict[str, Any]:
    """Return the schema of a good answer, with what it refers to."""
    told = json.loads((DATA / file).read_text())
    answer = told["paths"][path]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    return {**answer, "components": told["components"]}


def without_nulls(value: Any) -> Any:
    """Drop what is null: the published schemas seldom say where that may be, and real answers have it."""
    if isinstance(value, dict):
        return {name: without_nulls(inner) for name, inner in value.items() if inner is not None}
    return [without_nulls(inner) for inner in value] if isinstance(value, list) else value


def ids_of(site: Confluence) -> dict[str, str]:
    """Return the first id of each kind, but for the homepage."""
    contents = [one for one in site.world.contents.values() if one.title != "Engineering home"]
    found = {one.kind: one.shown_id for one in reversed(contents)}
    return {**found, "space": str(site.world.space("ENG").id)}


PATHS = [
    ("/spaces", ""),
    ("/spaces/{id}", "space"),
    ("/spaces/{id}/pages", "space"),
    ("/spaces/{id}/blogposts", "space"),
    ("/spaces/{id}/permissions", "space"),
    ("/spaces/{id}/role-assignments", "space"),
    ("/pages", ""),
    ("/pages/{id}", "page"),
    ("/pages/{id}/attachments", "page"),
    ("/pages/{id}/labels", "page"),
    ("/pages/{id}/ancestors", "page"),
    ("/pages/{id}/footer-comments", "page"),
    ("/pages/{id}/inline-comments", "page"),
    ("/blogposts", ""),
    ("/blogposts/{id}", "blogpost"),
    ("/blogposts/{id}/attachments", "blogpost"),
    ("/folders/{id}", "folder"),
    ("/attachments", ""),
    ("/attachments/{id}", "attachment"),
    ("/footer-comments", ""),
    ("/footer-comments/{comment-id}", "footer"),
    ("/inline-comments", ""),
    ("/inline-comments/{comment-id}", "inline"),
]


def real_path(site: Confluence, path: str, kind: str) -> str:
    """Put an id of the site into a path of the documentation."""
    return path.replace("{id}", ids_of(site).get(kind, "")).replace(
        "{comment-id}", ids_of(site).get(kind, "")
    )


@needs_data
@pytest.mark.parametrize(("path", "kind"), [one for one in PATHS if "ancestors" not in one[0]])
def test_addresses_need_the_scope_that_is_published(
    site: Confluence, http: httpx.Client, path: str, kind: str
) -> None:
    """That one, and no other."""
    told = json.loads((DATA / "openapi-v2.trimmed.json").read_text())
    (scope,) = next(
        one["oAuthDefinitions"] for one in told["paths"][path]["get"]["security"] if "oAuthDefinitions" in one
    )
    for scopes, status in ((frozenset({scope}), 200), (signin.ALL_SCOPES - {scope}, 401)):
        access, _ = site.sign_ins.grant(scopes=scopes)
        answer = http.get(
            f"/ex/confluence/{signin.CLOUD_ID}{V2}{real_path(site, path, kind)}",
            headers={"Authorization": f"Bearer {access}"},
            auth=None,
        )
        assert answer.status_code == status


@needs_data
@pytest.mark.parametrize(("path", "kind"), PATHS)
def test_answers_have_the_form_that_is_published(
    site: Confluence, http: httpx.Client, path: str, kind: str
) -> None:
    """Each list and each single thing of version 2."""
    site.world.space("ENG").roles = {"role-1": [("group", "keepers")]}
    answer = http.get(
        f"{V2}{real_path(site, path, kind)}", params={"body-format": "storage", "include-labels": "true"}
    )
    assert answer.status_code == 200
    body = without_nulls(answer.json())
    schema = schema_of("openapi-v2.trimmed.json", path)
    errors = [
        f"{list(error.path)}: {error.message}" for error in Draft202012Validator(schema).iter_errors(body)
    ]
    assert errors == []
    if "results" in body:
        assert body["results"], "an empty list proves nothing"
        known = schema["properties"]["results"]["items"]["$ref"].rpartition("/")[2]
        properties = set(schema["components"]["schemas"][known]["properties"])
        newer = {
            "spaceOwnerId",
            "currentActiveAlias",
            "resolutionStatus",
            "pageId",
            "blogPostId",
            "parentCommentId",
        }
        newer |= {"resolutionLastModifierId", "resolutionLastModifiedAt", "properties"}
        assert set(body["results"][0]) - properties <= newer, "made-up fields"


@needs_data
@pytest.mark.parametrize(
    ("path", "real"),
    [
        (
            "/wiki/rest/api/content/{id}/restriction/byOperation/{operationKey}",
            "content/{page}/restriction/byOperation/read",
        ),
        ("/wiki/rest/api/group/{groupId}/membersByGroupId", "group/confluence-users/membersByGroupId"),
    ],
)
def test_answers_of_version_1_too(site: Confluence, http: httpx.Client, path: str, real: str) -> None:
    """What is left of it in Cloud."""
    answer = http.get(
        f"/wiki/rest/api/{real.format(page=ids_of(site)['page'])}",
        params={"expand": "restrictions.user,restrictions.group"},
    )
    schema = schema_of("openapi-v1.2022-snapshot.trimmed.json", path)
    errors = [
        error.message for error in Draft202012Validator(schema).iter_errors(without_nulls(answer.json()))
    ]
    assert errors == []
    assert answer.json()


@needs_data
@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("list-spaces", "/spaces"),
        ("get-page", "/pages/{page}"),
        ("get-attachment", "/attachments/{attachment}"),
        ("get-inline-comment", "/inline-comments/{inline}"),
        ("list-page-attachments", "/pages/{page}/attachments"),
        ("list-page-footer-comments", "/pages/{page}/footer-comments"),
    ],
)
def test_answers_have_the_fields_that_were_recorded(
    site: Confluence, http: httpx.Client, name: str, path: str
) -> None:
    """All of them but what was asked for beside."""
    params = {"body-format": "storage", "include-labels": "true"}
    mine = http.get(f"{V2}{path.format(**ids_of(site))}", params=params).json()
    theirs = recorded(name)
    if "results" in theirs:
        assert set(mine["_links"]) >= {"base"}
        mine, theirs = mine["results"][0], theirs["results"][0]
    beside = {"likes", "operations", "versions", "properties", "collaborators", "labels"}
    assert set(theirs) - beside <= set(mine)
    assert {type(theirs[name]) for name in ("id", "title", "status") if name in theirs} == {str}
    assert (
        set(theirs["version"]) - {"ncsStepVersion"} <= set(mine["version"]) if "version" in theirs else True
    )


@needs_data
def test_users_are_told_in_the_form_that_is_published(site: Confluence, http: httpx.Client) -> None:
    """Many at a time; those that nobody knows are left out, and an app needs the scope."""
    told = json.loads((DATA / "openapi-v2.trimmed.json").read_text())
    schema = told["paths"]["/users-bulk"]["post"]["responses"]["200"]["content"]["application/json"]["schema"]
    body = http.post(f"{V2}/users-bulk", json={"accountIds": [ADMIN, "712020:nobody"]}).json()
    found = Draft202012Validator({**schema, "components": told["components"]}).iter_errors(body)
    assert [error.message for error in found] == []
    assert [(user["accountId"], user["displayName"]) for user in body["results"]] == [(ADMIN, "Ada Admin")]
    assert http.post(f"{V2}/users-bulk", json={"accountIds": []}).status_code == 400
    access, _ = site.sign_ins.grant(scopes=signin.ALL_SCOPES - {"read:user:confluence"})
    answer = http.post(
        f"/ex/confluence/{signin.CLOUD_ID}{V2}/users-bulk",
        json={"accountIds": [ADMIN]},
        headers={"Authorization": f"Bearer {access}"},
        auth=None,
    )
    assert answer.status_code == 401
