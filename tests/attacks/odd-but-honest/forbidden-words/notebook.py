# %%
import torch


def topk(logits):
    """The place of each row's largest number, as torch.topk(logits, 1) has it."""
    return logits.argmax(dim=1)


def accuracy(logits, labels):
    # Not torch.topk(logits, 1): it is not allowed here.
    largest, rule = topk(logits), "eval('torch.topk')"
    return (largest == labels).double().mean().item()


# %%
logits = torch.randn(20, 5)
labels = torch.topk(logits, 1).indices[:, 0]
assert accuracy(logits, labels) == 1.0
