"""Blackboard, Brightspace, Gradescope, ILIAS, nbgrader and Sakai, each by its own rules."""

from __future__ import annotations

from decimal import Decimal

import pytest

from grader.course.roster import Identity, Person
from grader.errors import UsageError
from grader.lms.blackboard import Blackboard
from grader.lms.brightspace import Brightspace
from grader.lms.gradescope import Gradescope
from grader.lms.ilias import Ilias
from grader.lms.lms_table import table_from
from grader.lms.nbgrader import Nbgrader
from grader.lms.sakai import Sakai
from grader.lms.system import AmbiguousError, FileOwner, MarkColumn

from .told import ISTANBUL, ROSTER, context, owner, told, utc

BLACKBOARD, BRIGHTSPACE, GRADESCOPE = Blackboard(), Brightspace(), Gradescope()
ILIAS, NBGRADER, SAKAI = Ilias(), Nbgrader(), Sakai()
ATTEMPT = "hw1_lovea_attempt_2024-03-05-23-59-00"
ADA_THERE = Identity(login="lovea", other="hw1_lovea")

# -- Blackboard


@pytest.mark.parametrize(
    ("path", "file"),
    [
        (f"{ATTEMPT}_hw1.ipynb", "hw1.ipynb"),
        (f"{ATTEMPT}_a.zip/b/hw1.ipynb", "a.zip/b/hw1.ipynb"),
        (f"{ATTEMPT}.txt", ""),
    ],
)
def test_blackboard_tells_login_time_and_file_by_the_name(path: str, file: str) -> None:
    assert owner(BLACKBOARD, path) == FileOwner(ADA_THERE, file, at=utc(5, 20, 59))


def test_blackboards_own_words_tell_the_name_where_the_path_agrees() -> None:
    words = "\ufeffName: Ada  King Lovelace (lovea)\r\nAssignment: hw1\n".encode()
    found = owner(BLACKBOARD, f"{ATTEMPT}_hw1.ipynb", {f"{ATTEMPT}.txt": words})
    assert found is not None
    assert found.who == Identity(login="lovea", name="Ada King Lovelace", other="hw1_lovea")
    for forged in (b"Name: Eve (eve)\n", b"Name: Eve (a)\n", b"nonsense", b""):
        found = owner(BLACKBOARD, f"{ATTEMPT}_hw1.ipynb", {f"{ATTEMPT}.txt": forged})
        assert found is not None and found.who == ADA_THERE
    for elsewhere in (f"x/{ATTEMPT}.txt", f"{ATTEMPT}_x.txt"):
        assert told(BLACKBOARD, {elsewhere: words}).entries == {}
    assert told(BLACKBOARD, {f"{ATTEMPT}.txt": None}).entries == {}


def test_blackboards_words_are_looked_for_where_they_lie() -> None:
    assert BLACKBOARD.is_sidecar(f"class/x/{ATTEMPT}.txt")
    assert not BLACKBOARD.is_sidecar(f"{ATTEMPT}_hw1.ipynb")
    assert not BLACKBOARD.is_sidecar("notes.txt")


def test_a_login_with_an_underscore_is_read_as_the_roster_has_it() -> None:
    found = owner(BLACKBOARD, "hw_1_zoe_x_attempt_2024-03-05-23-59-00_a.ipynb")
    assert found is not None and found.who.login == "x"
    with pytest.raises(AmbiguousError) as doubtful:
        owner(BLACKBOARD, "hw1_zoe_n_attempt_2024-03-05-23-59-00_a.ipynb")
    assert str(doubtful.value) == "its name can be read as that of several students"
    found = owner(BLACKBOARD, "solo_attempt_2024-03-05-23-59-00_a.ipynb")
    assert found is not None and found.who.login == "solo"


def test_blackboard_marks_go_into_columns_with_an_id() -> None:
    header = (
        "Last Name,Username,Warm-up [Total Pts: 10 Score] |5,"
        '"Quiz [Total Pts: up to 7,5 Percentage] |6",Sum [Total Pts: 20],Open [Total Pts: ] |7'
    )
    table = table_from(f"{header}\nLovelace,lovea,,,,\n".encode())
    assert BLACKBOARD.exported(frozenset({"username", "last name", "x"}))
    assert not BLACKBOARD.exported(frozenset({"username"}))
    assert [(c.place, c.title, c.max_points) for c in BLACKBOARD.targets(table)] == [
        (2, "Warm-up", Decimal(10)),
        (3, "Quiz", Decimal("7.5")),
        (5, "Open", None),
    ]
    assert BLACKBOARD.targets(table)[0].name == "Warm-up [Total Pts: 10 Score] |5"


@pytest.mark.parametrize(
    ("columns", "cells"),
    [
        ("Feedback to Learner,Feedback Format", "good,PLAIN_TEXT"),
        ("Feedback Format,Feedback to Learner", "PLAIN_TEXT,good"),
        ("Feedback to Learner,Other", "good,"),
    ],
)
def test_a_comment_of_blackboards_is_plain_text_where_the_file_tells_the_form(
    columns: str, cells: str
) -> None:
    table = table_from(f"Username,{columns}\nlovea,,\nzoe,,\n".encode())
    assert BLACKBOARD.set_comment(table, table.lines[0], ["good"]) == "good"
    assert table.to_bytes().decode().splitlines()[1:] == [f"lovea,{cells}", "zoe,,"]


# -- Brightspace


@pytest.mark.parametrize("clock", ["1159 PM", "11:59 PM"])
def test_brightspace_tells_name_ids_and_time_by_the_folder(clock: str) -> None:
    top = f"41-42 - Ada  Lovelace - Mar 5, 2024 {clock}"
    who = Identity(name="Ada Lovelace", other="41-42")
    at = utc(5, 20, 59)
    assert owner(BRIGHTSPACE, f"{top}/a/hw1.ipynb") == FileOwner(who, "a/hw1.ipynb", at=at)
    assert owner(BRIGHTSPACE, f"{top} - hw1.ipynb") == FileOwner(who, "hw1.ipynb", at=at)
    assert owner(BRIGHTSPACE, top) == FileOwner(who, "nothing", at=at)
    assert owner(BRIGHTSPACE, "index.html") is None


def test_an_archive_is_brightspaces_where_every_folder_is() -> None:
    top = "41-42 - Ada Lovelace - Mar 5, 2024 1159 PM"
    assert BRIGHTSPACE.made([f"{top}/a", "index.html"])
    assert not BRIGHTSPACE.made(["index.html"])
    assert not BRIGHTSPACE.made([f"{top}/a", "b"])


def test_brightspaces_ids_lose_their_sign_and_columns_of_points_take_marks() -> None:
    table = table_from(
        b"OrgDefinedId,Username,Warm-up Points Grade <Numeric MaxPoints:7.5 Weight:5>,"
        b"Quiz Points Grade,Notes,End-of-Line Indicator\n#17,#lovea,,,,#\n"
    )
    [(_, who, *_)] = BRIGHTSPACE.people(table)
    assert (who.number, who.login) == ("17", "lovea")
    assert BRIGHTSPACE.targets(table) == [
        MarkColumn(
            2,
            "Warm-up Points Grade <Numeric MaxPoints:7.5 Weight:5>",
            Decimal("7.5"),
            "Warm-up",
        ),
        MarkColumn(3, "Quiz Points Grade", None, "Quiz"),
    ]
    assert BRIGHTSPACE.exported(frozenset({"orgdefinedid"}))
    assert BRIGHTSPACE.exported(frozenset({"end-of-line indicator"}))
    assert not BRIGHTSPACE.exported(frozenset({"username"}))
    assert BRIGHTSPACE.over_maximum() == (
        "; Brightspace takes it only where the item can exceed its maximum"
    )


# -- Gradescope

METADATA = b"""notes: here
submission_4: gone
submission_5:
  :submitters:
  - :name: Ada   Lovelace
    :sid: '17'
    :email: a@uni.edu
  - nobody
  - :name: ''
  - :sid: '18'
  :created_at: 2024-03-05 20:59:00 Z
submission_6:
  :submitters: none
submission_7:
  :submitters:
  - :name: Zoe
  :created_at: 5
"""
EXPORT: dict[str, bytes | None] = {"submission_metadata.yml": METADATA}


def test_gradescopes_metadata_tells_who_handed_in_together_and_when() -> None:
    ada = Identity(name="Ada Lovelace", number="17", email="a@uni.edu")
    assert owner(GRADESCOPE, "submission_5/a/hw1.ipynb", EXPORT) == FileOwner(
        ada, "a/hw1.ipynb", at=utc(5, 20, 59), others=(Identity(number="18"),)
    )
    assert owner(GRADESCOPE, "submission_7", EXPORT) == FileOwner(Identity(name="Zoe"), "nothing")
    for nobodys in ("submission_4/x", "submission_6/x", "submission_9/x", "x/submission_5"):
        assert owner(GRADESCOPE, nobodys, EXPORT) is None
    assert told(GRADESCOPE, EXPORT).roster is ROSTER
    assert told(GRADESCOPE, EXPORT).zone is ISTANBUL


@pytest.mark.parametrize("beside", [{}, {"submission_metadata.yml": None}, {"x": b"a"}])
def test_an_export_without_its_metadata_is_refused(beside: dict[str, bytes | None]) -> None:
    with pytest.raises(UsageError) as refused:
        told(GRADESCOPE, beside)
    assert refused.value.what == "the export holds no submission_metadata.yml that can be read"
    assert refused.value.hint == "Take the whole export, as Gradescope makes it."


def test_metadata_that_is_no_yaml_is_refused_with_what_is_wrong() -> None:
    with pytest.raises(UsageError) as refused:
        told(GRADESCOPE, {"submission_metadata.yml": b"a: [1, 2"})
    assert refused.value.what.startswith("submission_metadata.yml can't be read: while parsing")
    assert told(GRADESCOPE, {"submission_metadata.yml": b"- a"}).entries == {}


def test_an_archive_is_gradescopes_with_its_metadata_alone() -> None:
    assert GRADESCOPE.made(["submission_metadata.yml", "submission_5/x"])
    assert not GRADESCOPE.made(["submission_5/x"])
    assert not GRADESCOPE.made(["submission_metadata.yml", "submission_5/x", "y"])
    assert GRADESCOPE.is_sidecar("class/submission_metadata.yml")
    assert not GRADESCOPE.is_sidecar("submission_5/x.yml")


def test_gradescopes_status_and_maximum_are_filled_in_where_they_are_empty() -> None:
    table = table_from(b"SID,Email,Total Score,Max Points,Status\n17,a,,,\n18,b,,7.0,Ungraded\n")
    assert GRADESCOPE.exported(frozenset({"sid", "email"}))
    assert GRADESCOPE.exported(frozenset({"total score", "email"}))
    assert not GRADESCOPE.exported(frozenset({"email"}))
    assert not GRADESCOPE.exported(frozenset({"sid"}))
    assert GRADESCOPE.targets(table) == [MarkColumn(2, "Total Score", Decimal("7.0"))]
    for line in table.lines:
        GRADESCOPE.finish(table, line, Decimal("12.50"))
    assert table.to_bytes().splitlines()[1:] == [b"17,a,,12.5,Graded", b"18,b,,7.0,Ungraded"]


# -- ILIAS

HEAD = "Lovelace_Ada_lovea_311"


def test_ilias_tells_name_login_and_number_by_the_folder() -> None:
    who = Identity(login="lovea", name="Lovelace, Ada", other="311")
    for path in (f"Multi_Feedback_1/{HEAD}/a/x", f"Abgaben/{HEAD}/a/x", f"{HEAD}/a/x"):
        assert owner(ILIAS, path) == FileOwner(who, "a/x")
    assert owner(ILIAS, HEAD) == FileOwner(who, "")
    assert owner(ILIAS, "status.csv") is None


def test_an_unknown_login_of_ilias_is_the_last_part_and_a_doubtful_one_is_refused() -> None:
    found = owner(ILIAS, "Van_Der_Berg_vdb_5/x")
    assert found is not None and found.who.login == "vdb"
    assert found.who.name == "Van, Der_Berg"
    with pytest.raises(AmbiguousError) as doubtful:
        owner(ILIAS, "A_B_zoe_n_5/x")
    assert str(doubtful.value) == "its name can be read as that of several students"


def test_of_an_ilias_team_those_count_whose_folders_hold_files() -> None:
    files: dict[str, bytes | None] = {f"Team_7/{HEAD}/x": b"", "Team_7/Noe_Neo_n_312/": b""}
    found = owner(ILIAS, f"Team_7/{HEAD}/x", files)
    assert found is not None and found.who.login == "lovea"
    assert owner(ILIAS, "Team_7/Noe_Neo_n_312/", files) is None
    with pytest.raises(AmbiguousError) as doubtful:
        owner(ILIAS, "Team_7/notes.txt", files)
    assert str(doubtful.value) == "it is of Team_7, and in no member's folder"
    assert owner(ILIAS, "Team_7", files) is None


@pytest.mark.parametrize(
    ("paths", "is_ilias"),
    [
        ([f"{HEAD}/x", "status.csv"], True),
        ([f"{HEAD}/x", "STATUS.xlsx"], True),
        ([f"Multi_Feedback_1/{HEAD}/x"], True),
        ([f"Team 7/{HEAD}/x", "Team 7/notes"], True),
        ([f"{HEAD}/x"], False),
        ([f"{HEAD}/x", "readme.md"], False),
        (["status.csv"], False),
        ([f"{HEAD}/x", "status.csv", "y/z"], False),
        (["Team 7/notes/x"], False),
    ],
)
def test_an_archive_is_iliases_where_something_of_its_own_says_so(
    paths: list[str], is_ilias: bool
) -> None:
    assert ILIAS.made(paths) is is_ilias


@pytest.mark.parametrize(
    ("given", "name", "may"),
    [
        ("Mueller, Joerg", "Jörg Müller", True),
        ("Muller, Jorg", "Jörg Müller", True),
        ("Mallory, Eve", "Jörg Müller", False),
        ("anything", "", True),
    ],
)
def test_a_name_is_compared_as_ilias_writes_it(given: str, name: str, may: bool) -> None:
    assert ILIAS.may_be(Identity(name=given), Person(id="x", name=name)) is may


def test_a_line_of_ilias_is_taken_once_its_update_is_1() -> None:
    table = table_from(b"update,usr_id,login,mark\n0,311,lovea,\n")
    assert ILIAS.exported(frozenset({"usr_id", "login", "mark"}))
    assert not ILIAS.exported(frozenset({"login", "mark"}))
    assert ILIAS.targets(table) == [MarkColumn(3, "mark")]
    ILIAS.finish(table, table.lines[0], Decimal(10))
    assert table.to_bytes().endswith(b"1,311,lovea,\n")
    without = table_from(b"usr_id,login,mark\n311,lovea,\n")
    ILIAS.finish(without, without.lines[0], Decimal(10))
    assert without.to_bytes() == b"usr_id,login,mark\n311,lovea,\n"


# -- nbgrader

INBOUND = "lovea+hw1+2024-03-05 20:59:00.123456 UTC"


def test_nbgraders_exchange_tells_who_and_when_by_the_folder() -> None:
    files: dict[str, bytes | None] = {f"{INBOUND}/timestamp.txt": b"2020-01-01 00:00:00"}
    at = utc(5, 20, 59)
    for top in (INBOUND, f"{INBOUND}+aB3-_xYz1234"):
        found = owner(NBGRADER, f"{top}/a/hw1.ipynb", files)
        assert found is not None
        assert (found.who, found.file) == (Identity(login="lovea"), "a/hw1.ipynb")
        assert found.at is not None and found.at.replace(microsecond=0) == at
    for own in ("timestamp.txt", "submission_secret.txt"):
        found = owner(NBGRADER, f"{INBOUND}/{own}", files)
        assert found is not None and found.file == ""
    other = INBOUND.replace("hw1", "hw2")
    assert owner(NBGRADER, f"{other}/hw2.ipynb", files) is None


def test_nbgraders_submitted_folder_tells_who_and_its_timestamp_when() -> None:
    files: dict[str, bytes | None] = {
        "lovea/hw1/timestamp.txt": b"2024-03-05 23:59:00",
        "n/hw1/timestamp.txt": None,
        "lovea/hw2/timestamp.txt": b"2024-03-09 23:59:00",
    }
    assert owner(NBGRADER, "lovea/hw1/a/hw1.ipynb", files) == FileOwner(
        Identity(login="lovea"), "a/hw1.ipynb", at=utc(5, 20, 59)
    )
    assert owner(NBGRADER, "lovea/hw1/timestamp.txt", files) == FileOwner(
        Identity(login="lovea"), "", at=utc(5, 20, 59)
    )
    assert owner(NBGRADER, "n/hw1/x", files) == FileOwner(Identity(login="n"), "x")
    assert owner(NBGRADER, "lovea/hw2/x", files) is None
    assert owner(NBGRADER, "lovea/hw1", files) is None
    assert NBGRADER.is_sidecar("a/b/timestamp.txt") and not NBGRADER.is_sidecar("a/b/x.txt")


def test_an_export_of_another_assignment_is_refused_with_what_there_is() -> None:
    files: dict[str, bytes | None] = {f"a/{n}/timestamp.txt": b"" for n in ("p1", "p2")}
    with pytest.raises(UsageError) as refused:
        told(NBGRADER, files)
    assert refused.value.what == "no folder of nbgrader's is named hw1"
    assert refused.value.hint == ("There are: p1, p2. Give the folder of one assignment that name.")
    with pytest.raises(UsageError) as refused:
        told(NBGRADER, {})
    assert refused.value.hint == ("There are: none. Give the folder of one assignment that name.")
    assert told(NBGRADER, {"a/p1/timestamp.txt": b""}).folder == "p1"


@pytest.mark.parametrize(
    ("paths", "is_nbgraders"),
    [
        ([f"{INBOUND}/x"], True),
        (["lovea/hw1/timestamp.txt", "lovea/hw1/x", "n/hw1/timestamp.txt"], True),
        (["lovea/hw1/timestamp.txt", "n/hw1/x"], False),
        (["Homework 1/Lovelace, Ada(lovea)/timestamp.txt"], False),
        ([f"round/{INBOUND}/timestamp.txt"], False),
        (["lovea/hw1/timestamp.txt"], True),
        (["lovea/hw1/a/timestamp.txt"], False),
        ([f"{s}/hw1/timestamp.txt" for s in "ab"] + ["by_hand/hw1/x.ipynb"], True),
        ([f"{s}/hw1/timestamp.txt" for s in "ab"] + ["by_hand/x.ipynb"], False),
        ([f"{s}/hw1/timestamp.txt" for s in "ab"] + ["by_hand/hw2/x.ipynb"], False),
        ([f"{s}/hw1/timestamp.txt" for s in "ab"] + ["x.ipynb"], False),
        (["a/hw1/timestamp.txt", "b/hw1/timestamp.txt", "c/hw1/x", "d/hw1/x"], False),
    ],
)
def test_an_archive_is_nbgraders_where_most_students_have_a_timestamp(
    paths: list[str], is_nbgraders: bool
) -> None:
    assert NBGRADER.made(paths) is is_nbgraders


def test_of_nbgraders_grades_the_lines_of_one_assignment_are_taken() -> None:
    table = table_from(b"assignment,student_id\nHW1,lovea\nhw2,lovea\nHW1,n\n")
    lines = list(NBGRADER.people(table))
    taken = NBGRADER.of_assignment(table, lines, context().is_named)
    assert [line.number for line, *_ in taken] == [2, 4]
    without = table_from(b"student_id\nlovea\n")
    assert len(list(NBGRADER.of_assignment(without, NBGRADER.people(without), bool))) == 1
    for is_named, what, hint in (
        (lambda name: True, "several names of the file", "There are: HW1, hw2."),
        (lambda name: False, "no line of the file", "There are: HW1, hw2."),
    ):
        with pytest.raises(UsageError) as refused:
            list(NBGRADER.of_assignment(table, lines, is_named))
        assert refused.value.what == f"{what} could be the assignment's"
        assert refused.value.hint == hint
    assert NBGRADER.exported(frozenset({"student_id"}))
    assert NBGRADER.exported(frozenset({"id", "first_name", "last_name"}))
    assert not NBGRADER.exported(frozenset({"id", "first_name"}))


# -- Sakai

FOLDER = "Lovelace, Ada (lovea)"
SAKAI_ADA = Identity(login="lovea", name="Lovelace, Ada")


@pytest.mark.parametrize("stamp", [b"20240305205900000\n", b"2024-03-05T20:59:00Z"])
def test_sakai_tells_name_login_and_time(stamp: bytes) -> None:
    files: dict[str, bytes | None] = {f"{FOLDER}/timestamp.txt": stamp}
    at = utc(5, 20, 59)
    path = f"{FOLDER}/Submission attachment(s)/a/x"
    assert owner(SAKAI, path, files) == FileOwner(SAKAI_ADA, "a/x", at=at)
    assert owner(SAKAI, f"{FOLDER}/comments.txt", files) == FileOwner(SAKAI_ADA, "", at=at)
    assert owner(SAKAI, path) == FileOwner(SAKAI_ADA, "a/x")
    assert owner(SAKAI, "grades.csv", files) is None
    assert told(SAKAI, {f"{FOLDER}/timestamp.txt": None}).entries == {}
    assert told(SAKAI).roster is ROSTER and told(SAKAI).zone is ISTANBUL
    assert SAKAI.is_sidecar("a/timestamp.txt") and not SAKAI.is_sidecar("a/x")


def test_an_archive_is_sakais_where_a_folder_holds_what_was_handed_in() -> None:
    assert SAKAI.made([f"{FOLDER}/timestamp.txt", "Grades.csv", "Noe, Neo(n)/comments.txt"])
    assert SAKAI.made([f"{FOLDER}/Submission attachment(s)/x"])
    assert not SAKAI.made([f"{FOLDER}/x"])
    assert not SAKAI.made([f"{FOLDER}/timestamp.txt", "x/y"])
    assert not SAKAI.made(["grades.csv"])


def test_sakais_header_comes_after_the_assignments_own_line() -> None:
    data = b'"hw1","Points"\n\nDisplay ID,ID,Last Name,grade\n17,lovea,Lovelace,\n'
    table = table_from(data)
    SAKAI.prepare(table)
    assert table.columns == ("Display ID", "ID", "Last Name", "grade")
    assert SAKAI.targets(table) == [MarkColumn(3, "grade")]
    [(_, who, *_)] = SAKAI.people(table)
    assert (who.login, who.number) == ("lovea", "17")
    late = table_from(b"hw1\n" + b"x\n" * 5 + b"Display ID\n")
    SAKAI.prepare(late)
    assert late.columns == ("hw1",)
    fifth = table_from(b"hw1\n" + b"x\n" * 4 + b"Display ID\n")
    SAKAI.prepare(fifth)
    assert fifth.columns == ("Display ID",)
    assert SAKAI.exported(frozenset({"display id", "id", "last name"}))
    assert not SAKAI.exported(frozenset({"display id", "id"}))
