"""The log: a page at a time, and narrowed to a person, a kind or a thing."""

from __future__ import annotations

import re

from tests.desk.conftest import Tables


def test_the_log_is_shown_page_by_page_newest_first(tables: Tables) -> None:
    for number in range(205):
        tables.desk.audit.add("mia", "mark", now=tables.now, course="course", thing=f"n{number}n")
    ines, path, seen = tables.browser("ines"), "/c/course/audit?who=mia", []
    while path:
        html = ines.get(path).text
        seen += re.findall(r"<td>n(\d+)n</td>", html)
        older = re.search(r'<a href="(\?[^"]*before=[^"]*)">Older', html)
        path = f"/c/course/audit{older[1].replace('&amp;', '&')}" if older else ""
    assert seen == [str(number) for number in reversed(range(205))]


def test_the_log_is_narrowed_to_a_person_a_kind_and_a_thing(tables: Tables) -> None:
    add = tables.desk.audit.add
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
    assert "Nothing of the kind" in ines.get("/c/course/audit?who=nobody").text
