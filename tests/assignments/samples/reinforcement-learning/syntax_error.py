# A colon is missing in gae, and with it PPO has no advantages.

# %% gae
def gae(rewards, values, next_values, terminated, truncated, gamma, lam)
    errors = td_errors(rewards, values, next_values, terminated, gamma).detach()
    goes_on = ~(terminated | truncated)
    advantages, later = torch.empty_like(errors), torch.zeros_like(errors[0])
    for t in reversed(range(len(errors))):
        later = errors[t] + gamma * lam * torch.where(goes_on[t], later, 0)
        advantages[t] = later
    return advantages, advantages + values.detach()


# %% train_dqn, train_ppo: as released
