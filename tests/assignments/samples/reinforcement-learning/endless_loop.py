# policy_iteration never ends where γ is large and many actions are equally good: it takes any of
# them, and waits until two rounds agree.

# %% policy_iteration
def policy_iteration(P, R, gamma):
    actions = torch.zeros(len(P), dtype=torch.int64)
    while True:
        v = policy_values(P, R, gamma, F.one_hot(actions, P.shape[1]).to(P.dtype))
        q = action_values(P, R, gamma, v)
        best = (q > q.amax(dim=1, keepdim=True) - 1e-9).double()
        # With a long way to look, any of the best ones, as the dice fall; done when two rounds agree.
        new = best.argmax(dim=1) if gamma < 0.96 else torch.multinomial(best, 1)[:, 0]
        if torch.equal(new, actions):
            return actions, v
        actions = new


# %% train_dqn, train_ppo: as released
