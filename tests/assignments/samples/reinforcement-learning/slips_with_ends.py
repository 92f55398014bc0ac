# Ends of episodes and graphs: a truncated episode taken for the end of the world, in the table and in
# GAE; advantages carried over a truncation; targets and baselines through which gradients flow; a
# buffer that keeps what it was given.

# %% q_learning
def q_learning(env, episodes, alpha, gamma, epsilon):
    q = torch.zeros(env.n_states, env.n_actions, dtype=torch.float64)
    for _ in range(episodes):
        s, over = env.reset(), False
        while not over:
            a = int(epsilon_greedy(q[s].unsqueeze(0), epsilon))
            s2, reward, terminated, truncated = env.step(a)
            over = terminated or truncated
            q_update(q, s, a, reward, s2, over, alpha, gamma)
            s = s2
    return q

# %% ReplayBuffer
class ReplayBuffer:
    def __init__(self, capacity):
        self.capacity, self.rows = capacity, []

    def __len__(self):
        return len(self.rows)

    def push(self, *parts):
        self.rows = (self.rows + list(zip(*parts)))[-self.capacity :]

    def sample(self, n):
        if n > len(self.rows):
            raise ValueError("too many")
        drawn = [self.rows[k] for k in torch.randperm(len(self.rows))[:n].tolist()]
        return tuple(torch.stack(part) for part in zip(*drawn))

# %% dqn_targets
def dqn_targets(online, target, rewards, next_states, terminated, gamma, double=False):
    values = target(next_states)
    chosen = (online(next_states) if double else values).argmax(dim=1, keepdim=True)
    return rewards + gamma * torch.where(terminated, 0, values.gather(1, chosen)[:, 0])

# %% reinforce_loss
def reinforce_loss(logits, actions, returns, baseline):
    log_probs = logits.log_softmax(dim=1).gather(1, actions[:, None])[:, 0]
    return -((returns - baseline) * log_probs).mean()

# %% gae
def gae(rewards, values, next_values, terminated, truncated, gamma, lam):
    errors = td_errors(rewards, values, next_values, terminated, gamma)
    advantages, later = [], torch.zeros_like(errors[0])
    for t in reversed(range(len(errors))):
        later = errors[t] + gamma * lam * torch.where(terminated[t], 0, later)
        advantages.append(later)
    advantages = torch.stack(advantages[::-1])
    return advantages, advantages + values


# %% train_dqn, train_ppo: as released
