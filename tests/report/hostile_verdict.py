"""A verdict and a notebook that carry an attack in every field a student or a box can fill."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec

from grader.grading.verdict import Outcome, QuestionMark, SubmissionRecord, Verdict
from grader.rules.violation import Violation
from grader.suite.results import TestOutcome, TestResult, Trial
from tests.helpers.notebooks import code, display, error, markdown, notebook, stream
from tests.helpers.verdicts import PROVENANCE, SPEC, graded
from tests.report.hostile import ALL, HTML


def hostile_verdict(**more: Any) -> Verdict:
    """A graded submission of a student who attacks whoever reads the page."""
    tests = tuple(_test(outcome, i) for i, outcome in enumerate(TestOutcome))
    fields: dict[str, Any] = {
        "reason": ALL,
        "tests": tests,
        "questions": tuple(
            QuestionMark(
                id=q.id,
                title=ALL,
                points=Decimal(1),
                max_points=Decimal(2),
                manual_points=q.manual,
            )
            for q in SPEC.questions
        ),
        "collaborators": {"q1": ALL, ALL: ALL, "": ALL},
        "provenance": msgspec.structs.replace(
            PROVENANCE, image=ALL, device=ALL, packages={ALL: ALL, "torch": ALL}
        ),
        "answers": {"q7": ALL, "q8": "\n\n".join(HTML), ALL: ALL},
        "notes": HTML,
        "violations": tuple(
            Violation(
                rule=ALL, found=ALL, seen=seen, cost=cost, cell=1, line=1, text=ALL, tests=(ALL,)
            )
            for seen, cost in (("source", "points"), ("trace", "flag"), ("both", "points"))
        ),
        "submission": SubmissionRecord(file=ALL, sha256=ALL),
    }
    return graded(ALL, outcome=Outcome.GRADED, **(fields | more))


def _test(outcome: TestOutcome, number: int) -> TestResult:
    return TestResult(
        name=f"{ALL}{number}",
        question="q1" if number % 2 else ALL,
        points=Decimal(0),
        max_points=Decimal(1),
        outcome=outcome,
        title=ALL,
        message=ALL,
        hints=HTML,
        traceback=ALL,
        details=ALL,
        shows_details=True,
        trials=(
            Trial(seed=1, outcome=outcome, message=ALL),
            Trial(
                seed=2,
                outcome=outcome,
                message=ALL,
                measured=Decimal("-1e300"),
                curve=(1e30, None, -1e30, 5e-324),
            ),
        ),
        most_trials=-3,
        needed_trials=0,
    )


def hostile_notebook() -> bytes:
    """A notebook with an attack in every kind of cell, output and field."""
    kinds = (
        "text/html",
        "text/markdown",
        "text/latex",
        "text/plain",
        "image/svg+xml",
        "image/png",
        "image/jpeg",
        "image/gif",
        "image/webp",
        "application/javascript",
        "application/ecmascript",
        "application/json",
        "application/pdf",
        "application/xhtml+xml",
        "application/geo+json",
        "application/vnd.jupyter.widget-view+json",
        "application/vnd.plotly.v1+json",
        "application/vnd.vega.v5+json",
        "application/vnd.bokehjs_exec.v0+json",
        "text/vnd.mermaid",
        "text/x-python",
        "audio/wav",
        "video/mp4",
        ALL,
    )
    cells = [{"cell_type": "raw", "source": ALL}]
    for attack in (*HTML, ALL):
        cells += [
            markdown(attack, attachments={attack: {attack: attack}}),
            markdown(f"![{attack}]({attack}) [{attack}]({attack}) $ {attack} $"),
            code(
                attack,
                stream(attack),
                stream(attack, "stderr"),
                error(attack, attack, [attack, attack]),
                *({"output_type": "display_data", "data": {k: attack}} for k in kinds),
                *({"output_type": "execute_result", "data": {k: attack}} for k in kinds[:6]),
                {"output_type": attack, "data": {"text/html": attack}, "name": attack},
                display(image_svg_xml=f'<svg xmlns="http://www.w3.org/2000/svg">{attack}</svg>'),
            ),
        ]
    return notebook(cells)
