"""Browsers for the tests of the page."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.e2e.browser.launching import BrowserName, Launcher, sound_card
from tests.e2e.browser.tab import Tab
from tests.harness.house import House

WIDTH, HEIGHT = 1280, 720


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            # Pictures are decoded in software, beside whatever else the machine does.
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def launcher(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Launcher]:
    with sound_card(tmp_path_factory.mktemp("sound")) as environment, sync_playwright() as driver:
        yield Launcher(driver, environment)


@pytest.fixture(scope="session", params=["chromium", "firefox"])
def browser(request: pytest.FixtureRequest, launcher: Launcher) -> Iterator[Browser]:
    name: BrowserName = request.param
    running = launcher.start(name)
    yield running
    running.close()


@pytest.fixture
def tab(browser: Browser, home: House, request: pytest.FixtureRequest) -> Iterator[Tab]:
    """A tab of a browser that was never here. It is closed at the test's end, and the browser has
    complained of nothing that the test did not expect."""
    width, height = getattr(request, "param", (WIDTH, HEIGHT))
    context = browser.new_context(viewport={"width": width, "height": height})
    opened = Tab(context.new_page(), home)
    yield opened
    opened.check()
    context.close()
