"""What is said of everybody on the roster and one assignment, beside the points."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import msgspec
import pytest

from grader.course.directory import Course
from grader.gradebook.course_marks import marked_answers
from grader.gradebook.hand_marks import Change, Fact, Kind
from grader.gradebook.standings import Standing, Standings, class_marks
from grader.gradebook.store import Gradebook
from grader.gradebook.whole_mark import whole_mark
from grader.grading.verdict import Outcome, QuestionMark, SubmissionRecord, Verdict
from tests.helpers.assignments import make_assignment

DUE = dt.datetime(2024, 10, 9, 20, 59, tzinfo=dt.UTC)
LATE = "2 days late: 40 % off"
AFTER = DUE + dt.timedelta(days=9)
COURSE = """\
title = "C"
institution = "U"
term = "T"
timezone = "Europe/Istanbul"
assignments = ["warm-up"]
[late]
percent_per_day = 20
cutoff_days = 4
{grace}
[[components]]
id = "hw"
title = "Homework"
weight = 100
[[components.items]]
id = "first"
title = "Warm-up"
assignment = "warm-up"
{group}
"""
ROSTER = "id,name\nada,Ada Lovelace\nben,Ben Nevis\ncem,Cem Uslu\ndia,Dia Roy\n"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    make_assignment(tmp_path)
    (tmp_path / "roster.csv").write_text(ROSTER)
    write_course(tmp_path)
    return tmp_path


@pytest.fixture
def gradebook(root: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gradebook]:
    monkeypatch.delenv("GRADER_DATABASE_URL", raising=False)
    with Gradebook(Course(root).database_url) as opened:
        yield opened


def write_course(root: Path, grace: str = "", group: str = "") -> None:
    (root / "course.toml").write_text(COURSE.format(grace=grace, group=group))


def verdict(
    student: str, points: str = "8", *, late_h: float | None = -5, **more: object
) -> Verdict:
    at = None if late_h is None else DUE + dt.timedelta(hours=late_h)
    fields = {
        "assignment": "warm-up",
        "student": student,
        "outcome": Outcome.GRADED,
        "points": Decimal(points),
        "max_points": Decimal(8),
        "manual_points": Decimal(2),
        "questions": (
            QuestionMark(id="q1", title="", points=Decimal(points), max_points=Decimal(8)),
            QuestionMark(
                id="q3", title="", points=Decimal(0), max_points=Decimal(0),
                manual_points=Decimal(2),
            ),
        ),
        "answers": {"q3": "Because."},
        "submission": SubmissionRecord(file="a.ipynb", sha256=student, submitted_at=at),
    }  # fmt: skip
    return Verdict(**(fields | more))  # type: ignore[arg-type]


def say(gradebook: Gradebook, *changes: Change) -> None:
    gradebook.hand_marks.record(changes, who="Tan", why="")


def fact(student: str, kind: Kind, part: str = "", item: str = "first") -> Fact:
    return Fact(student=student, item=item, kind=kind, part=part)


def answer(one: Verdict, points: str) -> Change:
    from grader.gradebook.course_marks import answer_sha256

    return Change(
        fact=fact(one.student, Kind.ANSWER, "q3", "warm-up"),
        points=Decimal(points),
        max_points=Decimal(2),
        answer_sha256=answer_sha256(one, "q3"),
    )


def stand(
    root: Path, gradebook: Gradebook, *verdicts: Verdict, now: dt.datetime = AFTER
) -> dict[str, Standing]:
    course = Course(root)
    return Standings(course, course.assignment("warm-up"), gradebook).of(
        verdicts, newest=gradebook.hand_marks.newest(), now=now
    )


def test_machine_and_people_are_one_number_and_what_waits_is_said() -> None:
    one = verdict("ada", "6.5")
    mark = whole_mark(one, {})
    assert mark is not None and mark.words == "6.5 of 10, 2 wait" and mark.waiting == ("q3",)
    mark = whole_mark(one, {"q3": (Decimal("1.5"), "good")})
    assert mark is not None and (mark.words, mark.waits) == ("8 of 10", 0)
    mark = whole_mark(one, {}, by_hand=(Decimal(9), Decimal(10)))
    assert mark is not None and (mark.words, mark.by_hand) == ("9 of 10", True)


def test_what_can_not_be_read_waits_for_nobody_and_what_we_failed_at_has_no_number() -> None:
    unread = verdict("ada", "0", outcome=Outcome.INVALID_SUBMISSION, questions=())
    mark = whole_mark(unread, {})
    assert mark is not None and mark.words == "0 of 10"
    for outcome in (Outcome.INFRASTRUCTURE_ERROR, Outcome.SUITE_ERROR):
        assert whole_mark(verdict("ada", "0", outcome=outcome), {}) is None


def test_everybody_on_the_roster_is_there_and_who_is_not_on_it_too(
    root: Path, gradebook: Gradebook
) -> None:
    found = stand(root, gradebook, verdict("ada"), verdict("zoe"))
    assert list(found) == ["ada", "zoe", "ben", "cem", "dia"]
    assert found["ada"].name == "Ada Lovelace" and not found["ada"].absent
    assert not found["zoe"].on_roster and found["zoe"].name == ""
    assert found["ben"].absent and found["ben"].overdue
    early = stand(root, gradebook, verdict("ada"), now=DUE - dt.timedelta(days=1))
    assert early["ben"].absent and not early["ben"].overdue


def test_lateness_costs_what_totals_take(root: Path, gradebook: Gradebook) -> None:
    ada, ben, cem = (
        verdict("ada", late_h=2),
        verdict("ben", late_h=200),
        verdict("cem", late_h=None),
    )
    say(gradebook, answer(ada, "2"))
    found = stand(root, gradebook, ada, ben, cem)
    assert (found["ada"].late, found["ada"].earned) == ("1 day late: 20 % off", Fraction(8))
    assert found["ben"].refused and found["ben"].late == "9 days late: not accepted, 0 points"
    assert found["cem"].timeless and found["cem"].late == ""


def test_grace_days_are_spent_as_in_the_totals_and_open_while_marks_wait(
    root: Path, gradebook: Gradebook
) -> None:
    write_course(root, grace="grace_days = 1")
    ada, ben = verdict("ada", late_h=30), verdict("ben", late_h=30)
    say(gradebook, answer(ada, "2"))
    batch = gradebook.start_batch("warm-up", seed=1, settings={})
    for one in (ada, ben):
        gradebook.record(one, None, batch=batch)
    found = stand(root, gradebook, ada, ben)
    assert found["ada"].late == "2 days late: 1 day of grace, 20 % off"
    assert found["ada"].earned == Fraction(8)
    assert found["ben"].late == "2 days late: what it costs is known when everything is marked"
    assert found["ben"].earned is None


def test_extensions_excuses_times_and_whole_marks_that_people_give(
    root: Path, gradebook: Gradebook
) -> None:
    say(
        gradebook,
        Change(fact=fact("ada", Kind.EXTENSION), moment=DUE + dt.timedelta(days=2)),
        Change(fact=fact("ben", Kind.EXCUSED), excused=True),
        Change(fact=fact("cem", Kind.HANDED_IN), moment=DUE + dt.timedelta(hours=1)),
        Change(fact=fact("dia", Kind.POINTS), points=Decimal(7), max_points=Decimal(10)),
    )
    verdicts = [verdict("ada", late_h=30), verdict("cem")]
    found = stand(root, gradebook, *verdicts)
    assert found["ada"].extended and found["ada"].late == ""
    assert found["ada"].due == DUE + dt.timedelta(days=2)
    assert found["ben"].excused and found["ben"].absent
    assert found["cem"].handed_in == DUE + dt.timedelta(hours=1)
    assert found["cem"].late.startswith("1 day late")
    marks = class_marks(verdicts, found, {})
    assert marks["dia"] is not None and marks["dia"].words == "7 of 10"
    assert marks["ben"] is None


def test_a_group_hands_in_once_and_none_of_it_is_absent(root: Path, gradebook: Gradebook) -> None:
    write_course(root, group="group = true")
    (root / "groups.csv").write_text("item,group,student\nfirst,g1,ada\nfirst,g1,ben\n")
    ada = verdict("ada")
    found = stand(root, gradebook, ada)
    assert not found["ben"].absent and found["ben"].group == ("ada",)
    assert found["cem"].absent
    marks = class_marks([ada], found, {"ada": marked_answers(ada, {})})
    assert marks["ben"] == marks["ada"] and marks["cem"] is None


def test_a_members_longer_time_does_not_take_the_groups_mark_away(
    root: Path, gradebook: Gradebook
) -> None:
    write_course(root, group="group = true")
    (root / "groups.csv").write_text(
        "item,group,student\nfirst,g1,ada\nfirst,g1,ben\nfirst,g1,cem\n"
    )
    say(gradebook, Change(fact=fact("ben", Kind.EXTENSION), moment=DUE + dt.timedelta(days=2)))
    found = stand(root, gradebook, verdict("ada", late_h=30))
    assert [found[s].late for s in ("ada", "ben", "cem")] == [LATE, "", LATE]
    assert found["ben"].handed_in == found["ada"].handed_in and not found["ben"].absent


def test_days_of_grace_of_who_shares_a_groups_work_are_those_of_the_totals(
    root: Path, gradebook: Gradebook
) -> None:
    write_course(root, grace="grace_days = 1", group="group = true")
    (root / "groups.csv").write_text("item,group,student\nfirst,g1,ada\nfirst,g1,ben\n")
    ada = verdict("ada", late_h=30)
    say(gradebook, answer(ada, "2"))
    gradebook.record(ada, None, batch=gradebook.start_batch("warm-up", seed=1, settings={}))
    found = stand(root, gradebook, ada)
    assert found["ada"].late == "2 days late: 1 day of grace, 20 % off"
    assert (found["ben"].late, found["ben"].earned) == (found["ada"].late, Fraction(8))


def test_a_mark_by_hand_for_one_of_a_group_is_everybodys_on_every_page(
    root: Path, gradebook: Gradebook
) -> None:
    write_course(root, group="group = true")
    (root / "groups.csv").write_text(
        "item,group,student\nfirst,g1,ada\nfirst,g1,ben\nfirst,g1,cem\n"
    )
    points = Change(fact=fact("ada", Kind.POINTS), points=Decimal(7), max_points=Decimal(10))
    say(gradebook, points)
    ada = verdict("ada")
    marks = class_marks([ada], stand(root, gradebook, ada), {})
    assert [marks[s].words for s in ("ada", "ben", "cem") if marks[s]] == ["7 of 10"] * 3  # type: ignore[union-attr]
    # Two members' marks differ, and the third's is open, as in totals.
    ben = verdict("ben", "3")
    marks = class_marks([ada, ben], stand(root, gradebook, ada, ben), {})
    assert marks["cem"] is None
    # Work of who is excused is not the group's.
    say(gradebook, Change(fact=fact("ben", Kind.EXCUSED), excused=True))
    marks = class_marks([ada, ben], stand(root, gradebook, ada, ben), {})
    assert marks["cem"] is not None and marks["cem"].words == "7 of 10"


def test_without_a_course_file_lateness_is_said_and_costs_nothing(
    root: Path, gradebook: Gradebook
) -> None:
    (root / "course.toml").unlink()
    found = stand(root, gradebook, verdict("ada", late_h=0.5), verdict("ben", late_h=30))
    assert [found[s].late for s in ("ada", "ben")] == ["30 minutes late", "2 days late"]
    assert found["ada"].earned is None and found["cem"].absent
    # The second of the due time is still in time, here as where late days are counted.
    found = stand(root, gradebook, verdict("ada", late_h=0.0001), verdict("ben", late_h=0.0003))
    assert [found[s].late for s in ("ada", "ben")] == ["", "1 minute late"]


def test_a_course_file_that_can_not_be_used_is_said_and_stops_no_page(
    root: Path, gradebook: Gradebook
) -> None:
    (root / "course.toml").write_text("title = 3\n")
    course = Course(root)
    standings = Standings(course, course.assignment("warm-up"), gradebook)
    assert "course.toml" in standings.problem
    assert standings.of([verdict("ada")], newest={}, now=AFTER)["ben"].absent


def test_a_mark_that_does_not_fit_the_course_file_leaves_the_others_alone(
    root: Path, gradebook: Gradebook
) -> None:
    odd = msgspec.structs.replace(verdict("ada", late_h=2), max_points=Decimal(50))
    found = stand(root, gradebook, odd, verdict("ben", late_h=2))
    assert found["ada"].late == "2 hours late"
    assert found["ben"].late == "1 day late: 20 % off"


@pytest.mark.parametrize(
    ("timezone", "shown"),
    [('timezone = "America/New_York"', "11:59 -0400"), ("", "18:59 +0300")],
)
def test_times_are_told_in_the_courses_zone_else_in_that_of_the_due_date(
    timezone: str, shown: str, root: Path, gradebook: Gradebook
) -> None:
    path = root / "course.toml"
    path.write_text(path.read_text().replace('timezone = "Europe/Istanbul"', timezone))
    ada = stand(root, gradebook, verdict("ada"))["ada"]
    assert ada.handed_in is not None and ada.due is not None
    assert f"{ada.handed_in:%H:%M %z}" == shown
    assert ada.due == DUE and ada.due.utcoffset() == ada.handed_in.utcoffset()
