"""Question 2: the game."""

import math
import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q2")


def log_sigmoid(logits):
    """The logarithm of the sigmoid, number by number, for logits of moderate size."""
    values = [-math.log(1 + math.exp(-a)) for a in logits.tolist()]
    return torch.tensor(values, dtype=torch.float64)


def value_and_slope(function, logits, *others, **keywords):
    """Run in the box: a loss and its gradient in the first argument."""
    logits = logits.clone().requires_grad_()
    loss = function(logits, *others, **keywords)
    return loss.detach(), *torch.autograd.grad(loss, logits)


def draw(n):
    return 2 * torch.randn(n, dtype=torch.float64)


@pytest.mark.points(2)
def test_discriminator_loss(call, student, close):
    """discriminator_loss is the sum of two means, whatever the sizes of both sets and of logits."""
    hint("Two means, added. 1 - σ(a) is σ(-a). Never the logarithm of a rounded probability.")
    for n, m in ((1, 1), (5, 3), (2, 8)):
        real, fake = draw(n), draw(m)
        expected = -log_sigmoid(real).mean() - log_sigmoid(-fake).mean()
        close(call(student.discriminator_loss, real, fake), expected)
        _, slope = student.run(value_and_slope, student.discriminator_loss, real, fake)
        close(slope, -(-real).sigmoid() / n)
    far = random.uniform(900, 2000)
    ends = torch.tensor([-far, far, far], dtype=torch.float64)
    expected = torch.tensor(far / 3 + 2 * far / 3, dtype=torch.float64)
    close(call(student.discriminator_loss, ends, ends), expected)


@pytest.mark.points(2)
@pytest.mark.parametrize("saturating", [False, True], ids=["non-saturating", "minimax"])
def test_generator_loss(student, close, saturating):
    """generator_loss is the one that is asked for, with its slope, and finite for any logits."""
    hint("Minimax: the mean of log(1 - σ(a)), negative. Non-saturating: minus that of log σ(a).")
    keywords = {"saturating": True} if saturating else {}
    for n in (1, 6):
        fake = draw(n)
        loss, slope = student.run(value_and_slope, student.generator_loss, fake, **keywords)
        close(loss, log_sigmoid(-fake).mean() if saturating else -log_sigmoid(fake).mean())
        close(slope, -(fake.sigmoid() if saturating else (-fake).sigmoid()) / n)
    far = random.uniform(900, 2000)
    ends = torch.tensor([-far, -far, far], dtype=torch.float64)
    loss, slope = student.run(value_and_slope, student.generator_loss, ends, **keywords)
    close(loss, torch.tensor(-far / 3 if saturating else 2 * far / 3, dtype=torch.float64))
    expected = torch.tensor([0, 0, -1 / 3] if saturating else [-1 / 3, -1 / 3, 0]).double()
    close(slope, expected)


def draw_probabilities(k):
    """Draw two tables of probabilities with zeros: in one, in the other, and in both."""
    tables = torch.rand(2, k, dtype=torch.float64) + 0.05
    tables[0, 0], tables[1, 1], tables[:, 2] = 0, 0, 0
    return [table[torch.arange(k)] / table.sum() for table in tables]


@pytest.mark.points(1)
@pytest.mark.parametrize("k", [5, 9])
def test_best_discriminator(call, student, close, k):
    """best_discriminator is p / (p + q), and one half where nothing ever occurs."""
    hint("0/0 is nan: one half there.")
    p, q = draw_probabilities(k)
    found = call(student.best_discriminator, p, q)
    expected = [
        a / (a + b) if a + b > 0 else 0.5 for a, b in zip(p.tolist(), q.tolist(), strict=True)
    ]
    close(found, torch.tensor(expected, dtype=torch.float64))


@pytest.mark.points(2)
@pytest.mark.parametrize("k", [4, 11])
def test_jensen_shannon(call, student, close, k):
    """jensen_shannon is the value of the game at its best, from 0 to log 2, zeros included."""
    hint("Against the mean of both, halved. What is 0 counts as 0: torch.xlogy(0, 0) does.")
    p, q = draw_probabilities(k)
    game = 0.0
    for a, b in zip(p.tolist(), q.tolist(), strict=True):
        game += a * math.log(a / (a + b)) if a > 0 else 0
        game += b * math.log(b / (a + b)) if b > 0 else 0
    expected = torch.tensor(game / 2 + math.log(2), dtype=torch.float64)
    close(call(student.jensen_shannon, p, q), expected)
    close(call(student.jensen_shannon, q, p), expected)
    close(student.jensen_shannon(p, p), 0 * expected)
    apart = p * (torch.arange(k) % 2), q * (torch.arange(k) % 2 == 0)
    apart = [table / table.sum() for table in apart]
    close(student.jensen_shannon(*apart), torch.tensor(math.log(2), dtype=torch.float64))


def network(weights):
    """A network of two layers with these weights; (N, 1) is returned as (N,)."""

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = torch.nn.ParameterList(w.clone() for w in weights)

        def forward(self, x):
            a, b, c = self.weights
            y = (x @ a + b).tanh() @ c
            return y if c.shape[1] > 1 else y[:, 0]

    return Network()


def played(gan_step, weights, rounds, rates, left_behind):
    """Play some rounds: both losses, the weights afterwards, and whether they ask for gradients."""
    models = [network(w) for w in weights]
    for model in models:
        for param in model.parameters():
            param.grad = left_behind * torch.ones_like(param) if left_behind else None
    optimizers = [
        torch.optim.SGD(model.parameters(), lr=rate, momentum=0.5)
        for model, rate in zip(models, rates, strict=True)
    ]
    losses = [tuple(gan_step(*models, *optimizers, *args)) for args in rounds]
    found = [[w.detach() for w in model.weights] for model in models]
    asks = [w.requires_grad for model in models for w in model.weights]
    return losses, found, asks, rounds


def by_hand(weights, rounds, rates):
    """Both players' steps with their own gradients, by autograd.grad on each loss alone."""
    generator, critic = ([w.clone() for w in part] for part in weights)
    speeds = [[torch.zeros_like(w) for w in part] for part in (generator, critic)]
    losses = []

    def run(parts, x):
        a, b, c = parts
        return (x @ a + b).tanh() @ c

    def move(parts, speed, loss, rate):
        grads = torch.autograd.grad(loss, parts)
        speed[:] = [0.5 * v + g for v, g in zip(speed, grads, strict=True)]
        return [(w - rate * v).detach() for w, v in zip(parts, speed, strict=True)]

    for real, z_d, z_g in rounds:
        asking = [w.requires_grad_() for w in critic]
        fake = run(generator, z_d).detach()
        d_loss = -torch.nn.functional.logsigmoid(run(asking, real)[:, 0]).mean()
        d_loss = d_loss - torch.nn.functional.logsigmoid(-run(asking, fake)[:, 0]).mean()
        critic = move(asking, speeds[1], d_loss, rates[1])
        asking = [w.requires_grad_() for w in generator]
        g_loss = -torch.nn.functional.logsigmoid(run(critic, run(asking, z_g))[:, 0]).mean()
        generator = move(asking, speeds[0], g_loss, rates[0])
        losses.append((d_loss.item(), g_loss.item()))
    return losses, [generator, critic]


def draw_game(rounds):
    """Draw networks for noise of one size and examples of another, and what they play with."""
    z, d, h = random.sample(range(2, 6), 3)

    def normal(*shape):
        return torch.randn(shape, dtype=torch.float64)

    weights = [
        [normal(z, h), normal(h), normal(h, d)],
        [normal(d, h + 1), normal(h + 1), normal(h + 1, 1)],
    ]
    sizes = [
        (random.randint(1, 4), random.randint(5, 7), random.randint(2, 4)) for _ in range(rounds)
    ]
    return weights, [(normal(n, d), normal(m, z), normal(k, z)) for n, m, k in sizes]


@pytest.mark.points(3)
@pytest.mark.parametrize("rounds", [1, 3])
def test_gan_step(student, close, rounds):
    """gan_step moves the discriminator, then the generator against the moved discriminator."""
    hint("z_d for the discriminator, z_g for the generator, whose loss is the non-saturating one.")
    weights, games = draw_game(rounds)
    rates = random.uniform(0.05, 0.1), random.uniform(0.2, 0.4)
    _, found, asks, after = student.run(played, student.gan_step, weights, games, rates, 0)
    _, right = by_hand(weights, games, rates)
    for mine, theirs in zip(right, found, strict=True):
        for wanted, got in zip(mine, theirs, strict=True):
            close(got, wanted, atol=1e-8)
    assert asks == [True] * 6
    for given, left in zip(games, after, strict=True):
        for before, now in zip(given, left, strict=True):
            close(now, before, rtol=0, atol=0)


@pytest.mark.points(1)
def test_losses_of_gan_step(student):
    """gan_step returns both losses as floats, each as it was before its own step."""
    hint("loss.item(). The generator's is measured with the discriminator that has moved.")
    weights, games = draw_game(2)
    losses, *_ = student.run(played, student.gan_step, weights, games, (0.05, 0.3), 0)
    expected, _ = by_hand(weights, games, (0.05, 0.3))
    assert len(losses) == len(expected)
    for found, right in zip(losses, expected, strict=True):
        assert [type(value) for value in found] == [float, float]
        assert found == pytest.approx(right, rel=1e-7)


@pytest.mark.points(1)
def test_gan_step_forgets_old_gradients(student, close):
    """What was in .grad before gan_step is called takes no part."""
    hint("zero_grad before each backward, not after: somebody may have left something there.")
    weights, games = draw_game(2)
    _, found, _, _ = student.run(played, student.gan_step, weights, games, (0.1, 0.2), 30.0)
    _, right = by_hand(weights, games, (0.1, 0.2))
    for mine, theirs in zip(right, found, strict=True):
        for wanted, got in zip(mine, theirs, strict=True):
            close(got, wanted, atol=1e-8)
