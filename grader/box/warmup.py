"""What is slow the first time is done once before the fork, and not once in every child.

It imports, fills caches and registers what a session would: a cell run, a picture, an error, a
call of the suite, a seed, a training. Nothing of it is left in the namespace, and every generator
is seeded again when a session begins.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from grader.box.calls import Calls
from grader.box.shell import Shell
from grader.box.trace import Trace
from grader.wire import frames, values
from grader.wire import messages as m
from grader.wire.seeding import HAS_DEVICES, seed_everything


def warm_up(shell: Shell, preloads: Sequence[str]) -> None:
    """Do once what sessions do; the shell is attached to no session yet."""
    _cell(shell)
    shell.display_formatter.format(1.0)
    if "pictures" in preloads:
        _picture(shell)
    if "errors" in preloads:
        _error(shell)
    _call()
    seed_everything(0)
    # With a device, autograd would start its threads, which no fork has.
    if "training" in preloads and not HAS_DEVICES:
        _training()


def _cell(shell: Shell) -> None:
    cell = shell.transform_cell("None")
    asyncio.run(shell.run_cell_async("None", store_history=False, transformed_cell=cell))


def _picture(shell: Shell) -> None:
    from matplotlib.figure import Figure

    figure = Figure()
    figure.add_subplot().plot([0, 1])
    shell.display_formatter.format(figure)


def _error(shell: Shell) -> None:
    try:
        exec(compile("1/0", "<warm-up>", "exec"))  # noqa: S102
    except ZeroDivisionError:
        shell.InteractiveTB.structured_traceback(*sys.exc_info(), tb_offset=0)


def _call() -> None:
    frames.decoder(m.Request)
    blobs: list[Any] = []
    tensor = values.encode(torch.ones(1), blobs)
    calls = Calls({"echo": lambda value: value}, frozenset(), Trace(lambda _file: ""))
    calls.answer(m.Fetch(name="echo", timeout_s=1), [])
    echo = values.encode(values.RemoteRef(1, "function", "function"), blobs)
    act = m.Act(verb="call", target=echo, args=[tensor], timeout_s=1)
    calls.answer(act, [memoryview(blob) for blob in blobs])


def _training() -> None:
    model = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 2))
    inputs, labels = torch.ones(4, 2), torch.zeros(4, dtype=torch.long)
    for optimizer in (torch.optim.Adam(model.parameters()), torch.optim.SGD(model.parameters())):
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(inputs), labels)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
