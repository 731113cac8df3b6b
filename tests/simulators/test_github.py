"""The vendor's stand-in: its answers have the vendor's shapes, and its state is what was done to it."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from catchment.simulators.github import GitHub, Hooks, Repository
from catchment.simulators.github.git import LINK, SUBMODULE, Entry
from tests.support.github import delivery_schema, needs_data, schema_of

HEADERS = {"Authorization": "Bearer good", "User-Agent": "test", "X-GitHub-Api-Version": "2022-11-28"}


@pytest.fixture
def github() -> GitHub:
    made = GitHub()
    made.token("good")
    return made


@pytest.fixture
def repo(github: GitHub) -> Repository:
    made = github.repository("octo-org/weir", collaborators={"octo-ann": "admin", "octo-bob": "read"})
    made.commit({"README.md": "# Weir\n", "docs/a.md": "a", "docs/deep/b.md": "b"})
    made.commit({"link": Entry(LINK, made.git.blob(b"README.md")), "lib": Entry(SUBMODULE, "1" * 40)})
    issue = made.open("It leaks", "At the *left* bank.")
    issue.labels, issue.assignees, issue.milestone = ["bug"], ["octo-bob"], "Spring"
    made.comment(issue.number, "Since when?")
    pull = made.open("Stop the leak", None, pull=True)
    made.remark(pull.number, "Why here?", path="docs/a.md", line=1)
    made.review(pull.number, "Good.")
    made.close(pull.number, merge=True)
    return made


@pytest.fixture
def client(github: GitHub) -> Iterator[httpx.Client]:
    with github.serve() as url, httpx.Client(base_url=url, headers=HEADERS, timeout=10) as client:
        yield client


@needs_data
class TestShapes:
    @pytest.mark.parametrize(
        ("pattern", "address"),
        [
            ("/user", "/user"),
            ("/user/repos", "/user/repos"),
            ("/repos/{owner}/{repo}", "{r}"),
            ("/repos/{owner}/{repo}/branches", "{r}/branches"),
            ("/repos/{owner}/{repo}/branches/{branch}", "{r}/branches/main"),
            ("/repos/{owner}/{repo}/git/trees/{tree_sha}", "{r}/git/trees/main?recursive=1"),
            ("/repos/{owner}/{repo}/git/blobs/{file_sha}", "{r}/git/blobs/{blob}"),
            ("/repos/{owner}/{repo}/compare/{basehead}", "{r}/compare/{first}...main"),
            ("/repos/{owner}/{repo}/issues", "{r}/issues?state=all"),
            ("/repos/{owner}/{repo}/issues/{issue_number}", "{r}/issues/1"),
            ("/repos/{owner}/{repo}/issues/{issue_number}/comments", "{r}/issues/1/comments"),
            ("/repos/{owner}/{repo}/issues/comments", "{r}/issues/comments"),
            ("/repos/{owner}/{repo}/pulls", "{r}/pulls?state=all"),
            ("/repos/{owner}/{repo}/pulls/{pull_number}", "{r}/pulls/2"),
            ("/repos/{owner}/{repo}/pulls/{pull_number}/comments", "{r}/pulls/2/comments"),
            ("/repos/{owner}/{repo}/pulls/comments", "{r}/pulls/comments"),
            ("/repos/{owner}/{repo}/pulls/{pull_number}/reviews", "{r}/pulls/2/reviews"),
            ("/repos/{owner}/{repo}/collaborators", "{r}/collaborators"),
        ],
    )
    def test_an_answer_is_as_the_vendor_describes_it(
        self, client: httpx.Client, repo: Repository, pattern: str, address: str
    ) -> None:
        """And none of the lists is empty."""
        commits = list(repo.git.commits)
        blob = repo.files()["README.md"].sha
        answer = client.get(address.format(r="/repos/octo-org/weir", blob=blob, first=commits[0]))
        assert answer.status_code == 200, answer.text
        assert answer.json()
        problems = [
            f"{list(one.path)}: {one.message[:200]}" for one in schema_of(pattern).iter_errors(answer.json())
        ]
        assert problems == []

    def test_answers_to_an_app_are_as_the_vendor_describes_them(
        self, github: GitHub, client: httpx.Client, repo: Repository
    ) -> None:
        """Its installations, its token, and what that shows; the word of the app is signed by its key."""
        key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        github.app("42", public)
        number = github.install("octo-org", [repo]).id
        now = github.clock.now()

        def signed(method: str = "RS256", **changed: object) -> dict[str, str]:
            claims = {"iat": now - 60, "exp": now + 540, "iss": "42", **changed}
            parts = [
                base64.urlsafe_b64encode(json.dumps(one).encode()).rstrip(b"=")
                for one in ({"alg": method}, claims)
            ]
            word = b".".join(parts)
            seal = base64.urlsafe_b64encode(key.sign(word, PKCS1v15(), SHA256())).rstrip(b"=")
            return {"Authorization": f"Bearer {(word + b'.' + seal).decode()}"}

        listed = client.get("/app/installations", headers=signed())
        made = client.post(f"/app/installations/{number}/access_tokens", headers=signed())
        # The description wants an account to be a user and a company at once, which none can be.
        found = schema_of("/app/installations").iter_errors(listed.json())
        assert [one.message for one in found if list(one.path) != [0, "account"]] == []
        token = "/app/installations/{installation_id}/access_tokens"
        assert schema_of(token, 201, "post").is_valid(made.json())
        own = {"Authorization": f"Bearer {made.json()['token']}"}
        shown = client.get("/installation/repositories", headers=own)
        assert schema_of("/installation/repositories").is_valid(shown.json())
        assert shown.json()["total_count"] == 1
        for bad in (
            signed(exp=now + 700),
            signed(exp=now - 1),
            signed(iss=7),
            signed(iss=["42"]),
            signed(exp=None),
            signed(iat="today"),
            signed("none"),
            signed("HS256"),
            {"Authorization": "Bearer é.é.é".encode()},
            {},
        ):
            assert client.get("/app/installations", headers=bad).status_code == 401

    def test_a_refusal_is_as_the_vendor_describes_it(self, client: httpx.Client, repo: Repository) -> None:
        """With its status as text."""
        answer = client.get("/repos/octo-org/unknown")
        assert answer.status_code == 404
        assert answer.json()["message"] == "Not Found"
        assert answer.json()["status"] == "404"
        assert schema_of("/repos/{owner}/{repo}", 404).is_valid(answer.json())


class TestState:
    def test_git_has_the_hashes_of_git(self, repo: Repository) -> None:
        """Of the empty blob, as everybody knows it."""
        assert repo.git.blob(b"") == "e69de29bb2d1d6434b8b29ae775ad8c2e48c5391"

    def test_pages_follow_links(self, client: httpx.Client, repo: Repository) -> None:
        """Through the address by id, to the last page and no further."""
        for number in range(5):
            repo.open(f"Issue {number}")
        address: str | None = "/repos/octo-org/weir/issues?state=all&per_page=3&sort=created&direction=asc"
        numbers: list[int] = []
        while address is not None:
            answer = client.get(address)
            numbers += [one["number"] for one in answer.json()]
            address = answer.links.get("next", {}).get("url")
            assert address is None or f"/repositories/{repo.id}/issues" in address
        assert numbers == [1, 2, 3, 4, 5, 6, 7]

    def test_a_cut_tree_says_so_and_a_flat_one_is_whole(
        self, github: GitHub, client: httpx.Client, repo: Repository
    ) -> None:
        """Any value of recursive recurses."""
        github.most_entries = 2
        tree = client.get("/repos/octo-org/weir/git/trees/main?recursive=0").json()
        assert (tree["truncated"], len(tree["tree"])) == (True, 2)
        flat = client.get("/repos/octo-org/weir/git/trees/main").json()
        assert flat["truncated"] is False
        assert {one["path"]: one["type"] for one in flat["tree"]} == {
            "README.md": "blob",
            "docs": "tree",
            "lib": "commit",
            "link": "blob",
        }

    def test_a_comparison_tells_renames_and_where_histories_part(
        self, client: httpx.Client, repo: Repository
    ) -> None:
        """Ahead, renamed; after a force push nothing is in common."""
        before = repo.branches["main"]
        repo.rename("docs/deep", "docs/low")
        told = client.get(f"/repos/octo-org/weir/compare/{before}...main").json()
        assert told["status"] == "ahead"
        assert [(one["status"], one.get("previous_filename")) for one in told["files"]] == [
            ("renamed", "docs/deep/b.md")
        ]
        repo.force_push({"docs/a.md": None})
        assert client.get(f"/repos/octo-org/weir/compare/{before}...main").status_code == 404
        assert "docs/a.md" not in repo.files()

    def test_a_renamed_repository_leads_to_its_id(
        self, github: GitHub, client: httpx.Client, repo: Repository
    ) -> None:
        """For those who may see it."""
        github.rename_repository(repo, "octo-org/dam")
        answer = client.get("/repos/octo-org/weir/issues?state=all")
        assert answer.status_code == 301
        assert answer.headers["location"].endswith(f"/repositories/{repo.id}/issues?state=all")
        assert client.get("/repos/octo-org/dam").json()["id"] == repo.id

    def test_what_is_hidden_does_not_exist(
        self, github: GitHub, client: httpx.Client, repo: Repository
    ) -> None:
        """For a stranger, and for a token without the scope; an expired one is bad."""
        github.token("stranger", "octo-eve")
        github.token("weak", scopes=())
        github.token("old", expires=github.clock.now())
        answers = {
            name: client.get("/repos/octo-org/weir", headers={"Authorization": f"Bearer {name}"}).status_code
            for name in ("good", "stranger", "weak", "old", "none")
        }
        assert answers == {"good": 200, "stranger": 404, "weak": 404, "old": 401, "none": 401}
        github.publish(repo, public=True)
        stranger = {"Authorization": "Bearer stranger"}
        assert client.get("/repos/octo-org/weir", headers=stranger).status_code == 200
        assert client.get("/repos/octo-org/weir/collaborators", headers=stranger).status_code == 403

    def test_what_did_not_change_costs_nothing(
        self, github: GitHub, client: httpx.Client, repo: Repository
    ) -> None:
        """304, and the count stays."""
        first = client.get("/repos/octo-org/weir/branches/main")
        again = client.get(
            "/repos/octo-org/weir/branches/main", headers={"If-None-Match": first.headers["etag"]}
        )
        assert again.status_code == 304
        assert github.access.tokens["good"].used == 1
        repo.commit({"new.md": "x"})
        later = {"If-None-Match": first.headers["etag"]}
        assert client.get("/repos/octo-org/weir/branches/main", headers=later).status_code == 200

    def test_the_limit_tells_when_it_ends(self, github: GitHub, client: httpx.Client) -> None:
        """By the vendor's headers; an hour later all is well."""
        github.access.limit = 1
        assert client.get("/user").headers["x-ratelimit-remaining"] == "0"
        refused = client.get("/user")
        assert refused.status_code == 403
        assert "rate limit exceeded" in refused.json()["message"]
        github.clock.seconds = float(refused.headers["x-ratelimit-reset"])
        assert client.get("/user").status_code == 200

    def test_a_deleted_issue_is_gone_and_a_moved_one_leads_on(
        self, github: GitHub, client: httpx.Client, repo: Repository
    ) -> None:
        """410 and 301; a moved one has another id there."""
        other = github.repository("octo-org/dam", collaborators={"octo-ann": "admin"})
        repo.open("Another")
        before = repo.issues[3].node_id
        repo.transfer(3, other)
        repo.delete(1)
        assert client.get("/repos/octo-org/weir/issues/1").status_code == 410
        moved = client.get("/repos/octo-org/weir/issues/3")
        assert moved.status_code == 301
        assert client.get(moved.headers["location"]).json()["node_id"] != before


class TestDeliveries:
    @needs_data
    def test_are_as_the_vendor_describes_them(self, github: GitHub, repo: Repository) -> None:
        """Each event that a connector listens to."""
        hooks = Hooks(github, "secret")
        github.app("42", b"")
        github.install("octo-org", [repo])
        first, last = list(repo.git.commits)
        comment = next(iter(repo.issues[1].comments.values()))
        review = next(iter(repo.issues[2].reviews.values()))
        renamed = hooks.repository(repo, "renamed", repository={"name": {"from": "old"}})
        talk = repo.forum.open("Where is the key?", "Not at the weir.", category="Q&A")
        problems = []
        for event, action, (_, body) in (
            ("ping", "event", hooks.ping()),
            ("push", "event", hooks.push(repo, first, last)),
            ("issues", "opened", hooks.issue(repo, 1, "opened")),
            ("issues", "deleted", hooks.issue(repo, 1, "deleted")),
            ("issue_comment", "created", hooks.issue_comment(repo, 1, comment, "created")),
            ("pull_request", "closed", hooks.pull_request(repo, 2, "closed")),
            ("pull_request_review", "submitted", hooks.review(repo, 2, review)),
            ("repository", "renamed", renamed),
            ("discussion", "created", hooks.discussion(repo, talk.number, "created")),
            ("discussion", "edited", hooks.discussion(repo, talk.number, "edited", changes={})),
            ("discussion", "deleted", hooks.discussion(repo, talk.number, "deleted")),
            ("installation_repositories", "added", hooks.installation_repositories("added", repo)),
        ):
            found = delivery_schema(event, action).iter_errors(json.loads(body))
            problems += [f"{event}: {list(one.path)}: {one.message[:150]}" for one in found]
        assert problems == []

    def test_are_signed_over_their_bytes(self, github: GitHub, repo: Repository) -> None:
        """As JSON, and as a form."""
        import hashlib
        import hmac

        for form in (False, True):
            hooks = Hooks(github, "secret", form=form)
            headers, body = hooks.issue(repo, 1, "edited")
            digest = hmac.new(b"secret", body, hashlib.sha256).hexdigest()
            assert headers["X-Hub-Signature-256"] == f"sha256={digest}"
            assert (b"payload=" in body) is form

    def test_a_push_names_files(self, github: GitHub, repo: Repository) -> None:
        """A rename is a removal and an addition."""
        before = repo.branches["main"]
        repo.rename("docs/a.md", "docs/c.md")
        _, body = Hooks(github, "secret").push(repo, before, repo.branches["main"])
        told = json.loads(body)
        assert told["commits"][0]["added"] == ["docs/c.md"]
        assert told["commits"][0]["removed"] == ["docs/a.md"]


def test_the_demo_is_the_same_each_time_and_large_enough() -> None:
    """For a seed; some hundreds of things."""

    def seen(seed: int) -> Any:
        github = GitHub.demo(seed)
        return [(sorted(repo.branches.values()), len(repo.issues)) for repo in github.repositories.values()]

    assert seen(1) == seen(1) != seen(2)
    github = GitHub.demo()
    assert "repos=headwaters/river-watch,headwaters/" in github.how_to_connect("http://127.0.0.1:1")
    assert sum(len(repo.files()) + len(repo.issues) for repo in github.repositories.values()) > 300


def test_blobs_come_raw_and_in_base64_with_line_breaks(client: httpx.Client, repo: Repository) -> None:
    """As the header asks."""
    sha = repo.git.blob(b"x" * 100)
    address = f"/repos/octo-org/weir/git/blobs/{sha}"
    told = client.get(address).json()
    assert "\n" in told["content"].strip()
    assert base64.b64decode(told["content"]) == b"x" * 100
    assert client.get(address, headers={"Accept": "application/vnd.github.raw+json"}).content == b"x" * 100
