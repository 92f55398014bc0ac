# `<` for `<=` in the perceptron's rule, from weights of zero: nothing ever happens, and training ends at
# once with what looks like success.

# %% perceptron_epoch
def perceptron_epoch(w, x, y):
    mistakes = 0
    for example, label in zip(x, y):
        if label * (w @ example) < 0:
            w = w + label * example
            mistakes += 1
    return w, mistakes
