"""Secrets stay where they belong: nobody gets them without sign-in, and nothing ever writes them down.

Acceptance 29.
"""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import httpx
import pytest
from sqlalchemy import select

from catchment.core.errors import CatchmentError, ConfigRejected
from catchment.services import connectors
from catchment.services.blocks import PrefectBlocks, credentials_type
from catchment.store.engine import reading
from catchment.store.rows import RunRow
from catchment.store.tables import metadata
from tests.support.journey import Journey, Place, connect_ledger
from tests.support.stack import wait_for

pytestmark = pytest.mark.prefect

FOREIGN = "https://evil.example.org"


def everything_written(journey: Journey) -> dict[str, bytes]:
    """Return all that a person or program could read: store, logs, state, and what Prefect shows."""
    written = {
        str(path.relative_to(journey.home)): path.read_bytes()
        for folder in ("logs", "run", "spool")
        for path in sorted((journey.home / folder).rglob("*"))
        if path.is_file()
    }
    with reading(journey.engine) as connection:
        for table in metadata.sorted_tables:
            rows = [list(row) for row in connection.execute(select(table))]
            written[f"table {table.name}"] = repr(rows).encode()
    for kind in ("flow_runs", "task_runs", "logs", "artifacts", "deployments", "variables"):
        written[f"Prefect's {kind}"] = json.dumps(list(journey.prefect.find(f"/{kind}/filter"))).encode()
    kinds = {"block_types": {"slug": {"any_": ["sync-cursor"]}}}
    cursors = journey.prefect.find("/block_documents/filter", include_secrets=True, **kinds)
    written["cursors"] = json.dumps(list(cursors)).encode()
    events = {"filter": {}, "limit": 50}
    written["events"] = json.dumps(journey.prefect.request("POST", "/events/filter", events)).encode()
    return written


class TestTheft:
    def test_nobody_reads_a_block_without_signing_in(self, journey: Journey) -> None:
        """Neither by name, nor by a filter, nor with a wrong password; the signed-in product can."""
        secret, name = f"canary{uuid4().hex}", f"theft-{uuid4().hex[:8]}"
        PrefectBlocks(journey.prefect).write("secret", name, {"value": secret})
        by_name = f"/block_types/slug/secret/block_documents/name/{name}?include_secrets=true"
        assert journey.prefect.request("GET", by_name)["data"]["value"] == secret
        for auth in (None, httpx.BasicAuth("catchment", "guess")):
            with httpx.Client(base_url=journey.state.api_url, auth=auth, trust_env=False) as thief:
                answers = [
                    thief.get(by_name),
                    thief.post("/block_documents/filter", json={"include_secrets": True}),
                ]
            assert [answer.status_code for answer in answers] == [401, 401]
            assert not any(secret in answer.text for answer in answers)

    def test_a_page_of_a_foreign_origin_is_not_let_in(self, journey: Journey) -> None:
        """The browser asks first, and is told no: neither the origin nor its credentials are allowed."""
        address = f"{journey.state.api_url}/block_documents/filter"
        asking = {
            "Origin": FOREIGN,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization,content-type",
        }
        with httpx.Client(trust_env=False) as browser:
            asked = browser.options(address, headers=asking)
            user, _, password = journey.state.auth.partition(":")
            # What a browser would show a page if its user had signed in: nothing without this header.
            sent = browser.post(address, headers={"Origin": FOREIGN}, json={}, auth=(user, password))
            own = browser.post(
                address, headers={"Origin": journey.state.ui_url}, json={}, auth=(user, password)
            )
        assert asked.status_code == 400
        for answer in (asked, sent):
            assert answer.headers.get("access-control-allow-origin") not in ("*", FOREIGN)
        assert own.headers["access-control-allow-origin"] == journey.state.ui_url

    def test_files_of_the_stack_are_their_owners_alone(self, journey: Journey) -> None:
        """The sign-in, the state, Prefect's home and the logs: nothing for group and others."""
        for name in ("run", "run/auth", "run/stack.json", "prefect", "logs"):
            assert (journey.home / name).stat().st_mode & 0o077 == 0, name


class TestCanary:
    @pytest.mark.parametrize("behaviour", ["well", "refuses", "breaks", "breaks_at_fetch"])
    def test_a_token_is_written_down_nowhere(self, ledger: Journey, behaviour: str) -> None:
        """Whether the run goes well, is refused, or dies of an error that carries the token in its text."""
        token = f"canary{uuid4().hex}"
        place = connect_ledger(ledger, behaviour, token)
        run = ledger.wait(place.trigger().id)
        ledger.flow_run_ends(run)
        assert run.state == ("SUCCEEDED" if behaviour == "well" else "FAILED"), run
        if behaviour == "well":
            assert len(place.ids()) == 3
        elif behaviour != "refuses":
            assert (run.error_code, run.error_message) == (
                "internal",
                "An unexpected RuntimeError ended the run.",
            )
            # Prefect's client hands log lines over a little later than the state.
            wait_for(
                lambda: any("ledger_vendor.py:" in line for line in self._log(ledger, run)),
                seconds=30,
                what="the place of the bug in the log",
            )
        block = self._block(ledger, place)
        assert block["token"] == token, "the canary is not even where it belongs"
        assert [name for name, held in everything_written(ledger).items() if token.encode() in held] == []
        place.retire()

    def test_an_error_about_credentials_does_not_repeat_them(self, ledger: Journey) -> None:
        """A misspelt field and a wrong type are named; what was given stays unsaid, and nothing is kept."""
        token = f"canary{uuid4().hex}"
        for wrong in ({"user": "ann", "tokn": token}, {"user": "ann", "token": [token]}, {"token": token}):
            with pytest.raises(CatchmentError) as caught:
                connectors.add(ledger.context, "ledger", {}, credentials=wrong)
            assert isinstance(caught.value, ConfigRejected)
            assert token not in str(caught.value) + caught.value.remedy
        assert [name for name, held in everything_written(ledger).items() if token.encode() in held] == []

    def test_a_client_without_rights_to_secrets_sees_stars(self, ledger: Journey) -> None:
        """Prefect itself hides the token wherever secrets are not asked for."""
        token = f"canary{uuid4().hex}"
        place = connect_ledger(ledger, "well", token)
        name = place.connector.credentials_block
        path = f"/block_types/slug/{credentials_type('ledger')}/block_documents/name/{name}"
        shown = ledger.prefect.request("GET", path)["data"]
        assert shown["user"] == "ann"
        assert token not in json.dumps(shown)

    def _log(self, journey: Journey, run: RunRow) -> list[str]:
        mine = {"flow_run_id": {"any_": [run.flow_run_id]}}
        return [line["message"] for line in journey.prefect.find("/logs/filter", logs=mine)]

    def _block(self, journey: Journey, place: Place) -> dict[str, Any]:
        name = place.connector.credentials_block
        assert name is not None
        found = PrefectBlocks(journey.prefect).read(credentials_type("ledger"), name)
        assert found is not None
        return found
