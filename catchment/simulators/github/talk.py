"""Answers about issues, pull requests, comments and reviews."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from catchment.simulators.github import bodies, issuebodies
from catchment.simulators.github.access import Refused, refuse
from catchment.simulators.github.server import Call, GitHub, route
from catchment.simulators.github.world import Issue
from catchment.simulators.wire import Reply


def _ordered(call: Call, found: Iterable[Any], *, since: bool = True) -> list[Any]:
    """Sort things by the query, and drop what is older than it wants; every pair ends in the thing itself."""
    query = call.request.query
    field = "updated" if query.get("sort") == "updated" else "created"
    asked = query.get("since") if since else None
    least = datetime.fromisoformat(asked).timestamp() if asked else 0
    pairs = [(number, one) for number, one in found if int(one.updated) >= least]
    back = query.get("direction", "desc") == "desc"
    pairs.sort(key=lambda pair: (int(getattr(pair[1], field)), pair[1].id), reverse=back)
    return pairs


def _chosen(call: Call, *, pulls: bool) -> Iterable[tuple[int, Issue]]:
    state = call.request.query.get("state", "open")
    for one in call.repo.issues.values():
        if state in ("all", one.state) and (one.is_pull or not pulls):
            yield one.number, one


@route(r"\{repo\}/issues")
def _issues(github: GitHub, call: Call) -> Reply:
    call.require("issues")
    if not call.repo.has_issues:
        raise refuse(410, "Issues are disabled for this repo")
    found = _ordered(call, _chosen(call, pulls=False))
    return github.paged(
        call.request, found, show=lambda pair: issuebodies.issue(call.base, call.repo, pair[1])
    )


def _one(github: GitHub, call: Call) -> Issue:
    number = int(call.words[0])
    moved = call.repo.moved_issues.get(number)
    if moved is not None and moved[0] in github.repositories:
        address = f"{call.base}/repositories/{moved[0]}/issues/{moved[1]}"
        told = {"message": "Moved Permanently", "url": address, "documentation_url": bodies.DOCS}
        raise Refused(Reply(301, told, {"Location": address}))
    if number in call.repo.gone_issues:
        raise refuse(410, "This issue was deleted")
    found = call.repo.issues.get(number)
    if found is None:
        raise refuse(404, "Not Found")
    return found


@route(r"\{repo\}/issues/(\d+)")
def _issue(github: GitHub, call: Call) -> Reply:
    call.require("issues")
    return Reply(200, issuebodies.issue(call.base, call.repo, _one(github, call)))


@route(r"\{repo\}/issues/(\d+)/comments")
def _issue_comments(github: GitHub, call: Call) -> Reply:
    call.require("issues")
    one = _one(github, call)
    told = [issuebodies.comment(call.base, call.repo, one.number, said) for said in one.comments.values()]
    return github.paged(call.request, told)


@route(r"\{repo\}/issues/comments")
def _all_comments(github: GitHub, call: Call) -> Reply:
    call.require("issues")
    issues = call.repo.issues.values()
    found = _ordered(call, ((one.number, said) for one in issues for said in one.comments.values()))
    return github.paged(
        call.request, found, show=lambda pair: issuebodies.comment(call.base, call.repo, *pair)
    )


@route(r"\{repo\}/pulls")
def _pulls(github: GitHub, call: Call) -> Reply:
    call.require("pull_requests")
    found = _ordered(call, _chosen(call, pulls=True), since=False)
    return github.paged(
        call.request, found, show=lambda pair: issuebodies.short_pull(call.base, call.repo, pair[1])
    )


def _pull(github: GitHub, call: Call) -> Issue:
    call.require("pull_requests")
    found = _one(github, call)
    if not found.is_pull:
        raise refuse(404, "Not Found")
    return found


@route(r"\{repo\}/pulls/(\d+)")
def _one_pull(github: GitHub, call: Call) -> Reply:
    return Reply(200, issuebodies.pull(call.base, call.repo, _pull(github, call)))


@route(r"\{repo\}/pulls/(\d+)/comments")
def _pull_comments(github: GitHub, call: Call) -> Reply:
    one = _pull(github, call)
    told = [issuebodies.remark(call.base, call.repo, one.number, said) for said in one.remarks.values()]
    return github.paged(call.request, told)


@route(r"\{repo\}/pulls/comments")
def _all_remarks(github: GitHub, call: Call) -> Reply:
    call.require("pull_requests")
    issues = call.repo.issues.values()
    found = _ordered(call, ((one.number, said) for one in issues for said in one.remarks.values()))
    return github.paged(
        call.request, found, show=lambda pair: issuebodies.remark(call.base, call.repo, *pair)
    )


@route(r"\{repo\}/pulls/(\d+)/reviews")
def _reviews(github: GitHub, call: Call) -> Reply:
    one = _pull(github, call)
    told = [issuebodies.review(call.base, call.repo, one.number, said) for said in one.reviews.values()]
    return github.paged(call.request, told)
