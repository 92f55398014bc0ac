"""The work divided among markers: fairly, within their sections, and what comes later too."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grader.api.marking_progress import marking_progress
from grader.desk.letters import News
from grader.gradebook.splits import Split
from tests.desk.conftest import Tables
from tests.desk.piles import MARK, MARKING, Pile


@pytest.fixture
def pile(tables: Tables) -> Pile:
    return Pile(tables)


def shares(pile: Pile) -> dict[str, str]:
    return {a.student: a.share for a in pile.marking.answers(pile.question, marker="")}


@given(st.integers(1, 60), st.integers(1, 8))
def test_shares_at_random_differ_by_one_answer_at_most(answers: int, markers: int) -> None:
    split = Split(how="random", groups={"": [f"m{i}" for i in range(markers)]})
    dealt: Counter[str] = Counter()
    for _ in range(answers):
        dealt[split.share("q1", "A", dealt)] += 1
    counts = [dealt[f"m{i}"] for i in range(markers)]
    assert max(counts) - min(counts) <= 1 and sum(counts) == answers


def test_a_marker_of_a_section_gets_answers_of_that_section_alone() -> None:
    split = Split(how="random", groups={"": ["max", "mia"]}, limits={"max": "B"})
    assert split.share("q1", "A", Counter(mia=9)) == "mia"
    assert split.share("q1", "B", Counter(mia=9)) == "max"
    alone = Split(how="question", groups={"q1": ["max"]}, limits={"max": "B"})
    assert alone.share("q1", "A", Counter()) == ""
    assert alone.share("q2", "B", Counter()) == ""


def test_a_head_marker_divides_at_random_and_markers_see_their_share_first(pile: Pile) -> None:
    hana, mia = pile.tables.browser("hana"), pile.tables.browser("mia")
    assert mia.post(f"{MARKING}/split", {"how": "random", "random": "mia"}).status_code == 404
    done = hana.post(f"{MARKING}/split", {"how": "random", "random": ["mia", "hana"]})
    assert done.status_code == 303
    assert sorted(Counter(shares(pile).values()).items()) in (
        [("hana", 1), ("mia", 2)],
        [("hana", 2), ("mia", 1)],
    )
    own = {s for s, share in shares(pile).items() if share == "mia"}
    refs = {pile.answer(s).ref for s in own}
    for _ in own:
        led = mia.get(f"{MARK}/q3").headers["location"].rpartition("/")[2]
        assert led in refs
        mia.post(f"{MARK}/q3/{led}", {"seen": "0", "adjustment": "1"})
    finished = mia.get(f"{MARK}/q3")
    assert finished.status_code == 200 and "Your share is marked" in finished.text
    helps = mia.get(f"{MARK}/q3?others=1")
    assert helps.status_code == 303
    assert helps.headers["location"].rpartition("/")[2] not in refs


def test_by_section_and_by_question_each_answer_goes_to_who_was_chosen(pile: Pile) -> None:
    hana = pile.tables.browser("hana")
    hana.post(f"{MARKING}/split", {"how": "section", "section": ["mia\tA", "max\tB"]})
    assert shares(pile) == {"ada": "mia", "ben": "mia", "cem": "max"}
    page = hana.get(MARKING).text
    assert 'value="mia&#9;A"' in page
    hana.post(f"{MARKING}/split", {"how": "question", "question": "hana\tq3"})
    assert set(shares(pile).values()) == {"hana"}
    hana.post(f"{MARKING}/split", {"how": "all"})
    assert set(shares(pile).values()) == {""}


@pytest.mark.parametrize(
    "form", [{"how": "random"}, {"how": "luck"}, {"how": "random", "random": "ada"}]
)
def test_a_division_without_a_marker_is_refused(pile: Pile, form: dict[str, str]) -> None:
    assert pile.tables.browser("hana").post(f"{MARKING}/split", form).status_code == 422
    assert pile.marking.split is None


def test_what_is_handed_in_later_joins_the_smallest_share_and_moves_no_other(pile: Pile) -> None:
    hana = pile.tables.browser("hana")
    hana.post(f"{MARKING}/split", {"how": "random", "random": ["mia", "hana"]})
    before = shares(pile)
    pile.joins("dora")
    after = shares(pile)
    assert {s: after[s] for s in before} == before
    assert Counter(after.values()) == {"mia": 2, "hana": 2}
    pile.again("ada", answer="Something else.")
    assert shares(pile)["ada"] == before["ada"]


def test_progress_says_share_left_and_what_each_marker_gives(pile: Pile) -> None:
    hana, mia = pile.tables.browser("hana"), pile.tables.browser("mia")
    hana.post(f"{MARKING}/split", {"how": "section", "section": ["mia\tA", "hana\tB"]})
    pile.save(mia, "ada", adjustment="1")
    pile.save(mia, "cem", adjustment="2")
    found = {one.who: one for one in marking_progress(pile.marking)}
    assert (found["mia"].share, found["mia"].left, found["mia"].marked) == (2, 1, 2)
    assert (found["hana"].share, found["hana"].left, found["hana"].marked) == (1, 0, 0)
    assert found["mia"].given == 0.75
    assert found["mia"].seconds is not None and found["hana"].seconds is None
    page = hana.get(MARKING).text
    assert "75 %" in page and "1.50 (2)" in page
    assert mia.get(MARKING).status_code == 404


def test_whoever_gets_a_share_or_another_one_is_told(pile: Pile) -> None:
    pile.tables.desk.courses["course"] = replace(pile.tables.course, sends_mail=True)
    hana, mia = pile.tables.browser("hana"), pile.tables.browser("mia")
    hana.post(f"{MARKING}/split", {"how": "random", "random": ["mia", "hana"]})
    told = "You have a share of the marking"
    assert told in mia.get("/c/course/").text
    assert told not in hana.get("/c/course/").text  # whose doing it is
    mia.get(MARK)
    assert told not in mia.get("/c/course/").text
    hana.post(f"{MARKING}/split", {"how": "random", "random": ["mia", "hana", "ines"]})
    assert told not in mia.get("/c/course/").text  # the same as before
    mails = pile.tables.course.outbox.newest()
    assert {(mail.kind, mail.person) for mail in mails} == {
        (News.SHARE, "mia"),
        (News.SHARE, "ines"),
    }
