"""The pages of the stack in a real browser: Prefect's (sign in, start a run, watch it, cancel one), and ours.

``CATCHMENT_SHOTS=<folder>`` keeps the pictures.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from catchment.core.runs import RunState
from catchment.local.http import HttpApi, want
from catchment.local.stack import wait_for_http
from catchment.store.rows import RunRow
from tests.support.journey import Journey, Place, connect_ledger
from tests.support.stack import wait_for

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request, Route

pytestmark = [pytest.mark.prefect, pytest.mark.browser]

CHROMIUM = "/usr/bin/chromium"
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-sync",
    "--disable-component-update",
]
PAGE_MS = 30_000


@pytest.fixture
def shots(tmp_path: Path) -> Path:
    """Where pictures go."""
    folder = Path(os.environ.get("CATCHMENT_SHOTS") or tmp_path / "shots")
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture
def window() -> Iterator[Page]:
    """A window of a browser that knows nothing yet."""
    playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    if not shutil.which(CHROMIUM):
        pytest.skip(f"there is no {CHROMIUM}")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, headless=True, args=SWITCHES)
        window = browser.new_page(viewport={"width": 1400, "height": 1000})
        window.set_default_timeout(PAGE_MS)
        yield window
        browser.close()


@pytest.fixture
def page(journey: Journey, window: Page) -> Page:
    """A browser window that has signed in at Prefect's own form."""
    # Nothing leaves the machine: the pages are the server's own.
    window.route(lambda url: not url.startswith(journey.state.ui_url), lambda route: route.abort())
    window.goto(journey.state.ui_url)
    window.locator("input[type=password]").fill(journey.state.auth)
    window.locator("input[type=password]").press("Enter")
    window.wait_for_selector("text=Deployments")
    return window


@pytest.fixture
def http_url(journey: Journey) -> Iterator[str]:
    """Where the stack's own HTTP API is."""
    want(journey.home)
    yield wait_for_http(journey.home).http_url
    HttpApi(journey.home).forget()


def test_the_pages_are_closed_without_sign_in(journey: Journey) -> None:
    """The shell asks for the sign-in; the data behind it is refused."""
    answer = httpx.post(f"{journey.state.api_url}/flow_runs/filter", json={}, trust_env=False)
    assert answer.status_code == 401


def test_a_run_is_started_from_the_form_and_watched_to_its_end(
    journey: Journey, place: Place, page: Page, shots: Path
) -> None:
    """Custom run with mode=full: the row has the mode, and the run's page shows counters and the end."""
    place.fill(300)
    place.sync()
    address = f"{journey.state.ui_url}/deployments/deployment/{place.connector.deployment_id}"
    page.goto(address)
    page.get_by_text("Flow run", exact=False).first.wait_for()
    page.get_by_role("button", name="Run", exact=True).click()
    page.get_by_text("Custom run").click()
    page.get_by_text("Carry out removals that the guard would hold back.").wait_for()
    choice = page.locator(".p-select-button__control", has_text="auto")
    choice.focus()
    choice.press("ArrowDown")
    settle(page)
    page.get_by_role("option", name="full").click()
    settle(page)
    page.screenshot(path=shots / "form.png")
    page.get_by_role("button", name="Submit").click()
    # The browser asks us about every request, so it gets on only while we wait for it.
    page.get_by_text("scheduled to start").first.wait_for()

    def begun() -> RunRow | None:
        return next((run for run in place.runs() if run.mode == "full"), None)

    run = journey.wait(wait_for(begun, seconds=60, what="the run of the form").id)
    assert (run.state, run.indexed, run.trigger) == (RunState.SUCCEEDED, 300, "manual")
    journey.flow_run_ends(run)
    page.goto(run_page(journey, run))
    page.get_by_text("Completed").first.wait_for()
    page.screenshot(path=shots / "run.png")
    page.get_by_text("Artifacts", exact=True).click()
    page.get_by_text("indexed 300").first.wait_for()
    settle(page)
    page.screenshot(path=shots / "artifacts.png", full_page=True)
    page.get_by_text(f"{place.connector.slug}-report").first.click()
    page.get_by_text("succeeded").first.wait_for()
    settle(page)
    page.screenshot(path=shots / "report.png")


def test_a_long_run_is_cancelled_with_a_click(ledger: Journey, page: Page, shots: Path) -> None:
    """The run's page has Cancel: the row says CANCELLED by a person, and what is indexed stays."""
    journey, place = ledger, connect_ledger(ledger, "slow", "token")
    run = journey.wait_until_working(place.trigger().id)
    page.goto(run_page(journey, run))
    page.get_by_text("Running").first.wait_for()
    page.get_by_text("Artifacts", exact=True).click()
    progress = page.get_by_text("waiting: the ledger allows").first
    progress.wait_for()
    seen = progress.inner_text()
    # The page follows by itself: nobody loads it anew.
    page.wait_for_function("seen => !document.body.innerText.includes(seen)", arg=seen)
    progress.wait_for()
    assert progress.inner_text() != seen
    settle(page)
    page.screenshot(path=shots / "running.png")
    page.get_by_role("button", name="Cancel").first.click()
    page.get_by_role("button", name="Confirm").wait_for()
    settle(page)
    page.screenshot(path=shots / "cancel.png")
    page.get_by_role("button", name="Confirm").click()
    page.get_by_text("Flow run cancelled").first.wait_for()
    ended = journey.wait(run.id, seconds=20)
    assert (ended.state, ended.cancel_reason) == (RunState.CANCELLED, "user")
    assert len(place.ids()) == ended.indexed
    journey.flow_run_ends(run)
    page.get_by_text("Cancelled").first.wait_for()
    page.screenshot(path=shots / "cancelled.png")


class TestDocs:
    def test_shows_every_operation_and_asks_no_other_host(
        self, http_url: str, window: Page, shots: Path
    ) -> None:
        """Those of all faces, drawn without a complaint of the browser; each can be opened."""
        strange: list[str] = []
        complaints: list[str] = []

        def only_ours(route: Route, request: Request) -> None:
            if request.url.startswith(f"{http_url}/"):
                route.continue_()
            else:
                strange.append(request.url)
                route.abort()

        window.route("**/*", only_ours)
        window.on("console", lambda line: complaints.append(line.text))
        window.on("pageerror", lambda error: complaints.append(str(error)))
        window.goto(f"{http_url}/docs")
        window.locator(".opblock").first.wait_for()
        shown = window.locator(".opblock").evaluate_all(
            """blocks => blocks.map(block => [
                block.querySelector(".opblock-summary-method").innerText.toLowerCase(),
                block.querySelector(".opblock-summary-path").dataset.path,
            ])"""
        )
        document = httpx.get(f"{http_url}/openapi.json", trust_env=False).json()
        assert sorted(map(tuple, shown)) == sorted(
            (verb, path) for path, item in document["paths"].items() for verb in item
        )
        window.screenshot(path=shots / "docs.png")
        for path in ("/graphql", "/api/v1/connectors", "/v1/me"):
            block = window.locator(".opblock", has=window.locator(f'[data-path="{path}"]')).first
            block.locator(".opblock-summary").click()
            block.get_by_text("Responses", exact=True).wait_for()
        settle(window)
        window.screenshot(path=shots / "operation.png")
        assert (strange, complaints) == ([], [])

    def test_lets_the_browser_ask_nobody_else(self, http_url: str, window: Page) -> None:
        """A script that got into the page could send nothing away, and none of another host would run."""
        window.goto(f"{http_url}/docs")
        window.locator(".opblock").first.wait_for()
        refused = window.evaluate(
            """async () => {
                const seen = [];
                document.addEventListener("securitypolicyviolation", e => seen.push(e.effectiveDirective));
                const script = document.createElement("script");
                script.src = "https://cdn.example.org/x.js";
                document.body.append(script);
                const image = document.createElement("img");
                image.src = "https://cdn.example.org/x.png";
                document.body.append(image);
                await fetch("https://cdn.example.org/").catch(() => null);
                while (seen.length < 3) await new Promise(wake => setTimeout(wake, 10));
                return seen.sort();
            }"""
        )
        assert refused == ["connect-src", "img-src", "script-src-elem"]


def run_page(journey: Journey, run: RunRow) -> str:
    """Return the address of a run's page."""
    return f"{journey.state.ui_url}/runs/flow-run/{run.flow_run_id}"


def settle(page: Page) -> None:
    """Let a fade end, for the picture."""
    page.wait_for_timeout(400)
