"""What an audit found, as plain values: for the page, for `--json`, and to be kept."""

from __future__ import annotations

from typing import Literal

import msgspec

How = Literal["", "value", "error", "time", "suite"]
Part = Literal["mutants", "luck", "tolerances", "room", "tests", "attacks"]
PARTS: tuple[Part, ...] = ("mutants", "luck", "tolerances", "room", "tests", "attacks")


class MutantFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One mutant, and what the suite said of it.

    `failed` are the tests that notice it; `how` the strongest of their reasons: a compared
    "value", an "error" of the notebook, the "time" that was up; "suite": no test notices it, and
    one breaks over it. `questions` are those whose tests look at what is changed; `tests` were run.
    `tolerance_used` is the largest share of a tolerance that
    a comparison used. `equivalent` is why it is no mistake, if the instructor says so.
    """

    id: str
    notebook: str = ""
    function: str = ""
    kind: str
    mistake: str = ""
    line: int = 0
    diff: str = ""
    questions: tuple[str, ...] = ()
    tests: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    how: How = ""
    tolerance_used: dict[str, float] = {}
    equivalent: str = ""

    @property
    def noticed(self) -> bool:
        """Whether a test fails for it."""
        return bool(self.failed)

    @property
    def unseen(self) -> bool:
        """Whether it is a mistake that no test notices."""
        return not self.failed and not self.equivalent


class LuckFinding(msgspec.Struct, frozen=True, kw_only=True):
    """A test that ends in one way with some seeds, and in another with others."""

    test: str
    question: str
    notebook: str
    seeds: int
    differs: int
    usual: str
    example: str

    @property
    def rate(self) -> float:
        """The share of seeds with which it ends in another way than it mostly does."""
        return self.differs / self.seeds


class ToleranceFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What a test's comparisons use of their tolerance: 1 is the most that passes.

    `right` is the most that a right solution uses, by which and how; `float32` the most of one that
    computes in single precision; `wrong` the least of a mutant that the test notices; `missed` the
    most of a mutant that nobody notices. None where there is no such thing.
    """

    test: str
    question: str
    right: float | None = None
    right_of: str = ""
    float32: float | None = None
    wrong: float | None = None
    missed: float | None = None

    @property
    def fault(self) -> str:
        """What is wrong with the tolerance; empty if nothing is."""
        if self.right is not None and self.right > TIGHT:
            return f"tight: {self.right_of} uses {self.right:.0%} of it"
        if self.missed is not None and self.missed > max(LOOSE * (self.right or 0.0), 1e-6):
            return f"loose: a mutant that nothing notices uses {self.missed:.2%} of it"
        return ""


TIGHT = 0.5
"""A right solution that uses more of a tolerance may be over it with another seed or machine."""
LOOSE = 10.0
"""So many times what a right solution uses is no rounding."""


class RoomFinding(msgspec.Struct, frozen=True, kw_only=True):
    """What the reference uses of a limit."""

    limit: str
    used: float
    allowed: float
    unit: str

    @property
    def times(self) -> float:
        """How often what is used fits into what is allowed."""
        return self.allowed / self.used if self.used else float("inf")

    @property
    def scarce(self) -> bool:
        """Whether it is less than a slower machine and a slower solution need."""
        return self.times < ENOUGH_ROOM


ENOUGH_ROOM = 3.0


class QuestionFinding(msgspec.Struct, frozen=True, kw_only=True):
    """One question's mutants and points."""

    question: str
    points: float
    mutants: int
    noticed: int


class AttackFinding(msgspec.Struct, frozen=True, kw_only=True):
    """Points that an attack earned, or would but for the instructor's word."""

    attack: str
    test: str
    question: str
    points: float
    what: str
    accepted: str = ""


class Audit(msgspec.Struct, frozen=True, kw_only=True):
    """What an audit found; parts that were not asked for are empty, see `parts`.

    `mutants_in_all` is of how many mutants `mutants` were chosen. `outdated` are entries of
    `audit.toml` that fit nothing any more. `idle_tests` no mutant fails; of `alike` each group of
    tests fails for the same mutants. `tests` is how many the suite has, and `reference_cpu_s` what
    the box needs for the reference, in seconds of CPU.
    """

    assignment: str
    title: str
    sandbox: str
    parts: tuple[Part, ...]
    seconds: float
    tests: int = 0
    reference_cpu_s: float = 0.0
    mutants: tuple[MutantFinding, ...] = ()
    mutants_in_all: int = 0
    outdated: tuple[str, ...] = ()
    luck: tuple[LuckFinding, ...] = ()
    luck_seeds: int = 0
    luck_draws: int = 0
    luck_notebooks: tuple[str, ...] = ()
    tolerances: tuple[ToleranceFinding, ...] = ()
    room: tuple[RoomFinding, ...] = ()
    questions: tuple[QuestionFinding, ...] = ()
    idle_tests: tuple[str, ...] = ()
    alike: tuple[tuple[str, ...], ...] = ()
    attacks: tuple[AttackFinding, ...] = ()
    attacks_tried: int = 0
    format: int = 1

    @property
    def mistakes(self) -> int:
        """How many mutants are mistakes."""
        return sum(not m.equivalent for m in self.mutants)

    @property
    def noticed(self) -> int:
        """How many mistakes a test notices."""
        return sum(m.noticed for m in self.mutants if not m.equivalent)

    @property
    def share(self) -> float:
        """The share of mistakes that are noticed; 1 where there are none."""
        return self.noticed / self.mistakes if self.mistakes else 1.0

    def faults(self, at_least: float) -> list[str]:
        """Say what keeps the assignment from being trusted, a sentence each.

        Args:
            at_least: the share of mistakes that must be noticed.
        """
        found = []
        if "mutants" in self.parts and self.share < at_least:
            found.append(
                f"{self.mistakes - self.noticed} of {self.mistakes} mistakes go unseen: "
                f"{self.share:.1%} are noticed, {at_least:.0%} are asked for"
            )
        found += [
            f"luck: {one.test} ends otherwise with {one.differs} of {one.seeds} seeds on "
            f"{one.notebook}"
            for one in self.luck
        ]
        found += [f"tolerance of {one.test}: {one.fault}" for one in self.tolerances if one.fault]
        found += [
            f"the reference uses {one.used:.3g} of {one.allowed:.3g} {one.unit} of {one.limit}: "
            f"{one.times:.1f} times the room, {ENOUGH_ROOM:.0f} are asked for"
            for one in self.room
            if one.scarce
        ]
        found += [f"attack: {one.what}" for one in self.attacks if not one.accepted]
        found += [f"audit.toml: {text}" for text in self.outdated]
        return found
