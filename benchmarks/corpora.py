"""W1: folders of text, Markdown and HTML files, the same for everyone who makes them.

10,000 files hold 65 MB; sizes are log-normal (half of the files under 4 KB, a few over 100 KB), folders
are nested up to four deep, and each file holds one unique token at a place drawn by chance. Larger
scales repeat the recipe. Corpora are kept under `.bench/` and made once.
"""

from __future__ import annotations

import html
import json
import math
import os
import random
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.words import draw, sentences, title, token, with_token

MEAN_BYTES = 6_500
_SIGMA = 1.0
_PROSE = 0.957  # the rest is headings, lists and tags
_RECIPE = 1  # part of the cached folder's name: a new recipe never meets an old corpus
_ENDINGS = ("txt", "md", "txt", "md", "html")


@dataclass(frozen=True)
class Corpus:
    """A folder and what must be found in it.

    Attributes:
        root: The folder that is synced; nothing else lies in it.
        tokens: Relative POSIX path to the one token of that file.
    """

    root: Path
    tokens: dict[str, str]

    @property
    def bytes(self) -> int:
        """Return the size of all files."""
        return sum((self.root / path).stat().st_size for path in self.tokens)


@dataclass(frozen=True)
class Change:
    """What one round of changes did to a corpus.

    Attributes:
        corpus: The corpus as it is now.
        modified: Paths with new content.
        added: Paths that are new.
        deleted: Paths that are gone.
        stale: Tokens that must not be found any more.
    """

    corpus: Corpus
    modified: list[str]
    added: list[str]
    deleted: list[str]
    stale: list[str]


def make_w1(cache: Path, *, files: int = 10_000, seed: int = 1) -> Corpus:
    """Return the W1 corpus of so many files, making it on the first call."""
    return cached(cache / f"w1-{_RECIPE}-{files}-{seed}", lambda root: _write_w1(root, files, seed))


def cached(home: Path, write: Callable[[Path], dict[str, str]]) -> Corpus:
    """Return the corpus kept in `home`; `write` fills the folder it is given and returns its tokens.

    The list of tokens is written last, so an interrupted making starts again from nothing.
    """
    manifest, root = home / "tokens.json", home / "files"
    if not manifest.exists():
        shutil.rmtree(home, ignore_errors=True)
        root.mkdir(parents=True)
        tokens = write(root)
        manifest.write_text(json.dumps(tokens), encoding="utf-8")
    return Corpus(root, json.loads(manifest.read_text(encoding="utf-8")))


def copy(corpus: Corpus, root: Path) -> Corpus:
    """Make a working copy by hard links: quick, and same modification times.

    `change` replaces files and never writes into them, so the original stays as it was.
    """
    for path in corpus.tokens:
        target = root / path
        target.parent.mkdir(parents=True, exist_ok=True)
        os.link(corpus.root / path, target)
    return Corpus(root, dict(corpus.tokens))


def change(corpus: Corpus, *, seed: int) -> Change:
    """Modify 1 % of the files, add 0.5 % and delete 0.5 %, each at least one, in place.

    A modified file gets a new token and a new paragraph; the same seed makes the same change.
    """
    series = f"change {seed}"
    rng = random.Random(series)
    count = len(corpus.tokens)
    few = max(1, round(count / 200))
    picked = rng.sample(sorted(corpus.tokens), max(1, round(count / 100)) + few)
    deleted, modified = picked[:few], picked[few:]
    tokens = dict(corpus.tokens)
    stale = [tokens[path] for path in picked]
    for path in deleted:
        (corpus.root / path).unlink()
        del tokens[path]
    for path in modified:
        tokens[path] = _modify(corpus.root / path, tokens[path], token(series, path), rng)
    added = [f"added/{seed}/{number:05}.{_ENDINGS[number % 5]}" for number in range(few)]
    for path in added:
        tokens[path] = token(series, path)
        _write_file(corpus.root / path, tokens[path], size=_size(rng), rng=rng)
    return Change(Corpus(corpus.root, tokens), modified, added, deleted, stale)


def _modify(file: Path, old: str, new: str, rng: random.Random) -> str:
    text = file.read_text(encoding="utf-8")
    middle = text.index(old)
    beside = f"{new} {sentences(rng, 300)}"
    fresh = file.with_name(file.name + ".new")
    fresh.write_text(text[:middle] + beside + text[middle + len(old) :], encoding="utf-8")
    fresh.replace(file)  # a new inode: hard-linked copies keep the old content
    return new


def _write_w1(root: Path, files: int, seed: int) -> dict[str, str]:
    rng = random.Random(seed)
    sizes = [_size(rng) for _ in range(files)]
    scale = files * MEAN_BYTES * _PROSE / sum(sizes)
    folders = _folders(rng, max(1, files // 25))
    tokens: dict[str, str] = {}
    for number, size in enumerate(sizes):
        ending = _ENDINGS[number % len(_ENDINGS)]
        path = f"{rng.choice(folders)}{'-'.join(draw(rng, 2))}-{number:06}.{ending}"
        tokens[path] = token(f"w1 {seed}", path)
        _write_file(root / path, tokens[path], size=int(size * scale), rng=rng)
    return tokens


def _size(rng: random.Random) -> int:
    mu = math.log(MEAN_BYTES) - _SIGMA**2 / 2  # so that the mean is MEAN_BYTES
    return max(300, int(rng.lognormvariate(mu, _SIGMA)))


def _folders(rng: random.Random, count: int) -> list[str]:
    folders = [""]
    for number in range(count):
        parent = rng.choice(folders)
        if parent.count("/") < 4:
            folders.append(f"{parent}{rng.choice(draw(rng, 3))}-{number}/")
    return folders


def _write_file(file: Path, unique: str, *, size: int, rng: random.Random) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    paragraphs = _paragraphs(size, unique, rng)
    render = {"txt": _as_text, "md": _as_markdown, "html": _as_html}[file.suffix[1:]]
    file.write_text(render(paragraphs, rng), encoding="utf-8")


def _paragraphs(size: int, unique: str, rng: random.Random) -> list[str]:
    paragraphs: list[str] = []
    left = size
    while left > 0 or not paragraphs:
        paragraphs.append(sentences(rng, min(left, rng.randint(200, 900))))
        left -= len(paragraphs[-1].encode()) + 2
    place = rng.randrange(len(paragraphs))
    paragraphs[place] = with_token(paragraphs[place], unique, rng)
    return paragraphs


def _as_text(paragraphs: list[str], _: random.Random) -> str:
    return "\n\n".join(paragraphs) + "\n"


def _as_markdown(paragraphs: list[str], rng: random.Random) -> str:
    parts = [f"# {title(rng)}"]
    for number, paragraph in enumerate(paragraphs):
        if number % 4 == 1:
            parts.append(f"{'#' * rng.randint(2, 3)} {title(rng)}")
        if number % 7 == 3:
            parts.append("\n".join(f"- {title(rng)}" for _ in range(3)))
        parts.append(paragraph)
    return "\n\n".join(parts) + "\n"


def _as_html(paragraphs: list[str], rng: random.Random) -> str:
    heading = html.escape(title(rng))
    parts = [
        f"<!DOCTYPE html>\n<html><head><meta charset='utf-8'><title>{heading}</title>",
        "<style>p { margin: 1em }</style></head><body>",
        f"<nav><a href='/'>{title(rng)}</a> <a href='/all'>{title(rng)}</a></nav>",
        f"<h1>{heading}</h1>",
    ]
    for number, paragraph in enumerate(paragraphs):
        if number % 4 == 1:
            level = rng.randint(2, 3)
            parts.append(f"<h{level}>{title(rng)}</h{level}>")
        if number % 7 == 3:
            parts.append("<ul>" + "".join(f"<li>{title(rng)}</li>" for _ in range(3)) + "</ul>")
        parts.append(f"<p>{html.escape(paragraph)}</p>")
    return "\n".join(parts) + "\n</body></html>\n"
