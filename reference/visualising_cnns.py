# %% [markdown]
# # Visualising CNNs
#
# A network names the class of a picture. What did it look at? Since 2013 people have drawn *maps*
# that shall say so: a number for each pixel, large where the pixel mattered. Such maps look
# convincing, also when they are wrong: some show the edges of the picture whatever the network has
# learnt. So a map is a claim, and a claim can be tested.
#
# In this assignment you write the methods that are used most, and then judge them: on pictures in
# which the one region that decides is known, and by asking whether a map changes when the network
# does. At the end you go the other way, from what is inside a network back to pictures.
#
# | | you build | by tests | by a reader |
# |---|---|---|---|
# | 1 | gradients of a score, SmoothGrad | 12 | |
# | 2 | other ways back through a ReLU | 11 | |
# | 3 | occlusion and Grad-CAM | 16 | |
# | 4 | integrated gradients | 11 | 4 |
# | 5 | tests of maps: the true region, random weights | 14 | 4 |
# | 6 | class images, inversion, linear probes | 16 | 4 |
#
# **Rules**
#
# - PyTorch is yours to use: autograd, hooks, `torch.nn`, `torch.optim`. Libraries of ready-made
#   maps are not there.
# - Keep the names and the arguments of functions. You may add helpers and cells of your own.
# - Work in the precision you are given: `float64` in, `float64` out. Results hang on no graph
#   (`requires_grad` is False).
# - **Leave no traces.** A function that is given a model leaves it as it was: weights, buffers,
#   every `p.grad`, every module's mode (`training`), and no hook stays behind, also when the model
#   raises an error (`try … finally`). It changes no tensor that it is given. A helper below,
#   `untouched`, checks this.
# - **Evaluation mode.** Batch normalisation and dropout behave in another way in training. Each
#   function asks the model in evaluation mode, in whatever mode it gets it, and gives it back in
#   the mode in which it was. A helper below, `evaluation`, does that.
#
# **How it is marked.** Hidden tests call your functions with fresh random inputs and networks,
# mostly in `float64`, with pictures that are not square. How you wrote a function is up to you.
# The three written answers are read by a person. The cells that begin with `@self_check` let you
# try your work as you go. They are easier than the hidden tests, and so are the public tests that
# came with this notebook. No cell may take longer than 40 seconds; five are plenty.
#
# **Notation.** A batch of pictures $x$ has shape $(N, C, H, W)$: $N \ge 1$ pictures, $C$ channels,
# $H$ rows, $W$ columns. A model takes $x$ and returns logits $z$ of shape $(N, K)$, one for each
# class; in evaluation mode each row hangs on its own picture alone. `target` holds a class for each
# picture, shape $(N,)$, `int64`: the class that is asked about, right or not. The **score** of
# picture $n$ is $f(x_n) = z_{n,\,\text{target}_n}$: the logit, not the probability.

# %%
import copy
import math
from contextlib import contextmanager

import torch
import torch.nn.functional as F
from torch import nn

# %% active="ipynb"
# import matplotlib.pyplot as plt

# %% [markdown]
# Helpers, given. `self_check` runs a check at once and prints how it went. `evaluation` is for your
# functions: `with evaluation(model):` puts the model in evaluation mode and back. `untouched` calls
# a function and complains about the traces that it leaves.


# %%
def self_check(check):
    """Run `check()` now and print how it went. Used as a decorator."""
    try:
        check()
    except NotImplementedError as missing:
        print(f"{check.__name__}: not implemented yet: {missing}")
    except Exception as e:  # whatever it is, the notebook goes on
        print(f"{check.__name__}: NOT RIGHT YET: {type(e).__name__}: {e}")
    else:
        print(f"{check.__name__}: ok")


@contextmanager
def evaluation(model):
    """Put a model in evaluation mode, and afterwards each of its modules in the mode it had."""
    modes = [(module, module.training) for module in model.modules()]
    model.eval()
    try:
        yield model
    finally:
        for module, mode in modes:
            module.training = mode


def untouched(function, model, *args):
    """Call function(model, *args) and return what it returns; AssertionError if it leaves traces.

    The model is given in training mode, except for its first module, and has gradients already.
    """
    model.train()
    next(iter(model.children())).eval()
    for param in model.parameters():
        param.grad = torch.ones_like(param)
    kinds = [(module, type(module), module.training) for module in model.modules()]
    state = copy.deepcopy(model.state_dict())
    given = [(arg, arg.clone()) for arg in args if isinstance(arg, torch.Tensor)]
    found = function(model, *args)
    for arg, before in given:
        assert torch.equal(arg, before), "a tensor that was given has changed"
        assert not arg.requires_grad, "a tensor that was given requires gradients now"
    for name, value in model.state_dict().items():
        assert torch.equal(value, state[name]), f"{name} of the model has changed"
    for param in model.parameters():
        assert param.grad is not None and (param.grad == 1).all(), "the model's gradients changed"
        assert param.requires_grad, "parameters of the model require no gradients any more"
    assert [(m, type(m), m.training) for m in model.modules()] == kinds, "modes or modules changed"
    for module in model.modules():
        hooks = [module._forward_hooks, module._forward_pre_hooks]
        hooks += [module._backward_hooks, module._backward_pre_hooks]
        assert not any(hooks), "a hook was left behind"
    model.eval()
    parts = found if isinstance(found, (list, tuple)) else [found]
    assert not any(getattr(part, "requires_grad", False) for part in parts), "it hangs on a graph"
    return found


# %% [markdown]
# The pictures are drawn by the function below, new ones at each call, 16 rows and 20 columns. In
# one half stands a thin **glyph**, 5 × 5: a plus, a cross, a square or a diamond. It alone is the
# class. In the other half lies a bright **disc**, which draws the eye and says nothing. The third
# result says where the glyph is: the truth that maps are held against.

# %%
NAMES = ("plus", "cross", "square", "diamond")
ROWS, COLUMNS = 16, 20


def glyphs():
    """The four glyphs: (4, 5, 5), ones and zeros."""
    line = torch.arange(5) - 2
    down, right = line[:, None].abs(), line[None, :].abs()
    shapes = [down * right == 0, down == right, torch.maximum(down, right) == 2, down + right == 2]
    return torch.stack(shapes).float()


def pictures(n, noise=0.1):
    """Draw pictures of a glyph and a disc.

    Args:
        n: how many.
        noise: standard deviation of each pixel.

    Returns:
        (x, y, region): (n, 1, 16, 20) pictures, float32 from 0 to 1; (n,) their classes, int64;
        (n, 16, 20) boolean, True where the glyph's 5 × 5 pixels are.
    """
    y = torch.randint(len(NAMES), (n,))
    left = torch.rand(n) < 0.5
    top = torch.randint(ROWS - 4, (n,))
    begin = torch.randint(6, (n,)) + torch.where(left, 0, 10)
    row = torch.arange(ROWS)[:, None] - top[:, None, None]
    column = torch.arange(COLUMNS)[None, :] - begin[:, None, None]
    region = (row >= 0) & (row < 5) & (column >= 0) & (column < 5)
    drawn = glyphs()[y[:, None, None], row.clamp(0, 4), column.clamp(0, 4)] * region
    down = torch.arange(ROWS)[:, None] - torch.randint(3, ROWS - 3, (n, 1, 1))
    middle = torch.randint(3, 7, (n, 1, 1)) + torch.where(left, 10, 0)[:, None, None]
    disc = down**2 + (torch.arange(COLUMNS) - middle) ** 2 <= (1.5 + 1.5 * torch.rand(n, 1, 1)) ** 2
    x = 0.3 + noise * torch.randn(n, ROWS, COLUMNS) + 0.5 * drawn + 0.6 * disc
    return x.clamp(0, 1)[:, None], y, region


def make_net():
    """The network: three convolutions, a mean over all positions, a linear layer; (N, 4) logits."""
    return nn.Sequential(
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
        nn.Linear(16, len(NAMES)),
    )


def train(model, x, y, epochs=10, batch_size=50, lr=1e-2):
    """Train a model in place, with a rate that falls to zero; it is in evaluation mode then."""
    model.train()
    optimizer = torch.optim.Adam(model.parameters(), lr=lr)
    steps = epochs * math.ceil(len(x) / batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, lr, total_steps=steps)
    for _ in range(epochs):
        for batch in torch.randperm(len(x)).split(batch_size):
            optimizer.zero_grad()
            F.cross_entropy(model(x[batch]), y[batch]).backward()
            optimizer.step()
            schedule.step()
    return model.eval()


def accuracy(model, x, y):
    """Share of the pictures whose largest logit is that of the right class."""
    with torch.no_grad():
        return (model(x).argmax(dim=1) == y).double().mean().item()


# %% active="ipynb"
# def show(*rows):
#     """Show rows of pictures: each row a list of (map or picture, title)."""
#     columns = max(len(row) for row in rows)
#     size = (1.5 * columns, 1.45 * len(rows))
#     figure, axes = plt.subplots(len(rows), columns, figsize=size, squeeze=False)
#     for axis in axes.flat:
#         axis.set_axis_off()
#     for row, line in zip(rows, axes):
#         for (picture, title), axis in zip(row, line):
#             picture = picture.detach().squeeze()
#             signed = picture.min() < 0
#             top = picture.abs().max().clamp(min=1e-12)
#             axis.imshow(picture, cmap="RdBu_r" if signed else "gray", vmin=-top if signed else 0,
#                         vmax=top)
#             axis.set_title(title, fontsize=8)
#     figure.tight_layout()
#     plt.show()
#
#
# torch.manual_seed(0)
# x_train, y_train, _ = pictures(1500)
# x_test, y_test, region_test = pictures(500)
# net = train(make_net(), x_train, y_train)
# print(f"right for {accuracy(net, x_test, y_test):.1%} of new pictures")
# show([(x_test[k], NAMES[y_test[k]]) for k in range(8)])

# %% [markdown]
# The first thing that one can look at in a network are the **filters** of its first layer: they
# act on pixels, so they are small pictures themselves (red is positive, blue negative). Beside a
# trained network's, filters of a fresh one:

# %% active="ipynb"
# show(
#     [(net[0].weight[k], f"filter {k}") for k in range(8)],
#     [(weight, "not trained") for weight in make_net()[0].weight],
# )

# %% [markdown]
# A small network for self-checks: two channels, a batch normalisation and a dropout that would be
# noticed in training mode.


# %%
def small_net():
    """A small network with random weights, float64: (N, 2, H, W) pictures, (N, 3) logits."""
    model = nn.Sequential(
        nn.Conv2d(2, 4, 3, padding=1),
        nn.BatchNorm2d(4),
        nn.Sequential(nn.ReLU(), nn.Conv2d(4, 5, 3, stride=2), nn.ReLU()),
        nn.Dropout(0.5),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(5, 3),
    )
    with torch.no_grad():
        for param in model.parameters():
            param.normal_()
        model[1].running_mean.normal_()
    return model.double().eval()


# %% [markdown]
# ## Question 1 (12 points): gradients of a score
#
# To first order, a small change $\delta$ of the picture changes its score by
# $\nabla f(x)^\top \delta$. So the gradient of the score with respect to the **input** says how
# strongly the score hangs on each number of the picture (Simonyan, Vedaldi and Zisserman, 2014):
#
# $$ g_n = \frac{\partial z_{n,\,\text{target}_n}}{\partial x_n}
#    \quad\text{of shape } (C, H, W), \qquad
#    \text{saliency}_n[i, j] = \max_c \bigl\lvert g_n[c, i, j] \bigr\rvert . $$
#
# The gradient keeps its sign; the saliency map has one number for each pixel, 0 or more. A
# picture's gradient does not depend on what else is in the batch: sum the scores, don't average
# them.
#
# `backward()` would also add to the gradients of the parameters; `torch.autograd.grad` does not.


# %%
def input_gradient(model, x, target):
    """Gradient of each picture's own score with respect to that picture.

    Args:
        model: takes (N, C, H, W) pictures, returns (N, K) logits. It is left as it was.
        x: (N, C, H, W) pictures.
        target: (N,) classes that are asked about.

    Returns:
        (N, C, H, W), with signs.
    """
    # BEGIN SOLUTION
    x = x.detach().clone().requires_grad_()
    with evaluation(model):
        score = model(x).gather(1, target[:, None]).sum()
    return torch.autograd.grad(score, x)[0]
    # END SOLUTION


def saliency(model, x, target):
    """The saliency map: the largest size of the gradient over the channels.

    Args:
        model, x, target: as in input_gradient.

    Returns:
        (N, H, W), 0 or more.
    """
    # BEGIN SOLUTION
    return input_gradient(model, x, target).abs().amax(dim=1)
    # END SOLUTION


# %% [markdown]
# Gradients of a network with many ReLUs jump from one pixel to the next and from one picture to a
# nearly equal one. **SmoothGrad** (Smilkov et al., 2017) takes the mean gradient over
# `samples` noisy copies of the picture:
#
# $$ \bar g_n = \frac{1}{S} \sum_{s=1}^{S} g(x_n + \sigma_n\,\xi_{n,s}), \qquad
#    \xi \sim \mathcal{N}(0, 1) \text{ for each number}, \qquad
#    \sigma_n = \text{sigma} \cdot (\max x_n - \min x_n) , $$
#
# with the largest and the smallest of *all* numbers of picture $n$. Each picture and each sample
# has a noise of its own, new ones at each call (set no seed). Noisy pictures are not clipped. What
# is averaged are the gradients with their signs.


# %%
def smooth_grad(model, x, target, sigma=0.15, samples=32):
    """SmoothGrad: the mean gradient over noisy copies of each picture.

    Args:
        model, x, target: as in input_gradient.
        sigma: standard deviation of the noise, as a share of each picture's range.
        samples: S, how many noisy copies of each picture, 1 or more.

    Returns:
        (N, C, H, W), with signs.
    """
    # BEGIN SOLUTION
    spread = sigma * (x.amax(dim=(1, 2, 3), keepdim=True) - x.amin(dim=(1, 2, 3), keepdim=True))
    total = torch.zeros_like(x)
    for _ in range(samples):
        total += input_gradient(model, x + spread * torch.randn_like(x), target)
    return total / samples
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_input_gradient():
#     model, x = small_net(), torch.rand(3, 2, 7, 9).double()
#     target = torch.tensor([2, 0, 2])
#     found = untouched(input_gradient, model, x, target)
#     assert found.shape == x.shape and found.dtype == x.dtype
#     moved = x.clone()
#     moved[:, 1, 3, 4] += 1e-6
#     rise = (model(moved) - model(x)).gather(1, target[:, None])[:, 0] / 1e-6
#     torch.testing.assert_close(found[:, 1, 3, 4], rise.detach(), rtol=1e-4, atol=1e-7)
#
#
# @self_check
# def check_saliency():
#     model, x, target = small_net(), torch.rand(3, 2, 7, 9).double(), torch.tensor([2, 0, 2])
#     found, gradient = untouched(saliency, model, x, target), input_gradient(model, x, target)
#     assert found.shape == (3, 7, 9)
#     for channel in range(2):
#         assert (found >= gradient[:, channel].abs() - 1e-9).all(), "a channel's size is larger"
#     sizes = gradient.abs().unbind(dim=1)
#     one_of_them = torch.isclose(found, sizes[0]) | torch.isclose(found, sizes[1])
#     assert one_of_them.all(), "this is the size of no channel"
#
#
# @self_check
# def check_smooth_grad():
#     class Squares(nn.Module):  # the gradient is 2x: so the map shows the noise itself
#         def forward(self, x):
#             return torch.stack([x.sum(dim=(1, 2, 3)), (x**2).sum(dim=(1, 2, 3))], dim=1)
#
#     x = torch.stack([torch.linspace(0, 1, 3000), torch.linspace(-2, 2, 3000)]).double()
#     x, target = x.reshape(2, 2, 50, 30), torch.tensor([1, 1])
#     one = smooth_grad(Squares(), x, target, sigma=0.5, samples=1) / 2 - x
#     many = smooth_grad(Squares(), x, target, sigma=0.5, samples=25) / 2 - x
#     assert abs(one[0].std() - 0.5) < 0.04, "sigma is a share of the picture's own range (here 1)"
#     assert abs(one[1].std() - 2) < 0.16, "sigma is a share of the picture's own range (here 4)"
#     assert abs(one[0].mean()) < 0.06, "the noise has mean zero, and nothing is clipped"
#     assert (one[0].abs() > 1).double().mean() > 0.025, "Gaussian noise has tails"
#     assert (one[0] - one[1] / 4).abs().max() > 0.1, "each picture has a noise of its own"
#     assert (one[0, 0] - one[0, 1]).abs().max() > 0.1, "each number has a noise of its own"
#     assert abs(many[0].std() - 0.1) < 0.015, "the mean over 25 samples has a fifth of the noise"
#     net_, x, target = small_net(), torch.rand(3, 2, 7, 9).double(), torch.tensor([2, 0, 2])
#     found = untouched(smooth_grad, net_, x, target)
#     assert found.shape == x.shape and found.min() < 0, "(N, C, H, W), with signs"
#     assert not torch.equal(found, smooth_grad(net_, x, target)), "another noise at each call"
#     found = smooth_grad(net_, x, target, 0.0, 4)
#     torch.testing.assert_close(found, input_gradient(net_, x, target))  # no noise: the gradient

# %% [markdown]
# ## Question 2 (11 points): other ways back through a ReLU
#
# With $y = \max(x, 0)$ and the gradient $G = \partial f / \partial y$ that comes from above, the
# chain rule lets through what went through. Two methods change that rule, and nothing else:
#
# | `rule` | what goes back to $x$ | source |
# |---|---|---|
# | `"gradient"` | $G \cdot [x > 0]$ | the chain rule |
# | `"deconvnet"` | $G \cdot [G > 0]$ | Zeiler and Fergus, 2014 |
# | `"guided"` | $G \cdot [x > 0] \cdot [G > 0]$ | Springenberg et al., 2015 |
#
# At $x = 0$ and at $G = 0$ nothing goes back. What comes out is no gradient of anything any more,
# but it makes clear pictures: only paths on which every step speaks *for* the class are left.
#
# To put a rule into a network that exists, every `nn.ReLU` in it must go back in another way,
# those inside nested modules too, and must be what it was afterwards. Among the ways: a
# `torch.autograd.Function` with its own `backward`, which a forward hook calls (what a forward hook
# returns takes the place of the module's output); a full backward hook; a copy of the model in
# which they are replaced. All ReLUs of our networks are modules of the class `nn.ReLU`, none works
# in place, and one module may be used several times.


# %%
def relu_backward(x, grad, rule):
    """What goes back through a ReLU.

    Args:
        x: the input of the ReLU, any shape.
        grad: G, the gradient with respect to its output, of the same shape.
        rule: "gradient", "deconvnet" or "guided".

    Returns:
        Tensor of the shape of x.
    """
    # BEGIN SOLUTION
    passes = torch.ones_like(x, dtype=torch.bool)
    if rule in ("gradient", "guided"):
        passes = passes & (x > 0)
    if rule in ("deconvnet", "guided"):
        passes = passes & (grad > 0)
    return torch.where(passes, grad, 0)
    # END SOLUTION


def modified_gradient(model, x, target, rule):
    """What reaches the picture when every ReLU goes back by a rule.

    Args:
        model, x, target: as in input_gradient.
        rule: "gradient", "deconvnet" or "guided".

    Returns:
        (N, C, H, W), with signs.
    """

    # BEGIN SOLUTION
    class Ruled(torch.autograd.Function):
        @staticmethod
        def forward(ctx, value):
            ctx.save_for_backward(value)
            return value.clamp(min=0)

        @staticmethod
        def backward(ctx, grad):
            return relu_backward(ctx.saved_tensors[0], grad, rule)

    relus = [module for module in model.modules() if isinstance(module, nn.ReLU)]
    hooks = [m.register_forward_hook(lambda _, given, __: Ruled.apply(given[0])) for m in relus]
    try:
        return input_gradient(model, x, target)
    finally:
        for hook in hooks:
            hook.remove()
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_relu_backward():
#     x, grad = torch.tensor([[2.0, -1.0, 3.0, -4.0, 0.0]]), torch.tensor([[5.0, 6, -7, -8, 9]])
#     for rule, expected in (
#         ("gradient", [5, 0, -7, 0, 0]),
#         ("deconvnet", [5, 6, 0, 0, 9]),
#         ("guided", [5, 0, 0, 0, 0]),
#     ):
#         assert relu_backward(x, grad, rule).tolist() == [expected], rule
#     assert x[0, 1] == -1 and grad[0, 2] == -7, "what was given has changed"
#
#
# @self_check
# def check_modified_gradient():
#     model, x, target = small_net(), torch.rand(3, 2, 7, 9).double(), torch.tensor([2, 0, 2])
#     by_rule = {
#         rule: untouched(modified_gradient, model, x, target, rule)
#         for rule in ("gradient", "deconvnet", "guided")
#     }
#     true = input_gradient(model, x, target)
#     torch.testing.assert_close(by_rule["gradient"], true)
#     for rule in ("deconvnet", "guided"):
#         assert by_rule[rule].shape == x.shape
#         assert (by_rule[rule] - true).abs().max() > 1e-9, "the ReLUs inside of modules, too"
#     # One ReLU at two places, by hand. Between them 2 is added to the left number, and taken from
#     # the right one.
#     relu, between, last = nn.ReLU(), nn.Linear(2, 2), nn.Linear(2, 2, bias=False)
#     between.weight.data, between.bias.data = torch.eye(2), torch.tensor([2.0, -2.0])
#     last.weight.data = torch.tensor([[-1.0, 2.0], [1.0, 3.0]])
#     chain = nn.Sequential(nn.Sequential(relu, between, relu), nn.Flatten(), last)
#     x, target = torch.tensor([[[[1.0, 3.0]]], [[[-1.0, 1.0]]]]), torch.tensor([0, 1])
#     found = modified_gradient(chain, x, target, "guided")
#     assert found.tolist() == [[[[0.0, 2.0]]], [[[0.0, 0.0]]]], f"guided: {found.tolist()}"
#     found = modified_gradient(chain, x, target, "deconvnet")
#     assert found.tolist() == [[[[0.0, 2.0]]], [[[1.0, 3.0]]]], f"deconvnet: {found.tolist()}"
#     try:
#         modified_gradient(model, torch.rand(1, 5, 7, 9).double(), torch.tensor([0]), "guided")
#     except RuntimeError:  # the model takes no five channels
#         pass
#     for module in model.modules():
#         hooks = [*module._forward_hooks, *module._backward_hooks]
#         assert not hooks, "a hook stayed when the model failed"

# %% [markdown]
# ## Question 3 (16 points): occlusion and Grad-CAM
#
# **Occlusion** (Zeiler and Fergus, 2014) uses no gradient: cover a window of the picture and see
# how far the score falls. The window of $h \times w$ pixels stands with its upper left corner at
# rows $0, s, 2s, \dots$ and columns $0, s, 2s, \dots$ with the stride $s$, at every place where it
# fits **wholly** into the picture. There all channels get the same `value`. The drop
# $d = f(x) - f(\text{covered } x)$ belongs to every pixel under the window, and the map is
#
# $$ \text{map}_n[i, j] = \text{mean of } d \text{ over the windows that cover } (i, j), $$
#
# and 0 for a pixel that no window covers (at the right and lower border there may be some). The map
# has signs: negative where the score rose.


# %%
def occlusion(model, x, target, size, stride=1, value=0.0):
    """The occlusion map: how far the score falls when a pixel is covered.

    Args:
        model, x, target: as in input_gradient.
        size: (h, w), rows and columns of the window; it fits into the picture.
        stride: s, the step of the window, down and to the right.
        value: what the covered numbers become.

    Returns:
        (N, H, W), with signs.
    """
    # BEGIN SOLUTION
    (height, width), (rows, columns) = size, x.shape[2:]
    total, times = x.new_zeros(len(x), rows, columns), x.new_zeros(rows, columns)
    with evaluation(model), torch.no_grad():
        before = model(x).gather(1, target[:, None])
        for i in range(0, rows - height + 1, stride):
            for j in range(0, columns - width + 1, stride):
                window = (slice(i, i + height), slice(j, j + width))
                covered = x.clone()
                covered[:, :, *window] = value
                drop = before - model(covered).gather(1, target[:, None])
                total[:, *window] += drop[:, :, None]
                times[window] += 1
    return total / times.clamp(min=1)
    # END SOLUTION


# %% [markdown]
# **Grad-CAM** (Selvaraju et al., 2017) looks at what a convolutional layer puts out, the
# activations $A$ of shape $(N, M, H', W')$: $M$ coarse maps of things that the network has found.
# Which of them speak for the class? Those with a positive mean gradient:
#
# $$ \alpha_{n,m} = \frac{1}{H' W'} \sum_{i,j} \frac{\partial f(x_n)}{\partial A_{n,m,i,j}}, \qquad
#    L_n = \max\Bigl(0, \sum_m \alpha_{n,m} A_{n,m}\Bigr) \quad\text{of shape } (H', W'). $$
#
# Then $L$ is enlarged to the size of the picture: bilinear, `align_corners=False`
# (`F.interpolate`). It is not normalised. Where a mean over all positions and a linear layer with
# weights $w$ follow, $\alpha_{n,m} = w_{\text{target},m} / (H'W')$: the class activation map of
# Zhou et al. (2016), of which this is the general form.
#
# `layer` is a module inside of the model, and $A$ is what it returns; a forward hook gets hold of
# that. The hook has to go also when the model fails (`try … finally`).


# %%
def grad_cam(model, layer, x, target):
    """Grad-CAM.

    Args:
        model: as in input_gradient.
        layer: a module inside of the model, used once, that returns (N, M, H', W').
        x, target: as in input_gradient.

    Returns:
        (N, H, W), 0 or more.
    """
    # BEGIN SOLUTION
    kept = []
    hook = layer.register_forward_hook(lambda _, __, out: kept.append(out))
    try:
        with evaluation(model):
            score = model(x.detach().clone().requires_grad_()).gather(1, target[:, None]).sum()
    finally:
        hook.remove()
    (grad,) = torch.autograd.grad(score, kept[0])
    weights = grad.mean(dim=(2, 3), keepdim=True)
    coarse = (weights * kept[0].detach()).sum(dim=1, keepdim=True).clamp(min=0)
    return F.interpolate(coarse, size=x.shape[2:], mode="bilinear", align_corners=False)[:, 0]
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_occlusion():
#     # A linear score: a window's drop is the sum of w · (x - value) under it.
#     model = nn.Sequential(nn.Flatten(), nn.Linear(2 * 3 * 4, 2, bias=False)).double()
#     weight = torch.zeros(2, 2, 3, 4).double()
#     weight[1, 0, 1, 1], weight[1, 1, 1, 1], weight[1, 0, 2, 3] = 1.0, 2.0, 100.0
#     weight[1, 1, 2, 0] = -4.0
#     model[1].weight.data = weight.flatten(1)
#     x, target = torch.ones(2, 2, 3, 4).double(), torch.tensor([1, 0])
#     found = untouched(occlusion, model, x, target, (2, 3), 2, 0.5)
#     # One window alone fits: rows 0 and 1, columns 0 to 2. It covers 1 · 0.5 + 2 · 0.5.
#     expected = torch.zeros(2, 3, 4).double()
#     expected[0, :2, :3] = 1.5
#     torch.testing.assert_close(found, expected)
#     found = occlusion(model, x, target, (1, 2))
#     # Pixel (1, 1) lies under two windows; both cover it. Pixels (1, 0) and (1, 2): one of 1 or 2.
#     torch.testing.assert_close(found[0, 1], torch.tensor([3.0, 3.0, 1.5, 0.0]).double())
#     torch.testing.assert_close(found[0, 2], torch.tensor([-4.0, -2.0, 50.0, 100.0]).double())
#     untouched(occlusion, small_net(), torch.rand(1, 2, 7, 9).double(), torch.tensor([1]), (3, 2))
#
#
# @self_check
# def check_grad_cam():
#     model, x = small_net(), torch.rand(3, 2, 7, 9).double()
#     target, inside = torch.tensor([2, 0, 2]), model[2][2]
#     found = untouched(lambda m, x, t: grad_cam(m, inside, x, t), model, x, target)
#     with torch.no_grad():
#         activations = model[:3](x)
#     weights = model[6].weight.detach()[target] / activations[0, 0].numel()
#     cam = torch.einsum("nm,nmij->nij", weights, activations).clamp(min=0)
#     cam = F.interpolate(cam[:, None], size=(7, 9), mode="bilinear", align_corners=False)[:, 0]
#     torch.testing.assert_close(found, cam)  # shape (N, H, W)
#     single = grad_cam(model, inside, x[:1], target[:1])
#     torch.testing.assert_close(single, cam[:1], msg="a picture's map changed with the batch")
#     try:
#         grad_cam(model, inside, torch.rand(1, 5, 7, 9).double(), torch.tensor([0]))
#     except RuntimeError:  # the model takes no five channels
#         pass
#     assert not inside._forward_hooks, "a hook stayed when the model failed"
#     # By hand: gradients that differ from place to place, with the means 2 and -1.
#     coarse = torch.tensor([[[1.0, 2, 0], [0, 1, 3]], [[0, 5, 1], [1, 1, 1]]]).double()
#     slopes = torch.tensor([[[1.0, 3, 0], [4, 2, 2]], [[-2, 0, -4], [2, -1, -1]]]).double()
#     model = nn.Sequential(nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 1, bias=False)).double()
#     model[2].weight.data = slopes.reshape(1, 12)
#     x = coarse.repeat_interleave(2, dim=1).repeat_interleave(2, dim=2)[None]
#     found = grad_cam(model, model[0], x, torch.tensor([0]))
#     cam = torch.tensor([[[[2.0, 0, 0], [0, 1, 5]]]]).double()
#     cam = F.interpolate(cam, size=(4, 6), mode="bilinear", align_corners=False)[:, 0]
#     torch.testing.assert_close(found, cam)

# %% [markdown]
# ## Question 4 (15 points): integrated gradients
#
# A gradient says what a *small* change does. Where a unit is saturated, that is nothing, although
# the unit decides. **Integrated gradients** (Sundararajan, Taly and Yan, 2017) take the gradients
# on the whole straight way from a **baseline** $x'$, a picture that shows nothing, to $x$:
#
# $$ a = (x - x') \odot \int_0^1 \nabla f\bigl(x' + t\,(x - x')\bigr)\,dt . $$
#
# By the fundamental theorem of calculus they are **complete**: the attributions of all numbers
# of a picture add up to what is to be explained,
#
# $$ \sum_{c,i,j} a_{c,i,j} = f(x) - f(x') . $$
#
# The integral becomes a sum over $m$ steps. We take the **midpoint rule**,
# $t_k = (k - \tfrac12) / m$ for $k = 1, \dots, m$, each with the weight $1/m$. It is exact where
# the gradient is linear along the way, whatever $m$ is; a sum over left or right ends is not.


# %%
def integrated_gradients(model, x, baseline, target, steps=32):
    """Integrated gradients along the straight way from a baseline, by the midpoint rule.

    Args:
        model, x, target: as in input_gradient.
        baseline: (N, C, H, W), x': where the way of each picture begins.
        steps: m, 1 or more.

    Returns:
        (N, C, H, W) attributions, with signs.
    """
    # BEGIN SOLUTION
    total = torch.zeros_like(x)
    for k in range(steps):
        total += input_gradient(model, baseline + (k + 0.5) / steps * (x - baseline), target)
    return (x - baseline) * total / steps
    # END SOLUTION


def completeness_gap(model, x, baseline, target, attributions):
    """How far attributions are from being complete.

    Args:
        model, x, baseline, target: as in integrated_gradients.
        attributions: (N, C, H, W).

    Returns:
        (N,): the sum of each picture's attributions, minus f(x) - f(x').
    """
    # BEGIN SOLUTION
    with evaluation(model), torch.no_grad():
        rise = (model(x) - model(baseline)).gather(1, target[:, None])[:, 0]
    return attributions.sum(dim=(1, 2, 3)) - rise
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_integrated_gradients():
#     class Cubes(nn.Module):  # the gradient 3x² is quadratic: the midpoint rule leaves a known gap
#         def __init__(self):
#             super().__init__()
#             self.flat = nn.Flatten()
#
#         def forward(self, x):
#             return torch.stack([(self.flat(x) ** k).sum(dim=1) for k in (1, 2, 3)], dim=1)
#
#     x = torch.tensor([2.0, -1.0, 0.5, 3.0]).double().reshape(2, 1, 1, 2)
#     start = torch.tensor([1.0, 1.0, 0.5, 0.0]).double().reshape(2, 1, 1, 2)
#     for steps in (1, 3):
#         found = integrated_gradients(Cubes(), x, start, torch.tensor([1, 1]), steps)
#         torch.testing.assert_close(found, x**2 - start**2)
#         found = integrated_gradients(Cubes(), x, start, torch.tensor([2, 2]), steps)
#         torch.testing.assert_close(found, x**3 - start**3 - (x - start) ** 3 / (4 * steps**2))
#     model, x, target = small_net(), torch.rand(3, 2, 7, 9).double(), torch.tensor([2, 0, 2])
#     start = 0.3 * torch.ones_like(x)
#     found = untouched(integrated_gradients, model, x, start, target, 200)
#     gap = untouched(completeness_gap, model, x, start, target, found)
#     assert gap.shape == (3,) and gap.abs().max() < 0.1, gap
#     rise = (model(x) - model(start)).gather(1, target[:, None])[:, 0].detach()
#     torch.testing.assert_close(completeness_gap(model, x, start, target, 0 * x), -rise)

# %% [markdown]
# **Written, 4 points.** Answer in the cell below, in four to eight sentences.
#
# 1. Let $f(x) = 1 - \max(0, 1 - x)$ for a single number $x$, with $x = 2$ and the baseline
#    $x' = 0$. Compute the gradient, gradient times input, and the integrated gradient. What does
#    the gradient miss, and why can completeness not be had from it?
# 2. With a black baseline ($x' = 0$), what attribution does a black pixel get, whatever the network
#    does? Say when that misleads, and name two other baselines with what speaks against each.

# %% [markdown]
# **Answer q4.**
#
# <!-- BEGIN SOLUTION -->
# 1. At $x = 2$ the function is flat: the gradient is 0, and so is gradient times input. On the way
# from 0 to 2 the gradient is 1 as long as $x < 1$ and then 0, so the integral over $t$ is $1/2$
# and the integrated gradient $(2 - 0) \cdot 1/2 = 1 = f(2) - f(0)$. The gradient only sees that
# a *small* change does nothing; that the input has brought the score from 0 to 1 lies further away
# than it looks. It depends on $f$ close to $x$ alone, and $f(x')$ can be changed without
# changing anything there, so no map made from it can always add up to $f(x) - f(x')$.
#
# 2. None: the factor $x - x'$ is zero. That misleads where darkness is what counts, such as
# dark writing on white paper: the letter itself gets nothing and the paper all. Others: the
# picture blurred (what is large and flat keeps its values and gets nothing), the mean picture
# of the data or a grey one (pixels that happen to be grey get nothing), noise, or a mean over
# many baselines, such as other pictures (costs as many times more, and the difference to be
# explained is another one each time). None is neutral: the baseline belongs to the question.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 5 (18 points): is it true?
#
# A map of our network can be held against the truth: only the glyph decides. The **share inside**
# is
#
# $$ \frac{\sum_{(i,j) \in \text{region}} \lvert \text{map}[i, j] \rvert}{\sum_{i,j} \lvert
# \text{map}[i, j] \rvert} , $$
#
# and 0 for a map that is zero everywhere. A map that knows nothing has about the region's share of
# the area, here $25/320 \approx 8\,\%$.
#
# Mostly the truth is not known. Adebayo et al. (2018) ask less: **does the map change when the
# network does?** Give the layers random weights, from the last one backwards, and compare each map
# with that of the trained network. A map that stays the same says nothing about what was learnt.
# Maps are compared by **Spearman's rank correlation**: put ranks in place of the numbers, from the
# smallest, 1, to the largest, $P = HW$; numbers that are equal all get the mean of the ranks that
# they share (0.3, 0.7, 0.3 gets 1.5, 3, 1.5); then take the ordinary (Pearson) correlation of
# the two lists of ranks,
#
# $$ \rho = \frac{\sum_p (r_p - \bar r)(q_p - \bar q)}
#               {\sqrt{\sum_p (r_p - \bar r)^2}\,\sqrt{\sum_p (q_p - \bar q)^2}} , $$
#
# and 0 where all numbers of one of the maps are equal.


# %%
def share_inside(maps, region):
    """Share of each map that lies inside of a region.

    Args:
        maps: (N, H, W), with signs; their sizes count.
        region: (N, H, W), boolean.

    Returns:
        (N,), from 0 to 1; 0 for a map that is zero everywhere.
    """
    # BEGIN SOLUTION
    sizes = maps.abs()
    shares = (sizes * region).sum(dim=(1, 2)) / sizes.sum(dim=(1, 2))
    return shares.nan_to_num()  # 0/0
    # END SOLUTION


def rank_correlation(a, b):
    """Spearman's rank correlation of each map of a with that of b.

    Args:
        a, b: (N, H, W), taken as they are, with signs.

    Returns:
        (N,), from -1 to 1; 0 where a map has the same number everywhere.
    """

    # BEGIN SOLUTION
    def centred_ranks(maps):
        values = maps.flatten(1)
        smaller = (values[:, None, :] < values[:, :, None]).sum(dim=2)
        equal = (values[:, None, :] == values[:, :, None]).sum(dim=2)
        ranks = (smaller + (equal + 1) / 2).to(maps.dtype)
        return ranks - ranks.mean(dim=1, keepdim=True)

    r, q = centred_ranks(a), centred_ranks(b)
    return ((r * q).sum(dim=1) / (r.norm(dim=1) * q.norm(dim=1))).nan_to_num()  # 0/0
    # END SOLUTION


# %% [markdown]
# The **layers** of a model are its modules that have a method `reset_parameters`, in the order of
# `model.modules()`: convolutions, normalisations, linear layers. Calling that method draws the
# layer's weights anew, as when it was made. `randomised(model, count)` does so with the **last**
# `count` of them, on a copy. `sanity_curve` does it for `count` = 1, 2, …, all, with new weights
# for each count.


# %%
def randomised(model, count):
    """A copy of a model whose last layers have fresh random weights.

    Args:
        model: an nn.Module.
        count: how many of its last layers get new weights; 0 for none.

    Returns:
        A new model in the same mode; the given one is as it was.
    """
    # BEGIN SOLUTION
    other = copy.deepcopy(model)
    layers = [module for module in other.modules() if hasattr(module, "reset_parameters")]
    for layer in layers[len(layers) - count :]:
        layer.reset_parameters()
    return other
    # END SOLUTION


def sanity_curve(method, model, x, target):
    """How similar maps stay when more and more layers get random weights.

    Args:
        method: called as method(model, x, target), returns maps (N, H, W).
        model, x, target: as in input_gradient.

    Returns:
        List of floats, one for each count = 1, ..., number of layers: the mean over the pictures of
        the rank correlation between the absolute values of the model's map and of the map of
        randomised(model, count).
    """
    # BEGIN SOLUTION
    layers = sum(hasattr(module, "reset_parameters") for module in model.modules())
    true = method(model, x, target).abs()
    curve = []
    for count in range(1, layers + 1):
        drawn = method(randomised(model, count), x, target).abs()
        curve.append(rank_correlation(true, drawn).mean().item())
    return curve
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_share_inside():
#     maps = torch.tensor([[[1.0, -3.0, 0.0], [2.0, -2.0, 0.0]], [[0.0] * 3] * 2]).double()
#     maps = torch.cat([maps, 1e-20 * maps[:1].flip(2)])
#     region, given = torch.tensor([[[True, True, False], [False] * 3]] * 3), maps.clone()
#     expected = torch.tensor([4 / 8, 0.0, 3 / 8]).double()
#     torch.testing.assert_close(share_inside(maps, region), expected)
#     assert torch.equal(maps, given), "a tensor that was given has changed"
#
#
# @self_check
# def check_rank_correlation():
#     a = torch.tensor([[0.3, 0.7, 0.3], [5.0, -6.0, 9.0]]).double()[:, None]
#     torch.testing.assert_close(rank_correlation(a, a.exp()), torch.ones(2).double())
#     torch.testing.assert_close(rank_correlation(a, -a), -torch.ones(2).double())
#     b = torch.tensor([[1.0, 2.0, 3.0], [4.0, 4.0, 4.0]]).double()[:, None]
#     # Ranks 1.5, 3, 1.5 and 1, 2, 3: no correlation. A map that is flat has none either.
#     torch.testing.assert_close(rank_correlation(a, b), torch.zeros(2).double())
#     torch.testing.assert_close(rank_correlation(b, a), torch.zeros(2).double())
#     # Ranks 1.5, 1.5, 3, 4 and 4, 3, 1.5, 1.5, each with 1, 2, 3, 4.
#     c = torch.tensor([[1.0, 1.0, 2.0, 3.0], [9.0, 2.5, 1.5, 1.5]]).double()[:, None]
#     d = torch.tensor([[1.0, 2.0, 3.0, 4.0], [0.0, 0.5, 3.5, 8.0]]).double()[:, None]
#     expected = torch.tensor([0.9**0.5, -(0.9**0.5)]).double()
#     torch.testing.assert_close(rank_correlation(c, d), expected)
#
#
# @self_check
# def check_randomised():
#     model = small_net()
#     layers = lambda m: [m[0], m[1], m[2][1], m[6]]
#     for count in range(5):
#         other = untouched(randomised, model, count)
#         assert other is not model
#         for k, (old, new) in enumerate(zip(layers(model), layers(other))):
#             fresh = k >= 4 - count
#             for name, value in new.named_parameters():
#                 same = torch.equal(value, old.get_parameter(name))
#                 assert same != fresh, f"count {count}: {name} of layer {k} (from 0) of 4"
#             if k == 1:
#                 assert (new.running_mean == 0).all() == fresh, "its statistics, too"
#     bound = 18**-0.5  # of the convolution's own way, for 2 · 3 · 3 numbers
#     assert other[0].weight.abs().max() <= bound, "drawn in another way than reset_parameters does"
#     assert not torch.equal(randomised(model, 4)[0].weight, other[0].weight), "twice the same"
#     model.train()
#     model[2].eval()
#     modes = [module.training for module in model.modules()]
#     assert [m.training for m in randomised(model, 1).modules()] == modes, "in the same mode"
#
#
# @self_check
# def check_sanity_curve():
#     model, x, target = small_net(), torch.rand(3, 2, 7, 9).double(), torch.tensor([2, 0, 2])
#     curve = untouched(lambda m, x, t: sanity_curve(saliency, m, x, t), model, x, target)
#     assert len(curve) == 4 and all(abs(value) < 0.999 for value in curve)
#     flips = iter([1.0, -1.0] * 8)
#     curve = sanity_curve(lambda m, x, t: next(flips) * x[:, 0], model, x, target)
#     assert all(abs(value - 1) < 1e-6 for value in curve), "absolute values are compared"
#
#     class Layer(nn.Module):  # it only knows whether it was drawn anew
#         fresh = False
#
#         def reset_parameters(self):
#             self.fresh = True
#
#     # Maps of three pictures for 0, 1, 2 and 3 fresh layers. The correlations with the first ones:
#     # 1, 0.8, 0.8; then 0.8, -1, 0.8; then -1, 0.8, -1.
#     maps = torch.tensor([
#         [[1.0, 2, -3, 40], [10, 20, 30, -40], [0.1, 0.2, 0.3, 0.9]],
#         [[1.0, -2, 7, 40], [10, 20, -90, 40], [0.2, 0.1, 0.3, 0.9]],
#         [[2.0, 1, 3, 40], [90, -30, 20, 10], [0.1, 0.2, 9.0, 0.4]],
#         [[-4.0, 3, 2, 1], [20, 10, 30, 40], [0.9, 0.3, 0.2, -0.1]],
#     ]).double()
#     model = nn.Sequential(Layer(), Layer(), Layer())
#     curve = sanity_curve(
#         lambda m, x, t: maps[sum(layer.fresh for layer in m)][:, None], model, x, target
#     )
#     assert all(isinstance(value, float) for value in curve), "a list of floats"
#     torch.testing.assert_close(curve, [2.6 / 3, 0.2, -0.4])

# %% [markdown]
# Now all methods side by side, for pictures of the test set, with the share inside; and
# the test by random weights.

# %% active="ipynb"
# def method_maps(window=3, stride=1, samples=32):
#     """Each method's maps (N, H, W), as a function of model, x and target.
#
#     Fewer windows and samples are coarser, and sooner there.
#     """
#     grey = lambda x: torch.full_like(x, 0.3)  # the background
#     return {
#         "gradient": saliency,
#         "SmoothGrad": lambda m, x, t: smooth_grad(m, x, t, samples=samples).sum(dim=1),
#         "deconvnet": lambda m, x, t: modified_gradient(m, x, t, "deconvnet").sum(dim=1),
#         "guided": lambda m, x, t: modified_gradient(m, x, t, "guided").sum(dim=1),
#         "occlusion": lambda m, x, t: occlusion(m, x, t, (window, window), stride, 0.3),
#         "Grad-CAM": lambda m, x, t: grad_cam(m, m[9], x, t),
#         "integrated": lambda m, x, t: (
#             integrated_gradients(m, x, grey(x), t, samples).sum(dim=1)
#         ),
#     }
#
#
# @self_check
# def show_all_maps():
#     x, y, region = x_test[:4], y_test[:4], region_test[:4]
#     columns = [[(picture, NAMES[k]) for picture, k in zip(x, y)]]
#     for name, method in method_maps().items():
#         maps = method(net, x, y)
#         shares = share_inside(maps, region)
#         columns.append([(one, f"{name} {share:.0%}") for one, share in zip(maps, shares)])
#     show(*zip(*columns))
#
#
# @self_check
# def show_judgement():
#     x, y, region = x_test[:30], y_test[:30], region_test[:30]
#     few, asked = x_test[:10], y_test[:10]
#     figure, axes = plt.subplots(figsize=(7, 3.5))
#     print(f"{'share inside':>12}: trained, fresh network; an even map has 8 %")
#     fresh = make_net().eval()
#     for name, method in method_maps(window=4, stride=2, samples=16).items():
#         shares = [share_inside(method(m, x, y), region).mean() for m in (net, fresh)]
#         print(f"{name:>12}: {shares[0]:.0%}, {shares[1]:.0%}")
#         axes.plot([1.0, *sanity_curve(method, net, few, asked)], "o-", label=name)
#     axes.set(xlabel="layers with random weights, from the last one", ylabel="rank correlation")
#     axes.legend(fontsize=8)
#     plt.show()

# %% [markdown]
# **Written, 4 points.** Look at the figures above, and answer in the cell below, in five to ten
# sentences.
#
# 1. A map hardly changes when the weights become random. What does that show? Another one changes
#    at once. Does that show that it is right? Why is guided backpropagation less sensitive to the
#    last layers than the gradient, by its rule? And what keeps the curve of the integrated
#    gradients up, although each number of theirs hangs on the weights?
# 2. A map has a small share inside. It may be the map's fault, or the network's: which
#    network would earn such a map honestly? Describe an experiment on new pictures that tells the
#    two apart, and say what you would see in each case.

# %% [markdown]
# **Answer q5.**
#
# <!-- BEGIN SOLUTION -->
# 1. That the map does not depend on what the network has learnt: it is about the picture and the
# architecture (edges, bright spots), and can't explain a decision. The test only refutes. A map
# that changes may be wrong all the same: noise that is drawn from a hash of the weights would pass.
# In guided backpropagation only positive numbers come back, at each ReLU, and they are masked by
# the activations. What the last layers decide, with which sign each path counts, is mostly thrown
# away; which paths are left depends on the activations, that is on the picture and the first
# layers. It is nearly the same for every class: it restores the picture rather than explaining.
# Integrated gradients contain the factor $x - x'$, which knows nothing of the network: where the
# picture is like the baseline they are small whatever the weights are, and ranks notice that.
#
# 2. A network that has found something else which goes with the class, such as the background
# or the disc, really looks outside, and an honest map says so. Take the truth from
# interventions instead of maps: draw pictures in which the glyph is replaced by another one and all
# else stays, and pictures in which the disc and the background are drawn anew and the glyph stays.
# If the score follows the glyph and not the rest, the network looks at the glyph, and the map is at
# fault. If it follows the rest, the map was right and the network is at fault.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 6 (20 points): from the inside back to pictures
#
# Maps explain one picture. Two other questions need none: *which picture does a class want?* and
# *what does a layer still know?*
#
# **Class images** (Simonyan et al., 2014) climb from a start along the gradient of the score. Left
# alone they grow without end, into what no picture looks like: the network was never asked about
# that. So a **regulariser** keeps them small and smooth. With the total variation
#
# $$ \operatorname{TV}(x_n) = \sum_{c,i,j} \bigl(x_{n,c,i+1,j} - x_{n,c,i,j}\bigr)^2
#    + \sum_{c,i,j} \bigl(x_{n,c,i,j+1} - x_{n,c,i,j}\bigr)^2 $$
#
# (over all neighbours that exist), take `steps` plain steps up, without clipping:
#
# $$ x_n \leftarrow x_n + \eta\,\nabla_{x_n} \Bigl( f(x_n) - \lambda\,\lVert x_n \rVert_2^2
#    - \mu \operatorname{TV}(x_n) \Bigr) . $$


# %%
def total_variation(x):
    """Sum of the squared differences of neighbours, down and to the right.

    Args:
        x: (N, C, H, W); autograd can go back through the result.

    Returns:
        (N,).
    """
    # BEGIN SOLUTION
    down, right = x[:, :, 1:] - x[:, :, :-1], x[:, :, :, 1:] - x[:, :, :, :-1]
    return (down**2).sum(dim=(1, 2, 3)) + (right**2).sum(dim=(1, 2, 3))
    # END SOLUTION


def class_image(model, target, start, steps, lr, decay, smooth):
    """Pictures for which a class has a high score, by gradient ascent.

    Args:
        model, target: as in input_gradient.
        start: (N, C, H, W), where to begin.
        steps: how many steps, 0 or more.
        lr: η.
        decay: λ, of the squared size.
        smooth: μ, of the total variation.

    Returns:
        (N, C, H, W).
    """
    # BEGIN SOLUTION
    x = start.detach().clone()
    for _ in range(steps):
        x.requires_grad_()
        penalty = decay * (x**2).sum() + smooth * total_variation(x).sum()
        (down,) = torch.autograd.grad(penalty, x)
        x = x.detach()
        x = x + lr * (input_gradient(model, x, target) - down)
    return x
    # END SOLUTION


# %% [markdown]
# **Inversion** (Mahendran and Vedaldi, 2015) asks which picture has the features of a given one.
# Features are what a function $\varphi$, such as the first layers of a network, makes of a
# picture. Given $\varphi_0 = \varphi(x_0)$ but not $x_0$, find $x$ with numbers from 0 to 1
# that makes
#
# $$ \frac{\lVert \varphi(x_n) - \varphi_{0,n} \rVert_2^2}{\lVert \varphi_{0,n} \rVert_2^2}
#    + \mu\,\frac{\operatorname{TV}(x_n)}{CHW} $$
#
# small for each picture: how dark a picture is, or what else is in the batch, does not change what
# its two terms weigh. The optimizer is your choice, and $\varphi$ may be called 500 times at most.
# What counts is how small the sum becomes. With $\mu = 0$, in networks like ours, after the first
# ReLU and after the second normalisation, full marks are for a mean over the pictures that is at
# most 0.1 above what 300 steps of Adam with a falling rate reach; with $\mu > 0$ and a linear
# $\varphi$, for at most 0.1 above it for each picture. Many pictures may have the same features,
# so where one begins matters: begin at `start` (to within 0.05), the first that $\varphi$ is asked
# about.


# %%
def invert_features(features, wanted, start, smooth=0.0):
    """Find pictures with given features.

    Args:
        features: φ, takes (N, C, H, W), returns (N, ...); differentiable, each row for itself.
        wanted: φ₀, (N, ...), no row of it zero.
        start: (N, C, H, W), where to begin, from 0 to 1; left as it is.
        smooth: μ.

    Returns:
        (N, C, H, W), from 0 to 1, of the dtype of start.
    """
    # BEGIN SOLUTION
    x = start.detach().clone().requires_grad_()
    optimizer = torch.optim.Adam([x], lr=0.05)
    schedule = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, total_iters=300)
    goal = wanted.detach().flatten(1)
    for _ in range(300):
        apart = ((features(x).flatten(1) - goal) ** 2).sum(dim=1) / (goal**2).sum(dim=1)
        loss = (apart + smooth * total_variation(x) / x[0].numel()).sum()
        (x.grad,) = torch.autograd.grad(loss, x)
        optimizer.step()
        schedule.step()
        x.data.clamp_(0, 1)
    return x.detach()
    # END SOLUTION


# %% [markdown]
# **Linear probes** (Alain and Bengio, 2016) ask what can be *read* from a layer: train a linear
# classifier on its outputs, and see how often it is right. With features $h$ of shape $(N, D)$,
# classes $y$, weights $V$ of shape $(K, D)$ and biases $b$ of shape $(K,)$, the probe is where
#
# $$ J(V, b) = \frac{1}{N} \sum_n -\log \operatorname{softmax}(V h_n + b)_{y_n}
#    + \frac{\lambda}{2} \lVert V \rVert_2^2 $$
#
# is smallest (the norm is over all numbers of $V$; $b$ is not penalised). $J$ is convex: there is
# no other valley to get stuck in. Its *value* counts: full marks are for at most $10^{-3}$ above
# the smallest that there is. `torch.optim.LBFGS` with `line_search_fn="strong_wolfe"` gets there
# soon, and so does Newton's method. A class that never occurs in `y` has a row in $V$ and $b$ all
# the same; its bias may fall and fall, which lowers $J$ less and less.


# %%
def layer_features(model, layers, x):
    """What several layers put out for a batch.

    Args:
        model, x: as in input_gradient.
        layers: list of modules inside of the model, each used once, in any order.

    Returns:
        List of tensors in the order of `layers`: (N, D) each, the outputs with all axes but the
        first flattened.
    """
    # BEGIN SOLUTION
    kept = {}
    hooks = [
        layer.register_forward_hook(
            lambda _, __, out, k=k: kept.update({k: out.detach().clone().flatten(1)})
        )
        for k, layer in enumerate(layers)
    ]
    try:
        with evaluation(model), torch.no_grad():
            model(x)
    finally:
        for hook in hooks:
            hook.remove()
    return [kept[k] for k in range(len(layers))]
    # END SOLUTION


def linear_probe(features, y, classes, decay=1e-3):
    """Fit a linear probe.

    Args:
        features: h, (N, D).
        y: (N,) classes, from 0 to classes - 1.
        classes: K.
        decay: λ, more than 0.

    Returns:
        (weight, bias): V, (K, D), and b, (K,), of the dtype of the features.
    """
    # BEGIN SOLUTION
    weight = features.new_zeros(classes, features.shape[1]).requires_grad_()
    bias = features.new_zeros(classes).requires_grad_()
    optimizer = torch.optim.LBFGS([weight, bias], max_iter=200, line_search_fn="strong_wolfe")

    def closure():
        loss = F.cross_entropy(features @ weight.T + bias, y) + decay / 2 * (weight**2).sum()
        weight.grad, bias.grad = torch.autograd.grad(loss, (weight, bias))
        return loss

    optimizer.step(closure)
    return weight.detach(), bias.detach()
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_total_variation():
#     x = torch.zeros(2, 2, 3, 4).double()
#     x[0, 0, 0, 0], x[1, 1, 1, 1] = 3.0, 2.0  # a corner has two neighbours, the middle four
#     x[1, 0, 2, 3] = 1.0
#     assert total_variation(x).tolist() == [18.0, 18.0]
#     x.requires_grad_()
#     (grad,) = torch.autograd.grad(total_variation(x).sum(), x)
#     assert grad[0, 0, 0, :2].tolist() == [12.0, -6.0], "autograd can go back through it"
#
#
# @self_check
# def check_class_image():
#     model = nn.Sequential(nn.Flatten(), nn.Linear(6, 2, bias=False)).double()
#     start, target = torch.rand(1, 1, 2, 3).double(), torch.tensor([1])
#     found = untouched(class_image, model, target, start, 1, 0.1, 0.2, 0.0)
#     way = model[1].weight.detach()[1].reshape(1, 1, 2, 3) - 0.4 * start
#     torch.testing.assert_close(found, start + 0.1 * way)
#     found = class_image(model, target, start, 3, 0.1, 0.0, 0.0)
#     torch.testing.assert_close(found, start + 3 * 0.1 * (way + 0.4 * start))  # steps of one size
#     level = torch.tensor([[[[1.0, 2.0]]]]).double()
#     model = nn.Sequential(nn.Flatten(), nn.Linear(2, 2, bias=False)).double()
#     model[1].weight.data.zero_()
#     found = class_image(model, target, level, 1, 0.1, 0.0, 1.0)
#     torch.testing.assert_close(found, torch.tensor([[[[1.2, 1.8]]]]).double())
#     model, start = small_net(), torch.rand(2, 2, 7, 9).double()
#     together = untouched(class_image, model, torch.tensor([0, 2]), start, 3, 0.5, 0.1, 0.1)
#     alone = class_image(model, torch.tensor([2]), start[1:], 3, 0.5, 0.1, 0.1)
#     torch.testing.assert_close(together[1:], alone, msg="a picture changed with the batch")
#
#
# @self_check
# def check_invert_features():
#     calls = []
#
#     def features(x):
#         calls.append(x.detach().clone())
#         return net[:3](x)
#
#     x, start = x_test[:3], 0.2 + 0.6 * torch.rand_like(x_test[:3])
#     given = start.clone()
#     for param in net.parameters():
#         param.grad = None
#     wanted = net[:3](x).detach()
#     found = invert_features(features, wanted, start)
#     assert torch.equal(start, given), "start has changed"
#     assert (calls[0] - start[:len(calls[0])]).abs().max() < 0.05, "begin at start"
#     assert all(param.grad is None for param in net.parameters()), "the network got gradients"
#     assert not found.requires_grad, "it hangs on a graph"
#     assert found.min() >= 0 and found.max() <= 1, "from 0 to 1"
#     assert len(calls) <= 500, f"{len(calls)} calls of φ"
#     error = (((net[:3](found) - wanted) ** 2).sum() / (wanted**2).sum()).item()
#     assert error < 0.1, f"features are {error:.4f} apart"
#     smooth = invert_features(features, wanted, start, smooth=1.0)
#     assert total_variation(smooth).sum() < 0.9 * total_variation(found).sum(), "not smoother"
#     # A bright picture and a dark one, whose features are the pictures themselves.
#     x = (torch.rand(2, 1, 6, 7) < 0.5).double() * torch.tensor([1.0, 0.1])[:, None, None, None]
#     level = x.mean(dim=(1, 2, 3), keepdim=True).expand_as(x)
#     for mu in (0.1, 2.0):
#         found = invert_features(lambda x: x, x, torch.full_like(x, 0.5), mu)
#         for other in (x, level, (x + level) / 2):
#             sums = [
#                 ((p - x) ** 2).sum(dim=(1, 2, 3)) / (x**2).sum(dim=(1, 2, 3))
#                 + mu * total_variation(p) / 42
#                 for p in (found, other)
#             ]
#             assert (sums[0] < sums[1] + 0.02).all(), f"μ = {mu}: sums of {sums[0].tolist()}"
#
#
# @self_check
# def check_layer_features():
#     model, x = small_net(), torch.rand(3, 2, 7, 9).double()
#     layers = [model[6], model[2][0], model[0]]
#     found = untouched(lambda m, x: layer_features(m, layers, x), model, x)
#     with torch.no_grad():
#         expected = [model(x), model[:2](x).clamp(min=0).flatten(1), model[0](x).flatten(1)]
#     for one, other in zip(found, expected):
#         torch.testing.assert_close(one, other)
#     try:
#         layer_features(model, layers, torch.rand(1, 5, 7, 9).double())
#     except RuntimeError:  # the model takes no five channels
#         pass
#     assert not any(layer._forward_hooks for layer in layers), "a hook stayed when it failed"
#
#
# @self_check
# def check_linear_probe():
#     t, y = torch.arange(60).double(), torch.arange(60) % 3  # the fourth class never occurs
#     columns = [t.sin() + y, 2 + (3 * t).cos() - y**2, (t**2).sin(), 2 + 2 * (5 * t).cos()]
#     features = torch.stack(columns, dim=1)
#     weight, bias = linear_probe(features, y, 4, decay=0.1)
#     assert weight.shape == (4, 4) and bias.shape == (4,) and weight.dtype == torch.float64
#     assert not weight.requires_grad and not bias.requires_grad
#     value = (F.cross_entropy(features @ weight.T + bias, y) + 0.05 * (weight**2).sum()).item()
#     assert 0.518 < value < 0.519, f"J is {value:.4f}: the smallest is 0.5180"

# %% [markdown]
# What the classes want, with the regulariser and without; one picture, found again from the
# features of deeper and deeper layers; and what probes read from them: the glyph, which should
# become easier, and the half in which it stands, which the network has no use for.

# %% active="ipynb"
# @self_check
# def show_class_images():
#     start = 0.3 + 0.3 * torch.randn(4, 1, ROWS, COLUMNS)
#     target = torch.arange(4)
#     plain = class_image(net, target, start, 100, 0.05, 0.0, 0.0)
#     tame = class_image(net, target, start, 100, 0.05, 0.1, 0.1)
#     show(
#         [(one - one.mean(), f"{NAMES[k]}, alone") for k, one in enumerate(plain)],
#         [(one - one.mean(), f"{NAMES[k]}, regularised") for k, one in enumerate(tame)],
#     )
#     for name, images in (("alone", plain), ("regularised", tame)):
#         print(f"{name}: numbers from {images.min():.1f} to {images.max():.1f}, scores",
#               [round(net(images)[k, k].item()) for k in range(4)])
#
#
# @self_check
# def show_inversions():
#     x = x_test[:2]
#     columns = [[(one, "picture") for one in x]]
#     for depth in (3, 7, 10, 11):
#         features = net[:depth]
#         found = invert_features(features, features(x), torch.full_like(x, 0.3), 0.01)
#         columns.append([(one, f"from module {depth - 1}") for one in found])
#     show(*zip(*columns))
#
#
# @self_check
# def show_probes():
#     x, y, region = pictures(1200)
#     half = region[:, :, :10].any(dim=2).any(dim=1).long()
#     names = ["pixels", "ReLU 1", "ReLU 2", "ReLU 3", "mean"]
#     layers = [x.flatten(1), *layer_features(net, [net[2], net[6], net[9], net[10]], x)]
#     figure, axes = plt.subplots(figsize=(6, 3))
#     for labels, classes, title in ((y, 4, "which glyph"), (half, 2, "in which half")):
#         right = []
#         for h in layers:
#             h = (h - h.mean(dim=0)) / (h.std(dim=0) + 1e-3)
#             weight, bias = linear_probe(h[:800], labels[:800], classes, 0.1)
#             guesses = (h[800:] @ weight.T + bias).argmax(dim=1)
#             right.append((guesses == labels[800:]).double().mean().item())
#         axes.plot(names, right, "o-", label=title)
#     axes.set(ylabel="accuracy of the probe", ylim=(0, 1.02))
#     axes.legend()
#     plt.show()

# %% [markdown]
# **Written, 4 points.** Look at the figures above, and answer in the cell below, in five to ten
# sentences.
#
# 1. What gets lost in the inversions of deeper layers, and what stays? Why does an inversion
#    without any regulariser look so wild from a deep layer, although its features fit?
# 2. A probe reads a property from a layer with 95 %. Does the network use it? Name an experiment
#    that would say so, and a control that shows how much of the 95 % is the probe's own work
#    (think of its size, and of networks that were not trained).

# %% [markdown]
# **Answer q6.**
#
# <!-- BEGIN SOLUTION -->
# 1. Noise, exact brightness and exact places are lost first, by pooling, ReLUs and whatever does
# not help the class; after the mean over all positions the place is gone altogether. What stays
# longest is what the classes are told apart by: the strokes of the glyph, somewhere. A deep layer
# maps very many pictures to nearly the same features. Among them natural ones are rare: gradient
# descent finds the one that is closest on its way, full of high frequencies that cancel inside the
# network. The regulariser chooses among equals: it is knowledge about pictures, not about the
# layer.
#
# 2. Not necessarily: a probe shows that the information is there and can be read linearly, not that
# later layers do so. One would intervene: remove the direction that the probe uses from the
# activations, or set it to another value, and see whether the network's answer changes. As a
# control, train the same probe on the same layer of a network with random weights, or for labels
# that were given at random to each input: what it reaches there is its own work, for instance
# because it has more numbers than there are examples. Only the difference says something
# about what was learnt; it must also be measured on examples that the probe was not fitted to.
# <!-- END SOLUTION -->

# %% [markdown] tags=["instructor"]
# **For instructors.** The bounds of what is measured were set with 20 seeds. Each is a network
# that the judge trains on pictures of its own, as the hidden tests do, and 24 new pictures for
# maps, or 6 for inversions.
#
# | | mean | standard deviation | worst and best | none, full marks at |
# |---|---|---|---|---|
# | occlusion, share inside | 50.8 % | 2.1 % | 46.3 to 53.7 % | 20 %, 40 % |
# | the maps of other pictures | 10.2 % | 3.0 % | 5.2 to 17.4 % | |
# | of a network that was not trained | 17.0 % | 2.8 % | 11.8 to 22.2 % | |
# | Grad-CAM, share inside | 35.9 % | 1.5 % | 33.1 to 39.0 % | 12 %, 27 % |
# | the maps of other pictures | 9.1 % | 2.4 % | 4.1 to 15.2 % | |
# | of a network that was not trained | 6.1 % | 1.9 % | 3.0 to 9.9 % | |
# | inversion after the first ReLU, error | 0.005 | 0.019 | 0 to 0.085 | |
# | 30 steps of Adam | 0.024 | 0.019 | 0.014 to 0.098 | |
# | 10 steps of Adam | 0.178 | 0.089 | 0.080 to 0.465 | |
# | inversion after the second normalisation, error | 0.020 | 0.015 | 0.007 to 0.083 | |
# | 30 steps of Adam | 0.065 | 0.029 | 0.032 to 0.163 | |
# | 10 steps of Adam | 0.270 | 0.075 | 0.132 to 0.448 | |
#
# Some networks are harder to invert than others, so what counts is how far an error lies above the
# reference's for the same network and pictures: full marks up to 0.1, none from 0.5 on. With μ > 0,
# for a linear φ and pictures of unlike brightness, the worst picture's sum may lie 0.1 above the
# reference's, and from 0.2 on there are none. Ten draws gave at most 0.03 behind a sigmoid, 0.11
# for 50 steps of Adam, and at least 0.21 for errors that are divided by the batch's size and 0.24
# for a variation that is not divided by C · H · W. The probe is asked for the minimum of a convex
# function: full marks up to 0.001 above it.
#
# The usual mistakes, each of which a test tells apart: a forgotten evaluation mode; `backward()` on
# the model; hooks that stay; the range of the whole batch for the noise; sizes that are averaged
# for gradients; windows that stick out; left ends for midpoints; ranks by a sort alone, which gives
# the many zeros of Grad-CAM different ones.
