# Formulas nearly right: the count before the pull, argmax for ties, a naive rule for stopping, the same
# network chooses and judges in double DQN, a squared error for Huber's, the mean of all returns as
# baseline, entropy with the wrong sign, clipping without the minimum.

# %% update_mean
def update_mean(values, counts, arms, rewards):
    row = torch.arange(len(arms))
    values, counts = values.clone(), counts.clone()
    values[row, arms] += (rewards - values[row, arms]) / counts[row, arms].clamp(min=1)
    counts[row, arms] += 1
    return values, counts

# %% epsilon_greedy
def epsilon_greedy(values, epsilon):
    greedy = values.argmax(dim=1)
    drawn = torch.randint(values.shape[1], greedy.shape)
    return torch.where(torch.rand(greedy.shape) < epsilon, drawn, greedy)

# %% value_iteration
def value_iteration(P, R, gamma, tol=1e-6):
    v = torch.zeros(len(P), dtype=P.dtype)
    while True:
        new = action_values(P, R, gamma, v).amax(dim=1)
        if (new - v).abs().max() <= tol:
            return new
        v = new

# %% dqn_targets
def dqn_targets(online, target, rewards, next_states, terminated, gamma, double=False):
    with torch.no_grad():
        values = (online if double else target)(next_states).amax(dim=1)
        return rewards + gamma * torch.where(terminated, 0, values)

# %% dqn_loss
def dqn_loss(online, target, batch, gamma, double=False):
    states, actions, rewards, next_states, terminated = batch
    aims = dqn_targets(online, target, rewards, next_states, terminated, gamma, double)
    return F.mse_loss(online(states).gather(1, actions[:, None])[:, 0], aims)

# %% leave_one_out
def leave_one_out(returns):
    return returns.mean().expand(len(returns))

# %% actor_critic_loss
def actor_critic_loss(
    logits, values, actions, advantages, targets, value_weight=0.5, entropy_weight=0.01
):
    log_probs = logits.log_softmax(dim=1)
    entropy = -(log_probs.exp() * log_probs).sum(dim=1).mean()
    taken = log_probs.gather(1, actions[:, None])[:, 0]
    actor = -(advantages.detach() * taken).mean()
    return actor + value_weight * F.mse_loss(values, targets.detach()) + entropy_weight * entropy

# %% ppo_loss
def ppo_loss(logits, actions, old_log_probs, advantages, clip=0.2):
    log_probs = logits.log_softmax(dim=1).gather(1, actions[:, None])[:, 0]
    ratio = (log_probs - old_log_probs.detach()).exp()
    return -(ratio.clamp(1 - clip, 1 + clip) * advantages.detach()).mean()


# %% train_dqn, train_ppo: as released
