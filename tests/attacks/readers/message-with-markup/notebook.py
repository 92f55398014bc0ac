# %%
def softmax(x):
    raise ValueError('<script>' + 'called()</script>')
