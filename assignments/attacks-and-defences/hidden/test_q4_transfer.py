"""Question 4: attacks that transfer."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q4")


def table_and_calls(transfer, weights, x, y):
    """The table for linear models and an attack on their weights, and the calls of it."""
    models = []
    for weight in weights:
        model = torch.nn.Linear(weight.shape[1], weight.shape[0], bias=False).double()
        with torch.no_grad():
            model.weight.copy_(weight)
        models.append(model)
    calls = []

    def attack(model, x, y):
        calls.append((models.index(model), len(x), len(y)))
        return x - 0.7 * model.weight.detach()[y]

    return transfer(models, attack, x, y), calls


@pytest.mark.points(4)
def test_transfer(student, close):
    """Row i, column j is the accuracy of model j on what was made for model i; one attack each."""
    hint("Rows are the models that were attacked, columns those that are asked.")
    for models, n in ((2, 40), (random.randint(3, 5), 30), (1, 20)):
        weights = [torch.randn(3, 6, dtype=torch.float64) for _ in range(models)]
        x, y = torch.randn(n, 6, dtype=torch.float64), torch.randint(3, (n,))
        found, calls = student.run(table_and_calls, student.transfer, weights, x, y)
        expected = [
            [((x - 0.7 * a[y]) @ b.T).argmax(1).eq(y).double().mean() for b in weights]
            for a in weights
        ]
        close(found, torch.tensor(expected, dtype=torch.float64))
        assert [tuple(call) for call in calls] == [(i, n, n) for i in range(models)]
