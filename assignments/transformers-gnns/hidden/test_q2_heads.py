"""Question 2: attention with several heads."""

import random

import pytest
import torch
from torch import nn

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q2")

PROJECTIONS = ("q_proj", "k_proj", "v_proj", "out_proj")


def draw():
    """Draw B, T and S, and torch's module with fresh weights; the number of heads is not d_h."""
    batch, t, s = random.sample(range(2, 8), 3)
    heads, width = random.sample([2, 3, 4, 5], 2)
    module = nn.MultiheadAttention(heads * width, heads, batch_first=True).double()
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.4)
    x = torch.randn(batch, t, heads * width, dtype=torch.float64)
    return module, x, torch.randn(batch, s, heads * width, dtype=torch.float64)


def state_of(module):
    """The weights of torch's module under the names of the assignment."""
    names = PROJECTIONS[:3]
    weights = zip(names, module.in_proj_weight.chunk(3), strict=True)
    biases = zip(names, module.in_proj_bias.chunk(3), strict=True)
    state = {f"{name}.weight": value.detach() for name, value in weights}
    state |= {f"{name}.bias": value.detach() for name, value in biases}
    state |= {f"out_proj.{name}": v for name, v in module.out_proj.state_dict().items()}
    return state


def apply(layer_class, heads, state, x, options):
    """Make a layer with these weights and apply it."""
    layer = layer_class(x.shape[-1], heads).double()
    layer.load_state_dict(state, strict=False)
    return layer(x, **options)


def gradients(layer_class, heads, state, x, context, upstream):
    """Gradients by x, by the context and by all weights, by their names."""
    layer = layer_class(x.shape[-1], heads).double()
    layer.load_state_dict(state, strict=False)
    x, context = x.clone().requires_grad_(), context.clone().requires_grad_()
    (layer(x, context=context) * upstream).sum().backward()
    return x.grad, context.grad, {name: p.grad for name, p in layer.named_parameters()}


def outcome(student, module, x, **options):
    """What the student's layer makes of x, with the weights of torch's."""
    state = state_of(module)
    return student.run(apply, student.MultiHeadAttention, module.num_heads, state, x, options)


def describe(layer_class, d_model, heads):
    """Shapes of the parameters by their names."""
    return {name: tuple(p.shape) for name, p in layer_class(d_model, heads).named_parameters()}


@pytest.mark.points(1)
def test_parameters_have_the_layout_of_the_text(student):
    """The module has four linear maps with the names and shapes of the text, and no other."""
    hint("q_proj, k_proj, v_proj and out_proj are nn.Linear modules from D to D, with biases.")
    heads, width = random.randint(2, 4), random.randint(2, 5)
    d = heads * width
    expected = {f"{name}.weight": (d, d) for name in PROJECTIONS}
    expected |= {f"{name}.bias": (d,) for name in PROJECTIONS}
    assert student.run(describe, student.MultiHeadAttention, d, heads) == expected


@pytest.mark.points(3)
def test_self_attention(student, by_hand, close):
    """Self-attention agrees with torch's module that has the same weights."""
    by_hand("MultiHeadAttention")
    hint("A reshape to (B, H, T, d_h) does not cut columns into heads. Which axis must be split?")
    hint("Each head divides by the root of its own width.")
    module, x, _ = draw()
    close(outcome(student, module, x), module(x, x, x)[0])
    close(outcome(student, module, x[:1]), module(x[:1], x[:1], x[:1])[0])


@pytest.mark.points(2)
def test_cross_attention(student, by_hand, close):
    """With a context, queries come from x, keys and values from the context."""
    by_hand("MultiHeadAttention")
    hint("x and the context have different lengths: T queries, S keys and values.")
    module, x, context = draw()
    for others in (context, torch.randn_like(x)):
        close(outcome(student, module, x, context=others), module(x, others, others)[0])


@pytest.mark.points(2)
@pytest.mark.parametrize("kind", ["(T, S)", "(B, T, S)", "(B, 1, S)"])
def test_mask(student, by_hand, close, kind):
    """A mask for all sequences, for each sequence, or for its keys, holds in every head."""
    by_hand("MultiHeadAttention")
    hint("Scores have the shape (B, H, T, S). Where does a mask of this shape need an axis?")
    module, x, context = draw()
    # As many sequences as heads: a mask that lands on the wrong axis still fits.
    x, context = (tokens[:1].repeat(module.num_heads, 1, 1) for tokens in (x, context))
    batch, t, s = len(x), x.shape[1], context.shape[1]
    shape = {"(T, S)": (t, s), "(B, T, S)": (batch, t, s), "(B, 1, S)": (batch, 1, s)}[kind]
    mask = torch.rand(shape) < 0.5
    mask[..., 0] = True
    hidden = ~mask.expand(batch, t, s).repeat_interleave(module.num_heads, 0)
    expected, _ = module(x, context, context, attn_mask=hidden)
    close(outcome(student, module, x, context=context, mask=mask), expected)


@pytest.mark.points(2)
def test_gradients(student, by_hand, close):
    """The gradients by x, by the context and by all weights agree with torch's."""
    by_hand("MultiHeadAttention")
    hint("Does every tensor stay in the graph? detach, .data and torch.tensor cut it.")
    module, x, context = draw()
    upstream = torch.randn_like(x)
    case = module.num_heads, state_of(module), x, context, upstream
    by_x, by_context, by_weights = student.run(gradients, student.MultiHeadAttention, *case)
    x.requires_grad_()
    context.requires_grad_()
    (module(x, context, context)[0] * upstream).sum().backward()
    close(by_x, x.grad)
    close(by_context, context.grad)
    for name, grad in zip(PROJECTIONS[:3], module.in_proj_weight.grad.chunk(3), strict=True):
        close(by_weights[f"{name}.weight"], grad)
    close(by_weights["v_proj.bias"], module.in_proj_bias.grad.chunk(3)[2])
    close(by_weights["out_proj.weight"], module.out_proj.weight.grad)
    close(by_weights["out_proj.bias"], module.out_proj.bias.grad)
