"""Answers about accounts, repositories and who may see them."""

from __future__ import annotations

from typing import Any

from catchment.simulators.github import bodies, graph
from catchment.simulators.github.access import refuse
from catchment.simulators.github.server import Call, GitHub, route
from catchment.simulators.wire import Reply


@route(r"/user")
def _user(github: GitHub, call: Call) -> Reply:
    if call.token.installation is not None:
        raise refuse(403, "Resource not accessible by integration")
    return Reply(200, bodies.me(call.base, call.token.login, github.clock.now()))


def _shown(github: GitHub, call: Call) -> list[Any]:
    seen = [
        repo
        for repo in github.repositories.values()
        if github.sees(call.token, repo)
        and (call.token.repositories is not None or call.token.login in repo.collaborators)
    ]
    seen.sort(key=lambda repo: repo.full_name)
    return [bodies.repository(call.base, repo) for repo in seen]


@route(r"/user/repos")
def _user_repos(github: GitHub, call: Call) -> Reply:
    if call.token.installation is not None:
        raise refuse(403, "Resource not accessible by integration")
    return github.paged(call.request, _shown(github, call))


@route(r"/installation/repositories")
def _installation_repos(github: GitHub, call: Call) -> Reply:
    if call.token.installation is None:
        raise refuse(403, "You must authenticate with an installation access token in order to list these")
    return github.paged(call.request, _shown(github, call), "repositories")


@route(r"/rate_limit")
def _rate_limit(github: GitHub, call: Call) -> Reply:
    call.token.used -= 1
    told = {
        "limit": github.access.limit,
        "used": call.token.used,
        "remaining": github.access.limit - call.token.used,
        "reset": int((call.token.window or 0) + 3600),
    }
    return Reply(200, {"resources": {"core": told, "search": told}, "rate": told})


@route(r"/graphql", "POST")
def _graphql(github: GitHub, call: Call) -> Reply:
    return graph.answer(github, call)


@route(r"\{repo\}")
def _repo(_github: GitHub, call: Call) -> Reply:
    return Reply(200, bodies.repository(call.base, call.repo))


@route(r"\{repo\}/collaborators")
def _collaborators(github: GitHub, call: Call) -> Reply:
    role = call.repo.collaborators.get(call.token.login, "read")
    scopes = {"repo", "read:org"}
    if call.token.installation is None and role not in ("push", "write", "maintain", "admin"):
        raise refuse(403, "Must have push access to view repository collaborators.")
    if call.token.kind == "classic" and not scopes <= set(call.token.scopes):
        raise refuse(403, "You must have the read:org scope to list collaborators.")
    people = [bodies.collaborator(call.base, who, what) for who, what in call.repo.collaborators.items()]
    return github.paged(call.request, people)
