"""Comparisons that an empty, repeated or meaningless value would pass, and honest ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from grader.suite.account import Account, pretender
from grader.suite.idioms import careless_lines
from grader.suite.results import TestOutcome, TestResult
from tests.suite.workbench import Workbench

RIGHT = "def f(x): return torch.softmax(x, -1)"
SOLUTION = f"import torch\n{RIGHT}\n"
EMPTY = "def f(x): return torch.empty(0, 4, 6)"
NAN = "def f(x): return x * float('nan')"
ARRAY = "def f(x): return torch.softmax(x, -1).numpy()"
EMPTY_ARRAY = "def f(x): return np.empty((0, 4, 6), dtype=np.float32)"
NAN_ARRAY = "def f(x): return x.numpy() * np.nan"

TENSORS = [
    "torch.allclose(out, expected)",
    "torch.allclose(expected, out)",
    "out.allclose(expected)",
    "torch.isclose(out, expected).all()",
    "not ((out - expected).abs() > 1e-4).any()",
    "not ((expected - out).abs() >= 1e-4).any()",
    "((out - expected).abs() < 1e-4).all()",
    "(out - expected).abs().sum() < 1e-4",
    "torch.norm(out - expected) < 1e-4",
    "torch.nn.functional.mse_loss(out, expected) < 1e-6",
    "torch.allclose(out.detach().double(), expected.double())",
    "not (out.round(decimals=2) != expected.round(decimals=2)).any()",
    "(out - expected).sum().item() < 1e-4",
    "torch.allclose(torch.as_tensor(out), expected)",
    "np.allclose(out.numpy(), expected.numpy(), atol=1e-5)",
    "np.linalg.norm(out.numpy() - expected.numpy()) < 1e-4",
]
ARRAYS = [
    "np.allclose(out, expected.numpy(), atol=1e-5)",
    "np.isclose(out, expected.numpy(), atol=1e-5).all()",
    "(np.abs(out - expected.numpy()) < 1e-4).all()",
    "not (np.abs(out - expected.numpy()) > 1e-4).any()",
    "np.sum((out - expected.numpy()) ** 2) < 1e-4",
    "((out.reshape(-1) - expected.numpy().reshape(-1)) ** 2 < 1e-4).all()",
    "torch.allclose(torch.from_numpy(out), expected)",
]


def suite(
    bench: Workbench, condition: str, expected: str = "reference.f(x)", head: str = ""
) -> None:
    bench.solution(SOLUTION)
    bench.suite(
        f"""
        import numpy as np
        {head}
        @pytest.mark.points(1)
        def test_f(student, reference):
            x = torch.randn(4, 6)
            out, expected = student.f(x), {expected}
            assert {condition}
        """
    )


@pytest.mark.parametrize("condition", TENSORS)
def test_a_tensor_passes_only_with_the_right_values(bench: Workbench, condition: str) -> None:
    suite(bench, condition)
    assert bench.judge_one(RIGHT).outcome is TestOutcome.PASSED
    for wrong in (EMPTY, NAN):
        if "sum().item()" in condition and wrong is NAN:
            continue
        assert bench.judge_one(wrong).points == 0, wrong


@pytest.mark.parametrize("condition", ARRAYS)
def test_an_array_passes_only_with_the_right_values(bench: Workbench, condition: str) -> None:
    suite(bench, condition)
    assert bench.judge_one(ARRAY).outcome is TestOutcome.PASSED
    for wrong in (EMPTY_ARRAY, NAN_ARRAY):
        assert bench.judge_one(wrong).points == 0, wrong


@pytest.mark.parametrize("empty", [EMPTY, EMPTY_ARRAY])
@pytest.mark.parametrize(
    "condition",
    [
        "(out == float('inf')).all()",
        "not (out != -math.inf).any()",
        "(out < math.inf).all()",
        "(out != math.inf).sum() == 0",
        "len((out == math.inf).nonzero()[0]) == 0",
    ],
)
def test_of_nothing_not_everything_is_infinite(
    bench: Workbench, condition: str, empty: str
) -> None:
    suite(bench, condition, head="import math")
    assert bench.judge_one(empty).points == 0


@pytest.mark.parametrize(
    "condition",
    [
        "torch.allclose(out, expected)",
        "(out == expected).all()",
        "torch.nn.functional.mse_loss(out, expected) == 0",
        "(out - expected).abs().max() < 1e-6",
        "torch.linalg.norm(out - expected) < 1e-6",
        "torch.linalg.vector_norm(out - expected) < 1e-6",
        "not (expected - out).square().mean().item() > 1e-6",
    ],
)
@pytest.mark.parametrize("shape", ["1", "1, 6", "4, 1", ""])
def test_a_value_is_not_repeated_to_fit(bench: Workbench, condition: str, shape: str) -> None:
    suite(bench, condition, "torch.ones(4, 6)")
    result = bench.judge_one(f"def f(x): return torch.ones({shape or '()'})")
    assert (result.outcome, result.points) == (TestOutcome.STUDENT_ERROR, 0)
    assert "would have to be repeated" in result.message
    assert bench.judge_one("def f(x): return torch.ones(4, 6)").points == 1


@pytest.mark.parametrize(
    ("value", "condition"),
    [
        ("torch.tensor([0, 2, 1])", "(out[:, None] == torch.arange(3)).sum() == 3"),
        ("torch.ones(6)", "(x - out).shape == (4, 6)"),
        ("torch.ones(6)", "(out * x + out).sum().isfinite()"),
        ("torch.tensor(3.0)", "out == 3"),
        ("torch.tensor(3.0)", "abs(out.item() - 3) < 1e-6"),
        ("torch.tensor([3.0])", "torch.allclose(out, torch.tensor(3.0))"),
        ("torch.ones(4, 6)", "torch.allclose(out, torch.tensor(1.0))"),
        ("torch.ones(4, 6)", "(out == 1).all() and (out > 0).all() and out.sum() == 24"),
        ("torch.empty(0, 6)", "torch.allclose(out, torch.empty(0, 6)) and len(out) == 0"),
        ("torch.empty(0, 6)", "out.shape == (0, 6) and out.tolist() == []"),
        ("torch.empty(0, 6)", "assert_close(out, torch.empty(0, 6)) is None"),
        ("torch.empty(0, 6)", "assert_close(torch.empty(0, 6), out) is None"),
        ("torch.empty(0, 6)", "(out == torch.empty(0, 6)).all()"),
        ("np.empty((0, 6))", "(out == np.empty((0, 6))).all()"),
        ("np.empty((0, 6))", "np.testing.assert_allclose(out, np.empty((0, 6))) is None"),
        ("torch.tensor([1.0, float('nan')])", "out.isnan().tolist() == [False, True]"),
        ("torch.arange(5.0)", "(out[out > 9] == 7).all()"),
        ("np.arange(5.0)", "(out[out > 9] == 7).all() and isinstance(out, np.ndarray)"),
        ("np.arange(3.0)", "out == pytest.approx([0, 1, 2])"),
        ("torch.arange(3.0)", "out.tolist() == pytest.approx([0, 1, 2])"),
        ("torch.arange(3.0)", "out.numpy() == pytest.approx(np.arange(3.0))"),
        ("np.arange(3.0)", "np.testing.assert_allclose(out, np.arange(3.0)) is None"),
        ("torch.arange(3.0)", "np.testing.assert_allclose(out, np.arange(3.0)) is None"),
        ("torch.arange(3.0)", "assert_close(out, torch.arange(3.0)) is None"),
        ("torch.arange(3.0)", "student.double(out).tolist() == [0, 2, 4]"),
        ("np.arange(3.0)", "student.double(out).tolist() == [0, 2, 4]"),
        ("[torch.ones(2), {'a': np.ones(2)}]", "out[1]['a'].sum() == 2 == out[0].sum()"),
        ("torch.ones(2)", "type(out) is torch.Tensor"),
    ],
)
def test_what_is_honest_is_left_alone(bench: Workbench, value: str, condition: str) -> None:
    suite(bench, condition, "None")
    result = bench.judge_one(f"def f(x): return {value}\ndef double(x): return 2 * x")
    assert result.outcome is TestOutcome.PASSED, result.details


@pytest.mark.parametrize(
    "condition",
    ["torch.isclose(out, student.f(x)).all()", "assert_close(out, 2 * student.f(x)) is None"],
)
def test_two_empty_values_of_the_box_agree_on_nothing(bench: Workbench, condition: str) -> None:
    suite(bench, condition)
    assert bench.judge_one(EMPTY).points == 0


@pytest.mark.parametrize(
    "condition",
    [
        "out == pytest.approx(expected)",
        "assert_close(out, expected) is None",
        "np.testing.assert_allclose(out, expected) is None",
        "torch.equal(out, expected)",
    ],
)
def test_what_is_strict_already_stays_so(bench: Workbench, condition: str) -> None:
    suite(bench, condition)
    for wrong in (EMPTY, NAN, "def f(x): return x"):
        assert bench.judge_one(wrong).points == 0


TABLE = """
import pandas as pd
def f(x): return pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 4.0]})
"""
EMPTY_TABLE = """
import pandas as pd
def f(x): return pd.DataFrame({"a": pd.Series([], dtype=float), "b": pd.Series([], dtype=float)})
"""


@pytest.mark.parametrize(
    "condition",
    [
        "(out.a > 0).all()",
        "(out > 0).all().all()",
        "np.all(out['a'] > 0)",
        "not (out.a <= 0).any()",
        "out.a.isna().sum() == 0",
        "out.a.is_unique",
        "out.a.is_monotonic_increasing",
        "out.a.between(0, 9).all()",
        "(out.a - expected.a).abs().sum() < 1e-6",
        "(expected.a - out.a).abs().sum() < 1e-6",
        "expected.a.sub(out.a).abs().sum() < 1e-6",
        "not (expected - out).abs().to_numpy().max() > 1e-6 and (expected - out).sum().sum() == 0",
        "not (out.a.mean() < 0)",
    ],
)
def test_an_empty_table_holds_for_nothing(bench: Workbench, condition: str) -> None:
    pytest.importorskip("pandas")
    suite(bench, condition)
    bench.solution(f"import torch{TABLE}")
    assert bench.judge_one(TABLE).outcome is TestOutcome.PASSED
    accounts: list[Account] = []
    result = bench.judge_one(EMPTY_TABLE, on_result=lambda _, account: accounts.append(account))
    assert result.points == 0
    assert result.message == (
        "Your code gave an empty table; one was expected that holds something."
    )
    assert accounts[0].doubtful


@pytest.mark.parametrize(
    "condition",
    [
        "not (np.abs(out.values - expected.values) > 1e-6).any()",
        "not (np.abs(out.a.to_numpy() - expected.a.to_numpy()) > 1e-6).any()",
        "np.allclose(out.a.values, expected.a.values)",
        "np.abs((out - expected).values).max() < 1e-6",
        "not (torch.as_tensor(out.a.values) - 1).abs().max() > 9",
    ],
)
def test_the_array_of_a_table_is_one_of_the_box(bench: Workbench, condition: str) -> None:
    pytest.importorskip("pandas")
    suite(bench, condition)
    bench.solution(f"import torch{TABLE}")
    assert bench.judge_one(TABLE).outcome is TestOutcome.PASSED
    for wrong in ("[float('nan')] * 2", "pd.Series([], dtype=float)", "[9.0e9] * 2"):
        given = TABLE.replace("[1.0, 2.0]", wrong).replace("[3.0, 4.0]", wrong)
        assert bench.judge_one(given).points == 0, wrong


@pytest.mark.parametrize(
    "condition",
    [
        "pd.DataFrame(out.values, columns=['a', 'b']).equals(expected)",
        "out.values.tolist() == [[1.0, 3.0], [2.0, 4.0]]",
        "pd.testing.assert_frame_equal(out, expected) is None",
        "pd.concat([out, out]).sum().sum() == 20",
        "out.merge(expected).shape == (2, 2) and out.sort_values('b').a.iloc[0] == 1",
        "out.groupby('a').b.sum().tolist() == [3, 4] and out.describe().shape == (8, 2)",
        "student.f(x).values.sum() == 10 and student.g(out) == 10",
    ],
)
def test_a_table_of_the_box_is_one_as_any_other(bench: Workbench, condition: str) -> None:
    pytest.importorskip("pandas")
    suite(bench, condition, head="import pandas as pd")
    both = f"{TABLE}def g(t): return float(t.sum().sum())\n"
    bench.solution(f"import torch{both}")
    result = bench.judge_one(both)
    assert result.outcome is TestOutcome.PASSED, result.details


@pytest.mark.parametrize(
    "condition",
    [
        "(out.a == expected.a).all()",
        "out.a.eq(expected.a).all()",
        "(out.a - expected.a).abs().sum() == 0",
        "(expected - out).abs().sum().sum() == 0",
        "out.equals(expected)",
        "pd.testing.assert_frame_equal(out, expected) is None",
        "pd.testing.assert_series_equal(expected.a, out.a) is None",
        "len(out) == 0 and out.empty and list(out.columns) == ['a', 'b']",
    ],
)
def test_a_table_that_is_rightly_empty_passes(bench: Workbench, condition: str) -> None:
    pytest.importorskip("pandas")
    suite(bench, condition, head="import pandas as pd")
    bench.solution(f"import torch{EMPTY_TABLE}")
    assert bench.judge_one(EMPTY_TABLE).outcome is TestOutcome.PASSED


def test_what_is_refused_is_left_to_the_reference(bench: Workbench) -> None:
    suite(bench, "torch.allclose(out, expected)")
    accounts: list[Account] = []
    result = bench.judge_one(EMPTY, on_result=lambda _, account: accounts.append(account))
    assert result.message == (
        "Your code gave an empty value, of shape (0, 4, 6); one was expected that holds something."
    )
    assert accounts[0].doubtful


def test_only_values_of_the_box_are_looked_at(bench: Workbench) -> None:
    bench.suite(
        """
        def test_f(student):
            ours = torch.empty(0, 4, 6)
            assert torch.allclose(ours, torch.ones(4, 6))
            assert not (torch.tensor(float("nan")) > 1)
        """
    )
    assert bench.judge_one("").outcome is TestOutcome.PASSED


LIAR = """
class Liar:
    shape = (4, 6)
    def allclose(self, *others): return True
    def sub(self, other): return self
    def flatten(self): return []
def f(x): return Liar()
"""


@pytest.mark.parametrize(
    "condition", ["out.allclose(expected)", "out.flatten() == []", "out.shape == (4, 6)"]
)
def test_the_word_of_an_object_is_left_to_the_reference(bench: Workbench, condition: str) -> None:
    suite(bench, condition)
    accounts: list[Account] = []
    bench.judge_one(LIAR, on_result=lambda _, account: accounts.append(account))
    assert accounts[0].trusting


HOLDS_ALL = """
class Words:
    def __contains__(self, word): return True
    def __iter__(self): return iter(["a", "b"])
    def __len__(self): return 3
def f(x): return Words()
"""


@pytest.mark.parametrize(
    ("mine", "points"),
    [
        (HOLDS_ALL, 0),
        (HOLDS_ALL.replace('["a", "b"]', '["a", "right"]'), 1),
        (HOLDS_ALL.replace("def __iter__", "def other"), 0),
        ("def f(x): return {'right': 1, 'a': 2, 'b': 3}.keys()", 1),
        ("import collections\ndef f(x): return collections.deque(['a', 'right', 'b'])", 1),
        ("def f(x): return ['a', 'b', 'right']", 1),
    ],
)
def test_an_object_holds_what_it_gives_and_not_what_it_says(
    bench: Workbench, mine: str, points: int
) -> None:
    bench.suite(_suite_of("'right' in out and len(out) == 3"))
    ((given, account),) = accounts_of(bench, mine).values()
    right = "def f(x): return ['right', 'a', 'b']"
    ((_, expected),) = accounts_of(bench, right).values()
    assert given == 1
    found = pretender(account, expected, complete=True)
    assert found == (None if points else ("f(…)", "an object of the class Words", "a list"))
    ((_, own),) = accounts_of(bench, mine).values()
    assert pretender(account, own, complete=True) is None


def test_a_model_is_no_object_of_which_a_value_is_expected(bench: Workbench) -> None:
    suite(bench, "out.training and len(out.state_dict()) == 2", "None")
    accounts: list[Account] = []
    result = bench.judge_one(
        "def f(x): return torch.nn.Linear(1, 1)",
        on_result=lambda _, account: accounts.append(account),
    )
    assert result.outcome is TestOutcome.PASSED and not accounts[0].trusting


def test_lines_that_nothing_can_look_at_are_named_before_release(tmp_path: Path) -> None:
    (tmp_path / "test_q1.py").write_text(
        "def test_a(student, reference):\n"
        "    for a, b in zip(student.f(1), reference.f(1)):\n"
        "        assert a == b\n"
        "    error = student.f(2) - 1\n"
        "    assert max(0.0, min(1.0, 1 - error)) > 0.9\n"
        "def test_b(student, reference):\n"
        "    for a, b in zip(student.f(1), [1, 2], strict=True):\n"
        "        assert a == b\n"
        "    error = student.f(2) - 1\n"
        "    assert math.isfinite(error)\n"
        "    assert min(1.0, error) > 0.9 and max([error]) and len(zip([1], [2]))\n"
        "def helper(a, b):\n"
        "    return zip(a, b)\n"
    )
    found = careless_lines(tmp_path)
    assert [line.partition(": ")[0] for line in found] == ["test_q1.py:2", "test_q1.py:5"]
    assert "write zip(…, strict=True)" in found[0]
    assert "math.isfinite" in found[1]


def lines(tmp_path: Path, *body: str) -> list[str]:
    """What is said of each line of a test, the first being 2."""
    text = "\n".join(["def test_a(student, reference, expected):", *(f"    {b}" for b in body)])
    (tmp_path / "test_q1.py").write_text(text + "\n")
    return careless_lines(tmp_path)


@pytest.mark.parametrize(
    "line",
    [
        "assert not abs(student.f(1) - expected) > 1e-6",
        "assert not (1e-6 < abs(student.f(1) - expected))",
        "error = student.f(1) - 1\n    if error > 0.1: pytest.fail('no')",
        "error = student.f(1) - 1\n    if error >= 0.1:\n        raise AssertionError",
        "error = student.f(1) - 1\n    if error >= 0.1: assert False",
    ],
)
def test_an_order_that_is_only_denied_is_named(tmp_path: Path, line: str) -> None:
    (found,) = lines(tmp_path, line)
    assert "a NaN result passes" in found and "math.isfinite" in found
    assert lines(tmp_path, f"assert math.isfinite(student.f(1))\n    {line}") == []


@pytest.mark.parametrize(
    "line",
    [
        "assert abs(student.f(1) - expected) <= 1e-6",
        "assert not len(student.f(1)) > 3",
        "assert not student.f(1).shape[0] > 3",
        "assert not expected > 3 or student.f(1) == 2",
        "assert not student.f(1) == 3",
        "if student.f(1) > 3: hint('large')",
    ],
)
def test_an_order_that_must_hold_is_left_alone(tmp_path: Path, line: str) -> None:
    assert lines(tmp_path, line) == []


@pytest.mark.parametrize(
    "line",
    [
        "assert all(v > 0 for v in student.f(1))",
        "out = student.f(1)\n    assert all(out)",
        "out = student.f(1).tolist()\n    assert not any(v < 0 for i, v in enumerate(out))",
        "out = [2 * v for v in student.f(1)]\n    assert all(v > 0 for v in out)",
        "out = student.f(1)\n    for v in out:\n        assert v > 0",
        "model = student.Net()\n    for p in model.parameters(): assert_close(p.grad, expected)",
    ],
)
def test_what_is_looked_at_as_often_as_the_student_says_is_named(tmp_path: Path, line: str) -> None:
    (found,) = lines(tmp_path, line)
    assert "an empty result passes, because nothing is compared" in found


@pytest.mark.parametrize(
    "line",
    [
        "out = student.f(1)\n    assert len(out) == 3 and all(v > 0 for v in out)",
        "out = student.f(1)\n    assert out.shape == (3,)\n    for v in out: assert v > 0",
        "out = student.f(1)\n    assert all(v > 0 for v in out) and out[-1] < 3",
        "assert all(v > w for v, w in zip(student.f(1), expected, strict=True))",
        "out = [student.f(i) for i in (1, 2)]\n    assert all(v > 0 for v in out)",
        "for x in expected:\n        assert student.f(x) > 0",
        "found = student.f(1)\n    for k, v in expected.items(): assert found[k] == v",
        "for a, b in zip(student.f(1), [expected], strict=True):\n"
        "        for name in b: assert a[name] == b[name]",
        "for v in student.f(1): print(v)",
    ],
)
def test_what_is_looked_at_as_often_as_the_suite_says_is_left_alone(
    tmp_path: Path, line: str
) -> None:
    assert lines(tmp_path, line) == []


def test_no_shipped_suite_has_such_a_line() -> None:
    root = Path(__file__).resolve().parents[2] / "assignments"
    suites = sorted(root.glob("*/hidden"))
    assert suites
    assert [line for suite in suites for line in careless_lines(suite)] == []


RANKS = "def f(x): return x.argsort(-1)"


@pytest.mark.parametrize(
    ("condition", "more"),
    [
        ("((out - expected).abs() <= 1).all()", "-(2**63)"),
        ("(expected - out).abs().max() <= 1", "-(2**63)"),
        ("(out - expected).abs().sum() <= 1", "2**62"),
        ("((out - expected) ** 2).sum() <= 1", "2**32"),
        ("((out - expected) ** 2).sum() <= 1", "2**31"),
        ("(np.abs(out.numpy() - expected.numpy()) <= 1).all()", "-(2**63)"),
        ("((expected.numpy() - out.numpy()) ** 2).max() <= 1", "2**32"),
        ("abs(out[0, 0] - int(expected[0, 0])) <= 1", "-(2**63)"),
    ],
)
def test_no_integer_is_near_by_coming_round(bench: Workbench, condition: str, more: str) -> None:
    bench.solution(f"import torch\n{RANKS}\n")
    bench.suite(
        f"""
        import numpy as np
        @pytest.mark.points(1)
        def test_f(student, reference):
            x = torch.randn(4, 6)
            out, expected = student.f(x), reference.f(x)
            assert {condition}
        """
    )
    assert bench.judge_one(RANKS).outcome is TestOutcome.PASSED
    near = bench.judge_one(f"{RANKS}.clamp(min=1)").outcome is TestOutcome.PASSED
    assert near == ("sum" not in condition)
    assert bench.judge_one(f"{RANKS} + ({more})").points == 0


MEAN = "def f(x): return x.mean().item()"
OF_NUMPY = [
    "np.allclose(out, expected)",
    "np.isclose(out, expected).all()",
    "np.testing.assert_allclose(out, expected) is None",
    "np.allclose(np.asarray(out), expected)",
    "abs(np.array(out) - expected).sum() < 1e-6",
    "np.array_equiv(out, expected)",
    "torch.allclose(torch.as_tensor(out).double(), torch.tensor(expected).double())",
]


@pytest.mark.parametrize(
    "nothing",
    [
        *("[]", "()", "[[], []]", "range(0)", "torch.Size([])", "[np.zeros(0)]"),
        *("pd.Series([], dtype=float)", "pd.DataFrame()", "pd.Index([], dtype=float)"),
    ],
)
def test_a_list_of_nothing_is_no_number(bench: Workbench, nothing: str) -> None:
    pytest.importorskip("pandas")
    bench.solution(f"import torch\n{MEAN}\n")
    bench.suite(_suite_of(*OF_NUMPY))
    wrong = accounts_of(bench, f"import pandas as pd\ndef f(x): return {nothing}")
    right = accounts_of(bench, MEAN)
    assert any(points for points, _ in wrong.values()), "it passes, which is why one must ask"
    for name, (points, account) in wrong.items():
        if not points:
            continue
        assert account.trusting
        found = pretender(account, right[name][1], complete=True)
        assert found == ("f(…)", "no numbers at all", "a number")


@pytest.mark.parametrize(
    "turned", ["1e6j", "np.complex128(1e6j)", "np.full(3, 1e6j)", "torch.full((3,), 1e6j)"]
)
def test_the_square_of_an_error_is_no_negative_number(bench: Workbench, turned: str) -> None:
    conditions = [
        "np.mean((np.asarray(out) - expected) ** 2) < 1e-6",
        "float(np.square(np.array(out) - expected).mean()) < 1e-6",
    ]
    bench.solution(f"import torch\n{MEAN}\n")
    bench.suite(_suite_of(*conditions))
    right = accounts_of(bench, MEAN)
    for name, (points, account) in accounts_of(bench, f"def f(x): return {turned}").items():
        assert points == 0 or account.trusting
        assert pretender(account, right[name][1], complete=True) == (
            *("f(…)", "complex numbers", "a number"),
        )


@pytest.mark.parametrize(
    ("mine", "reference"),
    [
        ("np.fft.ifft(np.fft.fft(x.numpy()))", "x.numpy()"),
        ("torch.fft.ifft(torch.fft.fft(x))", "x"),
        ("complex(x.mean().item(), 1e-17)", "x.mean().item()"),
        ("np.fft.fft(x.numpy())", "np.fft.fft(x.numpy())"),
        ("[]", "[1, 2]"),
        ("(x, [])", "(x, [1])"),
        ("[]", "()"),
        ("[[1.0], []]", "x"),
        ("{'history': []}", "{'history': [1.0]}"),
    ],
)
def test_an_honest_list_or_complex_number_stays_what_it_is(
    bench: Workbench, mine: str, reference: str
) -> None:
    bench.solution(f"import numpy as np\nimport torch\ndef f(x): return {reference}\n")
    bench.suite(_suite_of("student is not None"))
    ((points, account),) = accounts_of(bench, f"def f(x): return {mine}").values()
    ((_, expected),) = accounts_of(bench, f"def f(x): return {reference}").values()
    assert points == 1
    assert pretender(account, expected, complete=True) is None


def test_an_empty_array_is_no_number_whatever_it_is_made_into(bench: Workbench) -> None:
    bench.suite(_suite_of("torch.allclose(torch.FloatTensor(out), torch.tensor([0.5]))"))
    ((points, account),) = accounts_of(bench, "def f(x): return np.zeros(0)").values()
    ((_, expected),) = accounts_of(bench, "def f(x): return 0.5").values()
    assert points == 1 and account.trusting
    found = pretender(account, expected, complete=True)
    assert found == ("f(…)", "an empty array", "a number")


def test_what_is_missing_is_not_near_by_being_passed_over(bench: Workbench) -> None:
    pytest.importorskip("pandas")
    made = "import pandas as pd\ndef f(x): return pd.Series([{}] * 3, dtype={})"
    bench.suite(_suite_of("(abs(out - expected) < 1e-6).all()"))
    ((points, account),) = accounts_of(bench, made.format("None", "'Float64'")).values()
    ((_, right),) = accounts_of(bench, made.format("0.5", "float")).values()
    ((_, misses),) = accounts_of(bench, made.format("None", "'Float64'")).values()
    assert points == 1 and account.trusting
    assert pretender(account, right, complete=True) == ("f(…)", "missing values", "a Series")
    assert pretender(account, misses, complete=True) is None


@pytest.mark.parametrize("part", ["[0]", "['loss']"])
def test_what_lies_in_a_tuple_or_a_dict_is_looked_at_too(bench: Workbench, part: str) -> None:
    made = "({}, 1)" if part == "[0]" else "{{'loss': {}}}"
    right, wrong = made.format("x.mean()"), made.format("[]")
    bench.suite(_suite_of(f"np.allclose(out{part}, 0.5)"))
    ((points, account),) = accounts_of(bench, f"def f(x): return {wrong}").values()
    ((_, expected),) = accounts_of(bench, f"def f(x): return {right}").values()
    assert points == 1 and account.trusting
    assert pretender(account, expected, complete=True) == (
        *(f"f(…){part}", "no numbers at all", "a tensor"),
    )


@pytest.mark.parametrize(
    "condition",
    [
        "out == pytest.approx(0.5)",
        "0.5 == pytest.approx(out)",
        "pytest.approx(0.5) == out",
        "[out] == pytest.approx([0.5])",
        "np.allclose(np.array(out), 0.5)",
        "np.allclose(np.asarray(out), 0.5)",
        "np.allclose(np.array([out]), 0.5)",
        "np.array_equiv(out, 0.5)",
    ],
)
@pytest.mark.parametrize("empty", ["np.zeros(0)", "np.zeros((3, 0))", "np.zeros(0, dtype='U3')"])
def test_an_empty_array_stays_one_whatever_it_is_made_into(
    bench: Workbench, condition: str, empty: str
) -> None:
    suite(bench, condition, "None")
    assert bench.judge_one(f"def f(x): return {empty}").points == 0
    assert bench.judge_one("def f(x): return np.full((), 0.5)").points == 1


def test_an_integer_that_no_float_holds_costs_its_own_test(bench: Workbench) -> None:
    suite(bench, "assert_close(out, 0.5) is None")
    assert bench.judge_one("def f(x): return 10 ** 400").points == 0


def _suite_of(*conditions: str) -> str:
    tests = "\n".join(
        f"@pytest.mark.points(1)\n"
        f"def test_{n}(student):\n"
        f"    x = torch.ones(4, 6) / 2\n"
        f"    out, expected = student.f(x), 0.5\n"
        f"    assert {condition}\n"
        for n, condition in enumerate(conditions)
    )
    return f"import numpy as np\n{tests}"


def accounts_of(bench: Workbench, source: str) -> dict[str, tuple[float, Account]]:
    """The points and the account of each test."""
    found: dict[str, tuple[float, Account]] = {}

    def keep(result: TestResult, account: Account) -> None:
        found[result.name] = (float(result.points), account)

    bench.judge(f"import numpy as np\n{source}", on_result=keep)
    return found
