"""What the desk's own processes print where a terminal may be."""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path

import pytest

from grader.desk.process_log import printable_log
from tests.cli.test_terminals import ARGUMENT, NAME, checked


def test_an_event_is_one_printable_line(capfd: pytest.CaptureFixture[str]) -> None:
    with printable_log(logging.WARNING):
        logging.getLogger("grader.desk").warning("the total of %s: %s", NAME, "no rule")
        logging.getLogger("grader.desk").info("not asked for")
        print(ARGUMENT)
    shown = capfd.readouterr()
    (line,) = checked(shown.err.encode()).splitlines()
    assert "grader.desk: the total of Eve\\x1b]0" in line and line.endswith(": no rule")
    assert "Eve\\x1b" in checked(shown.out.encode())
    assert not any(type(h.formatter).__name__ == "_LineFormatter" for h in logging.root.handlers)


@pytest.mark.parametrize("process", ["grader.desk.engine.main", "grader.desk.web"])
def test_a_process_that_can_not_go_on_says_so_printably(process: str, tmp_path: Path) -> None:
    options = ["--socket", "0", "--origin", "x", "--max-upload", "1", "--counts", "c"]
    command = [sys.executable, "-m", process, str(tmp_path / ARGUMENT)]
    command += options if process.endswith("web") else []
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 1
    shown = checked(done.stdout + done.stderr)
    assert "this process can't go on" in shown and "\\x1b" in shown
