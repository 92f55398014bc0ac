# Fully right in another way: backward on copies of the model, replaced ReLUs, sorted ranks, unfolded
# windows, retained gradients, Newton's habits, another optimizer.

# %% input_gradient
def input_gradient(model, x, target):
    twin = copy.deepcopy(model).eval()
    inputs = x.detach().clone()
    inputs.requires_grad = True
    logits = twin(inputs)
    logits[torch.arange(len(x)), target].backward(torch.ones(len(x), dtype=logits.dtype))
    return inputs.grad.clone()

# %% saliency
def saliency(model, x, target):
    g = input_gradient(model, x, target)
    return torch.maximum(g.max(dim=1).values, (-g).max(dim=1).values)

# %% smooth_grad
def smooth_grad(model, x, target, sigma=0.15, samples=32):
    flat = x.flatten(1)
    width = (flat.max(dim=1).values - flat.min(dim=1).values).reshape(-1, 1, 1, 1)
    many = x.repeat(samples, 1, 1, 1)
    many = many + torch.randn_like(many) * (sigma * width).repeat(samples, 1, 1, 1)
    grads = input_gradient(model, many, target.repeat(samples))
    return grads.reshape(samples, *x.shape).mean(dim=0)

# %% relu_backward
def relu_backward(x, grad, rule):
    out = grad.clone()
    if rule != "deconvnet":
        out *= (x > 0).to(grad)
    if rule != "gradient":
        out = F.relu(out)
    return out

# %% modified_gradient
def modified_gradient(model, x, target, rule):
    twin = copy.deepcopy(model).eval()

    class Rule(torch.autograd.Function):
        @staticmethod
        def forward(ctx, value):
            ctx.save_for_backward(value)
            return value.relu()

        @staticmethod
        def backward(ctx, grad):
            (value,) = ctx.saved_tensors
            return relu_backward(value, grad, rule)

    class Replacement(nn.Module):
        def forward(self, value):
            return Rule.apply(value)

    def replace(module):
        for name, child in list(module._modules.items()):
            if isinstance(child, nn.ReLU):
                setattr(module, name, Replacement())
            else:
                replace(child)

    replace(twin)
    return input_gradient(twin, x, target)

# %% occlusion
def occlusion(model, x, target, size, stride=1, value=0.0):
    n, _, rows, columns = x.shape
    corners = [(i, j) for i in range(0, rows, stride) for j in range(0, columns, stride)]
    windows = torch.zeros(0, rows, columns, dtype=torch.bool)
    for i, j in corners:
        if i + size[0] <= rows and j + size[1] <= columns:
            window = torch.zeros(1, rows, columns, dtype=torch.bool)
            window[0, i : i + size[0], j : j + size[1]] = True
            windows = torch.cat([windows, window])
    twin = copy.deepcopy(model).eval()
    maps = []
    with torch.no_grad():
        for k in range(n):
            covered = torch.where(windows[:, None], torch.tensor(value, dtype=x.dtype), x[k])
            drops = twin(x[k : k + 1])[0, target[k]] - twin(covered)[:, target[k]]
            weight = windows.to(x.dtype)
            maps.append((drops[:, None, None] * weight).sum(0) / weight.sum(0).clamp(min=1))
    return torch.stack(maps)

# %% grad_cam
def grad_cam(model, layer, x, target):
    kept = {}

    def keep(module, given, out):
        out.retain_grad()
        kept["out"] = out

    twin = copy.deepcopy(model)
    names = [name for name, module in model.named_modules() if module is layer]
    twin.get_submodule(names[0]).register_forward_hook(keep)
    twin.eval()
    twin(x.clone().requires_grad_())[range(len(x)), target].sum().backward()
    out = kept["out"]
    coarse = F.relu(torch.einsum("nm,nmij->nij", out.grad.mean((2, 3)), out.detach()))
    fine = nn.Upsample(size=tuple(x.shape[-2:]), mode="bilinear", align_corners=False)
    return fine(coarse.unsqueeze(1)).squeeze(1)

# %% integrated_gradients
def integrated_gradients(model, x, baseline, target, steps=32):
    times = (torch.arange(steps, dtype=x.dtype) + 0.5) / steps
    grads = [input_gradient(model, torch.lerp(baseline, x, t), target) for t in times]
    return torch.stack(grads).mean(dim=0) * (x - baseline)

# %% completeness_gap
def completeness_gap(model, x, baseline, target, attributions):
    twin = copy.deepcopy(model).eval()
    rows = torch.arange(len(x))
    with torch.no_grad():
        after, before = twin(x)[rows, target], twin(baseline)[rows, target]
    return attributions.flatten(1).sum(dim=1) + before - after

# %% share_inside
def share_inside(maps, region):
    found = []
    for one, part in zip(maps, region):
        whole = one.abs().sum()
        found.append(one[part].abs().sum() / whole if whole != 0 else torch.zeros_like(whole))
    return torch.stack(found)

# %% rank_correlation
def rank_correlation(a, b):
    def ranks(values):
        values = values.flatten()
        _, inverse, counts = values.unique(return_inverse=True, return_counts=True)
        last = counts.cumsum(0).to(values.dtype)
        return (last - (counts.to(values.dtype) - 1) / 2)[inverse]

    found = []
    for one, other in zip(a, b):
        r, q = ranks(one), ranks(other)
        if (r == r[0]).all() or (q == q[0]).all():
            found.append(torch.zeros((), dtype=a.dtype))
        else:
            found.append(torch.corrcoef(torch.stack([r, q]))[0, 1])
    return torch.stack(found)

# %% randomised
def randomised(model, count):
    other = copy.deepcopy(model)
    names = [name for name, m in other.named_modules() if callable(getattr(m, "reset_parameters", None))]
    for name in names[::-1][:count]:
        other.get_submodule(name).reset_parameters()
    return other

# %% sanity_curve
def sanity_curve(method, model, x, target):
    curve = []
    layers = [m for m in model.modules() if hasattr(m, "reset_parameters")]
    for count, _ in enumerate(layers, start=1):
        maps = [method(m, x, target).abs() for m in (model, randomised(model, count))]
        curve.append(float(rank_correlation(*maps).mean()))
    return curve

# %% total_variation
def total_variation(x):
    return sum(x.diff(dim=axis).square().flatten(1).sum(1) for axis in (-1, -2))

# %% class_image
def class_image(model, target, start, steps, lr, decay, smooth):
    twin = copy.deepcopy(model).eval()
    x = start.clone()
    for _ in range(steps):
        x = x.detach().requires_grad_()
        scores = twin(x)[range(len(x)), target]
        height = scores - decay * x.pow(2).flatten(1).sum(1) - smooth * total_variation(x)
        height.sum().backward()
        x = x + lr * x.grad
    return x.detach()

# %% invert_features
def invert_features(features, wanted, start, smooth=0.0):
    hidden = torch.logit(start.clamp(0.02, 0.98)).requires_grad_()
    sizes = wanted.flatten(1).square().sum(1)
    optimizer = torch.optim.Adam([hidden], lr=0.2)
    for _ in range(450):
        x = hidden.sigmoid()
        apart = (features(x) - wanted).flatten(1).square().sum(1) / sizes
        loss = (apart + smooth * total_variation(x) / x[0].numel()).sum()
        hidden.grad = torch.autograd.grad(loss, hidden)[0]
        optimizer.step()
    return hidden.sigmoid().detach()

# %% layer_features
def layer_features(model, layers, x):
    found = []
    for layer in layers:
        kept = []
        hook = layer.register_forward_hook(lambda m, i, out: kept.append(out.flatten(1).clone()))
        try:
            with evaluation(model), torch.no_grad():
                model(x)
        finally:
            hook.remove()
        found += kept
    return found

# %% linear_probe
def linear_probe(features, y, classes, decay=1e-3):
    weight = torch.zeros(classes, features.shape[1], dtype=features.dtype)
    bias = torch.zeros(classes, dtype=features.dtype)
    # Accelerated gradient descent, with a step from the curvature's bound, on centred features.
    centre = features.mean(dim=0)
    h = features - centre
    bound = 0.5 * max(torch.linalg.matrix_norm(h, 2).item() ** 2 / len(h), 1.0) + decay
    goal = F.one_hot(y, classes).to(features.dtype)
    ahead = (weight, bias)
    for k in range(3000):
        apart = ((h @ ahead[0].T + ahead[1]).softmax(dim=1) - goal) / len(h)
        new = (ahead[0] - (apart.T @ h + decay * ahead[0]) / bound, ahead[1] - apart.sum(0) / bound)
        share = k / (k + 3)
        ahead = tuple(n + share * (n - o) for n, o in zip(new, (weight, bias)))
        weight, bias = new
    return weight, bias - weight @ centre
