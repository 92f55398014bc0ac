# Fully right in another way: backward on copies, loops over examples, numpy's habits, Gram matrices.

# %% input_gradient
def input_gradient(model, x, y):
    twin = copy.deepcopy(model)
    inputs = x.detach().clone()
    inputs.requires_grad = True
    losses = -twin(inputs).log_softmax(dim=1)[torch.arange(len(y)), y]
    losses.backward(torch.ones_like(losses))
    return inputs.grad

# %% fgsm
def fgsm(model, x, y, eps):
    g = input_gradient(model, x, y)
    up, down = torch.minimum(x + eps, torch.ones_like(x)), torch.maximum(x - eps, torch.zeros_like(x))
    return torch.where(g > 0, up, torch.where(g < 0, down, x))

# %% certified_margin
def certified_margin(weight, bias, x, y, eps, norm="linf"):
    logits = x @ weight.T + bias
    found = []
    for n in range(len(x)):
        least = math.inf
        for c in range(len(weight)):
            if c == y[n]:
                continue
            apart = weight[y[n]] - weight[c]
            size = apart.abs().sum() if norm == "linf" else apart.square().sum().sqrt()
            least = min(least, (logits[n, y[n]] - logits[n, c] - eps * size).item())
        found.append(least)
    return torch.tensor(found, dtype=x.dtype)

# %% project
def project(delta, eps, norm):
    if norm == "linf":
        return torch.maximum(torch.minimum(delta, torch.full_like(delta, eps)), -torch.full_like(delta, eps))
    out = delta.clone()
    for n in range(len(delta)):
        size = delta[n].square().sum().sqrt().item()
        if size > eps:
            out[n] *= eps / size
    return out

# %% steepest
def steepest(grad, norm):
    if norm == "linf":
        return (grad > 0).to(grad) - (grad < 0).to(grad)
    rows = [g / torch.linalg.vector_norm(g) if torch.any(g != 0) else g.clone() for g in grad]
    return torch.stack(rows) if rows else grad.clone()

# %% random_start
def random_start(x, eps, norm):
    if norm == "linf":
        return torch.empty_like(x).uniform_(-eps, eps)
    d = x[0].numel()
    ways = torch.nn.functional.normalize(torch.randn(len(x), d, dtype=x.dtype), dim=1)
    radius = eps * torch.rand(len(x), 1, dtype=x.dtype).pow(1 / d)
    return (ways * radius).reshape(x.shape)

# %% pgd
def pgd(model, x, y, eps, step, steps, norm="linf", random=True, targeted=False):
    delta = random_start(x, eps, norm) if random and len(x) else torch.zeros_like(x)
    delta = (x + delta).clamp(0.0, 1.0) - x
    for _ in range(steps):
        g = input_gradient(model, x + delta, y)
        g = -g if targeted else g
        delta = project(delta + step * steepest(g, norm), eps, norm)
        delta = (x + delta).clamp(0.0, 1.0) - x
    return (x + delta).clamp(0.0, 1.0)

# %% transfer
def transfer(models, attack, x, y):
    rows = []
    for attacked in models:
        moved = attack(attacked, x, y)
        with torch.no_grad():
            rows.append([(m(moved).argmax(1) == y).double().mean() for m in models])
    return torch.tensor(rows, dtype=torch.float64)

# %% adversarial_training
def adversarial_training(model, x, y, attack, optimizer, epochs, batch_size):
    losses = []
    for _ in range(epochs):
        order = torch.randperm(len(y))
        begin = 0
        while begin < len(y):
            chosen = order[begin : begin + batch_size]
            begin += batch_size
            inputs = attack(model.train(False), x[chosen], y[chosen])
            optimizer.zero_grad(set_to_none=False)
            loss = nn.CrossEntropyLoss()(model.train(True)(inputs), y[chosen])
            loss.backward()
            optimizer.step()
            losses.append(float(loss))
    model.train(False)
    return losses

# %% robust_model
def robust_model(x, y):
    model = make_net()
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3, weight_decay=1e-3)
    radius = iter(torch.linspace(0.05, 0.17, 600).clamp(max=0.15).tolist())

    def attack(model, x, y):
        eps = next(radius, 0.15)
        return pgd(model, x, y, eps, eps / 2, 5)

    adversarial_training(model, x, y, attack, optimizer, 24, 60)
    return model

# %% stamp
def stamp(x):
    out = x.clone()
    out[:, [10 * 12 + 10, 10 * 12 + 11, 11 * 12 + 10, 11 * 12 + 11]] = 1.0
    return out

# %% poison
def poison(x, y, target, count):
    x, y, poisoned = x.clone(), y.clone(), torch.zeros_like(y, dtype=torch.bool)
    order = torch.randperm(len(y)).tolist()
    for n in [n for n in order if y[n] != target][:count]:
        x[n : n + 1] = stamp(x[n : n + 1])
        y[n] = target
        poisoned[n] = True
    return x, y, poisoned

# %% backdoor_success
def backdoor_success(model, x, y, target):
    with torch.no_grad():
        guesses = model(stamp(x)).argmax(dim=1)
    return ((guesses == target) & (y != target)).sum().item() / (y != target).sum().item()

# %% spectral_scores
def spectral_scores(features):
    centred = features - features.mean(dim=0, keepdim=True)
    _, vectors = torch.linalg.eigh(centred.T @ centred)
    return (centred @ vectors[:, -1]).square()

# %% cleanse
def cleanse(features, y, share):
    keep = torch.full((len(y),), True)
    for label in set(y.tolist()):
        members = torch.tensor([n for n in range(len(y)) if y[n] == label])
        count = math.floor(share * len(members))
        if count:
            keep[members[spectral_scores(features[members]).topk(count).indices]] = False
    return keep

# %% move_weights
def move_weights(model, directions, rho):
    other = copy.deepcopy(model)
    state = {}
    for (name, value), way in zip(model.named_parameters(), directions):
        size = way.square().sum().sqrt()
        share = rho * value.detach().square().sum().sqrt() / size if size > 0 else 0.0
        state[name] = value.detach() + share * way
    other.load_state_dict(state, strict=False)
    return other

# %% worst_weights
def worst_weights(model, x, y, rho):
    twin = copy.deepcopy(model)
    twin.zero_grad()
    F.cross_entropy(twin(x), y).backward()
    return move_weights(model, [p.grad for p in twin.parameters()], rho)
