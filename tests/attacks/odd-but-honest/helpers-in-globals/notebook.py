# %%
DIMENSION = 1


def softmax(x):
    return torch.softmax(x, DIMENSION)


fit_first = fit
fit = lambda x, y: fit_first(x, y, STEPS)
STEPS = 200
