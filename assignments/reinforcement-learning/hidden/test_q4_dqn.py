"""Question 4: DQN.

The judge makes the network from the weights alone and lets it act on poles of its own. The bounds
are explained in the reference\'s note for instructors.
"""

import itertools
import random

import pytest
import torch

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q4")

share_of_steps = bands((40, 0), (120, 1))


def transitions(first, m, shape):
    """Transitions of which each part tells the number: states, actions, and so on."""
    number = torch.arange(first, first + m)
    states = number.double().reshape(-1, *[1] * len(shape)).expand(m, *shape)
    return states, number, -number.float(), states + 0.5, number % 3 == 0


def filled(make, capacity, sizes, shape, n):
    """Push transitions and sample n: the length after each push, and what was drawn."""
    buffer, first, lengths = make(capacity), 0, [0]
    for m in sizes:
        buffer.push(*transitions(first, m, shape))
        first += m
        lengths.append(len(buffer))
    return lengths, tuple(buffer.sample(n))


@pytest.mark.points(2)
@pytest.mark.parametrize("shape", [(4,), (2, 3), ()], ids=str)
def test_buffer_keeps_the_newest(student, shape):
    """A full buffer overwrites the oldest; the parts of a transition stay together."""
    hint("A ring: the place of the next one, modulo the capacity. Every part has its own dtype.")
    for capacity, sizes in (
        (7, [3, 1, 2]),
        (5, [5, 5]),
        (1, [1, 1, 1]),
        (random.randint(6, 9), [random.randint(1, 6) for _ in range(9)]),
    ):
        kept = min(capacity, sum(sizes))
        args = student.ReplayBuffer, capacity, sizes, shape, kept
        lengths, drawn = student.run(filled, *args)
        sums = itertools.accumulate(sizes, initial=0)
        assert lengths == [min(capacity, total) for total in sums]
        actions = drawn[1]
        assert sorted(actions.tolist()) == list(range(sum(sizes) - kept, sum(sizes)))
        for part, expected in zip(drawn, zip_parts(actions, shape), strict=True):
            assert part.dtype == expected.dtype
            assert part.shape == expected.shape
            assert torch.equal(part, expected)


def zip_parts(actions, shape):
    """What belongs to transitions with these numbers."""
    states = actions.double().reshape(-1, *[1] * len(shape)).expand(len(actions), *shape)
    return states, actions, -actions.float(), states + 0.5, actions % 3 == 0


def drawn_again(make, capacity, pushed, n, times):
    """The numbers of n transitions that are drawn, times over."""
    buffer = make(capacity)
    for first in range(pushed):
        buffer.push(*transitions(first, 1, (2,)))
    return torch.stack([buffer.sample(n)[1] for _ in range(times)])


@pytest.mark.points(1)
def test_sample_is_even(student):
    """sample draws different transitions, and every pair of them as often as any other."""
    hint("Without replacement, from all that is in the buffer and nothing that is not yet.")
    times = 3000
    for capacity, pushed in ((20, 5), (5, 12)):
        found = student.run(drawn_again, student.ReplayBuffer, capacity, pushed, 2, times)
        found = found - (pushed - 5)
        assert ((found >= 0) & (found < 5)).all()
        assert (found[:, 0] != found[:, 1]).all()
        pairs = torch.bincount(found.amin(1) * 5 + found.amax(1), minlength=25).reshape(5, 5)
        for i, j in itertools.combinations(range(5), 2):
            assert abs(pairs[i, j].item() - times / 10) < 5.5 * (times * 0.09) ** 0.5


def touched(make):
    """What is in a buffer after the pushed and the drawn tensors were changed, and its errors."""
    buffer = make(4)
    states = torch.ones(2, 3, requires_grad=True)
    rewards = torch.ones(2)
    actions = torch.zeros(2, dtype=torch.int64)
    buffer.push(states * 1.0, actions, rewards, states * 2.0, actions > 0)
    rewards += 5
    buffer.sample(2)[2].add_(7)
    parts = buffer.sample(2)
    try:
        buffer.sample(3)
    except ValueError:
        refused = True
    else:
        refused = False
    graph = [bool(part.requires_grad) for part in parts]
    return [part.detach() for part in parts], graph, refused


@pytest.mark.points(1)
def test_buffer_has_copies(student):
    """What is in the buffer is its own, on no graph; more than there are can't be drawn."""
    hint("Copy and detach on the way in; index on the way out. ValueError for too many.")
    parts, graph, refused = student.run(touched, student.ReplayBuffer)
    assert torch.equal(parts[0], torch.ones(2, 3))
    assert torch.equal(parts[2], torch.ones(2))
    assert torch.equal(parts[3], torch.full((2, 3), 2.0))
    assert graph == [False] * 5
    assert refused is True


def network(weights):
    """A network of two layers with these weights; it has seen a backward pass."""

    class Network(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.weights = torch.nn.ParameterList(w.clone() for w in weights)

        def forward(self, states):
            a, b, c = self.weights
            return (states.flatten(1) @ a + b).tanh() @ c

    model = Network()
    for weight in model.weights:
        weight.grad = torch.ones_like(weight)
    return model


def draw_weights(size, actions):
    shapes = (size, 5), (5,), (5, actions)
    return [torch.randn(shape, dtype=torch.float64) for shape in shapes]


def draw_batch(n, shape, actions):
    states, after = torch.randn(2, n, *shape, dtype=torch.float64)
    terminated = torch.rand(n) < 0.4
    if n > 2:
        terminated[:2] = torch.tensor([True, False])
    rewards = torch.randn(n, dtype=torch.float64)
    return states, torch.randint(actions, (n,)), rewards, after, terminated


def targets_and_traces(dqn_targets, weights, rewards, after, terminated, gamma, keywords):
    """Targets, whether they hang on a graph, gradients of both networks, and the inputs."""
    online, target = network(weights[0]), network(weights[1])
    found = dqn_targets(online, target, rewards, after, terminated, gamma, **keywords)
    left = [w.grad for w in [*online.weights, *target.weights]]
    return found.detach(), found.requires_grad, left, (rewards, after, terminated)


@pytest.mark.points(3)
@pytest.mark.parametrize("double", [False, True, None], ids=["single", "double", "by default"])
def test_targets(student, close, double):
    """dqn_targets: r + γ times the next state's value, nothing after a true end, on no graph."""
    hint("Double: online chooses, target evaluates. By default the target network does both.")
    keywords = {} if double is None else {"double": double}
    for n, shape, actions in ((1, (3,), 2), (random.randint(20, 30), (2, 2), 4)):
        size = torch.Size(shape).numel()
        weights = draw_weights(size, actions), draw_weights(size, actions)
        _, _, rewards, after, terminated = draw_batch(n, shape, actions)
        gamma = random.uniform(0.5, 1)
        args = weights, rewards, after, terminated, gamma, keywords
        found, on_graph, left, given = student.run(targets_and_traces, student.dqn_targets, *args)
        values, judged = network(weights[1])(after), network(weights[0])(after)
        expected = rewards.clone()
        for i in range(n):
            if not terminated[i]:
                chosen = (judged if double else values)[i].argmax()
                expected[i] += gamma * values[i, chosen].detach()
        close(found, expected)
        assert on_graph is False
        assert len(left) == 6
        assert all(torch.equal(grad, torch.ones_like(grad)) for grad in left)
        for before, now in zip((rewards, after, terminated), given, strict=True):
            assert torch.equal(now, before)


def loss_and_gradients(dqn_loss, weights, batch, gamma, keywords, same):
    """The loss, what it adds to online's gradients, and the target network's gradients."""
    online = network(weights[0])
    target = online if same else network(weights[1])
    loss = dqn_loss(online, target, batch, gamma, **keywords)
    loss.backward()
    return loss.detach(), [w.grad - 1 for w in online.weights], [w.grad for w in target.weights]


def expected_loss(weights, batch, gamma, double):
    """Huber's loss, written out, of values against targets that are numbers; its gradients."""
    states, actions, rewards, after, terminated = batch
    online, target = network(weights[0]), network(weights[1])
    values = target(after).detach()
    chosen = (online(after).detach() if double else values).argmax(1)
    rows = torch.arange(len(actions))
    aims = rewards + gamma * values[rows, chosen] * ~terminated
    error = online(states)[rows, actions] - aims
    size = error.abs()
    loss = torch.where(size <= 1, error**2 / 2, size - 0.5).sum() / len(actions)
    return loss, list(torch.autograd.grad(loss, list(online.weights)))


@pytest.mark.points(3)
@pytest.mark.parametrize("kind", ["single", "double", "one network"])
def test_dqn_loss(student, close, kind):
    """dqn_loss is Huber's mean loss of the taken actions; the targets are numbers."""
    hint("No gradient through the targets, also where both networks are one. Each row its action.")
    double, same = kind == "double", kind == "one network"
    for n, shape, actions in ((1, (3,), 2), (random.randint(20, 30), (2, 2), 4)):
        size = torch.Size(shape).numel()
        weights = [draw_weights(size, actions), draw_weights(size, actions)]
        if same:
            weights[1] = weights[0]
        batch, gamma = draw_batch(n, shape, actions), random.uniform(0.5, 1)
        args = weights, batch, gamma, {"double": True} if double else {}, same
        loss, grads, left = student.run(loss_and_gradients, student.dqn_loss, *args)
        assert len(left) == 3
        expected, ours = expected_loss(weights, batch, gamma, double)
        close(loss, expected)
        assert len(grads) == len(ours)
        for found, wanted in zip(grads, ours, strict=True):
            close(found, wanted)
        if not same:
            assert all(torch.equal(grad, torch.ones_like(grad)) for grad in left)


def after_update(update_target, weights, tau):
    """Weights of online and target after an update, and whether target's are the same objects."""
    online, target = network(weights[0]), network(weights[1])
    before = list(target.weights)
    update_target(online, target, tau)
    same = all(a is b for a, b in zip(before, target.weights, strict=True))
    leaves = all(w.is_leaf and w.requires_grad for w in target.weights)
    apart = all(a.data_ptr() != b.data_ptr() for a, b in zip(online.weights, before, strict=True))
    found = [[w.detach() for w in model.weights] for model in (online, target)]
    return *found, (same, leaves, apart)


@pytest.mark.points(1)
def test_update_target(student, close):
    """update_target moves the target's own parameters by the share τ towards online's."""
    hint("In place, under no_grad: τ of the way, so that τ = 1 is a copy.")
    for tau in (0.0, random.uniform(0.1, 0.4), random.uniform(0.6, 0.9), 1.0):
        weights = [draw_weights(4, 3), draw_weights(4, 3)]
        online, target, traces = student.run(after_update, student.update_target, weights, tau)
        for ours, theirs, left, moved in zip(*weights, online, target, strict=True):
            close(left, ours, atol=0)
            close(moved, theirs + tau * (ours - theirs))
        assert traces == (True, True, True)


@pytest.mark.points(3)
@pytest.mark.trials(3, need=2)
def test_dqn_agent_holds_poles(student, steps_held):
    """train_dqn trains a network that holds the judge's poles, with sensors drawn anew."""
    hint("Return make_net(2), trained. Is ε small at the end, and does the target follow?")
    held = steps_held(student.train_dqn, 16)
    credit(share_of_steps(held), f"The poles stay up for {held:.0f} of 200 steps.", measured=held)
