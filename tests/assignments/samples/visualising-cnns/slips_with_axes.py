# Slips with axes: the mean over channels, one range for the batch, columns before rows, weights of
# all positions, a share of the whole batch, ranks of the whole batch.

# %% saliency
def saliency(model, x, target):
    return input_gradient(model, x, target).abs().mean(dim=1)

# %% smooth_grad
def smooth_grad(model, x, target, sigma=0.15, samples=32):
    spread = sigma * (x.max() - x.min())
    grads = [input_gradient(model, x + spread * torch.randn_like(x), target) for _ in range(samples)]
    return torch.stack(grads).mean(dim=0)

# %% occlusion
def occlusion(model, x, target, size, stride=1, value=0.0):
    (width, height), (rows, columns) = size, x.shape[2:]
    total, times = x.new_zeros(len(x), rows, columns), x.new_zeros(rows, columns)
    with evaluation(model), torch.no_grad():
        before = model(x).gather(1, target[:, None])
        for i in range(0, rows - height + 1, stride):
            for j in range(0, columns - width + 1, stride):
                covered = x.clone()
                covered[:, :, i : i + height, j : j + width] = value
                drop = before - model(covered).gather(1, target[:, None])
                total[:, i : i + height, j : j + width] += drop[:, :, None]
                times[i : i + height, j : j + width] += 1
    return total / times.clamp(min=1)

# %% grad_cam
def grad_cam(model, layer, x, target):
    kept = []
    hook = layer.register_forward_hook(lambda _, __, out: kept.append(out))
    with evaluation(model):
        score = model(x).gather(1, target[:, None]).sum()
    hook.remove()
    (grad,) = torch.autograd.grad(score, kept[0])
    coarse = (grad * kept[0].detach()).sum(dim=1, keepdim=True).clamp(min=0)
    return F.interpolate(coarse, size=x.shape[2:], mode="bilinear", align_corners=False)[:, 0]

# %% share_inside
def share_inside(maps, region):
    return (maps.abs() * region).sum(dim=(1, 2)) / maps.abs().sum()
