"""What `check` tries: the sign-in, each repository, and each kind of thing in the first one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from catchment.core.errors import SourceError
from catchment.kit import Capability, Health
from connectors.github.client import Repository, query

if TYPE_CHECKING:
    from connectors.github.connector import GitHub

_UNTRIED = "Not tried, because what comes before it does not work."
_REMEDY = "Look at the network and at https://www.githubstatus.com, then try again."
MOST_REPOSITORIES = 20
"""Repositories that are looked at; a check is to answer in a moment."""


def probe(source: GitHub) -> list[Capability]:
    """Return how the sign-in, repositories, each kind of thing, and access lists stand."""
    kinds = source.config.kinds
    names = [*(("files",) if "files" in kinds else ())]
    names += ["issues", "pull requests"] if "issues" in kinds else []
    names += ["discussions"] if "discussions" in kinds else []
    names.append("access lists")
    signed = _tried("sign-in", lambda: _sign_in(source))
    if signed.health is not Health.OK:
        return [signed, *(Capability(name, signed.health, _UNTRIED) for name in ("repositories", *names))]
    found: list[Repository] = []
    listed = _tried("repositories", lambda: _repositories(source, found))
    if not found:
        return [signed, listed, *(Capability(name, listed.health, _UNTRIED) for name in names)]
    tries = {
        "files": lambda: _files(source, found),
        "issues": lambda: _issues(source, found),
        "pull requests": lambda: _pulls(source, found),
        "discussions": lambda: _discussions(source, found),
        "access lists": lambda: _access(source, found),
    }
    return [signed, listed, *(_tried(name, tries[name]) for name in names)]


def _tried(name: str, attempt: Callable[[], str]) -> Capability:
    try:
        return Capability(name, Health.OK, attempt())
    except SourceError as error:
        return Capability.failed(name, error, remedy=_REMEDY)


def _sign_in(source: GitHub) -> str:
    client = source.client
    if client.is_app:
        client.page(query("/installation/repositories", per_page="1"), wrap="repositories")
        return "GitHub accepts the app and its installation."
    told = client.http.get_json("/user")
    return f"GitHub knows the token as {told.get('login') if isinstance(told, dict) else 'its user'}."


def _repositories(source: GitHub, found: list[Repository]) -> str:
    names = list(dict.fromkeys(name.partition("@")[0] for name in source.config.repos))
    if not names:
        found += source.client.repositories()
        return f"The credentials were given {len(found)} repositories."
    error: SourceError | None = None
    for name in names[:MOST_REPOSITORIES]:
        try:
            found.append(source.client.repository(name))
        except SourceError as caught:
            error = error or caught
    if error is not None:
        raise error
    return f"{len(found)} of {len(names)} repositories were looked at, and can be seen."


def _files(source: GitHub, found: list[Repository]) -> str:
    for repository in found[:MOST_REPOSITORIES]:
        for branch in source.branches_of(repository):
            source.files.head(repository, branch)
    return "The branches can be read."


def _issues(source: GitHub, found: list[Repository]) -> str:
    repository = next((one for one in found if one.has_issues), None)
    if repository is None:
        return "None of the repositories has issues switched on."
    source.client.page(query(f"{repository.api}/issues", per_page="1", state="all"))
    return f"Issues of {repository.name} can be read."


def _pulls(source: GitHub, found: list[Repository]) -> str:
    source.client.page(query(f"{found[0].api}/pulls", per_page="1", state="all"))
    return f"Pull requests of {found[0].name} can be read."


def _discussions(source: GitHub, found: list[Repository]) -> str:
    repository = next((one for one in found if one.has_discussions), None)
    if repository is None:
        return "None of the repositories has discussions switched on."
    source.discussions.try_out(repository)
    return f"Discussions of {repository.name} can be read."


def _access(source: GitHub, found: list[Repository]) -> str:
    hidden = next((one for one in found if not one.is_public), None)
    if hidden is None:
        return "All repositories are public."
    source.client.page(query(f"{hidden.api}/collaborators", per_page="1", affiliation="all"))
    return f"Who may read {hidden.name} can be seen."
