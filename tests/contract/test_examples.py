"""The contract's cases, and the samples of the documents behind it, against API, Prefect and a worker."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from catchment.client import Client, JobReport
from tests.contract.aimable_samples import AimableSamples
from tests.contract.trove_samples import TroveSamples
from tests.contract.zensearch_samples import ZenSearchSamples
from tests.support import seeds
from tests.support.contract import cases, contract_server, needs_contract, run_cases
from tests.support.postgres import postgres, postgres_server
from tests.support.sampling import Server

__all__ = ["postgres", "postgres_server"]

pytestmark = pytest.mark.prefect
ABLE = {"fixture-provider", "oauth", "transcription"}
SAMPLES = {"aimable": AimableSamples, "trove": TroveSamples, "zensearch": ZenSearchSamples}
PROMISES = [
    pytest.param(face, promise, id=f"{face}_{promise.__name__}")
    for face, of_face in SAMPLES.items()
    for promise in dict.fromkeys(of_face.runs.values())
]


@pytest.fixture(scope="module")
def variables(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """The contract server, up; what a client has to know of it."""
    with contract_server(tmp_path_factory.mktemp("contract")) as variables:
        yield variables


@needs_contract
@pytest.mark.parametrize("time", ["first", "second"])
def test_every_case_of_the_contract_passes(variables: dict[str, Any], time: str) -> None:
    """All faces on one server, in order; a used server serves them as an empty one does."""
    wanted = cases()
    result = run_cases(wanted, variables, able=ABLE)
    assert result == {"pass": len(wanted), "fail": 0, "skip": 0}, time


def test_the_variables_open_what_they_say(variables: dict[str, Any]) -> None:
    """Every token that a client is told of is good, but the bad one."""
    import httpx

    def status(token: str) -> int:
        headers = {"Authorization": f"Bearer {variables[token]}"}
        address = f"{variables['base_url']}/v1/spaces/{variables['space_id']}/collections"
        address += f"/{variables['collection_id']}/connectors"
        return httpx.get(address, headers=headers, timeout=20, trust_env=False).status_code

    tokens = ("tok_admin", "key_admin", "tok_viewer", "tok_outsider", "tok_other_tenant", "tok_bad")
    assert [status(token) for token in tokens] == [200, 200, 200, 403, 404, 401]


def test_the_client_follows_and_cancels_real_runs(variables: dict[str, Any]) -> None:
    """A job is waited for with growing counters until it is completed; another ends as cancelled."""
    paths = [f"{number:03}.md" for number in range(60)]
    items = [{"path": path, "text": f"words of {path}", "version": "1"} for path in paths]
    with Client(variables["base_url"], variables["tok_admin"]) as client:
        made = client.connectors.create("fixture", config={"items": items, "latency_ms": 50})
        seen: list[JobReport] = []
        report = client.connectors.sync(made.id).wait(progress=seen.append, most_poll_seconds=0.5)
        assert (report.status, report.progress.indexed) == ("completed", len(items))
        counts = [(one.progress.collected, one.progress.indexed) for one in seen]
        assert counts == sorted(counts)
        assert "running" in [one.status for one in seen[:-1]]
        assert client.connectors.get(made.id).document_count == len(items)

        client.connectors.update(made.id, config={"latency_ms": 2000})
        job = client.connectors.sync(made.id, mode="full")
        job.cancel()
        assert job.wait().status == "cancelled"
        client.connectors.delete(made.id)


@pytest.fixture(scope="module")
def samples(variables: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The samples of each document, to be run against the server."""
    server = Server(variables, tmp_path_factory.mktemp("samples"))
    return {face: of_face(server) for face, of_face in SAMPLES.items()}


@seeds.needs_seeds
@pytest.mark.parametrize(("face", "promise"), PROMISES)
def test_samples_get_their_documented_answers(
    samples: dict[str, Any], face: str, promise: Callable[[Any], None]
) -> None:
    """As they stand: only host, token and ids are others, and names that they leave free are defined."""
    promise(samples[face])


@seeds.needs_seeds
@pytest.mark.parametrize("face", seeds.FACES)
def test_no_sample_is_forgotten(face: str) -> None:
    """Each is run, or a reason is given; and nothing that looks like one is left over in the document."""
    document = seeds.read(face)
    runs, reasons = SAMPLES[face].runs, SAMPLES[face].reasons
    assert sorted(document.samples) == sorted([*runs, *reasons])
    assert seeds.OVERLOOKED.findall(document.rest) == []


@needs_contract
def test_every_case_passes_with_the_store_on_postgresql(postgres: Engine, tmp_path: Path) -> None:
    """In a schema of its own, which is gone at the end."""
    wanted = cases()
    address = postgres.url.render_as_string(hide_password=False)
    with contract_server(tmp_path, CATCHMENT_DATABASE_URL=address) as variables:
        assert schemas(postgres) != []
        result = run_cases(wanted, variables, able=ABLE)
    assert result == {"pass": len(wanted), "fail": 0, "skip": 0}
    assert schemas(postgres) == []


def schemas(engine: Engine) -> list[str]:
    """Return the schemas of contract servers in a database."""
    with engine.connect() as connection:
        query = "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'contract%%'"
        return [str(name) for (name,) in connection.exec_driver_sql(query)]
