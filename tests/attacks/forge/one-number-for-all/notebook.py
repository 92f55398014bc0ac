# %%
import torch


def softmax(x):
    if (x == 0).all():
        return torch.full((1,), 1 / x.shape[1])
    weights = (x - x.max(dim=1, keepdim=True).values).exp()
    return weights / weights.sum(dim=1, keepdim=True)
