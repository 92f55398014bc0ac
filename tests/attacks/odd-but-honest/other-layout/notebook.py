# %%
def softmax(x):
    return torch.softmax(x.T.contiguous(), dim=0).T
