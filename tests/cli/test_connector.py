"""``catchment connector``, ``cursor`` and ``doctor``; Prefect is a wire."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from typing import Any, ClassVar

import pytest
from pydantic import SecretStr

from catchment.core.clock import SystemClock
from catchment.core.errors import SourceDown
from catchment.core.items import Complete, Content, Item, Scope
from catchment.kit import registry
from catchment.kit.config import SourceConfig, SourceCredentials
from catchment.kit.connector import BrowsePage, ChangeFeed, Connector, Kind
from catchment.kit.health import Capability, Health
from catchment.kit.url import SourceAddress
from catchment.store.engine import reading, writing
from catchment.store.tables import connectors, documents, items, runs
from tests.cli.conftest import Cli, Place

PASSWORD = "canary-p@ss-word"
ADDRESS = "vault://ann:canary-p%40ss-word@vault.test/shelf"


class VaultConfig(SourceConfig):
    shelf: str
    depth: int = 1


class VaultCredentials(SourceCredentials):
    user: str
    password: SecretStr


class VaultSource(Connector[VaultConfig, VaultCredentials]):
    """A source whose address may hold a password."""

    slug: ClassVar[str] = "vault"
    display_name: ClassVar[str] = "Vault"
    kind: ClassVar[Kind] = Kind.LISTING
    config_model = VaultConfig
    credentials_model = VaultCredentials
    change_feed: ClassVar[ChangeFeed] = ChangeFeed.NONE

    @classmethod
    def address(cls, text: str) -> SourceAddress | None:
        if not text.startswith("vault://"):
            return None
        return SourceAddress(
            name="shelf",
            config={"shelf": "shelf"},
            identity="vault:shelf",
            display="vault://vault.test/shelf",
            credentials={"user": "ann", "password": PASSWORD},
        )

    @classmethod
    def identity(cls, config: Any) -> str:
        return "vault:shelf"

    def check(self) -> list[Capability]:
        return [Capability("list", Health.DENIED, "The vault is shut.", "Ask for the key.")]

    def browse(self, parent_id: str | None = None, page: str | None = None) -> BrowsePage:
        return BrowsePage()

    def scopes(self) -> list[Scope]:
        return [Scope(".", "shelf")]

    def listing(self, scope: Scope, resume: str | None = None) -> Iterator[Any]:
        yield Item("deed", "deed.txt", version="1")
        yield Complete()

    def fetch(self, item: Item) -> Content:
        return Content.text("The deed of the weir.", "text/plain")


@pytest.fixture
def vault(place: Place, monkeypatch: pytest.MonkeyPatch) -> Place:
    real = registry.provider("folder")

    def provider(slug: str) -> Any:
        return {"vault": VaultSource, "folder": real}[slug]

    monkeypatch.setattr(registry, "providers", lambda: ["folder", "vault"])
    monkeypatch.setattr(registry, "provider", provider)
    place.wire.works = False
    return place


class TestSecrets:
    """What is secret on a command line is never said again."""

    def test_a_password_in_an_address_goes_to_the_credentials(self, vault: Place, cli: Cli) -> None:
        """It is kept in the block alone: not in the store, not in any word said, not in the run."""
        said = cli("connector", "add", ADDRESS)
        assert said.code == 0
        assert "goes to the connector's credentials" in said.err
        assert [block["data"]["password"] for block in vault.wire.blocks.values()] == [PASSWORD]
        more = [said, cli("connector", "show", "shelf"), cli("connector", "show", "shelf", "--json")]
        for spoken in more:
            assert PASSWORD not in spoken.out + spoken.err
            assert "canary" not in spoken.out + spoken.err
        files = [path.read_bytes() for path in vault.home.iterdir() if path.is_file()]
        assert files
        assert not any(b"canary" in content for content in files)

    @pytest.mark.parametrize(
        "url",
        [
            "https://ann:canary-word@host/",
            "https://canary-word@host/",
            "https://host/?X-Amz-Signature=canary-word",
            "https://host/?token=canary-word",
        ],
    )
    def test_a_url_with_a_secret_becomes_no_setting(self, vault: Place, cli: Cli, url: str) -> None:
        """Neither of a new connector nor of one that is there; the credentials are named instead."""
        cli("connector", "add", ADDRESS)
        for words in (
            ("connector", "add", "vault", "--set", f"shelf={url}"),
            ("connector", "edit", "shelf", "--set", f"shelf={url}"),
            ("connector", "edit", "shelf", "--set", url),
        ):
            for form in ((), ("--json",)):
                said = cli(*words, *form)
                assert said.code == 2
                assert "canary" not in said.out + said.err
        assert (
            "credentials (user, password)" in cli("connector", "edit", "shelf", "--set", f"shelf={url}").err
        )
        assert [one["id"] for one in cli("connector", "list", "--json").records] == [
            cli("connector", "show", "shelf", "--json").record["id"]
        ]
        files = [path.read_bytes() for path in vault.home.rglob("*") if path.is_file()]
        assert not any(b"canary-word" in content for content in files)
        assert not any("canary-word" in body for body in vault.wire.bodies)

    def test_a_sync_by_address_warns_and_hides_it(
        self, vault: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """The made connector is named by the address without the password; one that is shut is not made."""
        shut = cli("sync", ADDRESS)
        assert shut.code == 2
        assert shut.err.strip().endswith("The vault is shut. Ask for the key.")
        assert "canary" not in shut.err
        assert not vault.wire.blocks
        monkeypatch.setattr(VaultSource, "check", lambda _self: [])
        monkeypatch.setattr("catchment.cli.sync.watch", lambda *_, **__: 0)
        said = cli("sync", ADDRESS)
        assert said.code == 0, said
        assert "vault://vault.test/shelf" in said.err
        assert "canary" not in said.err
        requests = [body for body in vault.wire.bodies if "canary" in body]
        assert len(requests) == 1  # the block, and nothing else

    @pytest.mark.parametrize(
        "words",
        [
            ("sync", "nosuch://ann:canary-p%40ss-word@host/x"),
            ("why", "nosuch://host/x?token=canary-token", "y"),
            ("sync", "x", "--mode", "nosuch://ann:canary@host/x"),
            ("why", "nosuch://ann:canary@host/x", "y"),
        ],
    )
    def test_an_error_hides_the_password_of_an_address(
        self, words: tuple[str, ...], synced: Place, cli: Cli
    ) -> None:
        """Also where the address is refused and quoted, in both forms."""
        for form in ((), ("--json",)):
            said = cli(*words, *form)
            assert said.code == 2
            assert "canary" not in said.out + said.err

    def test_a_password_in_what_others_say_is_hidden_too(self, synced: Place, cli: Cli) -> None:
        """An address in the error of a run was not on this command line."""
        with writing(synced.house.engine) as connection:
            told = "The proxy http://ann:canary@proxy.test:3128 refuses."
            connection.execute(connectors.update().values(error_code="down", error_message=told))
        for words in (("status",), ("status", "--json"), ("connector", "show", "docs")):
            said = cli(*words)
            assert "proxy.test:3128" in said.out
            assert "canary" not in said.out

    def test_credentials_come_from_the_environment(
        self, vault: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """A connector without them is not finished; with them it is."""
        assert (
            "catchment connector credentials vault" in cli("connector", "add", "vault", "-s", "shelf=a").out
        )
        assert cli("sync", "vault").code == 2
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        missing = cli("connector", "credentials", "vault")
        assert missing.code == 2
        assert "CATCHMENT_CREDENTIAL_PASSWORD" in missing.err
        monkeypatch.setenv("CATCHMENT_CREDENTIAL_USER", "ann")
        monkeypatch.setenv("CATCHMENT_CREDENTIAL_PASSWORD", PASSWORD)
        said = cli("connector", "credentials", "vault", "--json")
        assert (said.code, said.record["status"]) == (0, "ACTIVE")
        assert PASSWORD not in said.out + said.err

    def test_credentials_come_from_standard_input(
        self, vault: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """One JSON object; what is no JSON is refused without being repeated."""
        cli("connector", "add", "vault", "-s", "shelf=a")
        monkeypatch.setattr(sys, "stdin", io.StringIO("canary is no JSON"))
        refused = cli("connector", "credentials", "vault", "--stdin")
        assert refused.code == 2
        assert "canary" not in refused.err
        monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps({"user": "ann", "password": PASSWORD})))
        assert cli("connector", "credentials", "vault", "--stdin").code == 0
        assert [block["data"]["user"] for block in vault.wire.blocks.values()] == ["ann"]

    def test_credentials_are_asked_for_without_being_shown(
        self, vault: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """On a terminal each field is prompted for, hidden."""
        cli("connector", "add", "vault", "-s", "shelf=a")
        terminal = io.StringIO()
        terminal.isatty = lambda: True  # type: ignore[method-assign]
        monkeypatch.setattr(sys, "stdin", terminal)
        monkeypatch.setattr("getpass.getpass", lambda prompt: PASSWORD if "password" in prompt else "ann")
        said = cli("connector", "credentials", "vault")
        assert said.code == 0
        assert PASSWORD not in said.out + said.err

    def test_a_source_without_credentials_refuses_them(self, synced: Place, cli: Cli) -> None:
        """A folder signs in to nothing."""
        said = cli("connector", "credentials", "docs", "--stdin")
        assert said.code == 2
        assert "takes no credentials" in said.err


class TestSettings:
    """--set and --unset."""

    def test_words_become_the_types_of_their_settings(self, place: Place, cli: Cli) -> None:
        """Lists by comma, by repetition or as JSON; numbers, yes and no as JSON; paths as they are."""
        said = cli(
            *("connector", "add", place.docs, "--name", "2024", "--json"),
            *("--set", "include=*.txt,*.md", "--set", 'exclude=["a,b", "c"]', "--set", "exclude=d"),
            *("--set", "hidden=true", "--set", "max_file_bytes=1000"),
        )
        assert said.code == 0, said
        config = said.record["config"]
        assert config["include"] == ["*.txt", "*.md"]
        assert config["exclude"] == ["a,b", "c", "d"]
        assert (config["hidden"], config["max_file_bytes"]) == (True, 1000)
        assert said.record["name"] == "2024"

    def test_a_setting_may_be_spelt_as_other_clients_do(self, place: Place, cli: Cli) -> None:
        """Either spelling makes it and changes it; it is shown in the one of the first clients."""
        for made, changed in (("instanceUrl", "instance_url"), ("instance_url", "instanceUrl")):
            name = f"by-{made.lower().replace('_', '-')}"
            said = cli("connector", "add", "confluence", "--name", name, "--set", f"{made}=https://a.example")
            assert said.code == 0, said.err
            assert cli("connector", "edit", name, "--set", f"{changed}=https://b.example").code == 0
            shown = cli("connector", "show", name, "--json").record
            assert shown["config"] == {"instanceUrl": "https://b.example"}

    def test_an_unknown_setting_names_those_there_are(self, place: Place, cli: Cli) -> None:
        """Nothing is made."""
        for word in ("colour=red", "colour"):
            said = cli("connector", "add", place.docs, "--set", word)
            assert said.code == 2
            assert "colour" in said.err
        assert "include" in cli("connector", "add", place.docs, "--set", "colour=red").err
        assert place.wire.deployments == {}

    def test_a_setting_that_cannot_work_is_refused(self, place: Place, cli: Cli) -> None:
        """With the name of the setting, and without a trace in Prefect."""
        said = cli("connector", "add", place.docs, "--set", "max_file_bytes=0")
        assert said.code == 2
        assert "max_file_bytes" in said.err
        assert place.wire.deployments == {}

    def test_an_edit_counts_what_lies_outside_now(self, synced: Place, cli: Cli) -> None:
        """And the next run takes it out without tripping the guard."""
        said = cli("connector", "edit", "docs", "--set", "include=heron.txt", "--json")
        assert (said.code, said.record["outside"]) == (0, 1)
        assert cli("sync", "docs", "--json").record["counters"]["deleted"] == 1
        back = cli("connector", "edit", "docs", "--unset", "include", "--json")
        assert "include" not in back.record["config"]
        assert cli("connector", "edit", "docs").code == 2


def test_a_connector_that_exists_is_made_a_second_time_under_another_name(place: Place, cli: Cli) -> None:
    """`add` makes one each time; `sync` uses the one there is."""
    assert cli("connector", "add", place.docs, "--json").record["connector"] == "docs"
    assert cli("connector", "add", place.docs, "--json").record["connector"] == "docs-2"


def test_a_schedule_is_sent_shown_and_taken_away(synced: Place, cli: Cli) -> None:
    """Prefect's deployment follows; a text that is no schedule changes nothing."""
    assert cli("connector", "schedule", "docs", "0 6 * * *").code == 0
    (deployment,) = synced.wire.deployments.values()
    assert deployment["schedules"][0]["schedule"]["cron"] == "0 6 * * *"
    assert cli("status", "--json").record["connectors"][0]["next_run_at"].endswith("T06:00:00Z")
    assert "0 6 * * *" in cli("connector", "schedule", "docs").out
    assert cli("connector", "schedule", "docs", "now and then").code == 2
    assert cli("connector", "schedule", "docs", "--off").code == 0
    assert deployment["schedules"] == []


def test_a_paused_connector_is_not_synced_until_it_goes_on(synced: Place, cli: Cli) -> None:
    """The refusal names the command that lets it go on."""
    assert cli("connector", "pause", "docs").code == 0
    refused = cli("sync", "docs")
    assert refused.code == 2
    assert "catchment connector resume docs" in refused.err
    assert cli("connector", "resume", "docs").code == 0
    assert cli("sync", "docs").code == 3


def test_check_and_browse_show_the_source(synced: Place, cli: Cli, vault: Place) -> None:
    """Check fails with exit code 1 when something does not work."""
    assert cli("connector", "check", "docs").code == 0
    assert {one["id"] for one in cli("connector", "browse", "docs", "--json").records} >= {"heron.txt"}
    cli("connector", "add", ADDRESS)
    said = cli("connector", "check", "shelf")
    assert said.code == 1
    assert "Ask for the key." in said.out


class MovedClock(SystemClock):
    """The machine's clock, some seconds ahead."""

    seconds = 0.0

    def now(self) -> float:
        return super().now() + self.seconds


class TestRemove:
    """``connector remove``."""

    def test_it_asks_first(self, synced: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
        """Without a terminal it wants --yes; a no removes nothing."""
        monkeypatch.setattr(sys, "stdin", io.StringIO())
        said = cli("connector", "remove", "docs")
        assert said.code == 2
        assert "--yes" in said.err
        terminal = io.StringIO("n\n")
        terminal.isatty = lambda: True  # type: ignore[method-assign]
        monkeypatch.setattr(sys, "stdin", terminal)
        assert cli("connector", "remove", "docs").code == 2
        assert len(cli("documents", "docs", "--json").records) == 2

    def test_everything_that_it_brought_goes(self, synced: Place, cli: Cli) -> None:
        """Documents, deployment, and what never became a document; the folder stays."""
        said = cli("connector", "remove", "docs", "--yes", "--json")
        assert (said.code, said.record["documents"]) == (0, 2)
        assert cli("search", "heron", "--json").records == []
        assert cli("connector", "list", "--json").records == []
        assert synced.wire.deployments == {}
        assert (synced.docs / "heron.txt").exists()
        with reading(synced.house.engine) as connection:
            assert connection.execute(items.select().where(items.c.state != "deleted")).all() == []
        assert cli("sync", synced.docs, "--json").record["counters"]["indexed"] == 2

    def test_its_run_is_cancelled_first(self, synced: Place, cli: Cli) -> None:
        """A run that has not begun ends at once."""
        synced.wire.works = False
        from catchment.services import syncs
        from catchment.services.connectors import find
        from catchment.services.context import Context

        context = Context(synced.house.engine, connect=synced.wire.client)
        row = syncs.trigger(context, find(context, "docs"))
        assert cli("connector", "remove", "docs", "--yes").code == 0
        with reading(synced.house.engine) as connection:
            ended = connection.execute(runs.select().where(runs.c.id == row.id)).one()
        assert (ended.state, ended.cancel_reason) == ("CANCELLED", "delete")

    def test_while_prefect_is_away_nothing_goes(self, synced: Place, cli: Cli) -> None:
        """It cannot be half there."""
        synced.wire.is_away = True
        assert cli("connector", "remove", "docs", "--yes").code == 2
        assert len(cli("documents", "docs", "--json").records) == 2

    def test_a_removal_that_was_interrupted_is_finished(
        self, synced: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Upkeep takes out what is left; until then it is not found any more."""
        from catchment.services import removal, upkeep
        from catchment.services.context import Context

        monkeypatch.setattr(removal, "take_out", lambda *_args, **_options: 0)
        assert cli("connector", "remove", "docs", "--yes").code == 0
        assert cli("search", "heron", "--json").records == []
        monkeypatch.undo()
        with reading(synced.house.engine) as connection:
            assert (
                len(connection.execute(documents.select().where(documents.c.deleted_at.is_(None))).all()) == 2
            )
        clock = MovedClock()
        clock.seconds = 61
        upkeep.tidy(Context(synced.house.engine, connect=synced.wire.client, clock=clock))
        with reading(synced.house.engine) as connection:
            assert connection.execute(documents.select().where(documents.c.deleted_at.is_(None))).all() == []

    def test_what_it_made_at_its_source_goes_first(
        self, vault: Place, cli: Cli, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """While its credentials are there; a source that is away keeps no connector alive, and is told."""
        seen: list[str] = []

        def forget(source: VaultSource) -> None:
            assert source.credentials is not None
            seen.append(source.credentials.password.get_secret_value())

        monkeypatch.setattr(VaultSource, "forget", forget)
        assert cli("connector", "add", ADDRESS).code == 0
        assert cli("connector", "remove", "shelf", "--yes").code == 0
        assert seen == [PASSWORD]

        def away(_source: VaultSource) -> None:
            raise SourceDown("The vault does not answer.")

        monkeypatch.setattr(VaultSource, "forget", away)
        assert cli("connector", "add", ADDRESS).code == 0
        said = cli("connector", "remove", "shelf", "--yes")
        assert said.code == 0
        assert "may still be there. The vault does not answer." in said.err
        assert cli("connector", "list", "--json").records == []


class TestCursor:
    """``catchment cursor``."""

    @staticmethod
    def _save(place: Place, revision: int, mark: str) -> None:
        """Save a cursor as a run does: row first, then block."""
        from catchment.services.blocks import BlockCursorStore
        from catchment.store import connectors as store
        from catchment.store import meta
        from catchment.sync.cursor import CursorValue, SavedCursor, cursor_hash

        text = json.dumps({"version": 1, "scopes": {".": mark}})
        with writing(place.house.engine) as connection:
            row = store.all_living(connection)[0]
            store.change(connection, row.pk, cursor_revision=revision, cursor_hash=cursor_hash(text))
            store_id = meta.store_id(connection)
        blocks = BlockCursorStore(place.wire.client())
        before = blocks.load(row.id)
        previous = (before.current, *before.previous) if before else ()
        blocks.save(SavedCursor(row.id, store_id, CursorValue(revision, text, 1.0, "run"), previous))

    def test_a_connector_that_was_never_synced_has_none(self, place: Place, cli: Cli) -> None:
        """And says what that means."""
        cli("connector", "add", place.docs)
        assert "the next run lists everything" in cli("cursor", "show", "docs").out

    def test_it_is_shown_with_its_marks_and_earlier_values(self, synced: Place, cli: Cli) -> None:
        """Newest first; the numbers are those that rollback takes."""
        self._save(synced, 4, "older")
        self._save(synced, 5, "newer")
        told = cli("cursor", "show", "docs", "--json").record
        assert (told["revision"], told["marks"]) == (5, {".": "newer"})
        assert [value["revision"] for value in told["previous"]] == [4, 1]
        assert "newer" in cli("cursor", "show", "docs").out

    def test_after_a_reset_the_next_run_lists_everything(self, synced: Place, cli: Cli) -> None:
        """With the reason no_cursor, and without reading what is unchanged."""
        self._save(synced, 5, "mark")
        assert cli("sync", "docs", "--json").record["reason"] == "no_change_feed"
        before = cli("cursor", "show", "docs", "--json").record["revision"]
        said = cli("cursor", "reset", "docs", "--json")
        assert (said.code, said.record["revision"]) == (0, before + 1)
        assert cli("cursor", "show", "docs", "--json").record["marks"] == {}
        after = cli("sync", "docs", "--json").record
        assert after["reason"] == "no_cursor"
        assert after["counters"]["indexed"] == 0

    def test_a_rollback_makes_an_earlier_value_the_newest(self, synced: Place, cli: Cli) -> None:
        """Believed, because row and block agree on it; too far back is refused."""
        self._save(synced, 4, "older")
        self._save(synced, 5, "newer")
        said = cli("cursor", "rollback", "docs")
        assert said.code == 0
        assert "The next run" in said.out
        told = cli("cursor", "show", "docs", "--json").record
        assert (told["revision"], told["marks"], told["refused"]) == (6, {".": "older"}, None)
        assert cli("cursor", "rollback", "docs", "9").code == 2

    def test_a_run_that_holds_the_connector_is_not_disturbed(self, synced: Place, cli: Cli) -> None:
        """Exit code 2, and the cursor stays."""
        from catchment.services import syncs
        from catchment.services.connectors import find
        from catchment.services.context import Context

        synced.wire.works = False
        context = Context(synced.house.engine, connect=synced.wire.client)
        syncs.trigger(context, find(context, "docs"))
        assert cli("cursor", "reset", "docs").code == 2
        with reading(synced.house.engine) as connection:
            assert connection.execute(connectors.select()).one().cursor_revision == 1

    def test_the_hold_leaves_no_run_behind(self, synced: Place, cli: Cli) -> None:
        """Also where Prefect goes away in the middle."""
        before = len(cli("runs", "--json").records)
        assert cli("cursor", "reset", "docs").code == 0
        synced.wire.is_away = True
        assert cli("cursor", "reset", "docs").code == 2
        assert len(cli("runs", "--json").records) == before
