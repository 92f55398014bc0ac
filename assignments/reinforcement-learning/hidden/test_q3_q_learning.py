"""Question 3: Q-learning.

What is learned is judged by the exact value of the greedy policy on the judge's own tables, as a
share of the way from random actions (0) to the best policy (1). The bounds are explained in the
reference's note for instructors.
"""

import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q3")

share_of_the_best = bands((0.5, 0), (0.9, 1))
GAMMA = 0.95


def updated(q_update, q, *args):
    """The error that q_update returns, and the table afterwards."""
    error = q_update(q, *args)
    return error, q


@pytest.mark.points(3)
@pytest.mark.parametrize("kind", ["goes on", "terminated", "stays"])
def test_q_update(student, kind):
    """q_update moves one number of the table by α δ, in place, and returns δ."""
    hint("δ is what it was before the update. After a true end nothing comes.")
    for states, actions in ((2, 2), (random.randint(3, 6), random.randint(2, 5))):
        q = torch.randn(states, actions, dtype=torch.float64)
        s, s2 = random.sample(range(states), 2)
        s2, a = (s if kind == "stays" else s2), random.randrange(actions)
        q[s2] += 1.5  # so that its largest is not zero
        reward, alpha, gamma = random.gauss(0, 2), random.uniform(0.1, 1), random.uniform(0.5, 1)
        args = s, a, reward, s2, kind == "terminated", alpha, gamma
        error, after = student.run(updated, student.q_update, q.clone(), *args)
        later = 0.0 if kind == "terminated" else gamma * max(q[s2].tolist())
        expected = reward + later - q[s, a].item()
        assert abs(float(error) - expected) < 1e-9
        q[s, a] += alpha * expected
        assert_close(after, q, rtol=0, atol=1e-9)


def scripted(q_learning, states, actions, starts, episodes, settings):
    """Let an agent learn in a world that follows a script, whatever it does.

    Returns its table and what it did: -1 for reset, else the action.
    """

    class Script:
        n_states, n_actions = states, actions

        def __init__(self):
            self.done, self.episode, self.place = [], -1, None

        def reset(self):
            self.episode, self.place = self.episode + 1, 0
            self.done.append(-1)
            return starts[self.episode]

        def step(self, action):
            after, reward, terminated, truncated = episodes[self.episode][self.place]
            self.place += 1
            self.done.append(int(action))
            return after, reward, terminated, truncated

    env = Script()
    return q_learning(env, len(episodes), *settings), env.done


def write_script(states, ends, gifts=1.0):
    """A script: for each episode its start and its steps; ends and size of rewards as given."""
    starts = [random.randrange(states) for _ in ends]
    episodes = []
    for truncated in ends:
        steps = [
            (random.randrange(states), gifts * random.gauss(0.3, 1), False, False)
            for _ in range(random.randint(0, 9))
        ]
        reward = gifts * random.gauss(0.3, 1)
        last = (random.randrange(states), reward, not truncated, truncated)
        episodes.append([*steps, last])
    return starts, episodes


def follow(starts, episodes, done, states, actions, alpha, gamma):
    """The table that follows from script and actions, and the rows in which each was chosen."""
    done = iter(done)
    q, rows = torch.zeros(states, actions, dtype=torch.float64), []
    for start, steps in zip(starts, episodes, strict=True):
        assert next(done) == -1
        s = start
        for after, reward, terminated, _ in steps:
            a = next(done)
            assert 0 <= a < actions
            rows.append((q[s].tolist(), a))
            later = 0.0 if terminated else gamma * q[after].max().item()
            q[s, a] += alpha * (reward + later - q[s, a].item())
            s = after
    assert next(done, None) is None
    return q, rows


@pytest.mark.points(3)
@pytest.mark.parametrize("ends", ["terminated", "truncated", "both"])
def test_table_follows_from_what_happened(student, ends):
    """q_learning makes one update after each step; a truncated episode has not ended the world."""
    hint("reset() first; learn from the last step, too. Only terminated drops the term with γ.")
    states, actions = random.randint(3, 6), random.randint(2, 4)
    each = {"terminated": [False], "truncated": [True], "both": [False, True]}[ends]
    starts, episodes = write_script(states, [random.choice(each) for _ in range(25)])
    alpha, gamma = random.uniform(0.2, 0.9), random.uniform(0.6, 0.95)
    settings = alpha, gamma, 0.4
    args = states, actions, starts, episodes, settings
    found, done = student.run(scripted, student.q_learning, *args)
    expected, _ = follow(starts, episodes, done, states, actions, alpha, gamma)
    assert found.dtype == torch.float64
    assert_close(found, expected, rtol=1e-9, atol=1e-9)


@pytest.mark.points(1)
def test_behaviour(student):
    """With ε = 0 each action is a best one by the table as it is, with ε = 1 or for ties any."""
    hint("From the row of the state in which you are, of the table as it is, by epsilon_greedy.")
    states, actions = 4, 3
    for epsilon, gifts in ((0.0, 1.0), (1.0, 1.0), (0.0, 0.0)):
        starts, episodes = write_script(states, [False, True] * 60, gifts)
        args = states, actions, starts, episodes, (0.5, 0.9, epsilon)
        found, done = student.run(scripted, student.q_learning, *args)
        expected, rows = follow(starts, episodes, done, states, actions, 0.5, 0.9)
        assert_close(found, expected, rtol=1e-9, atol=1e-9)
        if epsilon == 0 and gifts:
            assert all(row[a] >= max(row) - 1e-12 for row, a in rows)
        else:
            counts = torch.bincount(torch.tensor([a for _, a in rows]), minlength=actions)
            spread = (len(rows) * 2 / 9) ** 0.5
            assert ((counts - len(rows) / 3).abs() < 5.5 * spread).all()


def learned_table(q_learning, world, P, R, start, terminal, seed, settings):
    """The table that is learned in a world with these tables."""
    return q_learning(world(P, R, start, terminal, 100, seed), *settings)


def draw_grid(reference, rows, columns, slip, reached):
    """A grid whose goal is often reached by random actions within a hundred steps.

    Its states and actions are numbered at random: a table that knows the way to the right and down
    without having learned it is worth no more than chance.
    """
    while True:
        lines = reference.draw_map(rows, columns, random.getrandbits(40))
        P, R, start, terminal = reference.grid_world(lines, slip)
        place = torch.zeros(len(P), dtype=torch.float64)
        place[start] = 1
        for _ in range(100):
            place = place @ P.mean(1)
        if place[-1] >= reached:
            states, actions = torch.randperm(len(P)), torch.randperm(4)
            P, R = (table[states][:, actions][:, :, states] for table in (P, R))
            return P, R, states.tolist().index(start), terminal[states]


def share_reached(student, reference, sizes, reached, settings):
    """The mean, over grids, of the share of the way from random actions to the best policy."""
    shares = []
    for rows, columns in sizes:
        P, R, start, terminal = draw_grid(reference, rows, columns, 0.1, reached)
        args = P, R, start, terminal, random.getrandbits(30), settings
        q = student.run(learned_table, student.q_learning, student.Tabular, *args)
        assert tuple(q.shape) == (len(P), 4)
        assert q.isfinite().all()
        greedy = torch.nn.functional.one_hot(q.argmax(1), 4).double()
        found, chance = (
            reference.policy_values(P, R, GAMMA, pi)[start].item()
            for pi in (greedy, torch.full_like(greedy, 0.25))
        )
        best = reference.value_iteration(P, R, GAMMA)[start].item()
        shares.append((found - chance) / (best - chance))
    return sum(shares) / len(shares)


@pytest.mark.points(3)
@pytest.mark.trials(3, need=2)
def test_finds_its_way_in_new_grids(student, reference):
    """The greedy policy of what is learned, in slippery grids that the judge has drawn."""
    hint("400 episodes, α = 0.2, γ = 0.95, ε = 0.3: compare with value_iteration on a map.")
    settings = 400, 0.2, GAMMA, 0.3
    share = share_reached(student, reference, ((5, 7), (6, 5)), 0.05, settings)
    credit(share_of_the_best(share), f"{share:.0%} of the way from chance to the best policy.")


@pytest.mark.points(2)
@pytest.mark.trials(3, need=2)
def test_learns_from_random_actions(student, reference):
    """Off-policy: from nothing but random actions (ε = 1) the best policy can be learned."""
    hint("The maximum over actions in the next state, whatever will be done there.")
    settings = 300, 0.2, GAMMA, 1.0
    share = share_reached(student, reference, ((3, 5), (4, 4)), 0.2, settings)
    credit(share_of_the_best(share), f"{share:.0%} of the way from chance to the best policy.")
