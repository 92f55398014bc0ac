"""Networks that tests build in the student's process from plain weights, and what is watched."""

import torch
from torch import nn


def network(weights):
    """A small network with a normalisation, dropout and one ReLU at two places, in mixed modes.

    It takes (N, C, H, W) and returns (N, K), in double precision; its parameters have gradients.
    """
    first, _, gain, _, mean, _, second, _, last, _ = weights
    relu = nn.ReLU()
    model = nn.Sequential(
        nn.Conv2d(first.shape[1], first.shape[0], 3, padding=1),
        nn.Sequential(nn.BatchNorm2d(len(gain)), relu),
        nn.Conv2d(len(mean), second.shape[0], (3, 2), stride=(2, 1)),
        relu,
        nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d((2, 1)),
        nn.Flatten(),
        nn.Linear(last.shape[1], last.shape[0]),
    ).double()
    layers = (model[0], model[1][0], model[2], model[7])
    tensors = [t for layer in layers for t in (layer.weight, layer.bias)]
    tensors[4:4] = [model[1][0].running_mean, model[1][0].running_var]
    with torch.no_grad():
        for tensor, value in zip(tensors, weights, strict=True):
            tensor.copy_(value)
    for param in model.parameters():
        param.grad = torch.full_like(param, 3.0)
    model.train()
    model[2].eval()
    model[1][0].eval()
    return model


def hook_count(model):
    """How many hooks the modules of a model hold."""
    names = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(module, name)) for module in model.modules() for name in names)


def called(function, weights, *args):
    """What function(model, *args) returns, without its graph, and the traces that it leaves."""
    model = network(weights)
    kinds = [(module, type(module), module.training) for module in model.modules()]
    state = {name: value.clone() for name, value in model.state_dict().items()}
    given = [(arg, arg.clone()) for arg in args if isinstance(arg, torch.Tensor)]
    found = function(model, *args)
    traces = []
    if found.requires_grad:
        traces.append("the result hangs on a graph")
    if any(not torch.equal(arg, before) or arg.requires_grad for arg, before in given):
        traces.append("what was given has changed")
    if any(not torch.equal(value, state[name]) for name, value in model.state_dict().items()):
        traces.append("the weights or buffers have changed")
    if any(p.grad is None or not (p.grad == 3).all() for p in model.parameters()):
        traces.append("the gradients of the parameters have changed")
    if [(m, type(m), m.training) for m in model.modules()] != kinds:
        traces.append("modules or their modes have changed")
    if hook_count(model):
        traces.append("a hook was left behind")
    return found.detach(), traces


def called_at(function, weights, places, *args):
    """As `called`, for a function that takes modules of the model after it: those at places."""

    def with_modules(model, *rest):
        modules = [model.get_submodule(place) for place in places]
        return function(model, modules, *rest)

    return called(with_modules, weights, *args)


def hooks_after_failure(function, weights, *args):
    """How many hooks are left when the model fails, since the pictures have too many channels."""
    model = network(weights)
    try:
        function(model, *args)
    except (RuntimeError, LookupError, ValueError):
        return hook_count(model)
    return hook_count(model)


def judged_network(state):
    """The network of the text with a state that the judge has trained, in double precision."""
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.Conv2d(16, 16, 3, padding=1),
        nn.BatchNorm2d(16),
        nn.ReLU(),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(16, 4),
    ).double()
    model.load_state_dict(state)
    return model.eval()
