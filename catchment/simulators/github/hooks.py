"""Deliveries: what the vendor sends of its own accord, signed."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import urlencode

from catchment.simulators.github import bodies, issuebodies, talkbodies
from catchment.simulators.github.forum import Said
from catchment.simulators.github.git import differences
from catchment.simulators.github.server import GitHub, dumped
from catchment.simulators.github.world import ZERO, Comment, Repository, Review

Delivery = tuple[dict[str, str], bytes]
BASE = "https://api.github.com"


@dataclass
class Hooks:
    """One webhook with its secret.

    Attributes:
        github: Where things happen.
        secret: Known to both sides; without one nothing is signed.
        form: Whether it sends forms instead of JSON.
    """

    github: GitHub
    secret: str
    form: bool = False
    _numbers: count[int] = field(default_factory=lambda: count(1))

    def delivery(self, event: str, payload: dict[str, Any]) -> Delivery:
        """Return headers and body of a delivery."""
        body = dumped(payload)
        if self.form:
            body = urlencode({"payload": body.decode()}).encode()
        number = next(self._numbers)
        headers = {
            "Content-Type": "application/x-www-form-urlencoded" if self.form else "application/json",
            "User-Agent": "GitHub-Hookshot/0000000",
            "X-GitHub-Event": event,
            "X-GitHub-Delivery": f"00000000-0000-4000-8000-{number:012}",
            "X-GitHub-Hook-ID": "1",
        }
        if self.secret:
            digest = hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()
            headers["X-Hub-Signature-256"] = f"sha256={digest}"
        return headers, body

    def ping(self) -> Delivery:
        """The first delivery of a new hook."""
        api = f"{BASE}/repos/octo-org/octo-repo/hooks/1"
        hook = {
            "type": "Repository",
            "id": 1,
            "name": "web",
            "active": True,
            "events": ["*"],
            "config": {"content_type": "form" if self.form else "json", "insecure_ssl": "0", "url": BASE},
            "updated_at": bodies.iso(self.github.clock.now()),
            "created_at": bodies.iso(self.github.clock.now()),
            "url": api,
            "test_url": f"{api}/test",
            "ping_url": f"{api}/pings",
            "deliveries_url": f"{api}/deliveries",
            "last_response": {"code": None, "status": "unused", "message": None},
        }
        return self.delivery("ping", {"zen": "Keep it simple.", "hook_id": 1, "hook": hook, **self._sender()})

    def push(
        self, repo: Repository, before: str, after: str, *, branch: str | None = None, forced: bool = False
    ) -> Delivery:
        """Commits arrived on a branch, or it was made, or deleted."""
        files = differences(
            repo.git.commits[before].files if before in repo.git.commits else {},
            repo.git.commits[after].files if after in repo.git.commits else {},
        )
        ref = f"refs/heads/{branch or repo.default_branch}"
        told = self._pushed(repo, after, files)
        payload = {
            "ref": ref,
            "before": before,
            "after": after,
            "base_ref": None,
            "compare": f"{bodies.WEB}/{repo.full_name}/compare/{before[:12]}...{after[:12]}",
            "created": before == ZERO,
            "deleted": after == ZERO,
            "forced": forced,
            "commits": [told] if told is not None else [],
            "head_commit": told,
            "pusher": {"name": "octo-ann", "email": "octo-ann@example.com"},
            "repository": self._repository(repo),
            **self._sender(),
        }
        return self.delivery("push", payload)

    def issue(self, repo: Repository, number: int, action: str) -> Delivery:
        """Something happened to an issue; call it before the issue is deleted."""
        told = issuebodies.issue(BASE, repo, repo.issues[number])
        return self.delivery("issues", self._about(repo, action, issue=told))

    def issue_comment(self, repo: Repository, number: int, comment: Comment, action: str) -> Delivery:
        """Something happened to a comment."""
        told = issuebodies.issue(BASE, repo, repo.issues[number])
        said = issuebodies.comment(BASE, repo, number, comment)
        return self.delivery("issue_comment", self._about(repo, action, issue=told, comment=said))

    def pull_request(self, repo: Repository, number: int, action: str) -> Delivery:
        """Something happened to a pull request."""
        told = issuebodies.pull(BASE, repo, repo.issues[number])
        return self.delivery("pull_request", self._about(repo, action, number=number, pull_request=told))

    def review(self, repo: Repository, number: int, review: Review, action: str = "submitted") -> Delivery:
        """Somebody gave a verdict."""
        told = issuebodies.short_pull(BASE, repo, repo.issues[number])
        said = {**issuebodies.review(BASE, repo, number, review), "state": review.state.lower()}
        payload = self._about(repo, action, pull_request=told, review=said)
        return self.delivery("pull_request_review", payload)

    def discussion(self, repo: Repository, number: int, action: str, **more: Any) -> Delivery:
        """Something happened to a discussion; call it before the discussion is deleted."""
        told = talkbodies.discussion(BASE, repo, repo.forum.discussions[number])
        return self.delivery("discussion", self._about(repo, action, discussion=told, **more))

    def discussion_comment(self, repo: Repository, number: int, said: Said, action: str) -> Delivery:
        """Something happened to a comment in a discussion."""
        one = repo.forum.discussions[number]
        told = talkbodies.discussion(BASE, repo, one)
        comment = talkbodies.discussion_comment(BASE, repo, one, said)
        return self.delivery(
            "discussion_comment", self._about(repo, action, discussion=told, comment=comment)
        )

    def repository(self, repo: Repository, action: str, **changes: Any) -> Delivery:
        """Something happened to a repository."""
        return self.delivery("repository", self._about(repo, action, changes=changes))

    def installation_repositories(self, action: str, *repositories: Repository) -> Delivery:
        """The app was given repositories, or lost some."""
        told = [
            {
                "id": repo.id,
                "node_id": f"R_{repo.id}",
                "name": repo.name,
                "full_name": repo.full_name,
                "private": repo.private,
            }
            for repo in repositories
        ]
        payload = {
            "action": action,
            "repository_selection": "selected",
            "repositories_added": told if action == "added" else [],
            "repositories_removed": told if action == "removed" else [],
            "requester": None,
            "installation": self._installation(),
            **self._sender(),
        }
        return self.delivery("installation_repositories", payload)

    def _about(self, repo: Repository, action: str, **more: Any) -> dict[str, Any]:
        return {"action": action, **more, "repository": self._repository(repo), **self._sender()}

    def _repository(self, repo: Repository) -> dict[str, Any]:
        return bodies.embedded(BASE, repo)

    def _sender(self) -> dict[str, Any]:
        return {"sender": bodies.user(BASE, "octo-ann")}

    def _installation(self) -> dict[str, Any]:
        access = self.github.access
        one = next(iter(access.installations.values()))
        return bodies.installation(BASE, next(iter(access.apps), "1"), one, self.github.clock.now())

    def _pushed(self, repo: Repository, after: str, files: list[dict[str, str]]) -> dict[str, Any] | None:
        """The one commit that a push names, with the files that all of it changed."""
        commit = repo.git.commits.get(after)
        if commit is None:
            return None
        person = {"name": commit.author, "email": f"{commit.author}@example.com", "username": commit.author}
        removed = [one for one in files if one["status"] in ("removed", "renamed")]
        return {
            "id": after,
            "tree_id": commit.tree,
            "distinct": True,
            "message": commit.message,
            "timestamp": bodies.iso(commit.at),
            "url": f"{bodies.WEB}/{repo.full_name}/commit/{after}",
            "author": person,
            "committer": person,
            "added": [one["filename"] for one in files if one["status"] in ("added", "renamed")],
            "removed": [one.get("previous_filename", one["filename"]) for one in removed],
            "modified": [one["filename"] for one in files if one["status"] == "modified"],
        }
