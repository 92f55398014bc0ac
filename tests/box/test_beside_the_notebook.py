"""What a notebook finds beside it, and what it asks of a place that a box is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from grader.box.installing import answer_to_install
from grader.sandbox.base import Slot, SlotOptions
from tests.box.kernel import run_in_box
from tests.helpers.light_boxes import LIGHT
from tests.sandbox.places import slot_maker


@pytest.fixture(scope="module")
def slot() -> Iterator[Slot]:
    slot = slot_maker("local-warm")(SlotOptions(preloads=LIGHT))
    slot.start()
    yield slot
    slot.stop()


def run(slot: Slot, *cells: str) -> list[str]:
    """What each cell printed, with the name of its error."""
    return [_text(outputs) for outputs in run_in_box(slot, cells)]


def _text(outputs: list[dict[str, Any]]) -> str:
    return "".join(o.get("text", "") or o.get("ename", "") for o in outputs)


@pytest.mark.local_box
def test_a_module_that_the_notebook_wrote_is_imported(slot: Slot) -> None:
    cells = ("%%writefile my_utils.py\nvalue = 1\n", "import my_utils; print(my_utils.value)")
    assert run(slot, *cells)[1] == "1\n"


@pytest.mark.local_box
def test_a_module_that_was_missing_and_is_written_then_is_found(slot: Slot) -> None:
    said = run(slot, "import late", "%%writefile late.py\nvalue = 2\n", "import late; late.value")
    assert said[0] == "ModuleNotFoundError"
    assert said[2] == ""


@pytest.mark.local_box
def test_a_module_written_again_is_reloaded_as_it_is_now(slot: Slot) -> None:
    write = "from pathlib import Path\nimport importlib\nPath('m.py').write_text('v = {}')\n"
    said = run(
        slot,
        write.format(1) + "import m; print(m.v)",
        write.format(2) + "importlib.reload(m); print(m.v)",
    )
    assert said == ["1\n", "2\n"]


@pytest.mark.local_box
def test_packages_and_their_modules_are_imported(slot: Slot) -> None:
    make = "import os; os.makedirs('nets/blocks')\nopen('nets/blocks/mlp.py', 'w').write('n = 3')"
    assert run(slot, make, "from nets.blocks import mlp; print(mlp.n)")[1] == "3\n"


@pytest.mark.local_box
def test_after_a_change_of_folder_modules_are_imported_from_there(slot: Slot) -> None:
    make = "import os; os.mkdir('d'); open('d/there.py', 'w').write('n = 4')\nos.chdir('d')"
    assert run(slot, make, "import there; print(there.n)")[1] == "4\n"


@pytest.mark.local_box
def test_the_standard_library_goes_before_what_lies_beside_as_in_a_kernel(slot: Slot) -> None:
    make = "open('this_json.py', 'w'); open('tabnanny.py', 'w').write('mine = 1')"
    asked = "import tabnanny; print(hasattr(tabnanny, 'mine'))"
    assert run(slot, make, asked)[1] == "False\n"


@pytest.mark.local_box
def test_no_session_imports_what_another_wrote(slot: Slot) -> None:
    run(slot, "for n in ('left', 'torchvision'): open(n + '.py', 'w').write('x = 1')")
    assert run(slot, "import left") == ["ModuleNotFoundError"]


@pytest.mark.local_box
def test_mounting_a_drive_does_no_harm(slot: Slot) -> None:
    said = run(
        slot,
        "from google.colab import drive\ndrive.mount('/content/drive')\nx = 1",
        "from google.colab import files, userdata, output\nfiles.upload()\nprint(x)",
        "import google.colab.drive as d; d.flush_and_unmount()",
    )
    assert "nothing was mounted at /content/drive" in said[0]
    assert said[1].endswith("1\n")
    assert said[2] == ""


@pytest.mark.local_box
@pytest.mark.parametrize(
    "asked",
    [
        "try:\n    import google.colab\n    here = True\nexcept ImportError:\n    here = False",
        "try:\n    from google.colab import drive\n    here = True\nexcept:\n    here = False",
        "import sys\nhere = 'google.colab' in sys.modules",
        "def asks():\n    try:\n        import google.colab\n        return True\n"
        "    except ModuleNotFoundError:\n        return False\nhere = asks()",
        "import importlib.util\ntry:\n    here = bool(importlib.util.find_spec('google.colab'))\n"
        "except ModuleNotFoundError:\n    here = False",
    ],
)
def test_who_asks_whether_it_is_on_colab_is_told_that_it_is_not(slot: Slot, asked: str) -> None:
    assert run(slot, asked, "print(here)")[1] == "False\n"


@pytest.mark.local_box
def test_installing_says_what_is_there_and_loses_no_time(slot: Slot) -> None:
    [said, _] = run(slot, "!pip install -q torch einops\n%pip install tqdm2", "1")
    assert "Already installed: torch." in said
    assert "no network in this sandbox: einops can't be installed" in said
    assert "tqdm2 can't be installed" in said


@pytest.mark.parametrize(
    ("command", "says"),
    [
        ("pip install torch", "Already installed: torch.\n"),
        ("pip3 install 'torch>=2' -q", "Already installed: torch.\n"),
        ("/usr/bin/python3 -m pip install --upgrade torch==9", "Already installed: torch.\n"),
        ("pip install -r requirements.txt", "anything can't be installed here"),
        ("pip install nope && python train.py", "nope can't be installed here"),
        ("pip install git+https://github.com/a/b.git", "git can't be installed"),
        ("apt-get install -y graphviz", "graphviz can't be installed here"),
        ("conda install -n base nope", "nope can't be installed here"),
    ],
)
def test_what_an_installation_says(command: str, says: str) -> None:
    answer = answer_to_install(command)
    assert answer is not None and says in answer


@pytest.mark.parametrize("command", ["ls", "pip list", "echo pip install x", "pip install x | cat"])
def test_other_commands_are_run(command: str) -> None:
    assert answer_to_install(command) is None
