"""The log: a page at a time, and narrowed to a person, a kind or a thing."""

from __future__ import annotations

import logging
import re
from pathlib import Path

import pytest

from tests.desk.conftest import Tables


def test_the_log_is_shown_page_by_page_newest_first(tables: Tables) -> None:
    for number in range(205):
        tables.course.audit.add("mia", "mark", now=tables.now, course="course", thing=f"n{number}n")
    ines, path, seen = tables.browser("ines"), "/c/course/audit?who=mia", []
    while path:
        html = ines.get(path).text
        seen += re.findall(r"<td>n(\d+)n</td>", html)
        older = re.search(r'<a href="(\?[^"]*before=[^"]*)">Older', html)
        path = f"/c/course/audit{older[1].replace('&amp;', '&')}" if older else ""
    assert seen == [str(number) for number in reversed(range(205))]


def test_the_log_is_narrowed_to_a_person_a_kind_and_a_thing(tables: Tables) -> None:
    add = tables.course.audit.add
    add("mia", "mark", now=tables.now, course="course", thing="warm-up q3 ada")
    add("max", "mark", now=tables.now, course="course", thing="warm-up q3 cem")
    add("mia", "publish", now=tables.now, course="course", thing="100%")
    add("mia", "mark", now=tables.now, course="other", thing="another course's")
    ines = tables.browser("ines")

    def found(query: str) -> set[str]:
        html = ines.get(f"/c/course/audit?{query}").text
        things = ("warm-up q3 ada", "warm-up q3 cem", "100%", "another course's")
        return {thing for thing in things if f"<td>{thing}</td>" in html}

    assert found("") == {"warm-up q3 ada", "warm-up q3 cem", "100%"}
    assert found("who=mia&action=mark") == {"warm-up q3 ada"}
    assert found("thing=CEM") == {"warm-up q3 cem"}
    assert found("thing=%25") == {"100%"}
    assert found("action=nothing") == set()
    assert "Nothing matches" in ines.get("/c/course/audit?who=nobody").text


def test_every_kind_of_line_is_in_the_docs() -> None:
    root = Path(__file__).parents[2]
    source = "".join(p.read_text() for p in sorted((root / "grader/desk").rglob("*.py")))
    kinds: set[str] = set()
    for call in re.findall(
        r"(?:\.note\(|(?:audit|log|log_of\(slug\))\.add\(\s*[\w.]+,)\s*([^,)]+)", source
    ):
        kinds |= set(re.findall(r'"([^"]+)"', call))
    assert {"publish", "publish again", "mark", "sign in: on no roster"} <= kinds
    docs = (root / "docs/how-to/run-the-desk.md").read_text()
    listed = set(re.findall(r"`([^`]+)`", docs.partition("## The log")[2].partition("##")[0]))
    assert listed == kinds


def test_what_is_refused_is_in_the_log_of_the_process_without_secrets(
    tables: Tables, caplog: pytest.LogCaptureFixture
) -> None:
    ada, stranger = tables.browser("ada"), tables.stranger()
    link = tables.link("ben")
    used = {"sec-fetch-site": "same-origin"}
    for _ in range(2):
        stranger.client.post(f"/s/{link}", headers=used, follow_redirects=False)
    with caplog.at_level(logging.WARNING, "grader.desk"):
        assert ada.get("/c/course/people").status_code == 404
        assert ada.get("/c/course/s/x%0aforged:%20line").status_code == 404
        stranger.client.get("/", headers={"authorization": "Bearer a-token-of-nobody"})
        form = {"sec-fetch-site": "cross-site"}
        ada.client.post("/sign-out", data=ada.form("/account"), headers=form)
    lines = [record.getMessage() for record in caplog.records]
    assert all(line.startswith("refused: ") and "\n" not in line for line in lines)
    said = "\n".join(lines)
    assert "GET '/c/course/people'; 'ada' from" in said
    assert "a sign-in link that is not known" in said and "a form of another site" in said
    assert "a token that is not known" in said
    assert link not in said and "a-token-of-nobody" not in said
