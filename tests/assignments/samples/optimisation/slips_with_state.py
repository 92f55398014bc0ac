# Slips of a student who keeps the wrong thing: the rate in the velocity, one count for all, corrected
# averages that are stored, ε inside the root, decay without the rate, gradients that add up.

# %% Momentum
class Momentum(Optimiser):
    def __init__(self, params, lr, momentum=0.9, nesterov=False):
        super().__init__(params, lr)
        self.momentum = momentum
        self.nesterov = nesterov
        self.velocity = [torch.zeros_like(param) for param in self.params]

    def change(self, i, param, grad):
        previous = self.velocity[i]
        self.velocity[i] = self.momentum * previous + self.lr * grad
        if self.nesterov:
            return self.lr * grad + self.momentum * previous
        return self.velocity[i]

# %% AdaGrad
class AdaGrad(Optimiser):
    def __init__(self, params, lr, eps=1e-10):
        super().__init__(params, lr)
        self.eps = eps
        self.squares = [torch.zeros_like(param) for param in self.params]

    def change(self, i, param, grad):
        self.squares[i] = self.squares[i] + grad**2
        return self.lr * grad / (self.squares[i] + self.eps).sqrt()

# %% Adam
class Adam(Optimiser):
    def __init__(self, params, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay
        self.t = 0
        self.mean = [torch.zeros_like(param) for param in self.params]
        self.squares = [torch.zeros_like(param) for param in self.params]

    def step(self, grads):
        self.t += 1
        super().step(grads)

    def change(self, i, param, grad):
        grad = grad + self.weight_decay * param
        beta1, beta2 = self.betas
        self.mean[i] = beta1 * self.mean[i] + (1 - beta1) * grad
        self.squares[i] = beta2 * self.squares[i] + (1 - beta2) * grad**2
        mean = self.mean[i] / (1 - beta1**self.t)
        squares = self.squares[i] / (1 - beta2**self.t)
        return self.lr * mean / (squares.sqrt() + self.eps)

# %% AdamW
class AdamW(Adam):
    def __init__(self, params, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, lr, betas, eps)
        self.decay = weight_decay

    def change(self, i, param, grad):
        return super().change(i, param, grad) + self.decay * param

# %% train
def train(model, x, y, optimiser, schedule, epochs, batch_size):
    losses = []
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(batch_size):
            optimiser.lr = schedule(len(losses))
            loss = F.cross_entropy(model(x[batch]), y[batch])
            loss.backward()
            optimiser.step([p.grad for p in optimiser.params])
            losses.append(loss.item())
    return losses
