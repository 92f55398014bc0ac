# %%
def accuracy(logits, labels):
    while True:
        pass
