"""Question 3: positions, and a transformer block."""

import math
import random

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q3")


def draw():
    """Draw torch's pre-norm block with fresh weights, and an input."""
    heads, width = random.sample([2, 3, 4], 2)
    d, hidden = heads * width, random.choice([5, 11, 17])
    module = nn.TransformerEncoderLayer(
        d, heads, hidden, dropout=0.0, batch_first=True, norm_first=True
    ).double()
    for parameter in module.parameters():
        nn.init.normal_(parameter, std=0.5)
    batch, t = random.sample(range(3, 8), 2)
    return module, (d, heads, hidden), 2 * torch.randn(batch, t, d, dtype=torch.float64) + 1


def state_of(module):
    """The weights of torch's block under the names of the assignment."""
    given = {name: value.detach() for name, value in module.state_dict().items()}
    state = {}
    for kind in ("weight", "bias"):
        cut = given[f"self_attn.in_proj_{kind}"].chunk(3)
        for name, part in zip(("q_proj", "k_proj", "v_proj"), cut, strict=True):
            state[f"attention.{name}.{kind}"] = part
        state[f"attention.out_proj.{kind}"] = given[f"self_attn.out_proj.{kind}"]
        state[f"norm1.{kind}"], state[f"norm2.{kind}"] = (
            given[f"norm1.{kind}"],
            given[f"norm2.{kind}"],
        )
        state[f"expand.{kind}"] = given[f"linear1.{kind}"]
        state[f"contract.{kind}"] = given[f"linear2.{kind}"]
    return state


def apply(block_class, sizes, state, x, mask):
    """Make a block with these weights; return its output, and x as it is afterwards."""
    block = block_class(*sizes).double()
    block.load_state_dict(state, strict=False)
    with torch.no_grad():
        return block(x, mask=mask).clone(), x


def gradients(block_class, sizes, state, x, upstream):
    """Gradients by x and by some weights, the first and the last among them."""
    block = block_class(*sizes).double()
    block.load_state_dict(state, strict=False)
    x = x.clone().requires_grad_()
    (block(x) * upstream).sum().backward()
    found = block.norm1.weight, block.norm2.bias, block.expand.weight, block.contract.weight
    return [x.grad] + [parameter.grad for parameter in found]


def apply_to_both(block_class, sizes, x, other):
    """Make a new block and apply it to two inputs."""
    block = block_class(*sizes).double()
    with torch.no_grad():
        return block(x), block(other)


@pytest.mark.points(3)
@pytest.mark.parametrize("size", ["one position", "two columns", "many"])
def test_positional_encoding(student, size):
    """positional_encoding agrees with the formula, for any length and even width."""
    hint("Sines stand in even columns, cosines in odd ones. Which exponent does column 5 have?")
    length, d = {
        "one position": (1, 2 * random.randint(2, 9)),
        "two columns": (random.randint(5, 60), 2),
        "many": (random.randint(40, 90), 2 * random.randint(3, 12)),
    }[size]
    expected = [
        [(math.cos if c % 2 else math.sin)(p / 10000 ** (2 * (c // 2) / d)) for c in range(d)]
        for p in range(length)
    ]
    found = student.positional_encoding(length, d)
    assert found.shape == (length, d)
    assert_close(found.float(), torch.tensor(expected), rtol=1e-4, atol=1e-4)


@pytest.mark.points(3)
@pytest.mark.parametrize("masked", [False, True], ids=["free", "causal"])
def test_block(student, by_hand, close, masked):
    """The block agrees with torch's pre-norm block that has the same weights."""
    by_hand("Block")
    hint("What is normalised, and what goes around the normalisation? Which norm is whose?")
    module, sizes, x = draw()
    t = x.shape[1]
    mask = torch.ones(t, t, dtype=torch.bool).tril() if masked else None
    found, _ = student.run(apply, student.Block, sizes, state_of(module), x, mask)
    close(found, module(x, src_mask=None if mask is None else ~mask))


@pytest.mark.points(1)
def test_block_gradients(student, by_hand, close):
    """The gradients that come back through the block agree with torch's."""
    by_hand("Block")
    module, sizes, x = draw()
    upstream = torch.randn_like(x)
    found = student.run(gradients, student.Block, sizes, state_of(module), x, upstream)
    x.requires_grad_()
    (module(x) * upstream).sum().backward()
    layers = module.norm1.weight, module.norm2.bias, module.linear1.weight, module.linear2.weight
    for theirs, ours in zip(found, [x, *layers], strict=True):
        close(theirs, ours.grad)


@pytest.mark.points(1)
def test_block_is_equivariant(student, close):
    """Without a mask, shuffling the positions shuffles the output, and positions do interact."""
    hint("The block itself knows no positions: they are added to the tokens, before it.")
    _, sizes, x = draw()
    order = torch.arange(x.shape[1]).roll(1)
    out, shuffled = student.run(apply_to_both, student.Block, sizes, x, x[:, order])
    close(shuffled, out[:, order])
    changed = x.clone()
    changed[:, 0] = torch.randn_like(x[:, 0])
    out, after = student.run(apply_to_both, student.Block, sizes, x, changed)
    assert not torch.allclose(out[:, 1:], after[:, 1:])


@pytest.mark.points(1)
def test_block_leaves_its_input_alone(student, close):
    """The block gives the right result and leaves its input as it was."""
    hint("x += … changes the tensor of whoever called you; x = x + … does not.")
    module, sizes, x = draw()
    out, after = student.run(apply, student.Block, sizes, state_of(module), x, None)
    assert torch.equal(after, x)
    assert out.shape == x.shape
    assert not torch.equal(out, x)
