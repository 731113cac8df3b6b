"""Settings: how they may be written, what cannot work, and what can be chosen."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from catchment.core.errors import ConfigRejected
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository
from connectors.github import GitHub, GitHubConfig, GitHubCredentials
from tests.connectors.github.conftest import MakeSource


class TestSettings:
    def test_repositories_are_written_in_one_way(self) -> None:
        """However a person writes them."""
        given = ["https://github.com/o/n", "o/n.git", "github.com/o/n/", "o/n@feature/x", " o/n ", "o/n.js"]
        assert GitHubConfig(repos=given).repos == ["o/n", "o/n@feature/x", "o/n.js"]

    @pytest.mark.parametrize(
        "settings",
        [
            {"repos": ["justaname"]},
            {"repos": ["a/b/c"]},
            {"repos": ["a/.."]},
            {"repos": ["https://gitlab.com/o/n"]},
            {"branch": "a b"},
            {"branch": "a:b"},
            {"path_filter": ["!docs/"]},
            {"kinds": []},
            {"kinds": ["wikis"]},
            {"api_url": "ftp://x"},
            {"api_url": "https://user:secret@x/api"},
            {"unknown": 1},
        ],
    )
    def test_what_cannot_work_is_refused(self, settings: dict[str, Any]) -> None:
        """Before anything is asked."""
        with pytest.raises(ValidationError):
            GitHubConfig(**settings)

    def test_the_names_of_old_configurations_hold(self) -> None:
        """As they are kept, and as clients write them."""
        from catchment.kit.catalog import PLANNED
        from catchment.kit.spelling import spelled

        planned = next(one for one in PLANNED if one.slug == "github")
        names = {one.name: ["o/n"] if one.name == "repos" else "docs" for one in planned.config}
        config = GitHubConfig.model_validate(spelled(GitHubConfig, names))
        assert (config.repos, config.branch, config.path_filter) == (["o/n"], "docs", ["docs"])
        assert GitHubConfig.model_validate({"repos": ["o/n"], "branch": None, "path_filter": None})
        for one in planned.credentials:
            assert one.name in GitHubCredentials.model_fields

    def test_what_to_grant_is_told_before_the_code_is_there(self) -> None:
        """The catalogue names each permission that the connector needs; it may say more in words."""
        from catchment.kit.catalog import PLANNED

        planned = next(one for one in PLANNED if one.slug == "github")
        assert set(planned.scopes) == {one for one in GitHub.scopes_needed if one.endswith(":read")}

    def test_addresses_are_recognised(self) -> None:
        """With a branch, too; others are not ours, and a page of GitHub's is no repository."""
        found = GitHub.address("https://github.com/o/n/tree/feature/x")
        assert found is not None
        assert found.config == {"repos": ["o/n@feature/x"]}
        assert GitHub.address("https://example.com/o/n") is None
        assert GitHub.address("./folder") is None
        with pytest.raises(ConfigRejected):
            GitHub.address("https://github.com/pricing")
        assert GitHub.identity({"repos": ["B/c", "a/b"]}) == GitHub.identity({"repos": ["a/b", "b/C"]})

    def test_the_other_api_of_an_own_server(self) -> None:
        """Lies beside the first."""
        assert GitHubConfig().graphql_url == "https://api.github.com/graphql"
        own = GitHubConfig(api_url="https://ghe.example.com/api/v3/")
        assert own.graphql_url == "https://ghe.example.com/api/graphql"

    def test_what_can_be_chosen(self, make_source: MakeSource, vendor: Vendor, repo: Repository) -> None:
        """Repositories, then branches, page by page; ids are what the settings take."""
        vendor.repository("octo-org/dam", collaborators={"octo-ann": "read"})
        repo.branches["feature/x"] = repo.branches["main"]
        vendor.most_per_page = 1
        source = make_source()
        first = source.browse()
        second = source.browse(page=first.next_page)
        assert [one.id for one in (*first.resources, *second.resources)] == ["octo-org/dam", "octo-org/weir"]
        assert second.next_page is None
        branches = source.browse("octo-org/weir")
        more = source.browse("octo-org/weir", branches.next_page)
        ids = [one.id for one in (*branches.resources, *more.resources)]
        assert ids == ["octo-org/weir@feature/x", "octo-org/weir@main"]
        assert make_source(repos=ids, kinds=["files"]).scopes()
        assert source.browse(ids[0]).resources == []
