"""`groups.csv`: who hands in together."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.course.course_reading import load_course_file
from grader.course.directory import Course
from grader.course.groups import Groups, load_groups
from grader.errors import SpecError

COURSE = """\
title = "A course"
institution = "A university"
term = "Fall"
[[components]]
id = "project"
title = "Project"
weight = 100
[[components.items]]
id = "proposal"
title = "Proposal"
group = true
[[components.items]]
id = "report"
title = "Report"
group = true
group_size = [2, 3]
[[components.items]]
id = "diary"
title = "Diary"
"""


def groups(folder: Path, text: str | bytes) -> Groups:
    (folder / "course.toml").write_text(COURSE)
    data = text.encode() if isinstance(text, str) else text
    (folder / "groups.csv").write_bytes(data)
    return load_groups(Course(folder), load_course_file(folder / "course.toml"))


def test_each_member_is_given_the_whole_group(tmp_path: Path) -> None:
    found = groups(tmp_path, "item,group,student\nreport,T1,ben\nreport,T1,ada\nreport,T2,cem\n")
    assert found.members["report"] == {
        "ada": ("ada", "ben"),
        "ben": ("ada", "ben"),
        "cem": ("cem",),
    }


def test_a_components_groups_are_those_of_its_items(tmp_path: Path) -> None:
    found = groups(tmp_path, "item,group,student\nproject,T1,ada\nproject,T1,ben\n")
    assert sorted(found.members) == ["proposal", "report"]


def test_what_spreadsheets_make_of_it_is_read(tmp_path: Path) -> None:
    text = "\ufeffStudent;Item;Group\r\n Ömer ;report;1\r\n\r\nada;report;1\r\n"
    found = groups(tmp_path, text)
    assert found.members["report"]["ada"] == ("ada", "Ömer")


def test_a_students_id_is_the_rosters_whatever_its_case(tmp_path: Path) -> None:
    (tmp_path / "roster.csv").write_text("id,name\nada,Ada\nBen,Ben\n")
    found = groups(tmp_path, "item,group,student\nreport,T1, Ada\nreport,T1,ben\nreport,T1,eve\n")
    assert found.members["report"]["ada"] == ("Ben", "ada", "eve")
    assert found.remarks == ("groups.csv: 'eve' is not on the roster",)
    with pytest.raises(SpecError, match="'ada' is in two lines"):
        groups(tmp_path, "item,group,student\nreport,T1,Ada\nreport,T2,ada\n")


def test_without_the_file_there_are_no_groups(tmp_path: Path) -> None:
    (tmp_path / "course.toml").write_text(COURSE)
    scheme = load_course_file(tmp_path / "course.toml")
    assert load_groups(Course(tmp_path), scheme) == Groups()


def test_groups_of_another_size_are_said(tmp_path: Path) -> None:
    found = groups(tmp_path, "item,group,student\nreport,T1,ada\nproposal,T1,ada\n")
    assert found.remarks == (
        "groups.csv: the group 'T1' for 'report' is of 1, and the course file says 2 to 3",
    )


@pytest.mark.parametrize(
    ("text", "line", "message"),
    [
        ("", 1, "expected the columns item, group, student, got none"),
        ("item,student\nreport,ada\n", 1, "got item, student"),
        ("item,group,student\nreport,T1\n", 2, "the student is missing"),
        ("item,group,student\nreport,T1,ada,x\n", 2, "more cells than columns"),
        ("item,group,student\nreport,,ada\n", 2, "the group is missing"),
        ("item,group,student\nrepotr,T1,ada\n", 2, "there is no item 'repotr'"),
        ("item,group,student\ndiary,T1,ada\n", 2, "the item 'diary' is not handed in by groups"),
        (
            "item,group,student\nreport,T1,ada\nproject,T2,ada\n",
            3,
            "'ada' is in two lines for 'report': group 'T1' in line 2, and 'T2'",
        ),
        ('item,group,student\nreport,"T1,ada\n', 2, "not a CSV file"),
    ],
)
def test_a_fault_names_its_line(tmp_path: Path, text: str, line: int, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        groups(tmp_path, text)
    assert message in caught.value.what
    assert caught.value.where == f"{tmp_path / 'groups.csv'}:{line}"


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SpecError, match="cannot read the file"):
        groups(tmp_path, b"item,group,student\n\xff\xfe,1,ada\n")


@given(st.binary(max_size=200))
def test_no_bytes_lead_to_anything_but_groups_or_a_fault(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    try:
        groups(tmp_path_factory.mktemp("course"), b"item,group,student\n" + data)
    except SpecError as error:
        assert error.where
