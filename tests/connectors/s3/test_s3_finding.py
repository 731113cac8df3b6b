"""Looking up single objects, choosing prefixes, and what `check` says."""

from __future__ import annotations

import pytest

from catchment.core.errors import SourceError
from catchment.kit import ConfigRejected, Found, Health, Item, PermissionMissing, Scope, SourceBusy
from connectors.s3 import S3, browse
from tests.connectors.s3.conftest import MakeSource, items_of
from tests.connectors.s3.test_s3_listing import ODD_KEYS
from tests.support.s3 import Answer, Bucket, Proxy, error, gets, heads, lists, page_of_html


def find(source: S3, *names: str) -> dict[str, Item | None]:
    return {found.name: found.item for found in source.find(source.scopes(), names)}


class TestFind:
    def test_an_object_is_found_as_a_listing_shows_it(self, bucket: Bucket, source: S3, proxy: Proxy) -> None:
        """Same key, version, size and link, at the price of one request each."""
        for key in ODD_KEYS:
            bucket.put(key, f"text of {key}")
        listed = items_of(source)
        proxy.mend()
        found = find(source, *ODD_KEYS)
        for key, item in found.items():
            assert item is not None
            assert (item.key, item.version, item.size, item.url) == (
                key,
                listed[key].version,
                listed[key].size,
                listed[key].url,
            )
        assert proxy.counts() == {"HEAD": len(ODD_KEYS)}

    def test_every_name_is_answered_in_order_and_with_its_scope(
        self, bucket: Bucket, make_source: MakeSource
    ) -> None:
        """What is absent or outside is None."""
        for key in ("a/1", "b/1", "c/1"):
            bucket.put(key, "x")
        source = make_source(prefixes=["a/", "b/"])
        answers = list(source.find(source.scopes(), ["b/1", "a/2", "c/1", "", "a/1", "a/" + "k" * 1100]))
        assert [(answer.name[:3], answer.item and answer.item.key, answer.scope) for answer in answers] == [
            ("b/1", "b/1", "b/"),
            ("a/2", None, None),
            ("c/1", None, None),
            ("", None, None),
            ("a/1", "a/1", "a/"),
            ("a/k", None, None),
        ]

    def test_more_names_than_are_asked_at_a_time_are_all_answered(self, bucket: Bucket, source: S3) -> None:
        """Sixteen are under way; none is lost."""
        keys = bucket.fill(50)
        assert [found.name for found in source.find(source.scopes(), keys)] == keys

    def test_an_archived_object_is_found_and_refused(self, bucket: Bucket, source: S3) -> None:
        """Until a copy of it is restored."""
        bucket.put("a.txt", "x", StorageClass="GLACIER")
        item = find(source, "a.txt")["a.txt"]
        assert item is not None
        assert item.refusal == "storage_class: GLACIER"
        bucket.boto.restore_object(Bucket=bucket.name, Key="a.txt", RestoreRequest={"Days": 1})
        item = find(source, "a.txt")["a.txt"]
        assert item is not None
        assert item.refusal is None

    def test_a_tier_that_is_an_archive_is_refused(self, bucket: Bucket, source: S3, proxy: Proxy) -> None:
        """Intelligent tiering tells it to whoever looks at the object alone."""
        bucket.put("a.txt", "x", StorageClass="INTELLIGENT_TIERING")
        proxy.fault(heads, Answer(pass_on=True, headers={"x-amz-archive-status": "ARCHIVE_ACCESS"}))
        item = find(source, "a.txt")["a.txt"]
        assert item is not None
        assert item.refusal == "storage_class: GLACIER"

    def test_a_missing_bucket_is_no_missing_object(self, make_source: MakeSource) -> None:
        """Both are a bare 404, and one of them would delete a document."""
        with pytest.raises(ConfigRejected) as raised:
            find(make_source(bucket="missing-bucket"), "a.txt")
        assert raised.value.setting == "bucket"

    def test_an_object_that_may_not_be_looked_at_is_not_absent(
        self, bucket: Bucket, source: S3, proxy: Proxy
    ) -> None:
        """403 to a look says nothing about existence."""
        bucket.put("a.txt", "x")
        proxy.fault(heads, Answer(403))
        with pytest.raises(PermissionMissing, match="s3:GetObject"):
            find(source, "a.txt")

    @pytest.mark.parametrize(
        ("status", "listing", "words"),
        [
            (400, error("ExpiredToken", 400), "expired"),
            (403, error("RequestTimeTooSkewed", 403), "clock"),
            (403, error("InvalidAccessKeyId", 403), "access key ID"),
            (403, error("AccessDenied", 403), "s3:ListBucket"),
        ],
    )
    def test_a_look_without_a_reason_is_asked_about_as_a_listing(
        self, source: S3, proxy: Proxy, status: int, listing: Answer, words: str
    ) -> None:
        """Answers to HEAD have no body; the same refusal of a listing has the words."""
        proxy.fault(heads, Answer(status))
        proxy.fault(lists, listing)
        with pytest.raises(SourceError) as raised:
            find(source, "a.txt")
        assert words in str(raised.value)

    def test_a_busy_server_is_given_time(self, bucket: Bucket, source: S3, proxy: Proxy) -> None:
        """A look is repeated as a read is, and no longer."""
        bucket.put("a.txt", "x")
        proxy.fault(heads, Answer(503), times=3)
        assert find(source, "a.txt")["a.txt"] is not None
        proxy.fault(heads, Answer(503))
        with pytest.raises(SourceBusy):
            find(source, "a.txt")

    def test_only_the_scopes_given_are_looked_into(self, bucket: Bucket, make_source: MakeSource) -> None:
        """A name of another scope is answered with None."""
        bucket.put("a/1", "x")
        source = make_source(prefixes=["a/", "b/"])
        assert list(source.find([Scope("b/", "b/")], ["a/1"])) == [Found("a/1", None)]


class TestBrowse:
    def test_prefixes_and_objects_of_one_level_are_shown(
        self, bucket: Bucket, make_source: MakeSource
    ) -> None:
        """Ids are what the setting takes; the marker of the folder itself is left out."""
        for key in ("a/", "a/1.txt", "a/b/2.txt", "a/b/c/3.txt", "d.txt"):
            bucket.put(key, "xyz" if key[-1] != "/" else "")
        source = make_source(prefix="elsewhere/")
        top = source.browse().resources
        assert [(one.id, one.name, one.kind, one.has_children, one.size) for one in top] == [
            ("a/", "a", "folder", True, None),
            ("d.txt", "d.txt", "file", False, 3),
        ]
        assert [(one.id, one.name) for one in source.browse("a/").resources] == [
            ("a/b/", "b"),
            ("a/1.txt", "1.txt"),
        ]

    def test_a_long_level_comes_in_pages(
        self, bucket: Bucket, source: S3, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Each page goes on behind the one before."""
        monkeypatch.setattr(browse, "PAGE_ENTRIES", 2)
        keys = bucket.fill(5)
        seen: list[str] = []
        page = source.browse()
        while True:
            seen += [one.id for one in page.resources]
            if page.next_page is None:
                break
            page = source.browse(None, page.next_page)
        assert seen == keys


class TestCheck:
    def healths(self, source: S3) -> dict[str, Health]:
        return {one.name: one.health for one in source.check()}

    def test_everything_is_well_with_a_good_bucket(self, bucket: Bucket, source: S3, proxy: Proxy) -> None:
        """Sign-in, list, read, and a word about versions."""
        bucket.put("a.txt", "x")
        bucket.boto.put_bucket_versioning(Bucket=bucket.name, VersioningConfiguration={"Status": "Enabled"})
        results = {one.name: one for one in source.check()}
        assert list(results) == ["sign-in", "list", "read", "versions"]
        assert {one.health for one in results.values()} == {Health.OK}
        assert "keeps versions" in results["versions"].message
        assert "a.txt" in results["read"].message

    def test_an_empty_bucket_is_well(self, source: S3) -> None:
        """There is nothing yet to read."""
        assert set(self.healths(source).values()) == {Health.OK}

    def test_a_prefix_without_a_key_is_a_mistake(self, bucket: Bucket, make_source: MakeSource) -> None:
        """The sentence names the setting and the way to choose."""
        bucket.put("reports/a.txt", "x")
        (found,) = [one for one in make_source(prefix="Reports/").check() if one.name == "list"]
        assert (found.health, found.setting) == (Health.MISCONFIGURED, "prefix")
        assert "'Reports/'" in found.message
        (found,) = [one for one in make_source(prefixes=["reports/", "x/"]).check() if one.name == "list"]
        assert (found.health, found.setting) == (Health.MISCONFIGURED, "prefixes")

    @pytest.mark.parametrize(
        ("answer", "name", "health", "setting"),
        [
            (error("InvalidAccessKeyId", 403), "sign-in", Health.DENIED, ""),
            (page_of_html(), "sign-in", Health.MISCONFIGURED, "endpoint"),
            (error("AccessDenied", 403), "list", Health.DENIED, ""),
            (error("NoSuchBucket", 404), "list", Health.MISCONFIGURED, "bucket"),
            (error("InternalError", 500), "sign-in", Health.UNREACHABLE, ""),
        ],
    )
    def test_what_does_not_work_is_named_and_what_needs_it_not_tried(
        self, source: S3, proxy: Proxy, answer: Answer, name: str, health: Health, setting: str
    ) -> None:
        """Nothing is raised; each has a remedy."""
        proxy.fault(lists, answer)
        results = source.check()
        (first,) = [one for one in results if one.health is not Health.OK and "Not tried" not in one.message]
        assert (first.name, first.health, first.setting) == (name, health, setting)
        assert first.remedy
        assert results[-1].name == "read"
        assert results[-1].health is health

    def test_an_object_that_may_not_be_read_is_found_out(
        self, bucket: Bucket, source: S3, proxy: Proxy
    ) -> None:
        """Listing and reading are two permissions."""
        bucket.put("a.txt", "x")
        proxy.fault(gets, error("AccessDenied", 403))
        results = {one.name: one for one in source.check()}
        assert results["read"].health is Health.DENIED
        assert "s3:GetObject" in results["read"].remedy

    def test_a_key_without_the_right_to_ask_about_versions_is_well(
        self, bucket: Bucket, source: S3, proxy: Proxy
    ) -> None:
        """Nothing depends on it."""
        proxy.fault(lambda asked: "versioning" in asked.query, error("AccessDenied", 403))
        assert set(self.healths(source).values()) == {Health.OK}

    def test_no_identity_at_all_is_a_finding(self, make_source: MakeSource) -> None:
        """And not an error of the check."""
        assert self.healths(make_source(credentials=None))["sign-in"] is Health.DENIED
