"""GitHub under the control of the kit: the files of a repository. Its talks stand in `github_talks`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import SecretStr

from catchment.conformance import Ability, Delivery, Setup, SimulatedWorld
from catchment.kit.oauth import Client, ClientSettings
from catchment.simulators import faults
from catchment.simulators.github import GitHub as Vendor
from catchment.simulators.github import Hooks, Repository
from catchment.simulators.github.bodies import error
from catchment.simulators.github.code import MOST_ENTRIES
from catchment.simulators.github.git import FILE, Entry
from connectors.github import GitHub

OWNER = "ann"
RENEWAL = "/login/oauth/access_token"
SECRET = "canary-webhook-of-the-weir"
CLIENT_SECRET = "canary-client-of-the-weir"
WEAK = "github_pat_canary-without-permissions"
LATE_SECONDS = 60
README = "README.md"


class GitHubWorld(SimulatedWorld):
    """A private repository, read by somebody who signed in at an app of the operator's."""

    connector = GitHub
    address_setting = "api_url"
    error_body: ClassVar[Any] = {"message": "Something went wrong.", "status": "500"}
    old_configs = (
        {"repos": ["ann/weir"], "branch": "main", "pathFilter": "*.md"},
        {"repos": ["ann/weir@old"], "kinds": ["files"]},
    )
    kinds: ClassVar[tuple[str, ...]]
    vendor_class: ClassVar[type[Vendor]] = Vendor
    simulator: Vendor

    def make_simulator(self) -> Vendor:
        vendor = self.vendor_class()
        vendor.clock = vendor.access._clock = self.clock
        vendor.access.clients["weir"] = CLIENT_SECRET
        vendor.token(WEAK, OWNER, permissions=("metadata",))
        self.repo = self.make_repository(vendor, "weir")
        self.hooks = Hooks(vendor, SECRET)
        self._signed_in = vendor.access.grant(OWNER)
        return vendor

    def make_repository(self, vendor: Vendor, name: str) -> Repository:
        """Make one that the owner and one more may read."""
        return vendor.repository(f"{OWNER}/{name}", collaborators={OWNER: "admin", "bob": "read"})

    # -- the connector --------------------------------------------------------------------------

    def config(self) -> dict[str, Any]:
        return {"api_url": self.url, "repos": ["ann/weir"], "kinds": list(self.kinds)}

    def credentials(self) -> dict[str, Any]:
        if self._signed_in[1] not in self.simulator.access.grants:
            self._signed_in = self.simulator.access.grant(OWNER)  # the person signs in once more
        return dict(zip(("access_token", "refresh_token"), self._signed_in, strict=True))

    def oauth_client(self, provider: str) -> Client:
        settings = ClientSettings(
            client_id="weir", client_secret=SecretStr(CLIENT_SECRET), token_url=f"{self.url}{RENEWAL}"
        )
        return settings.client(provider)

    def refusal(self, status: int) -> Any:
        return error("Bad credentials" if status == 401 else "Not now.", status)

    def requests(self) -> int:
        # Hours pass from one run to the next, in which the sign-in ends: one refusal, and one renewal.
        asked = [request.path for request in self.simulator.asked]
        return len(asked) - 2 * asked.count(RENEWAL)

    # -- setups and faults ----------------------------------------------------------------------

    def bad_token(self) -> Setup:
        return Setup(credentials={"token": "ghp_canary-of-nobody"})

    def missing_scope(self) -> Setup:
        return Setup(credentials={"token": WEAK})

    def wrong_setting(self) -> Setup:
        return Setup({**self.config(), "repos": ["ann/no-such"]})

    def restrict(self, _name: str, who: str) -> None:
        self.repo.collaborators.clear()
        self.repo.collaborators[who] = "admin"

    def expire_token(self, after: int) -> None:
        access = self.simulator.access
        end = faults.meanwhile(lambda: [access.tokens.pop(one[1], None) for one in access.grants.values()])
        self.fault(end, skip=after, times=1)

    # -- webhooks -------------------------------------------------------------------------------

    def webhook_secret(self) -> str:
        return SECRET

    def unknown_delivery(self) -> Delivery:
        return Delivery(*self.hooks.delivery("star", {"action": "created"}))


class FilesWorld(GitHubWorld):
    """What the kit makes are files in two folders, each by a commit of its own."""

    kinds = ("files",)
    no_positions = "the files of a commit come in one answer"
    listing_path = r"/repos/[^/]+/[^/]+/git/trees/.+"
    cannot: ClassVar[Mapping[Ability, str]] = {
        Ability.BIG: "GitHub hands out no file over 100 MB",
        Ability.REPEAT_CURSOR: "a tree comes whole, or folder by folder: nothing names a next page",
        Ability.EMPTY_PAGE: "a tree comes whole, or folder by folder: nothing names a next page",
        Ability.DROP_NEXT: "a tree comes whole, or folder by folder: nothing names a next page",
        Ability.STALE_DELIVERY: "a delivery does not tell when it was signed",
    }

    def make_simulator(self) -> Vendor:
        vendor = super().make_simulator()
        self.repo.commit({README: "The weir holds water."})
        self._paths: dict[str, str] = {}
        self._pushes: dict[str, tuple[str, str]] = {}
        self._removed: dict[str, tuple[str, Entry]] = {}
        return vendor

    # -- what is true, and what people do -------------------------------------------------------

    def truth(self) -> dict[str, str]:
        blobs = self.repo.git.blobs
        return {self._key(path): blobs[entry.sha].decode() for path, entry in self.repo.files().items()}

    def _key(self, path: str) -> str:
        return f"{self.repo.id}:main:{path}"

    def key(self, name: str) -> str:
        return self._key(self._paths[name])

    def put(self, name: str, text: str) -> None:
        self._paths[name] = f"{('docs', 'notes')[len(self._paths) % 2]}/{name}.md"
        self.edit(name, text)

    def edit(self, name: str, text: str) -> None:
        self._commit(name, {self._paths[name]: text})

    def _commit(self, name: str, changes: Mapping[str, str | Entry | None]) -> None:
        before = self.repo.branches["main"]
        self._pushes[name] = (before, self.repo.commit(changes).sha)

    def remove(self, name: str) -> None:
        path = self._paths.pop(name)
        self._removed[name] = (path, self.repo.files()[path])
        self._commit(name, {path: None})

    def restore(self, name: str) -> None:
        path, entry = self._removed.pop(name)
        self._paths[name] = path
        self._commit(name, {path: entry})

    def rename(self, name: str, new: str) -> None:
        path = self._paths.pop(name)
        self._paths[new] = path.replace(name, new)
        self.repo.rename(path, self._paths[new])

    def move(self, name: str) -> None:
        path = self._paths[name]
        self._paths[name] = f"attic/{path}"
        self.repo.rename(path, self._paths[name])

    def late(self, name: str, text: str) -> None:
        self._paths[name] = f"docs/{name}.md"
        git, at = self.repo.git, self.clock.now() - LATE_SECONDS
        files = {**self.repo.files(), self._paths[name]: Entry(FILE, git.blob(text.encode()))}
        made = git.commit(files, (self.repo.branches["main"],), "Pushed later", OWNER, at)
        self.repo.branches["main"] = made.sha

    def many(self, count: int, begin: int = 0) -> None:
        numbers = range(begin, begin + count)
        self.repo.commit({f"many/{number:05}.md": f"word of {number}" for number in numbers})

    # -- how it is read -------------------------------------------------------------------------

    def body_path(self, name: str) -> str:
        entry = self.repo.files()[self._paths[name]]
        return rf"/repos/ann/weir/git/blobs/{entry.sha}"

    def page_size(self, size: int) -> None:
        # So many entries of a tree come whole; of a larger one each folder is asked for by itself.
        self.simulator.most_entries = size if size < len(self._paths) else MOST_ENTRIES

    def fail_listing(self, after_pages: int) -> None:
        if not after_pages:
            self.fault(faults.answer(500, self.refusal(500)), path=r"/repos/ann/weir/branches/.+")
        # Of a tree that was cut off nothing is taken, and the one above the folders holds no file of ours.
        cut = 2 if self.simulator.most_entries < MOST_ENTRIES else 0
        self.listing_fault(faults.answer(500, self.refusal(500)), skip=after_pages + cut)

    def error_with_200(self) -> None:
        self.listing_fault(faults.answer(200, self.error_body))

    def least_requests(self, listed: int, read: int) -> int:
        # The repository, its branch, and its trees.
        return 2 + self._trees(self.repo.git.commits[self.repo.branches["main"]].tree) + read

    def _trees(self, tree: str) -> int:
        git = self.repo.git
        if len(list(git.walk(tree))) <= self.simulator.most_entries:
            return 1
        folders = [entry.sha for entry in git.trees[tree].values() if entry.type == "tree"]
        return 2 + sum(map(self._trees, folders))

    def expire_cursors(self) -> None:
        self.repo.force_push({}, forget=True)

    def future_cursor(self) -> str:
        return json.dumps({"head": "f" * 40, "name": "ann/weir", "etag": None})

    def delivery(self, name: str) -> Delivery:
        return Delivery(*self.hooks.push(self.repo, *self._pushes[name]))
