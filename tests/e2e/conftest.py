"""Shared by the tests with real clients."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.house import House, house, until


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def one_house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with house(tmp_path_factory.mktemp("house")) as running:
        yield running


@pytest.fixture
def home(one_house: House) -> Iterator[House]:
    """The house for one test, which leaves no viewer behind."""
    yield one_house
    until(lambda: one_house.watching() == 0, "the viewers of the test are gone")
