"""What the vendor keeps: users, repositories with their files, issues and pull requests."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from catchment.core.clock import SetClock
from catchment.simulators.github.forum import Forum
from catchment.simulators.github.git import FILE, Commit, Entry, Git
from catchment.simulators.github.ids import node_id

ZERO = "0" * 40


@dataclass(slots=True)
class Comment:
    """A remark in a conversation; with a path it stands beside a line of a pull request."""

    id: int
    author: str
    body: str
    created: float
    updated: float
    path: str | None = None
    line: int | None = None


@dataclass(slots=True)
class Review:
    """A verdict on a pull request."""

    id: int
    author: str
    body: str
    state: str
    submitted: float


@dataclass(slots=True)
class Issue:
    """An issue or a pull request; both count with the same numbers."""

    id: int
    number: int
    title: str
    body: str | None
    author: str | None
    created: float
    updated: float
    is_pull: bool = False
    state: str = "open"
    closed: float | None = None
    merged: float | None = None
    labels: list[str] = field(default_factory=list)
    assignees: list[str] = field(default_factory=list)
    milestone: str | None = None
    comments: dict[int, Comment] = field(default_factory=dict)
    remarks: dict[int, Comment] = field(default_factory=dict)
    reviews: dict[int, Review] = field(default_factory=dict)
    head: str = "topic"

    @property
    def node_id(self) -> str:
        """The id that the vendor knows it by everywhere."""
        return node_id("PR" if self.is_pull else "I", self.id)


@dataclass(slots=True)
class Repository:
    """One repository, and the plain acts that change it."""

    id: int
    owner: str
    name: str
    clock: SetClock
    ids: count[int]
    private: bool = True
    visibility: str = "private"
    default_branch: str = "main"
    has_issues: bool = True
    created: float = 0.0
    git: Git = field(default_factory=Git)
    branches: dict[str, str] = field(default_factory=dict)
    issues: dict[int, Issue] = field(default_factory=dict)
    collaborators: dict[str, str] = field(default_factory=dict)
    moved_issues: dict[int, tuple[int, int]] = field(default_factory=dict)
    gone_issues: set[int] = field(default_factory=set)
    numbers: count[int] = field(default_factory=lambda: count(1))
    comments_touch: bool = True
    """Whether an edited or deleted comment moves the time of its issue."""
    forum: Forum = field(init=False)

    def __post_init__(self) -> None:
        self.forum = Forum(self)

    @property
    def full_name(self) -> str:
        """Owner and name."""
        return f"{self.owner}/{self.name}"

    # -- files ----------------------------------------------------------------------------------

    def files(self, branch: str | None = None) -> dict[str, Entry]:
        """Return the snapshot of a branch, empty where it has none."""
        sha = self.branches.get(branch or self.default_branch)
        return dict(self.git.commits[sha].files) if sha is not None else {}

    def commit(
        self,
        changes: Mapping[str, bytes | str | Entry | None],
        *,
        branch: str | None = None,
        message: str = "Change some files",
        author: str = "octo-ann",
    ) -> Commit:
        """Write and remove files; None removes."""
        branch = branch or self.default_branch
        files = self.files(branch)
        for path, content in changes.items():
            if content is None:
                del files[path]
            elif isinstance(content, Entry):
                files[path] = content
            else:
                raw = content.encode() if isinstance(content, str) else content
                files[path] = Entry(FILE, self.git.blob(raw))
        parent = self.branches.get(branch)
        made = self.git.commit(files, (parent,) if parent else (), message, author, self.clock.now())
        self.branches[branch] = made.sha
        return made

    def rename(self, old: str, new: str, *, branch: str | None = None) -> Commit:
        """Move a file, or a folder with all that is in it."""
        files = self.files(branch)
        moved = {
            path: path.replace(old, new, 1) for path in files if path == old or path.startswith(f"{old}/")
        }
        changes: dict[str, bytes | str | Entry | None] = dict.fromkeys(moved)
        changes |= {to: files[path] for path, to in moved.items()}
        return self.commit(changes, branch=branch, message=f"Move {old}")

    def force_push(
        self, changes: Mapping[str, bytes | str | Entry | None], *, forget: bool = False
    ) -> Commit:
        """Replace the history of the default branch by one commit without a parent.

        Args:
            changes: What that commit does to the files as they are now.
            forget: Whether the commits before are gone for good.
        """
        before = self.branches[self.default_branch]
        made = self.commit(changes, message="Begin again")
        self.git.commits.pop(made.sha)
        if forget:
            self.git.commits.pop(before)
        self.branches.pop(self.default_branch)
        return self.commit(made.files, message="Begin again")

    # -- issues ---------------------------------------------------------------------------------

    def open(
        self, title: str, body: str | None = "", *, pull: bool = False, author: str | None = "octo-ann"
    ) -> Issue:
        """Open an issue, or a pull request."""
        now = self.clock.now()
        made = Issue(next(self.ids), next(self.numbers), title, body, author, now, now, is_pull=pull)
        self.issues[made.number] = made
        return made

    def edit(self, number: int, **facts: object) -> None:
        """Change an issue: title, body, labels, assignees, milestone, ..."""
        issue = self.issues[number]
        for name, value in facts.items():
            setattr(issue, name, value)
        issue.updated = self.clock.now()

    def close(self, number: int, *, merge: bool = False) -> None:
        """Close an issue, or merge a pull request."""
        now = self.clock.now()
        self.edit(number, state="closed", closed=now, **({"merged": now} if merge else {}))

    def reopen(self, number: int) -> None:
        """Open it again."""
        self.edit(number, state="open", closed=None)

    def comment(self, number: int, body: str, *, author: str = "octo-bob") -> Comment:
        """Say something in the conversation."""
        now = self.clock.now()
        made = Comment(next(self.ids), author, body, now, now)
        self.issues[number].comments[made.id] = made
        self.issues[number].updated = now
        return made

    def remark(self, number: int, body: str, *, path: str = "a.py", line: int = 1) -> Comment:
        """Say something beside a line of a pull request."""
        now = self.clock.now()
        made = Comment(next(self.ids), "octo-bob", body, now, now, path, line)
        self.issues[number].remarks[made.id] = made
        self.issues[number].updated = now
        return made

    def review(self, number: int, body: str, *, state: str = "APPROVED") -> Review:
        """Give a verdict."""
        made = Review(next(self.ids), "octo-bob", body, state, self.clock.now())
        self.issues[number].reviews[made.id] = made
        self.issues[number].updated = self.clock.now()
        return made

    def edit_comment(self, number: int, comment: int, body: str) -> None:
        """Change a comment or a remark."""
        issue = self.issues[number]
        found = issue.comments.get(comment) or issue.remarks[comment]
        found.body, found.updated = body, self.clock.now()
        if self.comments_touch:
            issue.updated = found.updated

    def delete_comment(self, number: int, comment: int) -> None:
        """Take a comment away."""
        del self.issues[number].comments[comment]
        if self.comments_touch:
            self.issues[number].updated = self.clock.now()

    def delete(self, number: int) -> Issue:
        """Delete an issue for good."""
        self.gone_issues.add(number)
        return self.issues.pop(number)

    def restore(self, issue: Issue) -> None:
        """Put a deleted issue back, as only the vendor's own people can."""
        self.gone_issues.discard(issue.number)
        self.issues[issue.number] = issue
        issue.updated = self.clock.now()

    def transfer(self, number: int, other: Repository) -> Issue:
        """Move an issue into another repository, where it gets another id and number."""
        issue = self.issues.pop(number)
        issue.id, issue.number = next(self.ids), next(other.numbers)
        issue.updated = self.clock.now()
        other.issues[issue.number] = issue
        self.moved_issues[number] = (other.id, issue.number)
        return issue


@dataclass(slots=True)
class Token:
    """A credential: what it may do and see, and until when."""

    login: str
    kind: str = "classic"
    scopes: tuple[str, ...] = ("repo", "read:org")
    permissions: tuple[str, ...] | None = None
    repositories: frozenset[int] | None = None
    expires: float | None = None
    installation: int | None = None
    used: int = 0
    points: int = 0
    window: float | None = None


@dataclass(slots=True)
class Installation:
    """An app on an account."""

    id: int
    account: str
    repositories: set[int]
    permissions: dict[str, str]
    suspended: bool = False
