# Slips with axes: one norm for the whole batch, a length that is uniform, the largest 2-norm for
# the 1-norm, a trigger in the wrong corner, one direction for all classes.

# %% certified_margin
def certified_margin(weight, bias, x, y, eps, norm="linf"):
    apart = weight[y].unsqueeze(1) - weight
    margins = (apart * x.unsqueeze(1)).sum(dim=-1) + bias[y].unsqueeze(1) - bias
    margins = margins - eps * apart.norm(p=math.inf if norm == "linf" else 2, dim=-1)
    others = F.one_hot(y, len(weight)) == 0
    return margins.masked_fill(~others, math.inf).amin(dim=1)

# %% project
def project(delta, eps, norm):
    if norm == "linf":
        return delta.clamp(-eps, eps)
    return delta * (eps / delta.norm().clamp(min=1e-12)).clamp(max=1)

# %% steepest
def steepest(grad, norm):
    if norm == "linf":
        return grad.sign()
    return grad / (grad.norm(dim=-1, keepdim=True) + 1e-8)

# %% random_start
def random_start(x, eps, norm):
    if norm == "linf":
        return eps * (2 * torch.rand_like(x) - 1)
    ways = torch.randn_like(x)
    return eps * torch.rand(len(x), dtype=x.dtype).reshape(-1, *[1] * (x.dim() - 1)) * ways / lengths(ways)

# %% stamp
def stamp(x):
    square = x.reshape(-1, SIDE, SIDE).clone()
    square[:, :2, :2] = 1
    return square.flatten(1)

# %% cleanse
def cleanse(features, y, share):
    keep = torch.ones(len(y), dtype=torch.bool)
    worst = spectral_scores(features).argsort(descending=True)
    keep[worst[: int(share * len(y))]] = False
    return keep
