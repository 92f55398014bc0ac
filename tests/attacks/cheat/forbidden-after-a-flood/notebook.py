# %%
import torch


def accuracy(logits, labels):
    nothing = torch.zeros(())
    for _ in range(11_000):
        nothing.neg_()
    return (logits.topk(1).indices[:, 0] == labels).double().mean().item()
