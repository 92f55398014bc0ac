"""The rules of an assignment, ready to be held against source and traces."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from grader.course.spec import AssignmentSpec, Rules
from grader.rules.libraries import ABSENT, normalise, object_at, qualified, why_unknown
from grader.rules.name_patterns import Covered, covered
from grader.wire.messages import Ran, Watch


@dataclass(frozen=True)
class Rule:
    """One rule: of a question, or of the whole assignment where that is empty."""

    question: str
    forbid: tuple[Covered, ...]
    allow: tuple[Covered, ...]
    names: frozenset[str]
    cost: Literal["points", "flag"]

    def forbids(self, path: str) -> Covered | None:
        """The name of the rule that a dotted name is covered by, if it is not allowed."""
        found = next((name for name in self.forbid if name.matches(path)), None)
        return None if found is None or self._allows(path, found) else found

    def forbids_ran(self, ran: Ran) -> tuple[Covered, str] | None:
        """The name of the rule that something which ran is covered by, and what it was called."""
        operator = ran.name.removeprefix("aten::") if ran.name.startswith("aten::") else ""
        steps = [*ran.through, *([] if operator else [ran.name])]
        for name in self.forbid:
            # The student's own step first: what it runs inside is the torch's business to name.
            found = next((step for step in steps if name.matches(step)), "")
            if not found and operator and name.runs(operator):
                found = ran.name
            if found and not any(self._allows(step, name) for step in steps):
                return name, normalise(found)
        return None

    def hides(self, path: str) -> str:
        """The name of the rule that something below a module or class could be, if any."""
        return next((name.name for name in self.forbid if name.below(path)), "")

    def _allows(self, path: str, forbidden: Covered) -> bool:
        """An exception counts unless it is the wider of the two."""
        return any(
            name.matches(path) and not forbidden.name.startswith(f"{name.name}.")
            for name in self.allow
        )


@dataclass(frozen=True)
class Rulebook:
    """All rules of an assignment."""

    rules: tuple[Rule, ...]

    def of(self, question: str) -> list[Rule]:
        """The rules that a question's tests are held against."""
        return [rule for rule in self.rules if rule.question in ("", question)]

    def owned_by_others(self, question: str) -> frozenset[str]:
        """Names that another question's rule covers: a violation there is charged there alone."""
        own = {n for r in self.rules if r.question == question for n in r.names}
        others = {n for r in self.rules if r.question not in ("", question) for n in r.names}
        return frozenset(others - own)

    def watch(self, question: str | None = None) -> Watch:
        """What the box is to look out for; the judge decides what it means.

        Args:
            question: whose tests are run; None for all.
        """
        rules = self.rules if question is None else self.of(question)
        names: set[str] = set()
        prefixes: set[str] = set()
        for name in {name for rule in rules for name in rule.forbid}:
            names |= {spelling.rpartition(".")[2] for spelling in name.spellings}
            names |= name.operators
            prefixes |= _prefixes(name)
        return Watch(names=sorted(names), prefixes=sorted(prefixes))


def _prefixes(name: Covered) -> set[str]:
    """How the full names of library functions begin that are this or lie in it."""
    found = {s for s in name.spellings if s.startswith(("torch.nn.modules.", "torch.nn.utils."))}
    target = object_at(name.name)
    if target is not ABSENT:
        found |= {name.name, qualified(target) or name.name}
    return found


def rulebook(spec: AssignmentSpec) -> Rulebook | None:
    """Make the rules ready; None where there are none. Imports torch."""
    written = [("", spec.rules), *((q.id, q.rules) for q in spec.questions)]
    rules = tuple(_rule(question, rules) for question, rules in written if rules is not None)
    return Rulebook(rules) if rules else None


def _rule(question: str, rules: Rules) -> Rule:
    return Rule(
        question=question,
        forbid=tuple(covered(name) for name in rules.forbid),
        allow=tuple(covered(name) for name in rules.allow),
        names=frozenset(rules.names),
        cost=rules.cost,
    )


def rule_faults(spec: AssignmentSpec, defined: Iterable[str] | None) -> list[str]:
    """Say which keys of the rules name what does not exist. Imports the libraries named.

    Args:
        spec: of the assignment.
        defined: what the reference defines; None where that is not known.
    """
    keyed: list[tuple[str, Rules | None]] = [("rules", spec.rules)]
    keyed += [(f"questions[{i}].rules", q.rules) for i, q in enumerate(spec.questions)]
    faults: list[str] = []
    for key, rules in keyed:
        if rules is not None:
            faults += _faults(key, rules, spec.box.libraries)
            faults += _undefined(key, rules.names, defined)
    return faults


def _faults(key: str, rules: Rules, libraries: tuple[str, ...]) -> list[str]:
    listed = [("forbid", rules.forbid), ("allow", rules.allow)]
    found = [
        (f"{key}.{field}[{index}]", name, why_unknown(name, libraries))
        for field, names in listed
        for index, name in enumerate(names)
    ]
    return [f"{where}: no such name: {name!r}: {why}" for where, name, why in found if why]


def _undefined(key: str, names: Sequence[str], defined: Iterable[str] | None) -> list[str]:
    known = None if defined is None else set(defined)
    return [
        f"{key}.names[{index}]: the reference defines no {name!r}"
        for index, name in enumerate(names)
        if known is not None and name not in known
    ]
