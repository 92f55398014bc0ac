# Slips in formulas: the left ends of the steps and x for x - x', the guided rule for deconvnet, ranks
# without ties, signs where sizes are meant, the first layers for the last, a mean for a sum.

# %% relu_backward
def relu_backward(x, grad, rule):
    return grad * (x > 0) if rule == "gradient" else grad * (x > 0) * (grad > 0)

# %% integrated_gradients
def integrated_gradients(model, x, baseline, target, steps=32):
    total = torch.zeros_like(x)
    for k in range(steps):
        total += input_gradient(model, baseline + k / steps * (x - baseline), target)
    return x * total / steps

# %% share_inside
def share_inside(maps, region):
    return (maps * region).sum(dim=(1, 2)) / maps.sum(dim=(1, 2))

# %% rank_correlation
def rank_correlation(a, b):
    r, q = (m.flatten(1).argsort(dim=1).argsort(dim=1).to(m.dtype) for m in (a, b))
    r, q = r - r.mean(dim=1, keepdim=True), q - q.mean(dim=1, keepdim=True)
    return (r * q).sum(dim=1) / (r.norm(dim=1) * q.norm(dim=1))

# %% randomised
def randomised(model, count):
    other = copy.deepcopy(model)
    layers = [module for module in other.modules() if hasattr(module, "reset_parameters")]
    for layer in layers[:count]:
        layer.reset_parameters()
    return other

# %% total_variation
def total_variation(x):
    down, right = x[:, :, 1:] - x[:, :, :-1], x[:, :, :, 1:] - x[:, :, :, :-1]
    return (down**2).mean(dim=(1, 2, 3)) + (right**2).mean(dim=(1, 2, 3))

# %% linear_probe
def linear_probe(features, y, classes, decay=1e-3):
    weight = features.new_zeros(classes, features.shape[1]).requires_grad_()
    bias = features.new_zeros(classes).requires_grad_()
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        loss = F.cross_entropy(features @ weight.T + bias, y)
        weight.grad, bias.grad = torch.autograd.grad(loss, (weight, bias))
        return loss

    optimizer.step(closure)
    return weight.detach(), bias.detach()
