"""Access lists: those of the repository, or an error."""

from __future__ import annotations

from typing import Any

import pytest

from catchment.core.errors import PermissionMissing, SourceError
from catchment.simulators import faults
from catchment.simulators.faults import Fault
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Repository
from catchment.simulators.wire import Reply
from connectors.github import GitHub
from tests.connectors.github.conftest import MakeSource, listed, token


class TestAccess:
    def lists(self, source: GitHub) -> Any:
        return {
            (one.public, tuple(sorted(entry.subject for entry in one.entries)))
            for one in source.permissions(list(listed(source)[0].values())).values()
        }

    def test_are_those_of_the_repository(
        self, make_source: MakeSource, vendor: Vendor, repo: Repository
    ) -> None:
        """Acceptance 21: collaborators of a private one, everybody for a public one, by one request each."""
        repo.open("Issue", "Body")
        vendor.most_per_page = 2
        repo.collaborators |= {f"octo-{n}": "read" for n in range(5)}
        source = make_source()
        assert self.lists(source) == {(False, tuple(sorted(repo.collaborators)))}
        vendor.publish(repo, public=True)
        assert self.lists(make_source()) == {(True, ())}
        repo.visibility, repo.private = "internal", True
        assert self.lists(make_source()) == {(False, tuple(sorted(repo.collaborators)))}

    def test_fail_closed(self, make_source: MakeSource, vendor: Vendor, repo: Repository) -> None:
        """Acceptance 21: without the permission, and when it fails, nobody is said to see anything."""
        vendor.token("reader", "octo-bob")
        source = make_source(credentials=token("reader"))
        items = list(listed(source)[0].values())
        with pytest.raises(PermissionMissing):
            source.permissions(items)
        source = make_source()
        vendor.faults.add(Fault(faults.answer(500), path=r".*/collaborators"))
        with pytest.raises(SourceError):
            source.permissions(items)

    def test_a_word_that_is_missing_is_no_proof(
        self, make_source: MakeSource, vendor: Vendor, repo: Repository
    ) -> None:
        """Acceptance 21: public only where GitHub says that it is not private."""
        source = make_source()
        items = list(listed(source)[0].values())

        def silent(_: object, reply: Reply) -> None:
            del reply.body["private"]
            reply.body["visibility"] = "public"

        vendor.faults.add(Fault(faults.changed(silent), path=r"/repositories/\d+"))
        assert not any(one.public for one in source.permissions(items).values())
