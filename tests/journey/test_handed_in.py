"""What is uploaded and pushed goes through the real stack, by flows of the general deployment."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest
from msgspec.structs import replace

from catchment.core.runs import Mode
from catchment.services import connectors, deployments, push, removal, search, syncs, uploads
from catchment.services.context import Context
from catchment.services.uploads import Upload
from catchment.store.blobs import Blobs
from catchment.store.rows import ConnectorRow
from tests.support.journey import Journey

pytestmark = pytest.mark.prefect


@pytest.fixture
def context(journey: Journey) -> Context:
    return replace(journey.context, blobs=Blobs(journey.home / "blobs"))


@pytest.fixture
def notes(journey: Journey, context: Context) -> Iterator[ConnectorRow]:
    made = connectors.add(context, "notebook", {"documentSemantics": "upsert"}, name="Notebook", pushed=True)
    yield made
    journey.up()
    removal.remove(context, connectors.find(context, made.id))


def found(context: Context, words: str) -> list[str]:
    return [one.hit.key for one in search.search(context.engine, words, connector_names=["notebook"])]


def test_an_upload_is_read_by_a_flow_of_the_general_deployment(
    journey: Journey, context: Context, notes: ConnectorRow
) -> None:
    """The file is found after its run; tidying Prefect leaves the deployment alone."""
    files = [Upload("../herons.md", io.BytesIO(b"# Herons\n\nThe quizzical heron stands still."))]
    taken = uploads.upload(context, notes, files)
    run = journey.wait(taken.run.id, "SUCCEEDED")
    assert (run.kind, run.collected, run.indexed) == ("upload", 1, 1)
    assert found(context, "quizzical") == ["upload:herons.md"]
    assert not any("handed-in" in sentence for sentence in deployments.reconcile(context))
    again = uploads.upload(context, notes, [Upload("herons.md", io.BytesIO(b"another bird"))])
    assert journey.wait(again.run.id, "SUCCEEDED").indexed == 1
    assert found(context, "quizzical") == [] and found(context, "another") == ["upload:herons.md"]


def test_pushed_texts_are_indexed_anew_by_a_full_run(
    journey: Journey, context: Context, notes: ConnectorRow
) -> None:
    """The flow asks no source and keeps every document as it is."""
    documents = [{"external_id": f"n{number}", "text": f"bittern number {number}"} for number in range(20)]
    push.push(context, notes, documents, cursor="here")
    row = syncs.trigger(context, connectors.find(context, notes.id), mode=Mode.FULL)
    run = journey.wait(row.id, "SUCCEEDED")
    assert (run.kind, run.mode, run.indexed, run.deleted) == ("sync", "full", 20, 0)
    assert len(found(context, "bittern")) == 10
    fresh = connectors.find(context, notes.id)
    assert (fresh.cursor, fresh.deployment_id) == ("here", None)


def test_an_upload_while_prefect_is_away_is_read_when_it_is_back(
    journey: Journey, context: Context, notes: ConnectorRow
) -> None:
    """Its row waits, and the sweep starts it."""
    journey.down()
    taken = uploads.upload(context, notes, [Upload("late.md", io.BytesIO(b"a nocturnal curlew"))])
    assert taken.run.waiting
    journey.up()
    assert journey.wait(taken.run.id, "SUCCEEDED").indexed == 1
    assert found(context, "curlew") == ["upload:late.md"]
