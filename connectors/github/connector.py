"""The connector: what the platform asks of GitHub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar

from msgspec.structs import replace

from catchment.core.errors import AuthRejected, SourceError
from catchment.kit import (
    AccessList,
    Acl,
    BrowsePage,
    Capability,
    ChangeFeed,
    Connector,
    Content,
    CursorExpired,
    FeedEvent,
    Found,
    Handshake,
    Item,
    Kind,
    ListingEvent,
    Scope,
    Session,
    SourceAddress,
)
from connectors.github import config as settings
from connectors.github import fetching, health, webhook
from connectors.github.access import Access
from connectors.github.browse import browse
from connectors.github.client import Client, Repository
from connectors.github.config import GitHubConfig
from connectors.github.credentials import GitHubCredentials
from connectors.github.discussions import Discussions
from connectors.github.files import Files
from connectors.github.finding import Finder
from connectors.github.issues import Issues
from connectors.github.places import (
    DISCUSSIONS,
    FILES,
    UNKNOWN,
    FilePlace,
    discussions_scope,
    files_scope,
    issues_scope,
    read_scope,
    read_talk,
)


class GitHub(Connector[GitHubConfig, GitHubCredentials]):
    """Files, issues, pull requests and discussions of repositories.

    Every repository has a scope for the files of its branch, one for its issues and one for its discussions.
    The files of a branch are one commit, and changes lead from one commit to another. Issues and discussions
    are read by the time of their last change; that one is missing shows in their number.
    """

    slug: ClassVar[str] = "github"
    display_name: ClassVar[str] = "GitHub"
    kind: ClassVar[Kind] = Kind.LISTING
    config_model = GitHubConfig
    credentials_model = GitHubCredentials
    change_feed: ClassVar[ChangeFeed] = ChangeFeed.COMPLETE
    acl: ClassVar[Acl] = Acl.SOURCE
    fetches: ClassVar[int] = 8
    resumable: ClassVar[bool] = True
    scopes_needed: ClassVar[tuple[str, ...]] = (
        "contents:read",
        "issues:read",
        "pull_requests:read",
        "discussions:read",
        "metadata:read",
        "read:org and write access of the token's owner, for the access lists of private repositories",
    )
    blind_spots: ClassVar[tuple[str, ...]] = (
        "A deleted or transferred issue is noticed by the number of issues; where as many were transferred "
        "into the repository, or GitHub does not number its pages, the next complete listing finds it.",
        "A comment that was deleted without moving the time of its issue is noticed by the next complete "
        "listing; a remark beside a line, or a review, so deleted or edited only by a full run.",
        "A file that was moved is a removal and an addition where changes are read, and stays the same "
        "document in a complete listing.",
        "A tree does not tell when a file was last changed: the greatest age has no effect on files.",
        "Changes do not tell a symbolic link from a file: its target is read as its text until the next "
        "complete listing refuses it.",
        "Files in Git LFS, submodules, symbolic links and files over 100 MB are not read.",
        "A comment in a discussion that was edited without moving the time of its discussion is seen by "
        "its webhook, or by a full run.",
        "Wikis, releases, projects and commit comments are not read: a wiki has no API.",
        "Who may read an internal repository beyond its collaborators is not told: they do not see it.",
    )

    def __init__(
        self,
        config: GitHubConfig,
        credentials: GitHubCredentials,
        session: Session | None = None,
    ) -> None:
        super().__init__(config, credentials, session)
        self.client = Client(config, credentials, self.session)
        self.files = Files(self.client, self.session)
        self.issues = Issues(self.client)
        self.discussions = Discussions(self.client)
        self._finder = Finder(self.client, self.files)
        self._access = Access(self.client)
        self._failed: dict[str, SourceError] = {}

    @classmethod
    def address(cls, text: str) -> SourceAddress | None:
        """Recognise ``https://github.com/owner/name``.

        Raises:
            ConfigRejected: It is one of GitHub's, and names no repository.
        """
        return settings.address(text)

    @classmethod
    def identity(cls, config: Mapping[str, Any]) -> str:
        """Return server, repositories, branch and kinds."""
        return settings.identity(config)

    def check(self) -> list[Capability]:
        """Try the sign-in, each repository, and each kind of thing in one of them."""
        return health.probe(self)

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:
        """Return repositories, or the branches of one, a hundred a page.

        Raises:
            SourceError: GitHub cannot be asked.
        """
        return browse(self.client, parent_id, page)

    def scopes(self) -> list[Scope]:
        """Return three scopes for each repository: its files, its issues, and its discussions.

        A repository that cannot be asked about is a scope that fails, so that the others go on and nothing of
        it is removed.

        Raises:
            AuthRejected: The credentials are refused.
            SourceError: The repositories of the credentials cannot be listed.
        """
        self._failed.clear()
        found: dict[str, Scope] = {}
        for repository, branches in self._chosen(found):
            if "files" in self.config.kinds:
                for branch in branches:
                    scope = files_scope(repository, branch)
                    found[scope.key] = scope
            if "issues" in self.config.kinds:
                scope = issues_scope(repository)
                found[scope.key] = scope
            if "discussions" in self.config.kinds:
                # Also where they are switched off: that they were is then seen by the scope, under the guard.
                scope = discussions_scope(repository)
                found[scope.key] = scope
        return list(found.values())

    def _chosen(self, found: dict[str, Scope]) -> Iterator[tuple[Repository, list[str]]]:
        if not self.config.repos:
            for repository in self.client.repositories():
                yield repository, [self.config.branch or repository.default_branch]
            return
        for name in dict.fromkeys(written.partition("@")[0] for written in self.config.repos):
            try:
                repository = self.client.repository(name)
            except AuthRejected:
                raise
            except SourceError as error:
                key = f"{UNKNOWN}:{name}"
                self._failed[key] = error
                found[key] = Scope(key, name)
            else:
                yield repository, self.branches_of(repository, name)

    def branches_of(self, repository: Repository, name: str | None = None) -> list[str]:
        """Return the branches of a repository that are read.

        Args:
            repository: Of which.
            name: What the settings call it, where that may be an older name.
        """
        wanted = (name or repository.name).lower()
        written = [one.partition("@") for one in self.config.repos]
        branches = [branch for own, _, branch in written if own.lower() == wanted]
        default = self.config.branch or repository.default_branch
        return list(dict.fromkeys(branch or default for branch in branches)) or [default]

    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        """Yield everything in scope; last `Complete`.

        Raises:
            SourceError: It cannot be listed to its end; all before was yielded.
            RunCancelled: The run was asked to stop.
        """
        return self._listing(scope, resume, with_content=False)

    def listing_with_content(self, scope: Scope, resume: str | None = None) -> Iterator[ListingEvent]:
        """Yield everything in scope, what was said with its text: it comes a hundred at a time.

        Files are then read from the archive of the commit, where that is cheaper than one by one.

        Raises:
            SourceError: As `listing`.
        """
        return self._listing(scope, resume, with_content=True)

    def _listing(self, scope: Scope, resume: str | None, *, with_content: bool) -> Iterator[ListingEvent]:
        repository, kind, branch = self._place_of(scope)
        if kind == FILES:
            yield from self.files.listing(repository, branch, with_content=with_content)
        elif kind == DISCUSSIONS:
            yield from self.discussions.listing(repository, resume, with_content=with_content)
        else:
            yield from self.issues.listing(repository, resume, with_content=with_content)

    def changes(self, scope: Scope, cursor: str | None) -> Iterator[FeedEvent]:
        """Yield what was changed since the cursor; last `Complete`.

        Raises:
            CursorExpired: A force push, too many files, deleted issues or discussions, or another name.
            SourceError: GitHub cannot be asked.
        """
        repository, kind, branch = self._place_of(scope)
        if cursor is None:
            raise CursorExpired("There is no cursor.")
        if kind == FILES:
            yield from self.files.changes(repository, branch, cursor)
        elif kind == DISCUSSIONS:
            yield from self.discussions.changes(repository, cursor)
        else:
            yield from self.issues.changes(repository, cursor)

    def _place_of(self, scope: Scope) -> tuple[Repository, str, str]:
        failed = self._failed.get(scope.key)
        if failed is not None:
            raise failed
        read = read_scope(scope.key)
        if read is None:
            raise SourceError(f"{scope.name} is no scope of GitHub.")
        return self.client.repository_by_id(read[0]), read[1], read[2]

    def fetch(self, item: Item) -> Content:
        """Return a file as it is, or an issue or discussion with all that was said as Markdown.

        Raises:
            ItemUnreadable: gone, too_large or lfs.
            SourceError: GitHub cannot be asked.
        """
        return fetching.fetch(self.client, item, self.files.archives)

    def find(self, scopes: Sequence[Scope], names: Sequence[str]) -> Iterator[Found]:
        """Look up files, issues and discussions by key or path.

        What is not found is unknown, as long as one of the repositories cannot be asked about.

        Raises:
            SourceError: GitHub cannot be asked, so that nothing can be said about absence.
        """
        doubt = next((str(error) for error in self._failed.values()), "")
        for found in self._finder.find(scopes, names):
            yield replace(found, unknown=found.unknown or doubt) if found.item is None else found

    def admits(self, path: str) -> bool:
        """Tell whether a path lies in what the path filter lets in; of talks it says nothing."""
        if read_talk(path) is not None:
            return True
        parts = path.split("/", 2)
        return len(parts) < 3 or self.files.admits(parts[2])

    def in_scope(self, name: str) -> bool:
        """Tell whether a key or path could be one of ours."""
        place = FilePlace.read(name)
        return self.files.admits(place.path) if place is not None else self.admits(name)

    def permissions(self, items: Sequence[Item]) -> dict[str, AccessList]:
        """Return who may read each item: whoever may read its repository.

        Raises:
            PermissionMissing: The credentials may not see the collaborators of a private repository.
            SourceError: They cannot be read.
        """
        return self._access.lists(items)

    @staticmethod
    def handshake(headers: Mapping[str, str], body: bytes, secret: str) -> Handshake | None:
        """Answer the ping of a new webhook.

        Raises:
            PermissionMissing: Its signature is absent or wrong.
        """
        return webhook.read_handshake(headers, body, secret)

    @staticmethod
    def webhook(
        headers: Mapping[str, str],
        body: bytes,
        secret: str,
        *,
        now: float | None = None,  # noqa: ARG004 - GitHub does not tell when
    ) -> list[FeedEvent]:
        """Verify a delivery and return what it reports; a `Checkpoint` names a scope to be looked at.

        Raises:
            PermissionMissing: The signature is absent or wrong.
            ConfigRejected: It cannot be read.
        """
        return webhook.read_delivery(headers, body, secret)

    def close(self) -> None:
        """Let go of connections."""
        self.files.archives.close()
        self.client.close()
