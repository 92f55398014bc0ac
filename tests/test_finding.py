"""A module's tests are found by its name, or through the modules that it is a part of."""

from __future__ import annotations

import pytest

from tests.finding import ROOT, find_tests, modules, selected


@pytest.mark.parametrize("module", modules())
def test_every_module_has_tests_that_are_found(module: str) -> None:
    found = find_tests(module)
    assert found and (len(found) <= 30 or module == "grader.errors")


@pytest.mark.parametrize(
    ("module", "tests"),
    [
        ("grader.gradebook.store", ["tests/gradebook/test_store.py"]),
        ("grader.cli.import_", ["tests/cli/test_import.py"]),
        ("grader.report.charts", ["tests/report/test_item_analysis.py"]),
        ("grader.box.jail", ["tests/sandbox/test_contract.py"]),
        ("grader.box.trace", ["tests/box/test_trace.py", "tests/sandbox/test_contract.py"]),
        ("grader.course.secret", ["tests/course/test_secret.py"]),
    ],
)
def test_the_nearest_are_taken(module: str, tests: list[str]) -> None:
    found = [test.relative_to(ROOT).as_posix() for test in find_tests(module)]
    assert set(tests) <= set(found)
    assert len(found) < 12


def test_tests_stay_what_they_are_and_a_module_becomes_its_tests(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    words = ["tests/report", "grader/gradebook/store.py", "tests/wire/test_frames.py::test_x"]
    assert selected(words) == [words[0], "tests/gradebook/test_store.py", words[2]]
