"""The simulator: who is asked for what, and pages; what is answered stands in the modules beside."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any
from urllib.parse import unquote, urlencode

from catchment.simulators.github import archive, bodies
from catchment.simulators.github.access import Access, Refused, refuse
from catchment.simulators.github.cost import MOST_NODES
from catchment.simulators.github.world import Installation, Repository, Token
from catchment.simulators.server import Simulator
from catchment.simulators.wire import Reply, Request

MOST_ENTRIES = 100_000
EVERYTHING = ("contents", "discussions", "issues", "metadata", "pull_requests")
Route = Callable[["GitHub", "Call"], Reply]
_ROUTES: list[tuple[re.Pattern[str], str, Route]] = []


class Call:
    """One request on its way: who asks, for which repository, and with what words in the path."""

    def __init__(self, request: Request, token: Token, words: Sequence[str], repo: Repository | None) -> None:
        self.request, self.token, self.words, self._repo = request, token, words, repo

    @property
    def repo(self) -> Repository:
        """The repository that is asked about."""
        assert self._repo is not None
        return self._repo

    @property
    def base(self) -> str:
        """Address of the simulator."""
        return self.request.base_url

    def require(self, permission: str) -> None:
        """See that the token may do this."""
        Access.require(self.token, permission)


def route(pattern: str, method: str = "GET") -> Callable[[Route], Route]:
    """Say which requests a function answers; a path below a repository begins with ``{repo}``."""

    def keep(answer: Route) -> Route:
        _ROUTES.append((re.compile(pattern), method, answer))
        return answer

    return keep


class GitHub(Simulator):
    """See the package.

    Attributes:
        repositories: By id.
        access: Tokens, apps and limits.
        most_per_page: Largest page.
        most_entries: Entries of a recursive tree before it is cut off.
        most_nodes: Things that a question in GraphQL may ask for before it is too much to answer.
    """

    def __init__(self, *, seed: int = 0) -> None:
        super().__init__(seed=seed)
        self.repositories: dict[int, Repository] = {}
        self.old_names: dict[str, int] = {}
        self.access = Access(self.clock)
        self.most_per_page = 100
        self.most_entries = MOST_ENTRIES
        self.most_nodes = MOST_NODES
        self.tells_last_page = True
        self._ids = count(1000 + seed * 1_000_000)

    # -- acts -----------------------------------------------------------------------------------

    def repository(self, full_name: str, **facts: Any) -> Repository:
        """Make a repository, private unless told otherwise."""
        owner, name = full_name.split("/")
        made = Repository(
            next(self._ids), owner, name, self.clock, self._ids, created=self.clock.now(), **facts
        )
        made.collaborators.setdefault(owner, "admin")
        self.repositories[made.id] = made
        return made

    def named(self, full_name: str) -> Repository:
        """Return a repository by its name."""
        return next(repo for repo in self.repositories.values() if repo.full_name == full_name)

    def rename_repository(self, repo: Repository, full_name: str) -> None:
        """Rename or transfer a repository; the old name leads to the new one."""
        self.old_names[repo.full_name.lower()] = repo.id
        repo.owner, repo.name = full_name.split("/")

    def delete_repository(self, repo: Repository) -> None:
        """Delete a repository for good."""
        del self.repositories[repo.id]

    def publish(self, repo: Repository, *, public: bool) -> None:
        """Let everybody, or only collaborators, see a repository."""
        repo.private, repo.visibility = not public, "public" if public else "private"

    def token(self, name: str, login: str = "octo-ann", **facts: Any) -> Token:
        """Make a personal token; with ``permissions`` a fine-grained one."""
        if "permissions" in facts:
            facts.setdefault("kind", "fine-grained")
        made = Token(login, **facts)
        self.access.tokens[name] = made
        return made

    def app(self, app: str, public_key: bytes) -> None:
        """Register an app."""
        self.access.apps[app] = public_key

    def install(self, account: str, repositories: Iterable[Repository], *permissions: str) -> Installation:
        """Put the app on an account, for some of its repositories."""
        given = dict.fromkeys(permissions or EVERYTHING, "read")
        made = Installation(next(self._ids), account, {repo.id for repo in repositories}, given)
        self.access.installations[made.id] = made
        return made

    # -- answering ------------------------------------------------------------------------------

    def answer(self, request: Request) -> Reply:
        """Answer as the vendor would; called under the lock."""
        try:
            return self._answer(request)
        except Refused as refused:
            return refused.reply

    def _answer(self, request: Request) -> Reply:
        if "user-agent" not in request.headers:
            raise refuse(403, "Request forbidden by administrative rules.")
        if (request.method, request.path) == ("POST", "/login/oauth/access_token"):
            return self.access.renew(request)
        version = request.headers.get("x-github-api-version", "2022-11-28")
        if version != "2022-11-28":
            raise refuse(400, "Unsupported API version")
        if request.path.startswith("/app"):
            return self._as_app(request)
        if (packed := re.fullmatch(r"/codeload/(\d+)/legacy\.tar\.gz/(\w+)", request.path)) is not None:
            return self._packed(request, int(packed[1]), packed[2])
        _, token = self.access.token_of(request.headers)
        headers = {} if request.path == "/graphql" else self.access.count(token)
        try:
            reply = self._routed(request, token)
        except Refused as refused:
            reply = refused.reply
        reply.headers = {**headers, "X-GitHub-Media-Type": "github.v3; format=json", **reply.headers}
        return self._conditional(request, token, reply)

    def _conditional(self, request: Request, token: Token, reply: Reply) -> Reply:
        """Tell by a mark whether an answer is the one that was given before; that costs nothing."""
        if reply.status != 200 or request.method != "GET":
            return reply
        etag = f'W/"{hashlib.sha256(reply.content()).hexdigest()}"'
        reply.headers["ETag"] = etag
        if request.headers.get("if-none-match") == etag:
            token.used -= 1
            return Reply(304, None, {**reply.headers, "X-RateLimit-Used": str(token.used)})
        return reply

    def pass_for(self, path: str) -> str:
        """Return what opens one address of the store of archives."""
        return hashlib.sha256(f"archive {path}".encode()).hexdigest()[:20]

    def _packed(self, request: Request, number: int, sha: str) -> Reply:
        if request.query.get("token") != self.pass_for(request.path) or "authorization" in request.headers:
            raise refuse(404, "Not Found")
        repo = self.repositories[number]
        head = f"{repo.full_name.replace('/', '-')}-{sha[:7]}"
        return Reply(200, archive.packed(repo.git, sha, head), {"Content-Type": "application/x-gzip"})

    def _as_app(self, request: Request) -> Reply:
        app = self.access.app_of(request.headers)
        found = re.fullmatch(r"/app/installations/(\d+)/access_tokens", request.path)
        if found is not None and request.method == "POST":
            return self.access.open_door(found[1])
        told = [
            bodies.installation(request.base_url, app, one, self.clock.now())
            for one in self.access.installations.values()
        ]
        if request.path == "/app/installations":
            return self.paged(request, told)
        raise refuse(404, "Not Found")

    def _routed(self, request: Request, token: Token) -> Reply:
        for pattern, method, answer in _ROUTES:
            if method == request.method and (found := pattern.fullmatch(request.path)) is not None:
                words = [unquote(word) for word in found.groups()]
                return answer(self, Call(request, token, words, None))
        found = re.fullmatch(r"/repos/([^/]+/[^/]+)(/.*)?", request.path) or re.fullmatch(
            r"/repositories/(\d+)(/.*)?", request.path
        )
        if found is None:
            raise refuse(404, "Not Found")
        repo = self._repository_of(request, found[1], found[2] or "", token)
        for pattern, method, answer in _ROUTES:
            told = pattern.fullmatch(f"{{repo}}{found[2] or ''}")
            if method == request.method and told is not None:
                return answer(self, Call(request, token, [unquote(word) for word in told.groups()], repo))
        raise refuse(404, "Not Found")

    def _repository_of(self, request: Request, name: str, rest: str, token: Token) -> Repository:
        repo = self.repositories.get(int(name)) if name.isdecimal() else None
        if repo is None:
            wanted = unquote(name).lower()
            repo = next((one for one in self.repositories.values() if one.full_name.lower() == wanted), None)
            moved = self.repositories.get(self.old_names.get(wanted, 0))
            if repo is None and moved is not None and self.sees(token, moved):
                address = f"{request.base_url}/repositories/{moved.id}{rest}"
                if request.query:
                    address += f"?{urlencode(request.query)}"
                told = {"message": "Moved Permanently", "url": address, "documentation_url": bodies.DOCS}
                raise Refused(Reply(301, told, {"Location": address}))
        if repo is None or not self.sees(token, repo):
            raise refuse(404, "Not Found")
        return repo

    def sees(self, token: Token, repo: Repository) -> bool:
        """Whether a token shows a repository at all: what is hidden does not exist."""
        if not repo.private:
            return True
        if token.repositories is not None:
            return repo.id in token.repositories
        return token.login in repo.collaborators and (token.kind != "classic" or "repo" in token.scopes)

    # -- pages ----------------------------------------------------------------------------------

    def paged(
        self,
        request: Request,
        found: Sequence[Any],
        wrap: str | None = None,
        show: Callable[[Any], Any] | None = None,
    ) -> Reply:
        """Return one page, with links to the others; `show` makes what is sent of what was found."""
        size = min(int(request.query.get("per_page", 30)), self.most_per_page)
        page = int(request.query.get("page", 1))
        last = max(-(-len(found) // size), 1)
        body: Any = [one if show is None else show(one) for one in found[(page - 1) * size : page * size]]
        if wrap is not None:
            body = {"total_count": len(found), wrap: body}
        links = {}
        if page < last:
            links["next"] = page + 1
            if self.tells_last_page:
                links["last"] = last
        if page > 1:
            links |= {"prev": page - 1, "first": 1}
        if not links:
            return Reply(200, body)
        told = ", ".join(f'<{self._link(request, number)}>; rel="{name}"' for name, number in links.items())
        return Reply(200, body, {"Link": told})

    def _link(self, request: Request, page: int) -> str:
        path = request.path
        named = re.match(r"/repos/([^/]+/[^/]+)(.*)", path)
        if named is not None:
            path = f"/repositories/{self.named(unquote(named[1])).id}{named[2]}"
        query = {**request.query, "page": str(page)}
        return f"{request.base_url}{path}?{urlencode(query)}"

    def how_to_connect(self, url: str) -> str:
        """Return what to type to sync from this vendor."""
        token = next(iter(self.access.tokens), "TOKEN")
        names = ",".join(repo.full_name for repo in self.repositories.values())
        lines = (
            f"catchment connector add github --name rivers --set api_url={url} --set repos={names}",
            f'echo \'{{"token": "{token}"}}\' | catchment connector credentials rivers --stdin',
            "catchment sync rivers",
        )
        return "\n".join(lines)

    @classmethod
    def demo(cls, seed: int = 0) -> GitHub:
        """Return a vendor with files, issues and discussions in three repositories, token ``demo``."""
        from catchment.simulators.github.demo import fill

        made = cls(seed=seed)
        fill(made, seed)
        return made


def secondary_limit(*, status: int = 403, retry_after: str | None = None) -> Reply:
    """The answer to too many requests in too short a time, for a script of faults."""
    headers = {"X-RateLimit-Remaining": "4000", "X-RateLimit-Limit": "5000"}
    if retry_after is not None:
        headers["Retry-After"] = retry_after
    message = "You have exceeded a secondary rate limit. Please wait a few minutes before you try again."
    return Reply(status, bodies.error(message, status), headers)


def dumped(body: Any) -> bytes:
    """Write JSON as deliveries have it."""
    return json.dumps(body, separators=(",", ":")).encode()
