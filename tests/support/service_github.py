"""A place at GitHub: two repositories with files, issues, pull requests and discussions."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from catchment.simulators.github import GitHub, Issue, Repository
from catchment.simulators.github.forum import Discussion
from catchment.simulators.wire import Request
from tests.support.journey import Journey
from tests.support.service_places import ServicePlace, Shown, tokens_in

TOKEN = "secret-of-the-test"
_FOLDER_FILES = 25


class GitHubPlace(ServicePlace):
    """Of twenty items thirteen are files, six issues, one a discussion; one issue in ten is a pull."""

    slug: ClassVar[str] = "github"
    listings: ClassVar[re.Pattern[str]] = re.compile(
        r"GET /repos/[^/]+/[^/]+(/branches/main|/git/trees/\w+|/issues(/comments)?|/pulls/comments)?"
    )
    relists: ClassVar[bool] = False

    def __init__(self, journey: Journey, *, seed: int) -> None:
        self.github = GitHub(seed=seed)
        super().__init__(journey, self.github, seed=seed)
        self.github.token(TOKEN)
        # The vendor's hour does not pass here; a first sync of so much takes two of them in earnest.
        self.github.access.limit = 10**9

    def settings(self, url: str) -> tuple[dict[str, Any], dict[str, Any]]:
        """Name both repositories."""
        names = [repo.full_name for repo in self._repos]
        return {"api_url": url, "repos": names}, {"token": TOKEN}

    @property
    def _repos(self) -> tuple[Repository, Repository]:
        watch, handbook = self.github.repositories.values()
        return watch, handbook

    def lists(self, request: Request) -> bool:
        """Whether a request lists; discussions are listed by questions that name no single one."""
        sent = (request.json() or {}).get("variables", {}) if request.path == "/graphql" else {}
        return super().lists(request) or {"owner", "name", "first"} <= sent.keys()

    # -- what people do -------------------------------------------------------------------------

    def populate(self, items: int) -> None:
        """Half of them in each repository."""
        for name in ("river-watch", "handbook"):
            repo = self.github.repository(f"headwaters/{name}", collaborators={"octo-ann": "admin"})
            files, issues, discussions = (items // 2 * share // 20 for share in (13, 6, 1))
            endings = ("md", "txt", "py")
            paths = (f"docs/d{n // _FOLDER_FILES:03}/f{n:04}.{endings[n % 3]}" for n in range(files))
            repo.commit({path: self._file() for path in paths})
            for number in range(1, issues + 1):
                self._open(repo, pull=number % 10 == 0)
            for _ in range(discussions):
                self._begin(repo)

    def _file(self) -> str:
        return f"# Gauge {self.token()}\n\n{self.text()}\n\n{self.text()}\n"

    def _open(self, repo: Repository, *, pull: bool = False) -> Issue:
        self.github.clock.advance(60)
        issue = repo.open(f"Gauge {self.token()} stands", self.text(), pull=pull)
        if issue.number % 2:
            self.github.clock.advance(60)
            repo.comment(issue.number, self.text())
        if pull:
            self.github.clock.advance(60)
            repo.remark(issue.number, self.text())
            self.github.clock.advance(60)
            repo.review(issue.number, self.text())
        return issue

    def _begin(self, repo: Repository) -> None:
        self.github.clock.advance(60)
        begun = repo.forum.open(f"Gauge {self.token()} stands", self.text())
        if begun.number % 2:
            self.github.clock.advance(60)
            said = repo.forum.comment(begun.number, self.text())
            self.github.clock.advance(60)
            repo.forum.reply(begun.number, said.id, self.text())

    def pass_a_day(self) -> int:
        """Commits with edits, new files and a folder that moves; issues opened, edited, discussed, closed."""
        watch, handbook = self._repos
        self.github.clock.advance(86_400)
        for repo in (watch, handbook):
            paths = sorted(path for path in repo.files() if not path.startswith("docs/d003/"))
            repo.commit({path: self._file() for path in self.rng.sample(paths, 40)})
            repo.commit({f"news/n{number:02}.md": self._file() for number in range(20)})
            repo.rename("docs/d003", "archive/d003")
        numbers = self.rng.sample(sorted(watch.issues), 70)
        for number in numbers[:30]:
            self.github.clock.advance(60)
            watch.edit(number, body=self.text())
        for number in numbers[30:60]:
            self.github.clock.advance(60)
            watch.comment(number, self.text())
        for number in numbers[60:]:
            self.github.clock.advance(60)
            watch.close(number, merge=watch.issues[number].is_pull)
        for number in range(20):
            self._open(handbook, pull=number == 0)
        for number in self.rng.sample(sorted(handbook.forum.discussions), 10):
            self.github.clock.advance(60)
            handbook.forum.comment(number, self.text())
        self._begin(watch)
        return 10

    def take_away(self) -> int:
        """Files and issues; some issues go to the other repository, where they are new ones."""
        watch, handbook = self._repos
        self.github.clock.advance(86_400)
        handbook.commit(dict.fromkeys(self.rng.sample(sorted(handbook.files()), 40)))
        numbers = self.rng.sample(sorted(watch.issues), 20)
        for number in numbers[:15]:
            watch.delete(number)
        for number in numbers[15:]:
            watch.transfer(number, handbook)
        for number in self.rng.sample(sorted(handbook.forum.discussions), 5):
            handbook.forum.delete(number)
        return 0

    # -- what the index must hold ---------------------------------------------------------------

    def shown(self) -> dict[str, Shown]:
        """The files of the branch, and every issue with all that was said."""
        found: dict[str, Shown] = {}
        for repo in self._repos:
            for path, entry in repo.files().items():
                text = repo.git.blobs[entry.sha].decode()
                found[f"{repo.id}:main:{path}"] = Shown(f"{repo.full_name}/{path}", tokens_in(text))
            for number, issue in repo.issues.items():
                kind = "pull" if issue.is_pull else "issues"
                found[issue.node_id] = Shown(f"{repo.full_name}/{kind}/{number}", _tokens_of(issue))
            for number, begun in repo.forum.discussions.items():
                path = f"{repo.full_name}/discussions/{number}"
                found[begun.node_id] = Shown(path, _tokens_in_order(begun))
        return found


def _tokens_of(issue: Issue) -> tuple[str, ...]:
    said = [(one.created, one.body) for one in (*issue.comments.values(), *issue.remarks.values())]
    said += [(one.submitted, one.body) for one in issue.reviews.values()]
    return tokens_in(issue.title, issue.body, *(body for _, body in sorted(said)))


def _tokens_in_order(begun: Discussion) -> tuple[str, ...]:
    return tokens_in(begun.title, begun.body, *(one.body for one in begun.words()))
