"""What can be checked of `[rules]` without torch: whether the names exist is seen later."""

from __future__ import annotations

import re
from pathlib import Path

from grader.course.spec import AssignmentSpec, Rules
from grader.course.strict_toml import wrong_key

_DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


def check_rules(spec: AssignmentSpec, path: Path) -> None:
    """Check the rules of an assignment and of its questions.

    Raises:
        SpecError: names the file, the key and what was expected.
    """
    if spec.rules is not None:
        _check(spec.rules, path, "rules")
    for index, question in enumerate(spec.questions):
        if question.rules is None:
            continue
        key = f"questions[{index}].rules"
        _check(question.rules, path, key)
        if not question.points:
            raise wrong_key(
                path,
                key,
                f"question {question.id!r} has no hidden test that a rule could be held against",
                hint="Give it points from the suite, or move the rule to [rules].",
            )


def _check(rules: Rules, path: Path, key: str) -> None:
    if not rules.forbid:
        raise wrong_key(
            path, f"{key}.forbid", 'expected at least one name, such as "torch.nn.Linear"'
        )
    for field in ("forbid", "allow", "names"):
        seen: set[str] = set()
        for index, name in enumerate(getattr(rules, field)):
            own = f"{key}.{field}[{index}]"
            if field == "names" and not name.isidentifier():
                raise wrong_key(
                    path, own, f"expected the name of a function or class, got {name!r}"
                )
            if not _DOTTED.fullmatch(name):
                raise wrong_key(path, own, f"expected a name such as torch.nn.Linear, got {name!r}")
            if name in seen:
                raise wrong_key(path, own, f"{name} is listed twice")
            seen.add(name)
