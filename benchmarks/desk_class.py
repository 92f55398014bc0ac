"""A class of 1,500 in 8 assignments at the desk: lists, publishing, and eight people who mark."""

from __future__ import annotations

import base64
import datetime as dt
import json
import random
import re
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path

import msgspec
from desk_served import Row, Served, per_answer, said
from sqlalchemy import Engine, event

from grader.api.answer_marking import Marks
from grader.desk.credentials import form_token
from grader.grading.make_verdict import question_marks
from grader.grading.verdict import SubmissionRecord
from grader.intake.answers import AnswerPart, AnswerPlace, AnswerPosition
from tests.helpers.desk_load import Seat, make_class
from tests.helpers.notebooks import code, display, markdown, notebook, stream
from tests.helpers.verdicts import graded, test_result

STUDENTS, ASSIGNMENTS, MARKERS = 1_500, 8, 8
MARKED = 25  # by each marker, each time
LOOKS_S = 1.0  # at each answer: quicker than anybody who reads it
ALONE = 25  # by one, of which the cost is counted
CELLS, PICTURE = 24, 2_000  # of a light notebook; the bytes of a picture, of which it has one
LONG_CELLS, LONG_PICTURE = 400, 100_000  # of a long one, with a picture in every fifth cell
LONG = "zzz-long"


def _unflushed(engine: Engine) -> None:
    """Let what this process fills in not wait for the disk: the desk's own processes do."""
    event.listen(engine, "connect", lambda found, _: found.execute("PRAGMA synchronous = OFF"))
    engine.dispose()


def write_course_file(root: Path, names: Sequence[str], more: str = "") -> None:
    """Let the assignments be 60 percent of a grade; `more` are tables of the file."""
    items = "".join(
        f'[[components.items]]\nid = "{n}"\ntitle = "{n}"\nassignment = "{n}"\n' for n in names
    )
    head = (
        'title = "Deep learning"\ninstitution = "Test"\nterm = "Now"\ntimezone = "UTC"\n'
        f"assignments = {json.dumps(list(names))}\n"
    )
    letters = "[letters]\nbands = { A = 90, B = 80, C = 60 }\n"
    work = '[[components]]\nid = "work"\ntitle = "Assignments"\nweight = 60\n'
    exam = '[[components]]\nid = "exam"\ntitle = "Final exam"\nweight = 40\n'
    (root / "course.toml").write_text(f"{head}{letters}{more}{work}{items}{exam}")


def _executed(answer: str, cells: int, picture: int, *, every: int) -> tuple[bytes, AnswerPlace]:
    """An executed notebook, with text or a picture below each cell, and where the answer stands."""
    drawn = random.Random(1)
    found = []
    for number in range(cells):
        source = f"x = torch.randn(64, {number + 1})\nprint((x @ x.T).mean(0))"
        shown = stream(f"tensor([{', '.join(f'{drawn.random():.4f}' for _ in range(64))}])")
        if number % every == every - 1:
            shown = display(image_png=base64.b64encode(drawn.randbytes(picture)).decode())
        found.append(code(source, shown, count=number + 1))
    at = len(found) // 2
    found.insert(at, markdown(answer))
    pieces = (
        AnswerPart(at - 1, 0, len(str(found[at - 1]["source"]))),
        AnswerPart(at, 0, len(answer)),
    )
    return notebook(found), AnswerPlace(place=AnswerPosition.PART, pieces=pieces)


def fill(
    served: Served,
    *,
    students: int,
    handed_in: dt.datetime | None = None,
    long: bool = False,
) -> None:
    """Give everybody a verdict on every assignment, with an answer that people mark.

    With `long`, one student more has a long notebook in the first assignment.
    """
    course = served.desk.courses["course"]
    _unflushed(course.gradebook.engine)
    course.people.take_students(course.roster.people.values())
    for name in course.course.names():
        spec = course.course.assignment(name).spec
        tests = (test_result("q1", "test_softmax", "Rows must sum to one.", 5),)
        batch = course.gradebook.start_batch(name, seed=1)
        people = [f"s{number:05}" for number in range(students)]
        if long and name == course.course.names()[0]:
            people.append(LONG)
        for number, student in enumerate(people):
            answer = f"Because exp overflows above {number}."
            size = (LONG_CELLS, LONG_PICTURE) if student == LONG else (CELLS, PICTURE)
            ran, place = _executed(answer, *size, every=5 if student == LONG else CELLS)
            verdict = msgspec.structs.replace(
                graded(student, assignment=name),
                tests=tests,
                questions=question_marks(spec, tests),
                points=Decimal(5),
                max_points=spec.machine_points,
                manual_points=spec.manual_points,
                answers={"q3": answer},
                answer_places={"q3": place},
                submission=SubmissionRecord(
                    file=f"{name}.ipynb", sha256=f"{number:064}", submitted_at=handed_in
                ),
            )
            course.gradebook.record(verdict, ran, batch=batch)


def listed(served: Served, seat: Seat, what: str, path: str, times: int = 12) -> list[Row]:
    """How long a page takes the first time, and after that."""
    found, used = [], []
    for _ in range(times):
        began, before = time.monotonic(), served.cpu_s()
        answer = seat.get(path)
        found.append(time.monotonic() - began)
        used.append(served.cpu_s() - before)
        assert answer.status_code == 200, (path, answer.status_code)
    first, *others = found
    return [
        Row(f"{what}: first view", "≤ 1 s", f"{first * 1000:.0f} ms", per_answer(used[0], 1)),
        Row(f"{what}: later views", "≤ 1 s", said(others), per_answer(sum(used[1:]), times - 1)),
    ]


def a_class(folder: Path) -> list[Row]:
    """Lists, the dashboard and marking with 1,500 students in 8 assignments."""
    root = make_class(folder / "course", students=STUDENTS, assignments=ASSIGNMENTS)
    served = Served(root)
    write_course_file(root, served.desk.courses["course"].course.names())
    fill(served, students=STUDENTS, long=True)
    course = served.desk.courses["course"]
    rows: list[Row] = []
    markers = [served.staff(f"marker-{n}") for n in range(MARKERS)]
    with served.running():
        for what, path in (
            ("dashboard", "/c/course/"),
            ("totals", "/c/course/totals"),
            ("a class's list, first page", "/c/course/a/warm-up"),
            ("the queue", "/c/course/queue"),
            ("the people", "/c/course/people"),
        ):
            what = f"{what}, {STUDENTS:,} students × {ASSIGNMENTS} assignments"
            rows += listed(served, markers[0], what, path)
        rows += opening(served, markers[0])
        rows += marking(served, markers, "before any mark")
        for name in course.course.names():
            pile = course.marking(course.course.assignment(name))
            question = pile.question("q3")
            assert question is not None
            left = [a for a in pile.answers(question, marker="") if a.mark is None]
            left = left[2 * MARKED + ALONE :]  # for those who then mark
            for at in range(0, len(left), 50):  # as answers alike, which is one save
                some, marks = left[at : at + 50], Marks(adjustment=Decimal(1), comment="Well said.")
                pile.save(question, some, marks, who="marker-0", seen=0, now=_now())
        rows += marking(served, markers, f"{(STUDENTS - 2 * MARKED - ALONE) * ASSIGNMENTS:,} marks")
    return rows


def opening(served: Served, marker: Seat, times: int = 12) -> list[Row]:
    """How long the answer of a long notebook takes: its form, and the frame beside it."""
    course = served.desk.courses["course"]
    name = course.course.names()[0]
    pile = course.marking(course.course.assignment(name))
    question = pile.question("q3")
    assert question is not None
    (ref,) = [a.ref for a in pile.answers(question, marker="") if a.student == LONG]
    page, took, used = f"/c/course/a/{name}/mark/q3/{ref}", [], []
    for _ in range(times):
        began, before = time.monotonic(), served.cpu_s()
        assert marker.get(page).status_code == 200
        _look(marker, page)
        took.append(time.monotonic() - began)
        used.append(served.cpu_s() - before)
    what = f"opening an answer: form and frame, a notebook of {LONG_CELLS} cells"
    return [
        Row(f"{what}: first view", "≤ 0.3 s", f"{took[0] * 1000:.0f} ms", per_answer(used[0], 1)),
        Row(
            f"{what}: later views", "≤ 0.3 s", said(took[1:]), per_answer(sum(used[1:]), times - 1)
        ),
    ]


def marking(served: Served, markers: list[Seat], when: str) -> list[Row]:
    """Eight people mark at once, each another assignment: open an answer, save it, the next.

    To open it is to have its form and the frame with what the student wrote.

    First each looks at an answer for a second; then for no time at all, which says how many
    answers a second the desk can take. What a step costs is counted with one of them alone: of
    several at once nobody can tell whose a process's time is.
    """
    names = served.desk.courses["course"].course.names()
    opens_s, saves_s = _at_once(markers, names, looks_s=LOOKS_S)
    began = time.monotonic()
    _at_once(markers, names, looks_s=0)
    rate = MARKED * len(markers) / (time.monotonic() - began)
    opens_cpu_s = saves_cpu_s = 0.0
    page = f"/c/course/a/{names[0]}/mark/q3"
    for _ in range(ALONE):
        start_s = served.cpu_s()
        form = _open(markers[0], page)
        assert form is not None
        opened_by_s = served.cpu_s()
        page = _save(markers[0], *form)
        opens_cpu_s += opened_by_s - start_s
        saves_cpu_s += served.cpu_s() - opened_by_s
    what = f"{MARKERS} markers at once, {when}"
    opens, saves = per_answer(opens_cpu_s, ALONE), per_answer(saves_cpu_s, ALONE)
    return [
        Row(f"marking: the next answer; {what}", "p95 ≤ 300 ms", said(opens_s), opens),
        Row(f"marking: save; {what}", "p95 ≤ 150 ms", said(saves_s), saves),
        Row(f"marking without a pause; {what}", "", f"{rate:.0f} answers a second"),
    ]


def _at_once(
    markers: Sequence[Seat], names: Sequence[str], *, looks_s: float
) -> tuple[list[float], list[float]]:
    """Have all mark their answers; returns how long each wait was for the next one and a save."""
    opened_s: list[float] = []
    saved_s: list[float] = []

    def mark(seat: Seat, name: str) -> None:
        page = f"/c/course/a/{name}/mark/q3"
        time.sleep(looks_s * markers.index(seat) / len(markers))  # nobody begins together
        for _ in range(MARKED):
            began = time.monotonic()
            form = _open(seat, page)
            opened_s.append(time.monotonic() - began)
            assert form is not None, "nothing is left to mark"
            time.sleep(looks_s)
            began = time.monotonic()
            page = _save(seat, *form)
            saved_s.append(time.monotonic() - began)

    with ThreadPoolExecutor(len(markers)) as pool:
        list(pool.map(mark, markers, names))
    return opened_s, saved_s


def _open(seat: Seat, page: str) -> tuple[str, dict[str, str]] | None:
    """Follow to the next answer, and return its form; None: there is none left."""
    answer = seat.get(page)
    while answer.status_code == 303:
        page = answer.headers["location"]
        answer = seat.get(page)
    assert answer.status_code == 200, (page, answer.status_code)
    seen = re.search(r'name="seen" value="(\d+)"', answer.text)
    ref = re.search(r'action="(/c/course/a/[^"]+/mark/q3/\w+)"', answer.text)
    if seen is None or ref is None:
        return None
    _look(seat, ref[1])
    return ref[1], {"form": form_token(seat.session), "seen": seen[1], "adjustment": "1"}


def _look(seat: Seat, page: str) -> None:
    """Have the frame of an answer: the student's part of the executed notebook."""
    frame = seat.get(f"{page}/work")
    assert frame.status_code == 200, (page, frame.status_code)
    assert "exp overflows above" in frame.text and "randn" in frame.text


def _save(seat: Seat, address: str, form: dict[str, str]) -> str:
    """Save an answer's points; return where the next one is."""
    done = seat.client.post(address, data=form, headers=seat.headers)
    assert done.status_code == 303, done.text
    return str(done.headers["location"])


def all_late(folder: Path) -> list[Row]:
    """Publish again where everybody is late everywhere, and has grace days to spend on it."""
    root = make_class(folder / "course", students=STUDENTS, assignments=ASSIGNMENTS)
    served = Served(root)
    course = served.desk.courses["course"]
    now = _now()
    for name in course.course.names():
        spec = root / "assignments" / name / "assignment.toml"
        due = f"due = {now - dt.timedelta(days=3):%Y-%m-%dT%H:%M:%SZ}"
        spec.write_text(re.sub(r"(?m)^due = .*$", due, spec.read_text()))
    late = "[late]\npercent_per_day = 10\ngrace_days = 5\n"
    write_course_file(root, course.course.names(), late)
    fill(served, students=STUDENTS, handed_in=now - dt.timedelta(days=1))
    marker = served.staff("marker-0")
    with served.running():
        page = "/c/course/a/warm-up/publish"
        what = "preview of publishing; all late, with grace days"
        rows = listed(served, marker, what, page, times=2)[:1]
        form = {"form": form_token(marker.session), "what": "publish", "upto": "0"}
        done = marker.client.post(page, data=form, headers=marker.headers, timeout=300)
        assert done.status_code == 303, done.text
        pile = course.marking(course.course.assignment("warm-up"))
        question = pile.question("q3")
        assert question is not None
        marked, marks = pile.answers(question, marker="")[:50], Marks(adjustment=Decimal(1))
        pile.save(question, marked, marks, who="marker-0", seen=0, now=_now())
        what = "preview of publishing again; all late, with grace days"
        return rows + listed(served, marker, what, page, times=2)[:1]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
