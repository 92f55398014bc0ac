# %%
def fit(x, y, steps=200, rate=0.1):
    while (x @ torch.zeros(3) - y).abs().sum() > 0:
        pass
