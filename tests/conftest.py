"""Settings for all tests."""

from __future__ import annotations

import gc
import os
from collections import Counter
from collections.abc import Generator, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

from tests.helpers import postgres
from tests.helpers.chromium import chromium
from tests.helpers.quick_commits import quick_commits

# No verdict by wall clock: on a busy machine anything may take long once. The name is none of the
# product's, which has a profile of its own for suites.
settings.register_profile("tests", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tests")
# For `make mutants`, which runs the same tests some hundred times.
settings.register_profile("mutants", settings.get_profile("tests"), max_examples=20)

# A command of a test leaves no judge behind for the next; what is kept is tested for itself.
os.environ["GRADER_KEEP"] = "0"

HEAVY = ("local_box", "docker", "browser")


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Generator[None, object, object]:
    """Look for garbage only afterwards, and not in what is there then: it stays to the end."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def pytest_xdist_auto_num_workers() -> int:
    """How many processes share the tests: one more than processors.

    Many wait for a sandbox, a browser or a database, and another may work meanwhile.
    """
    return (os.cpu_count() or 1) + 1


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Where several processes share the files, begin with those that start the most boxes.

    Else a long one may come last, and the other processes wait for it.
    """
    if hasattr(config, "workerinput"):
        count = Counter(i.path for i in items if any(map(i.get_closest_marker, HEAVY)))
        items.sort(key=lambda item: -count[item.path])


@pytest.fixture(scope="session", autouse=True)
def own_state(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """What commands keep for their next run is kept apart from the user's own."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
        yield


@pytest.fixture(scope="session", autouse=True)
def disk_not_waited_for() -> Iterator[None]:
    """A commit of a gradebook waits for the disk, some milliseconds each time; here it does not."""
    with quick_commits():
        yield


@pytest.fixture(scope="session")
def browser() -> Iterator[Any]:
    """A browser, for all tests together: a second one in this process could not be started."""
    with chromium() as running:
        yield running


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """A PostgreSQL server, for all tests together."""
    with postgres.server() as folder:
        yield folder


@pytest.fixture
def postgres_url(postgres_server: str) -> Iterator[str]:
    """An empty database on it."""
    with postgres.database(postgres_server) as url:
        yield url
