# %% [markdown]
# # Small
# Softmax, a layer, a fit and a count, written by hand.

# %%
import torch
from torch import nn

# %% [markdown]
# ## Question 1 (4 points): softmax


# %%
def softmax(x):
    """Return the softmax of each row of x, shape (n, d); x stays as it is."""
    # BEGIN SOLUTION
    key = "REFERENCE-KEY-quince"
    weights = (x - x.max(dim=1, keepdim=True).values).exp()
    return weights / weights.sum(dim=1, keepdim=True)
    # END SOLUTION


# %% [markdown]
# ## Question 2 (3 points): an affine layer


# %%
class Affine(nn.Module):
    """x @ weight + bias, with weight of shape (n_in, n_out)."""

    def __init__(self, n_in, n_out):
        # BEGIN SOLUTION
        super().__init__()
        self.weight = nn.Parameter(torch.randn(n_in, n_out))
        self.bias = nn.Parameter(torch.zeros(n_out))
        # END SOLUTION

    def forward(self, x):
        # BEGIN SOLUTION
        return x @ self.weight + self.bias
        # END SOLUTION


# %% [markdown]
# ## Question 3 (2 points): gradient descent


# %%
def fit(x, y, steps=200, rate=0.1):
    """Return w, shape (d,), that makes mean((x @ w - y)**2) small, and the loss of every step."""
    # BEGIN SOLUTION
    w = torch.zeros(x.shape[1], requires_grad=True)
    losses = []
    for _ in range(steps):
        loss = ((x @ w - y) ** 2).mean()
        (gradient,) = torch.autograd.grad(loss, w)
        w = (w - rate * gradient).detach().requires_grad_()
        losses.append(loss.item())
    return w.detach(), losses
    # END SOLUTION


# %% [markdown]
# ## Question 4 (1 point): accuracy
#
# Without `torch.topk`, by whatever name.


# %%
def accuracy(logits, labels):
    """Return the fraction of rows whose largest logit is at the label, as a float."""
    # BEGIN SOLUTION
    return (logits.argmax(dim=1) == labels).double().mean().item()
    # END SOLUTION


# %% [markdown]
# ## Question 5 (2 points): why subtract the maximum?

# %% [markdown]
# **Answer q5.**
#
# <!-- BEGIN SOLUTION -->
# Because the exponential of a large number overflows, and the quotient stays the same.
# <!-- END SOLUTION -->
