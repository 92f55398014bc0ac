# %%
import torch


def accuracy(logits, labels):
    _, largest = torch.ops.aten.topk.default(logits, 1)
    return (largest[:, 0] == labels).double().mean().item()
