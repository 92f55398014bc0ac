"""Every page × every role × one's own and other people's things, from the table of pages itself."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import update

from grader.desk.may import Action, Thing, may
from grader.desk.pages import all_pages
from grader.desk.people import Role, User
from grader.desk.routing import OpenPage, Page
from grader.errors import UsageError
from grader.gradebook.database import writing
from grader.gradebook.desk_tables import RoleRow
from tests.desk.conftest import Tables, places

OPEN = {
    ("GET", "/sign-in"),
    ("POST", "/sign-in/mail"),
    ("GET", "/s/{link}"),
    ("POST", "/s/{link}"),
    ("GET", "/sign-in/with/{provider}"),
    ("GET", "/sign-in/with/{provider}/answer"),
    ("GET", "/static/{file}"),
    ("GET", "/healthz"),
    ("GET", "/healthz/live"),
    ("GET", "/healthz/ready"),
    ("GET", "/metrics"),
}
EVERYBODY = {"ada", "ben", "mia", "max", "hana", "ines", "adi"}
NARROWED = {"hugo": Role.HEAD_MARKER, "ivy": Role.INSTRUCTOR}
"""What older desks allowed: they have section B, as Max has, and may what he may."""
# Who may, when the thing is the course's, or the work of Ada, a student of section A.
ALLOWED = {
    Action.OWN_ACCOUNT: EVERYBODY | {"olga"},
    Action.SEE_COURSE: EVERYBODY - {"adi"},
    Action.HAND_IN: EVERYBODY - {"adi"},
    Action.SEE_WORK: {"ada", "mia", "hana", "ines"},
    Action.SEE_CLASS: {"mia", "max", "hana", "ines"},
    Action.MARK: {"mia", "max", "hana", "ines"},
    Action.CHANGE_RUBRIC: {"hana", "ines"},
    Action.LEAD_MARKING: {"hana", "ines"},
    Action.RUN_AGAIN: {"hana", "ines"},
    Action.PUBLISH: {"hana", "ines"},
    Action.GRANT: {"hana", "ines"},
    Action.EXPORT: {"hana", "ines"},
    Action.APPEAL: {"ada"},
    Action.ANSWER_APPEAL: {"mia", "hana", "ines"},
    Action.MANAGE_PEOPLE: {"ines", "adi"},
    Action.SEE_AUDIT: {"ines", "adi"},
}
ABOUT = {
    "says": "clear",
    "points": "1",
    "person": "cem",
    "role": "marker",
    "label": "laptop",
    "secret": "1",
}
PAGES = [page for page in all_pages() if isinstance(page, Page)]


def test_only_these_pages_are_open_to_who_has_not_signed_in() -> None:
    found = {(p.method, p.path) for p in all_pages() if isinstance(p, OpenPage)}
    assert found == OPEN


def test_every_action_has_its_line_here() -> None:
    assert set(ALLOWED) == set(Action)


def with_an_old_section(tables: Tables, person: str) -> None:
    role = NARROWED[person]
    user = tables.course.people.put(person, name=person.title(), role=role)
    with writing(tables.desk.accounts.engine) as session:
        session.execute(update(RoleRow).where(RoleRow.account == user.account).values(section="B"))


@pytest.mark.parametrize("person", sorted(EVERYBODY | {"olga"} | set(NARROWED)))
def test_a_page_shows_itself_to_whom_it_may_and_looks_absent_to_others(
    tables: Tables, person: str
) -> None:
    number = tables.judged("ada").id
    likewise = person
    if person in NARROWED:
        with_an_old_section(tables, person)
        likewise = "max"
    browser = tables.browser(person)
    at = places(tables, number)
    for page in PAGES:
        if page.path in ("/sign-out", "/account/end"):
            continue
        if any(name in page.path for name in ("{ref}", "{work}", "{item}", "{appeal}")):
            at = places(tables, number)  # what was posted may have changed them
        path = page.path.format(**at)
        if path.endswith("/events"):
            continue  # it would follow; its rule is that of the try's page
        answer = browser.get(path) if page.method == "GET" else browser.post(path, ABOUT)
        allowed = likewise in ALLOWED[page.action]
        whose = ("{ref}", "{student}", "{work}")
        if likewise == "max" and any(name in page.path for name in whose):
            allowed = False  # Ada is of another section
        assert (answer.status_code != 404) == allowed, (person, page.method, path)
        assert answer.status_code < 500, (person, page.method, path, answer.text)


@pytest.mark.parametrize("page", PAGES, ids=lambda p: f"{p.method} {p.path}")
def test_who_has_not_signed_in_is_led_to_signing_in(tables: Tables, page: Page) -> None:
    path = page.path.format(
        course="course",
        assignment="warm-up",
        number=1,
        question="q3",
        ref="x",
        tested="q2",
        work="x",
        item=1,
        student="ada",
        provider="uni",
        course_item="exam",
        appeal=1,
    )
    stranger = tables.stranger()
    own = {"sec-fetch-site": "same-origin"}
    if page.method == "GET":
        answer = stranger.get(path)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith("/sign-in")
    else:
        answer = stranger.client.post(path, headers=own, follow_redirects=False)
        assert answer.status_code == 401


def test_a_try_of_another_course_is_not_reached_through_ones_own(tables: Tables) -> None:
    number = tables.judged("ada").id
    olga = tables.browser("olga")
    assert olga.get(f"/c/other/t/{number}").status_code == 404
    assert olga.get(f"/c/course/t/{number}").status_code == 404


def test_what_is_in_no_line_may_nobody() -> None:
    for role in Role:
        user = User(account=1, person="x", name="x", email="", role=role)
        assert not may(user, "something new", Thing())  # type: ignore[arg-type]


def test_a_marker_of_a_section_sees_that_section_alone(tables: Tables) -> None:
    a, b = tables.judged("ada").id, tables.judged("cem").id
    marker = tables.browser("max")
    assert marker.get(f"/c/course/t/{a}").status_code == 404
    assert marker.get(f"/c/course/t/{b}").status_code == 200
    page = marker.get("/c/course/a/warm-up").text
    assert "Cem" in page and "Ada" not in page


def test_who_was_taken_out_is_out_at_once(tables: Tables) -> None:
    ben = tables.browser("ben")
    assert ben.get("/c/course/").status_code == 200
    assert (
        tables.browser("ines").post("/c/course/people/remove", {"person": "ben"}).status_code == 303
    )
    assert ben.get("/c/course/").status_code == 303


def test_nobody_makes_themselves_something_else(tables: Tables) -> None:
    adi = tables.browser("adi")
    refused = adi.post("/c/course/people/staff", {"person": "adi", "role": "instructor"})
    assert refused.status_code == 422
    assert adi.get("/c/course/queue").status_code == 404
    renamed = adi.post("/c/course/people/staff", {"person": "adi", "role": "admin", "name": "Adi"})
    assert renamed.status_code == 303


def test_a_student_is_no_staff_and_a_marker_has_a_section_that_is_there(tables: Tables) -> None:
    ines = tables.browser("ines")
    student = ines.post("/c/course/people/staff", {"person": "ada", "role": "marker"})
    assert student.status_code == 422 and "ada is a student" in student.text
    ada = tables.course.people.named("ada")
    assert ada is not None and ada.role is Role.STUDENT
    new = {"person": "noah", "role": "marker", "section": "Z"}
    unknown = ines.post("/c/course/people/staff", new)
    assert unknown.status_code == 422 and "There are: A" in unknown.text
    assert tables.course.people.named("noah") is None
    assert ines.post("/c/course/people/staff", {**new, "section": "A"}).status_code == 303


@pytest.mark.parametrize("role", [role for role in Role if role is not Role.STUDENT])
def test_nobody_but_a_marker_is_given_a_section(tables: Tables, role: Role) -> None:
    ines, people = tables.browser("ines"), tables.course.people
    said = {"person": "noah", "role": role.value, "section": "B"}
    answer = ines.post("/c/course/people/staff", said)
    if role is Role.MARKER:
        assert answer.status_code == 303
        # Nor does a marker of one who is made something more keep it.
        assert ines.post("/c/course/people/staff", said | {"role": "head marker"}).is_client_error
        found = people.named("noah")
        assert found is not None and (found.role, found.section) == (Role.MARKER, "B")
        return
    assert answer.status_code == 422 and "narrows what a marker sees" in answer.text
    assert people.named("noah") is None
    assert ines.post("/c/course/people/staff", said | {"section": ""}).status_code == 303
    with pytest.raises(UsageError, match="narrows what a marker sees"):
        people.put("noah", name="Noah", role=role, section="B")


def test_a_section_of_old_opens_no_work_to_an_admin(tables: Tables) -> None:
    adi = tables.course.people.named("adi")
    assert adi is not None
    with writing(tables.desk.accounts.engine) as session:
        session.execute(update(RoleRow).where(RoleRow.account == adi.account).values(section="B"))
    assert tables.course.people.user(adi.account) == adi


@pytest.mark.parametrize("person", sorted(NARROWED))
def test_whoever_asks_for_a_person_of_an_old_section_is_told_the_same(
    tables: Tables, person: str
) -> None:
    with_an_old_section(tables, person)
    people = tables.course.people
    found = next(user for user in people.all() if user.person == person)
    assert (found.role, found.section) == (Role.MARKER, "B")
    assert people.named(person) == people.user(found.account) == found


def test_who_is_narrowed_by_an_old_section_is_a_head_again_when_saved_without(
    tables: Tables,
) -> None:
    with_an_old_section(tables, "hugo")
    hugo, ines = tables.browser("hugo"), tables.browser("ines")
    assert hugo.get("/c/course/publish").status_code == 404
    saved = {"person": "hugo", "name": "Hugo", "role": "head marker", "section": ""}
    assert ines.post("/c/course/people/staff", saved).status_code == 303
    assert hugo.get("/c/course/publish").status_code == 200


def test_no_page_names_a_student_of_another_section_to_a_marker_of_one(tables: Tables) -> None:
    tables.judged("ada")
    tables.tried("ben")
    number = tables.judged("cem").id
    marker, ines = tables.browser("max"), tables.browser("ines")
    named = 0
    for page in PAGES:
        path = page.path.format(**places(tables, number))
        if page.method != "GET" or path.endswith("/events"):
            continue
        answer = marker.get(path)
        if answer.headers.get("content-type", "").startswith(("text/", "application/json")):
            found = re.findall(r"\b(?:ada|ben)\b", answer.text, re.IGNORECASE)
            assert not found, (path, found)
            named += "Ada" in ines.get(path).text
    assert named >= 2  # pages that do name her to others


def test_a_course_may_let_markers_see_other_sections(tables: Tables) -> None:
    number = tables.judged("ada").id
    marker = tables.browser("max")
    assert marker.get(f"/c/course/t/{number}").status_code == 404
    object.__setattr__(tables.course, "open_sections", True)
    assert marker.get(f"/c/course/t/{number}").status_code == 200
    assert "Ada" in marker.get("/c/course/a/warm-up").text


def test_who_runs_one_course_is_what_they_are_in_another_in_the_same_session(
    tables: Tables,
) -> None:
    number = tables.judged("ada").id
    tables.course.people.put("olga", name="Olga", role=Role.STUDENT, section="A")
    olga = tables.browser("olga", "other")
    own = {"sec-fetch-site": "same-origin"}
    olga.client.post(f"/s/{tables.link('olga', 'course')}", headers=own, follow_redirects=False)
    assert olga.get("/c/other/people").status_code == 200
    for page in PAGES:
        path = page.path.format(**places(tables, number))
        if not page.path.startswith("/c/") or path.endswith("/events"):
            continue
        answer = olga.get(path) if page.method == "GET" else olga.post(path, ABOUT)
        assert (answer.status_code != 404) == ("ben" in ALLOWED[page.action]), path
