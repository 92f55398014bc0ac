"""Every system keeps the same contract: what it makes is recognised, and read, as its own alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal
from importlib.metadata import EntryPoint, EntryPoints
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader import plugins
from grader.course.matches import Matcher
from grader.course.roster import Person, Roster
from grader.errors import UsageError
from grader.gradebook.exports.filling import fill
from grader.gradebook.exports.scores import Column, ExportScore
from grader.lms.lms_table import table_from
from grader.lms.registry import named, system_of, system_that_made, systems
from grader.lms.system import System
from tests.intake.archives import NOTEBOOK
from tests.intake.test_class_archives import OTHER, at, of, taken

ROSTER = Roster(
    {
        "ada": Person(id="ada", name="Ada Lovelace", login="lovea", number="17", canvas="900"),
        "zoe": Person(id="zoe", name="Zoë O'Brien-Núñez", login="zoe_n", number="18", canvas="901"),
        "joerg": Person(id="joerg", name="Jörg Müller", login="jmue", number="19", canvas="902"),
    }
)


@dataclass(frozen=True)
class Made:
    """What a system makes of one hand-in of Ada's, and its table in which she is to get 9.5."""

    archive: dict[str, bytes] = field(default_factory=dict)
    when: str = ""
    table: str = ""
    filled: str = ""
    item: str = "Warm-up"


METADATA = b"""submission_5:
  :submitters:
  - :name: Ada Lovelace
    :sid: '17'
  :created_at: 2024-03-05 20:59:00.1 Z
"""
SYSTEMS = {
    "canvas": Made(
        {"lovelaceada_900_5001_hw1-1.ipynb": NOTEBOOK},
        table="Student,ID,SIS Login ID,Section,Warm-up (77)\n"
        '    Points Possible,,,,10\n"Lovelace, Ada",900,lovea,A,\n',
        filled='"Lovelace, Ada",900,lovea,A,9.50\n',
    ),
    "moodle": Made(
        {"Ada Lovelace_31_assignsubmission_file/hw1.ipynb": NOTEBOOK},
        table="Identifier,Full name,ID number,Grade,Maximum Grade,Last modified (grade)\n"
        "Participant 31,Ada Lovelace,17,,10.00,-\n",
        filled="Participant 31,Ada Lovelace,17,9.50,10.00,-\n",
    ),
    "blackboard": Made(
        {"hw1_lovea_attempt_2024-03-05-23-59-00_hw1.ipynb": NOTEBOOK},
        when="05 20:59 UTC",
        table="Last Name,First Name,Username,Warm-up [Total Pts: 10 Score] |5\n"
        "Lovelace,Ada,lovea,\n",
        filled="Lovelace,Ada,lovea,9.50\n",
    ),
    "gradescope": Made(
        {"submission_5/hw1.ipynb": NOTEBOOK, "submission_metadata.yml": METADATA},
        when="05 20:59 UTC",
        table="First Name,Last Name,SID,Email,Total Score,Max Points,Status\n"
        "Ada,Lovelace,17,a@uni.edu,,10.0,Missing\n",
        filled="Ada,Lovelace,17,a@uni.edu,9.50,10.0,Missing\n",
    ),
    "nbgrader": Made(
        {
            "lovea+hw1+2024-03-05 20:59:00.123456 UTC+aB3-_xYz1234/hw1.ipynb": NOTEBOOK,
            "lovea+hw1+2024-03-05 20:59:00.123456 UTC+aB3-_xYz1234/timestamp.txt": b"2020-01-01",
            "lovea+hw1+2024-03-05 20:59:00.123456 UTC+aB3-_xYz1234/submission_secret.txt": b"x",
            "jmue+hw0+2024-01-05 20:59:00.123456 UTC/hw0.ipynb": OTHER,
        },
        when="05 20:59 UTC",
    ),
    "brightspace": Made(
        {
            "41516-3142 - Ada Lovelace - Mar 5, 2024 1159 PM/hw1.ipynb": NOTEBOOK,
            "index.html": b"<html>",
        },
        when="05 20:59 UTC",
        table="OrgDefinedId,Username,Last Name,First Name,"
        "Warm-up Points Grade <Numeric MaxPoints:10 Weight:5>,End-of-Line Indicator\n"
        "#17,#lovea,Lovelace,Ada,,#\n",
        filled="#17,#lovea,Lovelace,Ada,9.50,#\n",
    ),
    "ilias": Made(
        {
            "Multi_Feedback_Individual_Blatt_1_12/Lovelace_Ada_lovea_311/hw1.ipynb": NOTEBOOK,
            "status.csv": b"update,usr_id,login",
            "status.xlsx": b"PK",
            "README.md": b"# Multi-Feedback",
            "checksums.json": b"{}",
        },
        table="update,usr_id,login,lastname,firstname,status,mark,notice,comment\n"
        "0,311,lovea,Lovelace,Ada,notgraded,,,\n",
        filled="1,311,lovea,Lovelace,Ada,notgraded,9.50,,\n",
    ),
    "sakai": Made(
        {
            "Homework 1/Lovelace, Ada(lovea)/Submission attachment(s)/hw1.ipynb": NOTEBOOK,
            "Homework 1/Lovelace, Ada(lovea)/timestamp.txt": b"20240305205900000",
            "Homework 1/Lovelace, Ada(lovea)/Lovelace, Ada(lovea)_submissionText.html": b"",
            "Homework 1/Lovelace, Ada(lovea)/comments.txt": b"",
            "Homework 1/grades.csv": b"Homework 1,Points\n",
        },
        when="05 20:59 UTC",
        table='"Homework 1","Points"\n\nDisplay ID,ID,Last Name,First Name,grade\n'
        '"17","lovea","Lovelace","Ada",""\n',
        filled='"17","lovea","Lovelace","Ada","9.50"\n',
    ),
}
ARCHIVES = [name for name, made in SYSTEMS.items() if made.archive]
TABLES = [name for name, made in SYSTEMS.items() if made.table]


def test_every_system_is_in_this_table() -> None:
    assert {system.name for system in systems()} == {*SYSTEMS, "csv"}
    assert {s.name for s in systems() if s.download} == set(TABLES)


@pytest.mark.parametrize("name", ARCHIVES)
def test_an_archive_is_recognised_and_gives_whose_it_is_and_when(name: str, tmp_path: Path) -> None:
    made = SYSTEMS[name]
    for packed in (made.archive, {f"class/{p}": data for p, data in made.archive.items()}):
        for system in (None, named(name)):
            got = taken(tmp_path, *packed.items(), roster=ROSTER, system=system)
            assert list(of(got)) == ["ada"]
            assert of(got)["ada"].startswith("hw1")
            assert at(got)["ada"] == made.when
            assert [r.reason for r in got.refused if "metadata" not in r.source] == []


@pytest.mark.parametrize("name", ARCHIVES)
def test_only_one_system_takes_an_archive_for_its_own(name: str) -> None:
    paths = {path.removeprefix("Homework 1/") for path in SYSTEMS[name].archive}
    made = [system.name for system in systems() if system.made(paths)]
    assert made[:1] == [name] == made
    assert system_that_made(paths) is named(name)


@pytest.mark.parametrize("name", ARCHIVES)
def test_one_students_names_do_not_make_a_class_of_folders_a_systems(
    name: str, tmp_path: Path
) -> None:
    """Whoever calls their own files as a system does takes nobody else's away."""
    files = {f"eve/{path}": OTHER for path in SYSTEMS[name].archive if path.endswith("ipynb")}
    got = taken(tmp_path, ("ada/hw1.ipynb", NOTEBOOK), *files.items(), roster=ROSTER)
    assert sorted(of(got)) == ["ada", "eve"]


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_recognised_and_filled_and_nothing_else_in_it_changes(name: str) -> None:
    made = SYSTEMS[name]
    table = table_from(made.table.encode())
    system = system_of(table)
    assert system.name == name
    assert [student for _, who, *_ in system.people(table) if (student := who.keys)]
    column = Column("hw1", made.item, Decimal(10), {"ada": ExportScore(Decimal("9.5"))})
    done = fill(table, system, [column], Matcher(ROSTER, Path("matches.csv")))
    before = made.table.splitlines(keepends=True)
    assert table.to_bytes().decode() == "".join(before[:-1]) + made.filled
    assert done.filled == 1
    assert done.warnings == []


@settings(deadline=None)
@given(
    st.sampled_from([path for made in SYSTEMS.values() for path in made.archive]),
    st.text(max_size=20),
    st.integers(0, 90),
)
def test_any_path_belongs_to_one_or_none_and_never_raises_else(
    path: str, noise: str, place: int
) -> None:
    from grader.lms.system import AmbiguousError, Context, Sidecar

    hostile = path[:place] + noise.replace("/", "") + path[place:]
    for system in systems():
        system.made({hostile})
        context = Context("hw1", ROSTER, taken.__globals__["ISTANBUL"], lambda folder: True)
        files = [Sidecar(hostile, 4, lambda: b"\xff\x00{["), Sidecar("x", None, bytes)]
        try:
            system.place_of(hostile, system.told_by(files, context))
        except (AmbiguousError, UsageError):
            continue


def test_brightspace_names_in_which_a_time_was_put_are_refused(tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("1-2 - Ada Lovelace - Mar 5, 2024 1159 PM/hw1.ipynb", NOTEBOOK),
        ("3-2 - Zoë O'Brien-Núñez - Mar 1, 2024 100 AM - Mar 9, 2024 100 AM/hw1.ipynb", OTHER),
        roster=ROSTER,
    )
    assert list(of(got)) == ["ada"]
    assert [r.reason for r in got.refused] == ["its name can be read in two ways"]


def test_brightspace_attempts_are_put_in_order_of_their_times(tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("1-2 - Ada Lovelace - Mar 5, 2024 117 PM/hw1.ipynb", OTHER),
        ("1-2 - Ada Lovelace - Mar 5, 2024 11:59 AM/hw1.ipynb", NOTEBOOK),
        roster=ROSTER,
        counts="best",
    )
    assert [f"{s.attempt} {s.submitted_at:%H:%M}" for s in got.submissions] == [
        "1 08:59",
        "2 10:17",
    ]


def test_an_ilias_team_has_one_submission_of_who_put_it_there(tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("Blatt 1/Abgaben/Team_7/Lovelace_Ada_lovea_311/hw1.ipynb", NOTEBOOK),
        ("Blatt 1/Abgaben/Team_7/Mueller_Joerg_jmue_312/", b""),
        ("Blatt 1/Abgaben/Team_8/O_Brien_Zoe_zoe_n_313/hw1.ipynb", OTHER),
        ("Blatt 1/Abgaben/Team_8/notes.txt", b"x"),
        roster=ROSTER,
    )
    assert "joerg" not in of(got)
    assert of(got)["ada"] == "hw1.ipynb"
    assert "it is of Team_8, and in no member's folder" in [r.reason for r in got.refused]


def test_an_ilias_login_that_ends_in_anothers_is_doubtful(tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("Multi_Feedback_1/Mallory_Eve_x_lovea_9/hw1.ipynb", OTHER),
        ("Multi_Feedback_1/Mueller_Joerg_jmue_312/hw1.ipynb", NOTEBOOK),
        roster=ROSTER,
    )
    assert "ada" not in of(got)
    assert "joerg" in of(got)  # ILIAS writes ö as oe


def test_folders_that_only_look_like_ilias_are_a_class_of_folders(tmp_path: Path) -> None:
    got = taken(tmp_path, ("smith_john_hw_1/a.ipynb", NOTEBOOK), ("doe_jane_hw_1/a.ipynb", OTHER))
    assert sorted(of(got)) == ["doe_jane_hw_1", "smith_john_hw_1"]


def test_an_nbgrader_user_may_hold_a_plus(tmp_path: Path) -> None:
    roster = Roster({"a": Person(id="a", login="a+b@uni.edu")})
    path = "a+b@uni.edu+hw1+2024-03-05 20:59:00 UTC/hw1.ipynb"
    assert at(taken(tmp_path, (path, NOTEBOOK), roster=roster)) == {"a": "05 20:59 UTC"}


def test_another_package_adds_a_system(monkeypatch: pytest.MonkeyPatch) -> None:
    def points(group: str) -> EntryPoints:
        value = "tests.lms.test_systems:Olat"
        return EntryPoints([EntryPoint("olat", value, group)])

    monkeypatch.setattr(plugins, "entry_points", points)
    systems.cache_clear()
    try:
        assert named("olat").title == "OLAT"
        assert system_of(table_from(b"Institutional number,Name\n1,Ada\n")).name == "olat"
        monkeypatch.setattr(
            plugins,
            "entry_points",
            lambda group: EntryPoints([EntryPoint("x", "no.such.module:X", group)]),
        )
        systems.cache_clear()
        with pytest.raises(UsageError, match=r"no\.such\.module:X can't be loaded"):
            systems()
    finally:
        systems.cache_clear()


class Olat(System):
    """Of another package."""

    name = "olat"
    title = "OLAT"

    def exported(self, columns: frozenset[str]) -> bool:
        return "institutional number" in columns


@pytest.mark.parametrize(
    "stamp", ["20240305205900000", "2024-03-05T20:59:00Z", "2024-03-05T20:59:00.123Z"]
)
def test_sakais_stamps_are_in_utc_in_every_version(stamp: str, tmp_path: Path) -> None:
    folder = "Homework 1/Lovelace, Ada(lovea)"
    got = taken(
        tmp_path,
        (f"{folder}/Submission attachment(s)/hw1.ipynb", NOTEBOOK),
        (f"{folder}/timestamp.txt", stamp.encode()),
        roster=ROSTER,
    )
    assert at(got) == {"ada": "05 20:59 UTC"}
