"""The how-to page's suite runs as it stands: full marks for right code, none for wrong code."""

from __future__ import annotations

import re
from pathlib import Path

from grader.suite.results import TestOutcome
from tests.suite.fake_box import FakeBox
from tests.suite.workbench import Workbench

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "write-a-suite.md"

SOLUTION = """
import torch
from torch import nn

def softmax(x):
    e = torch.exp(x - x.max(1, keepdim=True).values)
    return e / e.sum(1, keepdim=True)

def linear(x, w):
    if x.shape[1] != w.shape[0]:
        raise ValueError("shapes")
    return x @ w

def linear_forward(x, w):
    return x @ w.T

def network_loss(x, w):
    return linear_forward(x, w).square().mean()

class Counter:
    def __init__(self): self.counts = {}
    def add(self, what, times=1): self.counts[what] = self.counts.get(what, 0) + times
    def __len__(self): return len(self.counts)
    @property
    def total(self): return sum(self.counts.values())

def classify(x):
    return x[:, 0] * x[:, 1] > 0

class MLP(nn.Module):
    def __init__(self, sizes):
        super().__init__()
        self.a, self.b = nn.Linear(*sizes[:2]), nn.Linear(*sizes[1:])
    def forward(self, x): return self.b(torch.relu(self.a(x)))

def train(model, x, y, steps):
    optimizer, losses = torch.optim.SGD(model.parameters(), lr=1.0), []
    for _ in range(steps):
        loss = nn.functional.cross_entropy(model(x), y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses
"""

WRONG = """
import torch
def softmax(x): return torch.softmax(x, 0)
def linear(x, w): return 0
def network_loss(x, w): return 0
class Counter:
    total = 3
    def add(self, *a, **k): pass
def MLP(sizes): return torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.Linear(3, 3))
"""


def suite_of_the_page() -> str:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.S)
    assert len(blocks) >= 6
    return "\n\n".join(blocks)


def test_right_code_gets_full_marks(bench: Workbench) -> None:
    bench.suite(suite_of_the_page())
    bench.solution(SOLUTION)
    notebook = {"cells": [{"cell_type": "code", "source": SOLUTION}]}
    results = bench.judge(FakeBox(SOLUTION), notebook)
    assert {
        name: result.message
        for name, result in results.items()
        if result.outcome is not TestOutcome.PASSED
    } == {}
    assert sum(result.points for result in results.values()) == 29


def test_wrong_code_gets_none(bench: Workbench) -> None:
    bench.suite(suite_of_the_page())
    bench.solution(SOLUTION)
    notebook = {"cells": [{"cell_type": "code", "source": WRONG}]}
    results = bench.judge(FakeBox(WRONG), notebook)
    passed = [name for name, result in results.items() if result.outcome is TestOutcome.PASSED]
    assert passed == []
    assert "Which dimension do you sum over?" in results["test_softmax_rows_sum_to_one"].hints
