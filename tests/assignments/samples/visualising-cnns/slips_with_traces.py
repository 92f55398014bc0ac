# Right numbers, and traces everywhere: backward on the model, its mode, hooks that stay, weights
# drawn anew in place, a start that is changed.

# %% input_gradient
def input_gradient(model, x, target):
    model.eval()
    x.requires_grad_()
    x.grad = None
    model(x).gather(1, target[:, None]).sum().backward()
    return x.grad

# %% modified_gradient
def modified_gradient(model, x, target, rule):
    def go_back(module, grad_in, grad_out):
        return ((grad_out[0] if rule == "deconvnet" else grad_in[0]).clamp(min=0),)

    if rule != "gradient":
        for module in model.modules():
            if isinstance(module, nn.ReLU):
                module.register_full_backward_hook(go_back)
    return input_gradient(model, x, target)

# %% grad_cam
def grad_cam(model, layer, x, target):
    kept = []
    layer.register_forward_hook(lambda _, __, out: kept.append(out))
    model.eval()
    (grad,) = torch.autograd.grad(model(x).gather(1, target[:, None]).sum(), kept[0])
    coarse = (grad.mean(dim=(2, 3), keepdim=True) * kept[0]).sum(dim=1, keepdim=True).relu()
    return F.interpolate(coarse, size=x.shape[2:], mode="bilinear")[:, 0]

# %% randomised
def randomised(model, count):
    layers = [module for module in model.modules() if hasattr(module, "reset_parameters")]
    for layer in layers[len(layers) - count :]:
        layer.reset_parameters()
    return model
