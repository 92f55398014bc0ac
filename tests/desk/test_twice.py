"""What is sent twice is done once: by a double click, or by a page that is loaded again."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any

import pytest

from grader.errors import GradebookError
from tests.desk.conftest import Browser, Tables
from tests.desk.piles import MARK, MARKING, Pile

PEOPLE, ROSTER = "/c/course/people", "/c/course/roster"


def twice(browser: Browser, path: str, data: dict[str, Any], page: str = "/account") -> list[Any]:
    """Send one form of a page two times."""
    form = browser.form(page) | data
    return [browser.post(path, form) for _ in range(2)]


@pytest.fixture
def pile(tables: Tables) -> Pile:
    return Pile(tables)


@pytest.mark.parametrize("kind", ["", "csv"])
def test_links_that_are_shown_once_are_made_once(tables: Tables, kind: str) -> None:
    ines = tables.browser("ines")
    first, again = twice(ines, f"{PEOPLE}/links", {"as": kind}, PEOPLE)
    assert (first.status_code, again.status_code) == (200, 409)
    assert "made already" in again.text
    link = re.search(r"/s/([\w-]{40,})", first.text)
    assert link and tables.desk.credentials.find("link", link[1], now=tables.now)
    # Another form of the same page makes others; and so does the same page, loaded anew.
    assert ines.post(f"{PEOPLE}/links", ines.form(PEOPLE) | {"as": kind}).status_code == 200


def test_forms_of_one_page_do_not_stand_in_each_others_way(tables: Tables) -> None:
    ines = tables.browser("ines")
    form = ines.form(PEOPLE)
    sent = [{}, {"as": "csv"}, {"person": "ada"}, {"person": "ben"}]
    assert [ines.post(f"{PEOPLE}/links", form | one).status_code for one in sent] == [200] * 4


def test_a_token_that_is_shown_once_is_made_once(tables: Tables) -> None:
    ada = tables.browser("ada")
    first, again = twice(ada, "/account/tokens", {"label": "laptop"})
    assert (first.status_code, again.status_code) == (200, 409)
    assert ada.get("/account").text.count("laptop</th>") == 1


def test_a_form_that_failed_can_be_sent_again(
    tables: Tables, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = tables.browser("ada")
    form = ada.form("/account") | {"label": "laptop"}

    def full(*_: object, **__: object) -> str:
        raise GradebookError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(tables.desk.credentials, "make", full)
        assert ada.post("/account/tokens", form).status_code == 503
    assert [ada.post("/account/tokens", form).status_code for _ in range(2)] == [200, 409]
    assert ada.get("/account").text.count("laptop</th>") == 1


def test_a_rubric_item_is_added_once(pile: Pile) -> None:
    mia = pile.tables.browser("mia")
    for answer in twice(mia, f"{MARK}/q3/items", {"says": "Why", "points": "1", "back": "rubric"}):
        assert answer.headers["location"] == f"{MARK}/q3/rubric"
    assert [i.says for i in pile.marking.items.rubric("warm-up", "q3").items] == ["Why"]


def test_who_marks_with_a_double_click_is_led_on(pile: Pile) -> None:
    mia, item = pile.tables.browser("mia"), pile.item("Why", "1")
    said = {"item": str(item.id), "comment": "Good.", "seen": "0"}
    path = f"{MARK}/q3/{pile.answer('ada').ref}"
    first, again = twice(mia, path, said)
    assert (first.status_code, again.status_code) == (303, 303)
    assert first.headers["location"] == again.headers["location"] != path
    assert pile.mark("ada").says.points == Decimal(1)
    other = mia.post(path, said | {"comment": "Not good."})
    assert other.status_code == 409  # in another window: what would be lost is shown
    assert pile.mark("ada").says.comment == "Good."


def test_a_second_look_is_given_and_decided_once(pile: Pile) -> None:
    mia, hana = pile.tables.browser("mia"), pile.tables.browser("hana")
    pile.save(mia, "ada", adjustment="1")
    assert hana.post(f"{MARKING}/q3/sample", {"percent": "100", "marker": "hana"}).is_redirect
    ref = pile.answer("ada").ref
    for answer in twice(hana, f"{MARK}/q3/second/{ref}", {"adjustment": "2"}):
        assert answer.headers["location"] == f"{MARK}/q3/second"
    for answer in twice(hana, f"{MARKING}/q3/{ref}", {"holds": "second"}):
        assert answer.headers["location"] == f"{MARKING}/q3"
    assert pile.points("ada") == Decimal(2)


def test_who_is_taken_out_twice_is_out(tables: Tables) -> None:
    ines = tables.browser("ines")
    for answer in twice(ines, f"{PEOPLE}/remove", {"person": "ben"}):
        assert answer.headers["location"] == PEOPLE
    for answer in twice(ines, f"{ROSTER}/drop", {"person": "cem"}):
        assert answer.headers["location"] == ROSTER
    assert tables.course.people.named("ben") is None
    assert "cem" not in tables.course.roster.people


def test_a_list_is_taken_once(tables: Tables) -> None:
    ines = tables.browser("ines")
    file = ("list.csv", b"id,name\nada,Ada\neda,Eda\n")
    looked = ines.post(f"{ROSTER}/list", files=[("file", file)]).headers["location"]
    page = ines.get(looked)
    assert page.status_code == 200 and "Eda" in page.text
    assert ines.get(looked).text.count("Eda") == page.text.count("Eda")  # loaded again, it stands
    seen = dict(re.findall(r'type="hidden" name="(\w+)" value="([^"]*)"', page.text))
    for _ in range(2):
        assert ines.post(f"{ROSTER}/take", seen).headers["location"] == ROSTER
    assert "eda" in tables.course.roster.people
    gone = ines.get(looked)
    assert gone.status_code == 422 and "not here any more" in gone.text


def test_what_is_refused_leads_back_to_the_page_of_the_form(pile: Pile) -> None:
    hana, host = pile.tables.browser("hana"), "http://desk.test"
    for sender, back in (
        (f"{host}{MARKING}?x=1", f'href="{MARKING}?x=1">Back to where you were'),
        ("https://evil.example/c/course/", 'href="/c/course/a/warm-up">Back to the assignment'),
        (f"{host}//evil.example", 'href="/c/course/a/warm-up">Back to the assignment'),
        ("", 'href="/c/course/a/warm-up">Back to the assignment'),
    ):
        answer = hana.post(f"{MARKING}/split", {"how": "random"}, headers={"referer": sender})
        assert answer.status_code == 422 and back in answer.text
        assert "evil" not in answer.text
    signed_out = pile.tables.stranger().client.post(
        f"{MARK}/q3/preview",
        data={"comment": "Words."},
        headers={"sec-fetch-site": "same-origin", "referer": f"{host}{MARK}/q3?others=1"},
    )
    assert signed_out.status_code == 401
    assert f'href="/sign-in?next={MARK}/q3%3Fothers%3D1"' in signed_out.text


def test_a_link_that_is_pressed_twice_signs_in(tables: Tables) -> None:
    one, own = tables.stranger(), {"sec-fetch-site": "same-origin"}
    link = f"/s/{tables.link('ada')}"
    for _ in range(2):
        answer = one.client.post(link, headers=own, follow_redirects=False)
        assert answer.headers["location"] == "/"
    assert one.get("/account").status_code == 200
    thief = tables.stranger().client.post(link, headers=own, follow_redirects=False)
    assert thief.status_code == 404
