# %%
def softmax(x):
    raise KeyboardInterrupt
