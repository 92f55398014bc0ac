# %%
from torch import topk as first_of


def accuracy(logits, labels):
    return (first_of(logits, 1).indices[:, 0] == labels).double().mean().item()
