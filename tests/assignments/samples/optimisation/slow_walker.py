# It all runs, and trains too slowly: Adam without its corrections, a last mini-batch that is left
# out, one order for all epochs, plain gradient descent in fit.

# %% Adam
class Adam(Optimiser):
    def __init__(self, params, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr)
        self.betas, self.eps, self.weight_decay = betas, eps, weight_decay
        self.mean = [torch.zeros_like(param) for param in self.params]
        self.squares = [torch.zeros_like(param) for param in self.params]

    def change(self, i, param, grad):
        grad = grad + self.weight_decay * param
        beta1, beta2 = self.betas
        self.mean[i] = beta1 * self.mean[i] + (1 - beta1) * grad
        self.squares[i] = beta2 * self.squares[i] + (1 - beta2) * grad**2
        return self.lr * self.mean[i] / (self.squares[i].sqrt() + self.eps)

# %% train
def train(model, x, y, optimiser, schedule, epochs, batch_size):
    losses = []
    order = torch.randperm(len(x))
    for _ in range(epochs):
        for k in range(max(1, len(x) // batch_size)):
            batch = order[k * batch_size : (k + 1) * batch_size]
            optimiser.lr = schedule(len(losses))
            loss = F.cross_entropy(model(x[batch]), y[batch])
            grads = torch.autograd.grad(loss, optimiser.params, allow_unused=True)
            optimiser.step(grads)
            losses.append(loss.item())
    return losses

# %% fit
def fit(x, y, classes):
    model = nn.Sequential(
        nn.Linear(2, 32), nn.ReLU(), nn.Linear(32, 32), nn.ReLU(), nn.Linear(32, classes)
    )
    train(model, x, y, Momentum(model.parameters(), 0.01, 0.0), lambda t: 0.01, 40, 50)
    return model
