"""The command's edge: exit codes, streams, and what is said when something goes wrong."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path

import pytest

from grader.course.directory import Assignment
from tests.cli.conftest import ROOT, Grader, in_process_of_its_own, on_a_terminal
from tests.cli.marking import course

__all__ = ["course"]

HEAVY = (
    "torch",
    "nbconvert",
    "sqlalchemy",
    "docker",
    "numpy",
    "IPython",
    "rich",
    "matplotlib",
    "pandas",
)


RECORD = ("answers", "exporting", "feedback", "grading", "marking", "pages", "publishing", "roster")
"""What the commands are made of that read the record or write pages."""
RARE = (
    *("alembic", "jupytext", "nbformat", "openpyxl", "xlsxwriter", "bs4", "distributed"),
    "starlette",
)
PAGES = ("mistune", "pygments", "PIL", "xml.etree.ElementTree")
"""What only Markdown, code or a picture on a page needs."""
DESK = ("grader.gradebook.desk_tables", "grader.gradebook.marking_tables")


def test_what_reads_the_record_loads_the_database_and_nothing_else_that_is_slow() -> None:
    heavy = {*HEAVY, *RARE, *DESK, "pygments", "PIL"}
    script = (
        "import sys, grader.api.totals, grader.report.markdown_renderer\n"
        f"import {', '.join(f'grader.api.{name}' for name in RECORD)}\n"
        f"print(sorted(m for m in {heavy} if m in sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "['sqlalchemy']\n", done.stderr


LOADED = (
    (["--help"], ()),
    (["--version"], ()),
    (["list"], ()),
    (["grade", "--help"], ()),
    (["inbox", "make", "inbox"], ()),
    (["collect", "warm-up", "."], ("rich",)),
    (["release", "warm-up"], ("rich",)),
    (["gradebook", "upgrade"], ("rich", "sqlalchemy")),
)
OF_THE_RECORD = (
    ["extend", "ada", "h1", "2024-11-20", "--why", "ill"],
    ["mark", "ada", "quiz", "--points", "3"],
    ["show-marks"],
    ["history"],
    ["export", "csv"],
    ["totals"],
    ["report", "warm-up"],
    ["publish"],
    ["feedback", "folder", "warm-up"],
)


@pytest.mark.parametrize(("arguments", "loaded"), LOADED, ids=lambda part: " ".join(part))
def test_a_command_that_runs_no_notebook_loads_no_more_than(
    warm_up: Assignment, arguments: list[str], loaded: tuple[str, ...]
) -> None:
    assert what_loads(arguments, HEAVY) <= set(loaded)


@pytest.mark.parametrize("arguments", OF_THE_RECORD, ids=lambda part: part[0])
def test_a_command_on_a_record_whose_pages_are_there_loads_what_opens_it_and_no_more(
    course: Path, grader: Grader, arguments: list[str]
) -> None:
    assert grader("report", "warm-up").code == 0
    unused = {*HEAVY, *RARE, *PAGES, *DESK} - {"rich", "sqlalchemy"}
    assert what_loads(arguments, unused) == set()


def what_loads(arguments: list[str], names: Collection[str]) -> set[str]:
    """Which of these modules a command has loaded by its end."""
    script = (
        "import sys\n"
        "from grader.cli import main\n"
        "try: main()\n"
        "except SystemExit as end: code = end.code\n"
        f"print(code, *(m for m in {sorted(names)} if m in sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script, *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    code, *loaded = done.stderr.splitlines()[-1].split()
    assert code == "0", done.stderr
    return set(loaded)


def test_help_lists_every_verb(grader: Grader) -> None:
    done = grader("--help")
    assert done.code == 0
    for verb in ("init", "release", "check", "submit", "collect", "grade", "validate", "doctor"):
        assert f"\n  {verb} " in done.out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["grad"], "No such command 'grad'"),
        (["grade"], "Missing argument 'ASSIGNMENT'"),
        (["grade", "warm-up", "--slot", "2"], "--slots"),
        (["grade", "warm-up", "--slots", "0"], "1<=x<=256"),
        (["grade", "warm-up", "--sandbox", "vm"], "'docker', 'local', 'unsafe'"),
        (["grade", "warm-up", "--isolation", "cold"], "'warm', 'single-use'"),
        (["submit", "hw.ipynb"], "--to"),
        (["receipt", "fetch", "x.json"], "--inbox"),
        (["collect", "warm-up"], "SOURCES"),
    ],
)
def test_a_wrong_call_is_exit_code_2_and_says_what_is_right(
    warm_up: Assignment, grader: Grader, arguments: list[str], said: str
) -> None:
    done = grader(*arguments)
    assert done.code == 2
    assert said in done.err
    assert done.out == ""


@pytest.mark.parametrize("command", ["list", "release", "grade", "report", "validate", "collect"])
def test_outside_a_course_each_command_says_how_to_make_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grader: Grader, command: str
) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = {"list": [], "collect": ["warm-up", "x.zip"]}.get(command, ["warm-up"])
    done = grader(command, *arguments)
    assert done.code == 2
    assert done.err.startswith(f"Error: {tmp_path}: no course directory here or above")
    assert "grader init DIR" in done.err
    assert done.out == ""


@pytest.mark.parametrize("command", ["release", "grade", "report", "validate", "collect"])
def test_a_name_that_is_misspelt_is_answered_with_the_right_one(
    warm_up: Assignment, grader: Grader, command: str
) -> None:
    if command == "validate":
        done = grader(command, "warmup")
        assert (done.code, done.err) == (1, "")
        assert "Did you mean warm-up?" in done.out
        return
    done = grader(command, "warmup", *(["x.zip"] if command == "collect" else []))
    assert done.code == 2
    assert "no assignment 'warmup'" in done.err
    assert "Did you mean warm-up?" in done.err


def test_a_course_elsewhere_is_named_with_an_option(
    warm_up: Assignment, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, grader: Grader
) -> None:
    monkeypatch.chdir(tmp_path)
    done = grader("list", "--course", warm_up.course_root)
    assert done.code == 0
    assert "warm-up" in done.out


def test_a_fault_of_ours_is_a_sentence_and_not_a_traceback(
    warm_up: Assignment, monkeypatch: pytest.MonkeyPatch, grader: Grader
) -> None:
    def fail(*_: object) -> None:
        raise LookupError("something\nthat nobody thought of")

    monkeypatch.setattr("grader.api.find_course", fail, raising=False)
    done = grader("list")
    assert done.code == 1
    assert "LookupError: something that nobody thought of" in done.err
    assert "GRADER_TRACEBACK=1" in done.err
    assert "Traceback" not in done.err
    monkeypatch.setenv("GRADER_TRACEBACK", "1")
    done = grader("list")
    assert done.code == 1
    assert "Traceback" in done.err
    assert "LookupError: something" in done.err


def test_a_file_system_that_refuses_is_named(
    warm_up: Assignment, tmp_path: Path, grader: Grader
) -> None:
    (tmp_path / "occupied").write_text("a file where a folder is wanted")
    done = grader("release", "warm-up", "--out", tmp_path / "occupied" / "out")
    assert done.code == 1
    assert str(tmp_path / "occupied") in done.err
    assert "Traceback" not in done.err


def test_ctrl_c_is_exit_code_130_and_says_that_marks_are_kept(
    warm_up: Assignment, monkeypatch: pytest.MonkeyPatch, grader: Grader
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("grader.api.find_course", interrupt, raising=False)
    done = grader("list")
    assert done.code == 130
    assert "What was graded is kept" in done.err


def test_a_reader_that_has_seen_enough_gets_no_traceback(warm_up: Assignment) -> None:
    done = subprocess.run(
        f"{sys.executable} -c 'from grader.cli import main; main()' --help | true",
        shell=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colour_is_for_terminals_without_no_color(
    warm_up: Assignment, tmp_path: Path, no_color: str, coloured: bool
) -> None:
    (tmp_path / "s").mkdir()
    (tmp_path / "s" / "ada.ipynb").write_text("{}")
    (tmp_path / "s" / "pipe.ipynb").symlink_to("/etc/hostname")
    arguments = ["collect", "warm-up", str(tmp_path / "s")]
    assert "\x1b[" not in in_process_of_its_own(*arguments, cwd=warm_up.course_root).err
    said = on_a_terminal(arguments, warm_up.course_root, NO_COLOR=no_color)
    assert "leads out of the folder" in said
    assert ("\x1b[" in said) is coloured
