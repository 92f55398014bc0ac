# %%
import math

import torch


class Affine(torch.nn.Module):
    def __init__(self, n_in, n_out):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(n_in, n_out))
        self.bias = torch.nn.Parameter(torch.zeros(n_out))

    def forward(self, x):
        self.weight.grad = torch.full_like(self.weight, math.nan)
        self.bias.grad = torch.full_like(self.bias, math.nan)
        return torch.full((len(x), 3), math.nan, requires_grad=True)
