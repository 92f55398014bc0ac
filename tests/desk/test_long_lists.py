"""Lists of a class of four hundred: a page at a time, everybody once, and nobody of another's."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from html import unescape
from pathlib import Path

import msgspec
import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from grader.api.answer_marking import Marks
from grader.api.second_looks import SecondMarking
from grader.course.groups import GROUPS_NAME
from grader.desk.app import make_app
from grader.desk.courses import open_desk
from grader.gradebook.database import writing
from grader.gradebook.desk_tables import TryRow
from grader.gradebook.marking_tables import SecondLookRow
from grader.gradebook.second_looks import Asked, SecondLookOutcome
from grader.gradebook.tries import TryState
from tests.desk.conftest import Browser, Tables
from tests.desk.piles import ASSIGNMENT, MARK, MARKING, Pile
from tests.desk.test_running import COURSE_FILE, upload, words

MANY = 400
SEEN = r'<li><a href="/c/course/s/[^>]*>([^<]+)</a>'
STUDENTS = [f"s{number:03}" for number in range(MANY)]
NAMES = [f"Student {number:03}" for number in range(MANY)]
STRANGERS = [f"x{number:03}" for number in range(150)]
DIFFERENCES, DECIDED = 24, 130
KNOWN = list(zip(STUDENTS, NAMES, strict=True))


class Crowd(Pile):
    """A class of four hundred, of whom all miss a test, and have an item of the rubric."""

    def __init__(self, tables: Tables) -> None:
        super().__init__(tables)
        root = tables.course.course.root
        (root / "course.toml").write_text(COURSE_FILE)
        lines = [f"{s},{name},,{'AB'[i % 2]}" for i, (s, name) in enumerate(KNOWN)]
        roster = root / "roster.csv"
        roster.write_text("\n".join([roster.read_text().strip(), *lines, ""]))
        teams = [f"hw1,team {i // 2:03},{s}" for i, s in enumerate(STUDENTS[:250])]
        (root / GROUPS_NAME).write_text("\n".join(["item,group,student", *teams, ""]))
        gradebook = tables.course.gradebook
        of_ada = gradebook.history("warm-up", "ada")[0].verdict
        batch = gradebook.start_batch("warm-up", seed=1)
        for student in STUDENTS:
            verdict = msgspec.structs.replace(of_ada, student=student)
            gradebook.record(verdict, None, batch=batch)
        self.are_marked_twice()
        self.wait_and_fail()

    def are_marked_twice(self) -> None:
        item, now = self.item("Names the overflow", "1"), self.tables.now
        marking, question = self.marking, self.question
        answers = {a.student: a for a in marking.answers(question, marker="x")}
        marks, everybody = Marks(items=[item.id]), [answers[s] for s in STUDENTS]
        marking.save(question, everybody, marks, who="mia", seen=None, now=now)
        looks = SecondMarking(marking).looks
        asked = [
            Asked(
                student=s,
                answer_sha256=answers[s].sha256,
                who="ines",
                first_who="mia",
                first_points=Decimal(1),
            )
            for s in STUDENTS[: DIFFERENCES + DECIDED]
        ]
        looks.ask("warm-up", "q3", asked, asked_by="hana", now=now)
        with writing(self.tables.course.gradebook.engine) as session:
            for row in session.scalars(select(SecondLookRow)):
                row.points, row.made_at, row.items = Decimal(2), now, []
                if row.student >= STUDENTS[DIFFERENCES]:
                    row.outcome, row.decided_by = SecondLookOutcome.FIRST, "hana"
                    row.decided_at = now

    def wait_and_fail(self) -> None:
        """Tries of whom half waits, first all of section A; then of whom nobody knows."""
        chosen = [*STUDENTS[0:300:2], *STUDENTS[1:300:2], *STRANGERS]
        with writing(self.tables.course.gradebook.engine) as session:
            for key, student in enumerate(chosen):
                waits = key < 200 or student in STRANGERS
                session.add(
                    TryRow(
                        key=f"{key}",
                        assignment="warm-up",
                        student=student,
                        attempt=2,
                        sha256="",
                        file="hw.ipynb",
                        folder="",
                        received_at=self.tables.now,
                        received_from="",
                        state=TryState.WAITING if waits else TryState.FAILED,
                        priority=0,
                        seed=1,
                        starts=0,
                        claimed_by="",
                        problem="" if waits else "the disk is full",
                    )
                )


@pytest.fixture(scope="module")
def crowd(filled: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Crowd]:
    """One for all tests here: none of them changes anything."""
    folder = tmp_path_factory.mktemp("crowd") / "desk"
    shutil.copytree(filled, folder)
    desk = open_desk([folder / "course"], origin="http://desk.test")
    with TestClient(make_app(desk), base_url=desk.origin) as client:
        yield Crowd(Tables(desk, client))
    desk.courses["course"].gradebook.close()


def walked(browser: Browser, path: str, shown: str, label: str = "Pages") -> list[list[str]]:
    """What the pages of a list show, from the first to the last; `shown` finds it in each."""
    pages, here = [], path
    while here:
        answer = browser.get(here)
        assert answer.status_code == 200, answer.text
        pages.append(re.findall(shown, answer.text))
        nav = re.search(f'<nav class="pager" aria-label="{label}">(.*?)</nav>', answer.text)
        after = re.search(r'<a href="([^"]+)">Next</a>', nav[1]) if nav else None
        here = path.partition("?")[0] + unescape(after[1]) if after else ""
        assert len(pages) < 50
    return pages


def joined(pages: list[list[str]], most: int = 100) -> list[str]:
    """Everything on them, once that no page is longer than it may be."""
    assert max(map(len, pages)) <= most
    return [one for page in pages for one in page]


def test_who_has_an_item_is_shown_a_page_at_a_time(crowd: Crowd) -> None:
    item = crowd.marking.items.rubric("warm-up", "q3").items[0].id
    path = f"{MARK}/q3/items/{item}"
    found = joined(walked(crowd.tables.browser("mia"), path, r'mark/q3/(\w+)">An answer'))
    assert len(found) == len(set(found)) == MANY
    assert f"{MANY} answers have it" in crowd.tables.browser("mia").get(path).text


def test_differences_are_shown_ten_at_a_time_and_lead_back_to_the_same_ten(crowd: Crowd) -> None:
    hana, path = crowd.tables.browser("hana"), f"{MARKING}/q3"
    pages = walked(hana, path, r'<iframe[^>]* src="[^"]*/(\w+)/work"', "Pages of differences")
    assert [len(page) for page in pages] == [10, 10, 4]
    assert len(set(joined(pages, 10))) == DIFFERENCES
    second = hana.get(f"{path}?from=10").text
    assert f"Difference 11 of {DIFFERENCES}" in second
    [form, *_] = re.findall(rf'action="({path}/\w+\?from=10)"', second)
    # Nothing is said of whose marks hold, so nothing is decided.
    assert hana.post(form, {"holds": ""}).status_code == 422


def test_what_was_decided_is_shown_a_page_at_a_time(crowd: Crowd) -> None:
    hana = crowd.tables.browser("hana")
    rows = r'data-label="What holds">(the first marks)<'
    label = "Pages of what was decided"
    assert len(joined(walked(hana, f"{MARKING}/q3", rows, label))) == DECIDED


def test_groups_and_who_is_in_none_are_shown_a_page_at_a_time(crowd: Crowd) -> None:
    ines = crowd.tables.browser("ines")
    teams = joined(
        walked(ines, "/c/course/groups", r'"row">(team \d+)<', "Pages of groups: Warm-up")
    )
    assert teams == [f"team {number:03}" for number in range(125)]
    alone = [
        re.findall(r"Student \d+", one)
        for page in walked(
            ines,
            "/c/course/groups",
            "(?s)In no group.*?</p>",
            "Pages of who is in no group: Warm-up",
        )
        for one in page
    ]
    assert joined(alone) == NAMES[250:]


def test_what_a_list_of_students_would_change_is_shown_a_page_at_a_time(crowd: Crowd) -> None:
    """Of everybody's other e-mail, of those who are new and of those who are gone."""
    ines = crowd.tables.browser("ines")
    new = [f"n{number:03}" for number in range(250)]
    head = "Student,ID,SIS User ID,SIS Login ID,Section,Warm-up (31)\n    Points Possible,,,,,10\n"
    known = "".join(f'"{name}",{i},,{s},C,\n' for i, (s, name) in enumerate(KNOWN[:210]))
    list_ = head + known + "".join(f'"New {s}",9{s[1:]},,{s},A,\n' for s in new)
    answer = upload(ines, "/c/course/roster/list", list_)
    here = str(answer.url).removeprefix(crowd.tables.desk.origin)
    assert "250 new, 210 changed, 193 not in it" in words(answer)
    assert (
        joined(
            walked(
                ines,
                here,
                r'"row">Student \d+ <span class="soft">(s\d+)',
                "Pages of who is changed",
            )
        )
        == STUDENTS[:210]
    )
    assert joined(walked(ines, here, r'data-label="Id">(n\d+)', "Pages of who is new")) == new
    gone = [
        re.findall(r"Student \d+", page[-1])
        for page in walked(ines, here, "(?s)Not in it</h2>.*?</p>", "Pages of who is not in it")
    ]
    assert joined(gone) == NAMES[210:]
    taken = [f for f in re.findall(r"<form.*?</form>", answer.text, re.S) if "/roster/take" in f]
    assert len(taken) == 1  # the whole list is taken, whichever page is shown


def test_what_a_list_of_groups_would_change_is_shown_a_page_at_a_time(crowd: Crowd) -> None:
    ines = crowd.tables.browser("ines")
    teams = "".join(f"hw1,other {i:03},{s}\n" for i, s in enumerate([*STUDENTS, *STRANGERS]))
    answer = upload(ines, "/c/course/groups/list", "item,group,student\n" + teams)
    here = str(answer.url).removeprefix(crowd.tables.desk.origin)
    changes = joined(walked(ines, here, r"<li>hw1: (\w+): [^<]*</li>"))
    assert changes == [*STUDENTS, *STRANGERS]
    strangers = [
        re.findall(r"x\d+", page[0])
        for page in walked(
            ines, here, "Not on the roster: [^<]*", "Pages of who is not on the roster"
        )
    ]
    assert joined(strangers) == STRANGERS


def test_names_behind_a_number_are_all_there_a_page_at_a_time(crowd: Crowd) -> None:
    path = f"{ASSIGNMENT}/analysis"
    mia, max_ = crowd.tables.browser("mia"), crowd.tables.browser("max")
    numbers = mia.get(path).text
    assert numbers.count("Student 0") < 120  # thirty beside each number
    everybody = re.findall(r'and <a href="([^"]+)">(\d+) more</a>', numbers)
    assert {count for _, count in everybody} == {f"{MANY + 3 - 30}"}
    for address, _ in everybody:
        found = joined(walked(mia, unescape(address), SEEN))
        assert found == ["Ada", "Ben", "Cem", *NAMES]
        of_b = joined(walked(max_, unescape(address), SEEN))
        assert of_b == ["Cem", *NAMES[1::2]]
    assert mia.get(f"{path}/who?of=x").headers["location"] == path


def test_the_queue_is_cut_after_it_is_known_who_may_see_what(crowd: Crowd) -> None:
    """The first hundred and fifty that wait are not of section B, whose marker sees the others."""
    tried = r'<a href="/c/course/t/\d+">warm-up 2</a></th><td><a href="/c/course/s/(\w+)">'
    waits, failed = "Pages of what is on its way", "Pages of what was not judged"
    lost = STUDENTS[101:300:2]

    def listed(person: str, label: str) -> list[list[str]]:
        return walked(crowd.tables.browser(person), "/c/course/queue", tried, label)

    pages = [page[: -len(lost)] for page in listed("hana", waits)]
    assert joined(pages) == [*STUDENTS[0:300:2], *STUDENTS[1:100:2], *STRANGERS]
    [of_b] = listed("max", waits)
    assert of_b == [*STUDENTS[1:100:2], *lost]
    assert listed("max", failed) == [of_b]


def test_who_is_not_on_the_roster_and_being_processed_is_shown_a_page_at_a_time(
    crowd: Crowd,
) -> None:
    strangers = walked(
        crowd.tables.browser("hana"),
        ASSIGNMENT,
        "and not on the roster: [^<]*",
        "Pages of who is not on the roster",
    )
    assert joined([re.findall(r"x\d+", page[0]) for page in strangers]) == STRANGERS


def test_work_beside_the_tests_and_marks_to_publish_are_shown_a_page_at_a_time(
    crowd: Crowd,
) -> None:
    hana = crowd.tables.browser("hana")
    work = joined(walked(hana, f"{MARK}/q2/tests", r'tests/(\w+)">Look at it'), 50)
    assert len(work) == len(set(work)) == MANY + 3
    lines = joined(walked(hana, f"{ASSIGNMENT}/publish", r'<th scope="row">([^<]+)</th>'))
    assert sorted(lines) == ["Ada", "Ben", "Cem", *NAMES]
