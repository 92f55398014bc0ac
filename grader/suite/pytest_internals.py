"""What the judge takes of pytest that pytest does not promise: all of it, and nothing elsewhere.

Read beside pytest 8.0 to 9.2. `tests/suite/test_pytest_internals.py` holds each piece against the
pytest that is installed and says first which has changed; beside each stands what depends on it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Literal

import pytest
from _pytest.runner import CallInfo, call_and_report


def run_phase(
    item: pytest.Item, when: Literal["setup", "call", "teardown"], **options: Any
) -> pytest.TestReport:
    """Run one phase of a test and return its report; nothing is printed.

    `_pytest/runner.py`, `call_and_report`: it calls the phase's hooks and makes the report through
    `pytest_runtest_makereport`, where the plugin notes what was raised. Did it go another way, what
    a test raised would not be seen, and a test that failed would pass.
    """
    return call_and_report(item, when, log=False, **options)


@contextmanager
def fresh_request(item: pytest.Item) -> Iterator[None]:
    """Let a test be run again, as `_pytest/runner.py`, `runtestprotocol`, does round its phases.

    The same items are run for one submission after the other, and for each trial. An item keeps its
    values of fixtures in `funcargs`, filled through `_request`; both are `None` or `False` after a
    run, and `_initrequest` makes them anew. Were that another way, a test would keep the fixtures
    of its trial before.
    """
    function: Any = item
    has_request = hasattr(item, "_request")
    if has_request and not function._request:
        function._initrequest()
    try:
        yield
    finally:
        if has_request:
            function._request = False
            function.funcargs = None


def tear_down(item: pytest.Item, next_item: pytest.Item | None) -> None:
    """Finish what earlier tests left for this one; what it raises is nobody's mark.

    `_pytest/runner.py`, `SetupState.teardown_exact`: it ends fixtures of a wider scope as far as
    the next test does not need them, all of them for None. Were it another, a module's fixture
    could outlive the session of the notebook that it came from.
    """
    state: Any = item.session._setupstate
    CallInfo.from_call(lambda: state.teardown_exact(next_item), when="teardown")


def fixture_definitions(item: pytest.Item) -> Mapping[str, Sequence[Any]]:
    """The fixtures that a test may see, by name, of one name the nearest last; with what they use.

    `_pytest/fixtures.py`, `FuncFixtureInfo.name2fixturedefs`; an item that is no function has none.
    What rules are held against, what of an earlier run stands, and the plan's check of a fixture
    that is not there depend on it.
    """
    info: Any = getattr(item, "_fixtureinfo", None)
    return {} if info is None else info.name2fixturedefs


def fixture_names(item: pytest.Item) -> Sequence[str]:
    """The names of the fixtures that a test needs, with those that they need.

    `_pytest/fixtures.py`, `FuncFixtureInfo.names_closure`; what is asked for at run time
    (`request.getfixturevalue`) is not among them.
    """
    info: Any = getattr(item, "_fixtureinfo", None)
    return () if info is None else info.names_closure


def drop_logging(config: pytest.Config) -> None:
    """Drop the plugin that visits every library's loggers in each phase of each test.

    `_pytest/logging.py` registers it as "logging-plugin". Were the name another, it would stay: a
    test would take some milliseconds longer.
    """
    if config.pluginmanager.has_plugin("logging-plugin"):
        config.pluginmanager.unregister(name="logging-plugin")
