"""`grader validate --attacks`: what it finds in suites that trust, and in one that does not."""

from __future__ import annotations

import re
import tomllib
from importlib import resources
from pathlib import Path

import pytest
from click.testing import CliRunner

from grader.api.attacks import Attacked, attack, running, shipped_attacks
from grader.api.attacks.corpus import read_attack
from grader.api.attacks.notebooks import names_to_write
from grader.cli.validate import command
from grader.course.directory import Course
from grader.errors import SpecError
from tests.helpers.assignments import (
    HIDDEN,
    REFERENCE,
    SPEC,
    make_assignment,
    write_assignment,
)

pytestmark = pytest.mark.local_box

_DISTRUSTFUL = HIDDEN.replace(
    "    assert_close(student.softmax(torch.randn(5, 7)).sum(1), torch.ones(5))",
    """    x = torch.randn(5, 7)
    found = student.softmax(x)
    assert_close(found.sum(1), torch.ones(5))
    assert (found.argmax(1) == x.argmax(1)).all()""",
)
_DECIDES_IN_THE_BOX = (
    _DISTRUSTFUL
    + """

def sums_to_one(softmax):
    return bool((softmax(torch.zeros(2, 3)).sum(1) - 1).abs().max() < 1e-6)
"""
)


def attacked(tmp_path: Path, hidden: str, *names: str) -> Attacked:
    make_assignment(tmp_path, "warm-up", hidden=hidden)
    chosen = [a for a in shipped_attacks() if a.name in names]
    return attack(Course(tmp_path), "warm-up", sandbox="local", isolation="warm", attacks=chosen)


@pytest.mark.slow
def test_a_suite_that_looks_at_every_answer_gives_no_attack_a_point(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []

    make_assignment(tmp_path, "warm-up", hidden=_DISTRUSTFUL)
    found = attack(
        Course(tmp_path),
        "warm-up",
        sandbox="local",
        isolation="warm",
        on_attack=lambda *said: told.append(said),
    )
    assert [str(e) for e in found.earned if e.question == "q1"] == []
    assert found.attacks == len(shipped_attacks())
    assert [done for done, _, _ in told] == list(range(1, len(shipped_attacks()) + 2))


_SHAPE_ONLY = _DISTRUSTFUL.replace(
    "    assert_close(found.sum(1), torch.ones(5))\n"
    "    assert (found.argmax(1) == x.argmax(1)).all()",
    "    assert found.shape == x.shape",
)
_REASON = "The shape is all that is asked for here."


def accepting(**fields: str) -> str:
    lines = "".join(f'{name} = "{text}"\n' for name, text in fields.items())
    return f"{SPEC}[[accepted]]\n{lines}"


@pytest.fixture(scope="module")
def trusted(tmp_path_factory: pytest.TempPathFactory) -> Attacked:
    """What came of a suite that looks at the shape alone, whose author accepts one finding."""
    root = tmp_path_factory.mktemp("trusted")
    known = accepting(attack="returns-zeros", test="test_rows_sum_to_one", reason=_REASON)
    spec = f'{known}[[accepted]]\nattack = "returns-none"\nquestion = "q2"\nreason = "Old."\n'
    make_assignment(root, "warm-up", hidden=_SHAPE_ONLY, spec=spec)
    names = ("returns-its-input", "returns-zeros", "returns-nan", "returns-none")
    chosen = [a for a in shipped_attacks() if a.name in names]
    return attack(Course(root), "warm-up", sandbox="local", isolation="warm", attacks=chosen)


def test_a_test_that_looks_at_the_shape_alone_is_named_with_what_earned_its_points(
    trusted: Attacked,
) -> None:
    shape_only = [e for e in trusted.earned if e.test == "test_rows_sum_to_one"]
    assert {e.attack for e in shape_only} == {"returns-its-input", "returns-nan"}
    assert all(e.points == 2 and e.question == "q1" for e in shape_only)
    assert "earned 2 points of q1 from test_rows_sum_to_one" in str(shape_only[0])


@pytest.mark.slow
def test_a_test_that_lets_the_box_decide_is_named(tmp_path: Path) -> None:
    deciding = _DECIDES_IN_THE_BOX.replace(
        "    assert_close(found.sum(1), torch.ones(5))\n"
        "    assert (found.argmax(1) == x.argmax(1)).all()",
        "    assert student.run(sums_to_one, student['softmax'])",
    )
    found = attacked(tmp_path, deciding, "answers-for-the-suite")
    assert ("answers-for-the-suite", "test_rows_sum_to_one") in {
        (e.attack, e.test) for e in found.earned
    }


@pytest.mark.slow
def test_a_test_that_is_blind_to_nan_is_named(tmp_path: Path) -> None:
    blind = _DISTRUSTFUL.replace(
        "    assert_close(found.sum(1), torch.ones(5))\n"
        "    assert (found.argmax(1) == x.argmax(1)).all()",
        "    assert not any(abs(total - 1) > 1e-3 for total in found.sum(1).tolist())",
    )
    found = attacked(tmp_path, blind, "returns-nan")
    assert "returns-nan" in {e.attack for e in found.earned if e.test == "test_rows_sum_to_one"}


def test_names_that_students_must_write_are_found(tmp_path: Path) -> None:
    assert names_to_write(make_assignment(tmp_path, "warm-up")) == {
        "softmax": "function",
        "column_means": "function",
    }


def test_every_attack_has_a_name_of_its_own_and_compiles() -> None:
    assert len({a.name for a in shipped_attacks()}) == len(shipped_attacks()) >= 20
    for one in shipped_attacks():
        compile(one.code, one.name, "exec")


def test_the_docs_list_every_attack_under_its_kind() -> None:
    page = Path(__file__).parents[3] / "docs" / "how-to" / "attack-an-assignment.md"
    listed = {}
    for line in page.read_text().splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 4 and cells[2].startswith("`"):
            listed |= dict.fromkeys(re.findall("`(.*?)`", cells[2]), cells[1])
    assert listed == {a.name: a.kind for a in shipped_attacks()}


def test_the_files_of_the_attacks_ship_with_the_package() -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text())
    assert project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"] == ["grader"]
    parts = {part for one in shipped_attacks() for part in one.needs}
    folder = resources.files("grader.api.attacks") / "cells" / "parts"
    assert {f.name for f in folder.iterdir()} == {f"{p}.py" for p in (*parts, "prelude")}


@pytest.mark.parametrize(
    "text",
    [
        "_replace(None)",
        '# /// attack\n# kind = "k"\n',
        '# /// attack\n# kind = "k"\n# ///\n1',
        '# /// attack\n# kind = "k"\n# what = "w"\n# needs = []\n# more = 1\n# ///\n1',
    ],
)
def test_a_file_without_a_right_header_is_no_attack(text: str) -> None:
    with pytest.raises(ValueError):
        read_attack("one", text)


_TRAINS = """
# %%
from torch import nn

# %%
def train(x, y):
    \"\"\"Return a trained linear model.\"\"\"
    # BEGIN SOLUTION
    model = nn.Linear(3, 1)
    with torch.no_grad():
        model.weight.copy_(torch.linalg.lstsq(x, y).solution.T)
        model.bias.zero_()
    return model
    # END SOLUTION
"""
_TEST_OF_TRAINING = """

@pytest.mark.question("q2")
@pytest.mark.points(3)
def test_training(student):
    x, w = torch.randn(40, 3), torch.randn(3, 1)
    model = student.train(x, x @ w)
    assert_close(model(x).detach(), x @ w, atol=1e-3, rtol=1e-3)
"""


@pytest.mark.slow
def test_no_attack_hands_back_the_model_that_the_reference_has_trained(tmp_path: Path) -> None:
    hidden = _DISTRUSTFUL.partition('@pytest.mark.question("q2")')[0] + _TEST_OF_TRAINING
    make_assignment(tmp_path, "warm-up", hidden=hidden, reference=REFERENCE + _TRAINS)
    chosen = [a for a in shipped_attacks() if "reference" in a.needs]
    found = attack(Course(tmp_path), "warm-up", sandbox="local", attacks=chosen)
    assert [str(e) for e in found.earned if e.test == "test_training"] == []


def test_a_finding_is_accepted_by_name_and_reason_and_one_that_is_not_found_is_said(
    trusted: Attacked,
) -> None:
    assert {e.attack for e in trusted.earned} == {"returns-its-input", "returns-nan"}
    (known,) = trusted.accepted
    assert (known.earned.attack, known.reason) == ("returns-zeros", _REASON)
    assert [(a.attack, a.question) for a in trusted.outdated] == [("returns-none", "q2")]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"attack": "returns-zero", "test": "test_rows_sum_to_one"}, "Did you mean returns-zeros"),
        pytest.param(
            {"attack": "returns-zeros", "test": "test_rows_sum_to"},
            "Did you mean test_rows_sum_to_",
            marks=pytest.mark.slow,  # the suite is collected first
        ),
        ({"attack": "returns-zeros", "question": "q9"}, "Did you mean q"),
        ({"attack": "returns-zeros"}, "expected a test or a question"),
        ({"attack": "returns-zeros", "test": "t", "reason": " "}, "a sentence that says why"),
        ({"attack": "returns-zeros", "tests": "t"}, "tests"),
    ],
)
def test_what_is_accepted_must_be_an_attack_and_a_test_that_there_are(
    tmp_path: Path, fields: dict[str, str], said: str
) -> None:
    spec = accepting(**({"reason": "So it is."} | fields))
    with pytest.raises(SpecError) as error:
        make_assignment(tmp_path, "warm-up", hidden=_SHAPE_ONLY, spec=spec)
        chosen = [a for a in shipped_attacks() if a.name == "returns-none"]
        attack(Course(tmp_path), "warm-up", sandbox="local", attacks=chosen)
    assert said in str(error.value)


@pytest.mark.slow
def test_the_command_names_the_points_and_ends_with_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = [a for a in shipped_attacks() if a.name in ("returns-none", "returns-ones")]
    monkeypatch.setattr(running, "shipped_attacks", lambda: tuple(chosen))
    trusting = HIDDEN.replace("torch.ones(5))", "torch.ones(5) * 7)")
    write_assignment(tmp_path, "warm-up", hidden=trusting)
    arguments = ["warm-up", "--attacks", "--sandbox", "local", "--course", str(tmp_path)]
    result = CliRunner().invoke(command, arguments)
    assert result.exit_code == 1
    assert "earned" in result.output and "test_rows_sum_to_one" in result.output
    assert "[3/3] attack: " in result.output
