"""What people marked: append-only, together or not at all, on every database."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from typing import Any

import pytest

from grader.errors import GradebookError
from grader.gradebook import hand_marks
from grader.gradebook.hand_marks import Change, Fact, HandMark, Kind
from grader.gradebook.store import Gradebook
from grader.gradebook.tables import HandMarkRow

ADA = Fact(student="Åda <b>", item="quiz", kind=Kind.POINTS)
BEN = Fact(student="ben", item="quiz", kind=Kind.POINTS)


def points(fact: Fact, worth: str | None, comment: str = "") -> Change:
    given = None if worth is None else Decimal(worth)
    return Change(fact=fact, points=given, max_points=Decimal(20), comment=comment)


def test_the_newest_holds_and_everything_is_kept(book: Gradebook) -> None:
    book.hand_marks.record([points(ADA, "17.55")], who="prof", why="first")
    book.hand_marks.record([points(ADA, "18", "Good.")], who="ta", why="an appeal")
    book.hand_marks.record([points(ADA, None)], who="prof", why="no")
    kept = [(m.says.points, m.who, m.why) for m in book.hand_marks.history()]
    assert kept == [
        (Decimal("17.55"), "prof", "first"),
        (Decimal(18), "ta", "an appeal"),
        (None, "prof", "no"),
    ]
    assert book.hand_marks.newest()[ADA].says.points is None
    assert book.hand_marks.history()[1].says == points(ADA, "18", "Good.")


def test_nothing_is_said_twice(book: Gradebook) -> None:
    assert len(book.hand_marks.record([points(ADA, "1")], who="p", why="")) == 1
    assert book.hand_marks.record([points(ADA, "1"), points(BEN, None)], who="p", why="") == []


def test_a_conflict_keeps_everything_out(book: Gradebook) -> None:
    [first] = book.hand_marks.record([points(ADA, "1")], who="p", why="")
    book.hand_marks.record([points(ADA, "2")], who="ta", why="")
    changes = [points(BEN, "3"), points(ADA, "4")]
    with pytest.raises(GradebookError, match="changed meanwhile by ta"):
        book.hand_marks.record(changes, who="p", why="", seen={ADA: first.id, BEN: 0})
    assert BEN not in book.hand_marks.newest()
    assert book.hand_marks.newest()[ADA].says.points == 2


def test_of_two_who_saw_the_same_one_is_refused(url: str) -> None:
    """Whatever the order in which their transactions run."""

    def say(worth: int) -> bool:
        with Gradebook(url) as own:
            try:
                own.hand_marks.record([points(ADA, str(worth))], who="p", why="", seen={ADA: 0})
            except GradebookError as error:
                assert "changed meanwhile" in str(error)
                return False
            return True

    Gradebook(url).close()
    with ThreadPoolExecutor(6) as pool:
        assert sorted(pool.map(say, range(1, 7))) == [False] * 5 + [True]


def test_one_fact_is_said_once_at_a_time(book: Gradebook) -> None:
    with pytest.raises(GradebookError, match="twice at once"):
        book.hand_marks.record([points(ADA, "1"), points(ADA, "2")], who="p", why="")


def test_one_mark_reads_only_what_it_changes(
    book: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    others = [
        points(Fact(student=f"s{n}", item=item, kind=Kind.POINTS), "1")
        for n in range(40)
        for item in ("quiz", "exam")
    ]
    book.hand_marks.record([*others, points(ADA, "2")], who="p", why="")
    read: list[object] = []
    made = hand_marks._mark

    def noting(row: Any) -> HandMark:
        read.append(row)
        return made(row)

    monkeypatch.setattr(hand_marks, "_mark", noting)
    book.hand_marks.record([points(ADA, "3")], who="p", why="")
    assert len([row for row in read if not isinstance(row, HandMarkRow)]) == 1


def test_what_holds_of_one_student_or_item_is_a_part_of_the_whole(book: Gradebook) -> None:
    facts = [Fact(student=s, item=i, kind=Kind.POINTS) for s in "ab" for i in ("quiz", "exam")]
    book.hand_marks.record([points(fact, "1") for fact in facts], who="p", why="")
    whole = book.hand_marks.newest()
    assert book.hand_marks.newest(student="a") == {
        f: m for f, m in whole.items() if f.student == "a"
    }
    assert book.hand_marks.newest(student="a", item="exam") == {facts[1]: whole[facts[1]]}
    assert book.hand_marks.students() == {"a", "b"}


def test_more_students_than_are_named_to_the_database_are_read_all_the_same(
    book: Gradebook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grader.gradebook.hand_marks.MOST_NAMED", 1)
    book.hand_marks.record([points(ADA, "1"), points(BEN, "1")], who="p", why="")
    assert book.hand_marks.record([points(ADA, "1"), points(BEN, "1")], who="p", why="") == []
