"""The plugin in a plain pytest run: nothing without a notebook, the judge's rules with one."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]

SPEC = """
title = "Tiny"
points = 4
[resources]
notebook_s = 60
cell_s = 20
call_s = 3
[[questions]]
id = "q1"
title = "Double"
points = 3
[[questions]]
id = "q2"
title = "Loop"
points = 1
"""

SUITE = """
import pytest, torch
from torch.testing import assert_close
from grader.suite.hints import hint
from beside import ANSWER

@pytest.mark.points(1)
@pytest.mark.needs("test_double")
def test_later(student): assert student.answer == ANSWER

@pytest.mark.points(1)
def test_double(student, reference):
    hint("Twice, not thrice.")
    x = torch.randn(2, 3)
    assert_close(student.double(x), reference.double(x))

def grad_of(f, x):
    x = x.clone().requires_grad_()
    f(x).sum().backward()
    return x.grad

@pytest.mark.points(1)
def test_grad(student):
    assert_close(student.run(grad_of, student.double, torch.ones(3)), 2 * torch.ones(3))

@pytest.mark.points(1)
@pytest.mark.question("q2")
def test_loop(student, notebook):
    assert "7" in notebook.cell("print").text
    student.loop()
"""

RIGHT = "def double(x):\n    return x + x\nanswer = 42\ndef loop(): return 1"
WRONG = """def double(x):
    if x.requires_grad:
        raise ValueError("no gradients")
    return 3 * x
answer = 42
def loop():
    while True: pass
"""


def pytest_run(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    plugins = ("-p", "grader.suite.plugin", "-p", "no:cacheprovider")
    return subprocess.run(
        [sys.executable, "-m", "pytest", *plugins, *arguments],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
    )


@pytest.fixture
def course(tmp_path: Path) -> Path:
    folder = tmp_path / "assignments" / "tiny"
    (folder / "hidden").mkdir(parents=True)
    (folder / "assignment.toml").write_text(SPEC)
    (folder / "hidden" / "test_q1.py").write_text(SUITE)
    (folder / "hidden" / "beside.py").write_text("ANSWER = 42\n")
    (tmp_path / "reference").mkdir()
    (tmp_path / "reference" / "tiny.py").write_text("def double(x):\n    return 2 * x\n")
    return tmp_path


def judge(course: Path, source: str, *, sandbox: str) -> subprocess.CompletedProcess[str]:
    notebook = nbformat.v4.new_notebook()
    printing = nbformat.v4.new_code_cell("print(3 + 4)")
    printing.metadata["tags"] = ["print"]
    notebook.cells = [nbformat.v4.new_code_cell(source), printing]
    nbformat.write(notebook, course / "hw.ipynb")
    # The project's own import mode, in which pytest puts no folder on the path.
    options = ("--notebook", "hw.ipynb", "--sandbox", sandbox, "-q", "--import-mode=importlib")
    return pytest_run("assignments/tiny/hidden", *options, cwd=course)


def files_below(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if "__pycache__" not in path.parts}


@pytest.mark.parametrize(
    "sandbox",
    [
        pytest.param("unsafe", marks=pytest.mark.slow),
        pytest.param("local", marks=pytest.mark.local_box),
    ],
)
def test_right_notebook_gets_every_mark_and_nothing_is_left_beside_it(
    course: Path, sandbox: str
) -> None:
    before = files_below(course)
    done = judge(course, RIGHT, sandbox=sandbox)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "q1           3 of 3 points, 3 of 3 tests passed" in done.stdout
    assert "all          4 of 4 points, 4 of 4 tests passed" in done.stdout
    assert "suite:" not in done.stdout
    assert files_below(course) - before == {course / "hw.ipynb"}


def test_wrong_notebook_is_judged_by_the_same_rules(course: Path) -> None:
    done = judge(course, WRONG, sandbox="unsafe")
    assert done.returncode == 1
    assert "all          0 of 4 points, 0 of 4 tests passed" in done.stdout
    assert "hint: Twice, not thrice." in done.stdout
    assert "1 skipped" in done.stdout
    assert "ran out of time" in done.stdout
    assert "Your code raised ValueError: no gradients" in done.stdout
    assert "cell 1, line 3, in double" in done.stdout


def test_notebook_that_is_not_there_is_said_in_one_sentence(course: Path) -> None:
    done = pytest_run("assignments/tiny/hidden", "--notebook", "no.ipynb", cwd=course)
    assert done.returncode == 2
    assert "there is no such notebook" in done.stdout + done.stderr
    assert "Traceback" not in done.stdout + done.stderr


def test_suite_without_a_notebook_says_what_is_missing(course: Path) -> None:
    done = pytest_run("assignments/tiny/hidden", "-k", "grad", cwd=course)
    assert "--notebook hw.ipynb" in done.stdout


def test_plugin_does_nothing_and_loads_nothing_in_other_projects(tmp_path: Path) -> None:
    (tmp_path / "test_other.py").write_text(
        textwrap.dedent(
            """
            import sys, pytest
            @pytest.fixture
            def student(): return "ours"
            def test_own_fixture_wins(student): assert student == "ours"
            def test_nothing_heavy_is_loaded():
                ours = {name for name in sys.modules if name.startswith("grader")}
                assert ours == {"grader", "grader.suite", "grader.suite.plugin",
                                "grader.suite.binding", "grader.suite.current_run"}
                assert "torch" not in sys.modules and "msgspec" not in sys.modules
            """
        )
    )
    done = pytest_run(cwd=tmp_path)
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout


def test_marks_are_documented(tmp_path: Path) -> None:
    done = pytest_run("--markers", cwd=tmp_path)
    for name in ("points(n)", "question(id)", "shows(when)", "trials(n, need=k)", "needs(*tests)"):
        assert f"@pytest.mark.{name}" in done.stdout
