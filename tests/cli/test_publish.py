"""`grader publish`: each student's pages under an address that nobody can guess."""

from __future__ import annotations

import csv
import re
import stat
from pathlib import Path

import pytest

from grader.report.publishing import secret_name
from tests.cli.conftest import Grader
from tests.cli.marking import course

__all__ = ["course"]

URL = "https://example.edu/marks/"


@pytest.fixture
def graded(course: Path, grader: Grader) -> Path:
    (course / "roster.csv").write_text(
        "id,name,email\nada,Ada <b>Lovelace</b>,ada@uni.edu\nben,=cmd|' /C calc'!A0,\n"
    )
    assert grader("report", "warm-up").code == 0
    assert grader("totals").code == 0
    return course


def links(course: Path) -> dict[str, str]:
    text = (course / "published-links.csv").read_text("utf-8-sig")
    return {row["id"]: row["link"] for row in csv.DictReader(text.splitlines())}


def test_each_student_gets_a_place_and_a_link(graded: Path, grader: Grader) -> None:
    done = grader("publish", "--url", URL)
    assert (done.code, done.out.strip()) == (0, str(graded / "published-links.csv")), done.err
    found = links(graded)
    assert sorted(found) == ["ada", "ben"]
    for student, link in found.items():
        place = graded / "published" / link.removeprefix(URL)
        assert re.fullmatch(r"[a-z2-7]{26}", place.name)
        assert sorted(p.name for p in place.iterdir()) == [
            "index.html",
            "totals.html",
            "warm-up.html",
        ]
        other = {"ada": "ben", "ben": "ada"}[student]
        for page in place.iterdir():
            text = page.read_text()
            assert "noindex" in text
            assert secret_name(b"", other) not in text
            assert found[other].removeprefix(URL).strip("/") not in text
        assert "<b>Lovelace" not in (place / "index.html").read_text()
    assert "no e-mail of ben" in done.err


def test_no_list_and_no_instructors_page_is_on_the_server(graded: Path, grader: Grader) -> None:
    grader("publish", "--url", URL)
    folder = graded / "published"
    top = {path.name for path in folder.iterdir() if not path.is_dir()}
    assert top == {"robots.txt", "index.html"}
    assert "Disallow: /" in (folder / "robots.txt").read_text()
    assert "href" not in (folder / "index.html").read_text()
    written = {path.name for path in folder.rglob("*.*")}
    assert written == {"robots.txt", "index.html", "warm-up.html", "totals.html"}
    done = grader("publish", "--links", folder / "links.csv")
    assert (done.code, "would be on the web server" in done.err) == (2, True)


def test_addresses_stay_and_the_secret_is_for_one_person(graded: Path, grader: Grader) -> None:
    grader("publish", "--url", URL)
    before = links(graded)
    key = graded / ".published.key"
    for path in (key, graded / "published-links.csv"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    grader("publish", "warm-up", "--url", URL)
    assert links(graded) == before
    assert not list((graded / "published").rglob("totals.html"))
    key.unlink()
    grader("publish", "--url", URL)
    assert not set(links(graded).values()) & set(before.values())


def test_the_list_holds_no_formula(graded: Path, grader: Grader) -> None:
    grader("publish", "--url", URL)
    rows = list(csv.reader((graded / "published-links.csv").read_text("utf-8-sig").splitlines()))
    assert rows[0] == ["name", "email", "link", "id"]
    assert rows[2][0] == "'=cmd|' /C calc'!A0"


def test_another_folder_is_never_replaced(graded: Path, grader: Grader) -> None:
    done = grader("publish", "-o", graded / "assignments")
    assert (done.code, "did not write" in done.err) == (2, True)
    assert (graded / "assignments" / "warm-up").is_dir()


def test_a_stray_page_is_nobodys(graded: Path, grader: Grader) -> None:
    folder = graded / "graded" / "warm-up" / "students"
    (folder / "eve.html").write_text("stray")
    (folder / "ada.html").unlink()
    (folder / "ada.html").symlink_to(graded / "course.toml")
    grader("publish", "warm-up")
    assert list(links(graded)) == ["ben"]


def test_nothing_to_publish_is_said(course: Path, grader: Grader) -> None:
    done = grader("publish")
    assert (done.code, "no page to publish" in done.err) == (2, True)
    assert grader("publish", "hw9").code == 2


def test_who_handed_in_nothing_has_a_page_on_the_server_too(graded: Path, grader: Grader) -> None:
    with (graded / "roster.csv").open("a") as roster:
        roster.write("eve,Eve,eve@uni.edu\n")
    (graded / "graded" / "warm-up" / "students" / "mallory.html").write_text("a stray file")
    grader("report", "warm-up")
    grader("publish", "--url", URL)
    found = links(graded)
    assert sorted(found) == ["ada", "ben", "eve"]
    place = graded / "published" / found["eve"].removeprefix(URL)
    assert "Not handed in" in (place / "warm-up.html").read_text()
