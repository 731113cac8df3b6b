"""Requests to one site: where its API is, who signs in, and how its pages follow each other."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from catchment.core.errors import AuthRejected, SourceDown
from catchment.kit import Session
from catchment.kit.governor import governor_for
from catchment.kit.http import Bearer, Http, SignIn, pages
from connectors.confluence.config import ConfluenceConfig, ConfluenceCredentials
from connectors.confluence.errors import judge_for
from connectors.confluence.signin import SLUG, account, app, basic, cloud_id

PAGE_ITEMS = 250
"""The most that version 2 gives at a time."""
_LINK = re.compile(r'<([^>]*)>\s*;\s*rel="?next"?')


class Client:
    """One site and one sign-in; used by many threads at once.

    Attributes:
        is_data_center: Whether the API is that of Data Center.
        site: Address below which links for people lie.
    """

    def __init__(
        self, config: ConfluenceConfig, credentials: ConfluenceCredentials | None, session: Session
    ) -> None:
        self._config = config
        self._given = credentials or ConfluenceCredentials()
        self._session = session
        self._lock = threading.Lock()
        self._http: Http | None = None
        self._base = ""
        self.is_data_center = self._given.personal_token is not None
        self.site = config.instance_url if self.is_data_center else f"{config.origin}/wiki"

    @property
    def http(self) -> Http:
        """The client, made when it is first needed.

        Raises:
            AuthRejected: No way to sign in is complete.
            SourceError: The gateway does not know the site.
        """
        with self._lock:
            if self._http is None:
                self._http = self._made()
            return self._http

    def get(self, path: str, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Ask for an object.

        Raises:
            Missing: It is not there, or not for this account.
            SourceError: As `Http.request`.
        """
        told = self.http.get_json(f"{self._base}{path}", params=params)
        if not isinstance(told, dict):
            raise SourceDown(f"The answer of {path} is no object.")
        return told

    def post(self, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Ask a question that does not fit into an address; nothing is changed by it.

        Raises:
            Missing: It is not there, or not for this account.
            SourceError: As `Http.request`.
        """
        told = self.http.json_of("POST", f"{self._base}{path}", json=body)
        if not isinstance(told, dict):
            raise SourceDown(f"The answer of {path} is no object.")
        return told

    def get_list(self, path: str) -> list[Any]:
        """Ask for a list that has no pages.

        Raises:
            SourceError: As `Http.request`.
        """
        told = self.http.get_json(f"{self._base}{path}")
        found = told.get("results") if isinstance(told, dict) else told
        if not isinstance(found, list):
            raise SourceDown(f"The answer of {path} is no list.")
        return found

    def pages(
        self, path: str, params: Mapping[str, Any], *, extra: Mapping[str, Any] | None = None
    ) -> Iterator[dict[str, Any]]:
        """Yield the pages of a list of version 2, each with its results.

        The cursor is taken out of the link to the next page, and the rest of the request stays our own:
        the link is written for the site, also where the gateway is asked.

        Args:
            path: The list.
            params: What is asked.
            extra: What is asked besides, as long as the answers are not too long, or too hard to make.

        Raises:
            SourceDown: A page comes again, or makes no sense.
            SourceError: As `Http.request`.
        """

        def ask(cursor: str, more: Mapping[str, Any]) -> tuple[dict[str, Any], str | None]:
            asked = {**params, **more, **({"cursor": cursor} if cursor else {})}
            response = self.http.request("GET", f"{self._base}{path}", reads_json=True, params=asked)
            body = response.json()
            if not isinstance(body, dict) or not isinstance(body.get("results"), list):
                raise SourceDown(f"The answer of {path} is no page of a list.")
            return body, cursor_of(body, response.headers.get("link", ""))

        def page(cursor: str) -> tuple[dict[str, Any], str | None]:
            if not extra:
                return ask(cursor, {})
            try:
                return ask(cursor, extra)
            except SourceDown:
                return ask(cursor, {})

        return pages("", page)

    def rows(self, path: str, params: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """Yield what stands in the pages of a list of version 2."""
        for page in self.pages(path, params):
            yield from page["results"]

    def address(self, path: str) -> str:
        """Return the address of a path of the site below the API's base."""
        _ = self.http
        return f"{self._base}{path}"

    def close(self) -> None:
        """Let go of connections."""
        if self._http is not None:
            self._http.close()

    def _made(self) -> Http:
        config, given = self._config, self._given
        if given.personal_token is not None:
            token = given.personal_token.get_secret_value()
            return self._at(config.instance_url, Bearer(token), token)
        if given.access_token is not None or given.refresh_token is not None:
            counted = account(given, self._session)
            http = self._at(config.gateway_url, app(given, self._session), counted, setting="gateway_url")
            try:
                self._base = f"/ex/confluence/{cloud_id(http, config.origin)}"
            except BaseException:
                http.close()
                raise
            return http
        if given.email and given.api_token is not None:
            token = given.api_token.get_secret_value()
            return self._at(config.origin, basic(given.email, token), f"{given.email} {token}")
        raise AuthRejected(
            "The credentials are not complete.",
            remedy="Give e-mail and API token, or sign in with Atlassian; for Data Center, a personal "
            "access token.",
        )

    def _at(self, base: str, sign_in: SignIn, counted: str, *, setting: str = "instance_url") -> Http:
        return Http(
            base,
            self._session,
            sign_in=sign_in,
            governor=governor_for(SLUG, counted),
            judge=judge_for(self._session.clock.now),
            headers={"Accept": "application/json"},
            setting=setting,
        )


def cursor_of(body: Mapping[str, Any], header: str = "") -> str | None:
    """Return the cursor of the next page: from the body, else from the header that names it.

    Raises:
        SourceDown: There is a next page, and no cursor that leads to it.
    """
    links = body.get("_links")
    link = links.get("next") if isinstance(links, dict) else None
    if not link and (found := _LINK.search(header)):
        link = found[1]
    if not link:
        return None
    cursor = parse_qs(urlsplit(str(link)).query).get("cursor")
    if not cursor:
        raise SourceDown("The link to the next page has no cursor.")
    return cursor[0]
