"""Archives as five systems make them: whose each file is, when it came, and what is doubtful."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from grader.course.matches import Matcher
from grader.course.roster import Person, Roster
from grader.errors import UsageError
from grader.intake.class_archives import CollectConfig
from grader.intake.collect import collect
from grader.intake.collected import Collected
from grader.lms.lms_table import table_from
from grader.lms.registry import named, systems
from grader.lms.system import System
from tests.intake.archives import NOTEBOOK, make_zip, zip_info

HW = "hw1"
OTHER = NOTEBOOK.replace(b"x = 1", b"x = 2")
ROSTER = Roster(
    {
        "ada": Person(id="ada", name="Ada Lovelace", email="ada@uni.edu", canvas="900"),
        "zoe": Person(id="zoe", name="Zoë O'Brien-Núñez", login="zoe_n", number="18", canvas="901"),
    }
)
ISTANBUL = ZoneInfo("Europe/Istanbul")


def taken(
    folder: Path,
    *members: tuple[str | zipfile.ZipInfo, bytes],
    system: System | None = None,
    roster: Roster = ROSTER,
    worksheet: str = "",
    **collecting: object,
) -> Collected:
    path = folder / "class.zip"
    path.write_bytes(make_zip(*members))
    config = CollectConfig(
        system=system,
        matcher=Matcher(roster, folder / "matches.csv"),
        zone=ISTANBUL,
        worksheet=table_from(worksheet.encode()) if worksheet else None,
    )
    got = collect([path], assignment=HW, config=config, **collecting)  # type: ignore[arg-type]
    config.matcher.save()
    return got


def of(collected: Collected) -> dict[str, str]:
    return {s.student: s.problem or s.file for s in collected.submissions}


def at(collected: Collected) -> dict[str, str]:
    return {
        s.student: f"{s.submitted_at:%d %H:%M %Z}" if s.submitted_at else ""
        for s in collected.submissions
    }


def test_canvas_numbers_tell_students_and_late_ones_are_named(tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("lovelaceada_900_5001_hw1-1.ipynb", NOTEBOOK),
        ("lovelaceada_900_5002_notes.pdf", b"%PDF"),
        ("obriennúñezzoë_LATE_901_5003_my_work_2.ipynb", OTHER),
        ("turingalan_902_5004_hw1.ipynb", NOTEBOOK),
        ("hopper_903_text.html", b"<p>text</p>"),
    )
    assert of(got) == {
        "ada": "hw1-1.ipynb",
        "zoe": "my_work_2.ipynb",
        "turingalan": "hw1.ipynb",
        "hopper": "No notebook was handed in (found: text.html). "
        "Hand in the notebook itself, the .ipynb file.",
    }
    assert "zoe handed in late, says Canvas" in "\n".join(got.warnings)
    assert "turingalan: not on the roster" in "\n".join(got.warnings)
    assert "canvas,902,turingalan" in (tmp_path / "matches.csv").read_text()


@pytest.mark.parametrize("squeezed", ["obriennúñezzoë", "obriennunezzoe", "obriennezzo"])
def test_canvas_takes_letters_out_of_names_in_several_ways(squeezed: str, tmp_path: Path) -> None:
    assert list(of(taken(tmp_path, (f"{squeezed}_901_1_a.ipynb", NOTEBOOK)))) == ["zoe"]


def test_a_name_that_holds_another_students_number_takes_nothing_from_them(tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("eve_900_1_902_77_hw1.ipynb", OTHER),  # "eve_900_1" is how Eve calls herself
        ("x_900_78_hw1.ipynb", OTHER),
        ("lovelaceada_901_79_hw1.ipynb", NOTEBOOK),
    )
    assert "ada" not in of(got)
    assert "zoe" not in of(got)
    got = taken(tmp_path, ("eve_900_1_901_77_hw1.ipynb", OTHER), ("x_7_8_y.ipynb", OTHER))
    assert [r.reason for r in got.refused] == ["its name can be read as that of several students"]


def test_canvas_test_student_is_nobody(tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("studenttest_104_7_hw1.ipynb", OTHER),
        ("lovelaceada_900_8_hw1.ipynb", NOTEBOOK),
    )
    assert list(of(got)) == ["ada"]
    assert [r.reason for r in got.refused] == ["it is Canvas' test student's"]


def test_anonymous_canvas_students_keep_their_codes(tmp_path: Path) -> None:
    got = taken(
        tmp_path, ("anon_Ab3xY_55_hw1.ipynb", NOTEBOOK), ("anon_q9Z1k_LATE_56_hw1.ipynb", OTHER)
    )
    assert of(got) == {"anon_Ab3xY": "hw1.ipynb", "anon_q9Z1k": "hw1.ipynb"}


def test_a_stranger_never_gets_the_name_of_a_student(tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("ada_31_assignsubmission_file/hw1.ipynb", OTHER),
        ("Zoë O'Brien-Núñez_32_assignsubmission_file/hw1.ipynb", NOTEBOOK),
    )
    assert sorted(of(got)) == ["ada (moodle Participant 31)", "zoe"]


def test_moodle_names_are_matched_with_accents_spaces_and_apostrophes(tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("Ada Lovelace_11_assignsubmission_file/sub/hw1.ipynb", NOTEBOOK),
        ("Ada Lovelace_11_assignsubmission_onlinetext/onlinetext.html", b"<p>"),
        ("Zoe\u0308 O\u2019Brien-Nu\u0301n\u0303ez_12_assignsubmission_file_hw 1 (2).ipynb", OTHER),
        ("Zoe O'Brien_13_assignsubmission_file/x.ipynb", OTHER),
    )
    assert of(got) == {"ada": "hw1.ipynb", "zoe": "hw 1 (2).ipynb", "Zoe O'Brien": "x.ipynb"}


def test_a_group_before_a_name_in_moodles_paths_is_taken_off(tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("Group 1-Ada Lovelace_11_assignsubmission_file/hw1.ipynb", NOTEBOOK),
        ("Lab-A-Zoë O'Brien-Núñez_12_assignsubmission_file/hw1.ipynb", OTHER),
        ("Group 2-Eve_13_assignsubmission_file/hw1.ipynb", OTHER),
    )
    assert set(of(got)) == {"ada", "zoe", "Group 2-Eve"}


def test_two_students_of_one_name_stay_two(tmp_path: Path) -> None:
    members = [
        ("Li Wei_1_assignsubmission_file/hw1.ipynb", NOTEBOOK),
        ("Li Wei_2_assignsubmission_file/hw1.ipynb", OTHER),
    ]
    people = {i: Person(id=i, name="Li Wei") for i in ("li1", "li2")}
    want = ["Li Wei (moodle Participant 1)", "Li Wei (moodle Participant 2)"]
    for roster in (Roster(people), Roster({})):
        assert sorted(of(taken(tmp_path, *members, roster=roster))) == want
    listed = (tmp_path / "matches.csv").read_text()
    assert "moodle,Participant 1,Li Wei,,li1 | li2,several students have this name,\n" in listed
    answers = {("moodle", "participant 1"): "li2", ("moodle", "participant 2"): "li1"}
    matcher = Matcher(Roster(people), tmp_path / "m.csv", answers)
    config = CollectConfig(matcher=matcher)
    got = collect([tmp_path / "class.zip"], assignment=HW, config=config).submissions
    assert [(s.student, s.read()) for s in got] == [("li1", OTHER), ("li2", NOTEBOOK)]


def test_whoever_takes_anothers_name_hands_in_for_nobody(tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("Ada Lovelace_1_assignsubmission_file/hw1.ipynb", NOTEBOOK),
        ("ada LOVELACE_2_assignsubmission_file/hw1.ipynb", OTHER),
    )
    assert sorted(of(got)) == [
        "Ada Lovelace (moodle Participant 1)",
        "ada LOVELACE (moodle Participant 2)",
    ]
    assert "Ada Lovelace: several in the archive would be ada" in "\n".join(got.warnings)


def test_a_name_made_like_our_own_takes_nobodys(tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("Ada Lovelace_1_assignsubmission_file/hw1.ipynb", NOTEBOOK),
        ("ada LOVELACE_2_assignsubmission_file/hw1.ipynb", OTHER),
        ("Ada Lovelace (moodle Participant 1)_3_assignsubmission_file/hw1.ipynb", OTHER),
    )
    assert len(got.submissions) == 3
    assert len({s.student for s in got.submissions}) == 3


def test_usernames_with_one_ending_stay_two_without_a_roster(tmp_path: Path) -> None:
    time = "attempt_2024-10-09-10-00-00"
    got = taken(
        tmp_path,
        (f"HW_x_n_{time}_a.ipynb", NOTEBOOK),
        (f"HW_y_n_{time}_a.ipynb", OTHER),
        roster=Roster({}),
    )
    assert sorted(of(got)) == ["n (blackboard HW_x_n)", "n (blackboard HW_y_n)"]


SHEET = (
    "Identifier,Full name,Email address,Grade,Last modified (submission),Last modified (grade)\n"
    'Participant 11,Ada Lovelace,ada@uni.edu,,"Wednesday, 9 October 2024, 11:59 PM",-\n'
    "Participant 12,Zoë O'Brien-Núñez,,,-,-\n"
)


def test_moodles_worksheet_tells_blind_participants_and_times(tmp_path: Path) -> None:
    members = [
        (f"Participant_{number}_assignsubmission_file_/hw1.ipynb", NOTEBOOK) for number in (11, 12)
    ]
    assert sorted(of(taken(tmp_path, *members))) == ["Participant 11", "Participant 12"]
    got = taken(tmp_path, *members, worksheet=SHEET)
    assert at(got) == {"ada": "09 20:59 UTC", "zoe": ""}


def test_blackboard_attempts_are_kept_in_order_with_their_times(tmp_path: Path) -> None:
    def attempt(user: str, time: str, data: bytes, text: bytes = b"") -> list[tuple[str, bytes]]:
        head = f"Home_work 1_{user}_attempt_2024-10-{time}"
        return [(f"{head}_hw1.ipynb", data), (f"{head}.txt", text)]

    members = [
        *attempt("zoe_n", "09-23-59-00", OTHER, "\ufeffName: Zoë O (zoe_n)\r\nAss".encode()),
        *attempt("zoe_n", "08-10-00-00", NOTEBOOK),
        *attempt("ada", "09-10-00-00", NOTEBOOK, b"Name: Ada (Zoe) Lovelace (zoe_n)\n"),
        ("Home_work 1_ben_attempt_2024-10-09-10-00-01.txt", b"Name: Ben (ben)\n"),
    ]
    got = taken(tmp_path, *members, counts="best")
    assert [(s.student, s.attempt) for s in got.submissions] == [
        ("ada", 1),
        ("ben", 1),
        ("zoe", 1),
        ("zoe", 2),
    ]
    assert got.submissions[3].read() == OTHER
    assert at(got)["zoe"] == "09 20:59 UTC"
    assert "No notebook" in of(got)["ben"]
    assert taken(tmp_path, *members).submissions[2].read() == OTHER


META = """\
---
submission_77:
  :submitters:
  - :name: Ada Lovelace
    :sid: '17'
    :email: ada@uni.edu
  - :name: Zoë O'Brien-Núñez
    :sid: '18'
    :email: z@uni.edu
  :created_at: 2024-10-09 20:59:00.581826000 Z
  :score: !ruby/object:BigDecimal 18:0.1e1
submission_78:
  :submitters:
  - :name: Ben
    :sid: ''
    :email: ben@uni.edu
  :created_at: tomorrow
"""


def test_gradescope_exports_tell_who_and_when(tmp_path: Path) -> None:
    outer = "assignment_5_export"
    got = taken(
        tmp_path,
        (f"{outer}/submission_metadata.yml", META.encode()),
        (f"{outer}/submission_77/hw1.ipynb", NOTEBOOK),
        (f"{outer}/submission_78/deep/hw1.ipynb", OTHER),
        (f"{outer}/submission_79/hw1.ipynb", OTHER),
    )
    assert at(got) == {"Ben": "", "ada": "09 20:59 UTC"}
    assert "ada handed in for Zoë O'Brien-Núñez too (groups.csv)." in got.warnings


@pytest.mark.parametrize("meta", [b"[", b"\xff\xfe", b"a: &a [*a]", b"- 1", b"? [1]\n: 2\n"])
def test_damaged_metadata_stops_nobody_in_silence(meta: bytes, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        taken(tmp_path, ("submission_metadata.yml", meta), ("submission_7/x.ipynb", NOTEBOOK))


@pytest.mark.parametrize(
    ("stamp", "want"),
    [
        ("2024-10-09 20:59:00.123456 UTC", "09 20:59 UTC"),
        ("2024-10-09 23:59:00 Europe/Istanbul", "09 20:59 UTC"),
        ("2024-10-09 23:59:00 +0300", "09 20:59 UTC"),
        ("2024-10-09 23:59:00", "09 20:59 UTC"),
        ("2024-10-09 23:59:00 ../../etc/passwd", ""),
        ("soon", ""),
    ],
)
def test_nbgraders_folders_tell_students_and_times(stamp: str, want: str, tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("submitted/ada/hw1/hw1.ipynb", NOTEBOOK),
        ("submitted/ada/hw1/timestamp.txt", stamp.encode()),
        ("submitted/ada/hw2/hw2.ipynb", OTHER),
        ("submitted/zoe_n/hw1/hw1.ipynb", OTHER),
        system=named("nbgrader"),
    )
    assert at(got) == {"ada": want, "zoe": ""}
    assert got.submissions[0].read() == NOTEBOOK


def test_timestamps_of_everybody_tell_nbgraders_folders(tmp_path: Path) -> None:
    stamp = b"2024-10-09 20:59:00 UTC"
    members = [
        ("ada/hw1/x.ipynb", NOTEBOOK),
        ("ada/hw1/timestamp.txt", stamp),
        ("zoe_n/hw1/x.ipynb", OTHER),
    ]
    # One student alone can put such a file into their folder.
    assert at(taken(tmp_path, *members)) == {"ada": "", "zoe": ""}
    members += [("zoe_n/hw1/timestamp.txt", stamp)]
    got = taken(tmp_path, *members)
    assert at(got) == {"ada": "09 20:59 UTC", "zoe": "09 20:59 UTC"}
    # Whom the staff added by hand has none; it costs nobody else the time.
    got = taken(tmp_path, *members, ("cleo/hw1/x.ipynb", NOTEBOOK))
    assert at(got) == {"ada": "09 20:59 UTC", "cleo": "", "zoe": "09 20:59 UTC"}


def test_zips_of_students_inside_and_hostile_members_cost_nobody_else(tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("lovelaceada_900_1_work.zip", make_zip(("x/hw1.ipynb", NOTEBOOK))),
        ("obriennezzo_901_2_work.zip", make_zip(("../../ada.ipynb", OTHER))),
        (zip_info("../lovelaceada_900_9_hw1.ipynb"), OTHER),
    )
    assert of(got)["ada"] == "hw1.ipynb"
    assert got.submissions[0].read() == NOTEBOOK
    assert "leads out of the archive" in of(got)["zoe"] or "No notebook" in of(got)["zoe"]
    assert got.refused


def test_a_folder_of_students_is_not_taken_for_a_systems(tmp_path: Path) -> None:
    got = taken(tmp_path, ("eve_900_5_x.ipynb", OTHER), ("ada.ipynb", NOTEBOOK))
    assert of(got) == {"ada": "ada.ipynb", "eve_900_5_x": "eve_900_5_x.ipynb"}


def test_another_system_than_the_one_named_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="made as Canvas does, not Moodle"):
        taken(tmp_path, ("a_1_2_x.ipynb", NOTEBOOK), system=named("moodle"))


def test_without_a_roster_names_are_those_of_the_system(tmp_path: Path) -> None:
    got = taken(
        tmp_path,
        ("liwei_7_1_hw1.ipynb", NOTEBOOK),
        ("liwei_8_2_hw1.ipynb", OTHER),
        ("ada_9_3_hw1.ipynb", OTHER),
        roster=Roster({}),
    )
    assert sorted(of(got)) == ["ada", "liwei (canvas 7)", "liwei (canvas 8)"]
    assert not (tmp_path / "matches.csv").exists()


PATH = st.text("aA_/.1290 LTE-é", min_size=1, max_size=30)


@settings(deadline=None)
@given(
    st.lists(
        st.one_of(
            PATH,
            PATH.map(lambda p: f"x_{p}_1_2_a.ipynb"),
            PATH.map(lambda p: f"{p}_3_assignsubmission_file/a.ipynb"),
            PATH.map(lambda p: f"{p}_attempt_2024-13-09-10-00-01_a.ipynb"),
        ),
        max_size=4,
    ),
    st.sampled_from([None, *systems()[:5]]),
)
def test_no_path_breaks_the_collection_or_takes_a_students_name(
    tmp_path_factory: pytest.TempPathFactory, paths: list[str], system: System | None
) -> None:
    folder = tmp_path_factory.mktemp("c")
    members: list[tuple[str | zipfile.ZipInfo, bytes]] = [
        (f"{path}", NOTEBOOK) for path in dict.fromkeys(paths) if not path.endswith("/")
    ]
    try:
        got = taken(folder, *members, system=system)
    except UsageError:
        return
    assert "ada" not in of(got) or any("ada" in path for path in paths)
    assert all(s.submitted_at is None or s.submitted_at.tzinfo is dt.UTC for s in got.submissions)
