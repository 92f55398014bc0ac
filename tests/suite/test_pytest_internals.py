"""What pytest does not promise and the judge takes of it: fails first when pytest changes."""

from __future__ import annotations

import gc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from grader.suite.pytest_internals import (
    drop_logging,
    fixture_definitions,
    fixture_names,
    fresh_request,
    run_phase,
    tear_down,
)
from grader.suite.results import TestOutcome
from tests.suite.workbench import Workbench

SUITE = """
import pytest

made = []

@pytest.fixture(scope="module")
def wide():
    yield "wide"
    made.append("wide is gone")

@pytest.fixture
def inner():
    return "of the file"

@pytest.fixture
def value(inner, wide):
    made.append("value")
    return object()

class TestNearer:
    @pytest.fixture
    def inner(self, inner):
        return "of the class"

    def test_of_a_class(self, value):
        assert value is not None

def test_that_fails(value):
    raise ZeroDivisionError("of a test")
"""


class Held:
    """An inner session that stops where pytest would run its tests."""

    def __init__(self, look: Callable[[pytest.Session], None]) -> None:
        self._look = look
        self.raised: list[str] = []
        self.trouble: BaseException | None = None
        self.looked = False

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        try:
            self._look(session)
        except BaseException as trouble:  # noqa: BLE001 - pytest would make an internal error of it
            self.trouble = trouble
        self.looked = True
        return True

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_makereport(self, call: pytest.CallInfo[Any]) -> None:
        if call.excinfo is not None:
            self.raised.append(f"{call.when}: {call.excinfo.value}")


def held(folder: Path, look: Callable[[pytest.Session], None]) -> Held:
    name = f"test_inner_{folder.name}"  # else the module of the test before would be found
    (folder / f"{name}.py").write_text(SUITE)
    plugin = Held(look)
    options = ["-q", "-p", "no:cacheprovider", "--import-mode=importlib", "-c", "/dev/null"]
    options += ["-p", "no:unraisableexception"]  # it looks for garbage five times, for seconds
    pytest.main([*options, "--rootdir", str(folder), str(folder)], plugins=[plugin])
    if plugin.trouble is not None:
        raise plugin.trouble
    assert plugin.looked
    return plugin


def by_name(session: pytest.Session) -> dict[str, Any]:
    return {item.name: item for item in session.items}


def test_a_phase_makes_its_report_by_the_hook_that_sees_what_was_raised(tmp_path: Path) -> None:
    said: list[str] = []

    def look(session: pytest.Session) -> None:
        item = by_name(session)["test_that_fails"]
        with fresh_request(item):
            said.append(run_phase(item, "setup").outcome)
            said.append(run_phase(item, "call").outcome)
            said.append(run_phase(item, "teardown", nextitem=None).outcome)

    assert held(tmp_path, look).raised == ["call: of a test"]
    assert said == ["passed", "failed", "passed"]


def test_a_test_that_is_run_again_has_fixtures_of_its_own(tmp_path: Path) -> None:
    values: list[object] = []

    def look(session: pytest.Session) -> None:
        item = by_name(session)["test_that_fails"]
        for _ in range(2):
            with fresh_request(item):
                run_phase(item, "setup")
                values.append(item.funcargs["value"])
                run_phase(item, "teardown", nextitem=None)
            assert item.funcargs is None

    held(tmp_path, look)
    assert len(values) == 2 and values[0] is not values[1]


def test_fixtures_of_a_wider_scope_end_when_they_are_torn_down_and_not_before(
    tmp_path: Path,
) -> None:
    def look(session: pytest.Session) -> None:
        item, next_item = by_name(session)["test_that_fails"], by_name(session)["test_of_a_class"]
        made = item.module.made
        with fresh_request(item):
            run_phase(item, "setup")
            run_phase(item, "teardown", nextitem=next_item)
        assert "wide is gone" not in made
        tear_down(item, None)
        assert made[-1] == "wide is gone"

    held(tmp_path, look)


def test_of_fixtures_with_one_name_the_nearest_is_the_last_and_says_what_it_uses(
    tmp_path: Path,
) -> None:
    def look(session: pytest.Session) -> None:
        item = by_name(session)["test_of_a_class"]
        definitions = fixture_definitions(item)
        assert {"value", "inner", "wide"} <= set(fixture_names(item))
        assert [d.argnames for d in definitions["inner"]] == [(), ("inner",)]
        assert [d.scope for d in definitions["wide"]] == ["module"]
        assert definitions["value"][0].argnames == ("inner", "wide")

    held(tmp_path, look)


def test_the_plugin_that_visits_loggers_is_known_by_its_name(tmp_path: Path) -> None:
    def look(session: pytest.Session) -> None:
        manager = session.config.pluginmanager
        assert manager.has_plugin("logging-plugin")
        drop_logging(session.config)
        assert not manager.has_plugin("logging-plugin")
        drop_logging(session.config)

    held(tmp_path, look)


def test_a_suite_ends_without_a_search_for_garbage(
    bench: Workbench, monkeypatch: pytest.MonkeyPatch
) -> None:
    collected: list[int] = []
    bench.suite("def test_a(student): assert student.x == 1\n")
    monkeypatch.setattr(gc, "collect", lambda *_: collected.append(1))
    assert bench.judge_one("x = 1").outcome is TestOutcome.PASSED
    assert collected == []
