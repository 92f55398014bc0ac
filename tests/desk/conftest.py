"""A desk of two courses with people of every role, and browsers that are signed in."""

from __future__ import annotations

import asyncio
import datetime as dt
import re
import shutil
import time
from collections.abc import Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

import msgspec
import pytest
from starlette.testclient import TestClient

from grader.desk.app import make_app
from grader.desk.courses import Desk, DeskCourse, open_desk
from grader.desk.people import Role
from grader.desk.settings import DeskFile, DeskSettings, SignIn
from grader.desk.university.provider import Description
from grader.gradebook.appeals import Appeals
from grader.gradebook.tries import DeskTry
from grader.grading.make_verdict import question_marks
from grader.grading.verdict import SubmissionRecord, Verdict
from grader.suite.results import TestOutcome
from tests.helpers.assignments import make_assignment
from tests.helpers.light_boxes import light_boxes  # noqa: F401 - a fixture
from tests.helpers.notebooks import code, notebook
from tests.helpers.verdicts import graded, test_result

HOMEWORK = notebook([code("def softmax(x):\n    return x.softmax(1)", count=1)])
FOREVER = "due = 2024-10-09T23:59:00+03:00", "due = 2099-10-09T23:59:00+03:00"
STUDENTS = {"ada": "A", "ben": "A", "cem": "B"}
STAFF = {
    "mia": (Role.MARKER, ""),
    "max": (Role.MARKER, "B"),
    "hana": (Role.HEAD_MARKER, ""),
    "ines": (Role.INSTRUCTOR, ""),
    "adi": (Role.ADMIN, ""),
}

SETTINGS = DeskSettings(
    file=DeskFile(
        sign_in=(
            SignIn(
                id="uni",
                name="Example University",
                issuer="https://login.example.edu",
                client_id="desk",
            ),
        )
    )
)
DESCRIPTION = Description(
    issuer="https://login.example.edu",
    authorization_endpoint="https://login.example.edu/ask",
    token_endpoint="https://login.example.edu/token",
    jwks_uri="https://login.example.edu/keys",
)

Result = TypeVar("Result")


class Browser:
    """A browser of one person; its forms carry what a page's forms carry."""

    def __init__(self, client: TestClient) -> None:
        self.client = client

    def get(self, path: str, **more: Any) -> Any:
        return self.client.get(path, follow_redirects=False, **more)

    def form(self, page: str) -> dict[str, str]:
        """The hidden fields that every form of a page has."""
        html = self.get(page).text
        found = dict(re.findall(r'<input type="hidden" name="(form|key)" value="(\w+)">', html))
        assert "form" in found, html[:500]
        return found

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> Any:
        data = {**self.form("/account"), **(data or {})}
        headers = {"sec-fetch-site": "same-origin", **more.pop("headers", {})}
        return self.client.post(path, data=data, headers=headers, follow_redirects=False, **more)

    def hand_in(self, *files: tuple[str, bytes], key: str = "k1", **data: str) -> Any:
        chosen = files or (("hw.ipynb", HOMEWORK),)
        return self.post(
            "/c/course/a/warm-up/hand-in",
            {"key": key, "sure": "1", **data},
            files=[("files", (name, content)) for name, content in chosen],
        )


class Tables:
    """A desk, and who sits at it."""

    def __init__(self, desk: Desk, client: TestClient) -> None:
        self.desk = desk
        self.client = client
        self.now = dt.datetime.now(dt.UTC)

    @property
    def course(self) -> DeskCourse:
        return self.desk.courses["course"]

    def link(self, person: str, course: str = "") -> str:
        """A sign-in link, as it is printed by a course's staff; of the first that knows them."""
        slug, account = next(
            (slug, user.account)
            for slug, one in self.desk.courses.items()
            for user in one.people.all()
            if user.person == person and course in ("", slug)
        )
        links = self.desk.credentials.make_links([account], course=slug, now=self.now)
        return links[account]

    def stranger(self) -> Browser:
        """A browser in which nobody has signed in."""
        return Browser(TestClient(self.client.app, base_url=self.desk.origin))

    def browser(self, person: str, course: str = "") -> Browser:
        """A browser in which somebody has signed in by a link."""
        one = self.stranger()
        own = {"sec-fetch-site": "same-origin"}
        one.client.post(f"/s/{self.link(person, course)}", headers=own, follow_redirects=False)
        return one

    def tried(self, student: str, *, key: str = "") -> DeskTry:
        """A try that was handed in through the desk."""
        answer = self.browser(student).hand_in(key=key or f"k{student}")
        assert answer.status_code == 303, answer.text
        return self.course.gradebook.tries.of(student)[0]

    def verdict(self, one: DeskTry) -> Verdict:
        """What a suite says of a try: q1 right, q2 wrong, an answer to q3 that waits."""
        spec = self.course.course.assignment("warm-up").spec
        tests = (
            test_result("q1", "test_softmax", "Rows must sum to one.", 5),
            test_result(
                "q2",
                "test_means",
                "Means must be right.",
                3,
                points=Decimal(0),
                outcome=TestOutcome.FAILED,
            ),
        )
        found = graded(one.student, assignment="warm-up")
        return msgspec.structs.replace(
            found,
            tests=tests,
            questions=question_marks(spec, tests),
            points=Decimal(5),
            max_points=spec.machine_points,
            manual_points=spec.manual_points,
            answers={"q3": "Because exp overflows."},
            submission=SubmissionRecord(
                file=one.file,
                sha256=one.sha256,
                attempt=one.attempt,
                submitted_at=one.received_at,
            ),
        )

    def judged(self, student: str) -> DeskTry:
        """A try with a verdict, as an engine leaves it."""
        one = self.tried(student)
        gradebook = self.course.gradebook
        batch = gradebook.start_batch("warm-up", seed=1)
        verdict = self.verdict(one)
        gradebook.record(verdict, HOMEWORK, batch=batch, desk_try=one.id)
        found = gradebook.tries.get(one.id)
        assert found is not None
        return found


def run_async(work: Coroutine[Any, Any, Result]) -> Result:
    """Run a coroutine to its end, in a thread of its own: a browser's loop may run in this one."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()


COURSE_FILE = """\
title = "Deep learning"
institution = "Test"
term = "Now"
timezone = "Europe/Istanbul"
assignments = ["warm-up"]
[appeals]
days = 7
[letters]
bands = { A = 90, B = 80, C = 60 }
[[components]]
id = "work"
title = "Assignments"
weight = 60
[[components.items]]
id = "a1"
title = "Warm-up"
assignment = "warm-up"
[[components]]
id = "exam"
title = "Final exam"
weight = 40
"""


def write_course_file(tables: Tables, text: str = COURSE_FILE) -> None:
    (tables.course.course.root / "course.toml").write_text(text)


def places(tables: Tables, number: int) -> dict[str, object]:
    """What stands in addresses: Ada's try, answer and appeal, a rubric item, an exam."""
    write_course_file(tables)
    appeal = Appeals(tables.course.gradebook.engine).open(
        assignment="warm-up",
        question="q2",
        student="ada",
        marker="mia",
        says="Please look again.",
        key="theirs",
        most=3,
        now=tables.now,
    )
    assignment = tables.course.course.assignment("warm-up")
    marking = tables.course.marking(assignment)
    question = marking.question("q3")
    assert question is not None
    answers = marking.answers(question, marker="")
    tested = marking.tested(marking.tested_questions()[1], marker="")
    items = marking.items.rubric("warm-up", "q3").items or [
        marking.items.add("warm-up", "q3", "Says that exp overflows", Decimal(1))
    ]
    return {
        "course": "course",
        "assignment": "warm-up",
        "number": number,
        "student": "ada",
        "question": "q3",
        "ref": next((a.ref for a in answers if a.student == "ada"), "none"),
        "tested": "q2",
        "work": next((a.ref for a in tested if a.student == "ada"), "none"),
        "item": items[0].id,
        "provider": "uni",
        "course_item": "exam",
        "appeal": appeal.id,
    }


def make_course(root: Path) -> Path:
    make_assignment(root, "warm-up")
    spec = root / "assignments/warm-up/assignment.toml"
    spec.write_text(spec.read_text().replace(*FOREVER))
    lines = [f"{student},{student.title()},,{section}" for student, section in STUDENTS.items()]
    (root / "roster.csv").write_text("\n".join(["id,name,email,section", *lines, ""]))
    return root


@pytest.fixture(scope="session")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two courses with their people, made once: a copy is quicker than a database."""
    folder = tmp_path_factory.mktemp("desk")
    desk = open_desk(
        [make_course(folder / name) for name in ("course", "other")], origin="http://desk.test"
    )
    for course in desk.courses.values():
        course.people.take_students(course.roster.people.values())
    for person, (role, section) in STAFF.items():
        desk.courses["course"].people.put(person, name=person, role=role, section=section)
    desk.courses["other"].people.put("olga", name="Olga", role=Role.INSTRUCTOR)
    desk.courses["other"].people.remove(
        next(u.account for u in desk.courses["other"].people.all() if u.person == "ada")
    )
    for course in desk.courses.values():
        course.gradebook.close()
    return folder


@pytest.fixture
def tables(filled: Path, tmp_path: Path) -> Iterator[Tables]:
    shutil.copytree(filled, tmp_path / "desk")
    roots = [tmp_path / "desk" / name for name in ("course", "other")]
    desk = open_desk(roots, origin="http://desk.test", settings=SETTINGS)
    desk.providers["uni"]._description = DESCRIPTION
    desk.providers["uni"]._described_at = time.monotonic()
    with TestClient(make_app(desk), base_url=desk.origin) as client:
        yield Tables(desk, client)
    for course in desk.courses.values():
        course.gradebook.close()
