# %%
def softmax(x):
    return torch.softmax(x.double(), dim=1)
