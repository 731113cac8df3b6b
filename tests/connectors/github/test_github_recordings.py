"""What GitHub really answered, once, goes through the connector's own mapping."""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from catchment.core.errors import SourceError
from catchment.kit import Content, Item, Session
from catchment.kit.governor import Governor
from catchment.kit.http import Anonymous, Http
from connectors.github import GitHub, GitHubConfig, GitHubCredentials
from connectors.github.client import Repository
from connectors.github.fetching import fetch
from connectors.github.issues import is_pull_request, item_of
from connectors.github.rendering import talk
from connectors.github.trees import leaves
from tests.support.github import DATA, needs_data, recordings

pytestmark = needs_data
RECORDED = list(recordings()) if DATA.exists() else []
REPO = Repository(1, "octokit/octokit.rb", "main", "https://github.com/octokit/octokit.rb", True, True)


def rows() -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every object in a recorded answer, with the name of the recording."""
    for name, _, status, _, body in RECORDED:
        if status == 200:
            for one in body if isinstance(body, list) else [body]:
                if isinstance(one, dict):
                    yield name, one


def only(name: str) -> list[dict[str, Any]]:
    return [row for found, row in rows() if found == name]


@pytest.fixture
def answering() -> Iterator[Callable[[dict[str, Any]], GitHub]]:
    """Make connectors whose wire gives recorded answers by path."""
    made: list[GitHub] = []

    def make(answers: dict[str, Any]) -> GitHub:
        def answer(request: httpx.Request) -> httpx.Response:
            found = answers.get(request.url.path)
            if found is None:
                return httpx.Response(404, json={"message": "Not Found"})
            return (
                httpx.Response(200, content=found)
                if isinstance(found, bytes)
                else httpx.Response(200, json=found)
            )

        source = GitHub(GitHubConfig(), GitHubCredentials(token="x"))  # type: ignore[arg-type]
        source.client.http = Http(
            "https://api.github.com",
            Session(),
            sign_in=Anonymous(),
            governor=Governor(),
            transport=httpx.MockTransport(answer),
        )
        source.client._keep(REPO)
        made.append(source)
        return source

    yield make
    for source in made:
        source.close()


def test_no_recorded_issue_or_repository_crashes_or_is_empty() -> None:
    """Where there is a title there is a document; where there is an id there is a repository."""
    seen = 0
    for _, row in rows():
        if "full_name" in row and "html_url" in row and "owner" in row:
            assert Repository.of(row).name == row["full_name"]
            seen += 1
        if "title" in row and "number" in row:
            item = item_of(REPO, {"node_id": "x", **row})
            assert item.title == row["title"]
            assert row["title"] in talk(row, [])
            assert item.version is not None
            seen += 1
        if "body" in row and "user" in row and row["body"]:
            text = talk({"number": 1, "title": "x"}, [row])
            assert row["body"].split()[0] in text
            seen += 1
    assert seen > 20


def test_issues_are_what_they_were() -> None:
    """By hand: title, author, address, whether it is a pull request."""
    found = {row["number"]: item_of(REPO, row) for row in only("paginate-issues")}
    assert sorted(found) == list(range(1, 14))
    first = found[13]
    assert first.title == "Test issue 13"
    assert first.path == "octokit/octokit.rb/issues/13"
    assert first.author == "octokit-fixture-user-a"
    assert first.url == "https://github.com/octokit-fixture-org/paginate-issues/issues/13"
    assert (first.metadata["kind"], first.metadata["state"]) == ("issue", "open")
    assert not any(is_pull_request(row) for row in only("paginate-issues"))


def test_comments_are_what_they_were() -> None:
    """By hand: who said what, when; a remark stands beside its line."""
    text = talk({"number": 25, "title": "Comments"}, only("issue_comments"))
    assert "## catsby commented, 2011-05-18\n\nStarted" not in text
    assert "## catsby commented, 2011-05-18\n\nI've started this on my" in text
    assert text.count("## ") == 3
    assert "## sferik commented" in text
    remark = talk({"number": 163, "title": "x"}, [], [], only("pull_review_comment"))
    assert "## pengwynn on lib/octokit/request.rb, 2012-10-22\n\nI like that. Tests FTW." in remark


def test_trees_are_what_they_were(answering: Callable[[dict[str, Any]], GitHub]) -> None:
    """By hand: names, hashes and sizes of files, and no folders."""
    tree = only("git_tree")[0]
    source = answering({f"/repos/octokit/octokit.rb/git/trees/{tree['sha']}": tree})
    found = {leaf.path: leaf for leaf in leaves(source.client, REPO, tree["sha"])}
    assert (found["README.mkd"].sha, found["README.mkd"].size) == (
        "94616fa57520ac8147522c7cf9f03d555595c5ea",
        25325,
    )
    assert "spec" not in found
    assert len(found) == 8


def test_blobs_are_the_bytes_that_their_hash_names(answering: Callable[[dict[str, Any]], GitHub]) -> None:
    """By hand: 25,325 bytes of a README."""
    blob = only("git_blob")[0]
    raw = base64.b64decode(blob["content"])
    item = Item("1:main:README.mkd", "octokit/octokit.rb/README.mkd", version=blob["sha"], size=blob["size"])
    source = answering({f"/repos/octokit/octokit.rb/git/blobs/{blob['sha']}": raw})
    content = fetch(source.client, item)
    assert isinstance(content, Content)
    assert isinstance(content.body, bytes)
    assert len(content.body) == 25325
    assert content.body.startswith(b"RailsAdmin\n==========\n")


def test_a_comparison_is_what_it_was(answering: Callable[[dict[str, Any]], GitHub]) -> None:
    """By hand: its status and its files."""
    told = only("compare")[0]
    base, head = told["url"].rpartition("/")[2].split("...")
    branch = {"name": "main", "commit": {"sha": head, "commit": {"tree": {"sha": "t"}}}}
    api = "/repos/octokit/octokit.rb"
    source = answering({f"{api}/branches/main": branch, f"{api}/compare/{base}...{head}": told})
    cursor = f'{{"head": "{base}", "name": "octokit/octokit.rb", "etag": null}}'
    try:
        events = list(source.files.changes(REPO, "main", cursor))
    except SourceError:
        assert told["status"] != "ahead"
    else:
        assert len(events) == len(told["files"]) + 1


def test_collaborators_are_who_they_were() -> None:
    """By hand."""
    assert "sferik" in {row["login"] for row in only("collaborators")}


def test_a_renamed_repository_is_the_same() -> None:
    """By hand: its id stays while its name changes."""
    names = {Repository.of(row).name for row in only("rename-repository")}
    assert "octokit-fixture-org/rename-repository-newname" in names
    assert {Repository.of(row).id for row in only("rename-repository")} == {1000}
