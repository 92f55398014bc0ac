"""Question 5: maps are judged, by the true region and by random weights."""

import random
from itertools import pairwise

import pytest
import torch
from networks import hook_count, network
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q5")


def apply_and_look_back(function, *args):
    """What a function returns, and what it was given as it is afterwards."""
    return function(*args), list(args)


@pytest.mark.points(2)
def test_share_inside(student, close):
    """share_inside is the share of the map's size that lies in the region, for each picture."""
    hint("Sizes, also of negative numbers; each picture for itself.")
    for n, rows, columns in ((1, 4, 7), (random.randint(3, 6), 6, 5)):
        maps = torch.randn(n, rows, columns, dtype=torch.float64)
        region = torch.rand(n, rows, columns) < 0.3
        pairs = zip(maps, region, strict=True)
        expected = [one[part].abs().sum() / one.abs().sum() for one, part in pairs]
        found, after = student.run(apply_and_look_back, student.share_inside, maps, region)
        close(found, torch.stack(expected))
        assert_close(after, [maps, region])


@pytest.mark.points(1)
@pytest.mark.needs("test_share_inside")
def test_share_inside_of_nothing(student, close):
    """A map that is zero has the share 0; sizes do not matter, however small."""
    hint("0/0 is NaN. And an epsilon in the denominator changes small maps.")
    maps = torch.zeros(3, 4, 5, dtype=torch.float64)
    maps[1] = 1e-20 * torch.randn(4, 5, dtype=torch.float64)
    region = torch.rand(3, 4, 5) < 0.5
    found = student.share_inside(maps, region)
    expected = maps.new_zeros(3)
    expected[1] = (maps[1].abs() * region[1]).sum() / maps[1].abs().sum()
    close(found, expected)


def spearman(a, b):
    """Spearman's correlation of two lists of numbers, pair by pair: ties share their mean rank."""

    def ranks(values):
        values = values.flatten().tolist()
        return torch.tensor(
            [sum(v < w for v in values) + (sum(v == w for v in values) + 1) / 2 for w in values],
            dtype=torch.float64,
        )

    r, q = ranks(a), ranks(b)
    r, q = r - r.mean(), q - q.mean()
    if not r.any() or not q.any():
        return torch.tensor(0.0, dtype=torch.float64)
    return (r @ q) / (r.norm() * q.norm())


@pytest.mark.points(2)
def test_rank_correlation(student, close):
    """rank_correlation compares the orders of two maps' numbers, for each picture."""
    hint("Ranks of each map for itself, with signs as they are; then Pearson's correlation.")
    for n, rows, columns in ((1, 3, 5), (2, 1, 3), (random.randint(3, 5), 5, 4)):
        a, b = (torch.randn(n, rows, columns, dtype=torch.float64) for _ in range(2))
        b = (b + random.choice([-1, 1]) * a).exp()  # far from a linear relation
        found, after = student.run(apply_and_look_back, student.rank_correlation, a, b)
        close(found, torch.stack([spearman(*pair) for pair in zip(a, b, strict=True)]))
        assert_close(after, [a, b])
        close(student.rank_correlation(a, a**3), torch.ones(n, dtype=torch.float64))


@pytest.mark.points(2)
def test_rank_correlation_with_ties(student, close):
    """Equal numbers get the mean of the ranks that they share; a flat map has correlation 0."""
    hint("Many pixels of Grad-CAM are zero: a sort alone gives them different ranks.")
    for n, rows, columns in ((2, 3, 5), (4, 5, 4)):
        a, b = (torch.randint(0, 4, (n, rows, columns)).double() for _ in range(2))
        b = b + a * (torch.rand(n, 1, 1) < 0.5)
        a[0] = 2.5
        b[1] = 0
        found = student.rank_correlation(a, b)
        close(found, torch.stack([spearman(*pair) for pair in zip(a, b, strict=True)]))


def redrawn(randomised, weights, count):
    """Which layers of `network` have other weights in a copy, and what became of the model."""
    model = network(weights)
    modes = [module.training for module in model.modules()]
    other = randomised(model, count)
    again = randomised(model, count)
    changed = []
    for place in ("0", "1.0", "2", "7"):
        layers = [one.get_submodule(place).state_dict() for one in (model, other, again)]
        names = [name for name in layers[0] if name != "num_batches_tracked"]
        one_differs = [not torch.equal(layers[0][name], layers[1][name]) for name in names]
        two_differ = [not torch.equal(layers[1][name], layers[2][name]) for name in names]
        changed.append([sorted(set(one_differs)), sorted(set(two_differ))])
    shared = {p.data_ptr() for p in other.parameters()} & {p.data_ptr() for p in model.parameters()}
    left = [t.detach().clone() for t in network(weights).state_dict().values()]
    kept = all(torch.equal(a, b) for a, b in zip(left, model.state_dict().values(), strict=True))
    kept = kept and all((p.grad == 3).all() for p in model.parameters())
    kept = kept and modes == [m.training for m in model.modules()] and hook_count(model) == 0
    same_modes = modes == [m.training for m in other.modules()]
    sizes = [other.get_submodule(place).weight.abs().max().item() for place in ("2", "7")]
    return changed, kept, len(shared), same_modes, sizes


@pytest.mark.points(3)
def test_randomised(student, draw):
    """randomised draws the last layers anew, by their own way, in a copy; the model stays."""
    hint("Those with reset_parameters, in the order of model.modules(), from the end. A deep copy.")
    weights, _, _ = draw(1, 2, 6, 5)
    weights = [9 * weight if weight.min() < 0 else weight for weight in weights]
    for count in range(5):
        changed, kept, shared, same_modes, sizes = student.run(
            redrawn, student.randomised, weights, count
        )
        # All tensors of a layer differ, or none does.
        assert [differ for differ, _ in changed] == [[k >= 4 - count] for k in range(4)]
        # A normalisation's way of its own is the same each time: ones and zeros.
        assert [anew for _, anew in changed] == [[k >= 4 - count and k != 1] for k in range(4)]
        assert kept
        assert shared == 0
        assert same_modes
        for place, size in zip((6, 8), sizes, strict=True):
            if count >= (2 if place == 6 else 1):
                bound = (weights[place][0].numel()) ** -0.5  # of torch's own way
                assert 0.3 * bound < size <= bound * (1 + 1e-9)


def curve_of(sanity_curve, matrices, shares, x, target):
    """The curve of a method that asks model and target; the matrices and classes of each call."""

    class Layer(torch.nn.Module):
        def __init__(self, matrix):
            super().__init__()
            self.matrix = torch.nn.Parameter(matrix)

        def reset_parameters(self):
            with torch.no_grad():
                self.matrix.add_(torch.randn_like(self.matrix))

        def forward(self, x):
            return torch.tanh(x @ self.matrix)

    model = torch.nn.Sequential(*(Layer(matrix.clone()) for matrix in matrices))
    calls = []

    def method(given, x, target):
        drawn = torch.stack([layer.matrix.detach().clone() for layer in given])
        calls.append((drawn, torch.as_tensor(target).clone()))
        with torch.no_grad():
            return given(x[:, 0]) * shares[target]

    curve = sanity_curve(method, model, x, target)
    kept = all(torch.equal(m.matrix, a) for m, a in zip(model, matrices, strict=True))
    return list(curve), calls, kept


def map_by(matrices, shares, x, target):
    """The sizes of the maps that the method of `curve_of` draws with some matrices."""
    x = x[:, 0]
    for matrix in matrices:
        x = torch.tanh(x @ matrix)
    return (x * shares[target]).abs()


@pytest.mark.points(4)
@pytest.mark.parametrize("layers", [1, 3, 4])
def test_sanity_curve(student, layers):
    """sanity_curve compares sizes of maps for each count of layers, mean over the pictures."""
    hint("From one layer to all; the correlation of absolute values with the trained model's map.")
    for n, rows, columns in ((1, 4, 6), (random.randint(3, 5), 3, 7)):
        matrices = torch.randn(layers, columns, columns, dtype=torch.float64)
        shares = torch.randn(5, rows, columns, dtype=torch.float64)
        x, target = torch.randn(n, 2, rows, columns, dtype=torch.float64), torch.randint(5, (n,))
        args = list(matrices), shares, x, target
        found, calls, kept = student.run(curve_of, student.sanity_curve, *args)
        assert len(found) == layers
        assert all(isinstance(value, float) for value in found)
        assert kept
        # Which layers were drawn anew says which count a call was for.
        before = map_by(matrices, shares, x, target)
        drawn = {}
        for given, asked in calls:
            assert torch.equal(asked, target)
            anew = [not torch.equal(a, b) for a, b in zip(given, matrices, strict=True)]
            drawn[anew.count(True)] = given
            assert anew == sorted(anew)
        assert sorted(drawn) == list(range(layers + 1))
        for count in range(1, layers + 1):
            maps = map_by(drawn[count], shares, x, target)
            expected = [spearman(a, b) for a, b in zip(before, maps, strict=True)]
            assert found[count - 1] == pytest.approx(torch.stack(expected).mean().item(), abs=1e-9)
        hint("Each count has new weights of its own.")
        lasts = [drawn[count][-1] for count in range(1, layers + 1)]
        assert not any(torch.equal(a, b) for a, b in pairwise(lasts))
