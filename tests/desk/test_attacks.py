"""What somebody tries at the desk fails, and succeeds where its wall is taken away.

So each attack is seen to bite: one that fails for another reason than its wall proves nothing.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from markupsafe import Markup
from sqlalchemy import update
from starlette.testclient import TestClient

from grader import table_cells
from grader.desk import app, uploads
from grader.desk.credentials import Credentials, _hash
from grader.desk.people import Role
from grader.desk.views import hand_in
from grader.gradebook.appeals import Appeals
from grader.gradebook.database import writing
from grader.gradebook.desk_tables import SecretRow
from grader.report import markdown, rendered_notebook, templates
from tests.desk.conftest import HOMEWORK, Browser, Tables, places, write_course_file
from tests.desk.piles import MARK
from tests.desk.test_handing_in import WARNED
from tests.helpers.notebooks import code, notebook

OWN = {"sec-fetch-site": "same-origin"}
SCRIPT = "<b onmouseover=alert(1)>"
FORMULA = "=HYPERLINK(1)"

Weaken = Callable[[pytest.MonkeyPatch], None]


@dataclass(frozen=True)
class Attack:
    """What somebody tries; `succeeds` does it and says whether it did.

    Attributes:
        succeeds: tries it at a desk.
        weaken: takes away the wall that holds it.
    """

    succeeds: Callable[[Tables], bool]
    weaken: Weaken


def instead(place: Any, name: str, other: Any) -> Weaken:
    return lambda patch: patch.setattr(place, name, other)


# --- Sessions and links


def fixation(tables: Tables) -> bool:
    """Ben plants his session in Ada's browser, lets her sign in, and goes on with it as her."""
    ben, ada = tables.browser("ben"), tables.stranger()
    planted = ben.client.cookies["grader"]
    ada.client.cookies.set("grader", planted, domain="desk.test")
    ada.client.post(f"/s/{tables.link('ada')}", headers=OWN, follow_redirects=False)
    found = tables.desk.credentials.find("session", planted, now=tables.now)
    return found is not None and found.person == "ada"


_use_link = Credentials.use_link


def _take_over(self: Credentials, value: str, *, now: Any, held: Any, **how: Any) -> str | None:
    """The session that is there becomes that of who signs in."""
    link = self.find("link", value, now=now)
    if link is None or held is None:
        return _use_link(self, value, now=now, held=held, **how)
    becomes = update(SecretRow).where(SecretRow.id == held.id)
    with writing(self._engine) as session:
        session.execute(becomes.values(account=link.account, courses=link.courses))
    return "the same"


def replay(tables: Tables) -> bool:
    """A link that Ada used is used again by who found it in her mail."""
    link = tables.link("ada")
    for browser in (tables.stranger(), thief := tables.stranger()):
        browser.client.post(f"/s/{link}", headers=OWN, follow_redirects=False)
    return bool(thief.get("/account").status_code == 200)


def _use_and_keep(self: Credentials, value: str, **how: Any) -> str | None:
    made = _use_link(self, value, **how)
    with writing(self._engine) as session:
        again = update(SecretRow).where(SecretRow.sha256 == _hash(value))
        session.execute(again.values(ended_at=None))
    return made


# --- Forms


def _publishes(tables: Tables, form: dict[str, str], headers: dict[str, str]) -> bool:
    ines = tables.browser("ines")
    form = {**ines.form("/account"), "what": "publish", "upto": "0", **form}
    ines.client.post(
        "/c/course/a/warm-up/publish", data=form, headers=headers, follow_redirects=False
    )
    return bool(tables.course.publications.is_published("warm-up"))


def foreign_form(tables: Tables) -> bool:
    """Another site that has learned her form's token has the instructor's browser publish."""
    return _publishes(tables, {}, {"sec-fetch-site": "cross-site"})


def blind_form(tables: Tables) -> bool:
    """A form that a page of the desk's own origin sends, without the session's token."""
    return _publishes(tables, {"form": "0" * 64}, OWN)


def forged_student(tables: Tables) -> bool:
    """Ada adds a field to her form that says for whom she hands in."""
    tables.browser("ada").hand_in(student="ben")
    return bool(tables.course.gradebook.tries.of("ben"))


def _believe_student(patch: pytest.MonkeyPatch) -> None:
    """Two walls: whose it is, and who may hand in for them."""
    patch.setattr(hand_in, "_student", lambda visit: visit.said("student") or visit.me.person)
    patch.setattr(app, "may", lambda *_: True)


def anothers_upload(tables: Tables) -> bool:
    """Ben confirms the files that Ada is still being asked about."""
    tables.browser("ada").hand_in(("hw.ipynb", WARNED), sure="")
    (kept,) = (path.name for path in tables.desk.uploads.iterdir())
    ben, path = tables.browser("ben"), "/c/course/a/warm-up/confirm"
    looked = ben.get(path, params={"upload": kept}).status_code == 200
    ben.post(path, {"upload": kept})
    return looked or bool(tables.course.gradebook.tries.of("ada"))


_find_upload = uploads.find_upload


def _find_anybodys(root: Path, name: str, *, account: int) -> uploads.Upload | None:
    record = json.loads((root / name / "upload.json").read_text())
    return _find_upload(root, name, account=record["account"] or account)


# --- Files


def climbing_name(tables: Tables) -> bool:
    """A file is called so that it lands beside the uploads of everybody."""
    hostile = ("../../../escaped.py", b"planted = True")
    tables.browser("ada").hand_in(("hw.ipynb", HOMEWORK), hostile)
    return (tables.desk.uploads / "escaped.py").exists()


def _believe_names(patch: pytest.MonkeyPatch) -> None:
    """Two walls: the form's names are cut, and each must be one that leads nowhere."""
    patch.setattr(
        hand_in, "_files", lambda visit: [(f.filename, f.file) for f in visit.form.getlist("files")]
    )
    patch.setattr(
        uploads,
        "_places",
        lambda root, student, chosen: [(root / student / name, file) for name, file in chosen],
    )


# --- Script


def _runs(browser: Browser, *paths: str) -> bool:
    return any(SCRIPT in browser.get(path).text for path in paths)


def script_as_name(tables: Tables) -> bool:
    tables.course.people.put("mia", name=f"Mia {SCRIPT}", role=Role.MARKER)
    return _runs(tables.browser("ines"), "/c/course/people") or _runs(
        tables.browser("mia"), "/c/course/"
    )


def script_as_file_name(tables: Tables) -> bool:
    ada, file = tables.browser("ada"), (f"{SCRIPT}.ipynb", WARNED)
    asked = ada.get(ada.hand_in(file, sure="").headers["location"]).text
    ada.hand_in(file)
    (one,) = tables.course.gradebook.tries.of("ada")
    return SCRIPT in asked or _runs(tables.browser("mia"), f"/c/course/t/{one.id}")


def script_as_appeal(tables: Tables) -> bool:
    number = tables.judged("ada").id
    places(tables, number)
    own = Appeals(tables.course.gradebook.engine).open(
        assignment="warm-up",
        question="q3",
        student="ada",
        marker="mia",
        says=SCRIPT,
        key="hostile",
        most=3,
        now=tables.now,
    )
    return _runs(tables.browser("ines"), f"/c/course/appeals/{own.id}")


def script_as_comment(tables: Tables) -> bool:
    """A marker's comment is Markdown; its preview is the page that the marker reads."""
    tables.judged("ada")
    shown = tables.browser("mia").post(f"{MARK}/q3/preview", {"comment": f"Well. {SCRIPT}"})
    assert shown.status_code == 200 and "Well." in shown.text
    return SCRIPT in shown.text


def script_as_output(tables: Tables) -> bool:
    """A notebook has put out HTML; the page that shows its result shows that too."""
    output = {"output_type": "display_data", "metadata": {}, "data": {"text/html": SCRIPT}}
    cell = code("show()", count=1) | {"outputs": [output]}
    number = tables.judged("ada").id
    one = tables.course.gradebook.tries.get(number)
    assert one is not None
    batch = tables.course.gradebook.start_batch("warm-up", seed=1)
    tables.course.gradebook.record(
        tables.verdict(one), notebook([cell]), batch=batch, desk_try=number
    )
    return _runs(tables.browser("mia"), f"/c/course/t/{number}/result/page")


def _unescaped(patch: pytest.MonkeyPatch) -> None:
    environment = templates._environment.__wrapped__(())
    environment.autoescape = False
    patch.setattr(templates, "_environment", lambda _: environment)


def _as_it_is(html: str, **_: Any) -> Markup:
    return Markup(html)


def _unsanitised_comment(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(markdown, "sanitise_html", _as_it_is)
    patch.setattr(markdown, "_convert_cached", lambda source: markdown._convert(source, {}))


# --- Tables


def formula(tables: Tables) -> bool:
    """A name is a formula in the list of links that staff open in a spreadsheet."""
    tables.course.people.put("ada", name=FORMULA, role=Role.STUDENT)
    table = tables.browser("ines").post("/c/course/people/links", {"as": "csv"})
    assert FORMULA in table.text
    return any(line.startswith(FORMULA) for line in table.text.splitlines())


def _exported(tables: Tables, kind: str) -> bytes:
    """A table of the marks, in which a student's name is a formula."""
    tables.judged("ada")
    write_course_file(tables)
    roster = tables.course.course.root / "roster.csv"
    roster.write_text(roster.read_text().replace("ada,Ada", f"ada,{FORMULA}"))
    form = {"item": "=totals", "kind": kind}
    answer = tables.browser("hana").post("/c/course/export/table", form)
    assert answer.status_code == 200, answer.text
    return bytes(answer.content)


def formula_in_table(tables: Tables) -> bool:
    rows = list(csv.reader(io.StringIO(_exported(tables, "csv").decode("utf-8-sig"))))
    assert any(FORMULA in cell for row in rows for cell in row)
    return any(cell.startswith(FORMULA) for row in rows for cell in row)


def formula_in_workbook(tables: Tables) -> bool:
    book = openpyxl.load_workbook(io.BytesIO(_exported(tables, "xlsx")))
    cells = [cell for row in book.worksheets[0].iter_rows() for cell in row]
    assert any(FORMULA in str(cell.value) for cell in cells)
    return any(str(cell.value).startswith(FORMULA) for cell in cells)


_formulas_pass = instead(table_cells, "_is_dangerous", lambda _: False)
ATTACKS = {
    "session fixation": Attack(fixation, instead(Credentials, "use_link", _take_over)),
    "replay of a link": Attack(replay, instead(Credentials, "use_link", _use_and_keep)),
    "form of another site": Attack(foreign_form, instead(app, "_same_site", lambda _: True)),
    "form without its token": Attack(blind_form, instead(app, "_own_form", lambda _: True)),
    "field that names another": Attack(forged_student, _believe_student),
    "another's upload": Attack(anothers_upload, instead(hand_in, "find_upload", _find_anybodys)),
    "name that climbs": Attack(climbing_name, _believe_names),
    "script as display name": Attack(script_as_name, _unescaped),
    "script as file name": Attack(script_as_file_name, _unescaped),
    "script as appeal": Attack(script_as_appeal, _unescaped),
    "script as comment": Attack(script_as_comment, _unsanitised_comment),
    "script as output": Attack(
        script_as_output, instead(rendered_notebook, "sanitise_html", _as_it_is)
    ),
    "formula as name": Attack(formula, _formulas_pass),
    "formula in a table": Attack(formula_in_table, _formulas_pass),
    "formula in a workbook": Attack(formula_in_workbook, _formulas_pass),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_the_desk_fails(tables: Tables, name: str) -> None:
    assert not ATTACKS[name].succeeds(tables)


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_on_the_desk_succeeds_where_its_wall_is_missing(
    tables: Tables, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    ATTACKS[name].weaken(monkeypatch)
    assert ATTACKS[name].succeeds(tables)


# --- What no attack above is about


def test_over_tls_a_browser_is_told_to_stay_there(tables: Tables) -> None:
    object.__setattr__(tables.desk, "origin", "https://desk.test")
    with TestClient(app.make_app(tables.desk), base_url=tables.desk.origin) as client:
        answer = client.get("/sign-in")
    assert answer.headers["strict-transport-security"] == "max-age=31536000"
    assert "strict-transport-security" not in tables.stranger().get("/sign-in").headers


@pytest.mark.parametrize(("person", "hours"), [("ada", 14 * 24), ("mia", 12), ("ines", 12)])
def test_a_session_ends_by_itself_and_that_of_staff_within_a_day(
    tables: Tables, person: str, hours: int
) -> None:
    value = tables.browser(person).client.cookies["grader"]
    ends = dt.datetime.now(dt.UTC) + dt.timedelta(hours=hours)
    find, hour = tables.desk.credentials.find, dt.timedelta(hours=1)
    assert find("session", value, now=ends - hour) is not None
    assert find("session", value, now=ends + hour) is None


def test_a_null_is_stored_nowhere_and_looked_up_nowhere(tables: Tables) -> None:
    ines = tables.browser("ines")
    staff = {"person": "ne\0w", "name": "N\0ew", "role": "marker"}
    assert ines.post("/c/course/people/staff", staff).status_code == 303
    new = tables.course.people.named("new")
    assert new is not None and new.name == "New"
    for path in ("/c/course/s/ada%00", "/c/cour%00se/", "/c/course/audit?thing=%00"):
        assert ines.get(path).status_code == 404


@pytest.mark.parametrize("way", ["../../../other/assignments/warm-up/tests", "{root}/tests", ".."])
def test_no_id_of_staff_leads_an_upload_out_of_its_folder(tables: Tables, way: str) -> None:
    other = tables.desk.courses["other"].course.root
    person = way.format(root=other)
    before = {path for path in other.parent.rglob("*") if path.name == "conftest.py"}
    staff = {"person": person, "name": "New", "role": "marker"}
    assert tables.browser("ines").post("/c/course/people/staff", staff).status_code == 303
    answer = tables.browser(person).hand_in(("conftest.py", b"spy()"), ("hw.ipynb", HOMEWORK))
    assert {path for path in other.parent.rglob("*") if path.name == "conftest.py"} == before
    assert answer.status_code == 422 and "can hand nothing in" in answer.text
