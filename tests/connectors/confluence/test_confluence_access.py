"""Who may read: the space, and every restriction from the page to the top; whatever is unclear is closed."""

from __future__ import annotations

import pytest

from catchment.core.errors import PermissionMissing, SourceError
from catchment.kit import Item
from catchment.simulators import faults
from catchment.simulators.confluence import signin
from catchment.simulators.confluence.world import ADMIN, EVERYBODY
from catchment.simulators.faults import Fault
from connectors.confluence import Confluence
from tests.support.confluence import Bench, personal

WAYS = ["cloud", "app", "data center"]
BERTA, CARL, DORA = "712020:berta", "712020:carl", "712020:dora"


@pytest.fixture
def people(bench: Bench) -> None:
    """Berta is a user, Carl also a keeper, Dora an admin of the office."""
    bench.world.add_user(BERTA)
    bench.world.add_user(CARL, groups=(EVERYBODY, "keepers"))
    bench.world.add_user(DORA, groups=("office",))
    bench.world.groups["keepers"].append(ADMIN)
    bench.world.groups["office"].append(ADMIN)


def source_of(bench: Bench, way: str) -> Confluence:
    given = {"cloud": None, "app": bench.app(), "data center": personal()}[way]
    return bench.source(credentials=given)


def readers(bench: Bench, way: str, *ids: int | str) -> dict[str, set[str]]:
    """Return whom the lists name, by key: users, and groups with an @ in front."""
    keys = [str(id_) for id_ in ids]
    lists = source_of(bench, way).permissions([Item(key, key) for key in keys])
    assert not any(made.public for made in lists.values())
    return {
        key: {f"@{entry.subject}" if entry.kind == "group" else entry.subject for entry in made.entries}
        for key, made in lists.items()
    }


def may_see(bench: Bench, named: set[str]) -> set[str]:
    """Return the users that a list lets in."""
    groups = bench.world.groups
    return {user for user in bench.world.users if user in named} | {
        user for name in named if name.startswith("@") for user in groups.get(name[1:], ())
    }


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("way", WAYS)
class TestLists:
    def test_without_restrictions_are_those_of_the_space(self, bench: Bench, way: str) -> None:
        """By group, and nobody's membership is asked for."""
        page = bench.world.add_page("ENG", "Page")
        assert readers(bench, way, page) == {str(page): {f"@{EVERYBODY}"}}
        assert bench.asked("/member") == 0

    def test_are_what_page_ancestors_and_space_have_in_common(self, bench: Bench, way: str) -> None:
        """For each combination: exactly those whom the site itself lets in."""
        world = bench.world
        world.grant_space("ENG", ("group", EVERYBODY), ("user", DORA))
        top = world.add_page("ENG", "Top")
        middle = world.add_page("ENG", "Middle", parent=top)
        leaf = world.add_page("ENG", "Leaf", parent=middle)
        comment = world.add_comment(leaf, "<p>x</p>")
        file = world.attach(leaf, "a.txt", b"a")
        post = world.add_blogpost("ENG", "Post")
        world.restrict(top, users=[BERTA, DORA], groups=["keepers"])
        world.restrict(leaf, users=[BERTA, CARL, ADMIN])
        world.restrict(post, groups=["office"])
        keys = [str(top), str(middle), str(leaf), str(comment), f"att{file}", str(post)]
        told = readers(bench, way, *keys)
        assert set(told) == set(keys)
        for key in keys:
            one = world.contents[int(key.removeprefix("att"))]
            allowed = {user for user in world.users if world.may_view(user, one)}
            assert may_see(bench, told[key]) == allowed, key
        assert may_see(bench, told[str(leaf)]) == {BERTA, CARL, ADMIN}

    def test_a_change_of_a_restriction_above_is_seen_below(self, bench: Bench, way: str) -> None:
        """Acceptance 13."""
        top = bench.world.add_page("ENG", "Top")
        leaf = bench.world.add_page("ENG", "Leaf", parent=bench.world.add_page("ENG", "Middle", parent=top))
        before = readers(bench, way, leaf)
        bench.world.restrict(top, users=[ADMIN])
        assert (
            may_see(bench, before[str(leaf)])
            > may_see(bench, readers(bench, way, leaf)[str(leaf)])
            == {ADMIN}
        )

    def test_what_is_not_found_is_seen_by_nobody(self, bench: Bench, way: str) -> None:
        """Purged, never there, or below a page that is hidden from the account itself."""
        world = bench.world
        gone = world.add_page("ENG", "Gone")
        world.purge(gone)
        hidden = world.add_page("ENG", "Hidden")
        world.restrict(hidden, users=[BERTA])
        below = world.add_page("ENG", "Below", parent=hidden)
        assert readers(bench, way, gone, below, "999", "att999") == {}

    def test_more_than_a_page_of_names(self, bench: Bench, way: str) -> None:
        """250 users in a restriction, 450 in a group."""
        world = bench.world
        crowd = [world.add_user(f"712020:{number}", groups=(EVERYBODY,)) for number in range(450)]
        page = world.add_page("ENG", "Page")
        world.restrict(page, users=[ADMIN, *crowd[:250]])
        told = readers(bench, way, page)[str(page)]
        assert told == {ADMIN, *crowd[:250]}


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("way", WAYS)
class TestFailClosed:
    @pytest.mark.parametrize("path", [r".*/restriction/.*", r".*/permissions", r".*/member.*"])
    @pytest.mark.parametrize("status", [403, 500])
    def test_a_question_without_an_answer_ends_the_refresh(
        self, bench: Bench, way: str, path: str, status: int
    ) -> None:
        """Acceptance 21: no list is made up."""
        page = bench.world.add_page("ENG", "Page")
        bench.world.restrict(page, users=[ADMIN], groups=["keepers"])
        bench.site.faults.add(Fault(faults.answer(status, {"message": "no"}), path=path))
        with pytest.raises(SourceError):
            readers(bench, way, page)

    def test_a_restriction_without_names_is_no_open_door(self, bench: Bench, way: str) -> None:
        """Users that the site does not name, and an answer that leaves the names out."""
        page = bench.world.add_page("ENG", "Page")
        bench.world.restrict(page, users=[ADMIN])

        def nameless(_request: object, reply: faults.Reply) -> None:
            reply.body["restrictions"]["user"]["results"] = [{"type": "unknown"}]

        bench.site.faults.add(Fault(faults.changed(nameless), path=r".*/restriction/.*"))
        assert readers(bench, way, page) == {str(page): set()}

        bench.site.faults.clear()

        def empty(_request: object, reply: faults.Reply) -> None:
            del reply.body["restrictions"]

        bench.site.faults.add(Fault(faults.changed(empty), path=r".*/restriction/.*"))
        with pytest.raises(SourceError):
            readers(bench, way, page)


@pytest.mark.usefixtures("people")
@pytest.mark.parametrize("way", WAYS)
def test_a_restriction_that_is_not_there_to_be_asked_about_hides_all_below(bench: Bench, way: str) -> None:
    """Acceptance 21: a 404 of the page above is no free pass."""
    top = bench.world.add_page("ENG", "Top")
    leaf = bench.world.add_page("ENG", "Leaf", parent=top)
    other = bench.world.add_page("ENG", "Other")
    bench.site.faults.add(Fault(faults.answer(404, {"message": "no"}), path=rf".*/{top}/restriction/.*"))
    assert set(readers(bench, way, leaf, other)) == {str(other)}


@pytest.mark.usefixtures("people")
class TestCloudAlone:
    def test_a_page_above_that_is_not_shown_hides_all_below(self, bench: Bench) -> None:
        """Nobody can say what its restriction says."""
        top = bench.world.add_page("ENG", "Top")
        leaf = bench.world.add_page("ENG", "Leaf", parent=top)

        def drop(_request: object, reply: faults.Reply) -> None:
            reply.body["results"] = [row for row in reply.body["results"] if row["id"] != str(top)]

        bench.site.faults.add(Fault(faults.changed(drop), path=r".*/api/v2/pages"))
        assert readers(bench, "cloud", leaf) == {}

    def test_a_restricted_folder_counts_as_a_page_does(self, bench: Bench) -> None:
        """It is above the page."""
        folder = bench.world.add_folder("ENG", "Folder")
        page = bench.world.add_page("ENG", "Page", parent=folder)
        bench.world.restrict(folder, users=[ADMIN])
        assert readers(bench, "cloud", page) == {str(page): {ADMIN}}

    def test_a_space_by_roles(self, bench: Bench) -> None:
        """Users and groups in a role that may view; whole classes of people are nobody."""
        space = bench.world.space("ENG")
        space.readers = [("user", ADMIN)]
        space.roles = {"role-1": [("group", "keepers"), ("user", BERTA), ("access_class", "anonymous-users")]}
        page = bench.world.add_page("ENG", "Page")
        assert readers(bench, "cloud", page) == {str(page): {ADMIN, BERTA, "@keepers"}}

    def test_many_items_cost_few_questions_about_where_they_stand(self, bench: Bench) -> None:
        """Pages are placed by the hundred; each page's restriction is asked once."""
        top = bench.world.add_page("ENG", "Top")
        pages = [bench.world.add_page("ENG", f"Page {number}", parent=top) for number in range(20)]
        readers(bench, "cloud", *pages)
        assert bench.asked("/api/v2/pages") == 2
        assert bench.asked("/restriction/") == 21
        assert bench.asked("/permissions") == 1

    def test_a_scope_that_is_missing_is_named(self, bench: Bench) -> None:
        """With what to do."""
        page = bench.world.add_page("ENG", "Page")
        source = bench.source(
            credentials=bench.app(scopes=signin.ALL_SCOPES - {"read:confluence-content.all"})
        )
        with pytest.raises(PermissionMissing, match=r"read:confluence-content\.all"):
            source.permissions([Item(str(page), "x")])


def test_an_old_data_center_says_that_it_cannot_tell(bench: Bench) -> None:
    """Before 9.1 nothing says who may view a space: hidden, with the reason."""
    page = bench.world.add_page("ENG", "Page")
    bench.site.faults.add(Fault(faults.answer(404, {"message": "null"}), path=r".*/permissions"))
    with pytest.raises(PermissionMissing, match=r"9\.1"):
        readers(bench, "data center", page)
