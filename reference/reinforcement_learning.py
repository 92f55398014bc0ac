# %% [markdown]
# # Reinforcement learning
#
# So far somebody knew the right answer: a label for each picture, a next word for each text. Here
# nobody does. An agent acts, the world answers with a new state and a number, the *reward*, and
# that is all there is to learn from. Which of the many actions before it earned the reward? Is
# there something better that was never tried? These two questions, *credit assignment* and
# *exploration*, run through everything below.
#
# You begin where there is one decision and no state (bandits), go on to worlds whose rules are
# known (planning), then take the rules away (Q-learning), put a network in the place of the table
# (DQN), and at last learn the policy itself: REINFORCE, actor–critic, PPO. Two agents hold up a
# pole at the end, with sensors that nobody has explained to them.
#
# | | you build | by tests | by a reader |
# |---|---|---|---|
# | 1 | bandits: ε-greedy, UCB, regret | 9 | |
# | 2 | planning: value iteration and policy iteration | 11 | |
# | 3 | Q-learning on a grid | 12 | 4 |
# | 4 | DQN: replay, a target network, double DQN | 14 | |
# | 5 | REINFORCE and baselines | 7 | 4 |
# | 6 | actor–critic, and advantages by GAE | 9 | |
# | 7 | PPO | 12 | 4 |
#
# **Rules**
#
# - PyTorch is yours to use: autograd, `torch.nn`, `torch.optim`, `torch.linalg`. Libraries of
#   ready-made agents are not there.
# - Keep the names and the arguments of functions and classes. You may add helpers and cells of your
#   own.
# - A function must not change what it is given unless its text says so.
# - Work in the precision you are given: `float64` in, `float64` out.
# - Draw random numbers from torch's global generator (`torch.rand`, `torch.randint`,
#   `torch.multinomial`, …), and set no seed inside a function.
#
# **How it is marked.** Hidden tests call your functions with fresh random inputs of many shapes,
# mostly in `float64`. How you wrote a function is up to you. Agents are judged by what they *do*:
# the judge takes the table or the weights that your function returns, and lets them act in worlds
# of its own, which it draws anew. What your notebook reports about its agents counts for nothing.
# The three written answers are read by a person. The cells that begin with `@self_check` let you
# try your work as you go. They are easier than the hidden tests, and so are the public tests that
# came with this notebook. No cell may take longer than 40 seconds; five are plenty.
#
# **Notation.** At each step the agent is in a state $s$, takes an action $a$, receives a reward $r$
# and finds itself in the state $s'$. What comes later counts less, by the *discount* $\gamma$ for
# each step: the *return* from step $t$ on is
# $G_t = r_t + \gamma r_{t+1} + \gamma^2 r_{t+2} + \dots$ A *policy* $\pi(a \mid s)$ says how likely
# each action is. $v(s)$ is the expected return from $s$ on, $q(s, a)$ that after $a$ in $s$.
#
# Much of what follows can be read in Sutton and Barto, *Reinforcement Learning: An Introduction*
# (second edition, 2018).

# %%
import bisect
import copy
import itertools
import random

import torch
import torch.nn.functional as F
from torch import nn

# %% active="ipynb"
# import matplotlib.pyplot as plt

# %% [markdown]
# A helper, given: `self_check` runs a check at once and prints how it went.


# %%
def self_check(check):
    """Run `check()` now and print how it went. Used as a decorator."""
    try:
        check()
    except NotImplementedError as missing:
        print(f"{check.__name__}: not implemented yet: {missing}")
    except Exception as e:
        print(f"{check.__name__}: NOT RIGHT YET: {type(e).__name__}: {e}")
    else:
        print(f"{check.__name__}: ok")


# %% [markdown]
# ## Question 1 (9 points): bandits
#
# A row of $K$ slot machines, *arms*, each with a mean reward $\mu_k$ that you don't know. Pull
# one, get a noisy reward, pull again. Nothing else changes: there are no states, and yet the whole
# conflict between exploring and exploiting is there. We play $N$ such rows at once, so values and
# counts are tables of shape $(N, K)$, one row for each bandit.
#
# **Estimates.** $Q_k$ is the mean of the rewards that arm $k$ has given in its $n_k$ pulls. It can
# be kept up to date without a list of them: after the pull number $n_k$,
#
# $$ Q_k \leftarrow Q_k + \frac{1}{n_k}\,(r - Q_k) . $$
#
# Learn to see this form: *old estimate plus step size times error*. You will write it again for
# Q-learning, with a step size that stays.
#
# **ε-greedy.** With probability $\epsilon$ any of the $K$ actions, all alike, the best one too;
# otherwise one with the largest estimate. If several are equally good, each of these is as likely
# as the others. (Always taking the first of them looks harmless, and makes an agent whose table
# begins with zeros walk into the same wall for ever.)
#
# **UCB** (upper confidence bound; Auer, Cesa-Bianchi and Fischer, 2002) needs no dice. It is
# optimistic about what it knows little of:
#
# $$ \arg\max_k \; Q_k + c \sqrt{\frac{\ln t}{n_k}}, \qquad t = \sum_k n_k , $$
#
# and an arm that was never pulled comes first: while there are any, the first of these is taken.
#
# **Regret.** Each pull of arm $a$ costs $\max_k \mu_k - \mu_a$ against someone who knows the means.
# The (pseudo-)regret after $T$ pulls is the sum of these. It uses the means and not the noisy
# rewards. Who explores with a constant ε pays for ever, linearly in $T$; UCB pays $O(\ln T)$.


# %%
def update_mean(values, counts, arms, rewards):
    """Take one new reward of each bandit into its mean.

    Args:
        values: (N, K), mean reward of each arm so far; 0 where there is none.
        counts: (N, K) int64, how often each arm was pulled so far.
        arms: (N,) int64, which arm each bandit has pulled now.
        rewards: (N,), what it gave.

    Returns:
        (values, counts): new tensors of the same shapes and dtypes; the given ones stay.
    """
    # BEGIN SOLUTION
    row = torch.arange(len(arms))
    values, counts = values.clone(), counts.clone()
    counts[row, arms] += 1
    values[row, arms] += (rewards - values[row, arms]) / counts[row, arms]
    return values, counts
    # END SOLUTION


def epsilon_greedy(values, epsilon):
    """Choose an action for each row.

    Args:
        values: (N, K), estimates.
        epsilon: ε, from 0 to 1: the probability of an action at random, drawn for each row anew.

    Returns:
        (N,) int64, actions; ties between the largest are broken evenly at random.
    """
    # BEGIN SOLUTION
    best = values == values.amax(dim=1, keepdim=True)
    greedy = torch.multinomial(best.double(), 1)[:, 0]
    drawn = torch.randint(values.shape[1], greedy.shape)
    return torch.where(torch.rand(greedy.shape) < epsilon, drawn, greedy)
    # END SOLUTION


def ucb(values, counts, c):
    """Choose the arm with the largest upper confidence bound.

    Args:
        values: (N, K), mean reward of each arm.
        counts: (N, K) int64, how often each arm was pulled; may be 0.
        c: width of the bound.

    Returns:
        (N,) int64, arms: in each row the first that was never pulled; if all were, the best bound.
    """
    # BEGIN SOLUTION
    pulls = counts.sum(dim=1, keepdim=True).clamp(min=1)
    bound = values + c * (pulls.to(values.dtype).log() / counts).sqrt()
    untried = counts == 0
    best = bound.masked_fill(untried, 0).argmax(dim=1)
    return torch.where(untried.any(dim=1), untried.int().argmax(dim=1), best)
    # END SOLUTION


def cumulative_regret(means, arms):
    """What was lost, up to each pull, against always pulling the best arm.

    Args:
        means: (N, K), true means.
        arms: (N, T) int64, the arms that were pulled.

    Returns:
        (N, T): the regret after 1, …, T pulls.
    """
    # BEGIN SOLUTION
    lost = means.amax(dim=1, keepdim=True) - means.gather(1, arms)
    return lost.cumsum(dim=1)
    # END SOLUTION


# %% active="ipynb"
# def play(means, choose, pulls):
#     """Play bandits with normal noise; `choose(values, counts)` names arms; (N, pulls) arms."""
#     values, counts = torch.zeros_like(means), torch.zeros(means.shape, dtype=torch.int64)
#     played = []
#     for _ in range(pulls):
#         arms = choose(values, counts)
#         rewards = means.gather(1, arms[:, None])[:, 0] + torch.randn(len(means))
#         values, counts = update_mean(values, counts, arms, rewards)
#         played.append(arms)
#     return torch.stack(played, dim=1)
#
#
# @self_check
# def check_update_mean():
#     values, counts = torch.zeros(2, 2).double(), torch.zeros(2, 2, dtype=torch.int64)
#     # The second bandit gets half of what the first one gets, once from its other arm.
#     for arm, reward in ((0, 4.0), (1, 0.0), (0, 5.0)):
#         arms = torch.tensor([1, arm])
#         before = values.clone(), counts.clone()
#         new = update_mean(values, counts, arms, torch.tensor([reward, reward / 2]).double())
#         stayed = torch.equal(values, before[0]) and torch.equal(counts, before[1])
#         assert stayed, "a given table has changed"
#         values, counts = new
#     assert counts.tolist() == [[0, 3], [2, 1]] and counts.dtype == torch.int64
#     torch.testing.assert_close(values, torch.tensor([[0.0, 3.0], [2.25, 0.0]]).double())
#
#
# @self_check
# def check_epsilon_greedy():
#     values = torch.tensor([0.0, 2.0, 2.0, 1.99999]).double() - torch.arange(8000)[:, None]
#     share = torch.bincount(epsilon_greedy(values, 0.0), minlength=4) / 8000
#     assert share[0] == share[3] == 0, "greedy: never a worse one"
#     assert abs(share[1] - 0.5) < 0.03, "both of the best, equally often"
#     share = torch.bincount(epsilon_greedy(values, 0.4), minlength=4) / 8000
#     expected = torch.tensor([0.1, 0.4, 0.4, 0.1])
#     assert (share - expected).abs().max() < 0.03, f"{share.tolist()} for {expected.tolist()}"
#
#
# @self_check
# def check_ucb():
#     values = torch.tensor([[1.0, 0.9], [9.0, 0.0], [0.0, 0.0]])
#     counts = torch.tensor([[90, 10], [10**6, 0], [0, 0]])
#     # In the first row the bounds cross at c = 0.22; the second row's pulls are not its own.
#     assert ucb(values, counts, 0.25).tolist() == [1, 1, 0]
#     assert ucb(values, counts, 0.2).tolist() == [0, 1, 0]
#     assert ucb(values, counts, 0.0).tolist() == [0, 1, 0], "never pulled: first, however small c"
#
#
# @self_check
# def check_regret():
#     means = torch.tensor([[1.0, 0.5, 0.0], [3.0, 0.0, 2.0]])
#     found = cumulative_regret(means, torch.tensor([[2, 1, 0, 1], [0, 2, 2, 1]]))
#     expected = torch.tensor([[1.0, 1.5, 1.5, 2.0], [0.0, 1.0, 2.0, 5.0]])
#     torch.testing.assert_close(found, expected)
#
#
# @self_check
# def show_bandits():
#     torch.manual_seed(1)
#     means = torch.randn(400, 8)
#     ways = {
#         "greedy": lambda values, counts: epsilon_greedy(values, 0.0),
#         "ε = 0.1": lambda values, counts: epsilon_greedy(values, 0.1),
#         "UCB, c = 1.4": lambda values, counts: ucb(values, counts, 1.4),
#     }
#     figure, axes = plt.subplots(figsize=(6, 3))
#     for name, choose in ways.items():
#         axes.plot(cumulative_regret(means, play(means, choose, 600)).mean(dim=0), label=name)
#     axes.set(xlabel="pulls", ylabel="regret, mean of 400 bandits")
#     axes.legend()
#     plt.show()

# %% [markdown]
# ## Worlds of tables
#
# From here on there are states. A *Markov decision process* with $S$ states and $A$ actions is two
# tables: `P[s, a, s2]`, the probability $P(s' \mid s, a)$, and `R[s, a, s2]`, the reward
# $r(s, a, s')$ on the way. Where an episode is over, in a *terminal* state, each action leads back
# to the same state with reward 0, so its value is 0.
#
# Given: `grid_world` makes such tables from a map of letters, `draw_map` draws maps, and `Tabular`
# is a world in which one can act. On a map, `S` is the start, `G` the goal, `X` a pit, `#` a wall.
# Each move costs 0.04; entering the goal gives 1 on top of that, a pit −1, and both end the
# episode. Actions are 0 up, 1 right, 2 down, 3 left; who walks into a wall or over the edge stays.
# On slippery ground a move goes to one side instead, with probability `slip`, to the left or to the
# right alike.
#
# Mind how `step` says that an episode is over. **terminated**: the world has ended; nothing comes
# after. **truncated**: somebody stopped the clock, after `limit` steps; the world would have gone
# on.

# %%
MOVES = ((-1, 0), (0, 1), (1, 0), (0, -1))  # up, right, down, left


def grid_world(lines, slip=0.0):
    """Tables of a grid.

    Args:
        lines: list of strings of equal length, of the letters ". S G X #"; state number
            row · columns + column. One S.
        slip: probability that a move goes to one of the two sides instead.

    Returns:
        (P, R, start, terminal): (S, 4, S) float64 twice, the number of the start, (S,) bool.
    """
    rows, columns = len(lines), len(lines[0])
    cells = "".join(lines)
    count = rows * columns
    P = torch.zeros(count, 4, count, dtype=torch.float64)
    R = torch.zeros(count, 4, count, dtype=torch.float64)
    for s, a in itertools.product(range(count), range(4)):
        if cells[s] in "GX#":
            P[s, a, s] = 1
            continue
        for way, share in ((a, 1 - slip), ((a + 1) % 4, slip / 2), ((a - 1) % 4, slip / 2)):
            row, column = s // columns + MOVES[way][0], s % columns + MOVES[way][1]
            to = row * columns + column
            inside = 0 <= row < rows and 0 <= column < columns and cells[to] != "#"
            to = to if inside else s
            P[s, a, to] += share
            R[s, a, to] = -0.04 + {"G": 1.0, "X": -1.0}.get(cells[to], 0.0)
    return P, R, cells.index("S"), torch.tensor([cell in "GX" for cell in cells])


def draw_map(rows, columns, seed):
    """Draw a map whose goal, in the lower right corner, can be reached from the upper left one."""
    dice = random.Random(seed)
    while True:
        cells = dice.choices(".#X", weights=(74, 20, 6), k=rows * columns)
        cells[0], cells[-1] = "S", "G"
        found, border = {0}, [0]
        while border:
            row, column = divmod(border.pop(), columns)
            for down, right in MOVES:
                r, c = row + down, column + right
                to = r * columns + c
                if 0 <= r < rows and 0 <= c < columns and cells[to] in ".G" and to not in found:
                    found.add(to)
                    border.append(to)
        if rows * columns - 1 in found:
            return ["".join(cells[r * columns : (r + 1) * columns]) for r in range(rows)]


class Tabular:
    """A world to act in, made from tables. It keeps the sum of rewards of each episode, `totals`.

    Args:
        P, R: (S, A, S), probabilities and rewards.
        start: number of the state in which each episode begins.
        terminal: (S,) bool.
        limit: an episode is truncated after so many steps.
        seed: of its own dice.
    """

    def __init__(self, P, R, start, terminal, limit=100, seed=0):
        self.n_states, self.n_actions = P.shape[:2]
        self.sums, self.rewards = P.cumsum(dim=2).tolist(), R.tolist()
        self.start, self.terminal, self.limit = start, terminal.tolist(), limit
        self.dice = random.Random(seed)
        self.totals = []

    def reset(self):
        """Begin an episode; return the state, an int."""
        self.state, self.age, self.total = self.start, 0, 0.0
        return self.state

    def step(self, action):
        """Act. Return (state, reward, terminated, truncated): int, float, bool, bool.

        After an episode is over, call reset.
        """
        sums = self.sums[self.state][action]
        after = min(bisect.bisect_right(sums, self.dice.random() * sums[-1]), self.n_states - 1)
        reward = self.rewards[self.state][action][after]
        self.state, self.age, self.total = after, self.age + 1, self.total + reward
        terminated = self.terminal[after]
        truncated = not terminated and self.age >= self.limit
        if terminated or truncated:
            self.totals.append(self.total)
        return after, reward, terminated, truncated


# %% active="ipynb"
# GRID = ["S...#....", ".##...#X.", "....#...#", ".X#...#..", "...#X...G"]
# print("\n".join(GRID))
#
#
# def draw_grid(axes, lines, q=None, path=()):
#     """Draw a map, what the best action of each state is worth, and a path of states."""
#     columns, cells = len(lines[0]), "".join(lines)
#     worth = torch.full((len(cells),), float("nan")) if q is None else q.amax(dim=1)
#     hidden = torch.tensor([cell in "#GX" for cell in cells])
#     axes.imshow(worth.masked_fill(hidden, float("nan")).reshape(-1, columns), cmap="viridis")
#     for s, cell in enumerate(cells):
#         row, column = divmod(s, columns)
#         if cell == "#":
#             axes.add_patch(plt.Rectangle((column - 0.5, row - 0.5), 1, 1, color="0.3"))
#         elif cell in "SGX":
#             colour = {"S": "white", "G": "green", "X": "red"}[cell]
#             axes.text(column, row, cell, ha="center", va="center", color=colour, weight="bold",
#                       zorder=3)
#         if q is not None and cell in ".S":
#             down, right = MOVES[int(q[s].argmax())]
#             axes.arrow(column + 0.2 * right, row + 0.2 * down, 0.15 * right, 0.15 * down,
#                        head_width=0.12, color="white")
#     if len(path):
#         axes.plot([s % columns for s in path], [s // columns for s in path], "o-",
#                   color="orange", markersize=4)
#     axes.set(xticks=[], yticks=[], xlim=(-0.5, columns - 0.5), ylim=(len(lines) - 0.5, -0.5))

# %% [markdown]
# ## Question 2 (11 points): planning in a world that is known
#
# Someone who knows $P$ and $R$ need not act at all. The value of an action is what comes at once
# plus what the next state is worth,
#
# $$ q(s, a) = \sum_{s'} P(s' \mid s, a)\,\bigl( r(s, a, s') + \gamma\, v(s') \bigr) , $$
#
# and *Bellman's equations* say what $v$ must be: for a policy $\pi$, and for the best one,
#
# $$ v_\pi(s) = \sum_a \pi(a \mid s)\, q_\pi(s, a), \qquad v_*(s) = \max_a q_*(s, a) . $$
#
# The first is a **linear system**: with $P_\pi(s, s') = \sum_a \pi(a \mid s) P(s' \mid s, a)$ and
# the expected reward $r_\pi(s)$, it reads $(I - \gamma P_\pi)\, v_\pi = r_\pi$. Solve it
# (`torch.linalg.solve`).
#
# The second is not linear. But its right side, the operator $(T v)(s) = \max_a \sum_{s'} P\,(r +
# \gamma v(s'))$, is a **contraction**: it brings any two tables closer, $\lVert T u - T v
# \rVert_\infty \le \gamma \lVert u - v \rVert_\infty$. So there is exactly one fixed point, $v_*$,
# and **value iteration**, $v \leftarrow T v$ from $v = 0$ on, reaches it (Banach). When may it
# stop? Where a step has still changed $v$ by $\delta = \lVert T v - v \rVert_\infty$, the
# contraction tells us how far the goal may be:
#
# $$ \lVert T v - v_* \rVert_\infty \le \frac{\gamma}{1 - \gamma}\,\delta . $$
#
# With $\gamma = 0.99$ that is 99 times as far as the last step was long. To stop at
# $\delta \le \text{tol}$ is a frequent mistake.
#
# **Policy iteration** (Howard, 1960) takes large steps instead: compute $v_\pi$ exactly, take the
# best action by $q_\pi$ in each state, and so on until none changes. It needs a few rounds only.
# Beware of ties: where two actions are equally good, rounding may make the one better and then the
# other, for ever. Leave an action unless another is better by more than $10^{-9}$.


# %%
def action_values(P, R, gamma, v):
    """What each action is worth if the states after it are worth v.

    Args:
        P, R: (S, A, S), probabilities and rewards.
        gamma: γ.
        v: (S,), value of each state.

    Returns:
        (S, A).
    """
    # BEGIN SOLUTION
    return (P * (R + gamma * v)).sum(dim=2)
    # END SOLUTION


def policy_values(P, R, gamma, pi):
    """The value of each state under a policy, exactly.

    Args:
        P, R: (S, A, S), probabilities and rewards.
        gamma: γ, from 0 to less than 1.
        pi: (S, A), probability of each action in each state.

    Returns:
        (S,).
    """
    # BEGIN SOLUTION
    moves = (pi.unsqueeze(2) * P).sum(dim=1)
    rewards = (pi.unsqueeze(2) * P * R).sum(dim=(1, 2))
    unit = torch.eye(len(P), dtype=P.dtype)
    return torch.linalg.solve(unit - gamma * moves, rewards)
    # END SOLUTION


def value_iteration(P, R, gamma, tol=1e-6):
    """The best values, by value iteration.

    Args:
        P, R: (S, A, S), probabilities and rewards.
        gamma: γ, from 0 to less than 1.
        tol: largest error that a value may have; 1e-8 or more.

    Returns:
        (S,), no more than tol from v*.
    """
    # BEGIN SOLUTION
    v = torch.zeros(len(P), dtype=P.dtype)
    while True:
        new = action_values(P, R, gamma, v).amax(dim=1)
        change = (new - v).abs().max()
        v = new
        if gamma * change <= (1 - gamma) * tol:
            return v
    # END SOLUTION


def policy_iteration(P, R, gamma):
    """A best policy and its values, by policy iteration.

    Args:
        P, R: (S, A, S), probabilities and rewards.
        gamma: γ, from 0 to less than 1.

    Returns:
        (actions, v): (S,) int64, a best action of each state; (S,) its values.
    """
    # BEGIN SOLUTION
    states = torch.arange(len(P))
    actions = torch.zeros(len(P), dtype=torch.int64)
    while True:
        v = policy_values(P, R, gamma, F.one_hot(actions, P.shape[1]).to(P.dtype))
        q = action_values(P, R, gamma, v)
        better = q.amax(dim=1) > q[states, actions] + 1e-9
        if not better.any():
            return actions, v
        actions = torch.where(better, q.argmax(dim=1), actions)
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_action_values():
#     # Two states: action 0 stays, action 1 goes to the other, for a reward of 1 from state 0.
#     P = torch.tensor([[[1.0, 0.0], [0.0, 1.0]], [[0.0, 1.0], [1.0, 0.0]]]).double()
#     R = torch.tensor([[[0.0, 9.0], [9.0, 1.0]], [[9.0, 0.0], [0.0, 9.0]]]).double()
#     found = action_values(P, R, 0.5, torch.tensor([2.0, 4.0]).double())
#     torch.testing.assert_close(found, torch.tensor([[1.0, 3.0], [2.0, 1.0]]).double())
#     # To and fro: v₀ = 1 + v₁/2 and v₁ = v₀/2.
#     for gamma in (0.5, 0.999):
#         v = policy_values(P, R, gamma, torch.tensor([[0.0, 1.0], [0.0, 1.0]]).double())
#         torch.testing.assert_close(v, torch.tensor([1.0, gamma]).double() / (1 - gamma**2))
#
#
# @self_check
# def check_value_iteration():
#     # One state that gives 1 for ever: worth 1 / (1 - γ).
#     P = R = torch.ones(1, 1, 1).double()
#     for gamma, worth in ((0.99, 100), (0.999, 1000)):
#         error = abs(value_iteration(P, R, gamma, tol=0.5).item() - worth)
#         assert error <= 0.5, f"γ = {gamma}: an error of {error:.2f}: when may it stop?"
#     assert value_iteration(P, R, 0.0).item() == 1
#
#
# @self_check
# def check_policy_iteration():
#     P, R, start, terminal = grid_world(GRID, slip=0.2)
#     twice = [torch.cat([table, table], dim=1) for table in (P, R)]  # each action twice: ties
#     for tables in ((P, R), twice):
#         actions, v = policy_iteration(*tables, 0.95)
#         torch.testing.assert_close(v, value_iteration(*tables, 0.95, tol=1e-8), rtol=0, atol=1e-7)
#     assert v[terminal].abs().max() < 1e-9, "nothing comes after the end"
#
#
# @self_check
# def show_planning():
#     figure, axes = plt.subplots(1, 2, figsize=(9, 2.8))
#     for slip, axis in zip((0.0, 0.3), axes):
#         P, R, start, terminal = grid_world(GRID, slip)
#         v = value_iteration(P, R, 0.95)
#         draw_grid(axis, GRID, action_values(P, R, 0.95, v))
#         axis.set_title(f"slip {slip}: the start is worth {v[start]:.2f}")
#     plt.show()

# %% [markdown]
# ## Question 3 (16 points): Q-learning
#
# Now the tables are gone. What is left is to act, and after each step to ask: was that better or
# worse than expected? **Q-learning** (Watkins, 1989) moves the estimate $Q(s, a)$ by a share
# $\alpha$ of its error:
#
# $$ \delta = r + \gamma \max_{a'} Q(s', a') - Q(s, a), \qquad
#    Q(s, a) \leftarrow Q(s, a) + \alpha\,\delta . $$
#
# If $s'$ **terminated** the episode there is no later: the term with $\gamma$ is dropped. If the
# episode was **truncated**, the term stays, since the world would have gone on from $s'$.
#
# The maximum is over what *could* be done in $s'$, not over what will be done. So the table tends
# to the values of the best policy, although the agent behaves otherwise (*off-policy*): with
# ε-greedy actions, or even with random ones. All it takes is that every action is tried again and
# again.
#
# Use `epsilon_greedy` for behaviour; `q[s].unsqueeze(0)` is one row. The judge lets your function
# learn in grids that it has drawn, whose states and actions are numbered at random, and computes
# from its own tables what the greedy policy is worth: half of the way from random actions to the
# best policy earns nothing, nine tenths of it everything.


# %%
def q_update(q, s, a, reward, s2, terminated, alpha, gamma):
    """Learn from one step. The table is changed in place.

    Args:
        q: (S, A), values; only q[s, a] changes.
        s, a: state and action, ints.
        reward: r, a float.
        s2: state after the step; it may be s again.
        terminated: whether the world has ended there.
        alpha: α, step size.
        gamma: γ.

    Returns:
        The error δ before the update, a float.
    """
    # BEGIN SOLUTION
    later = 0.0 if terminated else gamma * q[s2].max().item()
    error = reward + later - q[s, a].item()
    q[s, a] += alpha * error
    return error
    # END SOLUTION


def q_learning(env, episodes, alpha, gamma, epsilon):
    """Learn a table of values by acting ε-greedily; one update after each step.

    Args:
        env: a world such as Tabular: n_states, n_actions, reset(), step(action). You may use
            nothing else of it.
        episodes: how many; each begins with reset() and goes on until it is terminated or
            truncated.
        alpha, gamma, epsilon: α, γ, ε.

    Returns:
        (S, A) float64, learned from a table of zeros.
    """
    # BEGIN SOLUTION
    q = torch.zeros(env.n_states, env.n_actions, dtype=torch.float64)
    for _ in range(episodes):
        s, over = env.reset(), False
        while not over:
            a = int(epsilon_greedy(q[s].unsqueeze(0), epsilon))
            s2, reward, terminated, truncated = env.step(a)
            q_update(q, s, a, reward, s2, terminated, alpha, gamma)
            s, over = s2, terminated or truncated
    return q
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_q_update():
#     q = torch.tensor([[1.0, 2.0], [3.0, 5.0]]).double()
#     assert abs(q_update(q, 0, 1, 1.0, 1, False, 0.5, 0.9) - 3.5) < 1e-12  # 1 + 0.9 · 5 - 2
#     torch.testing.assert_close(q, torch.tensor([[1.0, 3.75], [3.0, 5.0]]).double())
#     assert abs(q_update(q, 0, 0, -1.0, 1, True, 0.5, 0.9) + 2) < 1e-12, "nothing after the end"
#     torch.testing.assert_close(q, torch.tensor([[0.0, 3.75], [3.0, 5.0]]).double())
#
#
# @self_check
# def check_truncation():
#     # One state, reward 1. Without an end it is worth 1 / (1 - 0.5) = 2, whenever the clock stops.
#     # If the world ends with the first step, it is worth 1.
#     P = R = torch.ones(1, 1, 1).double()
#     for end, worth in ((False, 2), (True, 1)):
#         env = Tabular(P, R, 0, torch.tensor([end]), limit=3)
#         q = q_learning(env, 30, 0.5, 0.5, 0.1)
#         assert q.dtype == torch.float64, f"a table of {q.dtype}"
#         assert len(env.totals) == 30, "thirty episodes"
#         assert abs(q.item() - worth) < 1e-3, f"{q.item():.3f} for {worth}: what ends the world?"
#
#
# @self_check
# def show_q_learning():
#     torch.manual_seed(3)
#     P, R, start, terminal = grid_world(GRID, slip=0.1)
#     env = Tabular(P, R, start, terminal, limit=150)
#     q = q_learning(env, 400, 0.2, 0.95, 0.2)
#     best = value_iteration(P, R, 0.95)[start]
#     acts = F.one_hot(q.argmax(dim=1), 4).double()
#     found = policy_values(P, R, 0.95, acts)[start]
#     print(f"the start is worth {best:.3f} at best, {found:.3f} with what was learned")
#     still = Tabular(P, R, start, terminal, limit=60, seed=5)
#     path, over = [still.reset()], False
#     while not over:
#         s, _, terminated, truncated = still.step(int(q[path[-1]].argmax()))
#         path.append(s)
#         over = terminated or truncated
#     figure, axes = plt.subplots(1, 2, figsize=(10, 3), width_ratios=(3, 2))
#     draw_grid(axes[0], GRID, q, path)
#     axes[0].set_title(f"values, actions, and a path of {len(path) - 1} steps")
#     smooth = torch.tensor(env.totals).unfold(0, 20, 1).mean(dim=1)
#     axes[1].plot(range(20, len(env.totals) + 1), smooth)
#     axes[1].set(xlabel="episodes", ylabel="sum of rewards, mean of 20", title="learning curve")
#     plt.tight_layout()
#     plt.show()

# %% [markdown]
# **Written, 4 points.** Answer in the cell below, in five to ten sentences.
#
# 1. A friend's code drops the term with γ at *every* end of an episode, truncated or terminated. In
#    a world where each step costs 0.04 and the only end is the goal, what happens to the values of
#    the states in which the clock often stops, and what will the agent come to like? Why is it no
#    remedy to keep the term at every end?
# 2. SARSA uses $Q(s', a')$ of the action that is taken next, in the place of the maximum. Beside a
#    row of pits, with ε = 0.2 for ever, how do the paths that the two learn differ, and which earns
#    more *while* it is learning? What must be done with ε for both to end at the best policy?

# %% [markdown]
# **Answer q3.**
#
# <!-- BEGIN SOLUTION -->
# 1. A state in which the clock stops is taken for an end, worth 0 from there on. But all other
#    states have negative values until the agent knows the goal (each step costs), and far from the
#    goal even then. So states near which episodes are cut off look better than they are, and the
#    agent comes to like places where it waits for the clock, far from the goal; which states these
#    are depends on the limit and not on the world. The other way round, keeping the term at a true
#    end, counts rewards after the end that nobody gets: the row of a terminal state is never
#    updated, so it stays at whatever it was at the start, which does no harm only if that is zero,
#    and with a network in the place of the table it is anything at all.
#
# 2. Q-learning learns the values of the greedy policy, so its path is the shortest, right along the
#    pits: greedily that is safe. But it behaves ε-greedily, and one step in twenty (a fifth at
#    random, a quarter of these towards the pits) throws it in. SARSA learns the value of what it
#    really does, exploration included: beside the pits these values are low, and it learns a way
#    round. While both explore, SARSA earns more. If ε falls to zero slowly enough, so that each
#    action is still tried infinitely often (and the step sizes fall, too), the policy that SARSA
#    evaluates becomes the greedy one and both tend to the optimum.
# <!-- END SOLUTION -->

# %% [markdown]
# ## A pole to hold
#
# A cart on a rail, a pole on it, and two actions: 0 pushes to the left, 1 to the right (the
# equations are those of Barto, Sutton and Anderson, 1983). The reward is −1 when the pole falls
# over or the cart leaves the rail, which terminates the episode, and 0 otherwise. After 200 steps
# it is truncated.
#
# `Poles` runs $n$ of them side by side. A state has four numbers: place, speed, angle and angular
# speed of the pole, brought to like sizes and **mixed** by an orthogonal matrix. An agent therefore
# can't know which is which, and nobody can write the policy down beforehand. It has to be learned,
# from the world at hand; the judge draws another mixture each time.
#
# Where an episode is over, that pole starts anew by itself. So `step` returns where each action
# *has led*, and `env.states` is where the next actions are taken, which is another state where an
# episode is over.


# %%
class Poles:
    """Poles on carts. Every finished episode's number of steps is kept in `lengths`.

    Args:
        n: how many, side by side.
        mix: (4, 4) orthogonal matrix; None: drawn from the seed.
        seed: of its own dice.
        limit: steps after which an episode is truncated.
    """

    def __init__(self, n, mix=None, seed=0, limit=200):
        self.n, self.limit = n, limit
        self.dice = torch.Generator().manual_seed(seed)
        if mix is None:
            mix = torch.linalg.qr(torch.randn(4, 4, generator=self.dice)).Q
        self.mix = mix
        self.inside, self.age = torch.zeros(n, 4), torch.zeros(n, dtype=torch.int64)
        self.lengths = []
        self._begin(torch.ones(n, dtype=torch.bool))

    @property
    def states(self):
        """(n, 4) float32: the states in which the next actions are taken."""
        return self.inside * torch.tensor([0.4, 0.5, 5.0, 0.5]) @ self.mix

    def step(self, actions):
        """Push each cart.

        Args:
            actions: (n,) int64, 0 or 1.

        Returns:
            (after, rewards, terminated, truncated): (n, 4) states to which the actions have led,
            (n,) float32, (n,) bool, (n,) bool.
        """
        x, speed, angle, turn = self.inside.unbind(dim=1)
        sine, cosine = angle.sin(), angle.cos()
        pull = (10.0 * (2 * actions - 1) + 0.05 * turn**2 * sine) / 1.1
        bend = (9.8 * sine - cosine * pull) / (0.5 * (4 / 3 - 0.1 * cosine**2 / 1.1))
        speed = speed + 0.02 * (pull - 0.05 * bend * cosine / 1.1)
        turn = turn + 0.02 * bend
        x, angle = x + 0.02 * speed, angle + 0.02 * turn
        self.inside, self.age = torch.stack([x, speed, angle, turn], dim=1), self.age + 1
        terminated = (x.abs() > 2.4) | (angle.abs() > 0.21)
        truncated = ~terminated & (self.age >= self.limit)
        after, over = self.states, terminated | truncated
        self.lengths += self.age[over].tolist()
        self._begin(over)
        return after, -terminated.float(), terminated, truncated

    def _begin(self, where):
        fresh = 0.1 * torch.rand(self.n, 4, generator=self.dice) - 0.05
        self.inside = torch.where(where[:, None], fresh, self.inside)
        self.age = torch.where(where, 0, self.age)


def make_net(outputs):
    """The network of this assignment: takes (N, 4) states, returns (N, outputs)."""
    return nn.Sequential(
        nn.Linear(4, 32), nn.Tanh(), nn.Linear(32, 32), nn.Tanh(), nn.Linear(32, outputs)
    )


def mean_steps(choose, env):
    """How many steps the poles of a new world stay up, on average; at most env.limit.

    Args:
        choose: takes (n, 4) states, returns (n, 2); the action with the larger number is taken.
        env: a Poles that has just been made.
    """
    up, steps = torch.ones(env.n, dtype=torch.bool), torch.zeros(env.n)
    for _ in range(env.limit):
        with torch.no_grad():
            actions = choose(env.states).argmax(dim=1)
        steps += up
        up &= ~env.step(actions)[2]
    return steps.mean().item()


# %% active="ipynb"
# random_steps = mean_steps(lambda states: torch.rand(len(states), 2), Poles(200, seed=1))
# curves = {}
# print(f"with random actions a pole stays up for {random_steps:.0f} steps")

# %% [markdown]
# ## Question 4 (14 points): DQN
#
# Four real numbers have no table. A network $Q_\theta(s)$ takes its place, with one output for each
# action. Put naively into the update of Question 3, it tends to go wrong: successive
# steps look alike, and each update moves the target that it is aiming at. The *deep Q-network*
# (Mnih et al., 2015) has two remedies.
#
# **Replay.** Transitions $(s, a, r, s', \text{terminated})$ go into a buffer, a ring: once it is
# full, the newest overwrite the oldest. One learns from batches that are drawn from all of it.
#
# **A target network** $\theta^-$, a copy that follows slowly, computes what is aimed at:
#
# $$ y = r + \gamma\,(1 - \text{terminated}) \max_{a'} Q_{\theta^-}(s', a') . $$
#
# The maximum of noisy estimates is too large on average. **Double DQN** (van Hasselt et al., 2016)
# lets the online network choose the action and the target network say what it is worth:
#
# $$ y = r + \gamma\,(1 - \text{terminated})\; Q_{\theta^-}\bigl(s',
#    \arg\max_{a'} Q_\theta(s', a')\bigr) . $$
#
# Either way $y$ is a **number**: no gradient flows through it, to neither network. The loss is the
# mean over the batch of Huber's, with its usual threshold of 1,
#
# $$ L(\theta) = \frac1N \sum_n \ell\bigl(Q_\theta(s_n, a_n) - y_n\bigr), \qquad
#    \ell(u) = \tfrac12 u^2 \text{ for } \lvert u\rvert \le 1, \;\;
#    \lvert u\rvert - \tfrac12 \text{ beyond} . $$
#
# The target network either is copied every so often or follows in small steps:
# $\theta^- \leftarrow \theta^- + \tau\,(\theta - \theta^-)$ for each parameter ($\tau = 1$ copies).


# %%
class ReplayBuffer:
    """A ring of transitions.

    Args:
        capacity: how many it holds; the newest overwrite the oldest.
    """

    def __init__(self, capacity):
        # BEGIN SOLUTION
        self.capacity, self.pushed, self.parts = capacity, 0, None
        # END SOLUTION

    def __len__(self):
        """How many transitions are in it."""
        # BEGIN SOLUTION
        return min(self.pushed, self.capacity)
        # END SOLUTION

    def push(self, states, actions, rewards, next_states, terminated):
        """Put in copies of m transitions, on no graph, the oldest first.

        Args:
            states, next_states: (m, ...); m from 1 to the capacity.
            actions, rewards, terminated: (m,), of any dtypes, which are kept.
        """
        # BEGIN SOLUTION
        given = states, actions, rewards, next_states, terminated
        if self.parts is None:
            self.parts = [part.new_zeros(self.capacity, *part.shape[1:]) for part in given]
        places = (self.pushed + torch.arange(len(states))) % self.capacity
        for store, part in zip(self.parts, given, strict=True):
            store[places] = part.detach()
        self.pushed += len(states)
        # END SOLUTION

    def sample(self, n):
        """Draw n different transitions, each set of n equally likely.

        Returns:
            (states, actions, rewards, next_states, terminated) of these, n rows each.

        Raises:
            ValueError: there are fewer than n.
        """
        # BEGIN SOLUTION
        if n > len(self):
            raise ValueError(f"{n} of {len(self)} transitions")
        drawn = torch.randperm(len(self))[:n]
        return tuple(store[drawn] for store in self.parts)
        # END SOLUTION


def dqn_targets(online, target, rewards, next_states, terminated, gamma, double=False):
    """What the values of the taken actions are moved towards.

    Args:
        online, target: networks; take (N, ...) states, return (N, A) values.
        rewards: (N,).
        next_states: (N, ...).
        terminated: (N,) bool.
        gamma: γ.
        double: whether the online network chooses the action in the next state.

    Returns:
        (N,), on no graph.
    """
    # BEGIN SOLUTION
    with torch.no_grad():
        values = target(next_states)
        chosen = (online(next_states) if double else values).argmax(dim=1, keepdim=True)
        return rewards + gamma * torch.where(terminated, 0, values.gather(1, chosen)[:, 0])
    # END SOLUTION


def dqn_loss(online, target, batch, gamma, double=False):
    """The loss of a batch.

    Args:
        online, target: networks, as in dqn_targets.
        batch: (states, actions, rewards, next_states, terminated), as ReplayBuffer.sample gives.
        gamma, double: as in dqn_targets.

    Returns:
        A scalar on the graph of online's values of the states alone.
    """
    # BEGIN SOLUTION
    states, actions, rewards, next_states, terminated = batch
    aims = dqn_targets(online, target, rewards, next_states, terminated, gamma, double)
    return F.smooth_l1_loss(online(states).gather(1, actions[:, None])[:, 0], aims)
    # END SOLUTION


def update_target(online, target, tau):
    """Move the target network's parameters towards the online network's, in place.

    Args:
        online, target: networks of the same build; online is not changed.
        tau: τ, from 0 (nothing happens) to 1 (a copy).
    """
    # BEGIN SOLUTION
    with torch.no_grad():
        for ours, theirs in zip(target.parameters(), online.parameters(), strict=True):
            ours += tau * (theirs - ours)
    # END SOLUTION


# %% [markdown]
# **Train an agent.** Act ε-greedily with a falling ε, push what happened, learn from a batch at
# each step, update the target network. Which settings you choose is up to you. With 1200 steps of
# 16 poles, batches of 128, Adam with a learning rate that falls from 0.003, γ = 0.97 and a copy
# every 25 steps it takes two seconds. The judge gives you an `env` of 16 poles, takes the weights
# of the network and lets them hold 100 poles of its own, with the same sensors; then it does so
# again with sensors whose signs are turned round, and the worse of the two counts. 40 steps on
# average and less earn nothing, 120 of 200 and more everything, and in between it rises evenly.


# %%
def train_dqn(env):
    """Train a network by DQN.

    Args:
        env: a Poles that has just been made. Use its n, states and step, and nothing else.

    Returns:
        make_net(2), trained: the action with the larger value is the one to take.
    """
    # BEGIN SOLUTION
    online, steps = make_net(2), 1200
    target, buffer = copy.deepcopy(online), ReplayBuffer(20_000)
    optimizer = torch.optim.Adam(online.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.1, steps)
    for step in range(steps):
        states = env.states
        with torch.no_grad():
            actions = epsilon_greedy(online(states), max(0.05, 1 - step / 400))
        after, rewards, terminated, _ = env.step(actions)
        buffer.push(states, actions, rewards, after, terminated)
        if len(buffer) < 256:
            continue
        optimizer.zero_grad()
        dqn_loss(online, target, buffer.sample(128), 0.97, double=True).backward()
        optimizer.step()
        schedule.step()
        if step % 25 == 0:
            update_target(online, target, 1.0)
    return online
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_replay_buffer():
#     buffer = ReplayBuffer(5)
#     for first in (0, 3, 6):
#         k = torch.arange(first, first + 3)
#         s = k[:, None].double().requires_grad_()
#         buffer.push(s * 1.0, k, -k * 1.0, s + 1.0, k % 2 == 0)
#         k += 100  # what was pushed is the buffer's own
#     assert len(buffer) == 5
#     states, actions, rewards, next_states, terminated = buffer.sample(5)
#     assert sorted(actions.tolist()) == [4, 5, 6, 7, 8], "the newest five, each once"
#     assert not states.requires_grad, "transitions are numbers"
#     assert torch.equal(states[:, 0], actions.double()) and torch.equal(rewards, -actions.float())
#     assert torch.equal(next_states, states + 1) and torch.equal(terminated, actions % 2 == 0)
#     kinds = [part.dtype for part in (states, actions, rewards, terminated)]
#     assert kinds == [torch.float64, torch.int64, torch.float32, torch.bool], "dtypes are kept"
#     pairs = {tuple(sorted(buffer.sample(2)[1].tolist())) for _ in range(300)}
#     assert len(pairs) == 10, "every pair of the five can be drawn"
#     try:
#         buffer.sample(6)
#     except ValueError:
#         pass
#     else:
#         raise AssertionError("six different ones of five?")
#
#
# @self_check
# def check_dqn():
#     online, target = nn.Linear(1, 2, bias=False), nn.Linear(1, 2, bias=False)
#     with torch.no_grad():
#         online.weight.copy_(torch.tensor([[1.0], [2.0]]))
#         target.weight.copy_(torch.tensor([[4.0], [3.0]]))
#     ones, rewards = torch.ones(2, 1), torch.tensor([1.0, 1.0])
#     ends = torch.tensor([False, True])
#     simple = dqn_targets(online, target, rewards, ones, ends, 0.5)
#     double = dqn_targets(online, target, rewards, ones, ends, 0.5, double=True)
#     torch.testing.assert_close(simple, torch.tensor([3.0, 1.0]))
#     torch.testing.assert_close(double, torch.tensor([2.5, 1.0]))
#     assert not simple.requires_grad and not double.requires_grad, "targets are numbers"
#     # Errors of -1.5 and -0.25 (double: -1 and -0.25): Huber's loss is 1 (1/2) and 1/32.
#     actions = torch.tensor([1, 0])
#     batch = (torch.tensor([[0.75], [0.75]]), actions, rewards, ones, ends)
#     loss = dqn_loss(online, target, batch, 0.5)
#     torch.testing.assert_close(loss.detach(), torch.tensor((1 + 1 / 32) / 2))
#     other = dqn_loss(online, target, batch, 0.5, double=True)
#     torch.testing.assert_close(other.detach(), torch.tensor((1 / 2 + 1 / 32) / 2))
#     loss.backward()
#     assert target.weight.grad is None, "the target network is not trained"
#     expected = torch.tensor([[-0.25], [-1.0]]) * 0.75 / 2
#     torch.testing.assert_close(online.weight.grad, expected)
#     update_target(online, target, 0.25)
#     torch.testing.assert_close(target.weight.detach(), torch.tensor([[3.25], [2.75]]))
#     assert online.weight[0] == 1, "online stays"
#
#
# @self_check
# def show_dqn():
#     torch.manual_seed(0)
#     env = Poles(16, seed=1)
#     held = mean_steps(train_dqn(env), Poles(100, env.mix, seed=2))
#     print(f"the trained network holds a pole for {held:.0f} of 200 steps")
#     curves["DQN"] = env.lengths

# %% [markdown]
# ## Question 5 (11 points): REINFORCE
#
# Values were a detour. What we want is a policy $\pi_\theta(a \mid s)$, so let us climb its
# expected return directly. The *policy gradient theorem* says which way is up, without a model of
# the world (REINFORCE; Williams, 1992):
#
# $$ \nabla_\theta J = \mathbb{E} \Bigl[ \sum_t \bigl(G_t - b(s_t)\bigr)\,
#    \nabla_\theta \log \pi_\theta(a_t \mid s_t) \Bigr] . $$
#
# What went better than the **baseline** $b$ is made more likely, what went worse, less. The
# baseline may be anything that does not depend on the action: it changes the noise, not the mean.
# An optimiser wants a loss to lower, with the same gradient:
#
# $$ L = -\frac1n \sum_{i=1}^n (G_i - b_i) \log \pi_\theta(a_i \mid s_i) , $$
#
# in which returns and baselines are **numbers**. A baseline often comes from a network; if a
# gradient flows through it here, the policy's loss trains it to be wrong. Policies grow sure of
# themselves, with logits of hundreds: from here on to PPO, use `log_softmax`, since the logarithm
# of a probability that has been rounded to 0 is $-\infty$.
#
# If one has several episodes from the same start, they can be each other's baseline: for each, the
# mean of **all others**, *leave-one-out* (Kool et al., 2019). No network is needed. With it
# language models are tuned.


# %%
def returns_to_go(rewards, gamma):
    """The return from each step on.

    Args:
        rewards: (T, N), of N episodes, a column each; T at least 1. After the end of a shorter
            one they are 0.
        gamma: γ, from 0 to 1.

    Returns:
        (T, N).
    """
    # BEGIN SOLUTION
    returns, later = torch.empty_like(rewards), torch.zeros_like(rewards[0])
    for t in reversed(range(len(rewards))):
        later = rewards[t] + gamma * later
        returns[t] = later
    return returns
    # END SOLUTION


def leave_one_out(returns):
    """For each episode, the mean return of all others.

    Args:
        returns: (N,), N at least 2.

    Returns:
        (N,).
    """
    # BEGIN SOLUTION
    return (returns.sum() - returns) / (len(returns) - 1)
    # END SOLUTION


def reinforce_loss(logits, actions, returns, baseline):
    """The loss whose gradient is REINFORCE's.

    Args:
        logits: (n, A), of the policy at n steps.
        actions: (n,) int64, those that were taken.
        returns: (n,), from these steps on.
        baseline: (n,); no gradient flows through it, nor through the returns.

    Returns:
        A scalar, the mean over the n steps.
    """
    # BEGIN SOLUTION
    log_probs = logits.log_softmax(dim=1).gather(1, actions[:, None])[:, 0]
    return -((returns - baseline).detach() * log_probs).mean()
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_returns():
#     rewards = torch.tensor([[1.0, 0.0], [0.0, 2.0], [4.0, 0.0]]).double()
#     expected = torch.tensor([[2.0, 1.0], [2.0, 2.0], [4.0, 0.0]]).double()
#     torch.testing.assert_close(returns_to_go(rewards, 0.5), expected)
#     torch.testing.assert_close(returns_to_go(rewards, 0.0), rewards)
#     assert rewards[0, 0] == 1, "the rewards have changed"
#     found = leave_one_out(torch.tensor([1.0, 2.0, 6.0]))
#     torch.testing.assert_close(found, torch.tensor([4.0, 3.5, 1.5]))
#
#
# @self_check
# def check_reinforce():
#     logits = torch.zeros(2, 2, requires_grad=True)
#     returns = torch.tensor([3.0, 1.0], requires_grad=True)
#     baseline = torch.tensor([1.0, 2.0], requires_grad=True)
#     loss = reinforce_loss(logits, torch.tensor([0, 1]), returns, baseline)
#     # -(2 ln ½ - 1 ln ½) / 2
#     torch.testing.assert_close(loss.detach(), torch.tensor(0.5).log() / -2)
#     loss.backward()
#     torch.testing.assert_close(logits.grad, torch.tensor([[-0.5, 0.5], [-0.25, 0.25]]))
#     assert baseline.grad is None, "a gradient has reached the baseline"
#     assert returns.grad is None, "a gradient has reached the returns"
#
#
# @self_check
# def check_sure_policy():
#     sure, two, one = torch.tensor([[400.0, 0.0]]), torch.tensor([2.0]), torch.tensor([1.0])
#     loss = reinforce_loss(sure, torch.tensor([1]), two, one)
#     torch.testing.assert_close(loss, torch.tensor(400.0))
#
#
# @self_check
# def show_noise_of_gradients():
#     torch.manual_seed(0)
#     worth = torch.tensor([10.0, 11.0, 12.0])  # three actions, no state
#     for name, baseline in {"no baseline": 0.0, "mean return": 11.0}.items():
#         grads = []
#         for _ in range(300):
#             logits, actions = torch.zeros(3, requires_grad=True), torch.randint(3, (8,))
#             loss = reinforce_loss(logits.expand(8, 3), actions, worth[actions],
#                                   torch.full((8,), baseline))
#             grads.append(torch.autograd.grad(loss, logits)[0])
#         grads = torch.stack(grads)
#         print(f"{name}: mean {[round(g, 2) for g in grads.mean(0).tolist()]}, "
#               f"spread {grads.std(0).mean():.2f}")

# %% [markdown]
# **Written, 4 points.** Answer in the cell below, in five to ten sentences.
#
# 1. Show that a baseline $b(s)$ leaves the expected gradient as it is. At which step of the proof
#    does it matter that $b$ does not depend on the action?
# 2. Someone subtracts from each of $N$ returns the mean of *all* $N$, their own included. That
#    baseline depends on the action. How is $G_i - \bar G$ related to $G_i$ minus the leave-one-out
#    baseline, and what does it therefore do to the expected gradient? What happens if the result is
#    divided by the standard deviation of the $N$ returns as well, and all returns happen to be
#    nearly equal?

# %% [markdown]
# **Answer q5.**
#
# <!-- BEGIN SOLUTION -->
# 1. For a fixed state, $\mathbb{E}_a[b(s) \nabla \log \pi(a \mid s)] = b(s) \sum_a \pi(a \mid s)
#    \frac{\nabla \pi(a \mid s)} {\pi(a \mid s)} = b(s)\, \nabla \sum_a \pi(a \mid s) = b(s)\,
#    \nabla 1 = 0$. Taking $b(s)$ in front of the sum over actions is the step that needs it not to
#    depend on $a$; with $b(s, a)$ the sum would be $\sum_a b(s, a) \nabla \pi(a \mid s)$, which is
#    not zero in general.
#
# 2. With $B_i$ the mean of the others, $\bar G = \frac1N G_i + \frac{N-1}N B_i$, so $G_i - \bar G =
#    \frac{N-1}{N}(G_i - B_i)$. The leave-one-out baseline does not depend on the episode's own
#    actions, so its gradient is unbiased; the other is the same times $(N - 1)/N$: too short, but
#    in the right direction, which the learning rate makes up for. Division by the standard
#    deviation is another matter: it depends on all returns and weighs groups differently. Where all
#    returns are nearly equal, there is hardly anything to learn, and the division blows tiny
#    differences, mostly noise, up to size one (or divides zero by zero).
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 6 (9 points): actor–critic, and GAE
#
# A return to go holds the luck of all steps that follow. A *critic* $V(s)$ can say after one step
# how things are going: the *TD error*
#
# $$ \delta_t = r_t + \gamma\,(1 - \text{terminated}_t)\, V(s'_t) - V(s_t) $$
#
# is little noise, but wrong as far as the critic is wrong. **Generalized advantage estimation**
# (Schulman et al., 2016) has everything in between,
#
# $$ A_t = \sum_{k \ge 0} (\gamma\lambda)^k\, \delta_{t+k}
#    \qquad\text{or}\qquad A_t = \delta_t + \gamma\lambda\, A_{t+1} , $$
#
# where the sum ends with the episode: $A_{t+1}$ counts as 0 where step $t$ was **terminated or
# truncated**, because step $t+1$ belongs to another episode, and at the end of the recording. With
# λ = 0 it is δ, with λ = 1 the return to go (with the critic's word for what comes after a cut)
# minus $V(s_t)$.
#
# So the two ends differ, and this is where most code goes wrong:
#
# | | $\gamma V(s')$ in δ | carried on from $A_{t+1}$ |
# |---|---|---|
# | goes on | yes | yes |
# | truncated | **yes** | no |
# | terminated | no | no |
#
# $V(s'_t)$ is the value of the state to which the action has led, *not* of the first state of the
# next episode. Therefore `next_values` is a tensor of its own.
#
# The critic learns towards $A_t + V(s_t)$. Both losses, and a bonus for entropy
# $H = -\sum_a \pi(a) \log \pi(a)$ which keeps the policy from settling too early, make up
#
# $$ L = \frac1n \sum_i \Bigl( -A_i \log \pi(a_i \mid s_i) + c_v\,(V(s_i) - \text{target}_i)^2
#    - c_e\, H(\pi(\cdot \mid s_i)) \Bigr) , $$
#
# with advantages and targets as numbers.


# %%
def td_errors(rewards, values, next_values, terminated, gamma):
    """TD errors of N worlds side by side.

    Args:
        rewards: (T, N).
        values: (T, N), V of the states in which the actions were taken.
        next_values: (T, N), V of the states to which they led, also where an episode is over.
        terminated: (T, N) bool.
        gamma: γ.

    Returns:
        (T, N).
    """
    # BEGIN SOLUTION
    return rewards + gamma * torch.where(terminated, 0, next_values) - values
    # END SOLUTION


def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    """Generalized advantage estimation.

    Args:
        rewards, values, next_values, terminated: as in td_errors; T at least 1.
        truncated: (T, N) bool.
        gamma, lam: γ and λ, from 0 to 1.

    Returns:
        (advantages, targets): (T, N) each, on no graph; targets are advantages plus values.
    """
    # BEGIN SOLUTION
    errors = td_errors(rewards, values, next_values, terminated, gamma).detach()
    goes_on = ~(terminated | truncated)
    advantages, later = torch.empty_like(errors), torch.zeros_like(errors[0])
    for t in reversed(range(len(errors))):
        later = errors[t] + gamma * lam * torch.where(goes_on[t], later, 0)
        advantages[t] = later
    return advantages, advantages + values.detach()
    # END SOLUTION


def actor_critic_loss(
    logits, values, actions, advantages, targets, value_weight=0.5, entropy_weight=0.01
):
    """The loss of policy and critic together.

    Args:
        logits: (n, A), of the policy.
        values: (n,), of the critic.
        actions: (n,) int64.
        advantages, targets: (n,); no gradient flows through them.
        value_weight, entropy_weight: c_v and c_e.

    Returns:
        A scalar, the mean over the n steps.
    """
    # BEGIN SOLUTION
    log_probs = logits.log_softmax(dim=1)
    entropy = -(log_probs.exp() * log_probs).sum(dim=1).mean()
    taken = log_probs.gather(1, actions[:, None])[:, 0]
    actor = -(advantages.detach() * taken).mean()
    return actor + value_weight * F.mse_loss(values, targets.detach()) - entropy_weight * entropy
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_gae():
#     rewards = torch.tensor([1.0, 1.0, 1.0, 1.0]).double()[:, None]
#     values = torch.tensor([2.0, 0.0, 4.0, 0.0]).double()[:, None]
#     next_values = torch.tensor([0.0, 8.0, 6.0, 2.0]).double()[:, None]
#     terminated = torch.tensor([False, False, True, False])[:, None]
#     truncated = torch.tensor([False, True, False, False])[:, None]
#     errors = td_errors(rewards, values, next_values, terminated, 0.5)
#     torch.testing.assert_close(errors[:, 0], torch.tensor([-1.0, 5.0, -3.0, 2.0]).double())
#     ends = (terminated, truncated)
#     advantages, targets = gae(rewards, values, next_values, *ends, 0.5, 0.5)
#     # Only the first step goes on: its neighbour counts a quarter.
#     torch.testing.assert_close(advantages[:, 0], torch.tensor([0.25, 5.0, -3.0, 2.0]).double())
#     torch.testing.assert_close(targets, advantages + values)
#     short, _ = gae(rewards, values, next_values, *ends, 0.5, 0.0)
#     torch.testing.assert_close(short, errors)
#     tracked = [v.clone().requires_grad_() for v in (values, next_values)]
#     on_graph = gae(rewards, *tracked, *ends, 0.5, 0.5)
#     assert not any(part.requires_grad for part in on_graph), "advantages and targets are numbers"
#
#
# @self_check
# def check_entropy():
#     one, none = torch.tensor([1]), torch.zeros(1)  # no advantage, no error: entropy is left
#     for gap, entropy, slope in ((1.0, 0.582203, 0.196612), (400.0, 0.0, 0.0)):
#         logits = torch.tensor([[gap, 0.0]], requires_grad=True)
#         loss = actor_critic_loss(logits, none, one, none, none, 0.5, 1.0)
#         torch.testing.assert_close(loss.detach(), torch.tensor(-entropy))
#         loss.backward()
#         torch.testing.assert_close(logits.grad, torch.tensor([[slope, -slope]]))
#
#
# @self_check
# def check_actor_critic():
#     logits, values = torch.zeros(2, 2, requires_grad=True), torch.tensor([1.0, 2.0])
#     values.requires_grad_()
#     numbers = torch.tensor([[2.0, -1.0], [2.0, 2.0]], requires_grad=True)
#     actions = torch.tensor([0, 1])
#     loss = actor_critic_loss(logits, values, actions, *numbers.unbind(), 0.5, 0.1)
#     half = torch.tensor(2.0).log()
#     torch.testing.assert_close(loss.detach(), half / 2 + 0.5 * 0.5 - 0.1 * half)
#     loss.backward()
#     torch.testing.assert_close(values.grad, torch.tensor([-0.5, 0.0]))
#     assert numbers.grad is None, "a gradient has reached advantages or targets"
#     torch.testing.assert_close(logits.grad, torch.tensor([[-0.5, 0.5], [-0.25, 0.25]]))

# %% [markdown]
# ## Question 7 (16 points): PPO
#
# The gradient of REINFORCE is right for the policy that has collected the data; after one step of
# the optimiser that policy is gone. To take many steps from one recording, weigh each action by how
# much more likely it has become, the *ratio*
#
# $$ \rho = \frac{\pi_\theta(a \mid s)}{\pi_\text{old}(a \mid s)}
#    = \exp\bigl(\log \pi_\theta(a \mid s) - \log \pi_\text{old}(a \mid s)\bigr), $$
#
# and don't let the new policy gain by going far. **PPO** (Schulman et al., 2017):
#
# $$ L = -\frac1n \sum_i \min\bigl( \rho_i A_i,\;
#    \operatorname{clip}(\rho_i, 1 - \epsilon, 1 + \epsilon)\, A_i \bigr) . $$
#
# Whoever trains with it watches two numbers. The share of the ratios that lie outside of $[1 -
# \epsilon, 1 + \epsilon]$, and an estimate of $\mathrm{KL}(\pi_\text{old} \,\Vert\, \pi_\theta)$
# from the actions that were taken, the mean of $(\rho - 1) - \log \rho$. Its expectation is the KL
# divergence, like that of $-\log \rho$, but it is never negative.


# %%
def ppo_loss(logits, actions, old_log_probs, advantages, clip=0.2):
    """PPO's clipped loss.

    Args:
        logits: (n, A), of the policy as it is now.
        actions: (n,) int64, that the old policy has taken.
        old_log_probs: (n,), log π_old of these.
        advantages: (n,), used as they are given. No gradient flows through them, nor through
            old_log_probs.
        clip: ε.

    Returns:
        A scalar, the mean over the n steps.
    """
    # BEGIN SOLUTION
    log_probs = logits.log_softmax(dim=1).gather(1, actions[:, None])[:, 0]
    ratio = (log_probs - old_log_probs.detach()).exp()
    gains = advantages.detach()
    return -torch.minimum(ratio * gains, ratio.clamp(1 - clip, 1 + clip) * gains).mean()
    # END SOLUTION


def ppo_diagnostics(log_probs, old_log_probs, clip=0.2):
    """How far a policy has gone from the one that collected the data.

    Args:
        log_probs, old_log_probs: (n,), of the taken actions, now and then.
        clip: ε.

    Returns:
        (kl, share): floats. The mean of (ρ - 1) - log ρ; the share of ratios outside of
        [1 - ε, 1 + ε].
    """
    # BEGIN SOLUTION
    change = log_probs - old_log_probs
    ratio = change.exp()
    return (ratio - 1 - change).mean().item(), ((ratio - 1).abs() > clip).double().mean().item()
    # END SOLUTION


# %% [markdown]
# **Train an agent.** Again and again: record some steps of all poles with actions *drawn* from the
# policy (`torch.multinomial`), and for each the log-probability of its action; compute advantages
# with your `gae`; bring those of the whole recording to mean 0 and standard deviation 1; take a few
# epochs of mini-batches through policy (`ppo_loss`) and critic (mean squared error). With 64 steps
# for each of 30 recordings, 4 epochs of mini-batches of 256, Adam with a learning rate that falls
# from 0.003, γ = 0.98 and λ = 0.98 it takes two seconds. It is judged as the DQN is; the judge's
# `env` has 32 poles.


# %%
def train_ppo(env):
    """Train a policy by PPO.

    Args:
        env: a Poles that has just been made. Use its n, states and step, and nothing else.

    Returns:
        make_net(2), trained: logits of the two actions. The judge takes the likelier one.
    """
    # BEGIN SOLUTION
    policy, critic, rounds = make_net(2), make_net(1), 30
    parameters = [*policy.parameters(), *critic.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=3e-3)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.05, rounds)
    for _ in range(rounds):
        record = []
        with torch.no_grad():
            for _ in range(64):
                states = env.states
                log_probs = policy(states).log_softmax(dim=1)
                actions = torch.multinomial(log_probs.exp(), 1)
                after, rewards, terminated, truncated = env.step(actions[:, 0])
                taken = log_probs.gather(1, actions)[:, 0]
                record.append((states, actions[:, 0], taken, rewards, after, terminated, truncated))
            parts = [torch.stack(part) for part in zip(*record, strict=True)]
            states, actions, taken, rewards, after, terminated, truncated = parts
            values, next_values = critic(states)[..., 0], critic(after)[..., 0]
            ends = (terminated, truncated)
            advantages, targets = gae(rewards, values, next_values, *ends, 0.98, 0.98)
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        flat = [part.flatten(0, 1) for part in (states, actions, taken, advantages, targets)]
        for _ in range(4):
            for batch in torch.randperm(len(flat[0])).split(256):
                s, a, old, advantage, aim = (part[batch] for part in flat)
                optimizer.zero_grad()
                loss = ppo_loss(policy(s), a, old, advantage) + F.mse_loss(critic(s)[:, 0], aim)
                loss.backward()
                optimizer.step()
        schedule.step()
    return policy
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_ppo_loss():
#     # Four actions of probability ½ each now, that had ¼ or 1: ratios 2 and ½, both signs of A.
#     logits = torch.zeros(4, 2, requires_grad=True)
#     old = torch.tensor([0.25, 0.25, 1.0, 1.0]).log().requires_grad_()
#     advantages = torch.tensor([1.0, -1.0, 1.0, -1.0], requires_grad=True)
#     loss = ppo_loss(logits, torch.tensor([0, 0, 0, 0]), old, advantages, clip=0.2)
#     torch.testing.assert_close(loss.detach(), torch.tensor(-(1.2 - 2 + 0.5 - 0.8) / 4))
#     loss.backward()
#     moves = logits.grad[:, 0].abs() > 0
#     assert moves.tolist() == [False, True, True, False], "where has it got no gradient?"
#     assert old.grad is None, "the old policy is not trained"
#     assert advantages.grad is None, "a gradient has reached the advantages"
#
#
# @self_check
# def check_ppo_diagnostics():
#     now, then = torch.tensor([0.5, 0.5, 0.5]).log(), torch.tensor([0.25, 0.5, 1.0]).log()
#     kl, share = ppo_diagnostics(now, then)  # ratios 2, 1 and 1/2, whose logarithms cancel
#     assert abs(kl - 0.5 / 3) < 1e-6 and abs(share - 2 / 3) < 1e-6
#
#
# @self_check
# def check_ppo_of_a_sure_policy():
#     sure, old = torch.tensor([[400.0, 0.0]]), torch.tensor([-400.0])
#     loss = ppo_loss(sure, torch.tensor([1]), old, torch.tensor([3.0]))
#     torch.testing.assert_close(loss, torch.tensor(-3.0))
#     less = torch.tensor([0.81]).log()  # a ratio of 0.81 is within 1 ± 0.2, not within 1 ± 0.1
#     shares = [ppo_diagnostics(less, torch.zeros(1), clip)[1] for clip in (0.2, 0.1)]
#     assert shares == [0, 1], f"shares of {shares}"
#
#
# @self_check
# def show_ppo():
#     torch.manual_seed(0)
#     env = Poles(32, seed=1)
#     held = mean_steps(train_ppo(env), Poles(100, env.mix, seed=2))
#     print(f"the trained policy holds a pole for {held:.0f} of 200 steps")
#     curves["PPO"] = env.lengths
#     figure, axes = plt.subplots(figsize=(6, 3))
#     for name, lengths in curves.items():
#         smooth = torch.tensor(lengths).double().unfold(0, 50, 10).mean(dim=1)
#         axes.plot(torch.linspace(0, 1, len(smooth)), smooth, label=name)
#     axes.axhline(random_steps, color="0.6", linestyle=":", label="random actions")
#     axes.set(xlabel="share of the finished episodes", ylabel="steps, mean of 50")
#     axes.legend()
#     plt.show()

# %% [markdown]
# **Written, 4 points.** Answer in the cell below, in five to ten sentences.
#
# 1. For $A > 0$ and $A < 0$, and for $\rho$ below, within and above $[1 - \epsilon, 1 + \epsilon]$,
#    say where the loss has no gradient. What would go wrong with the clipped term alone, without
#    the minimum?
# 2. In the very first step on a new recording all ratios are 1. Which gradient does the loss have
#    there, and what has been clipped? Why, then, can ratios still leave the interval, and how would
#    you notice that the epochs were too many?

# %% [markdown]
# **Answer q7.**
#
# <!-- BEGIN SOLUTION -->
# 1. Within the interval both terms are equal and the gradient flows. For $A > 0$ the smaller term
#    is the clipped one above $1 + \epsilon$: no gradient there, the action has been made likelier
#    by enough; below $1 - \epsilon$ the unclipped one is smaller and the gradient flows. For $A <
#    0$ it is the other way round: none below $1 - \epsilon$, and a gradient above $1 + \epsilon$.
#    With the clipped term alone, an action that is good and has become *less* likely (by other
#    samples' steps), or bad and more likely, would have no gradient either: the mistake could never
#    be mended. The minimum is a lower bound of the gain that gives no reward for going far and full
#    punishment for going wrong.
#
# 2. Ratios of 1 have the gradient $\nabla \rho = \nabla \log \pi$: it is that of the plain
#    actor–critic, and nothing is clipped. Clipping takes away the reason to go further, but it
#    holds nothing back: a sample within the interval may be carried out of it by one large step,
#    and one that is outside keeps moving with the gradients of the others, since they share their
#    weights. Too many epochs are seen in the estimate of KL and in the share of clipped ratios,
#    which rise from epoch to epoch, while the gain on new data falls; one stops the epochs when KL
#    crosses a bound such as 0.02.
# <!-- END SOLUTION -->

# %% [markdown] tags=["instructor"]
# **For instructors.** The bands were set with 20 seeds. A table of Question 3 is judged by the
# exact value of its greedy policy in the start, as a share of the way from random actions to the
# best policy, in the mean of two grids of slippery ground (slip 0.1) whose states and actions are
# numbered at random. Agents of Questions 4 and 7 are judged by the mean number of steps for which
# 100 poles stay up, of 200; each is trained twice, with a mixture of sensors and with its negative,
# and the worse counts.
#
# | | mean | standard deviation | worst |
# |---|---|---|---|
# | Q-learning, ε = 0.3, 400 episodes, larger grids | 99.1 % | 1.1 % | 94.4 % |
# | Q-learning, ε = 1, 300 episodes, smaller grids | 99.8 % | 0.3 % | 99.0 % |
# | a table of zeros or of noise | medians of −18 to 0 % | | best of 240: 39 % |
# | DQN as above, the worse of two trainings of 2 s | 199.2 | 1.4 | 194.7 |
# | PPO as above, the worse of two trainings of 2 s | 188.0 | 14.0 | 150.2 |
# | random actions | 20.8 | 1.1 | best: 22.7 |
# | a network that was not trained, one mixture alone | 19.2 | 38.0 | best of 200: 200 |
#
# Full marks begin at 90 % and at 120 steps, more than four standard deviations below the mean of
# each. One network in fifteen that was not trained holds one pole for more than 60 steps by luck,
# and a policy that was written by hand for sensors as they are does so for one mixture in four.
# Both are odd or nearly so: what holds a pole pushes it over where all signs are turned round. That
# is why both worlds are asked.
#
# The usual mistakes, each of which a test tells apart: truncated for terminated, in the table and
# in GAE; a gradient through targets, baselines or advantages; ties that are always broken alike; a
# value iteration that stops at the size of a step; the count of a pull before it was added; double
# DQN in which one network chooses and judges; the clipped term of PPO alone.
