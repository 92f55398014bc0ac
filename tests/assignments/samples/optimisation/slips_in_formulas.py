# Slips of a student who reads fast: only a fall is asked for, NaN passes, the slope's sign is not
# looked at, no root of the curvatures, a cosine that counts from step 0, J Jᵀ for JᵀJ, μ / 2, abs
# of the direction for that of the curvature, zero as a curvature of a minimum.

# %% backtracking
def backtracking(f, x, grad, direction, step=1.0, shrink=0.5, c=1e-4):
    value = f(x)
    for _ in range(200):
        if not f(x + step * direction) > value:
            return step
        step = step * shrink
    return step

# %% best_momentum
def best_momentum(hessian):
    curvatures = torch.linalg.eigvalsh(hessian)
    low, high = curvatures[0], curvatures[-1]
    return 4 / (high + low) ** 2, ((high - low) / (high + low)) ** 2

# %% RMSProp
class RMSProp(Optimiser):
    def __init__(self, params, lr, rho=0.99, eps=1e-8):
        super().__init__(params, lr)
        self.rho, self.eps = rho, eps
        self.squares = [torch.zeros_like(param) for param in self.params]

    def change(self, i, param, grad):
        self.squares[i] = (1 - self.rho) * self.squares[i] + self.rho * grad**2
        return self.lr * grad / (self.squares[i].sqrt() + self.eps)

# %% warmup_cosine
def warmup_cosine(t, total, warmup, peak, end=0.0):
    if t < warmup:
        return peak * t / warmup
    done = t / total
    return end + (peak - end) * (1 + math.cos(math.pi * done)) / 2

# %% levenberg_marquardt
def levenberg_marquardt(residuals, jacobian, x, steps, damping=0.01):
    path = [x]
    for _ in range(steps):
        r = residuals(x)
        trial = x + gauss_newton_direction(r, jacobian(x), damping)
        if residuals(trial).norm() > r.norm():
            damping = damping * 2
        else:
            x = trial
            damping = damping / 3
        path.append(x)
    return torch.stack(path)

# %% kind_of_point
def kind_of_point(hessian, tol=1e-6):
    curvatures = torch.linalg.eigvalsh(hessian)
    if (curvatures >= -tol).all():
        return "minimum"
    if (curvatures <= tol).all():
        return "maximum"
    return "saddle"

# %% saddle_free_direction
def saddle_free_direction(grad, hessian, floor=1e-3):
    p = torch.linalg.solve(hessian, -grad)
    return -p if p @ grad > 0 else p
