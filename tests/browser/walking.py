"""The way through every page of the desk: of each role, and of what only a form makes."""

from __future__ import annotations

import secrets
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from grader.desk.pages import all_pages
from grader.desk.settings import SignIn
from grader.desk.university.provider import Login
from grader.desk.views.analysis import group_name
from tests.browser.serving import Served
from tests.desk.conftest import COURSE_FILE, places
from tests.desk.piles import ASSIGNMENT, MARK, MARKING
from tests.desk.test_handing_in import WARNED
from tests.desk.test_publishing import publish

ROLES = ("ada", "ines", "mia", "hana", "adi")


def filled_in(served: Served) -> dict[str, object]:
    """Have some of everything: a rubric, marks, a second look asked for, an appeal, what is out."""
    tables = served.tables
    number = tables.course.gradebook.tries.of("ada")[0].id
    at = {"link": "none", "file": "none", **places(tables, number)}
    mia, hana, ines = (tables.browser(person) for person in ("mia", "hana", "ines"))
    item = str(at["item"])
    assert served.save(mia, "ben", item=item, comment="**Good.** $x^2$").status_code == 303
    assert served.save(mia, "ada", item=item, adjustment="-0.5").status_code == 303
    drawn = hana.post(f"{MARKING}/q3/sample", {"percent": "100", "marker": "ines"})
    assert drawn.status_code == 303, drawn.text
    assert ines.post("/account/tokens", {"label": "laptop"}).status_code < 400
    return at


def looks(
    served: Served, page: Any, person: str, at: dict[str, object], known: Container[str] = ()
) -> Iterator[str]:
    """Open all that one person is shown, page after page; yield where the browser is.

    Of the pages that refuse them, the first; all of these are alike.

    Args:
        served: the desk.
        page: a browser's.
        person: who looks.
        at: what stands in addresses.
        known: pages that are left out.
    """
    page.context.clear_cookies()
    page.goto(f"{served.origin}/s/{served.tables.link(person)}")
    yield "/s/{link}"
    page.click("button.main")
    page.wait_for_load_state()
    refused = False
    for declared in all_pages():
        if declared.method != "GET" or declared.path.endswith("/events"):
            continue
        if declared.path in known:
            continue
        path = served.origin + declared.path.format(**at)
        answer = page.request.get(path)
        is_page = answer.headers.get("content-type", "").startswith("text/html")
        if not is_page or "attachment" in answer.headers.get("content-disposition", ""):
            continue
        if "sandbox" in answer.headers["content-security-policy"]:
            continue  # a frame in which no script runs; the same page is among the reports
        if answer.status >= 400 and refused:
            continue
        refused = refused or answer.status >= 400
        page.goto(path)
        yield declared.path if answer.status < 400 else f"{declared.path}, refused"


CANVAS = """\
Student,ID,SIS User ID,SIS Login ID,Section,Warm-up (31)
    Points Possible,,,,,10.00
"Lovelace, Ada",101,,ada,A,
"New, Nora",105,,nora,A,3
"""
MARK_Q3, PEOPLE = "/c/course/a/warm-up/mark/q3", "/c/course/people"


@dataclass(frozen=True)
class Posted:
    """A page that only a form makes; `says` is on it, and on no other."""

    person: str
    path: str
    fields: dict[str, str]
    says: str
    file: tuple[str, str] | None = None


HAND_IN = "/c/course/a/warm-up/hand-in"
POSTED = [
    Posted("ada", HAND_IN, {"key": "a1"}, "Back to where you were", ("hw.ipynb", "no notebook")),
    Posted("ada", HAND_IN, {"key": "a2"}, "tensorflow", ("hw.ipynb", WARNED.decode())),
    Posted("mia", f"{MARK_Q3}/preview", {"comment": "**Well.** $x^2$"}, "Well."),
    Posted("mia", f"{MARK_Q3}/{{ref}}", {"seen": "0", "adjustment": "1"}, "marked it first"),
    Posted("hana", f"{MARK_Q3}/items/{{item}}", {"says": "x", "points": "0.5"}, "changed this"),
    Posted("hana", f"{MARK_Q3}/rubric", {"begins": "all"}, "changed it"),
    Posted("hana", f"{MARK_Q3}/rubric", {"begins": "all", "seen": "none"}, "mark"),
    Posted("hana", "/c/course/a/warm-up/publish", {"upto": "99999"}, "looked at"),
    Posted(
        "hana", "/c/course/appeals/{appeal}/answer", {"key": "k", "says": "No."}, "answered first"
    ),
    Posted("ines", f"{PEOPLE}/links", {"person": "ben"}, "/s/"),
    Posted("ines", f"{PEOPLE}/staff", {"person": "x", "role": "student"}, "choose a role"),
    Posted("ines", "/c/course/roster/list", {}, "Nora", ("list.csv", CANVAS)),
    Posted("ines", "/c/course/export/look", {"item": "a1"}, "Warm-up (31)", ("list.csv", CANVAS)),
    Posted("ines", "/account/tokens", {"label": "laptop"}, "shown this once"),
]
SEND = """([path, fields, file]) => {
  const form = document.createElement("form");
  form.method = "post"; form.action = path; form.enctype = "multipart/form-data";
  fields.form = document.querySelector("[name=form]").value;
  for (const [name, value] of Object.entries(fields)) {
    const input = document.createElement("input");
    input.name = name; input.value = value; form.append(input);
  }
  if (file) {
    const input = document.createElement("input"), chosen = new DataTransfer();
    chosen.items.add(new File([file[1]], file[0]));
    input.type = "file"; input.name = path.endsWith("/hand-in") ? "files" : "file";
    input.files = chosen.files; form.append(input);
  }
  document.body.append(form); form.submit();
}"""


def posted(
    served: Served, page: Any, at: dict[str, object], forms: Sequence[Posted]
) -> Iterator[Posted]:
    """Send each form, and yield what was sent, with the browser on the page that it made."""
    here = ""
    for one in forms:
        if one.person != here:
            sign_in(served, page, one.person)
        here = one.person
        page.goto(f"{served.origin}/account")
        with page.expect_navigation():
            page.evaluate(SEND, [one.path.format(**at), one.fields, one.file])
        assert one.says in page.inner_text("main"), (one, page.inner_text("main")[:500])
        yield one


def sign_in(served: Served, page: Any, person: str) -> None:
    """Sign somebody else in, in the same browser."""
    page.context.clear_cookies()
    page.goto(f"{served.origin}/s/{served.tables.link(person)}")
    page.click("button.main")
    page.wait_for_load_state()


# -- every page ----------------------------------------------------------------------------------

LONG = "Wolfeschlegelsteinhausenbergerdorff-Featherstonehaugh"
LATE = "[late]\npercent_per_day = 10\ngrace_days = 3\n"
GROUPED = COURSE_FILE.replace("[appeals]", LATE + "[appeals]").replace(
    'assignment = "warm-up"', 'assignment = "warm-up"\ngroup = true'
)
LATER = [
    Posted("hana", f"{ASSIGNMENT}/publish", {"what": "back"}, "lose"),
    Posted(
        "ines",
        "/c/course/groups/list",
        {},
        "would be in another group",
        ("list.csv", "item,group,student\na1,red,ada\n"),
    ),
    Posted("ines", f"{PEOPLE}/links", {}, "Print this page"),
    Posted("ines", "/sign-in/mail", {"email": "x@example.edu"}, "Check your mail"),
]


@dataclass(frozen=True)
class Anybody:
    """A university that vouches for somebody whom no course knows."""

    origin: str
    settings: SignIn = field(
        default=SignIn(id="uni", name="Example University", issuer="https://x", client_id="desk")
    )

    def question(self, flow: Any) -> str:
        return f"{self.origin}/sign-in/with/uni/answer?state={flow.state}&code=x"

    def login(self, *_: object, **__: object) -> Login:
        claims = {"email": f"{LONG}@example.edu", "email_verified": True}
        return Login(issuer="https://x", subject=secrets.token_hex(4), claims=claims)

    def check_sender(self, issuer: str) -> None:
        """Nobody else answers."""

    def sign_out_address(self, back: str) -> str:
        return f"{self.origin}/out?{back}"


def much_of_everything(served: Served) -> dict[str, object]:
    """Have more than that: long names, groups, grace days, mail, what differs and what failed."""
    tables, at = served.tables, filled_in(served)
    course, root = tables.course, tables.course.course.root
    (root / "course.toml").write_text(GROUPED)
    (root / "groups.csv").write_text("item,group,student\na1,team-with-a-name,cem\n")
    roster = root / "roster.csv"
    roster.write_text(roster.read_text().replace("Ben,", f"Ben {LONG},ben.{LONG}@example.edu"))
    course.people.take_students(course.roster.people.values())
    for one in tables.desk.courses.values():
        object.__setattr__(one, "sends_mail", True)
    tables.desk.providers["uni"] = Anybody(served.origin)  # type: ignore[assignment]
    ines = tables.browser("ines")
    second = ines.post(f"{MARK}/q3/second/{served.answer('ada').ref}", {"adjustment": "2"})
    assert second.status_code == 303, second.text
    assert publish(tables) == 303
    failed = tables.tried("cem", key="again")
    course.gradebook.claims.fail(failed.id, f"The disk {LONG} is full.", now=tables.now)
    tables.tried("ben", key="waits")
    return at


def every_page(served: Served, page: Any, people: Sequence[str] = ROLES) -> Iterator[str]:
    """Go through all that there is, and yield what the browser shows; all templates are seen.

    Args:
        served: the desk.
        page: a browser's.
        people: who are shown everything; everybody else what nobody before them was shown.
    """
    page.goto(f"{served.origin}/sign-in")
    yield "sign-in"
    at, seen = much_of_everything(served), set[str]()
    for person in ROLES:
        for path in looks(served, page, person, at, () if person in people else seen.copy()):
            seen.add(path)
            yield f"{person} {path}"
    for one in posted(served, page, at, [*POSTED, *LATER]):
        yield f"{one.person} {one.path} {one.fields}"
    yield from _what_a_table_of_pages_does_not_say(served, page)


def _what_a_table_of_pages_does_not_say(served: Served, page: Any) -> Iterator[str]:
    tables = served.tables
    missed = group_name("test", "q2", "test_means")
    for person, path in (
        ("ines", f"{MARK}/q3/second/{served.answer('ben').ref}"),
        ("ines", f"{ASSIGNMENT}/analysis/who?of={missed}"),
        ("ines", "/c/course/roster?edit=ben#edit"),
        ("hana", f"{ASSIGNMENT}/publish?all=1"),
        ("hana", f"{MARK}/q3/second"),
    ):
        sign_in(served, page, person)
        page.goto(served.origin + path)
        yield f"{person} {path}"
    served.save(tables.browser("mia"), "cem", adjustment="1")
    page.goto(f"{served.origin}{MARK}/q3")
    yield "hana, all marked"
    (tables.course.course.root / "course.toml").unlink()
    page.goto(f"{served.origin}/c/course/totals")
    yield "hana, no totals"
    page.context.clear_cookies()
    account = next(u.account for u in tables.course.people.all() if u.person == "ben")
    link = tables.desk.credentials.make_links([account], course=None, now=tables.now)[account]
    page.goto(f"{served.origin}/s/{link}")
    page.click("button.main")
    page.wait_for_load_state()
    yield "ben, in two courses"
    page.context.clear_cookies()
    page.goto(f"{served.origin}/sign-in/with/uni")
    yield "nobody /sign-in/with/{provider}"
