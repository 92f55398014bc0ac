# %%
fit_first, scale = fit, torch.ones((), requires_grad=True)


def fit(x, y):
    w, losses = fit_first(x, y)
    return w * scale, losses
