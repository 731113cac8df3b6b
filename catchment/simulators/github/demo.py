"""A corpus to try the connector with, without any account."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from catchment.simulators.github.world import Repository

if TYPE_CHECKING:
    from catchment.simulators.github.server import GitHub

TOKEN = "demo"  # noqa: S105 - of the simulator only
_PLACES = ("weir", "sluice", "gauge", "reservoir", "culvert", "spillway", "aquifer", "levee")
_ACTS = ("reads", "reports", "forgets", "rounds", "repeats", "loses", "delays", "doubles")
_THINGS = ("the level", "the flow", "a reading", "its battery", "the rain", "the time zone", "an alarm")
_FOLDERS = ("docs", "docs/guides", "src", "src/gauges", "reports/2024", "reports/2025")


def fill(github: GitHub, seed: int) -> None:
    """Write three repositories with some 200 files, 150 issues and pull requests, and 25 discussions."""
    words = random.Random(seed)  # noqa: S311 - no secret
    github.token(TOKEN)
    for name, files, issues in (("river-watch", 120, 90), ("gauge-firmware", 60, 50), ("handbook", 25, 12)):
        repo = github.repository(f"headwaters/{name}")
        repo.collaborators |= {"octo-ann": "admin", "octo-bob": "write", "octo-cid": "read"}
        _files(github, repo, words, files)
        _issues(github, repo, words, issues)
        _discussions(github, repo, words, issues // 6)
    github.publish(github.named("headwaters/handbook"), public=True)


def _sentence(words: random.Random) -> str:
    return f"The {words.choice(_PLACES)} {words.choice(_ACTS)} {words.choice(_THINGS)}."


def _text(words: random.Random, title: str, sentences: int) -> str:
    return f"# {title}\n\n" + "\n\n".join(_sentence(words) for _ in range(sentences)) + "\n"


def _files(github: GitHub, repo: Repository, words: random.Random, number: int) -> None:
    repo.commit({"README.md": _text(words, repo.name.replace("-", " ").title(), 4)}, message="Begin")
    for start in range(0, number, 20):
        github.clock.advance(3600)
        changes: dict[str, bytes | str | None] = {}
        for place in range(start, min(start + 20, number)):
            folder = words.choice(_FOLDERS)
            ending = "py" if folder.startswith("src") else "md"
            title = f"{words.choice(_PLACES).title()} {place}"
            text = _text(words, title, words.randint(1, 6))
            changes[f"{folder}/{words.choice(_PLACES)}-{place:03}.{ending}"] = text
        repo.commit(dict(changes), message=f"Write {len(changes)} files")


def _issues(github: GitHub, repo: Repository, words: random.Random, number: int) -> None:
    labels = ("bug", "question", "documentation", "hardware")
    for _ in range(number):
        github.clock.advance(words.randint(60, 7200))
        pull = words.random() < 0.3
        issue = repo.open(_sentence(words)[:-1], _text(words, "What happens", 2), pull=pull)
        issue.labels = words.sample(labels, words.randint(0, 2))
        for _ in range(words.randint(0, 4)):
            github.clock.advance(60)
            repo.comment(issue.number, _sentence(words))
        if pull:
            repo.remark(issue.number, _sentence(words), path="src/gauges/weir.py", line=words.randint(1, 80))
            repo.review(issue.number, _sentence(words))
        if words.random() < 0.5:
            repo.close(issue.number, merge=pull)


def _discussions(github: GitHub, repo: Repository, words: random.Random, number: int) -> None:
    for _ in range(number):
        github.clock.advance(words.randint(60, 7200))
        category = words.choice(("General", "Ideas", "Q&A"))
        made = repo.forum.open(_sentence(words)[:-1], _text(words, "What I wonder", 2), category=category)
        for _ in range(words.randint(0, 3)):
            github.clock.advance(60)
            said = repo.forum.comment(made.number, _sentence(words))
            if words.random() < 0.5:
                repo.forum.reply(made.number, said.id, _sentence(words))
            if made.is_answerable and words.random() < 0.3:
                repo.forum.answer(made.number, said.id)
