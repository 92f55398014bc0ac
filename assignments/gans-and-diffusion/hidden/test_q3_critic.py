"""Question 3: a critic with a slope of one.

The judge takes the weights of the generator alone, and draws from it with noise of its own. The
bounds are explained in the reference's note for instructors.
"""

import math
import random

import pytest
import torch

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q3")

COVERED = bands((0.45, 0), (0.75, 1))


def normal(*shape):
    return torch.randn(shape, dtype=torch.float64)


@pytest.mark.points(2)
@pytest.mark.parametrize(("n", "m"), [(1, 1), (6, 6), (4, 9), (15, 6)])
def test_wasserstein_1d(call, student, close, n, m):
    """wasserstein_1d is the area between both distribution functions, for sets of any size."""
    hint("Of the same size: sort both, and match. Else integrate |F - G| from place to place.")
    x, y = normal(n), 2 * normal(m) + 1
    # As many copies of each as make both sets equally large: nothing changes.
    size = math.lcm(n, m)
    first, second = (z.repeat(size // len(z)).sort().values for z in (x, y))
    expected = (first - second).abs().mean()
    # Shares of seven digits are as good.
    close(call(student.wasserstein_1d, x, y), expected, rtol=1e-6, atol=1e-6)
    close(call(student.wasserstein_1d, y, x), expected, rtol=1e-6, atol=1e-6)
    shift = random.uniform(2, 5)
    moved = student.wasserstein_1d(x, x + shift)
    close(moved, torch.tensor(shift, dtype=torch.float64), rtol=1e-6, atol=1e-6)
    # Equal numbers, within a set and across.
    twice = torch.cat([x, x, y])
    mixed = torch.cat([x, y, y])
    size = math.lcm(len(twice), len(mixed))
    first, second = (z.repeat(size // len(z)).sort().values for z in (twice, mixed))
    expected = (first - second).abs().mean()
    close(student.wasserstein_1d(twice, mixed), expected, rtol=1e-6, atol=1e-6)


def draw(n=None):
    """Draw a critic's weights, real examples, fakes and shares."""
    d, h = random.sample(range(2, 6), 2)
    n = n or random.randint(4, 8)
    return (
        [normal(d, h), normal(h), normal(h)],
        normal(n, d),
        normal(n, d),
        torch.rand(n, 1).double(),
    )


def judged_loss(function, weights, real, fake, *others):
    """Run in the box: a loss, what it adds to the critic's gradients, and other traces.

    Both sets are made from something that asks for gradients, as a generator's examples are.
    """
    a, b, c = critic_weights = [w.clone().requires_grad_() for w in weights]
    sources = [x.clone().requires_grad_() for x in (real, fake)]
    given = [source * 1.0 for source in sources]

    def critic(x):
        return (x @ a + b).tanh() @ c

    loss = function(critic, *given, *others)
    quiet = all(w.grad is None for w in [*critic_weights, *sources])
    loss.backward()
    reached = any(x.grad is not None and bool(x.grad.abs().sum() > 0) for x in sources)
    same = torch.equal(given[0], real) and torch.equal(given[1], fake)
    grads = [torch.zeros_like(w) if w.grad is None else w.grad for w in critic_weights]
    return loss.detach(), grads, (quiet, reached, same)


def slopes(weights, x):
    """The gradient of the critic of `judged_loss` at each point, by hand."""
    a, b, c = weights
    return ((1 - (x @ a + b).tanh() ** 2) * c) @ a.T


def penalty_by_hand(weights, real, fake, mix):
    between = mix * real + (1 - mix) * fake
    return ((slopes(weights, between).square().sum(dim=1).sqrt() - 1) ** 2).mean()


@pytest.mark.points(3)
@pytest.mark.parametrize("n", [1, None], ids=["one", "some"])
def test_gradient_penalty(student, close, n):
    """gradient_penalty is that of the slopes at the points between, and can be differentiated."""
    hint("One share per example, that of the real one; the norm over its numbers; create_graph.")
    weights, real, fake, mix = draw(n)
    args = weights, real, fake, mix
    loss, grads, traces = student.run(judged_loss, student.gradient_penalty, *args)
    asking = [w.clone().requires_grad_() for w in weights]
    expected = penalty_by_hand(asking, real, fake, mix)
    close(loss, expected)
    for found, right in zip(
        grads, torch.autograd.grad(expected, asking, allow_unused=True), strict=True
    ):
        close(found, right, atol=1e-8)
    assert traces[2] is True


@pytest.mark.points(1)
def test_gradient_penalty_is_about_the_critic(student):
    """No gradient reaches what made the fakes, and none is left behind by the call itself."""
    hint("Detach the points between; torch.autograd.grad leaves nothing, backward does.")
    _, grads, traces = student.run(judged_loss, student.gradient_penalty, *draw())
    assert bool(torch.stack([g.abs().sum() for g in grads]).isfinite().all())
    assert float(grads[0].abs().sum()) > 0
    quiet, reached, _ = traces
    assert quiet is True
    assert reached is False


def flat_penalty(gradient_penalty, real, fake, direction):
    """Run in the box: the penalty of a critic that is flat for some examples, and its gradient."""
    scale = torch.ones(1, dtype=torch.float64, requires_grad=True)

    def critic(x):
        height = x @ direction
        return scale * height * (height > 0)

    penalty = gradient_penalty(critic, real, fake)
    (slope,) = torch.autograd.grad(penalty, scale)
    return penalty.detach(), slope


@pytest.mark.points(1)
def test_gradient_penalty_where_the_critic_is_flat(student, close):
    """A slope of zero costs 1, and makes no gradient nan."""
    hint("torch.linalg.vector_norm has a gradient at 0; the root of a sum of squares has not.")
    direction = torch.tensor([0.6, 0.8, 0.0], dtype=torch.float64) * random.uniform(2, 3)
    steep = direction.norm()
    side = torch.tensor([[1.0], [1.0], [-1.0], [-1.0], [-1.0]], dtype=torch.float64)
    real, fake = (side * (direction + 0.1 * torch.rand(5, 3).double()) for _ in range(2))
    penalty, slope = student.run(flat_penalty, student.gradient_penalty, real, fake, direction)
    close(penalty, (2 * (steep - 1) ** 2 + 3) / 5)
    close(slope, (2 * 2 * (steep - 1) * steep / 5)[None])


def places_asked(gradient_penalty, real, fake):
    """Run in the box: the points at which the critic was asked in two calls, and the penalties."""
    calls = [], []

    def asked(places):
        return lambda x: places.append(x.detach()) or (x**2).sum(dim=1)

    penalties = [gradient_penalty(asked(places), real, fake).detach() for places in calls]
    return [torch.cat(places) for places in calls], penalties


@pytest.mark.points(1)
def test_shares_are_drawn(student, close):
    """Without mix each example has a share of its own from 0 to 1, new at each call."""
    hint("torch.rand(N, 1): one share for all numbers of an example, and not randn.")
    n = 4000
    real, fake = torch.ones(n, 3, dtype=torch.float64), -torch.ones(n, 3, dtype=torch.float64)
    seen, penalties = student.run(places_asked, student.gradient_penalty, real, fake)
    assert len(seen) == len(penalties) == 2
    for places, penalty in zip(seen, penalties, strict=True):
        assert tuple(places.shape) == (n, 3)
        assert places.dtype == torch.float64
        assert bool((places - places[:, :1]).abs().amax() < 1e-9)
        share = (places[:, 0] + 1) / 2
        assert 0 <= float(share.min()) < 0.01
        assert 0.99 < float(share.max()) <= 1
        assert abs(float(share.mean()) - 0.5) < 5 * (1 / 12 / n) ** 0.5
        assert abs(float(share.var()) - 1 / 12) < 5 * (1 / 180 / n) ** 0.5
        close(penalty, ((2 * places.norm(dim=1) - 1) ** 2).mean())
    assert not torch.equal(*seen)


@pytest.mark.points(1)
@pytest.mark.parametrize("weight", [0.0, 3.0])
def test_critic_loss(student, close, weight):
    """critic_loss is the mean for fakes minus that for real ones plus λ P, for the critic alone."""
    hint("Low for fakes, high for real ones. No gradient reaches the generator.")
    weights, real, fake, mix = draw()
    weight = weight * random.uniform(0.5, 1)
    loss, grads, traces = student.run(
        judged_loss, student.critic_loss, weights, real, fake, weight, mix
    )
    asking = [w.clone().requires_grad_() for w in weights]
    a, b, c = asking
    means = [((x @ a + b).tanh() @ c).mean() for x in (fake, real)]
    expected = means[0] - means[1] + weight * penalty_by_hand(asking, real, fake, mix)
    close(loss, expected)
    for found, right in zip(grads, torch.autograd.grad(expected, asking), strict=True):
        close(found, right, atol=1e-8)
    assert traces == (True, False, True)


@pytest.mark.points(7)
@pytest.mark.trials(3, need=2)
def test_train_gan_forgets_no_cloud(student, reference, trained):
    """train_gan returns a generator that draws from all clouds of a ring, not between them."""
    hint("More steps of the critic, a rate that falls at the end, Adam with a small first beta.")
    x, centres = reference.ring(4096, random.uniform(0, 6.28), radius=random.uniform(1.7, 2.3))
    generator = trained(reference.make_generator(), student.train_gan, x)
    with torch.no_grad():
        drawn = generator(torch.randn(4000, 4))
    share = reference.coverage(drawn, centres, 0.3)
    credit(COVERED(share), f"The coverage is {share:.3f}.", measured=share)
