"""Whole syncs of a site through the product's own lanes."""

from __future__ import annotations

import pytest

from catchment.simulators import faults
from catchment.simulators.confluence import demo, signin
from catchment.simulators.faults import Fault
from connectors.confluence import cloud
from tests.support.confluence import SECRETS, Bench, expected, personal
from tests.support.vault import Crash, Vault, counts, done


def content_requests(bench: Bench) -> int:
    """Count requests for single things, which are bodies; the store of files is led to by the site itself."""
    return sum(
        not path.startswith("/media/") and (path.rpartition("/")[2].isdigit() or path.endswith("/download"))
        for path in (request.path for request in bench.site.asked)
    )


class TestCost:
    def test_nothing_changed_costs_the_lists_and_no_body(self, house: Vault, bench: Bench) -> None:
        """A few hundred items: files one by one, texts with six lists, labels, names; then the lists."""
        demo.fill(bench.site, 1, pages=40)
        keys = expected(bench.site)
        files = sum(key.startswith("att") for key in keys)
        names = {name for one in bench.world.contents.values() for name in one.labels}
        assert counts(house.sync()) == done(len(keys))
        assert content_requests(bench) == files
        assert house.shown() == keys
        assert len(bench.site.asked) - bench.asked("/media/") == files + 6 + 1 + 2 * len(names) + 1
        bench.forget()
        assert counts(house.sync()) == {"collected": len(keys), "skipped": len(keys)}
        assert len(bench.site.asked) == 6
        assert content_requests(bench) == 0

    def test_a_day_of_changes_is_read_and_nothing_else(self, house: Vault, bench: Bench) -> None:
        """Acceptance 13: also comments and files at pages that nobody touched."""
        _fill(bench)
        house.sync()
        world, pages = bench.world, _pages(bench)
        bench.clock.advance(86_400)
        world.edit(pages[1], "<p>Another text.</p>")
        comment = world.add_comment(pages[2], "<p>A new remark.</p>")
        file = world.attach(pages[3], "late.txt", b"late reading")
        fresh = world.add_page("ENG", "Fresh", "<p>Just written.</p>", parent=pages[1])
        world.move(pages[4], parent=pages[5])
        world.trash(pages[6])
        world.archive(pages[7])
        bench.forget()
        run = house.sync()
        assert (run.state, run.indexed, run.fetched) == ("SUCCEEDED", 4, 4)
        assert content_requests(bench) == 4
        texts = house.texts()
        assert set(texts) == expected(bench.site)
        assert "Another text" in texts[str(pages[1])]
        assert "A new remark" in texts[str(comment)]
        assert "late reading" in texts[f"att{file}"]
        assert "Just written" in texts[str(fresh)]
        titles = [world.contents[id_].title for id_ in (pages[5], pages[4])]
        assert house.fact(str(pages[4]), "path").endswith("/".join(titles))


class TestDeletions:
    def test_trash_restore_and_purge(self, house: Vault, bench: Bench) -> None:
        """What is gone goes with its parts, what comes back comes back."""
        _fill(bench)
        house.sync()
        pages = _pages(bench)
        bench.world.add_comment(pages[1], "<p>Bound to it.</p>")
        house.sync()
        bench.world.trash(pages[1])
        bench.world.purge(pages[2])
        house.sync()
        assert house.shown() == expected(bench.site)
        assert str(pages[1]) not in house.shown()
        bench.world.restore(pages[1])
        house.sync()
        assert house.shown() == expected(bench.site)
        assert str(pages[1]) in house.shown()

    def test_a_list_that_breaks_off_removes_nothing(
        self, house: Vault, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 1, in the index: the scope is incomplete, the run fails, its mark stays."""
        monkeypatch.setattr(cloud, "PAGE_ITEMS", 5)
        _fill(bench)
        house.sync()
        known = house.shown()
        bench.world.trash(_pages(bench)[1])
        bench.site.faults.add(Fault(faults.answer(500), path=r".*/pages", skip=2))
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "scope_incomplete")
        assert house.shown() == known
        bench.site.faults.clear()
        assert house.sync().state == "SUCCEEDED"
        assert house.shown() == expected(bench.site)

    def test_a_sign_in_that_is_ignored_is_no_empty_site(self, house: Vault, bench: Bench) -> None:
        """Cloud answers 200 as it would to anybody; only a header tells."""
        _fill(bench)
        house.sync()
        known = house.shown()

        def as_anybody(_request: object, reply: faults.Reply) -> faults.Reply:
            return faults.Reply(
                200, {"results": [], "_links": {}}, {"X-Seraph-LoginReason": "AUTHENTICATED_FAILED"}
            )

        bench.site.faults.add(Fault(faults.changed(as_anybody)))
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "auth")
        assert house.shown() == known

    def test_what_is_made_during_a_listing_stays(self, house: Vault, bench: Bench) -> None:
        """Acceptance 2 and 4."""
        _fill(bench)

        def act() -> None:
            bench.world.add_page("ENG", "Meanwhile", "<p>Made behind its back.</p>")

        bench.site.faults.add(Fault(faults.meanwhile(act), path=r".*/attachments", times=1))
        assert house.sync().state == "SUCCEEDED"
        assert house.sync().state == "SUCCEEDED"
        assert house.shown() == expected(bench.site)

    def test_a_space_taken_out_goes_without_the_guard(self, house: Vault, bench: Bench) -> None:
        """Acceptance 30: and comes back when the setting does."""
        _fill(bench)
        bench.world.add_space("OPS")
        house.configure(instance_url=bench.url, space_keys=["ENG", "OPS"])
        house.sync()
        assert house.shown() == expected(bench.site, "ENG", "OPS")
        house.configure(instance_url=bench.url, space_keys=["OPS"])
        assert house.sync().state == "SUCCEEDED"
        assert house.shown() == expected(bench.site, "OPS")
        house.configure(instance_url=bench.url, space_keys=["ENG", "OPS"])
        house.sync()
        assert house.shown() == expected(bench.site, "ENG", "OPS")


class TestTrouble:
    @pytest.mark.parametrize(("way", "chance"), [("cloud", 0.05), ("data center", 0.0125)])
    def test_faults_now_and_then_change_nothing(
        self, house: Vault, bench: Bench, way: str, chance: float
    ) -> None:
        """20 % of the few requests of Cloud, and 5 % of the others, fail: the index equals the site."""
        if way == "data center":
            house.credentials = personal()
        _fill(bench, pages=60)
        for answer in (
            faults.answer(500),
            faults.answer(429, headers={"Retry-After": "3"}),
            faults.cut(25),
            faults.malformed(),
        ):
            bench.site.faults.add(
                Fault(answer, path=r"(?!.*(/download|/media/|/rest/api/space)).*", chance=chance)
            )
        assert house.sync().state == "SUCCEEDED"
        for _ in range(3):
            house.sync()
        assert bench.site.faults.happened > 0
        assert house.shown() == expected(bench.site)

    def test_one_page_that_cannot_be_read_is_told_and_tried_again(self, house: Vault, bench: Bench) -> None:
        """Acceptance 5: all others are indexed, it is not deleted, the next run takes it."""
        _fill(bench)
        poor = _pages(bench)[3]
        bench.world.edit(poor, f"<p>{'deep water ' * 2000}</p>")  # too long to come along with a list
        bench.site.faults.add(Fault(faults.answer(403, {"message": "no"}), path=rf".*/pages/{poor}"))
        run = house.sync()
        assert run.failed == 1
        assert house.shown() == expected(bench.site) - {str(poor)}
        assert house.fact(str(poor), "state") == "failed"
        bench.site.faults.clear()
        bench.clock.advance(86_400)
        house.sync()
        assert house.shown() == expected(bench.site)

    def test_a_crash_in_the_middle_converges(
        self, house: Vault, bench: Bench, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 7 and 20: the rerun reads what is missing, and deletes against the whole."""
        _fill(bench, pages=40)
        house.tune(first_batch_items=5, page_items=5)
        real, seen = cloud.record_of, []

        def dying(*arguments: object) -> object:
            seen.append(1)
            if len(seen) == 30:
                raise Crash
            return real(*arguments)  # type: ignore[arg-type]

        with monkeypatch.context() as patched:
            patched.setattr(cloud, "record_of", dying)
            assert house.crash()
        bench.world.trash(_pages(bench)[2])
        assert house.sync().state == "SUCCEEDED"
        assert house.shown() == expected(bench.site)

    def test_no_secret_is_in_the_store(self, house: Vault, bench: Bench) -> None:
        """Nor in an error, whatever goes wrong."""
        _fill(bench)
        house.sync()
        bench.site.sign_ins.basic.clear()
        run = house.sync()
        assert run.error_code == "auth"
        bench.site.faults.add(Fault(faults.answer(400, {"message": signin.API_TOKEN[:3]})))
        house.sync()
        everything = repr(house.dump())
        assert not [secret for secret in SECRETS if secret in everything]


def _fill(bench: Bench, *, pages: int = 24) -> None:
    """Put pages with parts into the space: some below others, every fifth with a comment or a file."""
    world = bench.world
    made = [world.space("ENG").homepage_id or 0]
    for number in range(pages):
        made.append(
            world.add_page("ENG", f"Page {number}", f"<p>Text number {number}.</p>", parent=made[number // 3])
        )
        if number % 5 == 0:
            world.add_comment(made[-1], f"<p>Remark {number}.</p>")
            world.attach(made[-1], f"file {number}.txt", f"file {number}".encode())
    world.add_blogpost("ENG", "Post", "<p>Posted.</p>")


def _pages(bench: Bench) -> list[int]:
    """Return the ids of the pages that have nothing below them, after the first."""
    parents = {one.parent_id for one in bench.world.contents.values()}
    return [
        one.id
        for one in bench.world.contents.values()
        if one.kind == "page" and one.id not in parents and one.status == "current"
    ]
