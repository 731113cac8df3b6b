"""Deliveries: verified before they are read, and read as hints."""

from __future__ import annotations

import hashlib
import hmac
import json

import pytest

from catchment.core.errors import ConfigRejected, PermissionMissing
from catchment.kit import Changed, Checkpoint, Deleted, FeedEvent, Handshake
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Hooks, Repository
from catchment.simulators.github.world import ZERO
from connectors.github import GitHub
from connectors.github.webhook import verify
from tests.connectors.github.conftest import MakeSource, listed
from tests.support.github import events, examples, needs_data

SECRET = "a secret canary"


@pytest.fixture
def hooks(vendor: Vendor) -> Hooks:
    return Hooks(vendor, SECRET)


def read(delivery: tuple[dict[str, str], bytes], secret: str = SECRET) -> list[FeedEvent]:
    return GitHub.webhook(*delivery, secret)


def told(found: list[FeedEvent]) -> dict[str, str]:
    """Return what is said of each key."""
    names = {}
    for event in found:
        if isinstance(event, Changed):
            names[event.item.key] = "changed"
        elif isinstance(event, Deleted):
            names[event.key] = "deleted"
        else:
            assert isinstance(event, Checkpoint)
            names[event.position] = "look"
    return names


class TestSignature:
    def test_the_vendors_own_example(self) -> None:
        """As its documentation has it."""
        digest = "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"
        verify(f"sha256={digest}", b"Hello, World!", "It's a Secret to Everybody")

    def test_comes_before_everything(self, hooks: Hooks, repo: Repository) -> None:
        """Missing, wrong, of another secret or another body, SHA-1 only, or without any secret: refused."""
        headers, body = hooks.ping()
        good = headers["X-Hub-Signature-256"]
        bad: list[dict[str, str]] = [
            {**headers, "X-Hub-Signature-256": text}
            for text in ("", "sha256=", good[:-1], f"sha1={good[7:]}", good.upper(), good[7:])
        ]
        bad += [{**headers, "X-Hub-Signature-256": f"sha256={text}"} for text in ("é", "\ud800", "\0")]
        bad.append({name: value for name, value in headers.items() if name != "X-Hub-Signature-256"})
        for one in bad:
            with pytest.raises(PermissionMissing) as caught:
                GitHub.webhook(one, body, SECRET)
            assert SECRET not in str(caught.value)
        for secret, sent in (("another", body), ("", body), (SECRET, body + b" ")):
            with pytest.raises(PermissionMissing):
                GitHub.webhook(headers, sent, secret)
        unsigned = Hooks(hooks.github, "").ping()
        with pytest.raises(PermissionMissing):
            GitHub.webhook(*unsigned, "")
        empty = hmac.new(b"", body, hashlib.sha256).hexdigest()
        with pytest.raises(PermissionMissing):
            GitHub.webhook({**headers, "X-Hub-Signature-256": f"sha256={empty}"}, body, "")

    def test_names_of_headers_have_no_case(self, hooks: Hooks) -> None:
        """Servers write them in small letters."""
        headers, body = hooks.ping()
        assert GitHub.webhook({name.lower(): value for name, value in headers.items()}, body, SECRET) == []

    def test_what_is_signed_and_makes_no_sense_is_refused(self, hooks: Hooks) -> None:
        """By one error; what nobody asked for says nothing."""
        for payload in ({}, {"ref": "refs/heads/x", "repository": []}, {"ref": "refs/heads/x"}):
            with pytest.raises(ConfigRejected):
                read(hooks.delivery("push", payload))
        headers, _ = hooks.ping()
        deep, huge = b"[" * 100_000, b'{"repository": {"id": 1e999}, "issue": {}}'
        for body in (b"", b"[]", b"{", b"\xff", deep, huge):
            digest = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
            signed = {**headers, "X-GitHub-Event": "issues", "X-Hub-Signature-256": f"sha256={digest}"}
            with pytest.raises(ConfigRejected):
                GitHub.webhook(signed, body, SECRET)
        assert read(hooks.delivery("star", {"anything": 1})) == []


class TestHandshake:
    def test_a_ping_is_answered(self, hooks: Hooks) -> None:
        """Nothing is to be kept, and nothing is reported."""
        found = GitHub.handshake(*hooks.ping(), SECRET)
        assert found == Handshake(b"pong")
        assert read(hooks.ping()) == []

    def test_only_a_ping_that_is_signed(self, hooks: Hooks) -> None:
        """With another secret GitHub shows it as failed; other deliveries are no greetings."""
        for delivery in (Hooks(hooks.github, "another").ping(), Hooks(hooks.github, "").ping()):
            with pytest.raises(PermissionMissing):
                GitHub.handshake(*delivery, SECRET)
        assert GitHub.handshake(*Hooks(hooks.github, "another").delivery("star", {}), SECRET) is None


class TestEvents:
    def test_a_push_names_its_files(self, hooks: Hooks, repo: Repository) -> None:
        """The last word on each; keys are those of a listing."""
        before = repo.branches["main"]
        repo.commit({"new.md": "x", "docs/a.md": "y", "README.md": None})
        found = told(read(hooks.push(repo, before, repo.branches["main"])))
        head = f"{repo.id}:main:"
        assert found == {
            f"{head}README.md": "deleted",
            f"{head}docs/a.md": "changed",
            f"{head}new.md": "changed",
        }

    def test_a_file_that_went_and_came_back_is_there(self, hooks: Hooks, repo: Repository) -> None:
        """By the order of commits."""
        payload = json.loads(hooks.push(repo, ZERO, repo.branches["main"])[1])
        payload |= {"created": False, "before": "1" * 40}
        payload["commits"] = [
            {"removed": ["x.md"], "added": ["y.md"]},
            {"added": ["x.md"], "removed": ["y.md"], "modified": None},
        ]
        found = told(read(hooks.delivery("push", payload)))
        assert found == {f"{repo.id}:main:x.md": "changed", f"{repo.id}:main:y.md": "deleted"}

    def test_a_push_that_does_not_tell_all_asks_to_look(self, hooks: Hooks, repo: Repository) -> None:
        """Forced, a new or deleted branch, or as many commits as are named at most; tags are nothing."""
        before = repo.branches["main"]
        after = repo.commit({"new.md": "x"}).sha
        scope = {f"{repo.id}:files:main": "look"}
        assert told(read(hooks.push(repo, before, after, forced=True))) == scope
        assert told(read(hooks.push(repo, ZERO, after))) == scope
        assert told(read(hooks.push(repo, before, ZERO))) == scope
        payload = json.loads(hooks.push(repo, before, after)[1])
        many = {**payload, "commits": payload["commits"] * 20}
        assert told(read(hooks.delivery("push", many))) == scope
        assert read(hooks.delivery("push", {**payload, "ref": "refs/tags/v1"})) == []
        feature = told(read(hooks.push(repo, ZERO, after, branch="feature/x")))
        assert feature == {f"{repo.id}:files:feature/x": "look"}

    def test_issues_and_what_is_said_about_them(self, hooks: Hooks, repo: Repository, source: GitHub) -> None:
        """With the keys and paths that a listing has."""
        repo.open("Issue", "Body")
        pull = repo.open("Pull", "Body", pull=True)
        comment = repo.comment(1, "A comment")
        comment_of_pull = repo.comment(2, "A comment")
        review = repo.review(2, "Good")
        items, _ = listed(source)
        issue = repo.issues[1]
        for delivery, key in (
            (hooks.issue(repo, 1, "edited"), issue.node_id),
            (hooks.issue_comment(repo, 1, comment, "created"), issue.node_id),
            (hooks.issue_comment(repo, 1, comment, "deleted"), issue.node_id),
            (hooks.issue_comment(repo, 2, comment_of_pull, "edited"), pull.node_id),
            (hooks.pull_request(repo, 2, "synchronize"), pull.node_id),
            (hooks.review(repo, 2, review), pull.node_id),
        ):
            found = read(delivery)
            assert told(found) == {key: "changed"}
            assert isinstance(found[0], Changed)
            assert found[0].item.path == items[key].path
        for action in ("deleted", "transferred"):
            assert told(read(hooks.issue(repo, 1, action))) == {issue.node_id: "deleted"}

    def test_discussions_and_what_is_said_in_them(
        self, hooks: Hooks, repo: Repository, source: GitHub
    ) -> None:
        """With the keys and paths that a listing has; a comment that is deleted leaves its discussion."""
        one = repo.forum.open("Discussion", "Body", category="Q&A")
        comment = repo.forum.comment(one.number, "A comment")
        reply = repo.forum.reply(one.number, comment.id, "A reply")
        item = listed(source)[0][one.node_id]
        actions = ("created", "edited", "answered", "unanswered", "category_changed", "labeled", "closed")
        for delivery in (
            *(hooks.discussion(repo, one.number, action) for action in actions),
            hooks.discussion_comment(repo, one.number, comment, "created"),
            hooks.discussion_comment(repo, one.number, reply, "edited"),
            hooks.discussion_comment(repo, one.number, comment, "deleted"),
        ):
            found = read(delivery)
            assert told(found) == {one.node_id: "changed"}
            assert isinstance(found[0], Changed)
            assert found[0].item.path == item.path
        for action in ("deleted", "transferred"):
            assert told(read(hooks.discussion(repo, one.number, action))) == {one.node_id: "deleted"}

    def test_repositories_that_are_renamed_or_given_ask_to_look(self, hooks: Hooks, repo: Repository) -> None:
        """Nothing is removed on their word."""
        hooks.github.install("octo-org", [repo])
        for action in ("renamed", "transferred", "deleted", "privatized", "publicized"):
            found = told(read(hooks.repository(repo, action)))
            assert found == dict.fromkeys(
                (f"{repo.id}:files:main", f"{repo.id}:issues", f"{repo.id}:discussions"), "look"
            )
        for action in ("added", "removed"):
            found = told(read(hooks.installation_repositories(action, repo)))
            assert found == {f"{repo.id}:issues": "look"}

    def test_forms_are_read_and_replays_say_the_same(self, hooks: Hooks, repo: Repository) -> None:
        """The signature is that of the form; a thousand times is as good as once."""
        repo.open("Issue & more", "Body=%20")
        hooks.form = True
        delivery = hooks.issue(repo, 1, "opened")
        assert told(read(delivery)) == {repo.issues[1].node_id: "changed"}
        assert all(read(delivery) == read(delivery) for _ in range(500))

    def test_a_stale_one_is_only_a_hint(
        self, hooks: Hooks, repo: Repository, make_source: MakeSource
    ) -> None:
        """What it says of the version is not what is found by its key."""
        repo.open("Issue", "Body")
        stale = read(hooks.issue(repo, 1, "opened"))
        repo.comment(1, "Later")
        assert isinstance(stale[0], Changed)
        source = make_source()
        found = next(iter(source.find(source.scopes(), [stale[0].item.key])))
        assert found.item is not None
        assert found.item.version != stale[0].item.version

    @needs_data
    @pytest.mark.parametrize("event", events())
    def test_every_example_of_the_vendor_is_read(self, hooks: Hooks, event: str) -> None:
        """None crashes; those that concern us say something."""
        ours = {"issues", "issue_comment", "pull_request", "pull_request_review", "push", "repository"} | {
            "discussion"
        }
        for payload in examples(event):
            found = read(hooks.delivery(event, payload))
            is_tag = str(payload.get("ref", "")).startswith("refs/tags/")
            assert bool(found) or event not in ours or is_tag, payload.get("action")
