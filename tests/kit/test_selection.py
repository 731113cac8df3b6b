"""Which paths, sizes and ages lie in scope."""

from __future__ import annotations

import pytest

from catchment.core.errors import ConfigRejected
from catchment.core.items import Item
from catchment.kit.config import SourceConfig
from catchment.kit.selection import DAY_SECONDS, Selection

NOW = 1_700_000_000.0


def select(**settings: object) -> Selection:
    return Selection.of(SourceConfig.model_validate(settings), max_file_bytes=100)


class TestAdmits:
    @pytest.mark.parametrize(
        ("pattern", "inside", "outside"),
        [
            ("*.pdf", ["a.pdf", "deep/down/a.pdf"], ["a.txt", "a.pdf.bak"]),
            ("drafts/", ["drafts/a", "x/drafts/b/c"], ["drafts", "mydrafts/a"]),
            ("/drafts", ["drafts/a", "drafts"], ["x/drafts/a"]),
            ("docs/*.md", ["docs/a.md"], ["docs/deep/a.md", "x/docs/a.md"]),
            ("docs/**", ["docs/a", "docs/b/c"], ["docs", "x/docs/a"]),
            ("**/old/*", ["old/a", "x/old/a"], ["older/a"]),
            ("a?c", ["abc", "x/a-c"], ["ac", "a/c"]),
            ("[a-c].txt", ["b.txt"], ["d.txt"]),
            ("r\\*d", ["r*d"], ["road"]),
            ("Ünï code 文.txt", ["x/Ünï code 文.txt"], ["uni code.txt"]),
        ],
    )
    def test_paths_as_gitignore_means_them(self, pattern: str, inside: list[str], outside: list[str]) -> None:
        """One pattern, as include and as exclude: what the one lets in the other keeps out."""
        for path in inside:
            assert select(include=[pattern]).admits(path), path
            assert not select(exclude=[pattern]).admits(path), path
        for path in outside:
            assert not select(include=[pattern]).admits(path), path
            assert select(exclude=[pattern]).admits(path), path

    def test_everything_when_nothing_is_said(self) -> None:
        """No setting, no filter."""
        assert select().admits("any/thing")

    def test_what_is_included_and_not_excluded(self) -> None:
        """Exclude wins; a later pattern takes back an earlier one."""
        both = select(include=["docs/"], exclude=["*.tmp", "!keep.tmp"])
        assert both.admits("docs/a.md")
        assert not both.admits("docs/a.tmp")
        assert both.admits("docs/keep.tmp")
        assert not both.admits("other/a.md")

    @pytest.mark.parametrize("blank", [[""], ["  ", ""], ["# only a remark"]])
    def test_everything_when_only_blanks_are_said(self, blank: list[str]) -> None:
        """An empty line in a form must not empty the collection."""
        assert select(include=blank, exclude=blank).admits("a")
        assert not select(include=[*blank, "*.md"]).admits("a")


class TestBadPatterns:
    @pytest.mark.parametrize("setting", ["include", "exclude"])
    @pytest.mark.parametrize("pattern", ["!", "a\\", "[z-a]"])
    def test_are_refused_by_the_name_of_the_setting(self, setting: str, pattern: str) -> None:
        """The error says where to look and how patterns are written, before anything runs."""
        with pytest.raises(ConfigRejected, match=setting) as caught:
            select(**{setting: ["*.md", pattern]})
        assert caught.value.setting == setting
        assert "gitignore" in caught.value.remedy

    def test_an_include_that_only_excludes_is_refused(self) -> None:
        """It would let nothing in, and every document would go as out of scope."""
        with pytest.raises(ConfigRejected, match="exclude") as caught:
            select(include=["!drafts/", ""])
        assert caught.value.setting == "include"
        select(include=["*", "!drafts/"])


class TestRefusal:
    def test_of_what_is_larger_than_the_limit(self) -> None:
        """The limit itself and an unknown size pass; a connector's own limit goes before the general one."""
        assert select().refusal(Item("k", "p", size=100), now=NOW) is None
        assert select().refusal(Item("k", "p", size=101), now=NOW) == "too_large: 101 bytes, the limit is 100"
        assert select().refusal(Item("k", "p"), now=NOW) is None
        assert select(max_file_bytes=200).refusal(Item("k", "p", size=101), now=NOW) is None
        assert select(max_file_bytes=10).refusal(Item("k", "p", size=11), now=NOW) is not None

    def test_of_what_is_older_than_the_age(self) -> None:
        """The age itself passes, and so does what has no time."""
        limited = select(max_age_days=2)
        assert limited.refusal(Item("k", "p", modified_at=NOW - 2 * DAY_SECONDS), now=NOW) is None
        assert limited.refusal(Item("k", "p", modified_at=NOW - 2 * DAY_SECONDS - 1), now=NOW) == "too_old"
        assert limited.refusal(Item("k", "p"), now=NOW) is None
        assert select().refusal(Item("k", "p", modified_at=0.0), now=NOW) is None

    def test_by_the_source_goes_first(self) -> None:
        """What the source will not hand out is told in its own words."""
        item = Item("k", "p", size=101, refusal="storage_class: GLACIER")
        assert select().refusal(item, now=NOW) == "storage_class: GLACIER"


class TestTheSettings:
    @pytest.mark.parametrize("wrong", [{"inclde": ["*"]}, {"max_file_bytes": 0}, {"max_age_days": 0}])
    def test_refuse_what_would_have_no_effect(self, wrong: dict[str, object]) -> None:
        """A misspelt name or a senseless number is an error, not a silent default."""
        with pytest.raises(ValueError, match=next(iter(wrong))):
            SourceConfig.model_validate(wrong)
