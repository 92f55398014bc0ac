"""Batches in the local sandbox: what submissions, suites and workers may do to each other."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from decimal import Decimal
from pathlib import Path

import pytest

from grader.api import Progress, grade
from grader.errors import GraderError, InfrastructureError, SuiteError
from grader.gradebook.store import Gradebook
from grader.grading.job_queue import MAX_TRIES, JobQueue, QueuedJob
from grader.grading.verdict import Outcome, Verdict
from tests.faults.aftermath import descendants
from tests.grading.conftest import Classroom
from tests.helpers.assignments import HASTY_SPEC, HIDDEN

pytestmark = pytest.mark.local_box
HANGS = "import signal, time\nsignal.signal(14, signal.SIG_IGN)\nwhile True: time.sleep(1000)"


def run(classroom: Classroom, **options: object) -> dict[str, Verdict]:
    graded = grade(
        classroom.course,
        "warm-up",
        [classroom.submissions],
        **{"sandbox": "local", "isolation": "warm", **options},  # type: ignore[arg-type]
    )
    return {v.student: v for v in graded.verdicts}


def test_a_class_gets_its_marks_whatever_one_of_them_does(classroom: Classroom) -> None:
    classroom.change(spec=HASTY_SPEC)
    classroom.hand_in("right")
    classroom.hand_in("untouched", untouched=True)
    classroom.hand_in("exits", "import os\nprint('bye', flush=True)\nos._exit(0)")
    classroom.hand_in("hangs", HANGS)
    classroom.hand_in("raises", "1 / 0", "def (")
    classroom.hand_in("forges", "import sys\nprint('points 8 of 8')\nsys.exit(0)", untouched=True)
    (classroom.submissions / "truncated.ipynb").write_text('{"cells": [')
    found = run(classroom)

    marks = {name: v.points for name, v in found.items()}
    full, none = Decimal(8), Decimal(0)
    assert marks == {
        "right": full,
        "untouched": none,
        "exits": full,
        "hangs": full,
        "raises": full,
        "forges": none,
        "truncated": none,
    }
    assert found["truncated"].outcome is Outcome.INVALID_SUBMISSION
    assert "cut off" in found["truncated"].reason
    assert found["exits"].usage.restarts == 1
    assert any("cell 1 ended its own process" in n for n in found["exits"].notes)
    assert found["right"].answers.keys() == {"q3"}
    assert found["right"].manual_points == Decimal(2)

    with Gradebook(classroom.course.database_url) as book:
        executed = book.executed_notebook(found["exits"])
    assert executed is not None
    assert b"bye" in executed


@pytest.mark.slow
def test_an_unchanged_submission_is_not_run_again(classroom: Classroom) -> None:
    classroom.hand_in("ada")
    classroom.hand_in("bob", untouched=True)
    first = run(classroom)
    ran: list[str] = []
    again = run(classroom, progress=Progress(begun=ran.append))
    assert (ran, again) == ([], first)

    classroom.hand_in("bob")
    assert run(classroom, progress=Progress(begun=ran.append))["bob"].points == 8
    assert ran == ["bob"]

    classroom.change(hidden=HIDDEN.replace("tensor([3.0, 4.0])", "tensor([3.0, 5.0])"))
    ran.clear()
    assert run(classroom, progress=Progress(begun=ran.append))["ada"].points == 5
    assert sorted(ran) == ["ada", "bob"]


WITHOUT_POINTS = HIDDEN.replace("@pytest.mark.points(2)\n", "")
ELSEWHERE = HIDDEN.replace('question("q2")', 'question("q9")')


@pytest.mark.parametrize(
    ("hidden", "says"),
    [
        pytest.param("import nowhere\n", "nowhere", id="import"),
        pytest.param("def test_(:\n", "collected", id="syntax", marks=pytest.mark.slow),
        pytest.param("x = 1\n", "no tests", id="empty", marks=pytest.mark.slow),
        pytest.param(WITHOUT_POINTS, "points", id="no-points", marks=pytest.mark.slow),
        pytest.param(
            HIDDEN.replace("points(2)", "points(4)"), "7", id="sum", marks=pytest.mark.slow
        ),
        pytest.param(ELSEWHERE, "q9", id="question", marks=pytest.mark.slow),
    ],
)
def test_a_broken_suite_is_said_before_the_first_submission(
    classroom: Classroom, hidden: str, says: str
) -> None:
    classroom.hand_in("ada")
    classroom.change(hidden=hidden)
    begun: list[str] = []
    with pytest.raises(SuiteError) as error:
        run(classroom, progress=Progress(begun=begun.append))
    assert says in str(error.value)
    assert begun == []
    with Gradebook(classroom.course.database_url) as book:
        assert book.current("warm-up") == []


@pytest.mark.slow
def test_a_broken_reference_is_said_before_the_first_submission(classroom: Classroom) -> None:
    classroom.hand_in("ada")
    classroom.change(reference="# %%\nimport nowhere_at_all\n")
    with pytest.raises(SuiteError, match="nowhere_at_all"):
        run(classroom)


def test_a_test_that_ends_the_judges_child_costs_only_itself(classroom: Classroom) -> None:
    killer = HIDDEN + (
        '\n\n@pytest.mark.question("q2")\n@pytest.mark.points(1)\n'
        'def test_a_killer(student):\n    """Ends its process."""\n'
        "    import os\n    os._exit(3)\n"
    )
    classroom.change(
        hidden=killer.replace("points(3)\ndef test_column", "points(2)\ndef test_column")
    )
    classroom.hand_in("ada")
    verdict = run(classroom)["ada"]
    # It ends for the reference too: a fault of the suite, and no mark until that is mended.
    assert verdict.outcome is Outcome.SUITE_ERROR
    found = {t.name.rpartition("::")[2]: t for t in verdict.tests}
    assert str(found.pop("test_a_killer").outcome) == "suite_error"
    assert sum(t.points for t in found.values()) == Decimal(7)


@pytest.mark.parametrize(
    "when", [pytest.param("between calls", marks=pytest.mark.slow), "in a call"]
)
def test_a_check_whose_process_is_killed_costs_the_notebook_nothing(
    classroom: Classroom, when: str
) -> None:
    ends = "os.kill(os.getpid(), 9)"
    if when == "in a call":
        ends = "threading.Timer(0.3, os.kill, (os.getpid(), 9)).start(); student.doze(20)"
    killer = (
        "import os, threading\n\n"
        '@pytest.mark.question("q1")\n@pytest.mark.points(0)\n'
        'def test_a_killer(student):\n    """Ends its process."""\n'
        f"    assert student.live == 1\n    {ends}\n\n\n"
    )
    first = HIDDEN.index("@pytest.mark")
    classroom.change(hidden=HIDDEN[:first] + killer + HIDDEN[first:])
    classroom.hand_in("ada", "import time\nlive = 1\ndef doze(seconds): time.sleep(seconds)")
    verdict = run(classroom)["ada"]
    found = {t.name.rpartition("::")[2]: t for t in verdict.tests}
    assert str(found.pop("test_a_killer").outcome) == "suite_error"
    assert sum(t.points for t in found.values()) == Decimal(8)
    # A notebook is run again only where the stream to it was lost with the process.
    assert verdict.usage is not None
    assert verdict.usage.restarts == (1 if when == "in a call" else 0)


def test_a_batch_leaves_torch_to_the_judge_and_the_box(classroom: Classroom) -> None:
    classroom.hand_in("ada")
    program = (
        "import sys\nfrom grader.api import find_course, grade\n"
        "graded = grade(find_course(sys.argv[1]), 'warm-up', [sys.argv[2]], sandbox='local')\n"
        "print(graded.verdicts[0].points, 'torch' in sys.modules)\n"
    )
    arguments = [sys.executable, "-c", program, str(classroom.root), str(classroom.submissions)]
    done = subprocess.run(arguments, capture_output=True, text=True)
    assert done.stdout == "8.00 False\n", done.stderr


@pytest.mark.slow
@pytest.mark.parametrize("when", ["at work", "before it is given more", "given more"])
def test_a_worker_that_dies_loses_nothing(
    classroom: Classroom, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("ada", "bob", "cyd"):
        classroom.hand_in(name)
    killed: list[int] = []

    def kill_once(_: object) -> None:
        if not killed:
            killed.extend(_workers())
            for pid in killed:
                os.kill(pid, signal.SIGKILL)
            while set(killed) & set(descendants()):
                time.sleep(0.01)

    def dispatch(waiting: JobQueue) -> tuple[QueuedJob, bytes] | None:
        if len(waiting) == 2:  # one is judged
            kill_once(waiting)
        return given(waiting)

    given = JobQueue.dispatch
    told = {"at work": Progress(begun=kill_once), "given more": Progress(judged=kill_once)}
    if when not in told:
        monkeypatch.setattr(JobQueue, "dispatch", dispatch)
    found = run(classroom, slots=1, progress=told.get(when))
    assert killed
    assert {v.points for v in found.values()} == {Decimal(8)}


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGSTOP, signal.SIGKILL])
def test_a_batch_goes_on_with_the_slots_that_are_there(
    classroom: Classroom, number: signal.Signals
) -> None:
    for name in ("ada", "bob", "cyd"):
        classroom.hand_in(name)
    hit: list[int] = []
    warnings: list[str] = []

    def hit_one() -> None:
        while not hit:
            starting = [pid for pid in descendants() if _is_enclosure(pid)]
            if len(starting) >= 2:
                hit.append(starting[0])
                os.killpg(os.getpgid(starting[0]), number)
            time.sleep(0.01)

    thread = threading.Thread(target=hit_one)
    progress = Progress(planned=lambda *_: thread.start(), warned=warnings.append)
    found = run(classroom, slots=2, progress=progress)
    thread.join()
    assert {v.points for v in found.values()} == {Decimal(8)}
    assert not set(hit) & set(descendants())
    if number is signal.SIGKILL:
        told = "one slot failed, it goes on with 1: the sandbox did not start"
        assert [w for w in warnings if w.startswith(told)], warnings


def _is_enclosure(pid: int) -> bool:
    try:
        return b"grader.box.enclosure" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


def test_pages_are_written_and_each_cell_is_named_while_others_run(classroom: Classroom) -> None:
    for name in ("ada", "bob", "cyd"):
        classroom.hand_in(name, "1 + 1")
    folder = classroom.root / "graded" / "warm-up" / "students"
    there: dict[str, list[str]] = {}
    heard: list[tuple[str, int, int]] = []

    def begun(student: str) -> None:
        there[student] = sorted(page.name for page in folder.glob("*.html"))

    told = Progress(begun=begun, cell=lambda *place: heard.append(place))
    run(classroom, slots=1, progress=told)
    first, _, third = there
    assert there[first] == [] and f"{first}.html" in there[third]
    assert sorted(page.stem for page in folder.glob("*.html")) == ["ada", "bob", "cyd"]

    assert list(dict.fromkeys(student for student, _, _ in heard)) == list(there)
    own = [(cell, cells) for student, cell, cells in heard if student == first]
    assert own[0][0] == 1
    assert [cell for cell, _ in own] == sorted({cell for cell, _ in own})
    # Text cells count, as everywhere: the last one here is a written answer.
    assert {cells for _, cells in own} == {own[-1][0] + 2}


def test_a_template_that_is_wrong_stops_no_grading(classroom: Classroom) -> None:
    for name in ("ada", "bob", "cyd"):
        classroom.hand_in(name)
    template = classroom.root / "templates" / "report" / "student.html.j2"
    template.parent.mkdir(parents=True)
    template.write_text("{% if %}")
    with pytest.raises(GraderError, match="the template cannot be used"):
        run(classroom, slots=1)
    with Gradebook(classroom.course.database_url) as book:
        assert {v.points for v in book.current("warm-up")} == {Decimal(8)}
        assert len(book.current("warm-up")) == 3


@pytest.mark.slow
def test_a_submission_whose_worker_always_dies_is_no_mark(classroom: Classroom) -> None:
    classroom.hand_in("ada", "import time; time.sleep(5)")  # that no kill comes after the verdict
    begun: list[str] = []

    def kill(student: str) -> None:
        begun.append(student)
        for pid in _workers():
            os.kill(pid, signal.SIGKILL)

    found = run(classroom, slots=1, progress=Progress(begun=kill))
    assert found["ada"].outcome is Outcome.INFRASTRUCTURE_ERROR
    assert len(begun) == MAX_TRIES
    assert run(classroom)["ada"].points == Decimal(8)


def _workers() -> list[int]:
    """The one worker of this test's batch, which is its judge."""
    return [pid for pid, command in descendants().items() if _judges(pid, command)]


def _judges(pid: int, command: str) -> bool:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return "grader.grading.judge_main" in command and int(fields[1]) == os.getpid()


@pytest.mark.slow
def test_a_killed_batch_continues_with_what_is_left(classroom: Classroom) -> None:
    for i in range(6):
        classroom.hand_in(f"s{i}")
    program = (
        "import os, signal, sys\nfrom grader.api import Progress, find_course, grade\n"
        "judged = []\n"
        "def third(verdict):\n"
        "    judged.append(verdict)\n"
        "    if len(judged) == 3: os.kill(os.getpid(), signal.SIGKILL)\n"
        "grade(find_course(sys.argv[1]), 'warm-up', [sys.argv[2]], sandbox='local',"
        " isolation='warm', slots=1, progress=Progress(judged=third))\n"
    )
    arguments = [sys.executable, "-c", program, str(classroom.root), str(classroom.submissions)]
    assert subprocess.run(arguments, capture_output=True).returncode == -signal.SIGKILL
    with Gradebook(classroom.course.database_url) as book:
        done = {v.student for v in book.current("warm-up")}
        seed = book.batches("warm-up")[0].seed
    assert 2 <= len(done) < 6
    ran: list[str] = []
    found = run(classroom, progress=Progress(begun=ran.append))
    assert not done & set(ran)
    assert {v.points for v in found.values()} == {Decimal(8)}
    assert {v.provenance.seed for v in found.values() if v.provenance} == {seed}


@pytest.mark.slow
def test_what_changes_while_a_batch_runs_is_no_mark_and_is_graded_by_the_next(
    classroom: Classroom,
) -> None:
    for name in ("ada", "bob", "cyd", "dan"):
        classroom.hand_in(name)

    def change(student: str) -> None:
        (classroom.submissions / "bob.ipynb").unlink(missing_ok=True)
        classroom.hand_in("cyd", untouched=True)

    graded: list[str] = []
    progress = Progress(begun=change, judged=lambda verdict: graded.append(verdict.student))
    found = run(classroom, slots=1, progress=progress)
    assert sorted(graded) == ["ada", "bob", "cyd", "dan"]
    assert found["ada"].points == found["dan"].points == Decimal(8)
    for name, how in (("bob", "No such file"), ("cyd", "does not hold what it held")):
        assert found[name].outcome is Outcome.INFRASTRUCTURE_ERROR
        assert how in found[name].reason and f"{name}.ipynb" in found[name].reason
    with Gradebook(classroom.course.database_url) as book:
        assert sorted(v.student for v in book.current("warm-up")) == ["ada", "dan"]

    classroom.hand_in("bob")
    ran: list[str] = []
    again = run(classroom, progress=Progress(begun=ran.append))
    assert sorted(ran) == ["bob", "cyd"]
    assert (again["bob"].points, again["cyd"].points) == (Decimal(8), Decimal(0))
    with Gradebook(classroom.course.database_url) as book:
        assert {b.seed for b in book.batches("warm-up")} == {found["ada"].provenance.seed}  # type: ignore[union-attr]


def test_a_sandbox_that_cannot_start_is_said_and_is_no_mark(
    classroom: Classroom, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    classroom.hand_in("ada")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/no-engine.sock")
    with pytest.raises(InfrastructureError):
        run(classroom, sandbox="docker")
