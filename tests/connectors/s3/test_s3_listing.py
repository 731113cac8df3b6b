"""Listings: every key as it is, a thousand a request, and an end that is believed only when it is one."""

from __future__ import annotations

import threading

import pytest

from catchment.core.errors import RunCancelled
from catchment.kit import Complete, ConfigRejected, Item, Session, SourceBusy, SourceDown
from connectors.s3 import listing
from tests.connectors.s3.conftest import MakeSource, items_of
from tests.support.s3 import Answer, Bucket, Proxy, error, lists, page_of_html

ODD_KEYS = [
    "plain.txt",
    "with space.txt",
    "trailing ",
    "50% off+more&x=1;y?z#w.txt",
    "a%20b",
    "caf\u00e9.txt",
    "cafe\u0301.txt",
    "\u6df7\u51dd\u571f/\U0001f600.txt",
    "tab\there",
    "control\x01\x1f\x7f",
    "back\\slash",
    "a//b.txt",
    "/leading.txt",
    "x/./y",
    "x/../z",
    "..",
    ".",
    "<xml>&amp;\"'",
    "k" * 1024,
    "\u00fc" * 512,
]


class TestKeys:
    def test_odd_keys_are_listed_and_read_as_they_are(self, bucket: Bucket, make_source: MakeSource) -> None:
        """Acceptance 23: encodings, both normal forms, empty segments, dots, 1,024 bytes."""
        for key in ODD_KEYS:
            bucket.put(key, f"text of {key}")
        source = make_source()
        items = items_of(source)
        assert set(items) == set(ODD_KEYS)
        for key, item in items.items():
            assert item.path == key
            assert source.fetch(item).stream().read() == f"text of {key}".encode()

    def test_a_folder_marker_is_refused_and_an_empty_object_is_not(
        self, bucket: Bucket, make_source: MakeSource
    ) -> None:
        """Acceptance 23: a key that ends in a slash is a marker only if nothing stands in it."""
        bucket.put("folder/")
        bucket.put("odd/", "text")
        bucket.put("empty.txt")
        source = make_source()
        items = items_of(source)
        assert items["folder/"].refusal == "folder_marker"
        assert items["odd/"].refusal is None
        assert source.fetch(items["odd/"]).body == b"text"
        assert items["empty.txt"].refusal is None
        assert source.fetch(items["empty.txt"]).body == b""

    def test_only_keys_that_begin_with_a_prefix_are_listed(
        self, bucket: Bucket, make_source: MakeSource
    ) -> None:
        """What is listed is what `admits` says yes to."""
        for key in ("a/1", "a/2", "ab", "b/1", "c/1"):
            bucket.put(key, "x")
        source = make_source(prefix="/a/", prefixes=["c"])
        assert set(items_of(source)) == {"a/1", "a/2", "c/1"}
        assert [key for key in ("a/1", "ab", "b/1", "c/1") if source.admits(key)] == ["a/1", "c/1"]

    def test_an_item_tells_what_the_listing_tells(self, bucket: Bucket, make_source: MakeSource) -> None:
        """Version is ETag without quotes, and size; the type is told by the name."""
        bucket.put("in/a b.md", "hello")
        (item,) = items_of(make_source()).values()
        assert item.version == "5d41402abc4b2a76b9719d911017c592:5"
        assert (item.size, item.content_type, item.refusal) == (5, "text/markdown", None)
        assert item.url is not None
        assert item.url.endswith(f"/{bucket.name}/in/a%20b.md")
        assert item.modified_at is not None


class TestStorageClasses:
    @pytest.mark.parametrize(
        ("storage_class", "refusal"),
        [
            ("GLACIER", "storage_class: GLACIER"),
            ("DEEP_ARCHIVE", "storage_class: DEEP_ARCHIVE"),
            ("GLACIER_IR", None),
            ("STANDARD_IA", None),
            ("INTELLIGENT_TIERING", None),
            ("STANDARD", None),
        ],
    )
    def test_archived_objects_are_refused(
        self, bucket: Bucket, make_source: MakeSource, storage_class: str, refusal: str | None
    ) -> None:
        """Only what has to be restored first cannot be read."""
        bucket.put("a.txt", "x", StorageClass=storage_class)
        (item,) = items_of(make_source()).values()
        assert item.refusal == refusal
        shown = {} if storage_class == "STANDARD" else {"storage_class": storage_class}
        assert item.metadata == shown

    @pytest.mark.parametrize(
        ("status", "refused"),
        [
            ("<IsRestoreInProgress>true</IsRestoreInProgress>", True),
            (
                "<IsRestoreInProgress>false</IsRestoreInProgress>"
                "<RestoreExpiryDate>2031-01-02T00:00:00Z</RestoreExpiryDate>",
                False,
            ),
        ],
    )
    def test_a_restored_object_can_be_read(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy, status: str, refused: bool
    ) -> None:
        """The listing is asked for the state of restores, and what it says is believed."""
        bucket.put("a.txt", "x", StorageClass="GLACIER")
        told = f"<RestoreStatus>{status}</RestoreStatus></Contents>".encode()
        proxy.fault(lists, Answer(change=lambda body: body.replace(b"</Contents>", told)))
        (item,) = items_of(make_source()).values()
        assert (item.refusal is not None) is refused
        assert proxy.asked[0].headers["x-amz-optional-object-attributes"] == "RestoreStatus"

    def test_a_server_that_refuses_the_question_about_restores_is_not_asked_it_again(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """A header that a server does not know costs one request in all."""
        bucket.put("a.txt", "x")
        proxy.fault(
            lambda asked: "x-amz-optional-object-attributes" in asked.headers, error("NotImplemented", 501)
        )
        source = make_source()
        assert set(items_of(source)) == {"a.txt"}
        before = proxy.counts()["LIST"]
        assert set(items_of(source)) == {"a.txt"}
        assert proxy.counts()["LIST"] == before + 1


class TestPages:
    def test_a_listing_costs_a_request_for_each_thousand(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """2,001 keys are three pages and nothing else; each is listed once, in order."""
        keys = bucket.fill(2001)
        assert list(items_of(make_source())) == keys
        assert proxy.counts() == {"LIST": 3}

    def test_the_next_page_is_asked_for_while_one_is_worked_on(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """And no page beyond the next."""
        monkeypatch.setattr(listing, "PAGE_KEYS", 2)
        bucket.fill(7)
        source = make_source()
        asked = threading.Event()
        proxy.fault(proxy.page(2), Answer(pass_on=True, then=asked.set))
        events = source.listing(source.scopes()[0])
        next(events)
        assert asked.wait(30)
        assert proxy.counts()["LIST"] == 2
        assert len(list(events)) == 7  # six more objects and the end
        assert proxy.counts()["LIST"] == 4

    def test_a_page_that_fails_in_passing_is_asked_for_again(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Neither a server's error nor a broken connection costs a key."""
        monkeypatch.setattr(listing, "PAGE_KEYS", 2)
        keys = bucket.fill(9)
        proxy.fault(proxy.page(1), error("InternalError", 500), times=2)
        proxy.fault(proxy.page(2), Answer(cut_after=300), times=2)
        proxy.fault(proxy.page(3), error("SlowDown", 503), times=3)
        proxy.fault(proxy.page(4), Answer(200, b"<?xml version='1.0'?><ListBucketResult><Na"), times=2)
        assert list(items_of(make_source())) == keys

    def test_a_page_that_fails_for_good_ends_the_listing_behind_what_was_listed(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Acceptance 1: it never looks complete."""
        monkeypatch.setattr(listing, "PAGE_KEYS", 2)
        bucket.fill(7)
        proxy.fault(proxy.page(3), error("InternalError", 500))
        source = make_source()
        seen: list[object] = []
        with pytest.raises(SourceDown):
            seen.extend(source.listing(source.scopes()[0]))
        seen = []
        with pytest.raises(SourceDown):
            for event in source.listing(source.scopes()[0]):
                seen.append(event)
        assert len(seen) == 4
        assert not any(isinstance(event, Complete) for event in seen)

    def test_a_server_that_stays_busy_is_left_for_later(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """Eight tries, then the listing ends as one that could not be read."""
        proxy.fault(lists, error("SlowDown", 503, "Please reduce your request rate."))
        with pytest.raises(SourceBusy):
            items_of(make_source())
        assert proxy.counts()["LIST"] == 8

    def test_a_listing_that_turns_in_a_circle_ends_as_an_error(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A server that names no next page, or the same one again, is not followed for ever."""
        monkeypatch.setattr(listing, "PAGE_KEYS", 2)
        bucket.fill(5)
        told = b"<IsTruncated>true</IsTruncated><NextContinuationToken>again</NextContinuationToken>"
        page = b"<ListBucketResult><Contents><Key>k</Key><Size>1</Size></Contents>%s</ListBucketResult>"
        proxy.fault(lists, Answer(200, page % told))
        with pytest.raises(SourceDown, match="not where"):
            list(make_source().listing(make_source().scopes()[0]))
        proxy.mend()
        proxy.fault(lists, Answer(200, page % b"<IsTruncated>true</IsTruncated>"))
        with pytest.raises(SourceDown, match="not where"):
            items_of(make_source())

    def test_a_cancel_does_not_wait_for_a_silent_server(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """The request stays behind; the run ends."""
        bucket.put("a.txt", "x")
        over = threading.Event()
        session = Session()
        proxy.fault(lists, Answer(hang=over, then=None))
        source = make_source(session=session)
        threading.Timer(0.1, session.stop.set).start()
        with pytest.raises(RunCancelled):
            items_of(source)
        assert not over.is_set(), "the server has not answered"
        over.set()


class TestNoServer:
    @pytest.mark.parametrize(
        "answer",
        [
            page_of_html(),
            page_of_html(404),
            page_of_html(403),
            Answer(200, b"<html><body>fine</body></html>"),
            Answer(200, b""),
            Answer(200, b"<other/>"),
        ],
        ids=["web page", "404 page", "403 page", "well-formed page", "nothing", "other document"],
    )
    def test_what_is_no_s3_server_is_never_an_empty_bucket(
        self, make_source: MakeSource, proxy: Proxy, answer: Answer
    ) -> None:
        """A console, a proxy's page, an empty answer: the sentence names the endpoint."""
        proxy.fault(lists, answer)
        with pytest.raises(ConfigRejected) as raised:
            items_of(make_source())
        assert raised.value.setting == "endpoint"
        assert proxy.url in str(raised.value)
        assert raised.value.remedy

    def test_an_empty_bucket_is_complete(self, make_source: MakeSource) -> None:
        """Emptiness is an answer like any other."""
        source = make_source()
        (end,) = source.listing(source.scopes()[0])
        assert isinstance(end, Complete)
        assert not isinstance(end, Item)


class TestVersions:
    def test_a_deleted_object_is_absent_and_comes_back_with_its_marker_gone(
        self, bucket: Bucket, make_source: MakeSource
    ) -> None:
        """Acceptance 23: in a versioned bucket the latest version counts, a delete marker means absence."""
        bucket.boto.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
        bucket.put("a.txt", "old")
        bucket.put("a.txt", "newer")
        bucket.put("b.txt", "b")
        source = make_source()
        items = items_of(source)
        assert source.fetch(items["a.txt"]).body == b"newer"
        marker = bucket.boto.delete_object(Bucket=bucket.name, Key="a.txt")["VersionId"]
        assert set(items_of(source)) == {"b.txt"}
        bucket.boto.delete_object(Bucket=bucket.name, Key="a.txt", VersionId=marker)
        assert items_of(source)["a.txt"] == items["a.txt"]
