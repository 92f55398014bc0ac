"""What a student is told before handing in, by the source alone."""

from __future__ import annotations

from decimal import Decimal

import msgspec
import pytest

from grader.course.spec import AssignmentSpec, BoxSpec, Resources
from grader.suite.lookahead import look_ahead


def spec(*libraries: str, **resources: object) -> AssignmentSpec:
    return AssignmentSpec(
        title="A",
        points=Decimal(0),
        questions=(),
        box=BoxSpec(libraries=libraries),
        resources=Resources(**resources),  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("import pandas as pd", 'does not give; ask the course staff for it (libraries = ["pandas'),
        ("from sklearn.svm import SVC", 'libraries = ["scikit-learn"]'),
        ("import cv2", 'libraries = ["opencv-python"]'),
        ("import torchsummary", "leave it out, or ask the course staff"),
        (
            "import wandb\nwandb.init()",
            "logs over the network, but the sandbox has none; remove it",
        ),
        ("from google.colab import drive\ndrive.mount('/gdrive')", "cell 1 mounts Google Drive"),
        ("from google.colab import files\nfiles.upload()", "cell 1 asks for an upload"),
        ("open('/content/drive/MyDrive/x.csv')", "cell 1 names a file below `/content/`"),
        (r"open('C:\\Users\\ada\\x.csv')", "cell 1 names a file below `C:\\`"),
        ("name = input('Your name')", "cell 1 waits for input"),
        ("f = torch.compile(f)", "cell 1 calls `torch.compile`, which needs a C++ compiler"),
        ("model.cuda()", "cell 1 uses a GPU without asking"),
        ("x.to('cuda:0')", "cell 1 uses a GPU without asking"),
        ("torch.load('w.pt', map_location='cuda')", "cell 1 uses a GPU without asking"),
        ("!wget https://example.org/data.zip", "cell 1 runs `!wget`: there is no network"),
        ("!git clone https://example.org/x", "cell 1 runs `!git`"),
    ],
)
def test_what_will_not_run_is_said_with_its_cell(source: str, said: str) -> None:
    [sentence] = look_ahead([source], spec())
    assert said in sentence


@pytest.mark.parametrize(
    "source",
    [
        "import os, json\nimport torch\nimport numpy as np\nfrom matplotlib import pyplot as plt",
        "from PIL import Image\nimport sympy",  # what torch and matplotlib bring
        "try:\n    import google.colab\nexcept ImportError:\n    pass",
        "try:\n    import wandb\nexcept ImportError:\n    wandb = None",
        "device = 'cuda' if torch.cuda.is_available() else 'cpu'\nx.to('cuda')",
        "open('data/x.csv')\nprint('https://example.org/content/')",
        "f = torch.compile(f, backend='eager')\nre.compile('x')",
        "# model.cuda()\nprint('use cuda')",
        "def broken(:",
        "",
    ],
)
def test_what_runs_there_is_no_ground_for_a_sentence(source: str) -> None:
    assert look_ahead([source], spec()) == ()


def test_what_the_assignment_gives_is_not_named() -> None:
    cells = ["import sklearn, yaml, my_utils, helper_functions", "%%writefile my_utils.py\nx = 1"]
    given = spec("scikit-learn>=1.3", "PyYAML")
    assert look_ahead(cells, given, beside=["helper_functions.py"]) == ()
    assert look_ahead(["x.cuda()"], spec(gpu=True)) == ()
    assert look_ahead(["x.cuda()"], spec(cuda_as_cpu=True)) == ()


def test_cells_are_counted_among_all_and_named_together() -> None:
    said = look_ahead(["", "x.cuda()", "", "y.cuda()"], spec())
    assert said[0].startswith("cells 2, 4 use a GPU")


def test_a_source_that_is_made_to_be_too_deep_is_left_alone() -> None:
    assert look_ahead(["x = " + "-" * 100_000 + "1"], spec()) == ()
    assert look_ahead(["x" * 500_000], spec()) == ()


def test_an_assignment_with_a_compiler_has_nothing_to_say_of_torch_compile() -> None:
    given = msgspec.structs.replace(spec(), box=BoxSpec(packages=("g++",)))
    assert list(look_ahead(["f = torch.compile(f)"], given)) == []
