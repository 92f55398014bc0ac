# %%
def softmax(x):
    x.zero_()
    return torch.full_like(x, 1 / x.shape[1])
