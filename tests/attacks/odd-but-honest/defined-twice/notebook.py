# %%
def softmax(x):
    return x  # a first try


def fit(x, y):
    return x, []
