"""The tutorial works: its files are written and its commands run, with the output that it shows."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.pages import ROOT, Block, blocks

TUTORIAL = ROOT / "docs" / "tutorial.md"
pytestmark = [pytest.mark.local_box, pytest.mark.slow, pytest.mark.timeout(900)]


class Reader:
    """Somebody who does what the tutorial says, in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.course = folder / "first-course"
        own = {k: v for k, v in os.environ.items() if not k.startswith("GRADER_")}
        binaries = Path(sys.executable).parent
        self.environment = own | {
            "PATH": f"{binaries}{os.pathsep}{own['PATH']}",
            "COLUMNS": "100",
            "OMP_NUM_THREADS": "1",
        }

    def write(self, block: Block) -> None:
        path = self.course / block.note.removeprefix("file: ")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(block.text, encoding="utf-8")

    def follow(self, block: Block) -> None:
        for command, shown in commands(block):
            if command.startswith("cd "):
                self.folder = (self.folder / command[3:]).resolve(strict=True)
                continue
            done = subprocess.run(
                command,
                shell=True,
                cwd=self.folder,
                env=self.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=600,
            )
            where = f"{block.page.name}:{block.line}: {command}\n{done.stdout}"
            assert done.returncode == 0, where
            assert_shown(shown, done.stdout, where)


def commands(block: Block) -> list[tuple[str, list[str]]]:
    """Split a console block into commands and the lines that it shows after each."""
    found: list[tuple[str, list[str]]] = []
    for line in block.text.splitlines():
        if line.startswith("$ "):
            found.append((line[2:], []))
        elif line.strip():
            found[-1][1].append(line)
    return found


def assert_shown(shown: list[str], output: str, where: str) -> None:
    """Every line shown is in the output; `…` stands for anything. Streams may interleave."""
    lines = [" ".join(line.split()) for line in output.splitlines()]
    for line in shown:
        parts = [re.escape(" ".join(part.split())) for part in line.split("…")]
        pattern = re.compile(r"\s*" + r".*".join(parts) + r".*")
        assert any(pattern.fullmatch(found) for found in lines), f"{line!r} is not in\n{where}"


def test_a_reader_who_follows_the_tutorial_sees_what_it_shows(tmp_path: Path) -> None:
    reader = Reader(tmp_path)
    done = 0
    for block in blocks(TUTORIAL):
        if block.note.startswith("file: "):
            reader.write(block)
        elif block.note == "run":
            reader.follow(block)
        else:
            pytest.fail(f"{TUTORIAL.name}:{block.line}: the block is neither written nor run")
        done += 1
    assert done > 10
    page = (reader.course / "graded/warm-up/students/ben.html").read_text(encoding="utf-8")
    assert "Which axis does the sum run over?" in page


def test_a_line_that_the_output_lacks_is_noticed() -> None:
    assert_shown(["a … c"], "a b   c d\n", "")
    with pytest.raises(AssertionError):
        assert_shown(["a … x"], "a b c\n", "")
