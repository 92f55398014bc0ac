# %% [markdown]
# # Transformers and graph neural networks
#
# A sentence and a social network have little in common, until you ask how a part of them should
# learn about the rest. A word listens to other words, a member of a club to their friends. Both
# take a **weighted average of what others have to say**, and all that changes is who may be
# listened to and how the weights come about. This one idea gives you the transformer, in which
# everyone may listen to everyone, and the graph network, in which edges decide.
#
# You build both from scratch, and with each something that works: a language model which learns to
# write words backwards, and a classifier which foretells how a karate club will split, from the
# allegiance of two of its members.
#
# | | you build | by tests | by a reader |
# |---|---|---|---|
# | 1 | attention, and the masks that restrain it | 10 | 4 |
# | 2 | attention with several heads | 10 | |
# | 3 | positions, and a transformer block | 9 | |
# | 4 | a causal language model that reverses words | 16 | |
# | 5 | graph convolution | 7 | 4 |
# | 6 | graph attention | 9 | |
# | 7 | the karate club, from two labels | 11 | |
#
# **Rules**
#
# - Use PyTorch as you like: `torch.softmax`, `nn.Linear`, `nn.LayerNorm`, `nn.Embedding`,
#   `nn.Parameter`, autograd and `torch.optim` are all allowed. What you are building is not:
#   `F.scaled_dot_product_attention`, `nn.MultiheadAttention` and the `nn.Transformer…` classes.
#   The cells that check your work compare with them.
# - Keep the names and the arguments of functions, classes, methods and of the parameters that the
#   text names. You may add helpers and cells of your own.
# - A function must not change the tensors it is given.
# - Masks are boolean, and **True means "may listen"**. (Libraries do not agree on this; read the
#   documentation every time.)
#
# **How it is marked.** Hidden tests call your functions and modules with fresh random inputs of
# many shapes, mostly in `float64`; they never look at how you wrote them, except for the rule
# above: it is checked in what you wrote and in what runs when it is called, and what seems to break
# it is shown to a person. The two written answers are read by a person. The cells that begin with
# `@self_check` tell you what holds and what does not yet. They are easier than the hidden tests,
# and so are the public tests that came with this notebook. No cell may take longer than 45 seconds;
# ten are plenty.

# %%
import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

# %% [markdown]
# A helper, given: `self_check` runs a check at once and prints how it went.


# %%
def self_check(check):
    """Run `check()` now and print how it went. Used as a decorator."""
    try:
        check()
    except NotImplementedError as missing:
        print(f"{check.__name__}: not implemented yet: {missing}")
    except Exception as e:
        print(f"{check.__name__}: NOT RIGHT YET: {type(e).__name__}: {e}")
    else:
        print(f"{check.__name__}: ok")


# %% [markdown]
# ## Question 1 (14 points): attention
#
# There are $T$ *queries* $\mathbf{q}_t$, the questions of those who listen, and $S$ *keys*
# $\mathbf{k}_s$ with *values* $\mathbf{v}_s$, the labels and the content of those who speak. A
# query is compared with every key; softmax turns the scores of each query into weights; the output
# is the weighted average of the values:
#
# $$ e_{ts} = \frac{\mathbf{q}_t \cdot \mathbf{k}_s}{\sqrt{d_k}}, \qquad
#    \alpha_{ts} = \frac{\exp e_{ts}}{\sum_{s'} \exp e_{ts'}}, \qquad
#    \mathbf{o}_t = \sum_s \alpha_{ts} \mathbf{v}_s , $$
#
# where $d_k$ is the length of a query and of a key. Values may have another length, $d_v$.
#
# A **mask** says which keys a query may listen to. Where it is False, the score becomes $-\infty$
# *before* the softmax, so that the weight is exactly zero and the other weights still sum to one.
# (A very negative number such as $-10^9$ is not the same: someone's scores will be lower.) Two
# masks are all we need:
#
# - The **causal** mask: position $t$ listens to positions $0, \dots, t$, itself included.
# - The **padding** mask: sequences of a batch have different lengths and are filled up; nobody
#   listens to the filling.
#
# One case is left. If a query may listen to **no key at all**, the formula reads $0/0$. We define
# its weights, and thus its output, to be **zero**. Neither the output nor any gradient may be NaN
# then. Take care: replacing NaN after the softmax mends the output, but autograd still walks back
# through the softmax that made it, and may return with a NaN. Check the gradient too.


# %%
def causal_mask(length):
    """Mask with which each position listens to itself and to what came before.

    Returns:
        (length, length) boolean tensor; [t, s] is True where position t may listen to s.
    """
    # BEGIN SOLUTION
    return torch.ones(length, length, dtype=torch.bool).tril()
    # END SOLUTION


def padding_mask(lengths, max_length):
    """Mask with which nobody listens to the filling behind the end of a sequence.

    Args:
        lengths: (B,) integers from 0 to max_length: the true length of each sequence.
        max_length: the length S that all sequences have been filled up to.

    Returns:
        (B, 1, S) boolean tensor; [b, 0, s] is True where s is a true position of sequence b.
        The 1 stands for all queries.
    """
    # BEGIN SOLUTION
    return torch.arange(max_length) < lengths[:, None, None]
    # END SOLUTION


def attention(q, k, v, mask=None):
    """Scaled dot-product attention.

    Args:
        q: (..., T, d_k) queries.
        k: (..., S, d_k) keys.
        v: (..., S, d_v) values. The leading dimensions of the three are the same; there may be
            none.
        mask: None, or a boolean tensor that broadcasts to (..., T, S), True where a query may
            listen to a key.

    Returns:
        (out, weights): of shapes (..., T, d_v) and (..., T, S). Both are zero for a query that
        may listen to no key.
    """
    # BEGIN SOLUTION
    scores = q @ k.transpose(-2, -1) / math.sqrt(q.shape[-1])
    if mask is None:
        weights = scores.softmax(dim=-1)
    else:
        # Rows without a single key get the scores of no mask: finite, and wiped out afterwards.
        hidden = ~mask & mask.any(dim=-1, keepdim=True)
        weights = scores.masked_fill(hidden, -torch.inf).softmax(dim=-1).masked_fill(~mask, 0.0)
    return weights @ v, weights
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_masks():
#     assert causal_mask(2).tolist() == [[True, False], [True, True]]
#     mask = padding_mask(torch.tensor([1, 2]), max_length=2)
#     assert mask.tolist() == [[[True, False]], [[True, True]]]
#
#
# @self_check
# def check_attention():
#     q, k, v = torch.randn(2, 4, 3), torch.randn(2, 5, 3), torch.randn(2, 5, 6)
#     mask = torch.rand(2, 4, 5) < 0.5
#     mask[..., 0] = True
#     for visible in (None, mask):
#         out, weights = attention(q, k, v, visible)
#         assert weights.shape == (2, 4, 5), "one weight for each query and key"
#         right = F.scaled_dot_product_attention(q, k, v, attn_mask=visible)
#         torch.testing.assert_close(out, right)
#
#
# @self_check
# def check_nobody_to_listen_to():
#     q, k, v = (torch.randn(3, 2, requires_grad=True) for _ in range(3))
#     out, _ = attention(q, k, v, torch.tensor([[True] * 3, [False] * 3, [True] * 3]))
#     out.sum().backward()
#     assert (out[1] == 0).all(), "the second query may listen to no key"
#     assert q.grad.isfinite().all(), "the output is finite, and the gradient is not"

# %% [markdown]
# **Written, 4 points.** Answer in the cell below, in five to ten sentences.
#
# 1. The components of $\mathbf{q}$ and $\mathbf{k}$ are independent, with mean 0 and variance 1.
#    Derive mean and variance of $\mathbf{q} \cdot \mathbf{k}$. What does $1/\sqrt{d_k}$ achieve?
# 2. Without the factor, what happens to the attention weights for large $d_k$, and what to the
#    gradient that comes back through the softmax? Use its Jacobian. Why not divide by $d_k$?

# %% [markdown]
# **Answer q1.**
#
# <!-- BEGIN SOLUTION -->
# 1. $\mathbf{q} \cdot \mathbf{k} = \sum_{i=1}^{d_k} q_i k_i$. Each product has mean
# $\mathbb{E}[q_i]\,\mathbb{E}[k_i] = 0$ and variance $\mathbb{E}[q_i^2]\,\mathbb{E}[k_i^2] = 1$;
# the products are independent, so their variances add: mean 0, variance $d_k$. Scores are thus of
# size $\sqrt{d_k}$. Dividing by $\sqrt{d_k}$ gives them variance 1, whatever the width of the head.
#
# 2. With scores of size $\sqrt{d_k}$, the largest of them leads the second by something that grows
# with $\sqrt{d_k}$ too, and softmax turns such a lead into a weight near 1: each query copies a
# single value from the first step on. The Jacobian of softmax is
# $\partial\alpha_s/\partial e_r = \alpha_s(\delta_{sr} - \alpha_r)$. When $\boldsymbol{\alpha}$ is
# nearly one-hot, each entry holds a factor near zero, so hardly any gradient reaches queries and
# keys, and the wrong choice stays. Dividing by $d_k$ errs on the other side: scores have variance
# $1/d_k$, the weights are nearly uniform, and attention begins as a plain mean of the values, from
# which wide heads must first grow large weights to escape.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 2 (10 points): several heads
#
# One softmax can attend to one thing at a time. *Multi-head* attention runs $H$ attentions side by
# side, each in its own $d_h = D / H$ dimensions, and mixes their outputs:
#
# $$ Q = X W_q^\top + \mathbf{b}_q, \qquad K = C W_k^\top + \mathbf{b}_k, \qquad
#    V = C W_v^\top + \mathbf{b}_v, $$
# $$ O_h = \operatorname{attention}(Q_h, K_h, V_h), \qquad
#    Y = [O_1, \dots, O_H]\, W_o^\top + \mathbf{b}_o . $$
#
# $X$ holds those who listen and $C$, the *context*, those who speak. In *self-attention* the two
# are the same.
#
# **Layout.** The four maps are `nn.Linear(D, D)` modules named `q_proj`, `k_proj`, `v_proj` and
# `out_proj`. Head $h = 0, \dots, H - 1$ owns the columns $h d_h, \dots, (h + 1) d_h - 1$ of $Q$,
# $K$ and $V$; the outputs of the heads stand side by side in the same order. This is the layout of
# `nn.MultiheadAttention`, with which your module must agree.


# %%
class MultiHeadAttention(nn.Module):
    """Multi-head attention.

    Args:
        d_model: D, a multiple of n_heads.
        n_heads: H.
    """

    def __init__(self, d_model, n_heads):
        super().__init__()
        # BEGIN SOLUTION
        self.n_heads = n_heads
        self.q_proj = nn.Linear(d_model, d_model)
        self.k_proj = nn.Linear(d_model, d_model)
        self.v_proj = nn.Linear(d_model, d_model)
        self.out_proj = nn.Linear(d_model, d_model)
        # END SOLUTION

    def forward(self, x, context=None, mask=None):
        """Let the positions of x listen to those of the context.

        Args:
            x: (B, T, D).
            context: (B, S, D), or None for self-attention.
            mask: None, or a boolean tensor of shape (T, S), (B, T, S) or (B, 1, S), the same for
                all heads.

        Returns:
            (B, T, D).
        """
        # BEGIN SOLUTION
        context = x if context is None else context
        q, k, v = (
            projection(tokens).unflatten(-1, (self.n_heads, -1)).transpose(1, 2)
            for projection, tokens in (
                (self.q_proj, x),
                (self.k_proj, context),
                (self.v_proj, context),
            )
        )
        if mask is not None and mask.dim() == 3:
            mask = mask[:, None]
        out, _ = attention(q, k, v, mask)
        return self.out_proj(out.transpose(1, 2).flatten(2))
        # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_multi_head_attention():
#     yours, torchs = MultiHeadAttention(12, 3), nn.MultiheadAttention(12, 3, batch_first=True)
#     with torch.no_grad():
#         torchs.in_proj_weight.copy_(
#             torch.cat([layer.weight for layer in (yours.q_proj, yours.k_proj, yours.v_proj)])
#         )
#         torchs.in_proj_bias.copy_(
#             torch.cat([layer.bias for layer in (yours.q_proj, yours.k_proj, yours.v_proj)])
#         )
#         torchs.out_proj.load_state_dict(yours.out_proj.state_dict())
#         x = torch.randn(2, 5, 12)
#         right, _ = torchs(x, x, x)
#         torch.testing.assert_close(yours(x), right)
#         # torch's mask is True where a query may NOT listen.
#         right, _ = torchs(x, x, x, attn_mask=torch.ones(5, 5).triu(1).bool())
#         torch.testing.assert_close(yours(x, mask=causal_mask(5)), right)

# %% [markdown]
# ## Question 3 (9 points): positions, and a transformer block
#
# Attention does not know order: shuffle the context and each query hears the same average. So the
# position is written into the tokens. For the position $p$ and $i = 0, \dots, D/2 - 1$,
#
# $$ \operatorname{PE}_{p,\,2i} = \sin\!\left(\frac{p}{10000^{2i/D}}\right), \qquad
#    \operatorname{PE}_{p,\,2i+1} = \cos\!\left(\frac{p}{10000^{2i/D}}\right) . $$
#
# Each pair of columns is the hand of a clock, the first fast, the last slow. To move by $k$
# positions turns each hand by a fixed angle, whatever the position: a linear map, easily learnt.


# %%
def positional_encoding(length, d_model):
    """Sinusoidal positional encoding, sines and cosines in alternating columns.

    Args:
        length: number of positions, from 0 on.
        d_model: D, even.

    Returns:
        (length, D) tensor, float32.
    """
    # BEGIN SOLUTION
    rates = 10000.0 ** (-torch.arange(0, d_model, 2) / d_model)
    angles = torch.arange(length)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)
    # END SOLUTION


# %% [markdown]
# A transformer block listens, then thinks. Today's blocks normalise *before* each of the two steps
# and leave the road from input to output free, so that gradients reach the first block undisturbed:
#
# $$ U = X + \operatorname{MHA}(\operatorname{LN}_1(X)), \qquad
#    Y = U + W_2 \operatorname{relu}(W_1 \operatorname{LN}_2(U) + \mathbf{b}_1) + \mathbf{b}_2 . $$
#
# **Layout.** `norm1` and `norm2` are `nn.LayerNorm(D)`, `attention` is your `MultiHeadAttention`,
# `expand` is `nn.Linear(D, M)` with $W_1, \mathbf{b}_1$, and `contract` is `nn.Linear(M, D)`. There
# is no dropout.


# %%
class Block(nn.Module):
    """Pre-norm transformer block.

    Args:
        d_model: D.
        n_heads: H.
        d_hidden: M, the width of the feed-forward step.
    """

    def __init__(self, d_model, n_heads, d_hidden):
        super().__init__()
        # BEGIN SOLUTION
        self.norm1 = nn.LayerNorm(d_model)
        self.attention = MultiHeadAttention(d_model, n_heads)
        self.norm2 = nn.LayerNorm(d_model)
        self.expand = nn.Linear(d_model, d_hidden)
        self.contract = nn.Linear(d_hidden, d_model)
        # END SOLUTION

    def forward(self, x, mask=None):
        """Apply the block.

        Args:
            x: (B, T, D).
            mask: as in MultiHeadAttention.

        Returns:
            (B, T, D).
        """
        # BEGIN SOLUTION
        x = x + self.attention(self.norm1(x), mask=mask)
        return x + self.contract(self.expand(self.norm2(x)).relu())
        # END SOLUTION


# %% active="ipynb"
# import matplotlib.pyplot as plt
#
#
# @self_check
# def check_positional_encoding():
#     encoding = positional_encoding(50, 16)
#     assert encoding.shape == (50, 16)
#     torch.testing.assert_close(encoding[0], torch.tensor([0.0, 1.0]).repeat(8))
#     lengths = (encoding[:, 0::2] ** 2 + encoding[:, 1::2] ** 2).sqrt()
#     torch.testing.assert_close(lengths, torch.ones(50, 8), msg="hands of clocks have length 1")
#     plt.figure(figsize=(6, 2.5))
#     plt.imshow(encoding.T, aspect="auto", cmap="RdBu")
#     plt.xlabel("position")
#     plt.ylabel("dimension")
#     plt.show()
#
#
# @self_check
# def check_block():
#     block, x = Block(8, 2, 20), torch.randn(3, 6, 8)
#     out = block(x)
#     assert out.shape == x.shape
#     order = torch.randperm(6)
#     torch.testing.assert_close(block(x[:, order]), out[:, order], msg="order must not matter")

# %% [markdown]
# ## Question 4 (16 points): a causal language model
#
# A language model reads tokens and says at each position how likely every token is to come
# **next**. Because of the causal mask, one pass over a sequence of $T$ tokens is $T - 1$ exercises
# at once, none of which can see its own solution.
#
# The network is the one behind every large language model, made small: an embedding of the tokens
# plus the positional encoding; a stack of blocks, all under the causal mask; a last `nn.LayerNorm`
# (the blocks leave their output unnormalised); and a linear map to one logit for each token. Inside
# you may name things as you like. Sequences may have any length.


# %%
class LanguageModel(nn.Module):
    """Decoder-only transformer.

    Args:
        n_tokens: V, the size of the vocabulary.
        d_model: D, even and a multiple of n_heads.
        n_heads: H.
        d_hidden: M, the width of each block's feed-forward step.
        n_blocks: how many blocks there are.
    """

    def __init__(self, n_tokens, d_model, n_heads, d_hidden, n_blocks):
        super().__init__()
        # BEGIN SOLUTION
        self.embedding = nn.Embedding(n_tokens, d_model)
        self.blocks = nn.ModuleList(Block(d_model, n_heads, d_hidden) for _ in range(n_blocks))
        self.norm = nn.LayerNorm(d_model)
        self.head = nn.Linear(d_model, n_tokens)
        # END SOLUTION

    def forward(self, tokens):
        """Predict the next token at every position.

        Args:
            tokens: (B, T) integers from 0 to V - 1.

        Returns:
            (B, T, V) logits; those at position t are for the token at position t + 1, and depend
            on the tokens at positions 0 to t only.
        """
        # BEGIN SOLUTION
        length = tokens.shape[1]
        x = self.embedding(tokens)
        x = x + positional_encoding(length, x.shape[-1])
        for block in self.blocks:
            x = block(x, causal_mask(length))
        return self.head(self.norm(x))
        # END SOLUTION


# %% [markdown]
# The loss is the mean cross-entropy of the tokens that **count**. Not all do: nobody can foresee
# the word that someone is about to choose, and the filling at the end is no language. Mind which
# logits belong to which token. The token at position 0 has no prediction, so it never counts.


# %%
def next_token_loss(logits, tokens, counts):
    """Mean cross-entropy over the tokens that count.

    Args:
        logits: (B, T, V), from the model.
        tokens: (B, T) integers, what the model has read.
        counts: (B, T) booleans, True where the token at this position is to be predicted. At
            least one position after the first is True; what stands at position 0 is ignored.

    Returns:
        A scalar tensor: the mean over all tokens of the batch that count.
    """
    # BEGIN SOLUTION
    wanted = counts[:, 1:]
    return F.cross_entropy(logits[:, :-1][wanted], tokens[:, 1:][wanted])
    # END SOLUTION


def generate(model, prompt, n_new):
    """Continue sequences, each time with the most likely token.

    Args:
        model: takes (B, T) tokens and returns (B, T, V) logits, for any T.
        prompt: (B, T) integers, T at least 1.
        n_new: how many tokens to append.

    Returns:
        (B, T + n_new) integers: the prompt and what follows it. No graph hangs on them.
    """
    # BEGIN SOLUTION
    tokens = prompt
    with torch.no_grad():
        for _ in range(n_new):
            following = model(tokens)[:, -1].argmax(dim=-1, keepdim=True)
            tokens = torch.cat([tokens, following], dim=1)
    return tokens
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_language_model():
#     model, tokens = LanguageModel(7, 8, 2, 16, 2), torch.randint(7, (3, 5))
#     logits = model(tokens)
#     assert logits.shape == (3, 5, 7)
#     changed = tokens.clone()
#     changed[:, -1] = (tokens[:, -1] + 1) % 7
#     torch.testing.assert_close(model(changed)[:, :-1], logits[:, :-1], msg="it sees the future")
#
#
# @self_check
# def check_next_token_loss():
#     tokens = torch.tensor([[0, 2, 1]])
#     sure = 50 * F.one_hot(torch.tensor([[2, 1, 0]]), 3).float()
#     everything = torch.ones(1, 3, dtype=torch.bool)
#     loss = next_token_loss(sure, tokens, everything)
#     assert loss < 1e-6, "these logits foretell each token"
#
#
# @self_check
# def check_generate():
#     def counting(tokens):
#         return F.one_hot((tokens + 1) % 5, 5).float()
#
#     out = generate(counting, torch.tensor([[0, 1], [4, 3]]), 3)
#     assert out.tolist() == [[0, 1, 2, 3, 4], [4, 3, 4, 0, 1]]

# %% [markdown]
# Now teach it something that takes attention: to write a word backwards. A sequence is a word of
# one to five letters, `>`, the word reversed, and `$`; shorter ones are filled up with `.`, for
# instance `abc>cba$....`. What counts is what stands after `>`, up to and including `$`. The
# model has to find out where the `>` was, and then attend to the mirrored position, one step
# further back with every letter it writes. Nobody tells it so.


# %%
ALPHABET = ".>$abcdefghij"
FILLING, REVERSE, END = range(3)
MAX_WORD = 5


def encode(text):
    """Text as a (1, T) tensor of tokens."""
    return torch.tensor([[ALPHABET.index(letter) for letter in text]])


def decode(tokens):
    """A 1-d tensor of tokens as text."""
    return "".join(ALPHABET[token] for token in tokens)


def reversal_batch(batch_size):
    """Draw random words with their reversals.

    Returns:
        (tokens, counts): both (batch_size, 12); integers, and booleans that are True for the
        tokens to be predicted.
    """
    lengths = torch.randint(1, MAX_WORD + 1, (batch_size, 1))
    letters = torch.randint(END + 1, len(ALPHABET), (batch_size, MAX_WORD))
    position = torch.arange(2 * MAX_WORD + 2).expand(batch_size, -1)
    mirrored = torch.where(position < lengths, position, 2 * lengths - position)
    tokens = letters.gather(1, mirrored.clamp(0, MAX_WORD - 1))
    tokens[position == lengths] = REVERSE
    tokens[position == 2 * lengths + 1] = END
    tokens[position > 2 * lengths + 1] = FILLING
    return tokens, (position > lengths) & (position <= 2 * lengths + 1)


def share_reversed(model, n_words=300):
    """Share of new words that a model reverses without a mistake."""
    tokens, counts = reversal_batch(n_words)
    right = 0
    with torch.no_grad():
        for n in range(1, MAX_WORD + 1):
            expected = tokens[counts.sum(dim=1) == n + 1, : 2 * n + 2]
            written = expected[:, : n + 1]
            for _ in range(n + 1):
                following = model(written)[:, -1].argmax(dim=-1, keepdim=True)
                written = torch.cat([written, following], dim=1)
            right += (written == expected).all(dim=1).sum().item()
    return right / n_words


# %% [markdown]
# Write a training loop (a fresh batch for every step; `torch.optim.Adam` serves well) and leave the
# trained model in **`reverser`**. It should work with 64 dimensions, two blocks and some hundred
# steps. A learning rate that falls to zero towards the end makes the difference between mostly and
# almost always. The judge draws words of its own, calls `reverser(tokens)`, and takes the most
# likely tokens itself: **50 %** of the words reversed without a mistake earn two points, **90 %**
# all five.
#
# Your notebook is run anew when it is marked, on another machine, where the same seed gives another
# training, and one in some dozens gets stuck. So do what one does with every training: measure,
# here with `share_reversed`, which is given above. Let the notebook train again, or go on, **as
# long as the share is below 97 %**, three times at most.

# %% active="ipynb"
# # BEGIN SOLUTION
# def train_reverser(steps=350, batch_size=32, peak_lr=3e-3):
#     """Train a language model to reverse words; return it and its losses."""
#     model = LanguageModel(len(ALPHABET), 64, 4, 128, 2)
#     optimizer = torch.optim.Adam(model.parameters())
#     schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, peak_lr, total_steps=steps)
#     losses = []
#     for _ in range(steps):
#         tokens, counts = reversal_batch(batch_size)
#         loss = next_token_loss(model(tokens), tokens, counts)
#         optimizer.zero_grad()
#         loss.backward()
#         optimizer.step()
#         schedule.step()
#         losses.append(loss.item())
#     return model, losses
#
#
# for _ in range(3):
#     reverser, losses = train_reverser()
#     if share_reversed(reverser) >= 0.97:
#         break
# # BEGIN STARTER
# # reverser, losses = None, []  # write a training loop and call it here
# # END SOLUTION

# %% active="ipynb"
# if reverser is None:
#     print("nothing is trained yet")
# else:
#     print(f"reverses {share_reversed(reverser):.1%} of new words")
#     for word in ("a", "deaf", "badge", "faced"):
#         print(decode(generate(reverser, encode(word + ">"), len(word) + 1)[0]))
#     plt.figure(figsize=(6, 2.5))
#     plt.plot(losses)
#     plt.xlabel("step")
#     plt.ylabel("loss")
#     plt.show()

# %% [markdown]
# ## Question 5 (11 points): graph convolution
#
# A graph of $N$ nodes has a symmetric adjacency matrix $A$, with $A_{ij} = 1$ where an edge joins
# $i$ and $j$. In a graph convolution (Kipf and Welling, 2017) a node listens to its neighbours and
# to itself, with weights that the degrees fix once and for all:
#
# $$ \tilde A = A + I, \qquad \tilde D_{ii} = \sum_j \tilde A_{ij}, \qquad
#    \hat A = \tilde D^{-1/2} \tilde A \tilde D^{-1/2}, \qquad
#    Y = \hat A X W + \mathbf{1}\,\mathbf{b}^\top . $$
#
# The degrees are those *with* the self-loops, so that a node without neighbours has degree one and
# keeps its own features. Without the normalisation, nodes with many neighbours would shout, more
# with every layer. Note that the bias is added **after** the neighbours have been gathered.


# %%
def normalised_adjacency(edges, n_nodes):
    """The matrix  of an undirected graph.

    Args:
        edges: (E, 2) integers, the ends of each edge in any order; E may be 0. An edge that is
            listed several times, in either direction, counts once; an edge from a node to itself
            counts as its self-loop, which each node has once.
        n_nodes: N; nodes are numbered from 0 to N - 1.

    Returns:
        (N, N) tensor, float32.
    """
    # BEGIN SOLUTION
    adjacency = torch.eye(n_nodes)
    adjacency[edges[:, 0], edges[:, 1]] = 1.0
    adjacency[edges[:, 1], edges[:, 0]] = 1.0
    scale = adjacency.sum(dim=1).rsqrt()
    return scale[:, None] * adjacency * scale
    # END SOLUTION


class GraphConvolution(nn.Module):
    """Graph convolution, with the parameters `weight` (D, M) and `bias` (M,).

    Args:
        n_in: D, the number of features of a node.
        n_out: M.
    """

    def __init__(self, n_in, n_out):
        super().__init__()
        # BEGIN SOLUTION
        self.weight = nn.Parameter(nn.init.xavier_uniform_(torch.empty(n_in, n_out)))
        self.bias = nn.Parameter(torch.zeros(n_out))
        # END SOLUTION

    def forward(self, x, a_hat):
        """Apply the layer.

        Args:
            x: (N, D) features of the nodes.
            a_hat: (N, N), the matrix Â. Row i holds the weights with which node i listens.

        Returns:
            (N, M).
        """
        # BEGIN SOLUTION
        return a_hat @ (x @ self.weight) + self.bias
        # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_normalised_adjacency():
#     a_hat = normalised_adjacency(torch.tensor([[0, 1], [2, 1]]), 4)
#     h, t, s = 1 / 2, 1 / 3, 1 / math.sqrt(6)
#     right = [[h, s, 0, 0], [s, t, s, 0], [0, s, h, 0], [0, 0, 0, 1]]
#     torch.testing.assert_close(a_hat, torch.tensor(right))
#
#
# @self_check
# def check_graph_convolution():
#     layer, x = GraphConvolution(3, 5), torch.randn(4, 3)
#     assert layer.weight.shape == (3, 5)
#     assert layer.bias.shape == (5,)
#     torch.testing.assert_close(layer(x, torch.eye(4)), x @ layer.weight + layer.bias)
#     order = torch.randperm(4)
#     a_hat = normalised_adjacency(torch.tensor([[0, 1], [1, 2], [1, 3]]), 4)
#     shuffled = layer(x[order], a_hat[order][:, order])
#     torch.testing.assert_close(shuffled, layer(x, a_hat)[order], msg="numbering must not matter")

# %% [markdown]
# Listening to friends of friends of friends has a price. Below, random features are averaged with
# $\hat A$ again and again, on the graph that you will meet in Question 7. The curve shows how far
# the directions of the nodes' features still are from each other.


# %%
def load_karate(path="data/karate.npz"):
    """Read the karate club: (78, 2) edges and (34,) labels, both int64."""
    with np.load(path) as data:
        return torch.from_numpy(data["edges"]), torch.from_numpy(data["labels"])


# %% active="ipynb"
# @self_check
# def show_over_smoothing():
#     edges, labels = load_karate()
#     a_hat = normalised_adjacency(edges, len(labels))
#     x, spread = torch.randn(len(labels), 16), []
#     for _ in range(40):
#         directions = F.normalize(x, dim=1)
#         spread.append(torch.pdist(directions).mean().item())
#         x = a_hat @ x
#     plt.figure(figsize=(6, 2.5))
#     plt.semilogy(spread)
#     plt.xlabel("how often the neighbours were averaged")
#     plt.ylabel("mean distance")
#     plt.show()

# %% [markdown]
# **Written, 4 points.** Answer in the cell below, in five to ten sentences.
#
# 1. The graph is connected. Show that $\hat A$ has the eigenvalue 1, with the eigenvector
#    $\tilde D^{1/2} \mathbf{1}$. All others lie in $(-1, 1)$; what does $\hat A^k X$ tend to, and
#    what do two nodes then still tell apart?
# 2. What does this mean for a graph network of twenty layers? Name two remedies and say why they
#    help.

# %% [markdown]
# **Answer q5.**
#
# <!-- BEGIN SOLUTION -->
# 1. $\hat A \tilde D^{1/2} \mathbf{1} = \tilde D^{-1/2} \tilde A\, \tilde D^{-1/2} \tilde D^{1/2}
# \mathbf{1} = \tilde D^{-1/2} \tilde A\, \mathbf{1} = \tilde D^{-1/2} \tilde D\, \mathbf{1}
# = \tilde D^{1/2} \mathbf{1}$, since the row sums of $\tilde A$ are the degrees. $\hat A$ is
# symmetric; expand $X$ in its eigenvectors: every component but the first shrinks with
# $|\lambda|^k$. So $\hat A^k X$ tends to $\mathbf{u} \mathbf{u}^\top X$ with
# $\mathbf{u} = \tilde D^{1/2}\mathbf{1} / \lVert \tilde D^{1/2}\mathbf{1} \rVert$: all rows are
# multiples of one and the same vector, the factor being the root of the node's degree. Two nodes
# of the same degree are alike, wherever they are; the community they belong to is lost.
#
# 2. Twenty layers average over far more than a neighbourhood. Weights and nonlinearities between
# the averages can slow this down, but they act on each node alone and cannot bring back
# differences that have vanished, so the classes become inseparable and training them hardly moves
# the first layers. Residual connections (or adding the first layer's features to each layer) keep
# a node's own signal next to the average. Few layers, two or three, stop before it happens.
# Jumping knowledge, which lets the output read all layers, normalisation of the pairwise distances
# and dropping edges at random during training help as well.
# <!-- END SOLUTION -->

# %% [markdown]
# ## Question 6 (9 points): graph attention
#
# Why should degrees decide who is worth listening to? In a graph attention layer (Veličković and
# others, 2018) the features do. For each of $H$ heads, with $\mathbf{h}_i = W^\top \mathbf{x}_i$,
#
# $$ e_{ij} = \operatorname{LeakyReLU}_{0.2}\bigl(\mathbf{a}_\text{target} \cdot \mathbf{h}_i +
#    \mathbf{a}_\text{source} \cdot \mathbf{h}_j\bigr), \qquad
#    \alpha_{ij} = \frac{\exp e_{ij}}{\sum_{k \in \mathcal N(i)} \exp e_{ik}}, \qquad
#    \mathbf{y}_i = \sum_{j \in \mathcal N(i)} \alpha_{ij} \mathbf{h}_j . $$
#
# $i$ is the one who listens; $\mathcal N(i)$ holds the nodes $j$ with `adjacency[i, j]` True, and
# **always $i$ itself**, whether or not the matrix says so. The softmax runs over these alone: it is
# your masked softmax of Question 1, with the graph as the mask. Edges may be directed here. The
# outputs of the heads stand side by side.
#
# **Layout.** Parameters `weight` $(H, D, M)$, `a_target` $(H, M)$ and `a_source` $(H, M)$. There
# is no bias.


# %%
class GraphAttention(nn.Module):
    """Graph attention layer with several heads.

    Args:
        n_in: D, the number of features of a node.
        n_out: M, the number of outputs of each head.
        n_heads: H.
    """

    def __init__(self, n_in, n_out, n_heads=1):
        super().__init__()
        # BEGIN SOLUTION
        self.weight = nn.Parameter(torch.randn(n_heads, n_in, n_out) / math.sqrt(n_in))
        self.a_target = nn.Parameter(torch.randn(n_heads, n_out) / math.sqrt(n_out))
        self.a_source = nn.Parameter(torch.randn(n_heads, n_out) / math.sqrt(n_out))
        # END SOLUTION

    def forward(self, x, adjacency):
        """Apply the layer.

        Args:
            x: (N, D) features of the nodes.
            adjacency: (N, N) booleans, [i, j] True where node i listens to node j.

        Returns:
            (out, weights): out is (N, H * M), head 0 first; weights is (H, N, N), the α.
        """
        # BEGIN SOLUTION
        h = x @ self.weight
        target = (h * self.a_target[:, None]).sum(dim=-1)
        source = (h * self.a_source[:, None]).sum(dim=-1)
        scores = F.leaky_relu(target[:, :, None] + source[:, None, :], 0.2)
        visible = adjacency | torch.eye(len(x), dtype=torch.bool)
        weights = scores.masked_fill(~visible, -torch.inf).softmax(dim=-1)
        return (weights @ h).transpose(0, 1).flatten(1), weights
        # END SOLUTION


# %% active="ipynb"
# @self_check
# def check_graph_attention():
#     layer, x = GraphAttention(4, 3, n_heads=2), torch.randn(5, 4)
#     adjacency = torch.rand(5, 5) < 0.4
#     out, weights = layer(x, adjacency)
#     assert out.shape == (5, 6)
#     assert weights.shape == (2, 5, 5)
#     torch.testing.assert_close(weights.sum(-1), torch.ones(2, 5))
#     silent = ~(adjacency | torch.eye(5).bool())
#     assert (weights[:, silent] == 0).all(), "somebody listens to a node that is no neighbour"

# %% [markdown]
# ## Question 7 (11 points): the karate club
#
# In the early 1970s Wayne Zachary observed a karate club of 34 members for two years and noted who
# met whom outside of the lessons. Then instructor (member 0) and administrator (member 33) fell
# out, and the club split in two. Can you tell from the network who went with whom, if you know the
# choice of these two alone?
#
# Learning from few labels and many nodes without one is called *semi-supervised*. The network
# below computes logits for all nodes; the loss looks at those with a label; the edges carry what is
# learnt to everyone else. Members have no features, so $X$ is the identity matrix: each starts as
# itself.
#
# $$ \text{logits} = \hat A \operatorname{relu}(\hat A X W_1 + \mathbf{b}_1) W_2 + \mathbf{b}_2 $$


# %%
class GCN(nn.Module):
    """Two graph convolutions with a ReLU between them, and none after the second.

    Args:
        n_in: number of features of a node.
        n_hidden: width of the hidden layer.
        n_classes: C.
    """

    def __init__(self, n_in, n_hidden, n_classes):
        super().__init__()
        # BEGIN SOLUTION
        self.first = GraphConvolution(n_in, n_hidden)
        self.second = GraphConvolution(n_hidden, n_classes)
        # END SOLUTION

    def forward(self, x, a_hat):
        """Logits (N, C) of the nodes, from their features (N, D) and Â (N, N)."""
        # BEGIN SOLUTION
        return self.second(self.first(x, a_hat).relu(), a_hat)
        # END SOLUTION


# %% [markdown]
# `classify_nodes` trains a new network and returns its opinion on every node. It is judged on the
# karate club and on other graphs, with their nodes renumbered and up to three classes, two labelled
# nodes or a few more, and 28 to 60 nodes. It should take no more than a second or two. Average
# accuracy on the nodes without label, in the karate club and in other clubs with two leaders each:
# **80 %** earn two points, **90 %** four.


# %%
def classify_nodes(edges, labels, labelled, n_classes):
    """Train a GCN on the labelled nodes and predict the class of every node.

    Args:
        edges: (E, 2) integers.
        labels: (N,) integers. Where labelled is False they mean nothing, and may even be -1.
        labelled: (N,) booleans, True where the label may be used; at least one for each class.
        n_classes: C.

    Returns:
        (N,) integers from 0 to C - 1.
    """
    # BEGIN SOLUTION
    a_hat = normalised_adjacency(edges, len(labels))
    x = torch.eye(len(labels))
    model = GCN(len(labels), 16, n_classes)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02, weight_decay=5e-3)
    for _ in range(150):
        loss = F.cross_entropy(model(x, a_hat)[labelled], labels[labelled])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        return model(x, a_hat).argmax(dim=1)
    # END SOLUTION


# %% active="ipynb"
# @self_check
# def show_karate_club():
#     edges, labels = load_karate()
#     labelled = torch.zeros(len(labels), dtype=torch.bool)
#     labelled[[0, 33]] = True
#     guesses = classify_nodes(edges, labels.where(labelled, -1), labelled, 2)
#     share = (guesses == labels)[~labelled].float().mean().item()
#     print(f"right about {share:.0%} of the members whose choice it did not know")
#
#     # Where to draw a node: the two slowest directions of diffusion on the graph.
#     place = torch.linalg.eigh(normalised_adjacency(edges, len(labels))).eigenvectors[:, -3:-1]
#     plt.figure(figsize=(5, 4))
#     for edge in edges:
#         plt.plot(*place[edge].T, color="0.85", zorder=0)
#     plt.scatter(*place.T, c=guesses, cmap="coolwarm", s=60)
#     wrong = guesses != labels
#     plt.scatter(*place[wrong].T, marker="x", color="black", label="wrong")
#     plt.title("the club after the split, as the network sees it")
#     plt.axis("off")
#     plt.show()

# %% [markdown] tags=["instructor"]
# **For instructors.** The notebook takes some ten seconds on one core, most of them in the training
# of `reverser`. Of 40 trainings one reversed 93 % of the words, one 97 %, most 99 %; this is why
# the text asks to measure and to train again. The karate club is not perfectly predictable: member
# 8 is on the border and joined the instructor for reasons outside of the network. The suite takes
# the mean over several trainings there.
#
# Common wrong answers, each told apart by a test of its own: $-10^9$ instead of $-\infty$; a fully
# masked row that is NaN forward, or NaN backward only; heads cut out of the wrong axis; a mask for
# each sequence that is taken for one for each head; post-norm; a loss that is not shifted or that
# averages over filling; the bias before the aggregation; degrees without self-loops; a softmax over
# the wrong end of the edges.
