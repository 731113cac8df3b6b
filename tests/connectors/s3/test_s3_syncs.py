"""Buckets through the product's own lanes: the scenarios where connector platforms are known to fail."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from catchment.core.errors import RunCancelled
from catchment.store.engine import writing
from connectors.s3 import S3, S3Config, listing, reading
from tests.connectors.s3.conftest import KEYS
from tests.support.s3 import Answer, Bucket, Proxy, client_of, error, lists, rclone, reads
from tests.support.vault import Crash, Vault, counts, done
from tests.support.waiting import until

BIG = b"the gauge at the weir was read again\n" * 80_000


@pytest.fixture
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten keys in a page."""
    monkeypatch.setattr(listing, "PAGE_KEYS", 10)


class TestCost:
    def test_nothing_changed_costs_a_listing_and_no_body(
        self, house: Vault, bucket: Bucket, proxy: Proxy
    ) -> None:
        """1,001 objects: two requests in all, and nothing else; the first run read each once."""
        keys = bucket.fill(1001)
        assert counts(house.sync()) == done(len(keys))
        assert proxy.counts() == {"LIST": 2, "GET": len(keys)}
        assert set(house.texts()) == set(keys)
        proxy.mend()
        run = house.sync()
        assert counts(run) == {"collected": len(keys), "skipped": len(keys)}
        assert proxy.counts() == {"LIST": 2}

    def test_a_change_costs_one_read(self, house: Vault, bucket: Bucket, proxy: Proxy) -> None:
        """What changed is read, what is new too, what is gone goes."""
        keys = bucket.fill(30)
        house.sync()
        proxy.mend()
        bucket.put(keys[3], "another text")
        bucket.put("new.txt", "brand new")
        bucket.delete(keys[5])
        run = house.sync()
        assert (run.indexed, run.deleted, run.fetched) == (2, 1, 2)
        assert proxy.counts() == {"LIST": 1, "GET": 2}
        assert house.texts()[keys[3]] == "another text"
        assert house.shown() == {*keys, "new.txt"} - {keys[5]}

    def test_the_same_bytes_written_again_change_nothing(
        self, house: Vault, bucket: Bucket, proxy: Proxy
    ) -> None:
        """The ETag is the content's."""
        bucket.put("a.txt", "text")
        house.sync()
        bucket.put("a.txt", "text")
        proxy.mend()
        assert counts(house.sync()) == {"collected": 1, "skipped": 1}
        assert proxy.counts() == {"LIST": 1}


@pytest.mark.usefixtures("small_pages")
class TestBrokenListing:
    def test_a_page_that_fails_for_good_removes_nothing(
        self, house: Vault, bucket: Bucket, proxy: Proxy
    ) -> None:
        """Acceptance 1: what was listed is synced, the run fails, other prefixes are unaffected."""
        house.configure(**house.connector().config, prefixes=["a/", "b/"])
        keys = bucket.fill(35, pattern="a/{:05}.txt") + bucket.fill(5, pattern="b/{:05}.txt")
        house.sync()
        bucket.delete(keys[1], keys[34], keys[36])
        bucket.put(keys[0], "changed")
        proxy.mend()
        proxy.fault(proxy.page(3), error("InternalError", 500))
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "scope_incomplete")
        assert run.deleted == 1, "of b/ alone"
        assert house.texts()[keys[0]] == "changed"
        assert house.shown() == set(keys) - {keys[36]}
        proxy.mend()
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert house.shown() == set(keys) - {keys[1], keys[34], keys[36]}

    def test_what_comes_during_a_listing_stays(self, house: Vault, bucket: Bucket, proxy: Proxy) -> None:
        """Acceptance 2 and 4: written behind the listing's back it stays, and the next run finds it."""
        keys = bucket.fill(35)
        proxy.fault(proxy.page(3), Answer(pass_on=True, then=lambda: bucket.put("a-new.txt", "x")), times=1)
        assert house.sync().state == "SUCCEEDED"
        assert house.shown() == set(keys)
        assert house.sync().state == "SUCCEEDED"
        assert house.shown() == {*keys, "a-new.txt"}

    def test_an_interrupted_listing_deletes_against_the_whole(
        self, house: Vault, bucket: Bucket, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 7, 8, 20: killed in the middle, the rerun lists again and reads only what is missing."""
        keys = bucket.fill(45)
        real, seen = listing._turn, []

        def dying(*arguments: object) -> object:
            seen.append(arguments)
            if len(seen) == 4:
                raise Crash
            return real(*arguments)  # type: ignore[arg-type]

        house.tune(first_batch_items=5, page_items=5)
        with monkeypatch.context() as patched:
            patched.setattr(listing, "_turn", dying)
            assert house.crash()
        indexed = house.shown()
        assert indexed < set(keys)
        bucket.delete(keys[0], keys[44])
        proxy.mend()
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert house.shown() == set(keys) - {keys[0], keys[44]}
        assert proxy.counts()["GET"] == len(house.shown() - indexed)
        house.check_index()


class TestGuard:
    def test_an_empty_listing_deletes_nothing_until_a_person_allows_it(
        self, house: Vault, bucket: Bucket
    ) -> None:
        """Acceptance 9."""
        keys = bucket.fill(30)
        house.sync()
        bucket.delete(*keys)
        run = house.sync()
        assert (run.state, run.error_code) == ("FAILED", "deletion_guard")
        assert run.details["held"]["/"]["count"] == 30
        assert house.shown() == set(keys)
        run = house.sync(allow_mass_delete=True)
        assert run.state == "SUCCEEDED"
        assert house.shown() == set()

    def test_the_loss_of_most_objects_is_held(self, house: Vault, bucket: Bucket) -> None:
        """Acceptance 9: more than half."""
        keys = bucket.fill(50)
        house.sync()
        bucket.delete(*keys[:30])
        assert house.sync().error_code == "deletion_guard"
        assert house.shown() == set(keys)

    def test_a_web_page_in_the_servers_place_deletes_nothing(
        self, house: Vault, bucket: Bucket, proxy: Proxy
    ) -> None:
        """It is no empty bucket, and the sentence names the endpoint."""
        bucket.put("a.txt", "x")
        house.sync()
        proxy.fault(lists, Answer(200, b"<html><body/></html>"))
        run = house.sync(allow_mass_delete=True)
        assert run.state == "FAILED"
        assert "does not answer as an S3 server" in (run.error_message or "")
        assert house.shown() == {"a.txt"}


class TestFailures:
    def test_one_object_that_cannot_be_read_harms_no_other(
        self, house: Vault, bucket: Bucket, proxy: Proxy
    ) -> None:
        """Acceptance 5: recorded with its link and reason, tried again, not deleted."""
        keys = bucket.fill(5)
        house.sync()
        bucket.put(keys[2], "changed")
        proxy.fault(reads(keys[2]), error("AccessDenied", 403, "kms:Decrypt denied"))
        run = house.sync()
        assert (run.state, run.failed) == ("SUCCEEDED", 1)
        assert house.fact(keys[2], "reason") == "kms_denied"
        assert house.fact(keys[2], "url").endswith(keys[2])
        assert house.shown() == set(keys)
        proxy.mend()
        assert house.sync().indexed == 1
        assert house.texts()[keys[2]] == "changed"

    def test_an_object_that_always_fails_is_put_aside(
        self, house: Vault, bucket: Bucket, proxy: Proxy
    ) -> None:
        """Acceptance 6: five tries; a new version is tried again."""
        bucket.fill(3)
        bucket.put("bad.txt", "x")
        proxy.fault(reads("bad.txt"), error("AccessDenied", 403))
        for _ in range(7):
            house.sync()
            house.clock.advance(10_000)
        assert house.fact("bad.txt", "state") == "quarantined"
        assert house.fact("bad.txt", "attempts") == 5
        proxy.mend()
        bucket.put("bad.txt", "good now")
        house.sync()
        assert house.texts()["bad.txt"] == "good now"

    def test_an_object_that_vanishes_before_it_is_read_is_no_failure(
        self, house: Vault, bucket: Bucket, proxy: Proxy
    ) -> None:
        """Acceptance 23."""
        bucket.put("a.txt", "x")
        bucket.put("b.txt", "y")
        proxy.fault(reads("a.txt"), Answer(pass_on=True, then=lambda: bucket.delete("a.txt")))
        run = house.sync()
        assert (run.state, run.failed) == ("SUCCEEDED", 0)
        assert run.details["skipped"] == {"gone": 1}
        assert house.shown() == {"b.txt"}

    def test_what_is_refused_is_never_read(self, house: Vault, bucket: Bucket, proxy: Proxy) -> None:
        """Acceptance 23: 5 GB by size, archives by class, markers: each with its reason, unasked."""
        bucket.put("huge.bin", "x")
        bucket.put("old.txt", "x", StorageClass="DEEP_ARCHIVE")
        bucket.put("folder/")
        proxy.fault(lists, Answer(change=lambda body: body.replace(b"<Size>1<", b"<Size>5368709120<")))
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert run.details["skipped"] == {"too_large": 1, "folder_marker": 1, "storage_class": 1}
        assert proxy.counts() == {"LIST": 1}

    def test_a_busy_server_is_obeyed_and_everything_arrives(
        self, house: Vault, bucket: Bucket, proxy: Proxy
    ) -> None:
        """SlowDown in the middle of listing and reading costs time and nothing else."""
        keys = bucket.fill(60)
        proxy.fault(lambda asked: len(proxy.asked) % 3 == 0, error("SlowDown", 503), times=20)
        run = house.sync()
        assert counts(run) == done(60)
        assert house.shown() == set(keys)


class TestScope:
    def test_a_prefix_that_no_key_begins_with_is_a_mistake_at_first_sight(
        self, house: Vault, bucket: Bucket
    ) -> None:
        """The sentence names the setting; a slip in a prefix that worked before removes nothing."""
        config = house.connector().config
        keys = bucket.fill(3, pattern="reports/{:03}.txt")
        house.configure(**config, prefix="reports/")
        house.sync()
        house.configure(**config, prefix="Reports/")
        run = house.sync()
        assert (run.state, run.deleted) == ("FAILED", 0)
        assert "No key in" in (run.error_message or "")
        assert "'Reports/'" in (run.error_message or "")
        assert house.shown() == set(keys)
        house.configure(**config, prefix="reports/")
        assert house.sync().state == "SUCCEEDED"
        assert house.shown() == set(keys)

    @pytest.mark.parametrize("before", ["complete", "broken off", "forgotten"])
    def test_a_prefix_that_was_emptied_is_no_mistake(
        self, house: Vault, bucket: Bucket, proxy: Proxy, monkeypatch: pytest.MonkeyPatch, before: str
    ) -> None:
        """Acceptance 9: its documents are held, shown, and go when a person allows it.

        That it was ever listed to its end does not matter: a reset of the cursor forgets that.
        """
        monkeypatch.setattr(listing, "PAGE_KEYS", 3)
        keys = bucket.fill(6, pattern="reports/{:03}.txt")
        house.configure(**house.connector().config, prefix="reports/")
        if before == "broken off":
            proxy.fault(proxy.page(2), error("InternalError", 500))
        house.sync()
        proxy.mend()
        shown = house.shown()
        assert shown == set(keys[:3] if before == "broken off" else keys)
        if before == "forgotten":
            with writing(house.engine) as connection:
                connection.exec_driver_sql("UPDATE scopes SET listed_at = NULL")
        bucket.delete(*keys)
        run = house.sync()
        assert run.error_code == "deletion_guard"
        assert run.details["held"]["reports/"] == {
            "count": len(shown),
            "documents": len(shown),
            "sample": sorted(shown),
        }
        assert house.sync(allow_mass_delete=True).state == "SUCCEEDED"
        assert house.shown() == set()

    def test_a_prefix_of_which_everything_is_excluded_is_no_mistake(
        self, house: Vault, bucket: Bucket
    ) -> None:
        """There are keys; that none of them is wanted is another setting's business."""
        bucket.fill(3, pattern="reports/{:03}.txt")
        house.configure(**house.connector().config, prefix="reports/", exclude=["*.txt"])
        assert house.sync().state == "SUCCEEDED"

    def test_a_narrower_prefix_takes_the_others_away_and_back(self, house: Vault, bucket: Bucket) -> None:
        """Acceptance 30: it is no mass deletion, since the settings say so."""
        config = house.connector().config
        keys = bucket.fill(30, pattern="a/{:03}.txt")
        kept = bucket.fill(3, pattern="b/{:03}.txt")
        house.sync()
        house.configure(**config, prefix="b/")
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert house.shown() == set(kept)
        house.configure(**config)
        assert house.sync().state == "SUCCEEDED"
        assert house.shown() == {*keys, *kept}

    def test_two_connectors_of_one_bucket_keep_their_own(self, house: Vault, bucket: Bucket) -> None:
        """Acceptance 17: the same key twice is two documents of two connectors."""
        bucket.fill(3)
        house.sync()
        house.add("s3", house.connector().config, name="twin")
        assert house.sync("twin").indexed == 3
        bucket.delete("doc00000.txt")
        assert house.sync("twin").deleted == 1
        assert "doc00000.txt" in house.texts()

    def test_a_listing_that_names_a_key_twice_makes_one_document(
        self, house: Vault, bucket: Bucket, proxy: Proxy
    ) -> None:
        """Acceptance 17."""
        bucket.put("a.txt", "x")

        def double(body: bytes) -> bytes:
            start, end = body.index(b"<Contents>"), body.index(b"</Contents>") + len(b"</Contents>")
            return body[:end] + body[start:end] + body[end:]

        proxy.fault(lists, Answer(change=double))
        run = house.sync()
        assert run.state == "SUCCEEDED"
        assert house.ids().keys() == {"a.txt"}
        assert run.indexed == 1

    def test_a_named_object_is_read_alone(self, house: Vault, bucket: Bucket, proxy: Proxy) -> None:
        """A look and a read; one that is gone goes."""
        keys = bucket.fill(5)
        house.sync()
        bucket.put(keys[0], "changed")
        bucket.delete(keys[1])
        proxy.mend()
        run = house.sync(file_filter=[keys[0], keys[1]])
        assert (run.indexed, run.deleted) == (1, 1)
        assert proxy.counts() == {"HEAD": 2, "GET": 1, "LIST": 1}
        assert house.texts()[keys[0]] == "changed"

    def test_a_versioned_bucket_goes_by_its_latest_versions(self, house: Vault, bucket: Bucket) -> None:
        """Acceptance 23: a delete marker removes the document, its removal brings it back."""
        bucket.boto.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
        bucket.fill(3, pattern="keep{}.txt")
        bucket.put("a.txt", "first")
        bucket.put("a.txt", "second")
        house.sync()
        assert house.texts()["a.txt"] == "second"
        marker = bucket.boto.delete_object(Bucket=bucket.name, Key="a.txt")["VersionId"]
        assert house.sync().deleted == 1
        bucket.boto.delete_object(Bucket=bucket.name, Key="a.txt", VersionId=marker)
        house.sync()
        assert house.texts()["a.txt"] == "second"


class TestLarge:
    def test_a_large_object_goes_through_a_spool_file(
        self, house: Vault, bucket: Bucket, proxy: Proxy
    ) -> None:
        """In parts, and the spool is empty afterwards (acceptance 22)."""
        bucket.put("big.txt", BIG)
        assert counts(house.sync()) == done(1)
        assert proxy.counts()["GET"] == -(-len(BIG) // reading.PART_BYTES)
        assert "gauge at the weir" in house.texts()["big.txt"]
        assert list((house.home / "spool").rglob("*")) == []

    def test_a_cancel_in_the_middle_of_reading_ends_at_once(
        self, house: Vault, bucket: Bucket, proxy: Proxy
    ) -> None:
        """Acceptance 19: a silent server holds nobody; what is indexed stays and the next run goes on."""
        keys = bucket.fill(40)
        over = threading.Event()
        proxy.fault(reads(keys[30]), Answer(hang=over))
        run = house.begin()
        ended = threading.Event()

        def work() -> None:
            house.work(run)
            ended.set()

        threading.Thread(target=work).start()
        until(lambda: any(asked.key == keys[30] for asked in list(proxy.asked)))
        run.stop.set(RunCancelled("Enough."))
        assert ended.wait(5), "the run waits for the server"
        over.set()
        proxy.mend()
        assert house.sync().state == "SUCCEEDED"
        assert house.shown() == set(keys)


class TestVolume:
    """Against a server of another make, which knows no parts and writes its ETags in two ways."""

    @pytest.fixture
    def served(self, tmp_path: Path, house: Vault) -> Path:
        folder = tmp_path / "served" / "volume"
        folder.mkdir(parents=True)
        return folder

    def write(self, folder: Path, keys: range, run: int) -> None:
        for number in keys:
            place = folder / f"{number % 7}"
            place.mkdir(exist_ok=True)
            (place / f"{number:05}.txt").write_text(f"token{run}x{number} at the weir\n")

    def test_thousands_of_objects_arrive_once_and_cost_nothing_again(
        self, house: Vault, served: Path
    ) -> None:
        """Every one of 3,000 is searchable; the second run reads none."""
        self.write(served, range(3000), 0)
        (served / "large.txt").write_bytes(BIG)
        with rclone(served.parent) as url:
            house.configure(bucket="volume", endpoint=url)
            assert counts(house.sync()) == done(3001)
            assert "gauge at the weir" in house.texts()["large.txt"]
            assert counts(house.sync()) == {"collected": 3001, "skipped": 3001}
            time.sleep(1.1)  # the server keeps times in whole seconds
            self.write(served, range(10), 1)
            client_of(url).delete_object(Bucket="volume", Key="3/00010.txt")
            run = house.sync()
            assert (run.indexed, run.deleted) == (10, 1)


def test_a_run_needs_no_more_memory_for_more_objects(
    house: Vault, bucket: Bucket, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What one listing holds at a time is two pages, whatever the bucket holds."""
    held: list[int] = []
    keys = bucket.fill(120)
    monkeypatch.setattr(listing, "PAGE_KEYS", 10)
    source_items = 0
    real = listing._look_ahead

    def watched(client: object, prefix: str, token: str | None) -> object:
        held.append(source_items)
        return real(client, prefix, token)  # type: ignore[arg-type]

    monkeypatch.setattr(listing, "_look_ahead", watched)
    source = S3(S3Config(**house.connector().config), KEYS)
    for event in source.objects(""):
        source_items += 1
        assert event.key == keys[source_items - 1]
    assert held == list(range(0, 120, 10)), "a page is asked for when the one before it is begun, not sooner"
    source.close()
