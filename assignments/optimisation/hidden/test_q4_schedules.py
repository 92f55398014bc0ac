"""Question 4: learning rates that change."""

import math
import random

import pytest

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q4")


@pytest.mark.points(3)
def test_warmup_cosine(student, reference):
    """warmup_cosine rises linearly to the peak and then falls along half a cosine."""
    hint("Step 0 has a rate already, η / w. Step w is the first of the cosine, at its top.")
    for _ in range(3):
        total = random.randint(15, 25)
        settings = {"total": total, "warmup": random.randint(3, 8)}
        settings |= {"peak": random.uniform(0.1, 2), "end": random.uniform(0.01, 0.09)}
        rates = [student.warmup_cosine(t, **settings) for t in range(total)]
        assert rates == pytest.approx(
            [reference.warmup_cosine(t, **settings) for t in range(total)]
        )


@pytest.mark.points(1)
def test_warmup_cosine_at_its_limits(student):
    """Without warm-up, with nothing but warm-up and after the last step, the rate is defined."""
    hint("Neither w = 0 nor w = T may divide by zero. What is the rate after the last step?")
    peak, end, total = random.uniform(0.5, 2), random.uniform(0.1, 0.4), random.randint(4, 9)
    middle = student.warmup_cosine(total // 2, 2 * (total // 2), 0, peak, end)
    assert middle == pytest.approx(end + (peak - end) / 2 * (1 + math.cos(math.pi / 2)))
    assert student.warmup_cosine(0, total, 0, peak, end) == pytest.approx(peak)
    assert student.warmup_cosine(total - 1, total, total, peak, end) == pytest.approx(peak)
    for late in (total, total + 1, 10 * total):
        assert student.warmup_cosine(late, total, total, peak, end) == pytest.approx(end)
        assert student.warmup_cosine(late, total, 2, peak, end) == pytest.approx(end)
    quarter = student.warmup_cosine(10, 40, 0, peak)
    assert quarter == pytest.approx(peak / 2 * (1 + math.cos(math.pi / 4)))


@pytest.mark.points(2)
def test_inverse_root(student, reference):
    """inverse_root rises linearly to the peak, and then falls with the root of the steps."""
    hint("Two curves that meet at step w - 1; the lower of the two counts.")
    for warmup in (1, 2, random.randint(5, 15)):
        peak = random.uniform(0.1, 2)
        steps = [*range(3 * warmup), 100 * warmup]
        rates = [student.inverse_root(t, warmup, peak) for t in steps]
        assert rates == pytest.approx([reference.inverse_root(t, warmup, peak) for t in steps])
