"""The shapes of the vendor's answers: people, repositories, commits, apps, and what all shapes share."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from catchment.simulators.github.git import Commit
from catchment.simulators.github.ids import node_id
from catchment.simulators.github.world import Installation, Repository

Body = dict[str, Any]
WEB = "https://github.com"
DOCS = "https://docs.github.com/rest"
_REPOSITORY_LINKS = {
    "archive": "/{archive_format}{/ref}",
    "assignees": "/assignees{/user}",
    "blobs": "/git/blobs{/sha}",
    "branches": "/branches{/branch}",
    "collaborators": "/collaborators{/collaborator}",
    "comments": "/comments{/number}",
    "commits": "/commits{/sha}",
    "compare": "/compare/{base}...{head}",
    "contents": "/contents/{+path}",
    "contributors": "/contributors",
    "deployments": "/deployments",
    "downloads": "/downloads",
    "events": "/events",
    "forks": "/forks",
    "git_commits": "/git/commits{/sha}",
    "git_refs": "/git/refs{/sha}",
    "git_tags": "/git/tags{/sha}",
    "hooks": "/hooks",
    "issue_comment": "/issues/comments{/number}",
    "issue_events": "/issues/events{/number}",
    "issues": "/issues{/number}",
    "keys": "/keys{/key_id}",
    "labels": "/labels{/name}",
    "languages": "/languages",
    "merges": "/merges",
    "milestones": "/milestones{/number}",
    "notifications": "/notifications{?since,all,participating}",
    "pulls": "/pulls{/number}",
    "releases": "/releases{/id}",
    "stargazers": "/stargazers",
    "statuses": "/statuses/{sha}",
    "subscribers": "/subscribers",
    "subscription": "/subscription",
    "tags": "/tags",
    "teams": "/teams",
    "trees": "/git/trees{/sha}",
}
_LONG = ("network_count", "subscribers_count")
_USER_LINKS = ("followers", "subscriptions", "organizations", "repos", "received_events")


def iso(seconds: float | None) -> str | None:
    """Write a time as the vendor does: whole seconds, UTC."""
    if seconds is None:
        return None
    return datetime.fromtimestamp(int(seconds), UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def error(message: str, status: int, **more: Any) -> Body:
    """A refusal."""
    return {"message": message, "documentation_url": DOCS, "status": str(status), **more}


def user(base: str, login: str, kind: str = "User") -> Body:
    """A user as it stands in other things."""
    number = sum(ord(letter) * place for place, letter in enumerate(login, 1))
    api = f"{base}/users/{login}"
    return {
        "login": login,
        "id": number,
        "node_id": node_id("U", number),
        "avatar_url": f"https://avatars.githubusercontent.com/u/{number}?v=4",
        "gravatar_id": "",
        "url": api,
        "html_url": f"{WEB}/{login}",
        "following_url": f"{api}/following{{/other_user}}",
        "gists_url": f"{api}/gists{{/gist_id}}",
        "starred_url": f"{api}/starred{{/owner}}{{/repo}}",
        "events_url": f"{api}/events{{/privacy}}",
        **{f"{name}_url": f"{api}/{name}" for name in _USER_LINKS},
        "type": kind,
        "site_admin": False,
    }


def me(base: str, login: str, created: float) -> Body:
    """The user of the token."""
    return {
        **user(base, login),
        "name": login.title(),
        "company": None,
        "blog": "",
        "location": None,
        "email": f"{login}@example.com",
        "hireable": None,
        "bio": None,
        "public_repos": 1,
        "public_gists": 0,
        "followers": 0,
        "following": 0,
        "created_at": iso(created),
        "updated_at": iso(created),
    }


def embedded(base: str, repo: Repository) -> Body:
    """A repository as it stands in other things, and in deliveries."""
    whole = repository(base, repo)
    return {name: value for name, value in whole.items() if name not in _LONG}


def repository(base: str, repo: Repository) -> Body:
    """A repository, with everything that the long form has."""
    pushed = max((one.at for one in repo.git.commits.values()), default=repo.created)
    api = f"{base}/repos/{repo.full_name}"
    web = f"{WEB}/{repo.full_name}"
    opened = sum(issue.state == "open" for issue in repo.issues.values())
    return {
        "id": repo.id,
        "node_id": node_id("R", repo.id),
        "name": repo.name,
        "full_name": repo.full_name,
        "private": repo.private,
        "visibility": repo.visibility,
        "owner": user(base, repo.owner, "Organization"),
        "html_url": web,
        "description": None,
        "fork": False,
        "url": api,
        **{f"{name}_url": f"{api}{tail}" for name, tail in _REPOSITORY_LINKS.items()},
        "git_url": f"git://github.com/{repo.full_name}.git",
        "ssh_url": f"git@github.com:{repo.full_name}.git",
        "clone_url": f"{web}.git",
        "svn_url": web,
        "mirror_url": None,
        "homepage": None,
        "language": None,
        "license": None,
        "forks": 0,
        "forks_count": 0,
        "stargazers_count": 0,
        "watchers": 0,
        "watchers_count": 0,
        "subscribers_count": 0,
        "network_count": 0,
        "open_issues": opened,
        "open_issues_count": opened,
        "size": len(repo.git.blobs),
        "default_branch": repo.default_branch,
        "has_issues": repo.has_issues,
        "has_projects": False,
        "has_wiki": False,
        "has_pages": False,
        "has_downloads": True,
        "has_discussions": repo.forum.is_on,
        "archived": False,
        "disabled": False,
        "topics": [],
        "is_template": False,
        "web_commit_signoff_required": False,
        "custom_properties": {},
        "permissions": {"admin": False, "maintain": False, "push": False, "triage": False, "pull": True},
        "pushed_at": iso(pushed),
        "created_at": iso(repo.created),
        "updated_at": iso(pushed),
    }


def reactions(url: str) -> Body:
    """No reactions at all."""
    names = ("total_count", "+1", "-1", "laugh", "hooray", "confused", "heart", "rocket", "eyes")
    return {"url": f"{url}/reactions", **dict.fromkeys(names, 0)}


def commit(base: str, repo: Repository, one: Commit) -> Body:
    """A commit without its files."""
    api = f"{base}/repos/{repo.full_name}"
    person = {"name": one.author, "email": f"{one.author}@example.com", "date": iso(one.at)}
    return {
        "sha": one.sha,
        "node_id": node_id("C", int(one.sha[:8], 16)),
        "url": f"{api}/commits/{one.sha}",
        "html_url": f"{WEB}/{repo.full_name}/commit/{one.sha}",
        "comments_url": f"{api}/commits/{one.sha}/comments",
        "commit": {
            "url": f"{api}/git/commits/{one.sha}",
            "author": person,
            "committer": person,
            "message": one.message,
            "comment_count": 0,
            "tree": {"sha": one.tree, "url": f"{api}/git/trees/{one.tree}"},
            "verification": {
                "verified": False,
                "reason": "unsigned",
                "payload": None,
                "signature": None,
                "verified_at": None,
            },
        },
        "author": user(base, one.author),
        "committer": user(base, one.author),
        "parents": [
            {
                "sha": parent,
                "url": f"{api}/commits/{parent}",
                "html_url": f"{WEB}/{repo.full_name}/commit/{parent}",
            }
            for parent in one.parents
        ],
    }


def collaborator(base: str, login: str, role: str) -> Body:
    """Someone who may at least read."""
    roles = ("pull", "triage", "push", "maintain", "admin")
    names = {"read": "pull", "write": "push"}
    rank = roles.index(names.get(role, role))
    return {
        **user(base, login),
        "permissions": {name: place <= rank for place, name in enumerate(roles)},
        "role_name": role,
    }


def installation(base: str, app: str, one: Installation, created: float) -> Body:
    """An app on an account."""
    return {
        "id": one.id,
        "account": user(base, one.account, "Organization"),
        "repository_selection": "selected",
        "access_tokens_url": f"{base}/app/installations/{one.id}/access_tokens",
        "repositories_url": f"{base}/installation/repositories",
        "html_url": f"{WEB}/organizations/{one.account}/settings/installations/{one.id}",
        "app_id": int(app),
        "app_slug": "catchment",
        "target_id": 1,
        "target_type": "Organization",
        "permissions": dict(one.permissions),
        "events": ["push", "issues"],
        "created_at": iso(created),
        "updated_at": iso(created),
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": iso(created) if one.suspended else None,
    }
