# A parenthesis is missing in perceptron_epoch: what is in its cell is lost, and the machine with it.

# %% perceptron_epoch
def perceptron_epoch(w, x, y):
    mistakes = 0
    for example, label in zip(x, y, strict=True):
        if label * (w @ example <= 0:
            w = w + label * example
            mistakes += 1
    return w, mistakes
