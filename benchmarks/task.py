"""The one task that every system grades, and the submissions: from one notebook, `ps1_source`.

A submission is the notebook with every answer right, a comment of its own, and for the workloads
that train one more cell, which no check looks at.
"""

from __future__ import annotations

import copy
import functools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SOURCE = HERE / "peers" / "ps1_source.ipynb"
SECONDS = {"light": 0, "medium": 5, "heavy": 30}
"""Of training in the additional cell, on the machine that measures."""
TRAINING = """
_net = nn.Sequential(nn.Linear(64, 256), nn.ReLU(), nn.Linear(256, 10))
_x, _y = torch.randn(256, 64), torch.randint(0, 10, (256,))
_opt = torch.optim.SGD(_net.parameters(), lr=0.01)
for _ in range({steps}):
    _opt.zero_grad()
    nn.functional.cross_entropy(_net(_x), _y).backward()
    _opt.step()
"""


def source() -> dict[str, Any]:
    """The notebook of the instructor, in nbgrader's format."""
    loaded: dict[str, Any] = json.loads(SOURCE.read_text())
    return loaded


def text(cell: dict[str, Any]) -> str:
    """A cell's source as one text."""
    return "".join(cell["source"])


def grade_id(cell: dict[str, Any]) -> str:
    """nbgrader's name of a cell."""
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id", ""))


def answer(cell: dict[str, Any]) -> str:
    """A solution cell as a student would have written it."""
    return "\n".join(line for line in text(cell).split("\n") if "### " not in line)


def visible_and_hidden(cell: dict[str, Any]) -> tuple[str, str]:
    """The two parts of a test cell."""
    visible, _, rest = text(cell).partition("### BEGIN HIDDEN TESTS\n")
    return visible.strip(), rest.partition("### END HIDDEN TESTS")[0].strip()


def code_cell(code: str, metadata: dict[str, Any] | None = None) -> dict[str, Any]:
    """A cell without outputs."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "metadata": metadata or {},
        "outputs": [],
        "source": code,
    }


@functools.cache
def steps_per_second() -> int:
    """How much of the training this machine does, in a plain process; measured once."""
    program = (
        "import time, torch; from torch import nn; import torch._dynamo; torch.set_num_threads(1)\n"
        "def train():\n    began = time.perf_counter()\n"
        f"    exec({TRAINING.format(steps=1000)!r}, {{'torch': torch, 'nn': nn}})\n"
        "    return time.perf_counter() - began\n"
        "print(round(1000 / min(train() for _ in range(5))))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def training_cells(workload: str) -> list[dict[str, Any]]:
    """The additional cell of a workload, if it has one."""
    seconds = SECONDS[workload]
    if not seconds:
        return []
    return [code_cell(TRAINING.format(steps=seconds * steps_per_second()).strip())]


def submission(workload: str, number: int, *, with_tests: bool) -> dict[str, Any]:
    """Student `number`'s notebook; `with_tests` keeps the test cells, as nbgrader needs them."""
    notebook = copy.deepcopy(source())
    cells = []
    for cell in notebook["cells"]:
        name = grade_id(cell)
        if name.endswith("_test"):
            if with_tests:
                cells.append({**cell, "source": visible_and_hidden(cell)[0]})
            continue
        if name.endswith("_answer"):
            cell["source"] = answer(cell)
        cells.append(cell)
    cells += training_cells(workload)
    cells.append(code_cell(f"# student {number}"))
    return {**notebook, "cells": cells}
