# %% [markdown]
# # Convolutional neural networks
#
# An image is not a bag of numbers. Neighbouring pixels belong together, and a stroke is the same
# stroke wherever on the page it is drawn. A convolutional network builds both facts into its
# architecture: every unit looks at a small window, and all windows share one set of weights.
#
# In this assignment you build the layers of such a network from the ground up, forward and
# backward, and then put them to work:
#
# | question | you write | points |
# |---|---|---:|
# | 1 | output sizes and receptive fields | 6 |
# | 2 | convolution, forward | 10 |
# | 3 | convolution, backward | 12 |
# | 4 | max pooling, forward and backward | 10 |
# | 5 | batch normalisation, forward, backward and at test time | 12 |
# | 6 | dropout | 6 |
# | 7 | a small LeNet that reads handwritten digits | 16 |
# | 8, 9 | two short answers in your own words | 8 |
#
# **Rules**
#
# - In questions 2 to 6 the layers are yours: `torch`'s own convolutions, poolings, normalisations
#   and dropouts (in `torch.nn`, `torch.nn.functional` and elsewhere) are not allowed inside your
#   functions, and the three `…_backward` functions work without autograd. Everything
#   else is welcome: indexing, loops, `einsum`, `matmul`, `F.pad`, `F.unfold` and `F.fold`,
#   `Tensor.unfold`. To *check* your work, compare with `torch` as much as you like.
# - From question 7 on you may use all of `torch.nn`.
# - Keep the names and signatures of the functions and classes below: the tests find them by name.
# - Functions leave their arguments as they were, and return tensors of the dtype of `x`. Beware of
#   `torch.zeros(shape)`: it is float32 whatever `x` is.
#
# **How it is marked.** The notebook is run from top to bottom, and then hidden tests call your
# functions with fresh random inputs: images that are not square, strides that do not divide,
# batches of one. Clarity over speed: the inputs are small, and plain loops can earn every point.
# Questions 8 and 9 are read by a person. Each function is tested on its own, so an error in one
# question does not cost you the next. The rules are checked too, in what you wrote and in what runs
# when it is called; what seems to break one is shown to a person.
#
# The self-checks after each question print `ok`, `no` or `not implemented yet`. They are easier
# than the hidden tests: add your own.

# %%
import torch
import torch.nn.functional as F
from torch import nn

# %% active="ipynb"
# import matplotlib.pyplot as plt
# import numpy as np


# %%
def check(what):
    """Run the function below at once as a self-check, and print how it went."""

    def run(test):
        try:
            test()
        except NotImplementedError as missing:
            print(f"{what}: not implemented yet ({missing})")
        except AssertionError as difference:
            print(f"{what}: no.", str(difference).partition("\n")[0])
        else:
            print(f"{what}: ok")

    return run


# %% [markdown]
# **Shapes.** Images are tensors of shape $(N, C, H, W)$: batch, channels, height, width. We write
# $K_H \times K_W$ for the size of a kernel, $S$ for the stride and $P$ for the padding, the same
# in both directions. Indices in formulas start at 0.

# %% [markdown]
# ## Question 1 (6 points): Output sizes and receptive fields
#
# Before you write a layer, know what comes out of it. A kernel of size $K$ slides over a row of
# $n$ pixels that has been padded with $P$ zeros **on either side**, in steps of $S$. Count the
# positions at which it fits entirely. Where the steps do not come out even, the last few pixels
# are skipped.
#
# `conv_output_size` returns that number, and raises a `ValueError` if the kernel does not fit even
# once.


# %%
def conv_output_size(n, kernel_size, stride=1, padding=0):
    """Count the positions of a sliding kernel along one dimension.

    Args:
        n, kernel_size, stride, padding: ints; padding is added on both sides.

    Returns:
        The size of the output, an int.

    Raises:
        ValueError: the kernel is larger than the padded input.
    """
    # BEGIN SOLUTION
    if kernel_size > n + 2 * padding:
        raise ValueError(f"a kernel of {kernel_size} does not fit {n} pixels padded by {padding}")
    return (n + 2 * padding - kernel_size) // stride + 1
    # END SOLUTION


# %% [markdown]
# The **receptive field** of a unit is the stretch of input pixels that its value depends on. A unit
# after one $3 \times 3$ convolution sees 3 pixels in each direction; stack a second one and
# it sees 5. A stride makes everything *after* it grow faster, because neighbouring units of a
# strided layer look at places that lie further apart.
#
# `receptive_field` takes the layers of a network in order, from the input on, each as a pair
# `(kernel_size, stride)` (a pooling layer counts like a convolution), and returns how many input
# pixels, along one dimension, one unit of the last layer sees. Ignore padding. No layers at all: a
# pixel sees itself.


# %%
def receptive_field(layers):
    """Compute the receptive field of a unit of the last layer, along one dimension.

    Args:
        layers: list of pairs (kernel_size, stride) of ints, the first layer first.

    Returns:
        The number of input pixels, an int.
    """
    # BEGIN SOLUTION
    size, jump = 1, 1
    for kernel_size, stride in layers:
        size += (kernel_size - 1) * jump
        jump *= stride
    return size
    # END SOLUTION


# %% active="ipynb"
# @check("output size of a 5-wide kernel on 32 pixels")
# def _():
#     assert conv_output_size(32, 5) == 28
#
# @check("a 3-wide kernel with padding 1 keeps the size")
# def _():
#     assert conv_output_size(32, 3, padding=1) == 32
#
# @check("two 3x3 convolutions see 5 pixels")
# def _():
#     assert receptive_field([(3, 1), (3, 1)]) == 5

# %% [markdown]
# ## Question 2 (10 points): Convolution, forward
#
# Let $\tilde x$ be $x$ with $P$ rows and columns of zeros on every side. A convolutional layer with
# $F$ kernels $w$ of shape $(F, C, K_H, K_W)$ and a bias $b$ of shape $(F,)$ computes
#
# $$
# y_{nfhw} = b_f + \sum_{c=0}^{C-1} \sum_{i=0}^{K_H-1} \sum_{j=0}^{K_W-1}
#            w_{fcij}\; \tilde x_{n,\,c,\,hS+i,\,wS+j}
# $$
#
# (What deep learning calls convolution does not flip the kernel; mathematicians call it
# cross-correlation.)
#
# Write it in the way that you understand best. Three ways that work:
#
# - **loops** over $h$ and $w$: cut out the window `x_padded[:, :, h*S : h*S + KH, w*S : w*S + KW]`,
#   multiply it with all kernels at once (`einsum`), and store the result;
# - **a loop over the kernel**: for each $(i, j)$, one strided slice of $\tilde x$ holds what every
#   output needs from that place;
# - **im2col**: lay all windows out as columns (`F.unfold`, or `Tensor.unfold` twice), and the whole
#   convolution becomes one matrix product. This is how the first fast GPU implementations worked.


# %%
def conv2d_forward(x, w, b=None, stride=1, padding=0):
    """Convolve a batch of images with a set of kernels.

    Args:
        x: (N, C, H, W) images.
        w: (F, C, KH, KW) kernels.
        b: (F,) biases, or None for no bias.
        stride, padding: ints, the same for height and width.

    Returns:
        (N, F, H_out, W_out).
    """
    # BEGIN SOLUTION
    padded = F.pad(x, (padding, padding, padding, padding))
    kernel_height, kernel_width = w.shape[2:]
    rows = (padded.shape[2] - kernel_height) // stride + 1
    columns = (padded.shape[3] - kernel_width) // stride + 1
    out = x.new_zeros(len(x), len(w), rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = padded[:, :, top : top + kernel_height, left : left + kernel_width]
            out[:, :, i, j] = torch.einsum("nchw,fchw->nf", window, w)
    return out if b is None else out + b[:, None, None]
    # END SOLUTION


# %% active="ipynb"
# @check("the sum of each 2x2 window")
# def _():
#     x = torch.arange(9.0).reshape(1, 1, 3, 3)
#     torch.testing.assert_close(
#         conv2d_forward(x, torch.ones(1, 1, 2, 2)), torch.tensor([[[[8.0, 12.0], [20.0, 24.0]]]])
#     )
#
# @check("the shape with stride 2 and padding 1")
# def _():
#     y = conv2d_forward(torch.randn(2, 3, 7, 10), torch.randn(4, 3, 3, 3), None, 2, 1)
#     assert y.shape == (2, 4, 4, 5), f"shape {tuple(y.shape)}"

# %% [markdown]
# ## Question 3 (12 points): Convolution, backward
#
# Somewhere after this layer stands a loss $L$. From there arrives the *upstream gradient*
# $\partial L / \partial y$, called `dout`, with the shape of $y$. Send it on:
#
# $$
# \frac{\partial L}{\partial b_f} = \sum_{n,h,w} \frac{\partial L}{\partial y_{nfhw}}
# \qquad
# \frac{\partial L}{\partial w_{fcij}} =
#     \sum_{n,h,w} \frac{\partial L}{\partial y_{nfhw}}\; \tilde x_{n,\,c,\,hS+i,\,wS+j}
# $$
#
# and for the input, every output hands back to each pixel of its window what it took from there:
#
# $$
# \frac{\partial L}{\partial \tilde x_{n,c,p,q}} =
#     \sum_f \sum_{\substack{h,i:\; hS+i=p \\ w,j:\; wS+j=q}}
#     \frac{\partial L}{\partial y_{nfhw}}\; w_{fcij}
# $$
#
# Read the last formula as a program: start from zeros of the shape of $\tilde x$, run through the
# same windows as in the forward pass, and *add* to each. Windows overlap, so a pixel can collect
# many contributions. Pixels that no window reaches get none. At the end, cut the padding off.
#
# No autograd here.


# %%
def conv2d_backward(dout, x, w, stride=1, padding=0):
    """Compute the gradients of a convolution from the gradient of its output.

    Args:
        dout: (N, F, H_out, W_out) gradient of the loss with respect to the output.
        x: (N, C, H, W) images, as given to the forward pass.
        w: (F, C, KH, KW) kernels, as given to the forward pass.
        stride, padding: ints, as given to the forward pass.

    Returns:
        The tuple (dx, dw, db) of shapes (N, C, H, W), (F, C, KH, KW), (F,).
    """
    # BEGIN SOLUTION
    height, width = x.shape[2:]
    kernel_height, kernel_width = w.shape[2:]
    padded = F.pad(x, (padding, padding, padding, padding))
    dpadded, dw = torch.zeros_like(padded), torch.zeros_like(w)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            top, left = i * stride, j * stride
            place = (..., slice(top, top + kernel_height), slice(left, left + kernel_width))
            dw += torch.einsum("nf,nchw->fchw", dout[:, :, i, j], padded[place])
            dpadded[place] += torch.einsum("nf,fchw->nchw", dout[:, :, i, j], w)  # they overlap
    dx = dpadded[:, :, padding : padding + height, padding : padding + width]
    return dx, dw, dout.sum(dim=(0, 2, 3))
    # END SOLUTION


# %% [markdown]
# A gradient is easy to test: nudge one number, and see how the loss moves. For
# $L = \langle \text{dout}, y \rangle$ the central difference
# $\big(L(w + \varepsilon e) - L(w - \varepsilon e)\big) / 2\varepsilon$ must agree with your `dw`.

# %% active="ipynb"
# @check("dw of one weight against a central difference")
# def _():
#     x, w = torch.randn(2, 3, 6, 5).double(), torch.randn(4, 3, 3, 2).double()
#     dout = torch.randn(2, 4, 4, 4).double()
#     nudge = torch.zeros_like(w)
#     nudge[1, 2, 0, 1] = 1e-5
#     up, down = conv2d_forward(x, w + nudge), conv2d_forward(x, w - nudge)
#     _, dw, _ = conv2d_backward(dout, x, w)
#     torch.testing.assert_close(dw[1, 2, 0, 1], (dout * (up - down)).sum() / 2e-5)

# %% [markdown]
# ## Question 4 (10 points): Max pooling
#
# Max pooling keeps the largest value of each window, in every channel separately:
#
# $$ y_{nchw} = \max_{0 \le i, j < K} \; x_{n,\,c,\,hS+i,\,wS+j} $$
#
# There is no padding here, and the stride is the kernel size unless it is given: windows lie side
# by side. With a smaller stride they overlap.
#
# **Backward.** Only the winner of a window influenced the output, so it alone gets the window's
# gradient; all others get zero. A pixel that wins several windows collects the sum.
#
# **Ties.** Where several pixels of a window are equally large, the *first* gets all of the
# gradient, reading the window row by row from the top left, as `torch` does it. After a ReLU,
# whole windows of zeros are common: a gradient that went to every one of them would be counted
# several times.


# %%
def max_pool_forward(x, kernel_size, stride=None):
    """Take the maximum of each window.

    Args:
        x: (N, C, H, W).
        kernel_size: int, the height and width of a window.
        stride: int, or None for the kernel size.

    Returns:
        (N, C, H_out, W_out).
    """
    # BEGIN SOLUTION
    stride = stride or kernel_size
    rows = (x.shape[2] - kernel_size) // stride + 1
    columns = (x.shape[3] - kernel_size) // stride + 1
    out = x.new_zeros(*x.shape[:2], rows, columns)
    for i in range(rows):
        for j in range(columns):
            top, left = i * stride, j * stride
            window = x[:, :, top : top + kernel_size, left : left + kernel_size]
            out[:, :, i, j] = window.amax(dim=(-2, -1))
    return out
    # END SOLUTION


# %%
def max_pool_backward(dout, x, kernel_size, stride=None):
    """Hand the gradient of each window to the first of its largest pixels.

    Args:
        dout: (N, C, H_out, W_out) gradient of the loss with respect to the output.
        x: (N, C, H, W), as given to the forward pass.
        kernel_size, stride: as given to the forward pass.

    Returns:
        dx of shape (N, C, H, W).
    """
    # BEGIN SOLUTION
    stride = stride or kernel_size
    dx = torch.zeros_like(x)
    for i in range(dout.shape[2]):
        for j in range(dout.shape[3]):
            top, left = i * stride, j * stride
            place = (..., slice(top, top + kernel_size), slice(left, left + kernel_size))
            window = x[place]
            winner = window.flatten(-2).argmax(dim=-1)  # the first, where several are equal
            is_winner = F.one_hot(winner, kernel_size * kernel_size).reshape(window.shape)
            dx[place] += is_winner * dout[:, :, i, j, None, None]  # windows overlap
    return dx
    # END SOLUTION


# %% active="ipynb"
# @check("pooling 4x4 pixels by 2")
# def _():
#     x = torch.arange(16.0).reshape(1, 1, 4, 4)
#     torch.testing.assert_close(
#         max_pool_forward(x, 2), torch.tensor([[[[5.0, 7.0], [13.0, 15.0]]]])
#     )
#
# @check("the gradient goes to the winners")
# def _():
#     x = torch.tensor([[[[1.0, 5.0], [2.0, 3.0]]]])
#     torch.testing.assert_close(
#         max_pool_backward(torch.full((1, 1, 1, 1), 7.0), x, 2),
#         torch.tensor([[[[0.0, 7.0], [0.0, 0.0]]]]),
#     )

# %% [markdown]
# ## Question 5 (12 points): Batch normalisation
#
# Batch normalisation ([Ioffe and Szegedy, 2015](https://arxiv.org/abs/1502.03167)) gives every
# channel of a layer a mean and a variance that the network chooses, rather than one that falls out
# of the layers below. In an image network a channel's statistics are taken over the batch *and* all
# pixels, $m = NHW$ numbers.
#
# **Training.** With the mean $\mu_c$ and the *biased* variance
# $\sigma_c^2 = \frac1m \sum (x - \mu_c)^2$ of this batch,
#
# $$
# \hat x = \frac{x - \mu_c}{\sqrt{\sigma_c^2 + \epsilon}}, \qquad y = \gamma_c\, \hat x + \beta_c .
# $$
#
# At the same time the layer keeps running estimates for later. With momentum $\alpha$,
#
# $$
# \mu^{\text{run}} \leftarrow (1 - \alpha)\, \mu^{\text{run}} + \alpha\, \mu_c, \qquad
# v^{\text{run}} \leftarrow (1 - \alpha)\, v^{\text{run}} + \alpha\, \tfrac{m}{m-1}\, \sigma_c^2 ,
# $$
#
# where the factor $\frac{m}{m-1}$ makes the variance *unbiased*. The running estimates are not
# trained: no gradient flows into them, and no graph hangs on them.
#
# **Evaluation** (after `layer.eval()`, so `self.training` is False). The running estimates take the
# place of $\mu_c$ and $\sigma_c^2$, and stay as they are.
#
# Write the module. It holds
#
# - parameters `weight` ($\gamma$, starts at ones) and `bias` ($\beta$, starts at zeros),
# - buffers `running_mean` (starts at zeros) and `running_var` (starts at ones), made with
#   `self.register_buffer`, so that they are saved with the model and are not trained,
#
# each of shape $(C,)$. In `forward` use ordinary differentiable operations, so that autograd works
# through them.


# %%
class BatchNorm2d(nn.Module):
    """Normalise each channel of (N, C, H, W) images, over batch, height and width."""

    def __init__(self, num_features, eps=1e-5, momentum=0.1):
        """Make the parameters and buffers for `num_features` channels."""
        super().__init__()
        self.eps = eps
        self.momentum = momentum
        # BEGIN SOLUTION
        self.weight = nn.Parameter(torch.ones(num_features))
        self.bias = nn.Parameter(torch.zeros(num_features))
        self.register_buffer("running_mean", torch.zeros(num_features))
        self.register_buffer("running_var", torch.ones(num_features))
        # END SOLUTION

    def forward(self, x):
        """Normalise x of shape (N, C, H, W); in training mode, update the running estimates."""
        # BEGIN SOLUTION
        if self.training:
            mean = x.mean(dim=(0, 2, 3))
            var = x.var(dim=(0, 2, 3), correction=0)
            count = x.numel() // x.shape[1]
            with torch.no_grad():
                unbiased = var * count / (count - 1)
                for kept, new in ((self.running_mean, mean), (self.running_var, unbiased)):
                    kept.copy_((1 - self.momentum) * kept + self.momentum * new)
        else:
            mean, var = self.running_mean, self.running_var
        deviation = torch.sqrt(var + self.eps)
        normal = (x - mean[:, None, None]) / deviation[:, None, None]
        return normal * self.weight[:, None, None] + self.bias[:, None, None]
        # END SOLUTION


# %% [markdown]
# **Backward, by hand.** In training mode $\mu_c$ and $\sigma_c^2$ depend on every pixel of the
# channel, so each output depends on each input. Start from
#
# $$
# \frac{\partial L}{\partial \gamma_c} = \sum_{n,h,w} \frac{\partial L}{\partial y}\, \hat x,
# \qquad
# \frac{\partial L}{\partial \beta_c} = \sum_{n,h,w} \frac{\partial L}{\partial y},
# $$
#
# and derive $\partial L / \partial x$ on paper: apply the chain rule through $\hat x$, through
# $\sigma_c^2$ and through $\mu_c$, then collect the terms. The result is short. (A check on your
# result: adding a constant to a channel does not change $y$, so the gradient of a channel must sum
# to zero.)


# %%
def batch_norm_backward(dout, x, weight, eps=1e-5):
    """Compute the gradients of batch normalisation in training mode, without autograd.

    Args:
        dout: (N, C, H, W) gradient of the loss with respect to the output.
        x: (N, C, H, W), as given to the forward pass.
        weight: (C,) the scale gamma.
        eps: the constant in the denominator.

    Returns:
        The tuple (dx, dweight, dbias) of shapes (N, C, H, W), (C,), (C,).
    """
    # BEGIN SOLUTION
    over = (0, 2, 3)
    inverse = torch.rsqrt(x.var(dim=over, correction=0, keepdim=True) + eps)
    normal = (x - x.mean(dim=over, keepdim=True)) * inverse
    # Taking out the mean and the part along x-hat undoes what the statistics absorb.
    centred = dout - dout.mean(dim=over, keepdim=True)
    dx = centred - normal * (dout * normal).mean(dim=over, keepdim=True)
    return (
        dx * inverse * weight[:, None, None],
        (dout * normal).sum(dim=over),
        dout.sum(dim=over),
    )
    # END SOLUTION


# %% active="ipynb"
# @check("in training mode each channel has mean 0 and variance 1")
# def _():
#     y = BatchNorm2d(3)(5 + 2 * torch.randn(8, 3, 6, 5))
#     mean, var = y.mean(dim=(0, 2, 3)), y.var(dim=(0, 2, 3), correction=0)
#     torch.testing.assert_close(mean, torch.zeros(3), atol=1e-4, rtol=0)
#     torch.testing.assert_close(var, torch.ones(3), atol=1e-3, rtol=0)
#
# @check("a new layer in evaluation mode changes next to nothing")
# def _():
#     x = torch.randn(1, 3, 6, 5)
#     torch.testing.assert_close(BatchNorm2d(3).eval()(x), x, atol=1e-3, rtol=1e-3)
#
# @check("the gradient of each channel sums to zero")
# def _():
#     dout, x = torch.randn(2, 4, 3, 5, 6).double()
#     dx, _, _ = batch_norm_backward(dout, x, torch.ones(3).double())
#     torch.testing.assert_close(dx.sum(dim=(0, 2, 3)), torch.zeros(3).double())

# %% [markdown]
# ## Question 6 (6 points): Dropout
#
# In training, dropout sets each element to zero with probability $p$, independently of all others
# and anew at every call. *Inverted* dropout multiplies the survivors by $\frac{1}{1-p}$, so that
# the expected value of every element stays what it was, and nothing is left to do at test time: in
# evaluation mode the layer returns its input unchanged.
#
# Gradients take the same way as the values: through the survivors, scaled, and not through the
# rest.


# %%
class Dropout(nn.Module):
    """Inverted dropout, for input of any shape."""

    def __init__(self, p=0.5):
        """Keep `p`, the probability that an element is dropped (0 <= p < 1)."""
        super().__init__()
        self.p = p

    def forward(self, x):
        """Drop elements of x in training mode; return x as it is in evaluation mode."""
        # BEGIN SOLUTION
        if not self.training:
            return x
        keep = torch.rand_like(x) >= self.p
        return x * keep / (1 - self.p)
        # END SOLUTION


# %% active="ipynb"
# @check("values after dropout of ones with p = 0.5 are 0 or 2")
# def _():
#     y = Dropout(0.5)(torch.ones(100, 10))
#     assert set(y.unique().tolist()) == {0.0, 2.0}, f"values {y.unique().tolist()}"
#
# @check("evaluation mode leaves x alone")
# def _():
#     x = torch.randn(3, 4)
#     torch.testing.assert_close(Dropout(0.5).eval()(x), x)

# %% [markdown]
# ## Question 7 (16 points): A small LeNet reads digits
#
# In 1989 Yann LeCun's networks began to read the postcodes on American letters. You will train a
# small relative of them on 1,297 handwritten digits of 8×8 pixels. Another 500 are kept
# back: they decide.

# %% active="ipynb"
# digits = np.load("data/digits.npz")
# images = torch.from_numpy(digits["images"]).float()[:, None] / 16  # (1297, 1, 8, 8), 0 to 1
# labels = torch.from_numpy(digits["labels"]).long()  # (1297,)
# x_train, y_train = images[:1000], labels[:1000]
# x_valid, y_valid = images[1000:], labels[1000:]
#
# figure, axes = plt.subplots(2, 10, figsize=(10, 2.4))
# for axis, image, label in zip(axes.flat, images, labels):
#     axis.imshow(image[0].numpy(), cmap="gray_r")
#     axis.set_title(int(label), fontsize=9)
#     axis.axis("off")
# plt.show()

# %% [markdown]
# **The model.** From here on, use `torch.nn`. Write a module `LeNet` that maps images $(N, 1, 8,
# 8)$ to logits $(N, 10)$ (no softmax: the loss takes care of that). What goes into it is your
# choice, within these bounds: at least two `nn.Conv2d` layers, at most 100,000 parameters. A
# good start:
#
# | layer | output |
# |---|---|
# | convolution 3×3, padding 1 · batch norm · ReLU · max pool 2 | (N, 16, 4, 4) |
# | convolution 3×3, padding 1 · batch norm · ReLU · max pool 2 | (N, 32, 2, 2) |
# | flatten | (N, 128) |
# | linear · ReLU · dropout | (N, 64) |
# | linear | (N, 10) |


# %%
class LeNet(nn.Module):
    """A small convolutional network: (N, 1, 8, 8) images to (N, 10) logits."""

    def __init__(self):
        """Make the layers."""
        super().__init__()
        # BEGIN SOLUTION
        self.features = nn.Sequential(
            nn.Conv2d(1, 16, kernel_size=3, padding=1),
            nn.BatchNorm2d(16),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Conv2d(16, 32, kernel_size=3, padding=1),
            nn.BatchNorm2d(32),
            nn.ReLU(),
            nn.MaxPool2d(2),
        )
        self.classifier = nn.Sequential(
            nn.Flatten(), nn.Linear(128, 64), nn.ReLU(), nn.Dropout(0.3), nn.Linear(64, 10)
        )
        # END SOLUTION

    def forward(self, x):
        """Map (N, 1, 8, 8) images to (N, 10) logits."""
        # BEGIN SOLUTION
        return self.classifier(self.features(x))
        # END SOLUTION


# %% [markdown]
# **One epoch.** `train_epoch` puts the model in training mode and goes through the data once, in a
# *new random order*, in batches of `batch_size` (the last batch may be smaller; it counts too). For
# each batch it takes one optimiser step on the mean cross-entropy of that batch. It returns the
# mean loss *per example* over the epoch, a float.


# %%
def train_epoch(model, optimizer, x, y, batch_size=32):
    """Train for one epoch on all examples, in random order.

    Args:
        model: an nn.Module that maps a batch of x to logits (B, classes).
        optimizer: a torch optimiser over the model's parameters.
        x: (N, ...) inputs.
        y: (N,) labels, int64.
        batch_size: examples per step.

    Returns:
        The mean over all N examples of the loss each had when its batch was used, a float.
    """
    # BEGIN SOLUTION
    model.train()
    total = 0.0
    for batch in torch.randperm(len(x)).split(batch_size):
        optimizer.zero_grad()
        loss = F.cross_entropy(model(x[batch]), y[batch])
        loss.backward()
        optimizer.step()
        total += loss.item() * len(batch)
    return total / len(x)
    # END SOLUTION


# %% [markdown]
# **Predictions.** `predict` returns the most likely class of each image. An image's prediction
# must not depend on chance, nor on the other images in the batch: think about which mode the model
# has to be in. Leave it afterwards in the mode in which you found it.


# %%
def predict(model, x):
    """Predict the class of each input.

    Args:
        model: an nn.Module that maps x to logits (N, classes).
        x: (N, ...) inputs.

    Returns:
        (N,) predicted classes, int64, without a graph. The model's mode is as it was.
    """
    # BEGIN SOLUTION
    was_training = model.training
    model.eval()
    with torch.no_grad():
        classes = model(x).argmax(dim=1)
    model.train(was_training)
    return classes
    # END SOLUTION


# %% [markdown]
# **Training.** `fit` trains a new model on whatever data it gets: choose the optimiser, the
# learning rate and the number of epochs. It should take no more than about three seconds on 1,000
# images. It returns the list of the epochs' mean losses.


# %%
def fit(model, x, y):
    """Train a model on (N, 1, 8, 8) images x and (N,) labels y; return the loss of each epoch."""
    # BEGIN SOLUTION
    optimizer = torch.optim.Adam(model.parameters(), lr=3e-3)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, T_max=6)
    losses = []
    for _ in range(6):
        losses.append(train_epoch(model, optimizer, x, y, batch_size=32))
        schedule.step()
    return losses
    # END SOLUTION


# %% [markdown]
# Now train. The hidden tests take the `model` that this cell leaves behind and show it the 500
# images: **96 %** right gives full marks, **90 %** half. They also call your `fit` on a new `LeNet`
# with other subsets of the data. Tune on the validation images; once you are content you may train
# on all 1,297.

# %% active="ipynb"
# try:
#     model = LeNet()
#     losses = fit(model, x_train, y_train)
#     accuracy = (predict(model, x_valid) == y_valid).float().mean().item()
#     print(f"validation accuracy {accuracy:.1%}")
#     plt.figure(figsize=(5, 3))
#     plt.semilogy(range(1, len(losses) + 1), losses, marker="o")
#     plt.xlabel("epoch")
#     plt.ylabel("training loss")
#     plt.show()
# except NotImplementedError as missing:
#     print("Not implemented yet:", missing)

# %% [markdown]
# What has it learnt? The kernels of the first layer are small enough to look at. Can you find
# detectors of edges, and in which directions?

# %% active="ipynb"
# try:
#     kernels = next(m for m in model.modules() if isinstance(m, nn.Conv2d)).weight.detach()
#     figure, axes = plt.subplots(2, 8, figsize=(8, 2.2))
#     for axis, kernel in zip(axes.flat, kernels):
#         axis.imshow(kernel[0].numpy(), cmap="RdBu", vmin=-1, vmax=1)
#     for axis in axes.flat:
#         axis.axis("off")
#     plt.show()
# except NameError:
#     print("Train your model first.")

# %% [markdown]
# ## Question 8 (4 points): Equivariance and invariance
#
# Let $T_\tau$ shift an image by $\tau$ pixels. A map $f$ is *equivariant* to translations if
# $f(T_\tau x) = T_\tau f(x)$, and *invariant* if $f(T_\tau x) = f(x)$. The cell below tries both on
# a digit and your convolution, with borders that wrap around so that they do not get in the way.

# %% active="ipynb"
# def wrapped_conv(x, w, stride=1):
#     return conv2d_forward(F.pad(x, (1, 1, 1, 1), mode="circular"), w, stride=stride)
#
# try:
#     digit, kernel = images[:1], torch.randn(1, 1, 3, 3)
#     for stride in (1, 2):
#         for shift in (1, 2):
#             moved = wrapped_conv(digit.roll(shift, dims=3), kernel, stride)
#             still = wrapped_conv(digit, kernel, stride)
#             back = moved.roll(-(shift // stride), dims=3)
#             print(f"stride {stride}, shift {shift}: change {(back - still).abs().max():.4f}")
# except NotImplementedError as missing:
#     print("Not implemented yet:", missing)

# %% [markdown]
# In at most 150 words: (a) Why is a convolution with stride 1, away from the borders, equivariant
# to translations, and which property of the layer is responsible? (b) To which shifts is a layer
# of stride 2 still equivariant? (c) Which parts of your LeNet give it some *invariance* to small
# shifts, and why is the whole network not exactly invariant?

# %% [markdown]
# **Answer q8.**
#
# <!-- BEGIN SOLUTION -->
# (a) Every output unit applies the *same* weights to the window at its own place (weight sharing).
# Shift the input by $\tau$ and each window's content turns up $\tau$ places further on, so the same
# output is computed there: $f(T_\tau x) = T_\tau f(x)$.
#
# (b) A layer of stride 2 looks only at every second window. A shift by an even number $2k$ moves
# its output by $k$; an odd shift lets it see windows that it had skipped before, so the output is
# not a shifted copy. In general: multiples of the product of all strides so far.
#
# (c) Max pooling: a maximum does not change while it stays within its window, so small shifts
# often leave the pooled map as it was. That holds only sometimes, and zero padding makes borders
# visible. Above all, the flatten and linear layers give each position weights of its own; with
# global average pooling instead, stride-1 features would become invariant up to the borders. What
# invariance there is beyond that has been learnt from shifted examples.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 9 (4 points): Two faces of batch normalisation
#
# In at most 150 words: (a) Why does batch normalisation use running estimates at test time, when
# the statistics of the test batch would be at hand? (b) A friend's network reaches 98 % in
# training; at test time, on images fed in one by one, it guesses. They forgot `model.eval()`.
# Explain what goes wrong, first for a layer whose feature maps have many pixels, then for one of
# size 1×1.

# %% [markdown]
# **Answer q9.**
#
# <!-- BEGIN SOLUTION -->
# (a) With batch statistics an image's output would depend on which other images happen to be in
# its batch: predictions would be noisy, and could not be made for a single image. In training that
# noise is harmless and even regularises. At test time we want a fixed function; the running
# estimates approximate the statistics of the whole training set, for which the later layers were
# trained. They are constants, so the layer becomes an affine map that can be folded into the
# convolution before it.
#
# (b) In training mode a batch of one normalises every channel by the mean and variance of that one
# image. With many pixels this wipes out how strong a feature is in the image as a whole (its mean
# and contrast over the image), which later layers rely on, and shifts their inputs away from what
# they were trained on. With 1×1 maps there is a single number per channel: it equals its mean, so
# $\hat x = 0$ and the output is $\beta$ whatever the image shows. (`torch` raises an error in that
# case.) Running estimates would be spoilt by these batches as well.
# <!-- END SOLUTION -->
