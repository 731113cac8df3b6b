"""Bodies: small ones at once, large ones in parts of one version, and a reason where there is none."""

from __future__ import annotations

import random
import threading

import pytest
from msgspec.structs import replace

from catchment.core.clock import PassingClock
from catchment.core.errors import RunCancelled
from catchment.kit import Content, Item, ItemUnreadable, Session, SourceBusy, SourceDown
from connectors.s3 import S3, fast, reading
from connectors.s3.fast import is_plain
from tests.connectors.s3.conftest import MakeSource, items_of
from tests.support.s3 import HANG_UP, Answer, Asked, Bucket, Proxy, error, gets, heads, lists, reads

MIB = 1024 * 1024
LARGE = random.Random(7).randbytes(9 * MIB + 17)


def by_boto(asked: Asked) -> bool:
    """Whether boto3 asks."""
    return gets(asked) and "Boto3" in asked.headers["user-agent"]


def read_errors(source: S3, item: Item) -> tuple[str, str]:
    with pytest.raises(ItemUnreadable) as raised:
        source.fetch(item).stream().read()
    assert raised.value.key == item.key
    return raised.value.reason, raised.value.message


@pytest.fixture
def slow_path(monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything by boto3."""
    monkeypatch.setattr(fast, "is_plain", lambda key: False)


class TestSmall:
    def test_an_object_comes_whole_with_the_item_as_listed(
        self, bucket: Bucket, source: S3, proxy: Proxy
    ) -> None:
        """Nothing changed, so the fresh item equals the listed one; one request, and not boto3's."""
        bucket.put("a.md", "hello", ContentType="text/markdown")
        item = items_of(source)["a.md"]
        assert source.fetch(item) == Content(b"hello", "text/markdown", item)
        assert proxy.counts() == {"LIST": 1, "GET": 1}
        assert not by_boto(proxy.asked[-1])

    def test_an_odd_key_is_read_by_boto3(self, bucket: Bucket, source: S3, proxy: Proxy) -> None:
        """What obstore would rename never goes through it."""
        bucket.put("a//b", "hello")
        bucket.put("b", "another")
        assert source.fetch(items_of(source)["a//b"]).body == b"hello"
        assert by_boto(proxy.asked[-1])

    @pytest.mark.parametrize(
        "key", ["/a", "a/", "a//b", ".", "..", "a/./b", "../a", "a/..", "a\nb", "a\x7f", "a\\b", ""]
    )
    def test_a_key_that_obstore_would_change_is_not_plain(self, key: str) -> None:
        """Tried one by one against a server."""
        assert not is_plain(key)
        assert is_plain("a b/c%20#?.. .d/\u00fc\U0001f600")

    def test_the_type_that_says_nothing_is_told_by_the_name(self, bucket: Bucket, source: S3) -> None:
        """What uploaders leave out is not taken for a declaration; what they declare is."""
        bucket.put("a.md", "x", ContentType="binary/octet-stream")
        bucket.put("b.dat", "x", ContentType="application/octet-stream")
        bucket.put("c.dat", "x", ContentType="application/pdf")
        items = items_of(source)
        types = [source.fetch(items[key]).content_type for key in ("a.md", "b.dat", "c.dat")]
        assert types == ["text/markdown", None, "application/pdf"]

    def test_an_object_replaced_since_the_listing_comes_with_its_new_version(
        self, bucket: Bucket, source: S3
    ) -> None:
        """Text and version belong together."""
        bucket.put("a.txt", "old")
        item = items_of(source)["a.txt"]
        bucket.put("a.txt", "newer")
        content = source.fetch(item)
        assert content.body == b"newer"
        assert content.item is not None
        assert content.item.version == items_of(source)["a.txt"].version != item.version

    def test_an_object_that_grew_since_the_listing_is_streamed(self, bucket: Bucket, source: S3) -> None:
        """A small size in the listing lets nothing large into memory."""
        bucket.put("a.bin", "old")
        item = items_of(source)["a.bin"]
        bucket.put("a.bin", LARGE)
        content = source.fetch(item)
        assert not isinstance(content.body, bytes)
        with content.stream() as stream:
            assert stream.read() == LARGE

    def test_another_etag_beside_the_same_bytes_is_no_change(
        self, bucket: Bucket, source: S3, proxy: Proxy
    ) -> None:
        """Else a server that writes its ETags in two ways would be read anew by every run."""
        bucket.put("a.txt", "text")
        item = items_of(source)["a.txt"]
        proxy.fault(gets, Answer(headers={"ETag": '"another"'}, pass_on=True))
        assert source.fetch(item).item == item

    @pytest.mark.parametrize("size", [5, 300_000])
    def test_a_body_that_breaks_off_is_read_again(
        self, bucket: Bucket, source: S3, proxy: Proxy, size: int
    ) -> None:
        """Half a body is never taken for one."""
        bucket.put("a.bin", LARGE[:size])
        item = items_of(source)["a.bin"]
        proxy.fault(gets, Answer(cut_after=size // 2), times=3)
        assert source.fetch(item).body == LARGE[:size]


@pytest.mark.parametrize("library", ["obstore", "boto3"])
class TestLarge:
    @pytest.fixture(autouse=True)
    def _library(self, library: str, request: pytest.FixtureRequest) -> None:
        if library == "boto3":
            request.getfixturevalue("slow_path")

    def test_a_large_object_is_read_in_parts(
        self, bucket: Bucket, source: S3, proxy: Proxy, library: str
    ) -> None:
        """Ten parts of 1 MiB, each of the same version, in order."""
        bucket.put("a.bin", LARGE)
        item = items_of(source)["a.bin"]
        proxy.mend()
        content = source.fetch(item)
        with content.stream() as stream:
            assert stream.read() == LARGE
        assert content.item == item
        asked = sorted(asked.headers["range"] for asked in proxy.asked)
        assert asked == sorted(
            f"bytes={start}-{min(start + MIB, len(LARGE)) - 1}" for start in range(0, len(LARGE), MIB)
        )
        assert sum("if-match" in asked.headers for asked in proxy.asked) == 9
        assert {by_boto(asked) for asked in proxy.asked} == {library == "boto3"}

    def test_parts_are_never_of_two_versions(self, bucket: Bucket, source: S3, proxy: Proxy) -> None:
        """Replaced in the middle, the object is left for the next run."""
        bucket.put("a.bin", LARGE)
        item = items_of(source)["a.bin"]
        later = LARGE[1:] + b"x"
        proxy.fault(
            lambda asked: asked.headers.get("range", "").startswith(f"bytes={4 * MIB}-"),
            Answer(pass_on=True, then=lambda: bucket.put("a.bin", later)),
            times=1,
        )
        assert read_errors(source, item)[0] == "changed"
        with source.fetch(items_of(source)["a.bin"]).stream() as stream:
            assert stream.read() == later

    def test_a_server_that_ignores_the_condition_is_noticed(
        self, bucket: Bucket, source: S3, proxy: Proxy
    ) -> None:
        """The ETag of every part is compared."""
        bucket.put("a.bin", LARGE)
        item = items_of(source)["a.bin"]
        proxy.fault(
            lambda asked: asked.headers.get("range", "").startswith(f"bytes={4 * MIB}-"),
            Answer(pass_on=True, headers={"ETag": '"another"'}),
        )
        assert read_errors(source, item)[0] == "changed"

    def test_a_server_that_knows_no_parts_sends_the_whole(
        self, bucket: Bucket, source: S3, proxy: Proxy
    ) -> None:
        """Its one long answer is streamed, and parts are not asked for twice."""
        bucket.put("a.bin", LARGE)
        item = items_of(source)["a.bin"]
        proxy.fault(gets, Answer(pass_on=True, headers={"drop-range": ""}))
        for _ in range(2):
            content = source.fetch(item)
            with content.stream() as stream:
                assert stream.read() == LARGE
            assert content.item == item
        assert all(asked.headers["range"].startswith("bytes=0-") for asked in proxy.asked if gets(asked))

    def test_a_part_that_fails_in_passing_is_asked_for_again(
        self, bucket: Bucket, source: S3, proxy: Proxy
    ) -> None:
        """Nothing before it is read twice."""
        bucket.put("a.bin", LARGE)
        item = items_of(source)["a.bin"]
        proxy.fault(gets, Answer(pass_on=True), times=1)
        proxy.fault(gets, Answer(cut_after=MIB // 2), times=2)
        proxy.fault(gets, error("SlowDown", 503), times=2)
        with source.fetch(item).stream() as stream:
            assert stream.read() == LARGE

    def test_a_part_that_fails_for_good_ends_the_stream_with_an_error(
        self, bucket: Bucket, source: S3, proxy: Proxy
    ) -> None:
        """It never looks like the end of the object."""
        bucket.put("a.bin", LARGE)
        item = items_of(source)["a.bin"]
        proxy.fault(
            lambda asked: asked.headers.get("range", "").startswith(f"bytes={6 * MIB}-"),
            error("InternalError", 500),
        )
        with pytest.raises(SourceDown), source.fetch(item).stream() as stream:
            stream.read()

    def test_what_is_read_ahead_is_bounded_over_all_streams(
        self, bucket: Bucket, source: S3, proxy: Proxy
    ) -> None:
        """Streams that nobody reads hold eight parts together beside their first ones."""
        bucket.put("a.bin", LARGE)
        item = items_of(source)["a.bin"]
        proxy.mend()
        streams = [source.fetch(item).stream() for _ in range(3)]
        room = source._reader._room
        assert not room.acquire(blocking=False)
        for stream in streams:
            assert stream.read() == LARGE
            stream.close()
        assert all(room.acquire(blocking=False) for _ in range(reading.PARTS_AHEAD))
        assert not room.acquire(blocking=False)

    def test_a_cancel_does_not_wait_for_a_silent_server(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """Neither at the beginning of a body nor in the middle."""
        bucket.put("a.bin", LARGE)
        session = Session()
        source = make_source(session=session)
        item = items_of(source)["a.bin"]
        over = threading.Event()
        proxy.fault(
            lambda asked: asked.headers.get("range", "").startswith(f"bytes={4 * MIB}-"), Answer(hang=over)
        )
        stream = source.fetch(item).stream()
        assert stream.read(2 * MIB) == LARGE[: 2 * MIB]
        threading.Timer(0.1, session.stop.set).start()
        with pytest.raises(RunCancelled):
            stream.read()
        over.set()
        stream.close()


class TestConnections:
    @pytest.mark.parametrize("library", ["obstore", "boto3"])
    def test_a_server_that_hangs_up_is_asked_again(
        self,
        bucket: Bucket,
        source: S3,
        proxy: Proxy,
        monkeypatch: pytest.MonkeyPatch,
        library: str,
    ) -> None:
        """A connection that ends without a word costs nothing: listing, reading and looking up go on."""
        if library == "boto3":
            monkeypatch.setattr(fast, "is_plain", lambda key: False)
        bucket.put("a.txt", "x")
        for match in (lists, gets, heads):
            proxy.fault(match, HANG_UP, times=2)
        (item,) = items_of(source).values()
        assert source.fetch(item).body == b"x"
        (found,) = source.find(source.scopes(), ["a.txt"])
        assert found.item is not None

    def test_a_server_that_always_hangs_up_is_down(self, source: S3, proxy: Proxy) -> None:
        """Five tries, and a sentence."""
        proxy.fault(lambda asked: True, HANG_UP)
        with pytest.raises(SourceDown, match="closed"):
            items_of(source)
        assert len(proxy.asked) == 5


class TestReasons:
    @pytest.mark.parametrize("library", ["obstore", "boto3"])
    @pytest.mark.parametrize(
        ("answer", "reason", "word"),
        [
            (error("NoSuchKey", 404), "gone", "no longer"),
            (error("AccessDenied", 403, "Access Denied"), "permission", "s3:GetObject"),
            (
                error(
                    "AccessDenied",
                    403,
                    "User: arn:aws:iam::1:user/u is not authorized to perform: kms:Decrypt on resource: k",
                ),
                "kms_denied",
                "kms:Decrypt",
            ),
            (error("KMS.DisabledException", 400, "k is disabled"), "kms_denied", "disabled"),
            (
                error(
                    "InvalidRequest",
                    400,
                    "The object was stored using a form of Server Side Encryption. The correct parameters "
                    "must be provided to retrieve the object.",
                ),
                "sse_c",
                "SSE-C",
            ),
            (
                error("InvalidObjectState", 403, "not valid", more="<StorageClass>GLACIER</StorageClass>"),
                "storage_class",
                "GLACIER",
            ),
        ],
        ids=["gone", "denied", "kms", "kms disabled", "sse-c", "archived"],
    )
    def test_an_object_that_cannot_be_read_has_a_reason(
        self,
        bucket: Bucket,
        source: S3,
        proxy: Proxy,
        monkeypatch: pytest.MonkeyPatch,
        library: str,
        answer: Answer,
        reason: str,
        word: str,
    ) -> None:
        """Acceptance 5 and 23: it is one object's failure and nobody else's."""
        if library == "boto3":
            monkeypatch.setattr(fast, "is_plain", lambda key: False)
        bucket.put("a.txt", "x")
        bucket.put("b.txt", "y")
        items = items_of(source)
        proxy.fault(reads("a.txt"), answer)
        found, message = read_errors(source, items["a.txt"])
        assert found == reason
        assert word in message
        assert source.fetch(items["b.txt"]).body == b"y"

    def test_an_object_deleted_between_listing_and_reading_is_gone(self, bucket: Bucket, source: S3) -> None:
        """Acceptance 23."""
        bucket.put("a.txt", "x")
        bucket.put("b.bin", LARGE)
        items = items_of(source)
        bucket.delete("a.txt", "b.bin")
        assert read_errors(source, items["a.txt"])[0] == "gone"
        assert read_errors(source, items["b.bin"])[0] == "gone"

    def test_a_server_that_stays_busy_fails_the_object_as_busy(
        self, bucket: Bucket, source: S3, proxy: Proxy
    ) -> None:
        """Eight tries, with patience."""
        bucket.put("a.txt", "x")
        item = items_of(source)["a.txt"]
        proxy.mend()
        proxy.fault(gets, error("SlowDown", 503))
        with pytest.raises(SourceBusy):
            source.fetch(item)
        assert proxy.counts()["GET"] == 8

    def test_who_pays_is_said_when_it_is_agreed(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """By both libraries, in every request."""
        bucket.put("a.txt", "x")
        bucket.put("a//b.txt", "y")
        source = make_source(requester_pays=True)
        for item in items_of(source).values():
            source.fetch(item)
        list(source.find(source.scopes(), ["a.txt"]))
        assert {asked.headers.get("x-amz-request-payer") for asked in proxy.asked} == {"requester"}
        assert {by_boto(asked) for asked in proxy.asked if gets(asked)} == {True, False}


class TestFastWay:
    def test_a_library_that_does_not_work_here_is_given_up(
        self, bucket: Bucket, source: S3, proxy: Proxy
    ) -> None:
        """After eight objects that only boto3 could read, it alone is asked."""
        bucket.put("a.txt", "x")
        item = items_of(source)["a.txt"]
        proxy.fault(lambda asked: gets(asked) and not by_boto(asked), error("Strange", 400))
        for _ in range(20):
            assert source.fetch(item).body == b"x"
        assert sum(gets(asked) and not by_boto(asked) for asked in proxy.asked) == 8

    def test_objects_that_are_gone_do_not_count_against_it(
        self, bucket: Bucket, source: S3, proxy: Proxy
    ) -> None:
        """Only what boto3 can read and it cannot says something about it."""
        bucket.put("a.txt", "x")
        item = items_of(source)["a.txt"]
        for number in range(20):
            read_errors(source, replace(item, key=f"missing-{number}"))
        proxy.mend()
        source.fetch(item)
        assert not by_boto(proxy.asked[-1])

    def test_how_long_a_server_wants_to_be_left_alone_is_asked_of_boto3(
        self, bucket: Bucket, make_source: MakeSource, proxy: Proxy
    ) -> None:
        """Acceptance 18: obstore tells no headers; once boto3 is answered, it is asked again."""
        bucket.put("a.txt", "x")
        clock = PassingClock()
        source = make_source(session=Session(clock=clock))
        item = items_of(source)["a.txt"]
        proxy.mend()
        proxy.fault(gets, error("SlowDown", 503, headers={"Retry-After": "3600"}), times=2)
        assert source.fetch(item).body == b"x"
        assert max(clock.waits) == 3600
        assert source.fetch(item).body == b"x"
        assert [by_boto(asked) for asked in proxy.asked] == [False, True, True, False]

    def test_it_takes_nothing_from_the_environment(
        self, bucket: Bucket, source: S3, proxy: Proxy, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The connector's settings alone decide where it goes and how it signs."""
        for name, value in {
            "AWS_SKIP_SIGNATURE": "true",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
            "AWS_ENDPOINT_URL_S3": "http://127.0.0.1:1",
            "AWS_REGION": "eu-nowhere-1",
            "AWS_REQUEST_PAYER": "true",
            "AWS_VIRTUAL_HOSTED_STYLE_REQUEST": "true",
            "AWS_UNSIGNED_PAYLOAD": "true",
            "AWS_S3_EXPRESS": "true",
            "AWS_SESSION_TOKEN": "another",
        }.items():
            monkeypatch.setenv(name, value)
        bucket.put("a.txt", "x")
        assert source.fetch(items_of(source)["a.txt"]).body == b"x"
        asked = proxy.asked[-1]
        assert not by_boto(asked)
        assert "/us-east-1/s3/aws4_request" in asked.headers["authorization"]
        assert "x-amz-security-token" not in asked.headers
        assert "x-amz-request-payer" not in asked.headers
        assert asked.headers["x-amz-content-sha256"] != "UNSIGNED-PAYLOAD"
