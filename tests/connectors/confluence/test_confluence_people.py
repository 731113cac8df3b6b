"""Names of people: asked for many at a time, once in a run, and never needed."""

from __future__ import annotations

import pytest

from catchment.core.errors import SourceDown
from catchment.core.items import Item
from catchment.simulators import faults
from catchment.simulators.confluence import signin
from catchment.simulators.confluence.world import ADMIN
from catchment.simulators.faults import Fault
from connectors.confluence import people
from connectors.confluence.storage import mentioned
from tests.support.confluence import Bench, listed, personal, text
from tests.support.vault import Vault

BULK = "/users-bulk"


def to(*accounts: str) -> str:
    """A text that mentions people."""
    said = " ".join(f'<ac:link><ri:user ri:account-id="{account}" /></ac:link>' for account in accounts)
    return f"<p>Ask {said} first.</p>"


@pytest.fixture
def page(bench: Bench) -> str:
    """A page that mentions somebody who is known, and somebody who is not."""
    bench.world.add_user("557058:berta", name="Berta  Brook")
    return str(bench.world.add_page("ENG", "Page", to("557058:berta", "557058:gone")))


def test_mentions_and_authors_are_told_by_name(bench: Bench, page: str) -> None:
    """Whom the site does not know keeps the id."""
    source = bench.source()
    content = source.fetch(listed(source)[page])
    assert b"Ask @Berta Brook @557058:gone first." in content.stream().read()
    assert content.item is not None
    assert content.item.author == "Ada Admin"


def test_each_is_asked_for_once(bench: Bench, page: str) -> None:
    """Known or not, by however many texts."""
    source = bench.source()
    others = [bench.world.add_page("ENG", f"Page {n}", to("557058:berta", "557058:gone")) for n in range(3)]
    found = listed(source)
    for key in [page, *map(str, others)]:
        assert "@Berta Brook" in text(source, found[key])
    assert bench.asked(BULK) == 1


def test_a_first_listing_asks_for_many_at_a_time(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """250 people in 130 texts, a hundred at a time."""
    for number in range(250):
        bench.world.add_user(f"u:{number}", name=f"Person {number}")
    for number in range(125):
        bench.world.add_page("ENG", f"Page {number}", to(f"u:{2 * number}", f"u:{2 * number + 1}"))
    source = bench.source()
    items = [item for item in source.listing_with_content(source.scopes()[0]) if isinstance(item, Item)]
    texts = {item.title: item.content.stream().read().decode() for item in items if item.content is not None}
    assert all(f"@Person {2 * n} @Person {2 * n + 1}" in texts[f"Page {n}"] for n in range(125))
    assert {item.author for item in items if item.content is not None} == {"Ada Admin"}
    assert bench.asked(BULK) <= 5


@pytest.mark.parametrize("way", ["scope", "profiles"])
def test_without_the_right_to_see_profiles_ids_stay(bench: Bench, page: str, way: str) -> None:
    """An app without the scope, an account without the permission: texts are read, and nobody asks again."""
    scopes = signin.ALL_SCOPES - ({"read:user:confluence"} if way == "scope" else set())
    source = bench.source(credentials=bench.app(scopes=scopes))
    if way == "profiles":
        bench.site.faults.add(Fault(faults.answer(404, {"errors": []}), path=rf".*{BULK}"))
    item = listed(source)[page]
    for _ in range(2):
        content = source.fetch(item)
        assert b"@557058:berta" in content.stream().read()
        assert content.item is not None
        assert content.item.author == ADMIN
    assert bench.asked(BULK) == 1


def test_no_answer_is_no_text(bench: Bench, page: str) -> None:
    """Names that come and go would make texts anew: the page is tried again later, the others go on."""
    source = bench.source()
    item = listed(source)[page]
    bench.site.faults.add(Fault(faults.answer(500), path=rf".*{BULK}"))
    with pytest.raises(SourceDown):
        source.fetch(item)
    bench.site.faults.clear()
    assert "@Berta Brook" in text(source, item)


def test_what_came_before_an_error_comes_first(
    bench: Bench, page: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Acceptance 1: names are waited for, and no item is lost to that."""
    bench.world.add_blogpost("ENG", "News", to("557058:berta"))
    bench.site.faults.add(Fault(faults.answer(500), path=r".*/blogposts"))
    monkeypatch.setattr(people, "_TOGETHER", 50)
    source = bench.source()
    found = []
    events = source.listing_with_content(source.scopes()[0])
    with pytest.raises(SourceDown):
        for event in events:
            found.append(event)
    assert page in {item.key for item in found if isinstance(item, Item)}


def test_data_center_is_not_asked(bench: Bench) -> None:
    """Its texts mention by user name."""
    mention = '<p><ac:link><ri:user ri:username="berta" /></ac:link></p>'
    page = str(bench.world.add_page("ENG", "Page", mention))
    source = bench.source(credentials=personal())
    assert "@berta" in text(source, listed(source)[page])
    assert bench.asked("user") == 0


def test_mentions_are_found_however_they_are_written() -> None:
    """In either quotes; what is no account id is none."""
    told = """<ri:user ri:account-id='1:a'/> <ri:user ri:account-id="2" /> <ri:user ri:userkey="3"/> x-id=4"""
    assert list(mentioned(told)) == ["1:a", "2"]


def test_a_page_called_like_a_file_is_a_page(house: Vault, bench: Bench) -> None:
    """Whatever its title ends in, its text is what the connector says."""
    titles = ("page.html", "plan.pdf", "table.csv")
    made = {
        title: bench.world.add_page("ENG", title, "<p>level &lt;b&gt; of the weir</p>") for title in titles
    }
    assert house.sync().state == "SUCCEEDED"
    texts = house.texts()
    assert [title for title, id in made.items() if "level <b> of the weir" not in texts[str(id)]] == []
