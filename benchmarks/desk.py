"""The desk under load: what people at it wait for, and whether anything is lost.

    python benchmarks/desk.py [--out benchmarks/results/desk.md] [--only uploads --only lists …]

Everything is a process of its own, as in use: `grader serve` and its engines. Only where thousands
are to be judged the engine judges nothing (`tests.helpers.light_engine`), since what a judge takes
is measured elsewhere; claims, leases and records are the desk's. The machine's load is written
down with the figures: clients and desk share its cores.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import os
import re
import secrets
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import msgspec
from sqlalchemy import Engine, event

sys.path.insert(0, str(Path(__file__).parents[1]))

from grader.api.answer_marking import Marks
from grader.desk.courses import Desk
from grader.desk.credentials import form_token
from grader.desk.engine.supervisor import Supervisor
from grader.desk.people import Role
from grader.grading.make_verdict import question_marks
from grader.grading.verdict import SubmissionRecord
from grader.release.notebooks import notebook_bytes, solution_notebook
from tests.helpers import postgres
from tests.helpers.desk_load import (
    Seat,
    free_port,
    hand_in_all,
    kept,
    light_engine,
    make_class,
    opened,
    seats,
    until_it_answers,
    web_process,
)
from tests.helpers.verdicts import graded, test_result

Row = tuple[str, str, str]
ROWS: dict[str, Callable[[Path], list[Row]]] = {}
STUDENTS, ASSIGNMENTS, MARKERS = 1_500, 8, 8
MARKED = 25  # by each marker, each time


def row(name: str) -> Callable[[Callable[[Path], list[Row]]], Callable[[Path], list[Row]]]:
    """Register what measures a row of the table."""

    def register(measure: Callable[[Path], list[Row]]) -> Callable[[Path], list[Row]]:
        ROWS[name] = measure
        return measure

    return register


def quantile(values: list[float], part: float) -> float:
    """The value that `part` of all do not exceed."""
    return sorted(values)[min(len(values) - 1, int(part * len(values)))]


def said(values: list[float]) -> str:
    """p50 and p95, in words."""
    p50, p95 = statistics.median(values), quantile(values, 0.95)
    unit = ("ms", 1000) if p95 < 1 else ("s", 1)
    form = "{:.0f}" if unit[0] == "ms" else "{:.2f}"
    return f"p50 {form.format(p50 * unit[1])}, p95 {form.format(p95 * unit[1])} {unit[0]}"


class Served:
    """A desk with its people signed in."""

    def __init__(self, root: Path, *options: str) -> None:
        self.root = root
        self.port = free_port()
        self.origin = f"http://127.0.0.1:{self.port}"
        self.web = web_process(root, self.port, *options)
        self.desk: Desk = opened(root, self.origin)

    def seats(self, people: list[str] | None = None) -> list[Seat]:
        """Browsers of the class, or of these people."""
        return seats(self.desk, self.origin, people)

    def staff(self, person: str) -> Seat:
        """The browser of somebody of the staff."""
        self.desk.courses["course"].people.put(person, name=person, role=Role.INSTRUCTOR)
        return seats(self.desk, self.origin, [person])[0]

    @contextmanager
    def running(self, *engines: object) -> Iterator[None]:
        """The desk's processes."""
        with kept(self.web, *engines):  # type: ignore[arg-type]
            until_it_answers(self.origin)
            yield


def two_megabytes() -> bytes:
    """A notebook whose plots make it large, as students' are."""
    picture = secrets.token_urlsafe(1_480_000)
    output = {"output_type": "display_data", "metadata": {}, "data": {"image/png": picture}}
    cell = {
        "cell_type": "code",
        "id": "a",
        "execution_count": 1,
        "metadata": {},
        "source": "def softmax(x):\n    return x.softmax(1)",
        "outputs": [output],
    }
    return json.dumps(
        {"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    ).encode()


@row("uploads")
def uploads(folder: Path) -> list[Row]:
    """So many uploads of 2 MB a second, whatever becomes of those before, for 30 s."""
    data = two_megabytes()
    rows: list[Row] = []
    for rate, goal in ((5, "p95 ≤ 1 s"), (20, "p95 ≤ 5 s")):
        served = Served(make_class(folder / str(rate) / "course", students=rate * 30))
        found = served.seats()
        with served.running(light_engine(served.root)):
            took: list[float] = []

            def send(seat: Seat, at: float, took: list[float] = took) -> None:
                seat.hand_in(secrets.token_hex(8), data)
                took.append(time.monotonic() - at)

            with ThreadPoolExecutor(200) as pool:
                began = time.monotonic()
                for number, seat in enumerate(found):
                    at = began + number / rate
                    time.sleep(max(0.0, at - time.monotonic()))
                    pool.submit(send, seat, at)
        assert len(took) == len(found)
        rows.append((f"upload of 2 MB → receipt, {rate} a second for 30 s", goal, said(took)))
    return rows


@row("idle")
def idle(folder: Path) -> list[Row]:
    """From a click to the verdict of a light notebook, one after the other, in warm slots."""
    served = Served(make_class(folder / "course", students=30))
    assignment = served.desk.courses["course"].course.assignment("warm-up")
    made = json.loads(notebook_bytes(solution_notebook(assignment)))
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 1
    data = json.dumps(made).encode()
    engine = Supervisor("course", [str(served.root), "--sandbox", "local", "--slots", "1"])
    took = []
    found = served.seats()
    with served.running(engine):
        for number, seat in enumerate(found):
            began = time.monotonic()
            one = seat.hand_in(secrets.token_hex(8), data)
            while True:
                headers = seat.headers | {"accept": "application/json"}
                answer = seat.client.get(f"/c/course/t/{one}", headers=headers).json()
                if answer["state"] in ("judged", "failed"):
                    break
                time.sleep(0.02)
            assert answer["state"] == "judged", answer
            if number >= 5:  # the slots are warm
                took.append(time.monotonic() - began)
    return [("upload → verdict, idle desk, light notebook", "p50 ≤ 1 s, p95 ≤ 2 s", said(took))]


def _unflushed(engine: Engine) -> None:
    """Let what this process fills in not wait for the disk: the desk's own processes do."""
    event.listen(engine, "connect", lambda found, _: found.execute("PRAGMA synchronous = OFF"))
    engine.dispose()


def write_course_file(root: Path, names: Sequence[str]) -> None:
    """Let the assignments be 60 percent of a grade."""
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
    (root / "course.toml").write_text(f"{head}{letters}{work}{items}{exam}")


def fill(served: Served, *, students: int) -> None:
    """Give everybody a verdict on every assignment, with an answer that people mark."""
    course = served.desk.courses["course"]
    _unflushed(course.gradebook.engine)
    course.people.take_students(course.roster.people.values())
    for name in course.course.names():
        spec = course.course.assignment(name).spec
        tests = (test_result("q1", "test_softmax", "Rows must sum to one.", 5),)
        batch = course.gradebook.start_batch(name, seed=1)
        for number in range(students):
            verdict = msgspec.structs.replace(
                graded(f"s{number:05}", assignment=name),
                tests=tests,
                questions=question_marks(spec, tests),
                points=Decimal(5),
                max_points=spec.machine_points,
                manual_points=spec.manual_points,
                answers={"q3": f"Because exp overflows above {number}."},
                submission=SubmissionRecord(file=f"{name}.ipynb", sha256=f"{number:064}"),
            )
            course.gradebook.record(verdict, b'{"cells": []}', batch=batch)


def listed(seat: Seat, what: str, path: str, times: int = 12) -> list[Row]:
    """How long a page takes the first time, and after that."""
    found = []
    for _ in range(times):
        began = time.monotonic()
        answer = seat.get(path)
        found.append(time.monotonic() - began)
        assert answer.status_code == 200, (path, answer.status_code)
    first, *others = found
    return [
        (f"{what}: first view", "≤ 1 s", f"{first * 1000:.0f} ms"),
        (f"{what}: later views", "≤ 1 s", said(others)),
    ]


@row("class")
def a_class(folder: Path) -> list[Row]:
    """Lists, the dashboard and marking with 1,500 students in 8 assignments."""
    root = make_class(folder / "course", students=STUDENTS, assignments=ASSIGNMENTS)
    served = Served(root)
    write_course_file(root, served.desk.courses["course"].course.names())
    fill(served, students=STUDENTS)
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
            rows += listed(markers[0], what, path)
        rows += marking(served, markers, "before any mark")
        for name in course.course.names():
            pile = course.marking(course.course.assignment(name))
            question = pile.question("q3")
            assert question is not None
            left = [a for a in pile.answers(question, marker="") if a.mark is None]
            left = left[MARKED:]  # for those who then mark
            for at in range(0, len(left), 50):  # as answers alike, which is one save
                some, marks = left[at : at + 50], Marks(adjustment=Decimal(1), comment="Well said.")
                pile.save(question, some, marks, who="marker-0", seen=0, now=_now())
        rows += marking(served, markers, f"{(STUDENTS - MARKED) * ASSIGNMENTS:,} marks")
    return rows


def marking(served: Served, markers: list[Seat], when: str) -> list[Row]:
    """Eight people mark at once, each another assignment: open an answer, save it, the next."""
    names = served.desk.courses["course"].course.names()
    opened_s: list[float] = []
    saved_s: list[float] = []

    def mark(seat: Seat, name: str) -> None:
        page = f"/c/course/a/{name}/mark/q3"
        for _ in range(MARKED):
            began = time.monotonic()
            answer = seat.get(page)
            while answer.status_code == 303:
                page = answer.headers["location"]
                answer = seat.get(page)
            opened_s.append(time.monotonic() - began)
            assert answer.status_code == 200, (page, answer.status_code)
            seen = re.search(r'name="seen" value="(\d+)"', answer.text)
            ref = re.search(r'action="(/c/course/a/[^"]+/mark/q3/\w+)"', answer.text)
            if seen is None or ref is None:
                return  # nothing is left to mark
            form = {"form": form_token(seat.session), "seen": seen[1], "adjustment": "1"}
            began = time.monotonic()
            done = seat.client.post(ref[1], data=form, headers=seat.headers)
            saved_s.append(time.monotonic() - began)
            assert done.status_code == 303, done.text
            page = done.headers["location"]

    with ThreadPoolExecutor(len(markers)) as pool:
        list(pool.map(mark, markers, names))
    what = f"{MARKERS} markers at once, {when}"
    return [
        (f"marking: the next answer; {what}", "p95 ≤ 300 ms", said(opened_s)),
        (f"marking: save; {what}", "p95 ≤ 150 ms", said(saved_s)),
    ]


@row("watchers")
def watchers(folder: Path) -> list[Row]:
    """1,500 people follow a try that waits; then each is judged."""
    served = Served(make_class(folder / "course", students=STUDENTS))
    found = served.seats()
    with served.running():
        numbers = hand_in_all(found, threads=8)
        before = _memory(served.web.pid)
        heard: dict[str, float] = {}
        memory: list[int] = []
        judged: dict[int, float] = {}
        asyncio.run(_watch(served, found, numbers, heard, memory, judged))
    late = [at - judged[numbers[person]] for person, at in heard.items()]
    assert len(late) == len(found)
    grown = (memory[0] - before) / (1 << 20)
    return [
        (f"{STUDENTS:,} people watching: memory", "≤ 150 MB", f"{grown:.0f} MB more"),
        (f"{STUDENTS:,} people watching: news", "within 2 s", said(late)),
    ]


async def _watch(
    served: Served,
    found: list[Seat],
    numbers: dict[str, int],
    heard: dict[str, float],
    memory: list[int],
    judged: dict[int, float],
) -> None:
    waiting = asyncio.Semaphore(100)
    ready = 0

    async def watch(seat: Seat) -> None:
        nonlocal ready
        async with waiting:
            reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
            path = f"/c/course/t/{numbers[seat.person]}/events"
            head = f"GET {path} HTTP/1.1\r\nhost: 127.0.0.1:{served.port}\r\n"
            writer.write(f"{head}cookie: {seat.headers['cookie']}\r\n\r\n".encode())
            await writer.drain()
            first = await reader.readuntil(b"data: ")
            assert b" 200 " in first, first
        ready += 1
        while (line := await reader.readline()) and b'"failed"' not in line:
            pass
        heard[seat.person] = time.monotonic()
        writer.close()

    tasks = [asyncio.create_task(watch(seat)) for seat in found]
    while ready < len(found):
        await asyncio.sleep(0.1)
    memory.append(_memory(served.web.pid))
    tries = served.desk.courses["course"].gradebook.tries

    def judge_all() -> None:
        for number in numbers.values():
            tries.fail(number, "played", now=_now())
            judged[number] = time.monotonic()

    await asyncio.to_thread(judge_all)
    await asyncio.gather(*tasks)


@row("faculty")
def faculty(folder: Path) -> list[Row]:
    """PostgreSQL, three web processes, two engines, 5,000 uploads of a small notebook."""
    students = 5_000
    with postgres.server() as server, postgres.database(server) as url:
        os.environ["GRADER_DATABASE_URL"] = url
        try:
            served = Served(make_class(folder / "course", students=students), "--workers", "3")
            found = served.seats()
            engines = [light_engine(served.root, f"engine {n}") for n in (1, 2)]
            with served.running(*engines):
                began = time.monotonic()
                numbers = hand_in_all(found, threads=16)
                sent_s = time.monotonic() - began
                tries = served.desk.courses["course"].gradebook.tries
                while (queue := tries.queue(now=_now())).waiting + queue.running:
                    time.sleep(0.2)
                all_s = time.monotonic() - began
            book = served.desk.courses["course"].gradebook
            judged = [entry.verdict.student for entry in book.history("warm-up")]
            lost = len(set(numbers) - set(judged))
            twice = len(judged) - len(set(judged))
            names = {one.claimed_by for one in tries.some(list(numbers.values()))}
        finally:
            del os.environ["GRADER_DATABASE_URL"]
    what = f"PostgreSQL, 3 web processes, {len(names)} engines, {students:,} uploads"
    return [
        (
            what,
            "each judged once, none lost",
            f"{lost} lost, {twice} judged twice; {students / sent_s:.0f} uploads a second, "
            f"all judged after {all_s:.0f} s",
        )
    ]


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)


def _memory(pid: int | None) -> int:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found
    return int(found[1]) * 1024


def main() -> None:
    """Measure, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", choices=ROWS, action="append")
    given = parser.parse_args()
    lines = ["| figure | goal | measured | load of the machine |", "|---|---|---|---|"]
    for name in given.only or ROWS:
        with tempfile.TemporaryDirectory(prefix="grader-bench-") as folder:
            rows = ROWS[name](Path(folder))
            load = os.getloadavg()[0]
        for what, goal, measured in rows:
            lines.append(f"| {what} | {goal} | {measured} | {load:.0f} |")
            print(lines[-1], flush=True)
    if given.out:
        given.out.write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
