"""What becomes of a test cell, and what is said where nothing can."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest

from grader.conversion.scope import MODULES
from grader.conversion.translation import Translator, Written
from grader.suite import function_source
from tests.conversion.drafts import body, draft, turned


def test_names_of_the_notebook_are_asked_of_the_student() -> None:
    assert body("y = f(torch.ones(2))\nassert (y == 1).all()") == (
        "y = student.f(torch.ones(2))\nassert (y == 1).all()"
    )


def test_comments_layout_and_texts_of_several_lines_stay_as_they_were() -> None:
    cell = 'note = """first\n  second"""\nassert f(  3 ) == 3  # as it was\n# above\nassert note'
    assert turned(cell).text.endswith(
        '    note = """first\n  second"""\n    assert student.f(  3 ) == 3  # as it was\n'
        "    # above\n    assert note\n"
    )


def test_a_name_in_a_formatted_text_is_replaced_too() -> None:
    assert body('assert f(1) == 1, f"got {f(1)}"') == (
        'assert student.f(1) == 1, f"got {student.f(1)}"'
    )


def test_arguments_attributes_and_inner_variables_of_that_name_are_left_alone() -> None:
    cell = "assert [f for f in (1, 2)] == [1, 2]\nassert dict(f=1)['f'] == (lambda f: f)(1)"
    assert body(cell) == cell


def test_what_the_test_binds_is_its_own() -> None:
    made = turned("y = x + 1\nx = y\nassert x == f(2)", given="x = f(1)")
    assert "    x = student.x\n    y = x + 1\n    x = y\n    assert x == student.f(2)" in made.text


def test_the_last_value_of_a_test_gives_its_part_of_the_points() -> None:
    made = turned("error = abs(f(1) - 1)\n2 if error < 0.1 else 1")
    assert "    points_given = 2 if error < 0.1 else 1\n" in made.text
    assert "    credit(share_shown(points_given, 2))\n" in made.text
    assert made.imports == {
        "from grader.suite.credit import credit",
        "from grader.suite.showing import share_shown",
    }


def test_a_name_that_our_fixture_has_itself_is_asked_for_as_an_item() -> None:
    made = turned("assert run(2) == 2", given="state = []\ndef run(x):\n    return f(x)\n")
    assert 'assert student["run"](2) == 2' in made.text


def test_imports_of_the_notebook_become_imports_of_the_suite() -> None:
    made = turned("assert F.relu(f(torch.ones(1))) > math.pi - 4")
    assert made.imports == {"import torch.nn.functional as F", "import torch", "import math"}


def test_given_functions_and_constants_are_copied_with_all_that_they_use() -> None:
    given = """
        EPS = 1e-3
        def near(a, b):
            return abs(a - b) < EPS
    """
    made = turned("assert near(f(1), 1)", given=given)
    assert made.given == ["near", "EPS"]
    assert "assert near(student.f(1), 1)" in made.text


@pytest.mark.parametrize(
    "given",
    [
        "z = ...",
        "def z():\n    ...",
        "def z():\n    pass",
        'def z():\n    """Fill in."""\n    raise NotImplementedError',
        "def z():\n    x = ...\n    return x",
        "def z():\n    return ...",
    ],
)
def test_what_is_left_open_for_students_is_theirs_though_nothing_marks_it(given: str) -> None:
    made = turned("assert f(z) == 1", given=given)
    assert "assert student.f(student.z) == 1" in made.text
    assert made.given == []


def test_an_ellipsis_within_an_index_leaves_nothing_open() -> None:
    made = turned("assert f(last(1)) == 1", given="def last(x):\n    return x[..., -1]")
    assert made.given == ["last"]


def test_a_given_function_that_uses_the_students_is_theirs() -> None:
    made = turned("assert twice(1) == 1", given="def twice(x):\n    return f(f(x))\n")
    assert made.given == []
    assert "student.twice(1)" in made.text


def test_a_given_function_that_trains_runs_in_the_box() -> None:
    given = """
        def fit(model, x):
            loss = model(x).sum()
            loss.backward()
            return loss.item()
    """
    made = turned("x = torch.ones(2)\nassert fit(Net(), x) < 1", given=given)
    assert "assert student.run(fit, student.Net(), x) < 1" in made.text


def test_a_seed_is_set_on_both_sides() -> None:
    assert body("torch.manual_seed(4)\nassert f(1) == 1") == (
        "torch.manual_seed(4)\nstudent.seed(4)\nassert student.f(1) == 1"
    )


def test_the_source_of_a_function_is_read_from_the_notebook() -> None:
    made = turned('assert "for" not in inspect.getsource(f)')
    assert 'assert "for" not in notebook.source("f")' in made.text
    assert "def test_q1(notebook):" in made.text


def test_what_students_may_not_see_is_in_the_hidden_suite_alone() -> None:
    made = draft("assert f(1) == 1\nassert f(2) == 2", hidden=frozenset({1}))
    translator = Translator(made)
    visible = translator.visible(made.tests[0])
    assert visible is not None
    assert "student.f(1)" in visible.text
    assert "student.f(2)" not in visible.text
    assert "points" not in visible.text
    assert "student.f(2)" in translator.hidden(made.tests[0]).text


def test_the_text_that_a_cell_begins_with_is_what_students_read() -> None:
    source = '"""Check that f\n  keeps "one"."""\nassert f(1) == 1'
    assert turned(source).text.endswith(
        'def test_q1(student):\n    """Check that f keeps \'one\'."""\n'
        "    assert student.f(1) == 1\n"
    )
    made = draft(source, hidden=frozenset({0, 1}))
    assert '"""One (q1)."""' in Translator(made).hidden(made.tests[0]).text


def test_a_test_of_which_nothing_is_visible_has_no_public_form() -> None:
    made = draft("assert f(1) == 1", hidden=frozenset({0}))
    assert Translator(made).visible(made.tests[0]) is None


def turned_second(first: str, second: str) -> Written:
    """What becomes of a test that follows another one."""
    made = draft(first)
    before = made.tests[0]
    after = type(before)(
        place=type(before.place)("hw.ipynb", 5),
        name="q2",
        question="q1",
        source=second,
        points=before.points,
    )
    both = type(made)(title="", cells=(*made.cells, after), questions=made.questions)
    return Translator(both).hidden(after)


def test_a_value_that_an_earlier_test_left_behind_is_made_again() -> None:
    made = turned_second("x = torch.ones(3)\nassert f(x) is not None", "assert f(x).sum() == 3")
    assert "    x = torch.ones(3)\n    assert student.f(x).sum() == 3" in made.text
    assert [remark.kind for remark in made.remarks] == ["look"]


LOOP = "for i in range(3):\n    v = torch.ones(i)\n    assert f(v).sum() == i"


def test_what_a_test_binds_within_its_own_loop_comes_from_no_earlier_one() -> None:
    made = turned_second(LOOP, LOOP.replace("assert f", "assert Net"))
    assert "student.f" not in made.text
    assert made.remarks == []


def test_a_check_that_an_earlier_test_defines_is_defined_again() -> None:
    made = turned_second("def check(g):\n    assert g(1) == 1", "check(f)")
    assert made.finished
    assert "    def check(g):\n        assert g(1) == 1\n    check(student.f)" in made.text


def test_what_only_a_solution_imports_must_be_imported_by_the_student() -> None:
    given = "# BEGIN SOLUTION\nimport statistics as st\n# END SOLUTION"
    made = turned("assert st.mean([1]) == 1", given=given)
    assert made.imports == {"import statistics as st"}
    assert '    assert student.has("st")\n    assert st.mean([1]) == 1' in made.text


@pytest.mark.parametrize("check", ["assert f(v)", "torch.testing.assert_close(f(v), v)"])
def test_no_assertion_of_an_earlier_test_is_repeated(check: str) -> None:
    made = turned_second(f"for v in [1, 2]:\n    {check}", "assert f(v) == 2")
    assert not made.finished
    assert "it uses v" in made.remarks[0].what


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("assert 'f' in globals()", "looks through the notebook's names"),
        ("%timeit f(1)", "a command of the notebook"),
        ("!ls", "a command of the notebook"),
        ("assert f(1) ==", "not valid Python"),
        ("assert eval('f(1)') == 1", "runs code that it puts together"),
        ("assert inspect.signature(f)", "inspects the student's code"),
        ("torch.softmax = None", "which the student's code does not see"),
        ("from unittest.mock import patch", "in the place of what the student's code uses"),
        ("import os\nassert os.path.exists('out.txt')", "the student's stay in their box"),
        ("assert open('out.txt').read()", "stay in their box"),
        ("assert f.__doc__", "which the box does not give away"),
        ("class Mine(Net):\n    pass", "derives a class from the student's Net"),
        ("try:\n    f(1)\nexcept Wrong:\n    pass", "an exception of the student's own"),
        ("assert unheard_of(f(1))", "nothing in the notebook defines"),
        ("student = f(1)", "as a fixture of our tests is called"),
        ("del f", "in the place of the student's f"),
        ("f = len\nassert f([1]) == 1", "in the place of the student's f"),
        (
            "for p in Net().parameters():\n    p.sum().backward()\n    assert p.grad.sum() > 0",
            "asserts inside a block that must run in the student's process",
        ),
    ],
)
def test_what_cannot_be_turned_is_listed_with_its_line(line: str, why: str) -> None:
    made = turned(f"x = 1\n{line}")
    assert not made.finished
    (remark, *_) = [remark for remark in made.remarks if remark.kind == "unfinished"]
    assert why in remark.what
    assert re.fullmatch(r"hw\.ipynb, cell 4, line [1-5]", remark.where)
    # Without points the suite's sum is wrong, so that nothing can be graded with it.
    live = [line for line in made.text.splitlines() if not line.lstrip().startswith("#")]
    assert not any("points(" in line for line in live)
    assert any("pytest.fail" in line for line in live)


def test_the_value_that_a_name_has_only_for_a_while_cannot_be_tested() -> None:
    made = turned("assert answer == 1", given="answer = f(1)", after="answer = f(2)")
    assert not made.finished
    assert "cell 5 gives it another value" in made.remarks[0].what


def test_a_reason_is_told_once_with_all_of_its_lines() -> None:
    made = turned("x = g(1)\nassert x == 1\nassert g(2) == 2")
    (remark,) = [r for r in made.remarks if r.kind == "unfinished"]
    assert remark.where == "hw.ipynb, cell 4, lines 1, 3"


HELPER = """
def g(x):
    # BEGIN SOLUTION
    return f(x)
    # END SOLUTION
"""
TAKEN_AWAY = """
kept = f
del f
try:
    g(1)
except NameError:
    pass
else:
    raise AssertionError("g does not use f")
finally:
    f = kept
"""


def test_a_test_that_takes_a_helper_away_asks_whether_it_is_used() -> None:
    made = turned(TAKEN_AWAY + "assert g(1) == 1", given=HELPER)
    assert made.finished, made.remarks
    assert made.remarks == []
    assert "def test_q1(student, notebook)" in made.text
    assert 'assert "f" in notebook.uses("g"), \'g does not use f\'' in made.text
    assert "assert student.g(1) == 1" in made.text


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("g(1)", "f(1)"),  # would always raise
        ("NameError", "Exception"),
        ("f = kept", "pass"),
        ("g(1)", "g(1); Net()"),
    ],
)
def test_what_else_takes_something_away_is_listed(old: str, new: str) -> None:
    assert not turned(TAKEN_AWAY.replace(old, new), given=HELPER).finished


@pytest.mark.parametrize(
    "command", ["%%time", "%matplotlib inline", "%load_ext autoreload", "%%capture"]
)
def test_a_command_that_changes_nothing_does_not_keep_a_test_from_being_turned(
    command: str,
) -> None:
    assert body(f"{command}\nassert f(1) == 1") == "assert student.f(1) == 1"


def test_what_a_command_measures_is_run() -> None:
    assert body("%time x = f(1)\nassert x == 1") == "x = student.f(1)\nassert x == 1"


@pytest.mark.parametrize("command", ["!ls", "%run a.py", "f?", "%%bash"])
def test_a_command_that_does_something_is_listed(command: str) -> None:
    made = turned(f"{command}\nassert f(1) == 1")
    assert not made.finished
    assert made.remarks[0].what.startswith("it uses a command of the notebook")


def test_what_a_known_module_brings_with_a_star_is_imported_by_name() -> None:
    made = turned("assert f(sqrt(4)) == 2", given="from math import *")
    assert made.imports == {"from math import sqrt"}
    assert made.remarks == []


def test_what_only_a_star_of_the_course_can_bring_is_asked_of_the_notebook() -> None:
    made = turned("assert norm(f(1)) == 1", given="from helpers import *")
    assert made.finished
    assert "assert student.norm(student.f(1)) == 1" in made.text
    assert [(r.kind, r.where) for r in made.remarks] == [("weaker", "hw.ipynb, cell 4, line 1")]
    assert "`from helpers import *`" in made.remarks[0].what


def test_the_box_offers_tests_what_we_think_it_does() -> None:
    assert set(function_source.MODULES) == MODULES


# -- what must happen beside the student's objects


def test_gradients_are_handed_out_and_compared_by_the_judge() -> None:
    made = turned("""
        w = torch.ones(2, requires_grad=True)
        loss = f(w).sum()
        loss.backward()
        assert torch.equal(w.grad, torch.full((2,), 7.0))
    """)
    assert made.functions == [
        dedent("""\
        def steps_of_q1(f, w):
            loss = f(w).sum()
            loss.backward()
            value_1 = w.grad
            return value_1
        """)
    ]
    assert "value_1 = student.run(steps_of_q1, student.f, w)" in made.text
    assert "assert torch.equal(value_1, torch.full((2,), 7.0))" in made.text


def test_no_expected_value_goes_into_the_box() -> None:
    made = turned("""
        net = Net()
        x = torch.randn(8, 2)
        expected = x.sum().item()
        net(x).sum().backward()
        assert all(p.grad is not None for p in net.parameters())
        assert net(x).sum().item() == expected
    """)
    (function,) = made.functions
    assert "expected" not in function
    assert "randn" not in function
    assert "assert all(value_1)" in made.text
    assert "assert net(x).sum().item() == expected" in made.text


def test_a_value_that_is_changed_later_is_taken_as_it_was() -> None:
    made = turned("""
        net = Net()
        loss = net(torch.ones(2)).sum()
        loss.backward()
        assert loss > 0
        loss = net(torch.zeros(2)).sum()
        loss.backward()
        assert loss < 1
    """)
    (function,) = made.functions
    assert "value_1 = loss\n    loss = net(torch.zeros(2)).sum()" in function
    assert "assert value_1 > 0\n" in made.text
    assert "assert loss < 1\n" in made.text


def test_an_argument_that_is_compared_with_its_copy_comes_back_from_the_box() -> None:
    made = turned("""
        x = torch.ones(2)
        kept = x.clone()
        y = f(x)
        assert torch.equal(x, kept)
    """)
    assert "x = student.run(steps_of_q1, student.f, x)" in made.text
    assert "kept = x.clone()" in made.text


def test_a_function_that_uses_the_students_names_is_made_in_the_box() -> None:
    made = turned("assert f(lambda v: f(v)) == 3")
    assert made.functions == [
        "def steps_of_q1(f):\n    value_1 = f(lambda v: f(v))\n    return value_1\n"
    ]


def test_a_network_of_the_test_is_made_in_the_box() -> None:
    made = turned("layer = nn.Linear(2, 2)\nout = f(layer)\nassert out == 1")
    (function,) = made.functions
    assert "layer = nn.Linear(2, 2)" in function
    assert "import nn" not in function


def test_modules_that_the_box_does_not_offer_by_name_are_reached_through_torch() -> None:
    made = turned("""
        net = Net()
        optimizer = optim.SGD(net.parameters(), lr=0.1)
        net(torch.ones(2)).sum().backward()
        assert net is not None
    """)
    assert "torch.optim.SGD(net.parameters(), lr=0.1)" in made.functions[0]
    assert "import torch" in made.imports


def test_kinds_of_objects_are_found_out_in_the_box_and_said_to_be_weaker() -> None:
    made = turned("assert isinstance(Net(), nn.Module)\nassert isinstance(f(1), int)")
    assert "value_1 = isinstance(Net(), nn.Module)" in made.functions[0]
    assert "assert isinstance(student.f(1), int)" in made.text
    assert [remark.kind for remark in made.remarks] == ["weaker"]


PANDAS = "import pandas as pd\nfrom collections import Counter\n"


@pytest.mark.parametrize(
    ("cell", "inside"),
    [
        (
            "g = f(3)\nassert next(g) == 0\nassert next(g) == 1",
            "    g = f(3)\n    value_1 = next(g)\n    value_2 = next(g)\n",
        ),
        ("assert type(f(1)) is nn.Linear", "    value_1 = type(f(1)) is nn.Linear\n"),
        ("assert isinstance(f(1), Counter)", "    value_1 = isinstance(f(1), Counter)\n"),
        ("assert f(1).__class__.__name__ == 'Net'", "    value_1 = f(1).__class__.__name__\n"),
        ("x = pd.read_csv('a')\nassert f(x) == 1", "    x = pd.read_csv('a')\n    return x\n"),
        ("x = [1]\nassert f(x) is not x", "    value_1 = f(x) is not x\n"),
        ("assert f(1) == math.sin", "    value_1 = f(1) == math.sin\n"),
        ("assert f(1) in (F.relu, F.gelu)", "    value_1 = f(1) in (F.relu, F.gelu)\n"),
        ("assert f(1) != nn.ReLU", "    value_1 = f(1) != nn.ReLU\n"),
        ("assert 'a' in dir(f(1))", "    value_1 = dir(f(1))\n"),
        ("assert id(f(1)) != id(f(2))", "    value_1 = id(f(1))\n"),
        ("assert str(type(f(1))) == 'a'", "    value_1 = str(type(f(1)))\n"),
        ("assert 'a' in f'{type(f(1))}'", "    value_1 = f'{type(f(1))}'\n"),
        ("n = Net()\nassert n + n == 3", "    n = Net()\n    value_1 = n + n == 3\n"),
        ("n = Net()\nassert str(n) == 'a'", "    n = Net()\n    value_1 = str(n)\n"),
        ("n = Net()\nn += 1\nassert n == 2", "    n = Net()\n    n += 1\n    value_1 = n == 2\n"),
        ("with f(1) as h:\n    x = h.read()\nassert x", "    with f(1) as h:\n"),
    ],
)
def test_what_only_the_object_itself_can_do_runs_beside_it(cell: str, inside: str) -> None:
    made = turned(cell, given=PANDAS)
    assert made.finished
    assert inside in made.functions[0]


@pytest.mark.parametrize(
    "cell",
    [
        "assert type(f(1)) == pd.Series",
        "assert isinstance(f(1), (pd.DataFrame, np.ndarray))",
        "df = pd.DataFrame({'a': [1]})\nassert f(df)['a'].sum() == 1",
        "assert type(f(1)) in (int, float)",
        "assert f(1) == math.pi and f(torch.ones(1)).dtype == torch.float32",
        "assert f(1) == 1, f'got {f(1)}'",
        "assert f(1) is None and f(2) is not True",
        "assert type(f(1)) is int",
        "assert type(f(1)) == type(None)",
        "for x in [{}]:\n    y = f(x)\n    want = len(x.copy())\n    assert y == want",
        "for i in range(3):\n    n = [1, 2]\n    m = iter(n)\n    assert next(m) == f(i)",
    ],
)
def test_kinds_of_values_that_cross_are_asked_on_the_judges_side(cell: str) -> None:
    made = turned(cell, given=PANDAS + "import numpy as np")
    assert made.finished
    assert not made.functions


@pytest.mark.parametrize(
    ("cell", "line", "advice"),
    [
        ("x = 1\nfor i in range(3):\n    n = f(i)\n    assert next(n) == 1", 2, "student.run"),
        ("x = 1\nif x:\n    n = Net()\n    assert n + n == 3", 2, "student.run"),
        ("with np.errstate():\n    n = f(1)\n    assert next(n) == 1", 1, "student.run"),
        (
            "n = f(1)\nfor i in [1]:\n    if i:\n        assert next(m) == 1\n    m = n",
            2,
            "student.run",
        ),
        (
            "for i in range(3):\n    layer = nn.Linear(2, i)\n    assert f(layer) == 1",
            1,
            "student.run",
        ),
        (
            "for x in [{}]:\n    old = x.copy()\n    f(x)\n    assert x == old",
            1,
            "student.run",
        ),
        ("assert shown(Net()) == 'a'", 1, "compare its attributes"),
        ("f = 1", 1, "notebook.calls"),
        ("open('a')", 1, "return what it writes"),
        ("eval('f')", 1, "by their names"),
        ("assert isinstance(f(1), pathlib.Path)", 1, "instead"),
        ("assert f(1) == 1\nassert f(2) == helpers.right", 2, "instead"),
        ("assert f(1) == 1\nassert f(2) in (near, f)", 2, "what both return"),
    ],
)
def test_what_can_never_work_is_listed_by_line_with_what_to_write_instead(
    cell: str, line: int, advice: str
) -> None:
    given = "import pathlib\nimport numpy as np\nimport helpers\ndef near(x):\n    return x"
    made = turned(cell, given=PANDAS + given)
    assert not made.finished
    (first, *_) = [r for r in made.remarks if r.kind == "unfinished"]
    assert first.where == f"hw.ipynb, cell 4, line {line}"
    assert "; instead: " in first.what
    assert advice in first.what
    assert "# " in made.text
    assert "instead: " in " ".join(made.text.replace("#", " ").split())
