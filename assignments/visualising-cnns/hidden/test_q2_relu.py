"""Question 2: other ways back through a ReLU."""

import random
from itertools import pairwise

import pytest
import torch
from networks import called, hook_count, hooks_after_failure
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q2")

RULES = ("gradient", "deconvnet", "guided")


def backward_and_look_back(relu_backward, x, grad, rule):
    """What relu_backward returns, and what it was given as it is afterwards."""
    return relu_backward(x, grad, rule), x, grad


@pytest.mark.points(3)
@pytest.mark.parametrize("rule", RULES)
def test_relu_backward(student, close, rule):
    """relu_backward lets through what its rule says, and nothing at zero."""
    hint("[x > 0], [G > 0], or both; a copy of G, not G itself.")
    for shape in ((5,), (3, 2, 4, 7), (random.randint(2, 5), 11)):
        x, grad = (torch.randn(2, *shape, dtype=torch.float64) for _ in range(2))
        x[torch.rand_like(x) < 0.2] = 0
        grad[torch.rand_like(x) < 0.2] = 0
        found, *after = student.run(backward_and_look_back, student.relu_backward, x, grad, rule)
        expected = grad.clone()
        if rule != "deconvnet":
            expected[x <= 0] = 0
        if rule != "gradient":
            expected[grad < 0] = 0
        close(found, expected)
        assert_close(after, [x, grad])


@pytest.mark.points(4)
@pytest.mark.parametrize("rule", RULES[1:])
def test_modified_gradient(student, reference, draw, close, rule):
    """modified_gradient goes back by the rule through every ReLU, nested ones too."""
    hint("model.modules() also finds what is nested. Is the rule used at each place of a ReLU?")
    for n, shape in ((1, (2, 6, 5)), (random.randint(3, 5), (1, 5, 9))):
        case = (*draw(n, *shape), rule)
        found, _ = student.run(called, student.modified_gradient, *case)
        close(found, called(reference.modified_gradient, *case)[0])


def through_blocks(modified_gradient, matrices, x, target, rule):
    """modified_gradient of another model: a ReLU as two attributes, called in a loop."""

    class Block(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.act = self.again = torch.nn.ReLU()

        def forward(self, x):
            for k, matrix in enumerate(matrices[:-1]):
                x = (self.again if k % 2 else self.act)(x @ matrix)
            return x

    class Model(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.blocks = torch.nn.ModuleDict({"one": Block()})

        def forward(self, x):
            return self.blocks["one"](x.flatten(1)) @ matrices[-1]

    model = Model()
    found = modified_gradient(model, x, target, rule)
    kinds = [type(module).__name__ for module in model.modules()]
    return found.detach(), hook_count(model), kinds


@pytest.mark.points(2)
def test_modified_gradient_of_other_models(student, close):
    """A ReLU that is an attribute of a module and used several times follows the rule each time."""
    hint("Not only Sequential holds ReLUs. Each use has an input of its own, each name counts.")
    sizes = [8, 6, 7, 5, 3]
    for rule in RULES[1:]:
        pairs = pairwise(sizes)
        matrices = [torch.randn(pair, dtype=torch.float64) for pair in pairs]
        x, target = torch.randn(4, 2, 1, 4, dtype=torch.float64), torch.randint(3, (4,))
        found, hooks, kinds = student.run(
            through_blocks, student.modified_gradient, matrices, x, target, rule
        )
        inputs, value = [], x.flatten(1)
        for matrix in matrices[:-1]:
            inputs.append(value @ matrix)
            value = inputs[-1].clamp(min=0)
        grad = matrices[-1].T[target]
        for matrix, entered in zip(reversed(matrices[:-1]), reversed(inputs), strict=True):
            passes = (grad > 0) & ((entered > 0) | (rule == "deconvnet"))
            grad = (grad * passes) @ matrix.T
        close(found, grad.reshape(x.shape))
        assert hooks == 0
        assert kinds == ["Model", "ModuleDict", "Block", "ReLU"]


@pytest.mark.points(2)
def test_modified_gradient_leaves_no_traces(student, reference, draw, close):
    """No hook and no other module stays in the model; the rule "gradient" is the gradient."""
    case = draw(3, 2, 6, 5)
    for rule in RULES:
        found, traces = student.run(called, student.modified_gradient, *case, rule)
        close(found, called(reference.modified_gradient, *case, rule)[0])
        hint(f"Left behind: {', '.join(traces)}.")
        assert traces == []
        if rule == "gradient":
            close(found, called(reference.input_gradient, *case)[0])
    hint("try … finally: the hooks go also when the model fails.")
    weights, _, target = case
    for x, asked in ((torch.rand(3, 5, 6, 5).double(), target), (case[1], target + 99)):
        left = student.run(
            hooks_after_failure, student.modified_gradient, weights, x, asked, "guided"
        )
        assert left == 0
