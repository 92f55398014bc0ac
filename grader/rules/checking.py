"""Whether an instructor's rules name what exists, and can be kept: before the first submission."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from grader.course.spec import AssignmentSpec
from grader.errors import SpecError
from grader.rules.book import rule_faults, rulebook
from grader.rules.reading import Reading, defined_names


def has_rules(spec: AssignmentSpec) -> bool:
    """Say whether the assignment or one of its questions has rules."""
    return spec.rules is not None or any(question.rules is not None for question in spec.questions)


def check_rule_names(spec: AssignmentSpec, reference: Path, assignment: str) -> None:
    """Refuse rules that name what does not exist: they would find nothing. Imports torch.

    Raises:
        SpecError: names each key.
    """
    if not has_rules(spec):
        return
    faults = rule_faults(spec, defined_names(reference.read_text(encoding="utf-8")))
    if faults:
        raise SpecError(
            "; ".join(faults),
            where=f"{assignment}/assignment.toml",
            hint=f"Fix the rules, then run `grader validate {assignment}`.",
        )


def check_reference_keeps_rules(
    spec: AssignmentSpec, cells: Sequence[str], assignment: str
) -> None:
    """Refuse rules that the reference breaks by its own source; `check_rule_names` goes before it.

    What students are given stands in the reference too: every one of them would break the rule.

    Args:
        spec: with the rules.
        cells: the sources of the code cells of the solution's notebook.
        assignment: its name.

    Raises:
        SpecError: names each place.
    """
    book = rulebook(spec)
    if book is None:
        return
    violations = [
        violation for violation in Reading(book, cells).violations if not violation.unclear
    ]
    if violations:
        raise SpecError(
            " ".join(f"the reference: {violation.sentence}" for violation in violations[:10]),
            where=f"{assignment}/assignment.toml",
            hint="Fix the reference, or give the rule `names` or `allow`; then run "
            f"`grader validate {assignment}`.",
        )
