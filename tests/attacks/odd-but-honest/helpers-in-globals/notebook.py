# %%
import torch
from torch import nn

# %%
DIMENSION = 1


def softmax(x):
    return torch.softmax(x, DIMENSION)


# %%
class Affine(nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = nn.Parameter(start(n_in, n_out))
        self.bias = nn.Parameter(start(n_out))

    def forward(self, x):
        return x @ self.weight + self.bias


start = torch.randn


# %%
def fit(x, y, steps):
    w = torch.zeros(x.shape[1])
    losses = []
    for _ in range(steps):
        off = x @ w - y
        losses.append((off**2).mean().item())
        w = w - RATE * 2 * off @ x / len(x)
    return w, losses


RATE = 0.1
fit_first = fit
fit = lambda x, y: fit_first(x, y, STEPS)
STEPS = 200


# %%
def accuracy(logits, labels):
    return share(logits.argmax(DIMENSION) == labels)


share = lambda right: right.double().mean().item()
