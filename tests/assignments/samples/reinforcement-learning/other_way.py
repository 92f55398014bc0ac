# Fully right in another way: sums and counts, loops over rows, lists of transitions, distributions
# of PyTorch, sums of TD errors; other settings of the agents, single DQN and a slow target.

# %% update_mean
def update_mean(values, counts, arms, rewards):
    pulled = F.one_hot(arms, values.shape[1])
    sums = values * counts + pulled * rewards[:, None]
    counts = counts + pulled
    means = sums / counts.clamp(min=1)
    return torch.where(pulled.bool(), means, values), counts

# %% epsilon_greedy
def epsilon_greedy(values, epsilon):
    actions = []
    for row, coin in zip(values, torch.rand(len(values)).tolist()):
        if coin < epsilon:
            actions.append(int(torch.randint(len(row), ())))
        else:
            best = (row == row.max()).nonzero()[:, 0]
            actions.append(int(best[torch.randint(len(best), ())]))
    return torch.tensor(actions)

# %% ucb
def ucb(values, counts, c):
    bonus = c * torch.sqrt(torch.log(counts.sum(1, keepdim=True).to(values.dtype)) / counts)
    bound = torch.where(counts == 0, torch.inf, values + bonus)
    return torch.stack([(row == row.max()).nonzero()[0, 0] for row in bound])

# %% cumulative_regret
def cumulative_regret(means, arms):
    total, found = torch.zeros(len(means), dtype=means.dtype), []
    for column in arms.T:
        total = total + means.max(1).values - means[torch.arange(len(means)), column]
        found.append(total)
    return torch.stack(found, 1)

# %% action_values
def action_values(P, R, gamma, v):
    return torch.einsum("sat,sat->sa", P, R) + gamma * P @ v

# %% policy_values
def policy_values(P, R, gamma, pi):
    moves = torch.einsum("sa,sat->st", pi, P)
    rewards = torch.einsum("sa,sat,sat->s", pi, P, R)
    return torch.linalg.inv(torch.eye(len(P), dtype=P.dtype) - gamma * moves) @ rewards

# %% value_iteration
def value_iteration(P, R, gamma, tol=1e-6):
    v, bound = torch.zeros(len(P), dtype=P.dtype), R.abs().max().item() / (1 - gamma)
    while bound > tol / 2:
        v, bound = action_values(P, R, gamma, v).max(1).values, bound * gamma
    return v

# %% policy_iteration
def policy_iteration(P, R, gamma):
    actions = [0] * len(P)
    while True:
        pi = torch.zeros(P.shape[:2], dtype=P.dtype)
        for s, a in enumerate(actions):
            pi[s, a] = 1
        v = policy_values(P, R, gamma, pi)
        changed = False
        for s, row in enumerate(action_values(P, R, gamma, v).tolist()):
            for a, worth in enumerate(row):
                if worth > row[actions[s]] + 1e-9:
                    actions[s], changed = a, True
        if not changed:
            return torch.tensor(actions), v

# %% q_update
def q_update(q, s, a, reward, s2, terminated, alpha, gamma):
    aim = reward + gamma * max(q[s2].tolist()) * (not terminated)
    error = float(aim - q[s, a])
    q[s][a] = (1 - alpha) * q[s, a] + alpha * aim
    return error

# %% q_learning
def q_learning(env, episodes, alpha, gamma, epsilon):
    table = [[0.0] * env.n_actions for _ in range(env.n_states)]
    for _ in range(episodes):
        s = env.reset()
        while True:
            if torch.rand(()) < epsilon:
                a = int(torch.randint(env.n_actions, ()))
            else:
                best = [k for k, worth in enumerate(table[s]) if worth == max(table[s])]
                a = best[int(torch.randint(len(best), ()))]
            after, reward, terminated, truncated = env.step(a)
            aim = reward if terminated else reward + gamma * max(table[after])
            table[s][a] += alpha * (aim - table[s][a])
            s = after
            if terminated or truncated:
                break
    return torch.tensor(table, dtype=torch.float64)

# %% ReplayBuffer
class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity, self.rows = capacity, []

    def __len__(self):
        return len(self.rows)

    def push(self, *parts):
        self.rows += zip(*(part.detach().clone() for part in parts))
        self.rows = self.rows[-self.capacity :]

    def sample(self, n):
        if n > len(self.rows):
            raise ValueError("too many")
        drawn = [self.rows[k] for k in torch.randperm(len(self.rows))[:n].tolist()]
        return tuple(torch.stack(part) for part in zip(*drawn))

# %% dqn_targets
def dqn_targets(online, target, rewards, next_states, terminated, gamma, double=False):
    later = target(next_states).detach()
    rows = torch.arange(len(rewards))
    best = online(next_states).argmax(1) if double else later.argmax(1)
    return rewards + gamma * later[rows, best] * (1 - terminated.to(rewards.dtype))

# %% dqn_loss
def dqn_loss(online, target, batch, gamma, double=False):
    states, actions, *rest = batch
    taken = (online(states) * F.one_hot(actions, online(states).shape[1])).sum(1)
    return F.huber_loss(taken, dqn_targets(online, target, *rest, gamma, double))

# %% update_target
def update_target(online, target, tau):
    for ours, theirs in zip(target.parameters(), online.parameters()):
        ours.data.lerp_(theirs.data, tau)

# %% train_dqn
def train_dqn(env):
    online, memory = make_net(2), []
    target = copy.deepcopy(online)
    optimizer = torch.optim.RMSprop(online.parameters(), lr=1e-3)
    for step in range(1500):
        states = env.states
        with torch.no_grad():
            best = online(states).argmax(1)
        explore = torch.rand(env.n) < max(0.05, 1 - step / 500)
        actions = torch.where(explore, torch.randint(2, (env.n,)), best)
        after, rewards, terminated, _ = env.step(actions)
        memory.append((states, actions, rewards, after, terminated))
        if step >= 20:
            drawn = [memory[k] for k in torch.randint(len(memory), (8,)).tolist()]
            batch = [torch.cat(part) for part in zip(*drawn)]
            optimizer.zero_grad()
            dqn_loss(online, target, batch, 0.97).backward()
            optimizer.step()
            update_target(online, target, 0.05)
    return online

# %% returns_to_go
def returns_to_go(rewards, gamma):
    steps = len(rewards)
    later = torch.arange(steps)[None, :] - torch.arange(steps)[:, None]
    factors = torch.where(later >= 0, float(gamma) ** later.clamp(min=0).to(rewards.dtype), 0)
    return factors @ rewards

# %% leave_one_out
def leave_one_out(returns):
    n = len(returns)
    return (returns.expand(n, n) * (1 - torch.eye(n, dtype=returns.dtype))).sum(1) / (n - 1)

# %% reinforce_loss
def reinforce_loss(logits, actions, returns, baseline):
    with torch.no_grad():
        gains = returns - baseline
    return (F.cross_entropy(logits, actions, reduction="none") * gains).mean()

# %% td_errors
def td_errors(rewards, values, next_values, terminated, gamma):
    return rewards + gamma * next_values * (~terminated).to(values.dtype) - values

# %% gae
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    with torch.no_grad():
        errors = td_errors(rewards, values, next_values, terminated, gamma)
        found = errors.clone()
        for t in range(len(errors)):
            weight = torch.ones_like(errors[0])
            for k in range(t + 1, len(errors)):
                weight = weight * gamma * lam * ~(terminated[k - 1] | truncated[k - 1])
                found[t] += weight * errors[k]
        return found, found + values

# %% actor_critic_loss
def actor_critic_loss(
    logits, values, actions, advantages, targets, value_weight=0.5, entropy_weight=0.01
):
    policy = torch.distributions.Categorical(logits=logits)
    each = -advantages.detach() * policy.log_prob(actions)
    each = each + value_weight * (values - targets.detach()) ** 2
    return (each - entropy_weight * policy.entropy()).mean()

# %% ppo_loss
def ppo_loss(logits, actions, old_log_probs, advantages, clip=0.2):
    policy = torch.distributions.Categorical(logits=logits)
    ratio = torch.exp(policy.log_prob(actions) - old_log_probs.detach())
    gains = advantages.detach()
    losses = [-gains * ratio, -gains * torch.clamp(ratio, 1 - clip, 1 + clip)]
    return torch.max(*losses).mean()

# %% ppo_diagnostics
def ppo_diagnostics(log_probs, old_log_probs, clip=0.2):
    ratio = torch.exp(log_probs - old_log_probs)
    outside = (ratio < 1 - clip) | (ratio > 1 + clip)
    return float((ratio - 1 - ratio.log()).mean()), float(outside.float().mean())

# %% train_ppo
def train_ppo(env):
    policy, critic = make_net(2), make_net(1)
    optimizer = torch.optim.Adam([*policy.parameters(), *critic.parameters()], lr=2e-3)
    for _ in range(40):
        rows = []
        for _ in range(64):
            states = env.states
            with torch.no_grad():
                chances = torch.distributions.Categorical(logits=policy(states))
                actions = chances.sample()
                after, rewards, terminated, truncated = env.step(actions)
                rows.append(
                    [states, actions, chances.log_prob(actions), rewards, critic(states)[:, 0],
                     critic(after)[:, 0], terminated, truncated]
                )
        states, actions, old, rewards, values, following, terminated, truncated = (
            torch.stack(part) for part in zip(*rows)
        )
        gains, aims = gae(rewards, values, following, terminated, truncated, 0.98, 0.97)
        gains = (gains - gains.mean()) / gains.std()
        for _ in range(5):
            for k in torch.randperm(64).split(8):
                s, a, o, g, aim = (x[k].flatten(0, 1) for x in (states, actions, old, gains, aims))
                loss = ppo_loss(policy(s), a, o, g) + F.mse_loss(critic(s)[:, 0], aim)
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
    return policy
