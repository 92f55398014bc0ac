"""The pytest plugin: marks, fixtures, and `pytest assignments/x/hidden --notebook hw.ipynb`.

Installed with the package, so pytest loads it in every project: it imports nothing of ours until
a notebook is given, and does nothing then either.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from grader.suite.binding import BINDING, SubmissionBinding
from grader.suite.current_run import RUN

if TYPE_CHECKING:
    from types import ModuleType

    from grader.suite.executed_notebook import ExecutedNotebook
    from grader.suite.student import Student

MARKS = (
    "points(n): what the test gives; parametrized cases share it equally",
    'question(id): the question of the spec that the test belongs to, such as "q2"',
    'shows(when): when the student may see the result: "always", "after_due" or "never"',
    "shows_details: the student may see the assertion's text and values",
    "trials(n, need=k): run with up to n seeds, pass when k of them pass",
    "with_right(*functions): the reference answers for these, in place of the student's own",
    "needs(*tests): not run when a test that it needs did not pass",
)


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("grader", "grader: run an assignment's suite on one notebook")
    group.addoption("--notebook", metavar="FILE", help="The notebook that the suite judges.")
    group.addoption(
        "--sandbox",
        default="auto",
        choices=("auto", "docker", "local", "unsafe"),
        help="Where the notebook runs.",
    )


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """A suite imports what lies beside it, as under the judge, whatever the import mode."""
    options = early_config.known_args_namespace
    if not options.notebook:
        return
    for given in options.file_or_dir:
        path = Path(given.split("::")[0]).resolve()
        folder = str(path if path.is_dir() else path.parent)
        if folder not in sys.path:
            sys.path.append(folder)


def pytest_configure(config: pytest.Config) -> None:
    for mark in MARKS:
        config.addinivalue_line("markers", mark)
    if config.getoption("notebook"):
        from grader.suite.standalone import PlainRun

        config.pluginmanager.register(PlainRun(config), "grader-plain-run")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_protocol(item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    run = item.config.stash.get(RUN, None)
    if run is None or item.config.pluginmanager.has_plugin("grader-plain-run"):
        return None
    run.perform(item, nextitem)
    return True


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> None:
    run = item.config.stash.get(RUN, None)
    if run is not None:
        run.note_exception(call)


def _binding(request: pytest.FixtureRequest) -> SubmissionBinding:
    binding = request.config.stash.get(BINDING, None)
    if binding is None:
        raise pytest.UsageError("this suite judges a notebook: pytest SUITE --notebook hw.ipynb")
    return binding


# The fixtures live as long as the session: what they show is the same for every test of a
# submission, and Hypothesis refuses fixtures that are made anew for each test.


@pytest.fixture(scope="session")
def student(request: pytest.FixtureRequest) -> Student:
    """The live namespace of the notebook that was run; see `grader.suite.student`."""
    return _binding(request).student


@pytest.fixture(scope="session")
def notebook(request: pytest.FixtureRequest) -> ExecutedNotebook:
    """The executed notebook; see `grader.suite.executed_notebook`."""
    return _binding(request).notebook


@pytest.fixture(scope="session")
def reference(request: pytest.FixtureRequest) -> ModuleType:
    """The reference solution, imported on the judge's side."""
    module = _binding(request).reference
    if module is None:
        raise pytest.UsageError("a public suite has no reference solution")
    return module
