# %%
def accuracy(logits, labels):
    return -1.0
