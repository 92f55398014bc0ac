# A bracket is missing in AdamW, in the cell of all four rules.

# %% AdamW
class AdamW(Optimiser):
    def __init__(self, params, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, lr)
        self.weight_decay = weight_decay
        self.adam = Adam(self.params, lr, betas, eps

    def change(self, i, param, grad):
        self.adam.lr = self.lr
        return self.adam.change(i, param, grad) + self.lr * self.weight_decay * param
