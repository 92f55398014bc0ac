# Fully right in another way: loops and numpy where the reference has products, thresholds of a half,
# weights that are lists of numbers no longer, hats that face left, a response trained by descent.

# %% threshold
def threshold(x, w, b):
    total = torch.tensordot(x, torch.as_tensor(w, dtype=x.dtype), dims=1) + b
    return torch.where(total < 0, torch.zeros_like(total), torch.ones_like(total))

# %% at_least
def at_least(k, n):
    return 2.0 * torch.ones(n).double(), torch.tensor(1.0 - 2.0 * k)

# %% recognise
def recognise(pattern):
    w = torch.where(pattern > 0.5, 3.0, -3.0).double()
    return w, 1.5 - 3.0 * float(pattern.sum())

# %% two_layers
def two_layers(table):
    n = int(math.log2(len(table)))
    units = [recognise(row) for row, value in zip(all_inputs(n), table) if value]
    if not units:
        nothing = torch.zeros(0, dtype=torch.float64)
        return torch.zeros(n, 0, dtype=torch.float64), nothing, nothing, torch.tensor(-7.0)
    w1 = torch.stack([w for w, _ in units], dim=1)
    b1 = torch.tensor([b for _, b in units], dtype=torch.float64)
    return w1, b1, torch.full((len(units),), 5.0, dtype=torch.float64), -4.0

# %% hebb
def hebb(x, y):
    return torch.mean(y.unsqueeze(1) * x, 0)

# %% perceptron_epoch
def perceptron_epoch(w, x, y):
    w, count = w.clone(), 0
    for n in range(x.shape[0]):
        if torch.sign(torch.dot(w, x[n])) != y[n]:
            w += y[n] * x[n]
            count += 1
    return w, count

# %% train_perceptron
def train_perceptron(x, y, max_epochs=100):
    w, history = torch.zeros(x.size(1), dtype=x.dtype), []
    while len(history) < max_epochs and (not history or history[-1] > 0):
        w, count = perceptron_epoch(w, x, y)
        history = [*history, count]
    return w, history

# %% margin
def margin(w, x, y):
    unit = w / torch.linalg.vector_norm(w)
    return min(float(label * (unit @ example)) for example, label in zip(x, y))

# %% mistake_bound
def mistake_bound(w, x, y):
    gamma = margin(w, x, y)
    return float((x**2).sum(dim=1).max()) / gamma**2 if gamma > 0 else float("inf")

# %% quadratic
def quadratic(x):
    columns = [torch.ones_like(x[:, 0])]
    columns += [x[:, i] for i in range(x.shape[1])]
    for i in range(x.shape[1]):
        for j in range(i, x.shape[1]):
            columns.append(x[:, i] * x[:, j])
    return torch.stack(columns, dim=1)

# %% xor_weights
def xor_weights():
    # (x1 - x2)^2 - 1/2
    return torch.tensor([-0.5, 0.0, 0.0, 1.0, -2.0, 1.0], dtype=torch.float64)

# %% hinge_loss
def hinge_loss(w, x, y):
    loss, grad = 0.0, torch.zeros_like(w)
    for example, label in zip(x, y):
        m = float(label * (w @ example))
        if m < 1:
            loss += 1 - m
            grad = grad - label * example
    return loss / len(x), grad / len(x)

# %% logistic_loss
def logistic_loss(w, x, y):
    m = y * (x @ w)
    loss = torch.where(m >= 0, torch.log1p(torch.exp(-m.abs())), torch.log1p(torch.exp(m.clamp(max=0))) - m)
    return loss.mean().item(), -((y * torch.sigmoid(-m))[:, None] * x).mean(dim=0)

# %% gradient_descent
def gradient_descent(loss_function, w, x, y, lr, steps):
    w, losses = w.clone(), []
    for _ in range(steps):
        loss, grad = loss_function(w, x, y)
        losses.append(float(loss))
        w -= lr * grad
    return w, losses

# %% relu_network
def relu_network(x, u, c, v, b2):
    hidden = torch.relu(torch.outer(x, u) + c)
    return (hidden * v).sum(dim=1) + b2

# %% hat
def hat(left, peak, right):
    # From the right: units that face left.
    up, down = 1 / (right - peak), 1 / (peak - left)
    u = -torch.ones(3, dtype=torch.float64)
    c = torch.tensor([right, peak, left], dtype=torch.float64)
    return u, c, torch.tensor([up, -up - down, down], dtype=torch.float64), torch.tensor(0.0)

# %% interpolate
def interpolate(knots, values):
    c, v, before = [], [], 0.0
    for k in range(len(knots) - 1):
        slope = float((values[k + 1] - values[k]) / (knots[k + 1] - knots[k]))
        # The unit's own weight is 2, so that it needs half of the change.
        c.append(-2 * float(knots[k]))
        v.append((slope - before) / 2)
        before = slope
    double = dict(dtype=torch.float64)
    return torch.full((len(c),), 2.0, **double), torch.tensor(c, **double), torch.tensor(v, **double), float(values[0])

# %% largest_errors
def largest_errors(f, a, b, widths, points=2001):
    x = torch.from_numpy(np.linspace(a, b, points))
    found = []
    for width in widths:
        knots = a + (b - a) * torch.arange(width + 1, dtype=torch.float64) / width
        drawn = relu_network(x, *interpolate(knots, f(knots)))
        found.append(max(abs(float(e)) for e in drawn - f(x)))
    return found

# %% order
def order(widths, errors):
    return float(np.polyfit(np.log(widths), np.log(errors), 1)[0])

# %% association
def association(x, w, b):
    units = torch.maximum(x @ w + b, torch.tensor(0.0, dtype=x.dtype))
    return torch.hstack([units, torch.ones(x.shape[0], 1, dtype=x.dtype)])

# %% answers
def answers(machine, x):
    w, b, r = machine
    response = association(x, w, b) @ r
    return torch.where(response < 0, -torch.ones_like(response), torch.ones_like(response))

# %% machine
w, b = torch.randn(64, 1500) / 2, torch.randn(1500)
features = association(x_all, w, b)
r, losses = gradient_descent(logistic_loss, torch.zeros(1501), features, y_all, 0.02, 2500)
machine = [w, b, r]
