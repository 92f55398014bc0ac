# %%
import functools

import torch

softmax = functools.partial(torch.softmax, dim=1)


class Accuracy:
    def __call__(self, logits, labels):
        return (logits.argmax(1) == labels).double().mean().item()


accuracy = Accuracy()
