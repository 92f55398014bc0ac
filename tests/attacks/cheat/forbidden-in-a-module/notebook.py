# %%
import torch


class Picker(torch.nn.Module):
    def forward(self, logits):
        return torch.topk(logits, 1).indices[:, 0]


def helper():
    return torch.nn.Sequential(torch.nn.Identity(), Picker())


def accuracy(logits, labels):
    return (helper()(logits) == labels).double().mean().item()
