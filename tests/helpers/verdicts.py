"""Verdicts as a real class would get them: varied, seeded."""

from __future__ import annotations

import datetime as dt
import hashlib
import random
from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from grader.course.spec import AssignmentSpec, Dates, Question
from grader.grading.make_verdict import question_marks
from grader.grading.reference_runs import ReferenceRun, ReferenceRuns
from grader.grading.verdict import (
    Outcome,
    Provenance,
    SubmissionRecord,
    Usage,
    Verdict,
)
from grader.suite.outcomes import BROKEN
from grader.suite.results import TestOutcome, TestResult, Trial

DUE = dt.datetime(2024, 10, 30, 20, 59, tzinfo=dt.UTC)
BEFORE_DUE = DUE - dt.timedelta(days=2)
AFTER_DUE = DUE + dt.timedelta(days=2)

SPEC = AssignmentSpec(
    title="Multilayer perceptrons and backpropagation",
    course="koc-comp541",
    summary="Forward and backward passes by hand, then a network that reads digits.",
    points=Decimal(60),
    dates=Dates(due=DUE),
    questions=(
        Question(id="q1", title="Linear layer", points=Decimal(8)),
        Question(id="q2", title="ReLU", points=Decimal(6)),
        Question(id="q3", title="Softmax and cross-entropy", points=Decimal(12)),
        Question(id="q4", title="Initialisation", points=Decimal(8)),
        Question(id="q5", title="A training loop", points=Decimal(10)),
        Question(id="q6", title="Digits above 95 %", points=Decimal(8)),
        Question(id="q7", title="Why not start from zeros?", manual=Decimal(4)),
        Question(id="q8", title="What the curves say", manual=Decimal(4)),
    ),
)

_TESTS = (
    ("q1", "test_linear_forward", "linear_forward(x, w, b) must be xWᵀ + b.", 3, "always"),
    ("q1", "test_linear_gradients", "Gradients of x, w and b must match autograd.", 5, "always"),
    ("q2", "test_relu_forward", "relu must keep positive entries and zero the rest.", 2, "always"),
    ("q2", "test_relu_upstream", "relu_backward must use the upstream gradient.", 4, "always"),
    ("q3", "test_rows_sum_to_one", "Each row of softmax(x) must sum to one.", 2, "always"),
    ("q3", "test_large_logits", "softmax must stay finite for logits of 10⁴.", 4, "always"),
    ("q3", "test_loss_gradient", "The loss's gradient must be (p − y) / N.", 6, "after_due"),
    ("q4", "test_he_variance", "He initialisation must give variance 2 / fan_in.", 8, "always"),
    ("q5", "test_loss_falls", "Fifty steps must bring the loss down.", 4, "always"),
    ("q5", "test_batches_cover_all", "An epoch must see every example once.", 6, "never"),
    ("q6", "test_accuracy", "Accuracy on unseen digits must be above 95 %.", 8, "always"),
)

TRACEBACK = """Traceback (most recent call last):
  cell 9, line 6, in softmax
    return shifted.exp() / shifted.exp().sum(dim=1)
RuntimeError: The size of tensor a (7) must match the size of tensor b (5)"""

NAMES = (
    "Ada Lovelace",
    "Alan Turing",
    "Barbara Liskov",
    "Cahit Arf",
    "Claude Shannon",
    "David Blackwell",
    "Emmy Noether",
    "Feza Gürsey",
    "Grace Hopper",
    "Hüseyin Tevfik Paşa",
    "Jale İnan",
    "John von Neumann",
    "Katherine Johnson",
    "Lotfi Zadeh",
    "Margaret Hamilton",
    "Remziye Hisar",
    "Sofya Kovalevskaya",
    "Stephen Kleene",
    "Ömer Seyfettin",
    "Zeki Berk",
)


def test_result(question: str, name: str, title: str, worth: int, **more: Any) -> TestResult:
    """One test that gave all its points, unless `more` says otherwise."""
    fields: dict[str, Any] = {
        "name": name,
        "question": question,
        "title": title,
        "points": Decimal(worth),
        "max_points": Decimal(worth),
        "outcome": TestOutcome.PASSED,
        "duration_s": 0.02,
    }
    return TestResult(**(fields | more))


test_result.__test__ = False  # type: ignore[attr-defined]


def graded(
    student: str = "Ada Lovelace",
    *,
    ability: float = 1.0,
    seed: int = 0,
    attempt: int = 1,
    file: str = "mlp-backprop.ipynb",
    **more: Any,
) -> Verdict:
    """The verdict on one submission; `ability` is the chance that a test passes."""
    rng = random.Random(f"{student}{seed}")
    tests = tuple(_taken(rng, ability, *test) for test in _TESTS)
    sha = hashlib.sha256(f"{student}{attempt}{seed}".encode()).hexdigest()
    fields: dict[str, Any] = {
        "assignment": "mlp-backprop",
        "student": student,
        "outcome": Outcome.GRADED,
        "points": sum((t.points for t in tests), Decimal(0)),
        "max_points": SPEC.machine_points,
        "manual_points": SPEC.manual_points,
        "tests": tests,
        "questions": question_marks(SPEC, tests),
        "answers": ANSWERS,
        "notes": _notes(tests),
        "submission": SubmissionRecord(
            file=file, sha256=sha, attempt=attempt, submitted_at=DUE - dt.timedelta(hours=5)
        ),
        "usage": Usage(
            wall_s=round(rng.uniform(2, 40), 2),
            notebook_s=round(rng.uniform(1, 30), 2),
            suite_s=round(rng.uniform(0.2, 4), 2),
            box_cpu_s=round(rng.uniform(1, 25), 2),
            peak_memory_bytes=rng.randrange(280, 620) << 20,
        ),
        "provenance": PROVENANCE,
    }
    return Verdict(**(fields | more))


def _taken(
    rng: random.Random,
    ability: float,
    question: str,
    name: str,
    title: str,
    points: int,
    shows: Any,
) -> TestResult:
    if rng.random() < ability:
        trials = ()
        if name == "test_accuracy":
            trials = tuple(Trial(seed=s, outcome=TestOutcome.PASSED) for s in (11, 12, 13))
        more: dict[str, Any] = {}
        if name == "test_loss_falls":
            trials = tuple(training_run(rng, number) for number in range(4))
            more = {"most_trials": 7, "needed_trials": 4, "measured": Decimal("0.21")}
        return test_result(question, name, title, points, shows=shows, trials=trials, **more)
    outcome = rng.choice(
        [TestOutcome.FAILED] * 6
        + [TestOutcome.STUDENT_ERROR] * 3
        + [TestOutcome.TIMEOUT, TestOutcome.OUT_OF_MEMORY]
    )
    messages = {
        TestOutcome.FAILED: "The result differs from what was expected.",
        TestOutcome.STUDENT_ERROR: "RuntimeError: The size of tensor a (7) must match b (5)",
        TestOutcome.TIMEOUT: "The call took longer than 5 s and was stopped.",
        TestOutcome.OUT_OF_MEMORY: "The notebook used more than 1024 MB and was stopped.",
    }
    return test_result(
        question,
        name,
        title,
        points,
        points=Decimal(rng.choice([0, 0, 0, 1])),
        outcome=outcome,
        message=messages[outcome],
        hints=("Look at `keepdim=True`: which axis does the sum run over?",),
        traceback=TRACEBACK if outcome is TestOutcome.STUDENT_ERROR else "",
        details="assert_close: 0.9321 != 1.0000 at index (2, 3); expected tensor([0.1, 0.9])",
        shows=shows,
    )


def training_run(rng: random.Random, seed: int) -> Trial:
    """A run whose loss falls, one of them with a gap."""
    losses = [round(2.3 * 0.85**epoch * rng.uniform(0.8, 1.2), 3) for epoch in range(30)]
    curve: list[float | None] = [*losses]
    if seed == 2:
        curve[11:14] = [None] * 3
    measured = Decimal(str(round(rng.uniform(0.15, 0.3), 3)))
    return Trial(seed=seed, outcome=TestOutcome.PASSED, measured=measured, curve=tuple(curve))


def reference_runs(test: str, seeds: int = 5) -> ReferenceRuns:
    """What the reference measured in a test: a little better than `training_run`."""
    rng = random.Random(seeds)
    runs = tuple(
        ReferenceRun(measured=0.14 + 0.004 * n, curve=training_run(rng, 0).curve)  # type: ignore[arg-type]
        for n in range(4 * seeds)
    )
    return ReferenceRuns(suite=PROVENANCE.suite, seeds=seeds, tests={test: runs})


def _notes(tests: Sequence[TestResult]) -> tuple[str, ...]:
    if any(t.outcome is TestOutcome.TIMEOUT for t in tests):
        return ("Cell 7 was stopped after 20 s; what it had defined until then was kept.",)
    return ()


def invalid(student: str) -> Verdict:
    """A submission that could not be read."""
    return graded(
        student,
        outcome=Outcome.INVALID_SUBMISSION,
        points=Decimal(0),
        reason="The file is a PDF, not a notebook. Hand in the .ipynb file itself.",
        tests=(),
        questions=(),
        answers={},
        notes=(),
        file="homework final (2).pdf",
    )


def broken(student: str) -> Verdict:
    """A submission that could not be graded, through no fault of the student."""
    return graded(
        student,
        outcome=Outcome.INFRASTRUCTURE_ERROR,
        points=Decimal(0),
        reason="The container engine went away while the notebook ran.",
        tests=(),
        questions=(),
        answers={},
        notes=(),
    )


def class_of(size: int = 24, *, seed: int = 3) -> list[Verdict]:
    """A class: most pass most, some struggle, one file can't be read, one run broke."""
    rng = random.Random(seed)
    verdicts = []
    for i in range(size):
        name = NAMES[i % len(NAMES)] + (f" {i // len(NAMES) + 1}" if i >= len(NAMES) else "")
        if i == 4:
            verdicts.append(invalid(name))
        elif i == 13:
            verdicts.append(broken(name))
        else:
            verdicts.append(graded(name, ability=min(1.0, rng.betavariate(5, 1.6)), seed=seed))
    return verdicts


ANSWERS = {
    "q7": "If all weights start at **zero**, every hidden unit computes the same "
    "$h = \\mathrm{relu}(0) = 0$ and gets the same gradient, so they never become different.",
    "q8": "The training loss falls as $e^{-t/\\tau}$ and the gap to validation "
    "opens after epoch 8:\n\n"
    "- before: underfitting\n- after: the network *memorises*",
}

PROVENANCE = Provenance(
    bundle_sha256=hashlib.sha256(b"bundle").hexdigest(),
    image="sha256:" + hashlib.sha256(b"image").hexdigest(),
    sandbox="docker",
    isolation="warm",
    seed=20241030,
    grader_version="0.1.0",
    packages={"torch": "2.13.0", "numpy": "2.3.1", "ipython": "9.4.0"},
    limits={"notebook_s": 90.0, "cell_s": 20.0, "call_s": 5.0, "memory_mb": 1024.0},
    suite={"": "5a1d", "test_q5.py::test_loss_falls": "c0de"},
    graded_at=AFTER_DUE,
)


def spoilt(student: str) -> Verdict:
    """A submission on which a test of the suite broke, through no fault of the student."""
    fault = "test_q1.py:7: KeyError: 'oops'"
    test = test_result(
        "q1",
        "test_broken",
        "Softmax.",
        2,
        points=Decimal(0),
        outcome=TestOutcome.SUITE_ERROR,
        message=BROKEN,
        details=fault,
    )
    return graded(
        student,
        outcome=Outcome.SUITE_ERROR,
        points=Decimal(0),
        tests=(test,),
        questions=(),
        answers={},
        notes=(),
    )
