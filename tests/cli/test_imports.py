"""What a command loads is what it does: the table of `benchmarks/commands.py`, tried out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.conftest import ROOT

sys.path.append(str(ROOT / "benchmarks"))
import commands

PERFORMANCE = (ROOT / "docs" / "performance.md").read_text()


def test_every_command_is_in_the_table_or_runs_notebooks() -> None:
    assert commands.left_out() == []


def test_the_documented_table_has_every_command() -> None:
    rows = {line.split("`")[1] for line in PERFORMANCE.splitlines() if line.startswith("| `")}
    assert {" ".join(arguments) for arguments in commands.COMMANDS} <= rows


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("commands") / "course"
    root.mkdir()
    commands.lay_out(root, 3)
    return root


@pytest.mark.slow
@pytest.mark.parametrize("arguments", commands.COMMANDS, ids=lambda part: " ".join(part)[:40])
def test_a_command_succeeds_and_loads_no_more_than_the_table_says(
    filled: Path, arguments: tuple[str, ...]
) -> None:
    cost = commands.measure(filled, arguments, 0)
    assert (cost.code, cost.said) == (0, "")
    assert set(cost.loaded) <= set(commands.COMMANDS[arguments])


def test_the_collector_looks_no_more_through_what_a_command_has_loaded_when_it_ends() -> None:
    script = (
        "import atexit, gc, sys\n"
        "atexit.register(lambda: print(gc.get_freeze_count() > 10_000))\n"
        "from grader.cli import main\n"
        "main()"
    )
    done = subprocess.run([sys.executable, "-c", script, "list"], capture_output=True, text=True)
    assert done.stdout.endswith("True\n")
