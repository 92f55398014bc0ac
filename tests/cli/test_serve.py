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
from click.testing import CliRunner

import grader.desk.server
from grader.cli.serve import command
from grader.desk.server import Serving
from grader.errors import SpecError
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
        assert desk.wait(120) in (0, 130)


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


@pytest.fixture
def served(monkeypatch: pytest.MonkeyPatch) -> list[tuple[list[Path], Serving]]:
    """What the command would have served, and how."""
    found: list[tuple[list[Path], Serving]] = []
    monkeypatch.setattr(
        grader.desk.server, "serve", lambda roots, how, **_: found.append((list(roots), how))
    )
    return found


def test_desk_toml_says_which_courses_and_the_command_line_says_otherwise(
    tmp_path: Path, served: list[tuple[list[Path], Serving]], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("comp541", "ce7454"):
        make_assignment(tmp_path / name, "warm-up")
    config = tmp_path / "desk.toml"
    config.write_text('url = "https://desk.example.edu"\ncourses = ["comp541", "ce7454"]\n')
    one, other = tmp_path / "comp541", tmp_path / "ce7454"
    runs = (
        ["--config", str(config)],
        ["--config", str(config), "--url", "https://other.example.edu", str(other)],
    )
    for arguments in runs:
        done = CliRunner().invoke(command, arguments, catch_exceptions=False)
        assert done.exit_code == 0, done.output
    (first, how), (second, told) = served
    assert first == [one, other] and second == [other]
    assert (how.url, how.config) == ("https://desk.example.edu", config)
    assert told.url == "https://other.example.edu"
    own = one / "desk.toml"
    own.write_text("[mail]\nhost = 'localhost'\nsender = 'desk@example.edu'\n")
    monkeypatch.chdir(one)
    assert CliRunner().invoke(command, [], catch_exceptions=False).exit_code == 0
    ((found,), alone) = served[2]
    assert (found.resolve(), alone.config) == (one.resolve(), found / "desk.toml")


def test_a_desk_toml_that_is_wrong_starts_nothing(
    course: Path, served: list[tuple[list[Path], Serving]]
) -> None:
    (course / "desk.toml").write_text("[mail]\nhots = 'localhost'\n")
    done = CliRunner().invoke(command, [str(course)])
    assert isinstance(done.exception, SpecError) and "host" in str(done.exception)
    assert served == []


def test_several_web_processes_are_refused_where_they_could_not_count_together(
    course: Path,
) -> None:
    out, _ = (served := serve(course, "--port", "0", "--workers", "2")).communicate(timeout=120)
    assert served.returncode == 2
    assert "several web processes need PostgreSQL" in out
    out, _ = (served := serve(course, "--no-web", "--no-engine")).communicate(timeout=120)
    assert served.returncode == 2 and "nothing to run" in out
