"""What a person fills in, and the addresses that are taken for feeds."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from catchment.core.errors import ConfigRejected
from catchment.kit.catalog import config_schema, needs_credentials, stand_in
from catchment.kit.spelling import spelled
from connectors.rss import RSS, RSSConfig, RSSCredentials
from connectors.rss.addresses import Place, tidy


class TestSettings:
    def test_the_names_that_clients_use_are_taken(self) -> None:
        """Those of the catalog, with capitals or underscores; a connector needs no sign-in."""
        known = stand_in("rss")
        assert known is not None
        for name in config_schema(known)["properties"]:
            if name == "feedUrl":
                config = RSSConfig.model_validate(spelled(RSSConfig, {name: "https://e.example/f"}))
                assert config.feed_url == "https://e.example/f"
            else:
                assert name in RSSConfig.model_fields
        assert known.kind is RSS.kind
        assert not needs_credentials(RSS)

    def test_addresses_are_written_in_one_way(self) -> None:
        """Scheme and host in small letters, no usual port, no fragment; the path as it is."""
        forms = {
            " HTTPS://Blog.Example:443/Feed?x=Y#top ": "https://blog.example/Feed?x=Y",
            "feed://blog.example/f": "http://blog.example/f",
            "feed:https://blog.example/f": "https://blog.example/f",
            "rss:blog.example": "http://blog.example/",
            "http://[2001:DB8::1]:8080/f": "http://[2001:db8::1]:8080/f",
        }
        assert {text: tidy(text) for text in forms} == forms

    @pytest.mark.parametrize(
        "text",
        [
            "",
            "blog.example/feed",
            "ftp://a.example/f",
            "file:///etc/passwd",
            "https://",
            "https://a b/",
            "http://a:x/",
        ],
    )
    def test_what_is_no_web_address_is_refused(self, text: str) -> None:
        """In both settings."""
        for config in ({"feed_url": text}, {"feed_url": "https://a.example/", "feed_urls": [text]}):
            with pytest.raises(ValidationError):
                RSSConfig.model_validate(config)

    def test_a_password_is_a_credential(self) -> None:
        """It is not kept among the settings, and not repeated."""
        with pytest.raises(ValidationError) as caught:
            RSSConfig(feed_url="https://ann:canary@a.example/f")
        assert "credentials" in str(caught.value.errors(include_input=False))
        assert "canary" not in repr(RSSCredentials(username="ann", password="canary"))  # type: ignore[arg-type]

    def test_each_feed_is_read_once(self) -> None:
        """Whatever the settings repeat."""
        config = RSSConfig(
            feed_url="https://a.example/f",
            feed_urls=["https://A.example/f", "https://b.example/", "feed:https://b.example"],
        )
        assert [place.url for place in config.places] == ["https://a.example/f", "https://b.example/"]
        assert [place.setting for place in config.places] == ["feed_url", "feed_urls"]

    def test_only_settings_with_a_meaning_for_entries_ask_for_another_look(self) -> None:
        """Not another feed beside, nor the schedule's."""
        usual = {"feed_url": "https://a.example/f"}
        meaning = RSSConfig(**usual).meaning
        for same in ({"feed_urls": ["https://b.example/"]}, {"reconcile_seconds": 5}):
            assert RSSConfig(**usual, **same).meaning == meaning
        others: list[dict[str, Any]] = [{"full_text": True}, {"exclude": ["x"]}, {"max_age_days": 3}]
        for other in others:
            assert RSSConfig(**usual, **other).meaning != meaning

    def test_a_feed_that_differs_in_its_secret_is_another_one(self) -> None:
        """And the secret is nowhere to be seen."""
        one, other = (Place(f"https://a.example/f?token=canary{n}") for n in (1, 2))
        assert one.scope != other.scope
        assert "canary" not in one.scope + one.shown + one.id
        assert Place("https://a.example/f").scope == "https://a.example/f"


class TestAddresses:
    @pytest.mark.parametrize(
        "text",
        [
            "https://blog.example/feed",
            "https://blog.example/feed/",
            "http://blog.example/news.rss",
            "https://blog.example/index.xml",
            "https://blog.example/a/atom.xml",
            "https://blog.example/feed.json",
            "https://blog.example/?feed=rss2",
            "https://code.example/o/r/releases.atom",
            "feed://blog.example/anything",
            "rss:https://blog.example/anything",
        ],
    )
    def test_what_is_called_like_a_feed_is_recognised(self, text: str) -> None:
        """With a name to show, and equal for equal feeds."""
        found = RSS.address(text)
        assert found is not None
        assert found.identity == RSS.identity(found.config)
        assert not found.name.endswith("/")
        RSSConfig.model_validate(found.config)

    @pytest.mark.parametrize(
        "text",
        [
            "./docs",
            "https://blog.example/",
            "https://wiki.example/spaces/DOC",
            "s3://bucket/feed",
            "https://a.example/x.xml",
        ],
    )
    def test_others_are_left_to_others(self, text: str) -> None:
        """A page could be anybody's."""
        assert RSS.address(text) is None

    def test_name_and_password_go_to_the_credentials(self) -> None:
        """And are not shown again; a token in the query is not shown, either."""
        found = RSS.address("https://ann:can%40ary@blog.example/feed?token=canary2")
        assert found is not None
        assert found.credentials == {"username": "ann", "password": "can@ary"}
        assert "ary" not in found.display + found.name
        assert found.config == {"feed_url": "https://blog.example/feed?token=canary2"}

    def test_one_that_cannot_work_is_refused(self) -> None:
        """It was meant as a feed."""
        with pytest.raises(ConfigRejected) as caught:
            RSS.address("feed:https://a b/")
        assert caught.value.setting == "feed_url"

    def test_identity_does_not_depend_on_the_order(self) -> None:
        """Nor on which of them is the first."""
        one = {"feed_url": "https://a.example/", "feed_urls": ["https://b.example/"]}
        other = {"feed_url": "https://b.example/", "feed_urls": ["https://a.example/"]}
        assert RSS.identity(one) == RSS.identity(other) != RSS.identity({"feed_url": "https://a.example/"})
