"""The real stack on an empty store, for clients that want to try the contract against it.

    python -m tests.contract.server ENV_FILE [PORT]

It writes what a client has to know (address, tokens, ids) as JSON to ENV_FILE when it is ready, and
runs until Ctrl-C or SIGTERM. The store is gone at its end: an SQLite file, or, where CATCHMENT_DATABASE_URL
names a PostgreSQL database, a schema of its own beside whatever lies in it. It is no server for work: the
fixture provider is on, and a sign-in to Google Drive is set up with a client that Google does not know.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

from sqlalchemy import make_url

from catchment.core.errors import CatchmentError, UsageError
from catchment.core.home import home_settings
from catchment.local.hooks import find_hooks
from catchment.local.http import want
from catchment.local.paths import write_private
from catchment.local.stack import read_state, run_stack
from catchment.services.context import Context
from catchment.services.prefect_client import PrefectClient
from catchment.store.engine import open_engine, outside
from tests.support.prefect_database import lay
from tests.support.tenants import variables_of

SETTINGS = {
    "CATCHMENT_FIXTURE_PROVIDER": "1",
    "CATCHMENT_OAUTH_GOOGLE_DRIVE_CLIENT_ID": "contract",
    "CATCHMENT_OAUTH_GOOGLE_DRIVE_CLIENT_SECRET": "contract",
}
_FOREIGN = ("CATCHMENT_PREFECT_API_URL", "CATCHMENT_PREFECT_API_AUTH")
_STORE = "CATCHMENT_DATABASE_URL"


def main(env_file: str, port: str = "") -> int:
    """Run until told to stop; returns the exit code of the stack."""
    target = Path(env_file).absolute()
    target.unlink(missing_ok=True)
    home = Path(tempfile.mkdtemp(prefix="catchment-contract-"))
    for name in _FOREIGN:
        os.environ.pop(name, None)
    os.environ.update(SETTINGS, CATCHMENT_HOME=str(home))
    if port:
        os.environ["CATCHMENT_API_PORT"] = port
    lay(home)
    want(home)
    hooks = find_hooks(home)
    try:
        with _empty_store():
            return run_stack(
                home,
                background=False,
                say=_say,
                sweep=hooks.sweep,
                idle=hooks.idle,
                before_start=hooks.before_start,
                on_drain=hooks.on_drain,
                on_ready=lambda: _tell(home, target),
            )
    except CatchmentError as error:
        _say(str(error))
        return 2
    finally:
        target.unlink(missing_ok=True)
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _empty_store() -> Iterator[None]:
    """Keep to a schema of our own in the database that was named, so that nothing in it is touched."""
    named = os.environ.get(_STORE)
    if not named:
        yield
        return
    engine = open_engine(named)
    if engine.dialect.name != "postgresql":
        raise UsageError(
            f"{_STORE} names no PostgreSQL.", remedy="Unset it: the store is then an SQLite file."
        )
    schema = f"contract_{uuid4().hex}"
    with outside(engine) as connection:
        connection.exec_driver_sql(f"CREATE SCHEMA {schema}")
    given = make_url(named)
    options = f"{given.query.get('options', '')} -csearch_path={schema}".strip()
    os.environ[_STORE] = given.update_query_dict({"options": options}).render_as_string(hide_password=False)
    try:
        yield
    finally:
        with outside(engine) as connection:
            connection.exec_driver_sql(f"DROP SCHEMA {schema} CASCADE")
        engine.dispose()


def _tell(home: Path, target: Path) -> None:
    state = read_state(home)
    assert state is not None
    assert state.http_url
    engine = open_engine(home_settings().store_url)
    context = Context(engine, connect=lambda: PrefectClient(state.api_url, state.auth))
    try:
        variables = variables_of(context, state.http_url)
    finally:
        engine.dispose()
    write_private(target, json.dumps(variables, indent=2) + "\n")
    _say(f"The variables stand in {target}. Ctrl-C stops the server.")


def _say(sentence: str) -> None:
    print(sentence, flush=True)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
