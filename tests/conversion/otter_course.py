"""The cells of an Otter master notebook as an instructor writes it, and what students answer."""

from __future__ import annotations

import textwrap
from typing import Any

from tests.conversion.nbgrader_course import notebook

__all__ = ["STUDENTS", "master_cells", "notebook", "submission"]

IMPORTS = """\
import math

import numpy as np
import torch
from torch import nn

RATE = 0.5"""

MEAN = """\
def mean(values):
    \"\"\"Return the mean of a list.\"\"\"
    # BEGIN SOLUTION
    return sum(values) / len(values)
    # END SOLUTION"""

AREA = """\
radius = 2.0
area = math.pi * radius ** 2 # SOLUTION
labels = ["small", "large"] # SOLUTION"""

STEP = '''\
def step(w, g, rate=RATE):
    """One step of gradient descent."""
    # BEGIN SOLUTION NO PROMPT
    moved = w - rate * g
    return moved
    # END SOLUTION
    """ # BEGIN PROMPT
    moved = ...
    return moved
    """; # END PROMPT'''

LAYER = """\
class Layer(nn.Module):
    # BEGIN SOLUTION
    def __init__(self, n):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(n))

    def forward(self, x):
        return (self.weight * x).sum(dim=-1)
    # END SOLUTION"""

SAMPLE = """\
np.random.seed(7) # SEED
def sample(n):
    return np.random.randn(n) # SOLUTION"""

ANSWER = "The mean of the squares is never below the square of the mean."


def raw(text: str) -> dict[str, Any]:
    """A boundary."""
    return {"cell_type": "raw", "metadata": {}, "source": text}


def text(source: str) -> dict[str, Any]:
    """A text cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": source}


def code(source: str, shown: str = "") -> dict[str, Any]:
    """A code cell, with what it showed when the instructor ran it."""
    outputs = []
    if shown:
        outputs = [
            {
                "output_type": "execute_result",
                "data": {"text/plain": shown},
                "metadata": {},
                "execution_count": 1,
            }
        ]
    return {
        "cell_type": "code",
        "metadata": {},
        "source": source,
        "outputs": outputs,
        "execution_count": 1 if shown else None,
    }


def question(
    config: str, title: str, answer: str, *cases: tuple[str, str], more: str = ""
) -> list[dict[str, Any]]:
    """A question with its solution and its tests."""
    return [
        raw(f"# BEGIN QUESTION\n{config}"),
        text(f"## {title}{more}"),
        raw("# BEGIN SOLUTION"),
        code(answer),
        raw("# END SOLUTION"),
        raw("# BEGIN TESTS"),
        *(code(textwrap.dedent(source).strip("\n"), shown) for source, shown in cases),
        raw("# END TESTS"),
        raw("# END QUESTION"),
    ]


def master_cells() -> list[dict[str, Any]]:
    """The notebook of the instructor."""
    config = (
        "# ASSIGNMENT CONFIG\nname: descent\ninit_cell: true\nexport_cell: false\n"
        "generate:\n  seed: 90"
    )
    return [
        raw(config),
        text("# Descent\n\nSmall steps."),
        code(IMPORTS),
        *question(
            "name: q1\npoints: 1",
            "A mean",
            MEAN,
            ("mean([1, 2, 3])", "2.0"),
            ("# HIDDEN\nmean([5])", "5.0"),
            ("# HIDDEN\nabs(mean([0.1] * 10) - 0.1) < 1e-9", "True"),
        ),
        *question(
            "name: q2\npoints:\n  - 0.5\n  - 1.5",
            "An area",
            AREA,
            ("isinstance(area, float) and len(labels) == 2", "True"),
            ("# HIDDEN\nassert np.isclose(area, 12.566, atol=1e-3)\nlabels[1]", "'large'"),
        ),
        *question(
            "name: q3\npoints: 3\nall_or_nothing: true",
            "A step",
            STEP,
            ("step(3.0, 2.0)", "2.0"),
            ("# HIDDEN\nstep(torch.ones(2), torch.ones(2), rate=1.0).tolist()", "[0.0, 0.0]"),
        ),
        *question(
            "name: q4",
            "A layer",
            LAYER,
            ("layer = Layer(3)\nlayer(torch.ones(2, 3)).tolist()", "[3.0, 3.0]"),
            (
                '""" # BEGIN TEST CONFIG\npoints: 2\nhidden: true\n'
                'failure_message: Is weight a parameter?\n""" # END TEST CONFIG\n'
                "layer = Layer(3)\nloss = layer(torch.arange(3.0))\nloss.backward()\n"
                "layer.weight.grad.tolist()",
                "[0.0, 1.0, 2.0]",
            ),
            (
                '""" # BEGIN TEST CONFIG\npoints: 1\nhidden: true\n""" # END TEST CONFIG\n'
                "isinstance(Layer(2), nn.Module)",
                "True",
            ),
        ),
        *question(
            "name: q5\npoints: 1",
            "Samples",
            SAMPLE,
            ("sample(4).shape", "(4,)"),
            ("# HIDDEN\nnp.random.seed(3)\nfloat(np.abs(sample(2000).mean())) < 0.2", "True"),
        ),
        raw("# BEGIN QUESTION\nname: q6\nmanual: true\npoints: 4"),
        text("## Jensen"),
        raw("# BEGIN PROMPT"),
        text("_Type your answer here._"),
        raw("# END PROMPT"),
        raw("# BEGIN SOLUTION"),
        text(ANSWER),
        raw("# END SOLUTION"),
        raw("# END QUESTION"),
    ]


def _answer(source: str) -> str:
    lines = source.split('    """ # BEGIN PROMPT')[0].rstrip().split("\n")
    kept = [line for line in lines if "# BEGIN" not in line and "# END" not in line]
    return "\n".join(line.replace(" # SOLUTION", "") for line in kept if "# SEED" not in line)


RIGHT = {
    "q1": _answer(MEAN),
    "q2": _answer(AREA),
    "q3": _answer(STEP),
    "q4": _answer(LAYER),
    "q5": _answer(SAMPLE),
}

# Student → what they changed of a right submission.
STUDENTS: dict[str, dict[str, str]] = {
    "right": {},
    "untouched": {
        "q1": "def mean(values):\n    ...",
        "q2": "radius = 2.0\narea = ...\nlabels = ...",
        "q3": "def step(w, g, rate=RATE):\n    moved = ...\n    return moved",
        "q4": "class Layer(nn.Module):\n    ...",
        "q5": "def sample(n):\n    ...",
    },
    "whole": {"q1": "def mean(values):\n    return sum(values) // len(values)"},
    "visible_only": {
        "q1": "def mean(values):\n    return 2.0",
        "q3": "def step(w, g, rate=RATE):\n    return 2.0",
    },
    "circumference": {"q2": _answer(AREA).replace("radius ** 2", "radius")},
    "text_area": {"q2": _answer(AREA).replace("area = math.pi * radius ** 2", "area = '12.566'")},
    "wrong_label": {"q2": _answer(AREA).replace('"large"', '"big"')},
    "uphill": {"q3": _answer(STEP).replace("w - rate", "w + rate")},
    "no_parameter": {"q4": _answer(LAYER).replace("nn.Parameter(torch.ones(n))", "torch.ones(n)")},
    "no_layer": {"q4": "def Layer(n):\n    return lambda x: x.sum(-1)"},
    "uniform": {"q5": "def sample(n):\n    return np.random.rand(n)"},
    "raises": {"q5": "def sample(n):\n    raise ValueError(n)"},
}


def submission(student: str) -> dict[str, Any]:
    """What a student hands in: answers, each followed by its check."""
    answers = RIGHT | STUDENTS[student]
    cells = [code("import otter\ngrader = otter.Notebook('descent.ipynb')"), code(IMPORTS)]
    for name, answer in answers.items():
        cells += [code(answer), code(f"grader.check('{name}')")]
    made = notebook([*cells, text("## Jensen"), text("Convexity.")])
    made["metadata"]["otter"] = {"assignment_name": "descent"}
    return made
