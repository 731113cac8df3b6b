"""The shapes of issues, pull requests, and what is said about them."""

from __future__ import annotations

from catchment.simulators.github.bodies import WEB, Body, embedded, iso, reactions, user
from catchment.simulators.github.ids import node_id
from catchment.simulators.github.world import Comment, Issue, Repository, Review

COUNTED = frozenset(
    (
        *("merged", "merged_by", "mergeable", "mergeable_state", "rebaseable", "maintainer_can_modify"),
        *("comments", "review_comments", "commits", "additions", "deletions", "changed_files"),
    )
)
"""What stands in the long form of a pull request only."""


def issue(base: str, repo: Repository, one: Issue) -> Body:
    """An issue; a pull request looks like one, and says so."""
    api = f"{base}/repos/{repo.full_name}/issues/{one.number}"
    web = f"{WEB}/{repo.full_name}/{'pull' if one.is_pull else 'issues'}/{one.number}"
    people = [user(base, login) for login in one.assignees]
    body: Body = {
        "url": api,
        "repository_url": f"{base}/repos/{repo.full_name}",
        "labels_url": f"{api}/labels{{/name}}",
        "comments_url": f"{api}/comments",
        "events_url": f"{api}/events",
        "timeline_url": f"{api}/timeline",
        "html_url": web,
        "id": one.id,
        "node_id": one.node_id,
        "number": one.number,
        "title": one.title,
        "user": user(base, one.author) if one.author else None,
        "labels": [_label(base, repo, name) for name in one.labels],
        "state": one.state,
        "state_reason": "completed" if one.closed and not one.is_pull else None,
        "locked": False,
        "active_lock_reason": None,
        "assignee": people[0] if people else None,
        "assignees": people,
        "milestone": _milestone(base, repo, one),
        "comments": len(one.comments),
        "created_at": iso(one.created),
        "updated_at": iso(one.updated),
        "closed_at": iso(one.closed),
        "author_association": "MEMBER",
        "body": one.body,
        "reactions": reactions(api),
    }
    if one.is_pull:
        body["draft"] = False
        body["pull_request"] = {
            "url": f"{base}/repos/{repo.full_name}/pulls/{one.number}",
            "html_url": web,
            "diff_url": f"{web}.diff",
            "patch_url": f"{web}.patch",
            "merged_at": iso(one.merged),
        }
    return body


def pull(base: str, repo: Repository, one: Issue) -> Body:
    """A pull request by itself, in the long form."""
    api = f"{base}/repos/{repo.full_name}/pulls/{one.number}"
    issues = f"{base}/repos/{repo.full_name}/issues/{one.number}"
    web = f"{WEB}/{repo.full_name}/pull/{one.number}"
    plain = issue(base, repo, one)
    sha = repo.branches.get(repo.default_branch, "0" * 40)
    whole = embedded(base, repo)

    def end(ref: str) -> Body:
        owner = user(base, repo.owner, "Organization")
        return {"label": f"{repo.owner}:{ref}", "ref": ref, "sha": sha, "user": owner, "repo": whole}

    kept = (
        "id node_id number title user labels state locked active_lock_reason assignee assignees milestone"
        " created_at updated_at closed_at author_association body draft comments"
    )
    links = {
        "self": api,
        "html": web,
        "issue": issues,
        "comments": f"{issues}/comments",
        "review_comments": f"{api}/comments",
        "review_comment": f"{base}/repos/{repo.full_name}/pulls/comments{{/number}}",
        "commits": f"{api}/commits",
        "statuses": f"{base}/repos/{repo.full_name}/statuses/{sha}",
    }
    return {
        **{name: plain[name] for name in kept.split()},
        "url": api,
        "html_url": web,
        "diff_url": f"{web}.diff",
        "patch_url": f"{web}.patch",
        "issue_url": issues,
        "commits_url": links["commits"],
        "review_comments_url": links["review_comments"],
        "review_comment_url": links["review_comment"],
        "comments_url": links["comments"],
        "statuses_url": links["statuses"],
        "requested_reviewers": [],
        "requested_teams": [],
        "head": end(one.head),
        "base": end(repo.default_branch),
        "_links": {name: {"href": href} for name, href in links.items()},
        "auto_merge": None,
        "merged": one.merged is not None,
        "merged_at": iso(one.merged),
        "merged_by": user(base, repo.owner) if one.merged else None,
        "merge_commit_sha": sha if one.merged else None,
        "mergeable": None,
        "mergeable_state": "unknown",
        "rebaseable": None,
        "maintainer_can_modify": False,
        "review_comments": len(one.remarks),
        "commits": 1,
        "additions": 1,
        "deletions": 0,
        "changed_files": 1,
    }


def short_pull(base: str, repo: Repository, one: Issue) -> Body:
    """A pull request in a list: without what the vendor would have to count."""
    return {name: value for name, value in pull(base, repo, one).items() if name not in COUNTED}


def comment(base: str, repo: Repository, number: int, one: Comment) -> Body:
    """A comment in a conversation."""
    api = f"{base}/repos/{repo.full_name}/issues/comments/{one.id}"
    kind = "pull" if repo.issues[number].is_pull else "issues"
    return {
        "id": one.id,
        "node_id": node_id("IC", one.id),
        "url": api,
        "html_url": f"{WEB}/{repo.full_name}/{kind}/{number}#issuecomment-{one.id}",
        "issue_url": f"{base}/repos/{repo.full_name}/issues/{number}",
        "user": user(base, one.author),
        "created_at": iso(one.created),
        "updated_at": iso(one.updated),
        "author_association": "MEMBER",
        "performed_via_github_app": None,
        "body": one.body,
        "reactions": reactions(api),
    }


def remark(base: str, repo: Repository, number: int, one: Comment) -> Body:
    """A comment beside a line of a pull request."""
    api = f"{base}/repos/{repo.full_name}/pulls/comments/{one.id}"
    web = f"{WEB}/{repo.full_name}/pull/{number}#discussion_r{one.id}"
    request = f"{base}/repos/{repo.full_name}/pulls/{number}"
    sha = repo.branches.get(repo.default_branch, "0" * 40)
    return {
        "id": one.id,
        "node_id": node_id("PRRC", one.id),
        "url": api,
        "html_url": web,
        "pull_request_url": request,
        "pull_request_review_id": None,
        "diff_hunk": "@@ -1 +1 @@",
        "path": one.path,
        "line": one.line,
        "original_line": one.line,
        "side": "RIGHT",
        "position": 1,
        "original_position": 1,
        "commit_id": sha,
        "original_commit_id": sha,
        "subject_type": "line",
        "user": user(base, one.author),
        "created_at": iso(one.created),
        "updated_at": iso(one.updated),
        "author_association": "MEMBER",
        "body": one.body,
        "reactions": reactions(api),
        "_links": {
            "self": {"href": api},
            "html": {"href": web},
            "pull_request": {"href": request},
        },
    }


def review(base: str, repo: Repository, number: int, one: Review) -> Body:
    """A verdict on a pull request."""
    web = f"{WEB}/{repo.full_name}/pull/{number}#pullrequestreview-{one.id}"
    request = f"{base}/repos/{repo.full_name}/pulls/{number}"
    return {
        "id": one.id,
        "node_id": node_id("PRR", one.id),
        "user": user(base, one.author),
        "body": one.body,
        "state": one.state,
        "html_url": web,
        "pull_request_url": request,
        "author_association": "MEMBER",
        "_links": {"html": {"href": web}, "pull_request": {"href": request}},
        "submitted_at": iso(one.submitted),
        "commit_id": repo.branches.get(repo.default_branch),
    }


def _label(base: str, repo: Repository, name: str) -> Body:
    number = sum(name.encode())
    return {
        "id": number,
        "node_id": node_id("LA", number),
        "url": f"{base}/repos/{repo.full_name}/labels/{name}",
        "name": name,
        "color": "ededed",
        "default": False,
        "description": None,
    }


def _milestone(base: str, repo: Repository, issue: Issue) -> Body | None:
    if issue.milestone is None:
        return None
    api = f"{base}/repos/{repo.full_name}/milestones/1"
    return {
        "url": api,
        "html_url": f"{WEB}/{repo.full_name}/milestone/1",
        "labels_url": f"{api}/labels",
        "id": 1,
        "node_id": node_id("MI", 1),
        "number": 1,
        "state": "open",
        "title": issue.milestone,
        "description": None,
        "creator": user(base, repo.owner),
        "open_issues": 1,
        "closed_issues": 0,
        "created_at": iso(issue.created),
        "updated_at": iso(issue.created),
        "closed_at": None,
        "due_on": None,
    }
