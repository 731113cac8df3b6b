"""Discussions of a repository, and the plain acts that change them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from catchment.simulators.github.ids import node_id

if TYPE_CHECKING:
    from catchment.simulators.github.world import Repository


@dataclass(slots=True)
class Said:
    """A comment in a discussion, with the replies below it; replies have none."""

    id: int
    author: str | None
    body: str
    created: float
    updated: float
    deleted: float | None = None
    replies: dict[int, Said] = field(default_factory=dict)

    @property
    def node_id(self) -> str:
        """The id that the vendor knows it by."""
        return node_id("DC", self.id)


@dataclass(slots=True)
class Discussion:
    """One discussion; it counts with the numbers of issues."""

    id: int
    number: int
    title: str
    body: str
    author: str | None
    created: float
    updated: float
    category: str = "General"
    closed: float | None = None
    answer: int | None = None
    labels: list[str] = field(default_factory=list)
    comments: dict[int, Said] = field(default_factory=dict)

    @property
    def node_id(self) -> str:
        """The id that the vendor knows it by everywhere."""
        return node_id("D", self.id)

    @property
    def is_answerable(self) -> bool:
        """Whether its category is for questions."""
        return self.category == "Q&A"

    def words(self) -> Iterator[Said]:
        """Yield every comment and reply."""
        for comment in self.comments.values():
            yield comment
            yield from comment.replies.values()


class Forum:
    """The discussions of one repository.

    Attributes:
        is_on: Whether the repository has discussions at all; what there is stays while they are off.
        discussions: By number.
        comments_touch: Whether an edited or deleted comment moves the time of its discussion.
    """

    def __init__(self, repo: Repository) -> None:
        self._repo = repo
        self.is_on = False
        self.discussions: dict[int, Discussion] = {}
        self.comments_touch = True

    def open(
        self, title: str, body: str = "", *, category: str = "General", author: str | None = "octo-ann"
    ) -> Discussion:
        """Begin a discussion; the first switches discussions on."""
        self.is_on = True
        now = self._now()
        made = Discussion(
            next(self._repo.ids), next(self._repo.numbers), title, body, author, now, now, category
        )
        self.discussions[made.number] = made
        return made

    def edit(self, number: int, **facts: object) -> None:
        """Change a discussion: title, body, labels, category, ..."""
        found = self.discussions[number]
        for name, value in facts.items():
            setattr(found, name, value)
        found.updated = self._now()

    def comment(self, number: int, body: str, *, author: str | None = "octo-bob") -> Said:
        """Say something."""
        now = self._now()
        made = Said(next(self._repo.ids), author, body, now, now)
        self.discussions[number].comments[made.id] = made
        self.discussions[number].updated = now
        return made

    def reply(self, number: int, comment: int, body: str, *, author: str | None = "octo-cid") -> Said:
        """Say something below a comment."""
        now = self._now()
        made = Said(next(self._repo.ids), author, body, now, now)
        self.discussions[number].comments[comment].replies[made.id] = made
        self.discussions[number].updated = now
        return made

    def edit_comment(self, number: int, said: int, body: str) -> None:
        """Change a comment or a reply."""
        one = next(one for one in self.discussions[number].words() if one.id == said)
        one.body, one.updated = body, self._now()
        self._touch(number)

    def delete_comment(self, number: int, said: int) -> None:
        """Take a comment or a reply away; of a comment with replies a marked place stays."""
        found = self.discussions[number]
        comment = found.comments.get(said)
        if comment is None:
            for one in found.comments.values():
                one.replies.pop(said, None)
        elif comment.replies:
            comment.body, comment.author, comment.deleted = "", None, self._now()
        else:
            del found.comments[said]
        self._touch(number)

    def answer(self, number: int, said: int | None) -> None:
        """Choose a comment or a reply as the answer, or none any more."""
        self.edit(number, answer=said)

    def close(self, number: int) -> None:
        """Close a discussion."""
        self.edit(number, closed=self._now())

    def delete(self, number: int) -> Discussion:
        """Delete a discussion for good."""
        return self.discussions.pop(number)

    def transfer(self, number: int, other: Repository) -> Discussion:
        """Move a discussion into another repository, where it gets another id and number."""
        found = self.discussions.pop(number)
        found.id, found.number, found.updated = next(self._repo.ids), next(other.numbers), self._now()
        other.forum.is_on = True
        other.forum.discussions[found.number] = found
        return found

    def _touch(self, number: int) -> None:
        if self.comments_touch:
            self.discussions[number].updated = self._now()

    def _now(self) -> float:
        return self._repo.clock.now()
