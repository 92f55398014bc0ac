"""The page of an audit, beside what is kept for the next one."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import msgspec

from grader.api.auditing.audit_run import kept_dir
from grader.audit.findings import Audit
from grader.course.directory import Course
from grader.report.audit_page import audit_page
from grader.storage import write_atomically


def write_audit_page(course: Course, audit: Audit, *, at_least: float) -> Path:
    """Write the page and the findings as JSON; returns where the page is.

    Args:
        course: of the assignment.
        audit: what was found.
        at_least: the share of mistakes that must be noticed.
    """
    folder = kept_dir(course, audit.assignment)
    folder.mkdir(parents=True, exist_ok=True)
    page = audit_page(audit, at_least=at_least, now=dt.datetime.now(dt.UTC))
    path = folder / "audit.html"
    write_atomically(path, page.encode())
    findings = msgspec.json.format(msgspec.json.encode(audit), indent=2)
    write_atomically(folder / "audit.json", findings)
    return path
