"""Each kind of mistake, by what it makes of a line."""

from __future__ import annotations

import pytest

from grader.mutation.mutants import Mutant, mutants_of

FUNCTION = "def f(x, w, b, grad_out, training):\n"


def mutants(*lines: str) -> list[Mutant]:
    source = FUNCTION + "\n".join(f"    {line}" for line in lines)
    return mutants_of(source, range(1, 50))


def changed(kind: str, *lines: str) -> set[str]:
    """What is left of the lines by each mutant of a kind, without the function's own line."""
    return {
        "\n".join(line.removeprefix("    ") for line in mutant.source.splitlines()[1:])
        for mutant in mutants(*lines)
        if mutant.kind == kind
    }


@pytest.mark.parametrize(
    ("kind", "line", "expected"),
    [
        ("axis", "return x.sum(dim=1)", "return x.sum(dim=0)"),
        ("axis", "return x.mean(-1)", "return x.mean(0)"),
        ("axis", "return torch.cat([x, w], 0)", "return torch.cat([x, w], 1)"),
        ("axis", "return x.sum(dim=(0, 2))", "return x.sum(dim=(2,))"),
        ("axis dropped", "return x.sum(dim=1, keepdim=True)", "return x.sum()"),
        ("keepdim", "return x.sum(dim=1, keepdim=True)", "return x.sum(dim=1)"),
        ("mean and sum", "return x.mean()", "return x.sum()"),
        (
            "mean and sum",
            'return F.nll_loss(x, w, reduction="mean")',
            "return F.nll_loss(x, w, reduction='sum')",
        ),
        ("variance", "return x.var(dim=0)", "return x.var(dim=0, unbiased=False)"),
        ("variance", "return x.var(dim=0, unbiased=False)", "return x.var(dim=0)"),
        ("square root", "return x / math.sqrt(d)", "return x / d"),
        ("dropped operand", "return x / math.sqrt(d)", "return x"),
        ("dropped operand", "return x @ w + b", "return x @ w"),
        ("transposed", "return x.T @ w", "return x @ w"),
        ("transposed", "return x @ w", "return w @ x"),
        (
            "transposed",
            'return torch.einsum("nij,fij->nf", x, w)',
            "return torch.einsum('nij,fji->nf', x, w)",
        ),
        ("all pairs", "return p[torch.arange(n), y].mean()", "return p[:, y].mean()"),
        ("permuted", "return x.permute(0, 2, 1)", "return x.permute(2, 0, 1)"),
        ("reshaped", "return x.view(n, d)", "return x.view(d, n)"),
        ("upstream gradient", "return grad_out * x", "return torch.ones_like(grad_out) * x"),
        ("accumulated", "total += x", "total = x"),
        ("accumulated", "total -= x", "total = -(x)"),
        ("accumulated", "p.grad = x", "p.grad += x"),
        ("detach", "return x.detach()", "return x"),
        ("detach", "return model.forward(x)", "return model.forward(x).detach()"),
        ("mask", "return torch.where(m, x, w)", "return torch.where(m, w, x)"),
        ("mask", "return x.masked_fill(m, 0)", "return x.masked_fill(~m, 0)"),
        ("shift", "return x[1:]", "return x[2:]"),
        ("shift", "return x[:n]", "return x[:n + 1]"),
        ("shift", "return [g(i) for i in range(n)]", "return [g(i) for i in range(n - 1)]"),
        ("shift", "return [g(i) for i in range(n)]", "return [g(i) for i in range(1, n)]"),
        ("mode", "model.train()", "model.eval()"),
        ("mode", "return g(x) if training else x", "return g(x) if not training else x"),
        ("epsilon", "return torch.sqrt(v + eps)", "return torch.sqrt(v) + eps"),
        ("epsilon", "return x / (v.sqrt() + 1e-8)", "return x / ((v + 1e-08).sqrt())"),
        ("epsilon", "return torch.rsqrt(v + eps)", "return 1 / (1 / torch.rsqrt(v) + eps)"),
        ("epsilon", "return (v + eps) ** 0.5", "return v ** 0.5 + eps"),
        ("epsilon", "return (v + eps) ** -0.5", "return 1 / (v ** 0.5 + eps)"),
        ("logarithm", "return torch.log(x)", "return torch.log2(x)"),
        ("in place", "return x * 2", "return x.mul_(2)"),
        ("in place", "y = x.clone()", "y = x"),
        ("dtype", "return x.float()", "return x"),
        ("dtype", "return torch.zeros(3, dtype=x.dtype)", "return torch.zeros(3)"),
        ("zero initialisation", "return torch.randn(3)", "return torch.zeros(3)"),
        ("activation dropped", "return F.relu(x)", "return x"),
        ("call dropped", "return x.clamp(min=0)", "return x"),
        ("arithmetic", "return x + w", "return x - w"),
        ("arithmetic", "return (x + w) * b", "return (x - w) * b"),
        ("boundary", "return g() if n < 3 else x", "return g() if n <= 3 else x"),
        ("comparison", "return n == 3", "return n != 3"),
        ("constant", "return g(0.5)", "return g(1.0)"),
        ("constant", "return g(bias=True)", "return g(bias=False)"),
        ("negated condition", "return x if done else w", "return x if not done else w"),
        ("sign", "return -x", "return x"),
        ("sign", "return x * w", "return -(x * w)"),
        ("dropped statement", "optimiser.zero_grad()", "pass"),
        ("dropped statement", "x = x - 1", "pass"),
        ("dropped statement", "self.h[0] = x", "pass"),
        ("swapped arguments", "return g(x, w)", "return g(w, x)"),
        ("swapped arguments", "return torch.transpose(x, 1, 2)", "return torch.transpose(1, x, 2)"),
        ("swapped results", "return x, w, b", "return w, x, b"),
    ],
)
def test_a_mistake_of_each_kind(kind: str, line: str, expected: str) -> None:
    assert expected in changed(kind, line)


def test_no_grad_is_left_out_and_what_it_holds_is_kept() -> None:
    found = changed("no_grad", "with torch.no_grad():", "    w -= x")
    assert found == {"if True:\n    w -= x"}


def test_a_function_that_draws_is_seeded_before_its_first_line() -> None:
    assert changed("fixed seed", '"""Draw."""', "return torch.randn(3)") == {
        '"""Draw."""\ntorch.manual_seed(0)\nreturn torch.randn(3)'
    }


@pytest.mark.parametrize(
    "line",
    [
        'raise ValueError("x must be " + str(3))',
        'return "a" + name',
        'y: "Tensor | None" = None',
    ],
)
def test_texts_hints_and_errors_are_nobodys_mistake(line: str) -> None:
    kinds = {mutant.kind for mutant in mutants(line)}
    assert not kinds & {"arithmetic", "constant", "sign"}


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        ("swapped arguments", "return max(x, 1.5)"),
        ("swapped arguments", "return torch.maximum(x, w)"),
        ("swapped arguments", "return x.transpose(1, 2)"),
        ("detach", "return model(x).argmax(dim=1)"),
        ("constant", "return zip(x, w, strict=True)"),
    ],
)
def test_what_changes_nothing_is_no_mistake(kind: str, line: str) -> None:
    assert kind not in {mutant.kind for mutant in mutants(line)}


def test_rows_are_known_by_what_was_given_to_their_name() -> None:
    rows = "rows = torch.arange(len(y))"
    assert changed("all pairs", rows, "p[rows, y] -= 1") == {f"{rows}\np[:, y] -= 1"}
    assert not changed("all pairs", "rows = b", "p[rows, y] -= 1")


def test_a_setting_outside_of_functions_is_the_students_to_choose() -> None:
    assert mutants_of("weights = train(epochs=30, lr=0.05)", [1]) == []


@pytest.mark.parametrize(
    ("line", "other"),
    [
        ("q1 = 4", "q1 = 5"),
        ("q1 = 0.5", "q1 = 1.5"),
        ("q1 = True", "q1 = False"),
        ('q1 = "b"', "q1 = 'a'"),
        ('q1 = "a"', "q1 = 'b'"),
        ("q1 = [5, -1]", "q1 = [-1, 5]"),
    ],
)
def test_an_answer_is_another_one(line: str, other: str) -> None:
    assert [m.source for m in mutants_of(line, [1]) if m.kind == "answer"] == [other]


@pytest.mark.parametrize(
    "cell",
    [
        "units = 2000\nw = torch.randn(units)",
        "q1 = None",
        'q1 = "a long text"',
        "q1 = [1, 1]",
        "q1 = x.shape",
        "def f():\n    y = 3",
    ],
)
def test_a_setting_is_no_answer(cell: str) -> None:
    assert not [m for m in mutants_of(cell, [1, 2]) if m.kind == "answer"]


def test_a_name_of_the_mistake_says_no_value() -> None:
    found = mutants("y = x.sum(1) / 7 + 0.25", "return torch.where(x > 3, y[2:], -y) * 4.5")
    assert found
    assert not any(char.isdigit() for mutant in found for char in mutant.mistake)
