"""What one mark given by hand costs, and what a list of marks does: CPU, in a large gradebook.

    python benchmarks/one_mark.py --facts 12000 --verdicts 1209

Prints a line of JSON for each call: milliseconds of CPU, the median of its runs.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from records import made_up, write_course

from grader.api.marking import give
from grader.course.directory import Course
from grader.gradebook.hand_marks import Change, Fact, Kind
from grader.gradebook.store import Gradebook

MOST = Decimal(100)


def fill(gradebook: Gradebook, facts: int, verdicts: int) -> None:
    """Everybody's verdict on one assignment, and as many marks that people gave."""
    rng = random.Random(5)
    batch = gradebook.start_batch("hw1", seed=1)
    for who in range(verdicts):
        gradebook.record(made_up(f"s{who:04}", 1, rng), b"{}", batch=batch)
    gradebook.finish_batch(batch)
    changes = [
        Change(
            fact=Fact(student=f"s{n % verdicts:04}", item=f"item{n // verdicts}", kind=Kind.POINTS),
            points=Decimal(rng.randrange(100)),
            max_points=MOST,
        )
        for n in range(facts)
    ]
    gradebook.hand_marks.record(changes, who="bench", why="made up")


def calls(course: Course, gradebook: Gradebook) -> dict[str, Callable[[], object]]:
    """What is measured, by name. Each mark differs from the one before it."""
    points = iter(range(100))

    def give_one() -> object:
        return give(course, "s0001", "exam", who="bench", why="", points=Decimal(next(points)))

    def record_one() -> object:
        fact = Fact(student="s0001", item="item0", kind=Kind.POINTS)
        change = Change(fact=fact, points=Decimal(next(points)), max_points=MOST)
        return gradebook.hand_marks.record([change], who="bench", why="")

    return {
        "one mark, as `grader mark` gives it": give_one,
        "one mark, in the lock alone": record_one,
        "one student's verdicts": lambda: gradebook.history("hw1", "s0001"),
        "who has a verdict": lambda: gradebook.students("hw1"),
        "everybody's points": lambda: gradebook.points("hw1"),
        "everybody's verdicts, whole": lambda: gradebook.current("hw1"),
    }


def cpu_ms(call: Callable[[], object], times: int) -> float:
    """The median of several calls, the first one left out."""
    spent = []
    for _ in range(times + 1):
        began = time.process_time()
        call()
        spent.append((time.process_time() - began) * 1000)
    return statistics.median(spent[1:])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--facts", type=int, default=12_000)
    parser.add_argument("--verdicts", type=int, default=1_209)
    parser.add_argument("--times", type=int, default=9)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        write_course(root)
        course = Course(root)
        with Gradebook(course.database_url) as gradebook:
            fill(gradebook, options.facts, options.verdicts)
            for name, call in calls(course, gradebook).items():
                line = {"call": name, "cpu_ms": round(cpu_ms(call, options.times), 1)}
                print(json.dumps(line), flush=True)


if __name__ == "__main__":
    main()
