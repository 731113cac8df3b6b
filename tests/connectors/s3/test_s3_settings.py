"""Settings and addresses: what they mean, and what is refused without repeating a secret."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from catchment.kit import ConfigRejected
from connectors.s3 import S3, S3Config


def address(text: str) -> Any:
    found = S3.address(text)
    assert found is not None
    return found


class TestSettings:
    def test_a_slash_in_front_of_a_prefix_has_no_meaning(self) -> None:
        """Keys begin without one, so `/reports/` means `reports/`."""
        written = S3Config(bucket="docs", prefix="/reports/")
        assert (written.prefix, written.all_prefixes) == ("/reports/", ["reports/"])
        assert S3Config(bucket="docs", prefix="/").all_prefixes == [""]

    def test_a_prefix_inside_another_is_listed_once(self) -> None:
        """Scopes never overlap, however prefixes are spread over the two settings."""
        config = S3Config(bucket="docs", prefix="a/", prefixes=["b/", "/a/x/", "b/c", "c/"])
        assert config.all_prefixes == ["a/", "b/", "c/"]
        assert S3Config(bucket="docs", prefixes=["b/", ""]).all_prefixes == [""]
        assert S3Config(bucket="docs", prefixes=["b/", "a/"]).all_prefixes == ["a/", "b/"]

    def test_each_prefix_is_a_scope(self) -> None:
        """The whole bucket has a key that no prefix can have."""
        keys = [scope.key for scope in S3(S3Config(bucket="docs", prefixes=["b/", "a/"])).scopes()]
        assert keys == ["a/", "b/"]
        assert [scope.key for scope in S3(S3Config(bucket="docs")).scopes()] == ["/"]

    @pytest.mark.parametrize(
        ("setting", "value"),
        [
            ("bucket", "s3://docs"),
            ("bucket", "docs/reports"),
            ("bucket", ""),
            ("bucket", "a..b"),
            ("endpoint", "minio:9000"),
            ("endpoint", "https://user:word@minio"),
            ("endpoint", "https://minio/bucket"),
            ("endpoint", "https://minio:port"),
            ("region", "eu central"),
        ],
    )
    def test_a_setting_that_cannot_work_is_refused(self, setting: str, value: str) -> None:
        """It is found before anything is stored."""
        with pytest.raises(ValidationError) as raised:
            S3Config(**{"bucket": "docs", setting: value})
        assert raised.value.errors()[0]["loc"] == (setting,)

    def test_sign_ins_that_exclude_each_other_are_refused(self) -> None:
        """Anonymous means nobody."""
        with pytest.raises(ValidationError):
            S3Config(bucket="docs", anonymous=True, role_arn="arn:aws:iam::1:role/r")
        with pytest.raises(ValidationError):
            S3Config(bucket="docs", external_id="x")

    def test_the_bucket_stands_in_the_path_where_its_host_would_have_no_certificate(self) -> None:
        """Servers of one's own, and names with dots."""
        assert not S3Config(bucket="docs").uses_path_style
        assert S3Config(bucket="docs.example").uses_path_style
        assert S3Config(bucket="docs", endpoint="http://minio:9000").uses_path_style
        assert not S3Config(bucket="docs", endpoint="https://r2.example", path_style=False).uses_path_style

    def test_the_same_bucket_has_the_same_identity_however_it_is_written(self) -> None:
        """Server, bucket and prefixes are the identity; how one signs in is not."""
        one = S3.identity({"bucket": "docs", "prefix": "/a/", "endpoint": "HTTPS://MinIO:9000/"})
        other = S3.identity(
            {"bucket": "docs", "prefixes": ["a/"], "endpoint": "https://minio:9000", "region": "x"}
        )
        assert one == other
        assert one != S3.identity({"bucket": "docs", "prefix": "a/"})
        assert one != S3.identity({"bucket": "docs", "prefix": "b/", "endpoint": "https://minio:9000"})


class TestAddress:
    def test_bucket_prefix_and_parameters_become_settings(self) -> None:
        """The parameters are the settings' names."""
        found = address("s3://docs/a%20b/?endpoint=http://127.0.0.1:9000&region=eu-west-1&anonymous=true")
        assert found.config == {
            "bucket": "docs",
            "prefix": "a b/",
            "endpoint": "http://127.0.0.1:9000",
            "region": "eu-west-1",
            "anonymous": True,
        }
        assert found.credentials == {}
        assert found.name == "docs/a b/".rstrip("/")
        assert found.identity == S3.identity(found.config)

    @pytest.mark.parametrize("secret", ["abc/def+ghi", "abc%2Fdef%2Bghi"])
    def test_keys_in_front_of_the_bucket_become_credentials_and_are_not_shown(self, secret: str) -> None:
        """A secret may be written with its slashes, or percent-encoded."""
        found = address(f"s3://AKIDEXAMPLE:{secret}@docs/in?session_token=to%2Fk+en")
        assert found.credentials == {
            "access_key_id": "AKIDEXAMPLE",
            "secret_access_key": "abc/def+ghi",
            "session_token": "to/k+en",
        }
        assert found.config == {"bucket": "docs", "prefix": "in"}
        assert found.display == "s3://docs/in"
        for text in (found.display, found.name, found.identity, str(found.config)):
            assert "AKID" not in text
            assert "abc" not in text

    def test_an_address_of_another_provider_is_none_of_ours(self) -> None:
        """Folders and other schemes are left to others."""
        assert S3.address("./docs") is None
        assert S3.address("https://example.com") is None

    @pytest.mark.parametrize(
        ("text", "setting"),
        [
            ("s3://docs?colour=blue", "colour"),
            ("s3://", "bucket"),
            ("s3:///x", "bucket"),
            ("s3://docs?anonymous=perhaps", "anonymous"),
            ("s3://docs?endpoint=minio", "endpoint"),
            ("s3://AKID:@docs", "access_key_id"),
            ("s3://docs?session_token=secret-thing", "access_key_id"),
            ("s3://AKID:secret-thing@docs?anonymous=true", "anonymous"),
            ("s3://AKID:secret-thing@", "bucket"),
            ("s3://AKID:secret-thing/docs", "bucket"),
        ],
    )
    def test_an_address_that_cannot_work_names_the_setting_and_no_secret(
        self, text: str, setting: str
    ) -> None:
        """What stands in the wrong place may be a secret."""
        with pytest.raises(ConfigRejected) as raised:
            S3.address(text)
        assert raised.value.setting == setting
        assert raised.value.remedy
        assert "secret-thing" not in str(raised.value)
        assert "AKID" not in str(raised.value)

    def test_a_prefix_may_hold_an_at_sign_and_a_colon(self) -> None:
        """Only what stands in front of the first slash can be keys."""
        found = address("s3://docs/a:b@c")
        assert found.config == {"bucket": "docs", "prefix": "a:b@c"}
        assert found.credentials == {}
