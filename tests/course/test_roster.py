"""Matching with the roster: strict, and what is doubtful is left to a person."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.course.directory import Course
from grader.course.matches import load_matcher, read_matches
from grader.course.roster import (
    COLUMNS,
    Identity,
    Person,
    Roster,
    is_plain_id,
    load_roster,
    roster_from,
    roster_text,
)
from grader.errors import SpecError

ADA = Person(id="ada", name="Ada Lovelace", email="ada@uni.edu", number="17", canvas="900")
ZOE = Person(id="zoe", name="Zoë O'Brien-Núñez", email="zoe@uni.edu", login="zob", number="18")
LI1 = Person(id="li1", name="Li Wei", number="19")
LI2 = Person(id="li2", name="Li Wei", number="20")
ROSTER = Roster({p.id: p for p in (ADA, ZOE, LI1, LI2)})


@pytest.mark.parametrize(
    ("who", "student"),
    [
        (Identity(canvas="900", name="somebody"), "ada"),
        (Identity(number=" 18 "), "zoe"),
        (Identity(login="ZOB"), "zoe"),
        (Identity(login="ada"), "ada"),
        (Identity(email="ADA@UNI.edu"), "ada"),
        (Identity(name="Lovelace, Ada"), "ada"),
        (Identity(name="  ada   LOVELACE "), "ada"),
        (Identity(name="Zoe\u0308 O\u2019Brien-Nu\u0301n\u0303ez"), "zoe"),
        (Identity(name="Li Wei", number="20"), "li2"),
    ],
)
def test_one_student_is_meant_for_certain(who: Identity, student: str) -> None:
    assert ROSTER.match(who).student == student


@pytest.mark.parametrize(
    ("who", "candidates", "why"),
    [
        (Identity(name="Li Wei"), ("li1", "li2"), "several students"),
        (Identity(name="Zoe O'Brien-Nunez"), ("zoe",), "only nearly"),
        (Identity(name="Wei Li"), ("li1", "li2"), "only nearly"),
        (Identity(number="17", email="zoe@uni.edu"), ("ada", "zoe"), "different students"),
        (Identity(canvas="900", number="99"), ("ada",), "another number"),
        (Identity(name="Ada Lovelace", email="ada@else.org"), ("ada",), "another email"),
        (Identity(name="Alan Turing"), (), "not on the roster"),
        (Identity(), (), "not on the roster"),
    ],
)
def test_what_is_doubtful_is_not_guessed(
    who: Identity, candidates: tuple[str, ...], why: str
) -> None:
    match = ROSTER.match(who)
    assert (match.student, match.candidates) == (None, candidates)
    assert why in match.why


TEXT = st.text(st.characters(whitelist_categories=["L", "Nd", "P", "Zs"]), max_size=20).map(
    lambda text: " ".join(text.split())
)


@given(st.dictionaries(TEXT.filter(is_plain_id), TEXT, max_size=5))
def test_a_roster_reads_back_as_it_was_written(
    tmp_path_factory: pytest.TempPathFactory, names: dict[str, str]
) -> None:
    people = {
        (i := unicodedata.normalize("NFC", k)): Person(id=i, name=unicodedata.normalize("NFC", v))
        for k, v in names.items()
    }
    if len({k.casefold() for k in people}) < len(people):
        return
    path = tmp_path_factory.mktemp("r") / "roster.csv"
    path.write_text(roster_text(Roster(people)), encoding="utf-8")
    read = roster_from(path).people
    stripped = {k: v.name.lstrip("'") for k, v in people.items()}
    assert {k: p.name.lstrip("'") for k, p in read.items()} == stripped


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("name\nAda\n", "expected the columns"),
        ("id,shoe size\nada,38\n", "expected the columns"),
        ("id\n../ada\n", "can't be a student's id"),
        ("id,email\nada,a@b.c\nben,A@B.c\n", "is in line 2 too"),
        ("id\nada,1\n", "more cells"),
    ],
)
def test_a_wrong_roster_is_refused_with_its_line(text: str, what: str, tmp_path: Path) -> None:
    path = tmp_path / "roster.csv"
    path.write_text(text)
    with pytest.raises(SpecError, match=what):
        roster_from(path)


@given(st.binary(max_size=200))
def test_a_hostile_roster_is_refused_or_read(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    path = tmp_path_factory.mktemp("r") / "roster.csv"
    path.write_bytes(b"id,name\n" + data)
    try:
        roster_from(path)
    except SpecError:
        pass


def test_what_a_person_wrote_into_the_list_holds(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text(roster_text(ROSTER))
    course = Course(tmp_path)
    matcher = load_matcher(course)
    assert matcher.match("moodle", Identity(name="Li Wei")).student is None
    assert matcher.match("moodle", Identity(name="=cmd()")).student is None
    assert (matcher.save(), matcher.save()) == (2, 0)
    text = (tmp_path / "matches.csv").read_text()
    assert "'=cmd()" in text
    [_, row, *_] = text.splitlines()
    (tmp_path / "matches.csv").write_text(text.replace(row, f"{row}li2"))
    assert load_matcher(course).match("moodle", Identity(name="li  wei")).student == "li2"
    assert [r["student"] for _, r in read_matches(tmp_path / "matches.csv")] == ["li2", ""]


def test_an_answer_that_names_nobody_is_refused(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text(roster_text(ROSTER))
    (tmp_path / "matches.csv").write_text("system,key,student\nmoodle,Li Wei,li3\n")
    with pytest.raises(SpecError, match="no student 'li3'"):
        load_matcher(Course(tmp_path))


def test_without_a_file_the_roster_is_empty(tmp_path: Path) -> None:
    assert not load_roster(Course(tmp_path))
    assert set(COLUMNS) >= {"id", "name", "email", "section"}


def test_a_roster_that_changes_is_read_again_and_one_that_does_not_is_kept(tmp_path: Path) -> None:
    course = Course(tmp_path)
    assert load_roster(course).people == {}
    (tmp_path / "roster.csv").write_text("id,name\nada,Ada\n")
    found = load_roster(course)
    assert set(found.people) == {"ada"}
    assert load_roster(course) is found
    (tmp_path / "roster.csv").write_text("id,name\nben,Ben\n")
    assert set(load_roster(course).people) == {"ben"}
    (tmp_path / "roster.csv").unlink()
    assert load_roster(course).people == {}
