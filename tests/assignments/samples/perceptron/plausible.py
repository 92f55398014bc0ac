# It runs and draws all its figures, and yet each of these is a mistake that students make.

# %% threshold
def threshold(x, w, b):
    return (x @ w + b > 0).float()

# %% perceptron_epoch
def perceptron_epoch(w, x, y):
    mistakes = 0
    for n in range(len(x)):
        if y[n] * (x[n] @ w) <= 0:
            w += y[n] * x[n]
            mistakes += 1
    return w, mistakes

# %% margin
def margin(w, x, y):
    return ((x @ w).abs() / w.norm()).min().item()

# %% quadratic
def quadratic(x):
    n, d = x.shape
    products = (x[:, :, None] * x[:, None, :]).reshape(n, d * d)
    return torch.cat([torch.ones(n, 1, dtype=x.dtype), x, products], dim=1)

# %% hinge_loss
def hinge_loss(w, x, y):
    m = y * (x @ w)
    loss = torch.clamp(1 - m, min=0).mean()
    grad = -(y * (m <= 1)) @ x
    return loss, grad

# %% gradient_descent
def gradient_descent(loss_function, w, x, y, lr, steps):
    losses = []
    for _ in range(steps):
        loss, grad = loss_function(w, x, y)
        w = w - lr * grad
        losses.append(float(loss_function(w, x, y)[0]))
    return w, losses

# %% interpolate
def interpolate(knots, values):
    h = knots[1] - knots[0]
    slopes = values.diff() / h
    v = torch.cat([slopes[:1], slopes.diff()])
    return torch.ones_like(v), -knots[:-1], v, values[0]

# %% order
def order(widths, errors):
    first = math.log(errors[0]) - math.log(errors[-1])
    return first / (math.log(widths[0]) - math.log(widths[-1]))

# %% machine
# The pixels themselves: 64 units that let each of them through.
w, b = torch.eye(64), torch.zeros(64)
r, losses = gradient_descent(logistic_loss, torch.zeros(65), association(x_train, w, b), y_train, 0.5, 400)
machine = (w, b, r)
