"""Links are used once, sessions are new and end, and no form of another site is taken."""

from __future__ import annotations

import csv
import datetime as dt
import io
import sqlite3

import pytest

from grader.desk.credentials import LINK, LinkUsedError
from grader.desk.people import Role
from tests.desk.conftest import Tables

OWN = {"sec-fetch-site": "same-origin"}


def test_a_link_is_not_used_up_by_being_opened_and_is_used_once(tables: Tables) -> None:
    link = tables.link("ada")
    mail_scanner, ada, thief = (tables.stranger() for _ in range(3))
    assert mail_scanner.get(f"/s/{link}").status_code == 200
    used = ada.client.post(f"/s/{link}", headers=OWN, follow_redirects=False)
    assert used.status_code == 303
    assert ada.get("/account").status_code == 200
    again = thief.client.post(f"/s/{link}", headers=OWN, follow_redirects=False)
    assert again.status_code == 404
    assert "used" in again.text


def test_links_for_a_mail_merge_are_a_table_with_a_line_for_each_student(tables: Tables) -> None:
    tables.course.people.put(
        "ben", name="=Ben, B.", email="ben@example.edu", role=Role.STUDENT, section="A"
    )
    ines = tables.browser("ines")
    answer = ines.post("/c/course/people/links", {"as": "csv"})
    assert answer.headers["content-disposition"].startswith("attachment")
    assert "course-sign-in.csv" in answer.headers["content-disposition"]
    lines = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))
    assert [line["id"] for line in lines] == ["ben", "ada", "cem"]
    assert (lines[0]["name"], lines[0]["email"]) == ("'=Ben, B.", "ben@example.edu")  # no formula
    for line in lines:
        link = line["link"].removeprefix(tables.desk.origin)
        browser = tables.stranger()
        used = browser.client.post(link, headers=OWN, follow_redirects=False)
        assert used.status_code == 303
        assert f'<p class="soft">{line["id"]}' in browser.get("/account").text


def test_a_new_link_ends_the_one_before_it_and_an_old_one_ends_by_itself(tables: Tables) -> None:
    old = tables.link("ada")
    new = tables.link("ada")
    credentials = tables.desk.credentials
    assert credentials.find("link", old, now=tables.now) is None
    assert credentials.find("link", new, now=tables.now) is not None
    late = tables.now + LINK + dt.timedelta(seconds=1)
    assert credentials.find("link", new, now=late) is None
    with pytest.raises(LinkUsedError):
        credentials.use_link(new, lasts=LINK, now=late)


def test_a_session_that_somebody_else_chose_is_not_taken_over(tables: Tables) -> None:
    attacker = tables.browser("ben")
    planted = attacker.client.cookies["grader"]
    victim = tables.stranger()
    victim.client.cookies.set("grader", planted, domain="desk.test")
    victim.client.post(f"/s/{tables.link('ada')}", headers=OWN, follow_redirects=False)
    values = {c.value for c in victim.client.cookies.jar if c.name == "grader" and c.domain}
    newest = tables.desk.credentials.find("session", (values - {planted}).pop(), now=tables.now)
    assert newest is not None and newest.person == "ada"


def test_the_cookie_is_hidden_from_script_and_bound_to_the_host_over_tls(tables: Tables) -> None:
    answer = tables.stranger().client.post(
        f"/s/{tables.link('ada')}", headers=OWN, follow_redirects=False
    )
    cookies = [cookie.lower() for cookie in answer.headers.get_list("set-cookie")]
    assert any(cookie.startswith("grader=") for cookie in cookies)
    for cookie in cookies:
        assert "httponly" in cookie and "samesite=lax" in cookie and "path=/" in cookie
    object.__setattr__(tables.desk, "origin", "https://desk.test")
    answer = tables.stranger().client.post(
        f"/s/{tables.link('ada')}", headers=OWN, follow_redirects=False
    )
    cookies = answer.headers.get_list("set-cookie")
    assert any(cookie.startswith("__Host-grader=") for cookie in cookies)
    for cookie in cookies:
        assert cookie.startswith("__Host-grader") and "secure" in cookie.lower()


def test_no_value_that_signs_in_is_in_the_database(tables: Tables) -> None:
    browser = tables.browser("ada")
    link = tables.link("ben")
    made = browser.post("/account/tokens", {"label": "laptop"})
    token = made.text.partition('<code class="long">')[2].partition("<")[0]
    values = [browser.client.cookies["grader"], link, token]
    assert all(len(value) > 30 for value in values)
    path = tables.course.course.root / "gradebook.db"
    with sqlite3.connect(path) as database:
        dump = "\n".join(database.iterdump())
    assert not [value for value in values if value in dump]


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"sec-fetch-site": "none"},
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {},
    ],
    ids=str,
)
def test_a_form_of_another_site_changes_nothing(tables: Tables, headers: dict[str, str]) -> None:
    ines = tables.browser("ines")
    data = {**ines.form("/account"), "what": "publish", "upto": "0"}
    answer = ines.client.post(
        "/c/course/a/warm-up/publish", data=data, headers=headers, follow_redirects=False
    )
    assert answer.status_code == 403
    assert not tables.course.publications.is_published("warm-up")


def test_a_form_needs_the_token_of_its_own_session(tables: Tables) -> None:
    ines, ben = tables.browser("ines"), tables.browser("ben")
    for form in ("", "0" * 64, ben.form("/account")["form"]):
        answer = ines.post(
            "/c/course/a/warm-up/publish", {"what": "publish", "upto": "0", "form": form}
        )
        assert answer.status_code == 403
    assert not tables.course.publications.is_published("warm-up")
    assert (
        ines.post("/c/course/a/warm-up/publish", {"what": "publish", "upto": "0"}).status_code
        == 303
    )
    assert tables.course.publications.is_published("warm-up")


def test_signing_out_ends_the_session_and_not_only_the_cookie(tables: Tables) -> None:
    ada = tables.browser("ada")
    kept = ada.client.cookies["grader"]
    assert ada.post("/sign-out").status_code == 303
    later = tables.stranger()
    later.client.cookies.set("grader", kept, domain="desk.test")
    assert later.get("/account").status_code == 303


def test_one_can_end_ones_own_sessions_and_nobody_elses(tables: Tables) -> None:
    ada, ben = tables.browser("ada"), tables.browser("ben")
    credentials = tables.desk.credentials
    theirs = credentials.find("session", ben.client.cookies["grader"], now=tables.now)
    assert theirs is not None
    ada.post("/account/end", {"secret": str(theirs.id)})
    assert ben.get("/account").status_code == 200
    ben.post("/account/end", {"secret": str(theirs.id)})
    assert ben.get("/account").status_code == 303


def test_a_token_hands_in_for_its_owner_and_needs_no_form(tables: Tables) -> None:
    ada = tables.browser("ada")
    made = ada.post("/account/tokens", {"label": "laptop"})
    token = made.text.partition('<code class="long">')[2].partition("<")[0]
    program = tables.stranger()
    bearer = {"authorization": f"Bearer {token}"}
    found = program.client.get("/c/course/t/1", headers=bearer)
    assert found.status_code == 404
    bad = program.client.get("/c/course/t/1", headers={"authorization": "Bearer nothing"})
    assert bad.status_code == 401
    assert bad.json()["error"]


@pytest.mark.parametrize("wanted", ["//evil.example", "https://evil.example", "/\\evil.example"])
def test_after_signing_in_nobody_is_led_to_another_site(tables: Tables, wanted: str) -> None:
    answer = tables.browser("ada").get("/sign-in", params={"next": wanted})
    assert answer.headers["location"] == "/"


def test_guessing_links_is_slowed_down(tables: Tables) -> None:
    stranger = tables.stranger()
    codes = [
        stranger.client.post(f"/s/guess{i}", headers=OWN, follow_redirects=False).status_code
        for i in range(250)
    ]
    assert set(codes) == {404, 429} and codes.count(404) >= 200  # a class behind one address
    mails = {
        stranger.client.post("/sign-in/mail", headers=OWN, follow_redirects=False).status_code
        for _ in range(40)
    }
    assert mails == {200, 429}


def test_a_link_of_one_courses_staff_opens_no_other_course(tables: Tables) -> None:
    # Olga, who runs the other course, names there whom she likes and makes a link for them.
    olga = tables.browser("olga")
    staff = {"person": "ines", "role": "marker", "email": "olga@example.edu", "name": "Olga"}
    assert olga.post("/c/other/people/staff", staff).status_code == 303
    made = olga.post("/c/other/people/links", {"person": "ines"})
    link = made.text.partition("/s/")[2].partition("<")[0]
    thief = tables.stranger()
    thief.client.post(f"/s/{link}", headers=OWN, follow_redirects=False)
    assert thief.get("/c/other/queue").status_code == 200
    for path in ("/c/course/", "/c/course/people", "/c/course/queue"):
        assert thief.get(path).status_code == 404
    ines = tables.course.people.named("ines")
    assert ines is not None and (ines.name, ines.email) == ("ines", "")


def test_what_was_signed_in_for_one_course_looks_after_nothing_of_another(tables: Tables) -> None:
    ines = tables.browser("ines")
    ines.post("/account/tokens", {"label": "the real one"})
    tables.desk.courses["other"].people.put("ines", name="I", role=Role.MARKER)
    elsewhere = tables.browser("ines", "other")
    assert "the real one" not in elsewhere.get("/account").text
    theirs = tables.desk.credentials.find("session", ines.client.cookies["grader"], now=tables.now)
    assert theirs is not None
    assert elsewhere.post("/account/end", {"secret": str(theirs.id)}).status_code == 404
    assert ines.get("/account").status_code == 200


def test_a_second_link_in_the_same_browser_opens_both_courses(tables: Tables) -> None:
    ben = tables.browser("ben", "course")
    assert ben.get("/c/other/").status_code == 404
    ben.client.post(f"/s/{tables.link('ben', 'other')}", headers=OWN, follow_redirects=False)
    assert ben.get("/c/other/").status_code == 200
    assert ben.get("/c/course/").status_code == 200
    ben.client.post(f"/s/{tables.link('cem', 'other')}", headers=OWN, follow_redirects=False)
    assert ben.get("/c/course/").status_code == 404  # another person: nothing is taken along


def test_who_is_taken_out_of_one_course_stays_signed_in_to_another(tables: Tables) -> None:
    ben = tables.browser("ben", "course")
    ben.client.post(f"/s/{tables.link('ben', 'other')}", headers=OWN, follow_redirects=False)
    tables.browser("olga").post("/c/other/people/remove", {"person": "ben"})
    assert ben.get("/c/other/").status_code == 404
    assert ben.get("/c/course/").status_code == 200


def test_links_of_one_course_end_none_of_another(tables: Tables) -> None:
    first = tables.link("ben", "course")
    tables.link("ben", "other")
    assert tables.desk.credentials.find("link", first, now=tables.now) is not None


def test_a_token_hands_in_and_reads_and_does_nothing_else(tables: Tables) -> None:
    ines = tables.browser("ines")
    made = ines.post("/account/tokens", {"label": "laptop"})
    token = made.text.partition('<code class="long">')[2].partition("<")[0]
    program = tables.stranger().client
    bearer = {"authorization": f"Bearer {token}"}
    assert program.get("/", headers=bearer).json() == {"courses": ["course"]}
    refused = {
        "/c/course/a/warm-up/publish": {"what": "publish", "upto": "0"},
        "/c/course/people/links": {},
        "/account/tokens": {"label": "another"},
        "/account/end": {"secret": "1"},
    }
    for path, data in refused.items():
        answer = program.post(path, data=data, headers=bearer, follow_redirects=False)
        assert answer.status_code == 404, path
    assert not tables.course.publications.is_published("warm-up")


def test_a_token_that_was_ended_or_is_over_is_none(tables: Tables) -> None:
    ada = tables.browser("ada")
    made = ada.post("/account/tokens", {"label": "old one"})
    token = made.text.partition('<code class="long">')[2].partition("<")[0]
    credentials = tables.desk.credentials
    found = credentials.find("token", token, now=tables.now)
    assert found is not None and "old one" in ada.get("/account").text
    over = found.expires_at + dt.timedelta(seconds=1)
    assert credentials.find("token", token, now=over) is None
    ada.post("/account/end", {"secret": str(found.id)})
    bearer = {"authorization": f"Bearer {token}"}
    assert tables.stranger().client.get("/", headers=bearer).status_code == 401
    assert "old one" not in ada.get("/account").text


def test_a_mailed_link_is_asked_for_without_telling_who_is_here(tables: Tables) -> None:
    for course in tables.desk.courses.values():
        object.__setattr__(course, "sends_mail", True)
    tables.course.people.put("ada", name="Ada", email="ada@example.edu", role=Role.STUDENT)
    texts = set()
    for email in ("ADA@example.edu", "ada@example.edu", "nobody@example.edu"):
        answer = tables.stranger().client.post(
            "/sign-in/mail", data={"email": email}, headers=OWN, follow_redirects=False
        )
        assert answer.status_code == 200
        texts.add(answer.text.lower().replace(email.lower(), "who"))
    assert len(texts) == 1
    assert {mail.person for mail in tables.course.outbox.newest()} == {"ada"}
    assert tables.desk.courses["other"].outbox.newest() == []


def test_signing_in_again_ends_the_session_that_the_browser_had(tables: Tables) -> None:
    ada = tables.browser("ada")
    before = ada.client.cookies["grader"]
    ada.client.post(f"/s/{tables.link('ada')}", headers=OWN, follow_redirects=False)
    assert ada.client.cookies["grader"] != before
    find = tables.desk.credentials.find
    assert find("session", before, now=tables.now) is None
    assert ada.get("/c/course/").status_code == 200


def test_all_sessions_but_this_one_are_ended_at_once(tables: Tables) -> None:
    here, there, ben = tables.browser("ada"), tables.browser("ada"), tables.browser("ben")
    assert "End all but this one" not in ben.get("/account").text
    assert "End all but this one" in here.get("/account").text
    here.post("/account/end", {"secret": "others"})
    assert here.get("/account").status_code == 200
    assert there.get("/account").status_code == 303
    assert ben.get("/account").status_code == 200


def test_staff_end_a_persons_sessions_in_their_own_course_alone(tables: Tables) -> None:
    ben, ada = tables.browser("ben", "course"), tables.browser("ada")
    ben.client.post(f"/s/{tables.link('ben', 'other')}", headers=OWN, follow_redirects=False)
    unused = tables.link("ben", "course")
    assert tables.browser("mia").post("/c/course/people/end", {"person": "ben"}).status_code == 404
    ended = tables.browser("ines").post("/c/course/people/end", {"person": "ben"})
    assert ended.status_code == 303
    assert ben.get("/c/course/").status_code == 404
    assert ben.get("/c/other/").status_code == 200
    assert tables.desk.credentials.find("link", unused, now=tables.now) is None
    assert ada.get("/c/course/").status_code == 200
    again = tables.browser("ben", "course")  # a new link signs in
    assert again.get("/c/course/").status_code == 200


def test_a_session_that_holds_everywhere_is_ended_in_one_course(tables: Tables) -> None:
    credentials = tables.desk.credentials
    account = next(u.account for u in tables.course.people.all() if u.person == "ben")
    value = credentials.make(
        "session", account, courses=None, lasts=dt.timedelta(days=1), now=tables.now
    )
    ben = tables.stranger()
    ben.client.cookies.set("grader", value, domain="desk.test")
    assert ben.get("/c/course/").status_code == 200
    tables.browser("ines").post("/c/course/people/end", {"person": "ben"})
    assert ben.get("/c/course/").status_code == 404
    assert ben.get("/c/other/").status_code == 200


@pytest.mark.parametrize("path", ["/c/other/", "/c/there-is-none/", "/c/there-is-none/queue"])
def test_who_is_signed_in_is_not_sent_round_for_a_course_of_others(
    tables: Tables, path: str
) -> None:
    ben = tables.browser("ben", "course")
    answer = ben.get(path)
    assert answer.status_code == 404
    assert "There is no such page, or it is not for you." in answer.text
    stranger = tables.stranger().get(path)
    assert stranger.status_code == 303  # to sign in; which courses there are is not said
    assert stranger.headers["location"] == f"/sign-in?next={path}"


@pytest.mark.parametrize(
    ("path", "wanted"),
    [
        ("/c/course/a/warm-up?show=late&q=a+b", "/c/course/a/warm-up?show=late&q=a+b"),
        ("/c/course/s/%C3%A9ric?x=%C3%A9", "/c/course/s/%C3%A9ric?x=%C3%A9"),
        ("/c/course/?next=//evil.example", "/c/course/?next=//evil.example"),
        ("/c/course/?x=\\\\evil.example", "/c/course/"),
        ("/c/course/?q=" + "x" * 3000, "/c/course/"),
        ("/c/course/a/" + "x" * 3000, "/"),
    ],
    ids=["filter", "not ASCII", "another site in it", "backslashes", "long", "a long path"],
)
def test_where_somebody_was_is_where_signing_in_leads(
    tables: Tables, path: str, wanted: str
) -> None:
    """The query is a part of it: the filter of a list, the page of a log."""
    ines = tables.browser("ines")
    led = tables.stranger().get(path).headers["location"]
    assert led.startswith("/sign-in?next=/") and "&" not in led
    assert ines.get(led).headers["location"] == wanted


def test_a_link_leads_to_the_page_that_was_wanted_before_it(tables: Tables) -> None:
    wanted = "/c/course/a/warm-up?show=late"
    ada, own = tables.stranger(), {"sec-fetch-site": "same-origin"}
    assert ada.get(ada.get(wanted).headers["location"]).status_code == 200
    link = f"/s/{tables.link('ada')}"
    led = ada.client.post(link, headers=own, follow_redirects=False)
    assert led.headers["location"] == wanted
    again = ada.client.post(f"/s/{tables.link('ada')}", headers=own, follow_redirects=False)
    assert again.headers["location"] == "/"  # it is remembered once


@pytest.mark.parametrize(
    "wanted", ["/c/other/", "//evil.example/c/course/", "https://evil.example", "/account", "x"]
)
def test_a_link_leads_nowhere_but_into_its_own_course(tables: Tables, wanted: str) -> None:
    ada, own = tables.stranger(), {"sec-fetch-site": "same-origin"}
    ada.client.cookies.set("grader-wanted", wanted, domain="desk.test")
    link = f"/s/{tables.link('ada', 'course')}"
    assert ada.client.post(link, headers=own, follow_redirects=False).headers["location"] == "/"


@pytest.mark.parametrize("person", ["ada", "mia", "hana", "ines", "adi"])
def test_everybody_begins_at_a_page_that_is_theirs(tables: Tables, person: str) -> None:
    browser = tables.browser(person, "course")
    start = browser.get("/").headers["location"]
    page = browser.get(start)
    assert page.status_code == 200
    assert f'class="name" href="{start}"' in page.text
    assert f'href="{start}">Back to the start' in browser.get("/c/course/t/999").text
