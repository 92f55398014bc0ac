"""What an audit found, as a page for the instructor."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from grader.audit.findings import Audit, MutantFinding
from grader.report.templates import render


@dataclass(frozen=True)
class DiffLine:
    """A line of a diff: `sign` is "+", "-" or " "."""

    sign: str
    text: str


@dataclass(frozen=True)
class ShownMutant:
    """A mutant with its diff, ready to be shown."""

    finding: MutantFinding
    lines: tuple[DiffLine, ...]


def audit_page(
    audit: Audit, *, at_least: float, now: dt.datetime, template_dirs: Sequence[Path] = ()
) -> str:
    """Return one self-contained HTML file, for instructors only: it shows the solution.

    Args:
        audit: what was found.
        at_least: the share of mistakes that must be noticed.
        now: when the page is made.
        template_dirs: a course's own template folders.
    """
    return render(
        "report/audit.html.j2",
        {
            "audit": audit,
            "at_least": at_least,
            "faults": audit.faults(at_least),
            "unseen": [_shown(m) for m in audit.mutants if m.unseen],
            "equivalent": [_shown(m) for m in audit.mutants if m.equivalent],
            "kinds": _kinds(audit),
            "title": audit.title,
            "now": now,
        },
        template_dirs,
    )


def _shown(finding: MutantFinding) -> ShownMutant:
    lines = [DiffLine(line[:1], line[1:]) for line in finding.diff.splitlines()]
    return ShownMutant(finding, tuple(lines))


def _kinds(audit: Audit) -> list[tuple[str, int, int]]:
    """Each kind of mistake, how many mutants have it, and how many of these are noticed."""
    names = sorted({m.kind for m in audit.mutants})
    found = []
    for name in names:
        own = [m for m in audit.mutants if m.kind == name and not m.equivalent]
        if own:
            found.append((name, len(own), sum(m.noticed for m in own)))
    return sorted(found, key=lambda row: (row[2] / row[1], row[0]))
