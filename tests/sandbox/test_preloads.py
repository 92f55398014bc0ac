"""What a slot loads ahead for one notebook alone, and that the rest is there all the same."""

from __future__ import annotations

import pytest

from grader.box.preloading import PRELOADS
from grader.sandbox.base import ALL_PRELOADS, SlotOptions
from grader.sandbox.choose import choose
from grader.sandbox.preloads import preloads_for
from grader.wire.messages import Limits


def test_box_and_judge_know_the_same_names() -> None:
    assert PRELOADS == ALL_PRELOADS


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (b"import math, torch as t, numpy as np\nfrom torch import nn\nnn.Linear(2, 3)", ()),
        (b'"import torch\\n", "from os import path"', ()),
        (b"opt = torch.optim.Adam(p)", ("training",)),
        (b"model = torch.compile(model)", ("training",)),
        (b"%matplotlib inline", ("pictures",)),
        (b"import matplotlib.pyplot as p", ("pictures",)),
        (b"import torch, lightning", ("training", "pictures")),
        (b"  from google.colab import files", ("training", "pictures")),
        (b'    "from helpers import train\\n"', ("training", "pictures")),
        (b"import own\nown.f()", ()),
    ],
)
def test_what_the_text_could_use_is_loaded(text: bytes, found: tuple[str, ...]) -> None:
    assert preloads_for([text], own=["own"]) == found


def test_what_was_not_loaded_ahead_is_when_it_is_used() -> None:
    slot = choose("local").slot(SlotOptions(preloads=()))
    try:
        session = slot.open(seed=0, limits=Limits())
        cells = (
            "import sys; print([m for m in ('matplotlib', 'torch._dynamo') if m in sys.modules])",
            "import importlib; p = importlib.import_module('mat' + 'plotlib.pyplot')\np.plot([1]);",
            "import torch; w = torch.ones(2, requires_grad=True); w.sum().backward()\n"
            "getattr(torch, 'op' + 'tim').SGD([w], lr=1.0).step(); print(w.tolist())",
            "1 / 0",
        )
        run = [
            session.run_cell(cell, index=n, timeout_s=300, output_bytes=1_000_000)
            for n, cell in enumerate(cells, 1)
        ]
        session.close()
    finally:
        slot.stop()
    loaded, figure, trained, error = (cell.outputs for cell in run)
    assert loaded[0]["text"] == "[]\n"
    assert [set(o["data"]) for o in figure] == [{"image/png", "text/plain"}]
    assert trained[0]["text"] == "[0.0, 0.0]\n"
    assert error[0]["ename"] == "ZeroDivisionError"
