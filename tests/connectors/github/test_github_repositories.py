"""Repositories that are moved, made anew or hidden, through the product's own lanes."""

from __future__ import annotations

import pytest

from catchment.core.clock import SetClock
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository
from tests.connectors.github.conftest import asked, state
from tests.support.vault import Vault


@pytest.fixture
def talk(repo: Repository, clock: SetClock) -> Repository:
    """Files, issues, a pull request and a discussion, each with something said."""
    for number in range(1, 4):
        repo.open(f"Issue {number}", f"Body of {number}.", pull=number == 3)
        repo.comment(number, f"Comment on {number}.")
    made = repo.forum.open("Discussion", "Body")
    repo.forum.comment(made.number, "A comment")
    clock.advance(600)
    return repo


class TestMoved:
    def test_a_transferred_repository_keeps_its_documents(
        self, house: Vault, vendor: Vendor, talk: Repository
    ) -> None:
        """Acceptance 14: to another owner; the old address leads on, and no body is read again."""
        house.sync()
        before = house.ids()
        vendor.rename_repository(talk, "another-org/dam")
        asked(vendor)
        run = house.sync()
        assert (run.state, run.fetched, run.deleted) == ("SUCCEEDED", 0, 0)
        assert house.ids() == before
        assert house.fact(talk.issues[1].node_id, "path") == "another-org/dam/issues/1"
        one = talk.forum.discussions[4]
        assert house.fact(one.node_id, "path") == "another-org/dam/discussions/4"
        run = house.sync()
        assert (run.state, run.fetched, run.reason) == ("SUCCEEDED", 0, run.reason)

    def test_changes_after_it_are_followed(self, house: Vault, vendor: Vendor, talk: Repository) -> None:
        """Acceptance 14: by the name in the settings, which is the old one."""
        house.sync()
        vendor.rename_repository(talk, "another-org/dam")
        house.sync()
        talk.commit({"new.md": "New.\n"})
        talk.comment(1, "Said at the new place.")
        talk.forum.comment(4, "Said there, too.")
        run = house.sync()
        assert (run.state, run.fetched) == ("SUCCEEDED", 3)
        assert "Said at the new place." in house.texts()[talk.issues[1].node_id]
        assert house.shown() == state(vendor)


class TestAnew:
    def test_another_repository_of_the_same_name_is_another(
        self, house: Vault, vendor: Vendor, talk: Repository
    ) -> None:
        """Acceptance 14 and 30: its id tells; what was there goes, and nothing is mistaken."""
        house.sync()
        old = house.shown()
        vendor.delete_repository(talk)
        made = vendor.repository("octo-org/weir", collaborators={"octo-ann": "admin"})
        made.commit({"README.md": "# Another\n"})
        made.open("Issue 1", "Another body")
        made.forum.open("Discussion", "Another body")
        assert house.sync().state == "SUCCEEDED"
        assert house.shown() == state(vendor)
        assert not house.shown() & old
