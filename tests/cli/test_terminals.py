"""Every command on a terminal, in a course where everything is called what a terminal obeys.

The list of commands is made from the command itself: one that is added and not tried here fails.
"""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import shutil
import sys
import unicodedata
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import click
import msgspec
import pytest

from docs.make_cli_reference import commands
from grader.cli import main
from grader.release.notebooks import notebook_bytes, solution_notebook
from tests.cli.conftest import write_class
from tests.cli.marking import COURSE, record, verdict
from tests.helpers.assignments import make_assignment

# A window's title, a colour that nobody here writes, the cursor, C1, the reading direction, rich's
# markup, and a line of one's own.
ARGUMENT = "Eve\x1b]0;title\x07\x1b[45;5m\x1b[2J\x9b3;3H\x85\u202egnp\u2066[red]X[/red]\r\x08"
NAME = f"{ARGUMENT}\nFORGED ada 100 of 100"
FILE = os.fsdecode(NAME.encode().replace(b"/", b"|") + b"\xe9")
"""With a byte that is no UTF-8, as unpacked archives leave it."""
PLACE = FILE.partition("\n")[0] + FILE[-1]
"""What an instructor names; a line of its own is theirs to forge."""
RENAMED = """
[[components.items]]
id = "quiz-1"
title = "The quiz, as it is called now"
points = 20
"""

_OURS = re.compile(r"\x1b\[(?:[\d;]*m|2K|\d*A|\?25[lh])")
_HEAVY = {
    *("grader check", "grader grade", "grader validate", "grader audit"),
    *("grader doctor", "grader import otter"),
}


class World:
    """A course directory, and what its commands are called with."""

    def __init__(self, root: Path) -> None:
        self.assignment = make_assignment(root / "course")
        self.course = self.assignment.course_root
        self.out = root / "out"
        self.notebook = root / FILE
        self.notebook.write_bytes(notebook_bytes(solution_notebook(self.assignment)))
        (self.course / "course.toml").write_text(COURSE + RENAMED)
        self.people = root / f"{PLACE}.csv"
        self.people.write_bytes(
            b"Identifier,Full name,ID number,Email address,Status,Grade,Last modified (grade)\n"
            + _row("Participant 1", NAME, "17", f"{ARGUMENT}@x", "-", "", "-")
            + _row("Participant 2", f"Ada {ARGUMENT}", "", "", "-", "", "-")
        )
        (self.course / "roster.csv").write_bytes(
            b"id,name,email,section,login,number,canvas\n"
            + _row("ada", f"Ada {ARGUMENT}", ARGUMENT, ARGUMENT, "", "", "")
            + _row("eve", NAME, f"{ARGUMENT}@x", ARGUMENT, "", "", "")
        )
        (self.course / "matches.csv").write_bytes(
            b"system,key,name,email,perhaps,why,student\n"
            + _row("moodle", ARGUMENT, NAME, ARGUMENT, ARGUMENT, ARGUMENT, "")
        )
        odd = msgspec.structs.replace(
            verdict("ada", ARGUMENT, attempt=1), notes=(NAME,), reason=NAME, max_points=Decimal(8)
        )
        record(self.course, odd, verdict("eve", ARGUMENT))
        self.source = root / "source"
        write_class(self.assignment, self.source)
        (self.source / f"{FILE}.ipynb").write_bytes(self.notebook.read_bytes())
        (self.source / f"x{FILE}.ipynb").symlink_to("/etc/hostname")
        self.marks = root / f"{PLACE}.marks.csv"
        self.marks.write_bytes(b"student,h1,note\n" + _row(NAME, "5", ARGUMENT))
        self.quiz = root / f"{PLACE}.quiz.csv"
        self.quiz.write_bytes(b"student,quiz,note\n" + _row("eve", "5", ARGUMENT))
        self.inbox = root / PLACE.replace("Eve", "Inbox")


def _row(*cells: str) -> bytes:
    out = io.StringIO(newline="")
    csv.writer(out).writerow(cells)
    return out.getvalue().encode("utf-8", "surrogateescape")


Calls = Callable[[World], list[list[object]]]
_SUBMIT: Callable[[World], list[object]] = lambda w: [  # noqa: E731
    "submit", w.notebook, "--to", w.inbox, "--student", NAME, "--receipt", w.out / "r.json",
]  # fmt: skip
_MADE: Callable[[World], list[object]] = lambda w: ["inbox", "make", w.inbox, "--private"]  # noqa: E731

CALLS: dict[str, Calls] = {
    "grader init": lambda w: [["init", w.out / PLACE]],
    "grader import nbgrader": lambda w: [["import", "nbgrader", w.notebook, "--name", "new"]],
    "grader import otter": lambda w: [["import", "otter", w.notebook, "--name", "new"]],
    "grader list": lambda w: [["list"], ["list", "--json"]],
    "grader release": lambda w: [["release", "warm-up", "--out", w.out / PLACE]],
    "grader check": lambda w: [["check", w.notebook, "--assignment", "warm-up"]],
    "grader inbox make": lambda w: [_MADE(w), ["inbox", "make", w.notebook]],
    "grader submit": lambda w: [_MADE(w), _SUBMIT(w), [*_SUBMIT(w), "--json"]],
    "grader receipt fetch": lambda w: [
        _MADE(w),
        _SUBMIT(w),
        ["receipt", "fetch", w.out / "r.json", "--inbox", w.inbox],
    ],
    "grader receipt verify": lambda w: [
        _MADE(w),
        _SUBMIT(w),
        ["receipt", "verify", w.out / "r.json", "--inbox", w.inbox],
        ["collect", "warm-up", w.inbox],
        ["receipt", "fetch", w.out / "r.json", "--inbox", w.inbox],
        ["receipt", "verify", w.out / "r.json"],
    ],
    "grader roster import": lambda w: [["roster", "import", w.people]],
    "grader roster match": lambda w: [["roster", "match"], ["roster", "match", "--json"]],
    "grader roster show": lambda w: [["roster", "show"], ["roster", "show", "--json"]],
    "grader collect": lambda w: [
        ["collect", "warm-up", w.source, "--out", w.out / PLACE],
        ["collect", "warm-up", w.source, "--out", w.out / "x", "--json"],
    ],
    "grader grade": lambda w: [
        ["grade", "warm-up", w.source, "--sandbox", "unsafe", "--out", w.out / PLACE]
    ],
    "grader report": lambda w: [["report", "warm-up"]],
    "grader similarity": lambda w: [["similarity", "warm-up", w.source]],
    "grader mark": lambda w: [
        ["mark", "eve", "report", "--set", "clarity=5", "--comment", f"clarity={ARGUMENT}"],
        ["mark", "eve", "report"],
    ],
    "grader mark-answers": lambda w: [["mark-answers", "warm-up"]],
    "grader excuse": lambda w: [["excuse", "eve", "h1", "--why", ARGUMENT]],
    "grader extend": lambda w: [["extend", "eve", "h1", "2030-01-01", "--why", ARGUMENT]],
    "grader history": lambda w: [
        ["excuse", "eve", "h1", "--why", NAME, "--by", ARGUMENT],
        ["history"],
        ["history", "--json"],
    ],
    "grader import-marks": lambda w: [["import-marks", w.marks]],
    "grader show-marks": lambda w: [["show-marks"], ["show-marks", "--json"]],
    "grader move-marks": lambda w: [
        ["import-marks", w.quiz],
        ["move-marks", "quiz", "quiz-1", "--why", NAME, "--by", ARGUMENT],
        ["history"],
    ],
    "grader totals": lambda w: [["totals"], ["totals", "--student", "eve"], ["totals", "--json"]],
    "grader export": lambda w: [["export", "moodle", "--into", w.people]],
    "grader feedback": lambda w: [
        ["report", "warm-up"],
        ["feedback", "moodle", "warm-up", "--into", w.people, "--out", w.out / f"{PLACE}.zip"],
        ["feedback", "moodle", "warm-up", "--into", w.people, "--json"],
    ],
    "grader gradescope-bundle": lambda w: [
        ["gradescope-bundle", "warm-up", "--out", w.out / PLACE]
    ],
    "grader publish": lambda w: [["publish", "--url", ARGUMENT, "--out", w.out / PLACE]],
    "grader gradebook upgrade": lambda w: [["gradebook", "upgrade"]],
    "grader serve": lambda w: [["serve", "--host", ARGUMENT]],  # else it would serve for ever
    "grader gradebook backup": lambda w: [["gradebook", "backup", w.notebook]],
    "grader validate": lambda w: [["validate", "warm-up", "--sandbox", "unsafe"]],
    "grader audit": lambda w: [["audit", "warm-up", "--sandbox", "unsafe", "--only", "room"]],
    "grader sandbox build": lambda w: [["sandbox", "build"]],
    "grader sandbox prune": lambda w: [["sandbox", "prune"]],
    "grader sandbox stop": lambda w: [["sandbox", "stop"]],
    "grader sandbox status": lambda w: [["sandbox", "status"]],
    "grader doctor": lambda w: [["doctor", "--sandbox", "docker"]],
}
COMMANDS = dict(commands())


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    monkeypatch.delenv("GRADER_DATABASE_URL", raising=False)
    made = World(tmp_path)
    made.out.mkdir()
    yield made
    shutil.rmtree(tmp_path, ignore_errors=True)


def test_every_command_is_tried() -> None:
    assert set(CALLS) == set(COMMANDS)


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=[pytest.mark.slow] * (n in _HEAVY)) for n in COMMANDS]
)
def test_no_command_lets_a_hostile_name_reach_the_terminal(name: str, world: World) -> None:
    shown = ""
    for arguments in CALLS[name](world):
        shown += checked(on_screen(arguments, world.course))
    assert shown.strip(), "nothing was printed, so nothing was tried"
    assert "a fault of grader itself" not in shown


@pytest.mark.parametrize("name", COMMANDS)
def test_no_wrong_call_or_help_lets_a_hostile_argument_reach_the_terminal(
    name: str, world: World
) -> None:
    verbs = name.split()[1:]
    needed = sum(isinstance(p, click.Argument) for p in COMMANDS[name].params) or 1
    for arguments in (
        [*verbs, *[ARGUMENT] * needed],
        [*verbs, *[PLACE] * needed],
        [*verbs, f"--{ARGUMENT}"],
        [*verbs, ARGUMENT, "--help"],
    ):
        shown = checked(on_screen(arguments, world.course))
        assert shown.strip()
        assert "a fault of grader itself" not in shown


def test_a_fault_and_its_traceback_are_printable_too(world: World) -> None:
    def fail() -> None:
        from grader.cli import _confess
        from grader.printable import printing_safely

        with printing_safely():
            try:
                raise LookupError(ARGUMENT)
            except LookupError as error:
                _confess(error)

    assert "Traceback" in checked(on_screen(fail, world.course, GRADER_TRACEBACK="1"))


def test_json_holds_the_names_as_they_are(world: World) -> None:
    said = checked(on_screen(["roster", "show", "--json"], world.course))
    found = json.loads(said[said.index("[") : said.rindex("]") + 1])
    assert found[0]["section"] == " ".join(ARGUMENT.split())


def checked(screen: bytes) -> str:
    """Return what stands on a terminal, after a look at what it was sent."""
    text = screen.decode()  # a half character would be an error
    for sent in ("\x1b]", "\x1b[45", "\x1b[2J", "\x9b"):
        assert sent not in text, text
    plain = _OURS.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    controls = {c for c in plain if unicodedata.category(c) in {"Cc", "Cs"} and c not in "\n\t"}
    assert not controls, plain
    assert not {c for c in plain if "\u202a" <= c <= "\u202e" or "\u2066" <= c <= "\u2069"}, plain
    assert not re.search(r"(?m)^FORGED", plain), plain
    return plain


def on_screen(call: list[object] | Callable[[], None], cwd: Path, **environment: str) -> bytes:
    """Call the command in a forked process with a terminal for its streams; what was sent to it."""
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            os.chdir(cwd)
            # No engine: what looks after the image must not look after this machine's.
            os.environ.update(
                {"TERM": "xterm", "DOCKER_HOST": f"unix:///{ARGUMENT}", **environment}
            )
            os.environ.pop("NO_COLOR", None)
            sys.stdin = os.fdopen(0)
            sys.stdout = os.fdopen(1, "w")
            sys.stderr = os.fdopen(2, "w", errors="backslashreplace")
            if callable(call):
                call()
            else:
                sys.argv = [
                    "grader",
                    *(os.fspath(a) if isinstance(a, Path) else str(a) for a in call),
                ]
                main()
        except SystemExit:
            pass
        except BaseException as error:  # noqa: BLE001 - a process of ours must end here
            os.write(2, f"a fault of grader itself: {type(error)}: {str(error)!a}".encode())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(0)
    said = b""
    os.write(terminal, b"\x04")  # whoever asks is answered: no more
    while True:
        try:
            chunk = os.read(terminal, 65_536)
        except OSError:  # Linux says so when the other side has closed
            break
        if not chunk:
            break
        said += chunk
    os.close(terminal)
    os.waitpid(pid, 0)
    return said
