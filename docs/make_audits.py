"""Audit assignments, keep the figures, and write the pages that show them.

python -m docs.make_audits NAME
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from docs import make_catalog
from docs.audit_figures import Figures, audited, keep_figures, kept_figures
from grader.api.auditing import PARTS, Audit, audit
from grader.api.auditing.audit_page import write_audit_page
from grader.cli.step_progress import StepProgress
from grader.course.directory import Course
from grader.resources import shipped_dir

PAGE = Path(__file__).with_name("audits.md")
_INTRODUCTION = """\
# What the audits of the assignments found

*Written by `python -m docs.make_audits` from the figures of `grader audit` in `docs/audits/`; a
test fails when it is out of date. [How to audit an assignment](how-to/audit-an-assignment.md) says
what is asked, and how to bring one in here.*

- **Mistakes**: how many the suite notices, of how many that were put into the reference, one at a
  time; and how many there are in all. **Equivalent** ones are listed in `audit.toml` with the
  reason why they are no mistakes, and are left out.
- **Idle**: tests, of how many, that fail for none of these mistakes.
- **Luck**: tests that end in another way with one of so many seeds, on so many notebooks: the
  reference, the samples and, in later audits, five that guess.
- **Tolerance**: the most that a right solution uses of one, and the least that a mistake needed to
  be noticed by one: 1 is the most that passes.
- **CPU**: seconds that the box needs for the reference, the suite's calls included.
- **Attacks**: how many dishonest notebooks earn a point that is not accepted, of how many.

"–" is what nobody has asked yet; nor has anybody audited an assignment that is not listed.

"""
_COLUMNS = (
    "assignment",
    "mistakes",
    "share",
    "of all",
    "equivalent",
    "idle",
    "luck",
    "tolerance",
    "CPU",
    "attacks",
)
_NONE = "–"


def with_audit(before: Figures, found: Audit) -> Figures:
    """Return the figures with those of an audit in the place of its parts."""
    right = [one.right for one in found.tolerances if one.right is not None]
    wrong = [one.wrong for one in found.tolerances if one.wrong is not None]
    each: dict[str, Any] = {
        "mutants": {
            "in_all": found.mutants_in_all,
            "mistakes": found.mistakes,
            "noticed": found.noticed,
            "equivalent": sum(bool(m.equivalent) for m in found.mutants),
        },
        "tests": {"all": found.tests, "idle": len(found.idle_tests)},
        "luck": {
            "tests": len({one.test for one in found.luck}),
            "seeds": found.luck_seeds,
            "notebooks": len(found.luck_notebooks),
        },
        "tolerances": {
            "right": round(max(right), 6) if right else None,
            "wrong": round(min(wrong), 2) if wrong else None,
        },
        "room": {"cpu_s": round(found.reference_cpu_s, 1)},
        "attacks": {
            "tried": found.attacks_tried,
            "earned": len({one.attack for one in found.attacks if not one.accepted}),
        },
    }
    return msgspec.structs.replace(before, **{part: each[part] for part in found.parts})


def page() -> str:
    """Return the page: a row for every assignment whose figures are kept."""
    rows = [_COLUMNS, ("---",) + ("---:",) * (len(_COLUMNS) - 1)]
    rows += [_row(name, kept_figures(name)) for name in audited()]
    return _INTRODUCTION + "\n".join(f"| {' | '.join(row)} |" for row in rows) + "\n"


def _row(name: str, kept: Figures) -> tuple[str, ...]:
    mutants, tests, luck, attacks = kept.mutants, kept.tests, kept.luck, kept.attacks
    used, room = kept.tolerances, kept.room
    share = mutants["noticed"] / max(mutants["mistakes"], 1) if mutants else 0.0
    return (
        f"`{name}`",
        f"{mutants['noticed']} of {mutants['mistakes']}" if mutants else _NONE,
        f"{share:.1%}" if mutants else _NONE,
        str(mutants["in_all"]) if mutants else _NONE,
        str(mutants["equivalent"]) if mutants else _NONE,
        f"{tests['idle']} of {tests['all']}" if tests else _NONE,
        f"{luck['tests']} ({luck['seeds']} seeds × {luck['notebooks']})" if luck else _NONE,
        f"{_number(used['right'])}; {_number(used['wrong'])}" if used else _NONE,
        f"{room['cpu_s']:g} s" if room else _NONE,
        f"{attacks['earned']} of {attacks['tried']}" if attacks else _NONE,
    )


def _number(value: float | None) -> str:
    return _NONE if value is None else f"{value:.2g}"


def main() -> None:
    """Audit the assignments that are named, and write their page and the catalog's."""
    parser = argparse.ArgumentParser(prog="python -m docs.make_audits", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="audit it; none: the page alone")
    parser.add_argument("--only", action="append", choices=PARTS, help="this part; repeatable")
    parser.add_argument("--sandbox", default="auto")
    given = parser.parse_args()
    course = Course(shipped_dir("assignments").parent)
    for name in given.names:
        with StepProgress(name) as progress:
            parts = given.only or PARTS
            found = audit(course, name, parts=parts, sandbox=given.sandbox, on_step=progress.done)
        print(write_audit_page(course, found, at_least=0.95))
        keep_figures(name, with_audit(kept_figures(name), found))
    PAGE.write_text(page(), encoding="utf-8")
    make_catalog.PAGE.write_text(make_catalog.page(), encoding="utf-8")


if __name__ == "__main__":
    main()
