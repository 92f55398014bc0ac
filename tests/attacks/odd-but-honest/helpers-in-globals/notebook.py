# %%
import torch

# %%
DIMENSION = 1


def softmax(x):
    return torch.softmax(x, DIMENSION)


# %%
def accuracy(logits, labels):
    return share(logits.argmax(DIMENSION) == labels)


share = lambda right: right.double().mean().item()
