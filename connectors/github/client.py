"""Asking GitHub: pages by their links, repositories by name."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode

from msgspec import Struct

from catchment.kit import ConfigRejected, Session, SourceDown
from catchment.kit import http as kit_http
from catchment.kit.errands import Errands
from catchment.kit.governor import governor_for
from catchment.kit.http import Http, Missing
from connectors.github.config import GitHubConfig
from connectors.github.credentials import GitHubCredentials
from connectors.github.errors import Judge
from connectors.github.graph import Graph
from connectors.github.pace import wire_to
from connectors.github.signin import HEADERS, closing, sign_in_for

PER_PAGE = 100


class Repository(Struct, frozen=True):
    """What is known of a repository; its id stays, whatever it is called."""

    id: int
    name: str
    default_branch: str
    url: str
    is_public: bool
    has_issues: bool
    has_discussions: bool = False

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Repository:
        """Read GitHub's description.

        Raises:
            SourceDown: It is none.
        """
        try:
            return cls(
                id=int(raw["id"]),
                name=str(raw["full_name"]),
                default_branch=str(raw.get("default_branch") or "main"),
                url=str(raw["html_url"]),
                # Both must say so: internal repositories are private ones that a company can see.
                is_public=raw.get("private") is False and raw.get("visibility", "public") == "public",
                has_issues=raw.get("has_issues", True) is not False,
                has_discussions=raw.get("has_discussions") is True,
            )
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise SourceDown("GitHub's answer about a repository makes no sense.") from error

    @property
    def api(self) -> str:
        """Where it is asked about."""
        return f"/repos/{quote(self.name)}"


class Page(Struct, frozen=True):
    """One page of a list, and what there is to say about it.

    Attributes:
        rows: What it holds; empty where nothing changed since `etag`.
        next: Address of the next one.
        etag: Mark to ask with again.
        last: Number of the last page, where GitHub tells it.
        same: Nothing changed since the mark that it was asked with.
    """

    rows: list[Any]
    next: str | None = None
    etag: str | None = None
    last: int | None = None
    same: bool = False


class Client:
    """Requests with one sign-in; used by many threads at once."""

    def __init__(self, config: GitHubConfig, credentials: GitHubCredentials, session: Session) -> None:
        self.config = config
        counted = credentials.bearer or f"{credentials.app_id}/{credentials.installation_id}"
        governor = governor_for("github", counted)
        self.is_app = not credentials.bearer
        self.errands = Errands(session)
        self._sign_in = sign_in_for(config, credentials, session, governor)
        self.judge = Judge(session)
        # Points have a limit of their own: who waits for it need not wait for the other.
        points = governor_for("github-graphql", counted)
        self.graph = Graph(config, session, sign_in=self._sign_in, governor=points)
        self.http = Http(
            config.api_url,
            session,
            sign_in=self._sign_in,
            governor=governor,
            judge=self.judge,
            headers=HEADERS,
            setting="api_url",
            transport=wire_to(config.api_url, session, setting="api_url"),
        )
        self._known: dict[int, Repository] = {}
        self._lock = threading.Lock()

    def close(self) -> None:
        """Let go of connections and threads."""
        self.errands.close()
        self.http.close()
        self.graph.close()
        closing(self._sign_in)

    # -- lists ----------------------------------------------------------------------------------

    def page(self, address: str, *, etag: str | None = None, wrap: str | None = None) -> Page:
        """Return one page of a list.

        Raises:
            SourceDown: The answer is no list.
            SourceError: It cannot be had.
        """
        headers = {"If-None-Match": etag} if etag else {}
        response = self.http.get(address, headers=headers, reads_json=True)
        if response.status_code == 304:
            return Page([], etag=etag, same=True)
        rows = response.json()
        if wrap is not None and isinstance(rows, dict):
            rows = rows.get(wrap)
        if not isinstance(rows, list):
            raise SourceDown("GitHub answered with something else than a list.")
        links = {name: str(link.get("url")) for name, link in response.links.items()}
        return Page(rows, links.get("next"), response.headers.get("etag"), _number(links.get("last")))

    def pages(self, address: str, *, wrap: str | None = None) -> Iterator[list[Any]]:
        """Yield the pages of a list, each by the link of the one before.

        Raises:
            SourceDown: A link leads back, or an answer is no list.
            SourceError: A page cannot be had.
        """

        def get(one: str) -> tuple[list[Any], str | None]:
            page = self.page(one, wrap=wrap)
            return page.rows, page.next

        yield from kit_http.pages(address, get)

    # -- repositories ---------------------------------------------------------------------------

    def repository(self, name: str) -> Repository:
        """Look a repository up by ``owner/name``.

        Raises:
            ConfigRejected: GitHub shows none.
            SourceError: It cannot be asked.
        """
        try:
            found = Repository.of(self.http.get_json(f"/repos/{quote(name)}"))
        except Missing as error:
            raise ConfigRejected(
                f"GitHub shows no repository {name}: it is not there, or the credentials may not see it.",
                setting="repos",
                remedy="Check its spelling; give the token, or the app, access to this repository.",
            ) from error
        return self._keep(found)

    def repository_by_id(self, number: int) -> Repository:
        """Look a repository up by its id; what is known already is not asked for.

        Raises:
            SourceError: There is none, or it cannot be asked.
        """
        with self._lock:
            known = self._known.get(number)
        if known is not None:
            return known
        return self._keep(Repository.of(self.http.get_json(f"/repositories/{number}")))

    def repository_named(self, name: str) -> Repository:
        """Look a repository up by the name it had a moment ago; what is known already is not asked for.

        Raises:
            SourceError: There is none, or it cannot be asked.
        """
        with self._lock:
            known = next((one for one in self._known.values() if one.name == name), None)
        return known or self.repository(name)

    def repositories(self) -> list[Repository]:
        """Return every repository that the credentials were given, by name.

        Raises:
            SourceError: They cannot be listed.
        """
        wrap = "repositories" if self.is_app else None
        pages = self.pages(query(self.repositories_path), wrap=wrap)
        found = [self._keep(Repository.of(raw)) for page in pages for raw in page]
        return sorted(found, key=lambda one: one.name.lower())

    def _keep(self, found: Repository) -> Repository:
        with self._lock:
            self._known[found.id] = found
        return found

    @property
    def repositories_path(self) -> str:
        """Where the repositories of the credentials are listed."""
        return "/installation/repositories" if self.is_app else "/user/repos"


def query(path: str, **parameters: str) -> str:
    """Return an address with parameters, of full pages unless told otherwise."""
    return f"{path}?{urlencode({'per_page': str(PER_PAGE), **parameters})}"


def _number(address: str | None) -> int | None:
    from urllib.parse import parse_qs, urlsplit

    found = parse_qs(urlsplit(address or "").query).get("page", [""])[0]
    return int(found) if found.isdecimal() else None
