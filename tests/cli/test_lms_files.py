"""Whole files as Brightspace, ILIAS, Sakai and nbgrader make them, in and out again."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Grader
from tests.cli.marking import course
from tests.intake.archives import NOTEBOOK, make_zip

__all__ = ["course"]

OTHER = NOTEBOOK.replace(b"x = 1", b"x = 2")
ROSTER = (
    "id,name,email,section,login,number\n"
    "ada,Ada Lovelace,ada@uni.edu,,lovea,17\n"
    "ben,Jörg Müller-Lüdenscheidt,jm@uni.edu,,jmue,18\n"
    "zoe,Zoë O'Brien-Núñez,zoe@uni.edu,,zoe_n,19\n"
)
BRIGHTSPACE = {
    "index.html": b"<html>",
    "101-77 - Ada Lovelace - Oct 8, 2024 1159 PM/warm-up.ipynb": NOTEBOOK,
    "101-77 - Ada Lovelace - Oct 9, 2024 1015 AM/warm-up (2).ipynb": OTHER,
    "102-77 - J\u00f6rg M\u00fcller-L\u00fcdenscheidt - Oct 10, 2024 1230 AM/warm-up.ipynb": OTHER,
    "103-77 - Zo\u00eb O'Brien-N\u00fa\u00f1ez - Oct 9, 2024 803 PM/warm-up.ipynb": NOTEBOOK,
}
ILIAS = {
    f"Multi_Feedback_Individual_Blatt_1_12/{path}": data
    for path, data in {
        "Lovelace_Ada_lovea_311/warm-up.ipynb": NOTEBOOK,
        "Mueller-Luedenscheidt_Joerg_jmue_312/warm-up.ipynb": OTHER,
        "OBrien-Nunez_Zoe_zoe_n_313/warm-up.ipynb": NOTEBOOK,
        "status.csv": b"update;usr_id",
        "status.xlsx": b"PK",
    }.items()
}
SAKAI = {
    f"Warm-up/{path}": data
    for path, data in {
        "Lovelace, Ada(lovea)/timestamp.txt": b"2024-10-08T20:59:00.123Z",
        "Lovelace, Ada(lovea)/Submission attachment(s)/warm-up.ipynb": NOTEBOOK,
        "Lovelace, Ada(lovea)/Feedback Attachment(s)/": b"",
        "Lovelace, Ada(lovea)/comments.txt": b"",
        "M\u00fcller-L\u00fcdenscheidt, J\u00f6rg(jmue)/timestamp.txt": b"20241009213000000",
        "M\u00fcller-L\u00fcdenscheidt, J\u00f6rg(jmue)/Submission attachment(s)/a.ipynb": OTHER,
        "O'Brien-N\u00fa\u00f1ez, Zo\u00eb(zoe_n)/timestamp.txt": b"2024-10-09T17:03:00Z",
        "O'Brien-N\u00fa\u00f1ez, Zo\u00eb(zoe_n)/Submission attachment(s)/warm-up.ipynb": NOTEBOOK,
        "grades.csv": b"",
    }.items()
}
NBGRADER = {
    f"{student}+warm-up+{time} UTC+Rm9vYmFyQmF6/{file}": data
    for student, time, data in (
        ("lovea", "2024-10-08 20:59:00.123456", NOTEBOOK),
        ("jmue", "2024-10-09 21:30:00.000001", OTHER),
        ("zoe_n", "2024-10-09 17:03:00.5", NOTEBOOK),
    )
    for file, data in (
        ("warm-up.ipynb", data),
        ("timestamp.txt", f"{time} UTC".encode()),
        ("submission_secret.txt", b"x"),
    )
}
TIMES = {
    "ada": "2024-10-08T20:59:00+00:00",
    "ben": "2024-10-09T21:30:00+00:00",
    "zoe": "2024-10-09T17:03:00+00:00",
}


@pytest.mark.parametrize(
    ("archive", "times"),
    [
        (BRIGHTSPACE, TIMES | {"ada": "2024-10-09T07:15:00+00:00"}),
        (ILIAS, dict.fromkeys(TIMES)),
        (SAKAI, TIMES),
        (NBGRADER, TIMES),
    ],
    ids=["brightspace", "ilias", "sakai", "nbgrader"],
)
def test_a_whole_archive_is_collected_with_its_times(
    archive: dict[str, bytes], times: dict[str, str], course: Path, grader: Grader
) -> None:
    (course / "roster.csv").write_text(ROSTER, encoding="utf-8")
    path = course / "submissions.zip"
    path.write_bytes(make_zip(*archive.items()))
    done = grader("collect", "warm-up", path, "--json")
    assert done.code == 0, done.err
    found = done.json()
    assert {s["student"]: s["submitted_at"] for s in found["submissions"]} == times
    assert not any(s["problem"] for s in found["submissions"])
    assert not [w for w in found["warnings"] if "roster" in w]
    assert not (course / "matches.csv").exists()


TABLES = {
    "brightspace": (
        "\ufeffOrgDefinedId,Username,Last Name,First Name,Email,"
        "Softmax Points Grade <Numeric MaxPoints:10 Weight:5 Category:HW CategoryWeight:40>,"
        "Quiz Points Grade <Numeric MaxPoints:20>,End-of-Line Indicator\r\n"
        "#17,#lovea,Lovelace,Ada,ada@uni.edu,,3,#\r\n"
        "#18,#jmue,Müller-Lüdenscheidt,Jörg,jm@uni.edu,4,,#\r\n"
        "#99,#guest,Guest,A,g@uni.edu,,,#\r\n",
        ("#17,#lovea,Lovelace,Ada,ada@uni.edu,,3,#", "ada@uni.edu,7.50,3,#"),
        ("jm@uni.edu,4,,#", "jm@uni.edu,8.25,,#"),
    ),
    "ilias": (
        "update;usr_id;login;lastname;firstname;status;mark;notice;comment\n"
        "0;311;lovea;Lovelace;Ada;notgraded;;;\n"
        '0;312;jmue;"Müller-Lüdenscheidt";Jörg;notgraded;4;;"kept; as it is"\n'
        "0;399;guest;Guest;A;notgraded;;;\n",
        ("0;311;lovea;Lovelace;Ada;notgraded;;;", "1;311;lovea;Lovelace;Ada;notgraded;7.50;;"),
        ("0;312;jmue", '1;312;jmue;"Müller-Lüdenscheidt";Jörg;notgraded;8.25;;"kept; as it is"'),
    ),
    "sakai": (
        '"Softmax","Points"\n""\n"Display ID","ID","Last Name","First Name","grade",'
        '"Submission date","Late submission"\n'
        '"17","lovea","Lovelace","Ada","","2024-10-08T20:59:00Z","On time"\n'
        '"18","jmue","Müller-Lüdenscheidt","Jörg","4.0","2024-10-09T21:30:00Z","Late"\n'
        '"99","guest","Guest","A","","",""\n',
        ('"Ada",""', '"Lovelace","Ada","7.50","2024-10-08T20:59:00Z","On time"'),
        ('"Jörg","4.0"', '"Jörg","8.25","2024-10-09T21:30:00Z","Late"'),
    ),
}


@pytest.mark.parametrize("system", TABLES)
def test_a_whole_table_is_filled_and_all_else_in_it_stays(
    system: str, course: Path, grader: Grader
) -> None:
    (course / "roster.csv").write_text(ROSTER, encoding="utf-8")
    (course / "given.csv").write_text("student,item,points\nada,h1,7.5\nben,h1,8.25\nzoe,h1,1\n")
    assert grader("marks", "import", course / "given.csv").code == 0
    text, *changes = TABLES[system]
    source = course / "table.csv"
    source.write_bytes(text.encode())
    done = grader("export", system, "--into", source, "--item", "h1")
    assert done.code == 0, done.err
    before = source.read_bytes().decode().splitlines(keepends=True)
    after = Path(done.out.strip()).read_bytes().decode().splitlines(keepends=True)
    differing = [(b, a) for b, a in zip(before, after, strict=True) if a != b]
    assert len(differing) == 2
    for (old, new), (line_before, line_after) in zip(changes, differing, strict=True):
        assert old in line_before and new in line_after
    assert "1 of them in place of another" in done.err
    assert "zoe: Softmax: has a mark and no line in the file" in done.err
    assert "guest" in done.err.casefold()
