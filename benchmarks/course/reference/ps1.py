# %% [markdown]
# # PS1: PyTorch basics
# Fill in the functions.

# %%
import torch
from torch import nn

# %% [markdown]
# ### 1. Softmax
# Numerically stable softmax of `x` along `dim`; do not call `torch.softmax`.


# %%
def softmax(x, dim=-1):
    """Return the softmax of x along dim, in the shape of x."""
    # BEGIN SOLUTION
    e = torch.exp(x - x.max(dim=dim, keepdim=True).values)
    return e / e.sum(dim=dim, keepdim=True)
    # END SOLUTION


# %% [markdown]
# ### 2. Linear layer
# `y = x @ W.T + b`, for `x` of shape (N, in), `W` (out, in), `b` (out).


# %%
def linear_forward(x, W, b):
    """Return x @ W.T + b, shape (N, out)."""
    # BEGIN SOLUTION
    return x @ W.T + b
    # END SOLUTION


# %% [markdown]
# ### 3. MLP
# Two layers: Linear(n_in, n_hidden) - ReLU - Linear(n_hidden, n_out).


# %%
class MLP(nn.Module):
    def __init__(self, n_in, n_hidden, n_out):
        super().__init__()
        # BEGIN SOLUTION
        self.fc1 = nn.Linear(n_in, n_hidden)
        self.fc2 = nn.Linear(n_hidden, n_out)
        # END SOLUTION

    def forward(self, x):
        # BEGIN SOLUTION
        return self.fc2(torch.relu(self.fc1(x)))
        # END SOLUTION


# %% [markdown]
# ### 4. Training
# Train `model` on (X, y) for `steps` full-batch Adam steps with cross-entropy; return the list of
# losses.


# %%
def train(model, X, y, steps=80, lr=0.05):
    """Return the loss before each step, a list of floats."""
    # BEGIN SOLUTION
    opt = torch.optim.Adam(model.parameters(), lr=lr)
    losses = []
    for _ in range(steps):
        opt.zero_grad()
        loss = nn.functional.cross_entropy(model(X), y)
        loss.backward()
        opt.step()
        losses.append(loss.item())
    return losses
    # END SOLUTION
