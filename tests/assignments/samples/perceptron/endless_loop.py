# Training goes on until there is no mistake, whatever max_epochs says.

# %% train_perceptron
def train_perceptron(x, y, max_epochs=100):
    w = x.new_zeros(x.shape[1])
    history = []
    while True:
        w, mistakes = perceptron_epoch(w, x, y)
        history.append(mistakes)
        if mistakes == 0:
            return w, history
