"""One try: its receipt, how it goes, and what came of it."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from starlette.responses import HTMLResponse, Response, StreamingResponse

from grader.desk.events import News
from grader.desk.headers import STUDENT_CSP
from grader.desk.may import Action, Thing
from grader.desk.reading import reader
from grader.desk.rendering import error_page, file_answer, json_answer, page, wants_json
from grader.desk.routing import NotFound, Page, Visit, whole_number
from grader.gradebook.tries import DeskTry, TryState
from grader.grading.verdict import Verdict
from grader.intake.stored import load_attempt
from grader.report.marks import QuestionSheet
from grader.suite.results import TestOutcome


def show_try(visit: Visit) -> Response:
    """Show a try: what was received, where it is, and what may be seen of its verdict."""
    one = try_of(visit)
    if wants_json(visit):
        return json_answer(try_json(visit, one))
    assignment = visit.course.course.assignment(one.assignment)
    verdict = _verdict(visit, one)
    own = reader(visit, assignment)
    work = own.own(one.student)
    audience = _audience(visit)
    return page(
        visit,
        "try",
        one=one,
        news=visit.request.app.state.news.now(visit.course.slug, one),
        spec=assignment.spec,
        verdict=verdict,
        sheet=own.sheet(verdict, work.standing, audience) if verdict else None,
        given=own.given(verdict) if verdict else {},
        counts=bool(work.counted and work.counted.submission.attempt == one.attempt),
        is_open=work.is_open,
        standing=work.standing,
        mine=one.student == visit.me.person,
    )


def follow_try(visit: Visit) -> Response:
    """Stream where a try is, until it has ended."""
    one, account = try_of(visit), visit.me.account
    news: News = visit.request.app.state.news
    if not news.may_follow(account):
        return error_page(visit, 429, "You follow too many pages at a time. Close some of them.")
    return StreamingResponse(
        news.follow(visit.course.slug, one.id, account=account),
        media_type="text/event-stream",
        headers={"x-accel-buffering": "no"},
    )


def show_result(visit: Visit) -> Response:
    """Show the whole page of a verdict, in a frame."""
    one = try_of(visit)
    if _verdict(visit, one) is None:
        raise NotFound
    here, spec = f"/c/{visit.course.slug}", visit.course.course.assignment(one.assignment).spec
    return page(
        visit,
        "framed",
        title=f"Report of try {one.attempt}",
        back=[
            (spec.title, f"{here}/a/{quote(one.assignment, safe='')}"),
            (f"Try {one.attempt}", f"{here}/t/{one.id}"),
        ],
        alone=f"{here}/t/{one.id}/result/page",
    )


def show_result_alone(visit: Visit) -> Response:
    """Show the page of a verdict, with the notebook: what a student made runs nowhere."""
    one = try_of(visit)
    verdict = _verdict(visit, one)
    if verdict is None:
        raise NotFound
    html = reader(visit, visit.course.course.assignment(one.assignment)).page(
        verdict, _audience(visit)
    )
    return HTMLResponse(html, headers={"content-security-policy": STUDENT_CSP})


def send_receipt(visit: Visit) -> Response:
    """Send what proves that a try was received: times and hashes."""
    one = try_of(visit)
    receipt = {
        "format": "grader-desk-receipt 1",
        "desk": visit.desk.origin,
        "course": visit.course.slug,
        "try": one.id,
        "assignment": one.assignment,
        "student": one.student,
        "attempt": one.attempt,
        "file": one.file,
        "sha256": one.sha256,
        "received_at": one.received_at.isoformat(),
    }
    return json_answer(receipt)


def send_notebook(visit: Visit) -> Response:
    """Send what was handed in, to be saved; several notebooks as a zip."""
    one = try_of(visit)
    submission = load_attempt(visit.course.course.submissions_dir / one.folder, one.attempt)
    if submission.notebook:
        notebooks = submission.read_notebooks()
        return file_answer(_zipped(notebooks), f"{one.assignment}.zip", "application/zip")
    name = submission.file.rpartition("/")[2] or "notebook.ipynb"
    return file_answer(submission.read(), name, "application/octet-stream")


def _zipped(notebooks: Mapping[str, bytes]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in notebooks.items():
            archive.writestr(f"{name}.ipynb", data)
    return packed.getvalue()


def try_of(visit: Visit) -> DeskTry:
    """Return the try in the address."""
    number = whole_number(visit.named("number"))
    one = visit.course.gradebook.tries.get(number) if number is not None else None
    if one is None or one.state is TryState.RECEIVING:
        raise NotFound
    return one


def whose_try(visit: Visit) -> Thing:
    """The try is its student's, and of all for whom it was handed in."""
    one, me = try_of(visit), visit.me.person
    if me in visit.course.team(one.assignment, one.student):
        return Thing(student=me)
    return Thing(student=one.student, section=visit.course.section_of(one.student))


def try_json(visit: Visit, one: DeskTry) -> dict[str, Any]:
    """Return what a program may know of a try."""
    news = visit.request.app.state.news.now(visit.course.slug, one)
    found: dict[str, Any] = {
        "try": one.id,
        "assignment": one.assignment,
        "student": one.student,
        "attempt": one.attempt,
        "sha256": one.sha256,
        "received_at": one.received_at,
        "state": one.state,
        "ahead": news.ahead,
        "cell": news.cell,
        "cells": news.cells,
        "says": news.says,
        "problem": one.problem,
        "page": f"{visit.desk.origin}/c/{visit.course.slug}/t/{one.id}",
    }
    verdict = _verdict(visit, one)
    if verdict is not None:
        own = reader(visit, visit.course.course.assignment(one.assignment))
        sheet = own.sheet(verdict, own.own(one.student).standing, _audience(visit))
        found |= {"points": str(sheet.points), "max_points": str(sheet.max_points)}
        found["questions"] = [_question_json(question) for question in sheet.questions]
    return found


def _question_json(question: QuestionSheet) -> dict[str, Any]:
    """What the page shows of a question: points, and the tests that failed as they may be seen."""
    failed = [test for test in question.tests if test.outcome is not TestOutcome.PASSED]
    return {
        "title": question.title,
        "points": str(question.whole),
        "max_points": str(question.whole_max),
        "failed": [{"test": t.title or t.name, "message": t.message} for t in failed],
    }


def _verdict(visit: Visit, one: DeskTry) -> Verdict | None:
    if one.verdict is None:  # what is judged again keeps its verdict until there is another
        return None
    entry = visit.course.gradebook.entry(one.verdict)
    return entry.verdict if entry else None


def _audience(visit: Visit) -> Any:
    return "instructor" if visit.me.role.is_staff else "student"


_ADDRESS = "/c/{course}/t/{number}"
PAGES = [
    Page(
        method="GET",
        path=f"{_ADDRESS}{rest}",
        view=view,
        action=Action.SEE_WORK,
        thing=whose_try,
    )
    for rest, view in (
        ("", show_try),
        ("/events", follow_try),
        ("/result", show_result),
        ("/result/page", show_result_alone),
        ("/receipt.json", send_receipt),
        ("/notebook", send_notebook),
    )
]
