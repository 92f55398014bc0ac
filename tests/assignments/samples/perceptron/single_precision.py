# Everything is made float32 at first sight, R is the largest entry and not the longest row, and the
# gradient of the logistic loss has its sign the other way round (descent climbs).

# %% hebb
def hebb(x, y):
    return (y.float()[:, None] * x.float()).mean(dim=0)

# %% mistake_bound
def mistake_bound(w, x, y):
    gamma = margin(w, x, y)
    if gamma <= 0:
        return math.inf
    return (x.abs().max() / gamma).item() ** 2

# %% quadratic
def quadratic(x):
    d = x.shape[1]
    pairs = [x[:, i] * x[:, j] for i in range(d) for j in range(i, d)]
    return torch.stack([torch.ones(len(x)), *x.T, *pairs], dim=1).float()

# %% logistic_loss
def logistic_loss(w, x, y):
    m = y * (x @ w)
    loss = torch.where(m > 0, torch.log1p(torch.exp(-m)), torch.log1p(torch.exp(m)) - m)
    return loss.mean(), (y * torch.sigmoid(-m)) @ x / len(x)

# %% relu_network
def relu_network(x, u, c, v, b2):
    x, u, c, v = (t.float() for t in (x, u, c, v))
    return (x[:, None] * u + c).relu() @ v + b2
