# %% [markdown]
# # Recurrent neural networks
#
# A sentence, a melody, a patient's chart: much of what we want to model has no fixed length, and
# its order is its meaning. A *recurrent* network reads such a sequence one element at a time and
# keeps what it needs to remember in a vector, the **hidden state**. The same few weights are used
# at every step, so that the network is as deep as the sequence is long. That is its strength, and,
# as you will see, the source of all its trouble.
#
# In this assignment you build everything between one line of algebra and a network that writes
# English, letter by letter:
#
# | question | you build | points |
# |---|---|---|
# | 1 | a vanilla recurrent cell, and its run over a sequence | 8 |
# | 2 | its gradients by hand: backpropagation through time | 16 |
# | 3 | gradient clipping; why gradients vanish (written) | 6 + 5 |
# | 4 | the LSTM and the GRU cell | 16 |
# | 5 | text as numbers, cut into chunks that follow one another | 8 |
# | 6 | a character language model; truncated backpropagation (written) | 20 + 5 |
# | 7 | sampling with a temperature | 8 |
#
# ## Rules
#
# - Put your code where it says `# YOUR CODE HERE`. Keep the names and signatures of functions; add
#   helpers, cells and text as you like.
# - **Write the mathematics yourself.** `torch.nn.RNN`, `LSTM`, `GRU`, their `…Cell`s and
#   `torch.nn.utils.clip_grad_norm_` are not allowed in questions 1 to 4, nor is autograd in
#   question 2. Everything else in `torch` is.
# - No function may change the tensors it is given, unless its docstring says so.
# - Functions must work for any sizes, and for `float32` and `float64` alike.
# - Only `torch`, `numpy`, `matplotlib` and Python's own library are there when your notebook is
#   marked. It is run from top to bottom, on one CPU thread: the reference needs about 10 seconds
#   in all, and you have 120 (60 for one cell).
#
# ## How it is marked
#
# Hidden tests call your functions with inputs you have not seen: random numbers, odd shapes, a
# batch of one. Each test stands for one property and gives its points independently of the
# others, so a mistake in Question 1 costs nothing in Question 4. The written answers are read by a
# person. The rules are checked too, in what you wrote and in what runs when it is called; what
# seems to break one is shown to a person. The small checks below each question, and the public
# tests, tell you early whether you are on the right way; passing them is necessary, not sufficient.
#
# ## Notation
#
# $T$ time steps, $N$ sequences in a batch, $D$ inputs, $H$ hidden units, $V$ characters.
# **Time comes first**: a batch of sequences is a tensor of shape $(T, N, D)$, as in `torch.nn.RNN`.
# Weights are laid out as in PyTorch, `(outputs, inputs)`.

# %%
import math

import torch
from torch import nn

# %% active="ipynb"
# import time
# from pathlib import Path
#
# torch.manual_seed(541)

# %% [markdown]
# ## Question 1 (8 points): The vanilla cell
#
# One step of a recurrent network takes the input $x_t$ of shape $(N, D)$ and the state $h_{t-1}$
# of shape $(N, H)$, and makes the next state
#
# $$h_t = \tanh\left(x_t W_{ih}^\top + h_{t-1} W_{hh}^\top + b\right).$$
#
# Write the step, then the loop over a sequence. Keep *every* state: the loss may depend on each of
# them, and Question 2 needs them all.


# %%
def rnn_step(x, h, w_ih, w_hh, b):
    """Take one step of a vanilla recurrent network.

    Args:
        x: input of this step, shape (N, D).
        h: state before this step, shape (N, H).
        w_ih: input-to-hidden weights, shape (H, D).
        w_hh: hidden-to-hidden weights, shape (H, H).
        b: bias, shape (H,).

    Returns:
        The state after this step, shape (N, H).
    """
    # BEGIN SOLUTION
    return torch.tanh(x @ w_ih.T + h @ w_hh.T + b)
    # END SOLUTION


# %%
def rnn_forward(xs, h0, w_ih, w_hh, b):
    """Run a vanilla recurrent network over a batch of sequences.

    Args:
        xs: inputs, shape (T, N, D).
        h0: state before the first step, shape (N, H).
        w_ih, w_hh, b: as in `rnn_step`.

    Returns:
        The states after each step, shape (T, N, H); `h0` is not among them.
    """
    # BEGIN SOLUTION
    h, hs = h0, []
    for x in xs:
        h = rnn_step(x, h, w_ih, w_hh, b)
        hs.append(h)
    return torch.stack(hs)
    # END SOLUTION


# %% [markdown]
# **Check yourself.** With one hidden unit, no input weight and $W_{hh} = 1$ the state is
# $\tanh(\tanh(\dots h_0))$.

# %% active="ipynb"
# try:
#     hs = rnn_forward(torch.zeros(3, 1, 1), torch.ones(1, 1), torch.zeros(1, 1),
#                      torch.ones(1, 1), torch.zeros(1))
#     once = math.tanh(1.0)
#     print("states:  ", hs.flatten().tolist())
#     print("expected:", [once, math.tanh(once), math.tanh(math.tanh(once))])
# except NotImplementedError as missing:
#     print("Not implemented yet:", missing)

# %% [markdown]
# ## Question 2 (16 points): Backpropagation through time
#
# Let $L$ be any loss that depends on the states. For one step, suppose that
# $G = \partial L / \partial h_t$ is known, *everything* that depends on $h_t$ counted in. Write
# $a_t = x_t W_{ih}^\top + h_{t-1} W_{hh}^\top + b$, so that $h_t = \tanh(a_t)$, and recall
# $\tanh'(a) = 1 - \tanh^2(a)$: the states that you kept are all you need. Derive, on paper first,
#
# $$\frac{\partial L}{\partial x_t},\quad \frac{\partial L}{\partial h_{t-1}},\quad
# \frac{\partial L}{\partial W_{ih}},\quad \frac{\partial L}{\partial W_{hh}},\quad
# \frac{\partial L}{\partial b}.$$
#
# A gradient has the shape of what it belongs to: that alone fixes most transposes and sums.
#
# For a sequence, each state $h_t$ is used **twice**: by the loss at time $t$ and by step $t + 1$.
# Its gradient is the sum over both uses,
#
# $$\frac{\partial L}{\partial h_t} =
# \underbrace{G_t}_{\text{directly, given}} +
# \underbrace{\frac{\partial L}{\partial h_{t+1}}
# \frac{\partial h_{t+1}}{\partial h_t}}_{\text{through step } t+1},$$
#
# where $G_t$ is `grad_hs[t]`. Walk backwards through time. The weights are the same at each step,
# so their gradients are sums over all steps.
#
# No autograd in this question: neither `backward()` nor `torch.autograd` nor `torch.func`.


# %%
def rnn_step_backward(grad_h_new, x, h, h_new, w_ih, w_hh):
    """Backpropagate through one step `h_new = rnn_step(x, h, w_ih, w_hh, b)`.

    Args:
        grad_h_new: gradient of the loss with respect to h_new, shape (N, H).
        x: input of the step, shape (N, D).
        h: state before the step, shape (N, H).
        h_new: state after the step, shape (N, H).
        w_ih: shape (H, D).
        w_hh: shape (H, H).

    Returns:
        (grad_x, grad_h, grad_w_ih, grad_w_hh, grad_b), of the shapes of
        x (N, D), h (N, H), w_ih (H, D), w_hh (H, H) and b (H,).
    """
    # BEGIN SOLUTION
    grad_a = grad_h_new * (1 - h_new**2)
    return grad_a @ w_ih, grad_a @ w_hh, grad_a.T @ x, grad_a.T @ h, grad_a.sum(0)
    # END SOLUTION


# %%
def rnn_backward(grad_hs, xs, h0, hs, w_ih, w_hh):
    """Backpropagate through a whole sequence `hs = rnn_forward(xs, h0, w_ih, w_hh, b)`.

    Args:
        grad_hs: for each step the gradient that the loss gives to hs[t] *directly*, that is
            not through later states; shape (T, N, H).
        xs: inputs, shape (T, N, D).
        h0: state before the first step, shape (N, H).
        hs: states after each step, shape (T, N, H).
        w_ih: shape (H, D).
        w_hh: shape (H, H).

    Returns:
        (grad_xs, grad_h0, grad_w_ih, grad_w_hh, grad_b), of the shapes of
        xs (T, N, D), h0 (N, H), w_ih (H, D), w_hh (H, H) and b (H,).
    """
    # BEGIN SOLUTION
    grad_xs = torch.zeros_like(xs)
    grad_h = torch.zeros_like(h0)
    grad_w_ih, grad_w_hh = torch.zeros_like(w_ih), torch.zeros_like(w_hh)
    grad_b = torch.zeros_like(w_hh[0])
    for t in reversed(range(len(xs))):
        before = hs[t - 1] if t > 0 else h0
        step = rnn_step_backward(grad_hs[t] + grad_h, xs[t], before, hs[t], w_ih, w_hh)
        grad_xs[t], grad_h = step[0], step[1]
        grad_w_ih += step[2]
        grad_w_hh += step[3]
        grad_b += step[4]
    return grad_xs, grad_h, grad_w_ih, grad_w_hh, grad_b
    # END SOLUTION


# %% [markdown]
# **Check yourself** against a difference quotient. For the loss
# $L = \sum_t \langle R_t, h_t\rangle$ the direct gradients are $G_t = R_t$. Here one entry of
# $W_{hh}$ is nudged up and down; the slope must agree with your gradient to nine digits or so. Add
# the other gradients yourself.

# %% active="ipynb"
# def nudged_slope(name, index, xs, h0, weights, upstream, eps=1e-6):
#     """Slope of the loss with respect to one entry of one weight, from central differences."""
#     losses = []
#     for sign in (1, -1):
#         moved = {n: w.clone() for n, w in weights.items()}
#         moved[name][index] += sign * eps
#         losses.append((upstream * rnn_forward(xs, h0, **moved)).sum())
#     return ((losses[0] - losses[1]) / (2 * eps)).item()
#
#
# def small_problem(T=5, N=3, D=2, H=4):
#     """Random sequences, weights and upstream gradients in float64."""
#     new = lambda *shape: torch.randn(*shape, dtype=torch.float64)
#     weights = {"w_ih": new(H, D), "w_hh": new(H, H), "b": new(H)}
#     return new(T, N, D), new(N, H), weights, new(T, N, H)
#
#
# try:
#     xs, h0, weights, upstream = small_problem()
#     hs = rnn_forward(xs, h0, **weights)
#     grads = rnn_backward(upstream, xs, h0, hs, weights["w_ih"], weights["w_hh"])
#     print("difference quotient:", nudged_slope("w_hh", (1, 2), xs, h0, weights, upstream))
#     print("your gradient:      ", grads[3][1, 2].item())
# except NotImplementedError as missing:
#     print("Not implemented yet:", missing)

# %% [markdown]
# ## Question 3 (6 points + 5 written): Vanishing, exploding, clipping
#
# The gradient that flows from step $T$ back to the beginning is multiplied by $W_{hh}$ (and by
# $\tanh'$) once per step. Run the experiment: $W_{hh}$ is a random rotation times a factor, the
# loss looks at the last state alone, and we print how long its gradient is many steps earlier.

# %% active="ipynb"
# def gradient_lengths(factor, steps=60, size=32):
#     """Length of dL/dh_t, from the last step to the first, for L = <r, h_T>."""
#     rotation, _ = torch.linalg.qr(torch.randn(size, size))
#     w_ih, w_hh = torch.eye(size), factor * rotation
#     xs = 0.02 * torch.randn(steps, 1, size)
#     hs = rnn_forward(xs, torch.zeros(1, size), w_ih, w_hh, torch.zeros(size))
#     grad, lengths = torch.randn(1, size) / math.sqrt(size), []
#     for t in reversed(range(1, steps)):
#         grad = rnn_step_backward(grad, xs[t], hs[t - 1], hs[t], w_ih, w_hh)[1]
#         lengths.append(grad.norm().item())
#     return lengths
#
#
# try:
#     print("factor   " + "".join(f"{back:>6} steps back" for back in (1, 10, 30, 59)))
#     for factor in (0.7, 1.0, 1.1, 1.6):
#         lengths = gradient_lengths(factor)
#         print(f"{factor:6.1f}   " + "".join(f"{lengths[b - 1]:>17.2g}" for b in (1, 10, 30, 59)))
# except NotImplementedError as missing:
#     print("Not implemented yet:", missing)

# %% [markdown]
# Against *exploding* gradients there is a blunt and effective tool. Let $g$ be **all** gradients of
# a model, written one after another in a single long vector. If $\lVert g \rVert_2$ is greater than
# a threshold $m$, every gradient is scaled by the same factor
#
# $$g \leftarrow g \cdot \frac{m}{\lVert g \rVert_2},$$
#
# so that the step becomes shorter and keeps its direction. Otherwise nothing changes.


# %%
def clip_gradients(parameters, max_norm):
    """Scale the gradients of all parameters, in place, to a global norm of at most `max_norm`.

    Args:
        parameters: an iterable of tensors, for instance `model.parameters()`. Those whose `.grad`
            is None take no part.
        max_norm: the greatest global 2-norm allowed, a positive number.

    Returns:
        The global 2-norm *before* clipping, a float; 0.0 where there is no gradient.
    """
    # BEGIN SOLUTION
    grads = [p.grad for p in parameters if p.grad is not None]
    norm = math.sqrt(sum(g.double().pow(2).sum().item() for g in grads))
    if norm > max_norm:
        for grad in grads:
            grad.mul_(max_norm / norm)
    return norm
    # END SOLUTION


# %% active="ipynb"
# try:
#     a, b = nn.Parameter(torch.zeros(1)), nn.Parameter(torch.zeros(1))
#     a.grad, b.grad = torch.tensor([3.0]), torch.tensor([4.0])
#     print("norm before:", clip_gradients([a, b], 1.0), "(expected 5.0)")
#     print("clipped:    ", a.grad.item(), b.grad.item(), "(expected 0.6 and 0.8)")
# except NotImplementedError as missing:
#     print("Not implemented yet:", missing)

# %% [markdown]
# **In words (5 points).** Write $\partial h_T / \partial h_t$ as a product, and use it to explain
# the table that you printed: (a) what decides whether gradients vanish or explode, and what $\tanh$
# adds to it; (b) why a vanishing gradient is a problem of *long-range* dependencies, although the
# gradient of the weights does not vanish as a whole; (c) why clipping cures one of the two and not
# the other, and what an LSTM does about the other. Ten lines are enough.

# %% [markdown]
# **Answer q3.**
#
# <!-- BEGIN SOLUTION -->
# (a) $\partial h_T/\partial h_t = \prod_{k=t+1}^{T} \mathrm{diag}(1 - h_k^2)\, W_{hh}$. If the
# largest singular value of $W_{hh}$ is $\sigma$, the norm of the product is at most
# $(\sigma \max(1-h^2))^{T-t}$: with $\sigma < 1$ it must vanish exponentially in $T - t$. It can
# explode only if $\sigma > 1$, and even then not always: $1 - h^2 \le 1$, and for saturated units
# it is nearly zero, so that tanh only ever shrinks gradients. In the table the factor is $\sigma$:
# 0.7 vanishes; 1.0 shrinks slowly, through tanh alone; 1.1 is held near balance by tanh for many
# steps; 1.6 explodes, but stays far below $1.6^{59} \approx 10^{12}$, since its units saturate.
#
# (b) The gradient of $W_{hh}$ is a sum over all time distances. The terms with small $T - t$ do not
# vanish, so the weights do learn, but only from what happened a few steps ago; the terms that say
# "remember the word from 50 steps ago" are exponentially small and drown in the others.
#
# (c) Clipping shortens a vector that is too long and keeps its direction: a remedy for explosions.
# It can't bring back what has been multiplied by almost zero; scaling up would scale the
# short-range terms as well. The LSTM changes the product instead: along its cell state
# $\partial c_t / \partial c_{t-1}$ is (on the direct path) the forget gate, which the network can
# hold near one, so that the product over many steps need not vanish.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 4 (16 points): LSTM and GRU
#
# Gated cells let the network *learn* when to keep, to write and to show what it remembers.
# $\sigma$ is the logistic function, $\odot$ the product of entries.
#
# **LSTM.** Its state is a pair $(h, c)$. With $c$ the cell's memory:
#
# $$
# \begin{aligned}
# i &= \sigma(x W_{ii}^\top + b_{ii} + h W_{hi}^\top + b_{hi}) &\quad
# f &= \sigma(x W_{if}^\top + b_{if} + h W_{hf}^\top + b_{hf}) \\
# g &= \tanh(x W_{ig}^\top + b_{ig} + h W_{hg}^\top + b_{hg}) &\quad
# o &= \sigma(x W_{io}^\top + b_{io} + h W_{ho}^\top + b_{ho}) \\
# c' &= f \odot c + i \odot g &\quad
# h' &= o \odot \tanh(c')
# \end{aligned}
# $$
#
# The four matrices are stacked along the first dimension in the order **i, f, g, o**, so that
# `w_ih` has shape $(4H, D)$ and `w_hh` has shape $(4H, H)$.
#
# **GRU.** It has one state and three gates, stacked in the order **r, z, n**:
#
# $$
# \begin{aligned}
# r &= \sigma(x W_{ir}^\top + b_{ir} + h W_{hr}^\top + b_{hr}) \\
# z &= \sigma(x W_{iz}^\top + b_{iz} + h W_{hz}^\top + b_{hz}) \\
# n &= \tanh\left(x W_{in}^\top + b_{in} + r \odot (h W_{hn}^\top + b_{hn})\right) \\
# h' &= (1 - z) \odot n + z \odot h
# \end{aligned}
# $$
#
# Mind where $r$ stands in the third line. Both layouts are PyTorch's own, so `nn.LSTMCell` and
# `nn.GRUCell` can check your work; they are not allowed *in* your functions.


# %%
def lstm_step(x, state, w_ih, w_hh, b_ih, b_hh):
    """Take one step of an LSTM; the gates are stacked in the order i, f, g, o.

    Args:
        x: input, shape (N, D).
        state: the pair (h, c), each of shape (N, H).
        w_ih: shape (4H, D).
        w_hh: shape (4H, H).
        b_ih, b_hh: shape (4H,) each.

    Returns:
        The new state, the pair (h, c), each of shape (N, H).
    """
    # BEGIN SOLUTION
    h, c = state
    i, f, g, o = (x @ w_ih.T + b_ih + h @ w_hh.T + b_hh).chunk(4, dim=1)
    c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
    return torch.sigmoid(o) * torch.tanh(c), c
    # END SOLUTION


# %%
def gru_step(x, h, w_ih, w_hh, b_ih, b_hh):
    """Take one step of a GRU; the gates are stacked in the order r, z, n.

    Args:
        x: input, shape (N, D).
        h: state, shape (N, H).
        w_ih: shape (3H, D).
        w_hh: shape (3H, H).
        b_ih, b_hh: shape (3H,) each.

    Returns:
        The new state, shape (N, H).
    """
    # BEGIN SOLUTION
    from_x = (x @ w_ih.T + b_ih).chunk(3, dim=1)
    from_h = (h @ w_hh.T + b_hh).chunk(3, dim=1)
    r = torch.sigmoid(from_x[0] + from_h[0])
    z = torch.sigmoid(from_x[1] + from_h[1])
    n = torch.tanh(from_x[2] + r * from_h[2])
    return (1 - z) * n + z * h
    # END SOLUTION


# %% active="ipynb"
# try:
#     cell, x, h, c = nn.LSTMCell(3, 5), torch.randn(2, 3), torch.randn(2, 5), torch.randn(2, 5)
#     yours = lstm_step(x, (h, c), cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
#     apart = max((a - b).abs().max().item() for a, b in zip(yours, cell(x, (h, c))))
#     print("LSTM, greatest difference from nn.LSTMCell:", apart)
#     cell = nn.GRUCell(3, 5)
#     yours = gru_step(x, h, cell.weight_ih, cell.weight_hh, cell.bias_ih, cell.bias_hh)
#     print("GRU,  greatest difference from nn.GRUCell: ", (yours - cell(x, h)).abs().max().item())
# except NotImplementedError as missing:
#     print("Not implemented yet:", missing)

# %% [markdown]
# ## Question 5 (8 points): From text to chunks
#
# Our text is *Alice's Adventures in Wonderland* (Lewis Carroll, 1865), chapters I to VII, in lower
# case. A model of characters sees only numbers, so each character becomes its index in the
# vocabulary. **Keep this cell as it is**: the hidden tests encode their text in the same way.

# %% active="ipynb"
# text = Path("data/alice.txt").read_text(encoding="utf-8")
# vocab = sorted(set(text))
# print(len(text), "characters,", len(vocab), "different ones:", "".join(vocab[1:]))
# print(text[:240])


# %%
def encode(text, vocab):
    """Turn text into tokens: the index of each character in the vocabulary.

    Args:
        text: a string.
        vocab: list of different characters.

    Returns:
        An int64 tensor of shape (len(text),).

    Raises:
        ValueError: a character of the text is not in the vocabulary.
    """
    # BEGIN SOLUTION
    index = {character: i for i, character in enumerate(vocab)}
    unknown = set(text) - set(index)
    if unknown:
        raise ValueError(f"not in the vocabulary: {sorted(unknown)}")
    return torch.tensor([index[character] for character in text], dtype=torch.int64)
    # END SOLUTION


# %%
def decode(tokens, vocab):
    """Turn tokens back into text: the inverse of `encode`.

    Args:
        tokens: an int64 tensor of shape (length,).
        vocab: list of different characters.

    Returns:
        A string of that length.
    """
    # BEGIN SOLUTION
    return "".join(vocab[i] for i in tokens.tolist())
    # END SOLUTION


# %% [markdown]
# A book is one sequence of tens of thousands of steps: too long to backpropagate through, and a
# batch of one wastes the machine. So we
#
# 1. cut the book into $N$ **streams** of equal length and let the batch read all of them side by
#    side, and
# 2. cut the streams into **chunks** of a few dozen steps. Column $n$ of each chunk goes on exactly
#    where column $n$ of the chunk before it ended: the state can be carried over.
#
# The target of each character is the character that follows it *in the book*. In detail, with
# $S = \lfloor (\text{number of tokens} - 1) / N \rfloor$ steps per stream, step $s$ of stream $n$
# has
#
# $$\text{input} = \text{tokens}[nS + s], \qquad \text{target} = \text{tokens}[nS + s + 1],
# \qquad 0 \le s < S,$$
#
# and tokens that are left at the end are dropped. For `"abcdefghijk"` in 2 streams and chunks of 3
# steps (time goes down, as always):
#
# ```
#  inputs   targets        inputs   targets
#   a f      b g            d i      e j
#   b g      c h            e j      f k
#   c h      d i           (the last chunk may be shorter)
# ```


# %%
def make_chunks(tokens, streams, length):
    """Cut tokens into streams side by side, and those into chunks that follow one another.

    Args:
        tokens: an int64 tensor of shape (number of tokens,).
        streams: how many streams the batch reads side by side, N.
        length: steps per chunk, T; the last chunk is shorter where the steps don't come out even.

    Returns:
        A list of pairs (inputs, targets) in the order in which they are read, each an int64
        tensor of shape (T, N).
    """
    # BEGIN SOLUTION
    steps = (len(tokens) - 1) // streams
    inputs = tokens[: streams * steps].view(streams, steps).T
    targets = tokens[1 : streams * steps + 1].view(streams, steps).T
    return list(zip(inputs.split(length), targets.split(length), strict=True))
    # END SOLUTION


# %% active="ipynb"
# try:
#     letters = list("abcdefghijk")
#     for inputs, targets in make_chunks(encode("abcdefghijk", letters), 2, 3):
#         print("inputs: ", [decode(row, letters) for row in inputs])
#         print("targets:", [decode(row, letters) for row in targets])
# except NotImplementedError as missing:
#     print("Not implemented yet:", missing)

# %% [markdown]
# ## Question 6 (20 points + 5 written): A character language model
#
# The model gives, for each position, a distribution over the next character:
#
# $$x_t = \text{embedding}(\text{token}_t), \qquad
# (h_t, c_t) = \text{LSTM}(x_t, (h_{t-1}, c_{t-1})), \qquad
# \text{logits}_t = h_t W^\top + b.$$
#
# Its quality is measured by the **perplexity** on text that it has not seen, over $M$ characters
#
# $$\text{perplexity} = \exp\left(-\frac{1}{M} \sum_{m=1}^{M} \log p(\text{token}_{m+1} \mid
# \text{token}_{\le m})\right):$$
#
# the number of equally likely characters that would puzzle us as much. Chance gives 38. On the
# chapter that we hold back, counting single characters gives 19.7, counting pairs gives 10.2.
#
# Use your `lstm_step` with the parameters of your own module. (If you could not solve Question 4,
# `nn.LSTMCell` is allowed here, at no loss of points.) Initialise all weights of the LSTM uniformly
# in $[-1/\sqrt H, 1/\sqrt H]$, as PyTorch does.


# %%
class CharModel(nn.Module):
    """Predict each next character from those before it: embedding, LSTM, linear layer."""

    def __init__(self, vocab_size, embedding_size, hidden_size):
        """Make the parameters: an embedding (V, E), an LSTM (E to H), a linear layer (H to V)."""
        super().__init__()
        self.hidden_size = hidden_size
        # BEGIN SOLUTION
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.w_ih = nn.Parameter(torch.empty(4 * hidden_size, embedding_size))
        self.w_hh = nn.Parameter(torch.empty(4 * hidden_size, hidden_size))
        self.b_ih = nn.Parameter(torch.empty(4 * hidden_size))
        self.b_hh = nn.Parameter(torch.empty(4 * hidden_size))
        self.readout = nn.Linear(hidden_size, vocab_size)
        bound = 1 / math.sqrt(hidden_size)
        for weight in (self.w_ih, self.w_hh, self.b_ih, self.b_hh):
            nn.init.uniform_(weight, -bound, bound)
        # END SOLUTION

    def forward(self, tokens, state=None):
        """Read tokens, going on from a state.

        Args:
            tokens: int64 tensor of shape (T, N).
            state: the pair (h, c) after what was read before, each of shape (N, H); None at the
                beginning of a text: zeros.

        Returns:
            (logits, state): logits of shape (T, N, V), for the character after each token; and
            the pair (h, c) after the last token.
        """
        # BEGIN SOLUTION
        if state is None:
            zeros = self.w_hh.new_zeros(tokens.shape[1], self.hidden_size)
            state = (zeros, zeros)
        hs = []
        for x in self.embedding(tokens):
            state = lstm_step(x, state, self.w_ih, self.w_hh, self.b_ih, self.b_hh)
            hs.append(state[0])
        return self.readout(torch.stack(hs)), state
        # END SOLUTION


# %% [markdown]
# **Perplexity.** Carry the state from chunk to chunk, and weigh each *character* equally: the last
# chunk may be shorter than the others.


# %%
@torch.no_grad()
def perplexity(model, chunks):
    """Measure a model on chunks that follow one another; nothing is learned.

    Args:
        model: maps (tokens, state) to (logits, state), as `CharModel` does; the state is a pair.
        chunks: list of pairs (inputs, targets), each of shape (T, N), as from `make_chunks`.

    Returns:
        exp of the mean negative log-likelihood per character, a float.
    """
    # BEGIN SOLUTION
    state, total, count = None, 0.0, 0
    for inputs, targets in chunks:
        logits, state = model(inputs, state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        total += loss.item() * targets.numel()
        count += targets.numel()
    return math.exp(total / count)
    # END SOLUTION


# %% [markdown]
# **Training** with *truncated* backpropagation through time. For each chunk, in order: predict,
# going on from the state that the chunk before left; take the mean cross-entropy over the
# characters of the chunk; backpropagate; clip the gradients to `max_norm`; let the optimizer take
# one step. An epoch begins with the state None. Each chunk's state is carried into the next one,
# but its history is not: `detach` it, or the second `backward()` runs into the first one's graph.
# (If you could not solve Question 3, `nn.utils.clip_grad_norm_` is allowed here.)


# %%
def train_epoch(model, chunks, optimizer, max_norm):
    """Train for one epoch with truncated backpropagation through time.

    Args:
        model: maps (tokens, state) to (logits, state), as `CharModel` does; the state is a pair.
        chunks: list of pairs (inputs, targets), each of shape (T, N), in reading order.
        optimizer: an optimizer of the model's parameters; it takes one step per chunk.
        max_norm: global norm to which gradients are clipped before each step.

    Returns:
        The mean over the chunks of the chunk's cross-entropy before its step, a float.
    """
    # BEGIN SOLUTION
    state, losses = None, []
    for inputs, targets in chunks:
        logits, state = model(inputs, state)
        loss = nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
        optimizer.zero_grad()
        loss.backward()
        clip_gradients(model.parameters(), max_norm)
        optimizer.step()
        state = tuple(part.detach() for part in state)
        losses.append(loss.item())
    return sum(losses) / len(losses)
    # END SOLUTION


# %% [markdown]
# Now train. The last chapter of our text is for validation. The hidden tests let your `model` read
# a later chapter, one character at a time, and ask for a **perplexity below 6.5** there (and give
# some of the points below 9). The settings given here reach about 5.3 in less than 10 seconds on
# one CPU thread; you may change them, but the trained model must be called `model`.

# %% active="ipynb"
# def train(tokens, held_out, *, epochs=3, streams=32, length=32, learning_rate=1e-2, max_norm=1.0):
#     """Train a new CharModel; print its progress and return it."""
#     model = CharModel(len(vocab), embedding_size=32, hidden_size=96)
#     optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
#     chunks, validation = make_chunks(tokens, streams, length), make_chunks(held_out, 8, 64)
#     start = time.perf_counter()
#     for epoch in range(1, epochs + 1):
#         loss = train_epoch(model, chunks, optimizer, max_norm)
#         print(f"epoch {epoch}: training loss {loss:.3f}, "
#               f"validation perplexity {perplexity(model, validation):.2f}, "
#               f"{time.perf_counter() - start:.1f} s")
#     return model

# %% active="ipynb"
# try:
#     chapter_7 = text.index("a mad tea-party\n")
#     tokens = encode(text, vocab)
#     model = train(tokens[:chapter_7], tokens[chapter_7:])
# except NotImplementedError as missing:
#     print("Not implemented yet:", missing)

# %% [markdown]
# **In words (5 points).** (a) What does truncated backpropagation through time compute exactly, and
# what does it leave out? (b) The state is carried from chunk to chunk although no gradient flows
# there: what can the model still gain from it, and what can it not learn to do? (c) What changes in
# time, in memory and in what can be learned if the chunks become four times as long?

# %% [markdown]
# **Answer q6.**
#
# <!-- BEGIN SOLUTION -->
# (a) The forward pass is exact: each prediction depends on all that was read since the beginning of
# the epoch. The backward pass stops at the beginning of the chunk: the state that comes in is
# treated as a constant. So the gradient holds the effect of weights on losses through at most $T$
# steps and leaves out all terms of $\partial L_t / \partial W$ that pass through earlier chunks. It
# is a biased estimate of the whole gradient. (Besides, the carried state was made with weights a
# few updates old.)
#
# (b) The model can *use* what is in the state: it learns to read an incoming state that resembles
# those it meets within a chunk, so that a habit learned over short distances (being inside
# quotation marks, the topic) works across boundaries. But no gradient tells it to *store* something
# in one chunk because it pays in the next one: dependencies longer than a chunk are never rewarded
# and are learned only by luck.
#
# (c) The work per character is the same, but there are four times fewer updates per epoch, and less
# can be done in parallel. The activations kept for the backward pass grow fourfold. Dependencies up
# to four times as long can be learned, as far as the gradient does not vanish anyway; gradients are
# less biased, and more in danger of exploding.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 7 (8 points): Sampling
#
# A language model can write: draw a character from its distribution, feed it back as the next
# input, and so on. A **temperature** $\tau > 0$ sharpens or flattens the distribution,
#
# $$p_\tau(v) = \frac{\exp(\ell_v / \tau)}{\sum_u \exp(\ell_u / \tau)}.$$
#
# Make sure that small temperatures do not overflow: $\ell / \tau$ may well be 100,000.


# %%
def next_probabilities(logits, temperature):
    """Turn logits into the distribution at a temperature.

    Args:
        logits: shape (…, V).
        temperature: a positive number.

    Returns:
        Probabilities over the last dimension, of the same shape.
    """
    # BEGIN SOLUTION
    return torch.softmax(logits / temperature, dim=-1)
    # END SOLUTION


# %%
@torch.no_grad()
def generate(model, prompt, length, temperature):
    """Let a model go on writing after a prompt.

    The model reads the whole prompt once; after that each drawn token is its next input.

    Args:
        model: maps (tokens (T, N), state) to (logits (T, N, V), state), as `CharModel` does.
        prompt: int64 tensor of shape (P,), P at least 1.
        length: how many tokens to draw, at least 1.
        temperature: a positive number.

    Returns:
        The drawn tokens without the prompt, an int64 tensor of shape (length,).
    """
    # BEGIN SOLUTION
    tokens, state, drawn = prompt.view(-1, 1), None, []
    for _ in range(length):
        logits, state = model(tokens, state)
        tokens = torch.multinomial(next_probabilities(logits[-1], temperature), 1)
        drawn.append(tokens.item())
    return torch.tensor(drawn, dtype=torch.int64)
    # END SOLUTION


# %% [markdown]
# The harvest. Which temperature writes the best Alice?

# %% active="ipynb"
# try:
#     for temperature in (0.3, 0.7, 1.2):
#         written = generate(model, encode("alice ", vocab), 200, temperature)
#         print(f"temperature {temperature}: alice {decode(written, vocab)}\n")
# except (NotImplementedError, NameError) as missing:
#     print("Not implemented yet:", missing)
