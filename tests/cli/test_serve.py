"""`grader serve`: it says where it is, lets the instructor in, and ends when it is told to."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import httpx2 as httpx
import pytest

from tests.helpers.assignments import make_assignment


@pytest.fixture
def course(tmp_path: Path) -> Path:
    make_assignment(tmp_path / "course", "warm-up")
    (tmp_path / "course" / "roster.csv").write_text("id,name\nada,Ada\n")
    return tmp_path / "course"


def serve(course: Path, *more: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [
            sys.executable,
            "-c",
            "from grader.cli import main; main()",
            "serve",
            "--instructor",
            "ines",
            *more,
        ],
        cwd=course,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )


def test_one_command_serves_a_course_and_lets_its_instructor_in(course: Path) -> None:
    with serve(course, "--port", "0", "--no-engine") as desk:
        assert desk.stdout is not None
        said = desk.stdout.readline() + desk.stdout.readline()
        found = re.search(r"Sign in as ines: ((http://127\.0\.0\.1:\d+)/s/\S+)", said)
        assert found, said
        link, origin = found.groups()
        with httpx.Client(follow_redirects=True) as browser:
            assert browser.get(f"{origin}/healthz/ready").text == "ok\n"
            browser.post(link, headers={"sec-fetch-site": "same-origin"})
            page = browser.get(f"{origin}/c/course/people").text
        assert "Ada" in page and "instructor" in page
        desk.send_signal(signal.SIGINT)
        assert desk.wait(60) in (0, 130)


def test_a_port_that_is_taken_is_said_in_a_sentence(course: Path) -> None:
    with serve(course, "--port", "0", "--no-engine") as desk:
        assert desk.stdout is not None
        port = re.search(r":(\d+)", desk.stdout.readline())
        assert port
        second = serve(course, "--port", port[1], "--no-engine")
        out, _ = second.communicate(timeout=120)
        assert second.returncode == 2
        assert "can't be used" in out and "--port" in out
        desk.terminate()
