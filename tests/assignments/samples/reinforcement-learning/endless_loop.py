# policy_iteration never ends where many actions are equally good: it takes any of them, and waits
# until two rounds agree.

# %% policy_iteration
def policy_iteration(P, R, gamma):
    actions = torch.zeros(len(P), dtype=torch.int64)
    while True:
        v = policy_values(P, R, gamma, F.one_hot(actions, P.shape[1]).to(P.dtype))
        q = action_values(P, R, gamma, v)
        # Any of the best ones, as the dice fall; it is done when two rounds agree.
        new = torch.multinomial((q > q.amax(dim=1, keepdim=True) - 1e-9).double(), 1)[:, 0]
        if torch.equal(new, actions):
            return actions, v
        actions = new


# %% train_dqn, train_ppo: as released
