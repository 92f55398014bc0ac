"""Whether the rules that an instructor wrote name what exists, said before the first submission."""

from __future__ import annotations

from pathlib import Path

from grader.course.spec import AssignmentSpec
from grader.errors import SpecError
from grader.rules.book import rule_faults
from grader.rules.reading import defined_names


def check_rule_names(spec: AssignmentSpec, reference: Path, assignment: str) -> None:
    """Refuse rules that name what does not exist: they would find nothing. Imports torch.

    Raises:
        SpecError: names each key.
    """
    if spec.rules is None and all(question.rules is None for question in spec.questions):
        return
    faults = rule_faults(spec, defined_names(reference.read_text(encoding="utf-8")))
    if faults:
        raise SpecError(
            "; ".join(faults),
            where=f"{assignment}/assignment.toml",
            hint=f"Mend the rules, then run `grader validate {assignment}`.",
        )
