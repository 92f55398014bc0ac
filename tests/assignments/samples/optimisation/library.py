# Right values against the rules: torch.optim does the work of Adam and of the training.

# %% Adam
class Adam(Optimiser):
    def __init__(self, params, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.0):
        super().__init__(params, lr)
        self.inner = torch.optim.Adam(
            self.params, lr=lr, betas=betas, eps=eps, weight_decay=weight_decay
        )

    def step(self, grads):
        for param, grad in zip(self.params, grads):
            param.requires_grad_()
            param.grad = None if grad is None else grad.clone()
        self.inner.param_groups[0]["lr"] = self.lr
        self.inner.step()

# %% AdamW
class AdamW(Optimiser):
    def __init__(self, params, lr, betas=(0.9, 0.999), eps=1e-8, weight_decay=0.01):
        super().__init__(params, lr)
        self.betas, self.eps, self.decay = betas, eps, weight_decay
        self.t = [0] * len(self.params)
        self.m = [torch.zeros_like(p) for p in self.params]
        self.v = [torch.zeros_like(p) for p in self.params]

    def change(self, i, param, grad):
        b1, b2 = self.betas
        self.t[i] += 1
        self.m[i] = b1 * self.m[i] + (1 - b1) * grad
        self.v[i] = b2 * self.v[i] + (1 - b2) * grad**2
        m, v = self.m[i] / (1 - b1 ** self.t[i]), self.v[i] / (1 - b2 ** self.t[i])
        return self.lr * (m / (v.sqrt() + self.eps) + self.decay * param)

# %% fit
def fit(x, y, classes):
    model = nn.Sequential(nn.Linear(2, 64), nn.Tanh(), nn.Linear(64, 32), nn.Tanh(), nn.Linear(32, classes))
    optimiser = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(400):
        optimiser.zero_grad()
        F.cross_entropy(model(x), y).backward()
        optimiser.step()
    return model
