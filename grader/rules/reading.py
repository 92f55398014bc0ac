"""What the rules say of one submission: by its source, and by what its calls ran."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import msgspec

from grader.rules.bindings import Bindings
from grader.rules.book import Rule, Rulebook
from grader.rules.evaluation import UNKNOWN
from grader.rules.mentions import Mention, MentionPlace
from grader.rules.program import Unit, read_program
from grader.rules.violation import MAX_TEXT, Violation
from grader.wire.messages import Ran

MAX_BREACHES = 100
MAX_RAN = 300
MAX_NAME = 200


@dataclass(frozen=True)
class Finding:
    """A violation that the source shows, and the statement that it is in (none: the whole cell)."""

    rule: Rule
    violation: Violation
    unit: int | None


class Reading:
    """One submission, read once; asked for each test."""

    def __init__(self, book: Rulebook, cells: Sequence[str]) -> None:
        self._book = book
        self._program = read_program(cells)
        self._known: dict[tuple[int, str], str] = {}
        self.findings = tuple(f for rule in book.rules for f in self._findings(rule))
        self._reached: dict[tuple[frozenset[str], frozenset[str]], frozenset[int]] = {}

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What the source shows."""
        return tuple(finding.violation for finding in self.findings)

    def of_test(
        self, question: str, used: frozenset[str], ran: Sequence[Ran]
    ) -> tuple[Violation, ...]:
        """The violations that concern one test.

        Args:
            question: the test's.
            used: names of the notebook whose objects it asked for or called.
            ran: what the box says that ran in its calls: evidence, and no proof.
        """
        others = self._book.owned_by_others(question)
        found = [
            finding.violation
            for finding in self.findings
            if finding.rule.question in ("", question) and not finding.violation.unclear
            if self._concerns(finding, used - others, others)
        ]
        for rule in self._book.of(question):
            for one in ran[:MAX_RAN]:
                violation = self._traced(rule, one, used, others)
                if violation is not None:
                    found.append(violation)
        return merged(found)

    # -- by source

    def _findings(self, rule: Rule) -> Iterable[Finding]:
        program = self._program
        found: dict[tuple[object, ...], Finding] = {}
        for unit in self._units(rule):
            for mention in program.said(unit).mentions:
                self._take(found, rule, mention, unit)
        for name in sorted(rule.names):
            for mention in program.imported(name):
                self._take(found, rule, mention, None)
        for place, why in program.unread:
            self._take(found, rule, Mention("", place, why), None)
        return list(found.values())[:MAX_BREACHES]

    def _units(self, rule: Rule) -> list[Unit]:
        if not rule.names:
            return self._program.units
        others = self._book.owned_by_others(rule.question) if rule.question else frozenset()
        return self._program.reached(rule.names, but=others)

    def _take(
        self,
        found: dict[tuple[object, ...], Finding],
        rule: Rule,
        mention: Mention,
        unit: Unit | None,
    ) -> None:
        forbidden = self._forbidden(rule, mention)
        if not forbidden:
            return
        violation = Violation(
            rule=forbidden,
            found=_shown(mention.path) if not mention.unclear else "",
            seen="source",
            cost=rule.cost,
            question=rule.question,
            cell=mention.place.cell,
            line=mention.place.line,
            text=self._program.text(mention.place)[:MAX_TEXT],
            function=_name_of(unit),
            unclear=mention.unclear,
        )
        held = found.get(violation.key)
        if held is None or held.violation.found.startswith("x."):
            found[violation.key] = Finding(rule, violation, unit.number if unit else None)

    def _forbidden(self, rule: Rule, mention: Mention) -> str:
        """The name of the rule that a mention breaks, or might; empty for neither."""
        if mention.unclear:
            return rule.hides(mention.path) if mention.path else rule.forbid[0].name
        key = (id(rule), mention.path)
        if key not in self._known:
            found = None if self._is_own(mention.path) else rule.forbids(mention.path)
            self._known[key] = found.name if found else ""
        return self._known[key]

    def _is_own(self, path: str) -> bool:
        """A method that something of the notebook has may be that one; the trace tells."""
        bindings, name = self._program.bindings, path.rpartition(".")[2]
        own = name in bindings.own_attributes or name in bindings.attributes
        return path.startswith(f"{UNKNOWN}.") and own

    def _concerns(self, finding: Finding, used: frozenset[str], others: frozenset[str]) -> bool:
        rule = finding.rule
        if rule.question and not rule.names:
            return True
        if finding.unit is None:
            return bool(used & rule.names)
        return finding.unit in self._reach(used, others)

    def _reach(self, used: frozenset[str], others: frozenset[str]) -> frozenset[int]:
        key = (used, others)
        if key not in self._reached:
            units = self._program.reached(used, but=others)
            self._reached[key] = frozenset(unit.number for unit in units)
        return self._reached[key]

    # -- by trace

    def _traced(
        self, rule: Rule, ran: Ran, used: frozenset[str], others: frozenset[str]
    ) -> Violation | None:
        short = _bounded(ran)
        by = [name.partition(".")[0] for name in short.by]
        owners = [name for name in by if name in others or name in rule.names]
        if owners and owners[0] in others:
            return None
        if rule.names and not (used | set(by)) & rule.names:
            return None
        found = rule.forbids_ran(short)
        if found is None:
            return None
        name, called = found
        # What the box says is in which line is looked up here: it can't put words into a cell.
        line = self._program.line_of(MentionPlace(short.cell, short.line))
        text = self._program.text(MentionPlace(short.cell, line))
        return Violation(
            rule=name.name,
            found=called,
            seen="trace",
            cost=rule.cost,
            question=rule.question,
            cell=short.cell if text else 0,
            line=line if text else 0,
            text=text[:MAX_TEXT],
            function=short.by[0] if short.by else "",
        )


def merged(violations: Iterable[Violation]) -> tuple[Violation, ...]:
    """Each violation once: what source and trace both show is seen by both."""
    found: dict[tuple[object, ...], Violation] = {}
    for violation in violations:
        held = found.get(violation.key)
        if held is None:
            found[violation.key] = violation
            continue
        found[violation.key] = msgspec.structs.replace(
            held,
            seen=held.seen if held.seen == violation.seen else "both",
            tests=tuple(dict.fromkeys((*held.tests, *violation.tests))),
            points=held.points + violation.points,
        )
    return tuple(found.values())[:MAX_BREACHES]


def _bounded(ran: Ran) -> Ran:
    """What the box sends is hostile: short names, few of them, no control characters."""
    return Ran(
        name=_clean(ran.name),
        through=[_clean(name) for name in ran.through[:20]],
        by=[_clean(name) for name in ran.by[:20]],
        cell=ran.cell if 0 < ran.cell < 1 << 20 else 0,
        line=ran.line if 0 < ran.line < 1 << 20 else 0,
    )


def _clean(name: str) -> str:
    return "".join(c for c in name[:MAX_NAME] if c.isprintable())


def _shown(path: str) -> str:
    return f"x.{path.removeprefix(f'{UNKNOWN}.')}" if path.startswith(UNKNOWN) else path


def _name_of(unit: Unit | None) -> str:
    name = getattr(unit.node, "name", "") if unit else ""
    return name or next(iter(sorted(unit.names)), "") if unit else ""


def defined_names(source: str) -> set[str]:
    """The names that a module's source binds."""
    bindings: Bindings = read_program([source]).bindings
    return set(bindings.module.names)
