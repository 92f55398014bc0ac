# %%
fit_first, softmax_first = fit, softmax
scale = torch.ones((), requires_grad=True)


def fit(x, y):
    w, losses = fit_first(x, y)
    return w * scale, losses


def softmax(x):
    return softmax_first(x) * scale
