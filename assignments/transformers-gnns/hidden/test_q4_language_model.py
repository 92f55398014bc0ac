"""Question 4: a causal language model."""

import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q4")


def draw(n_blocks=2):
    """Draw sizes of a model, and tokens for it."""
    v, heads, width = random.randint(5, 12), random.randint(2, 3), 2 * random.randint(1, 4)
    sizes = v, heads * width, heads, random.randint(6, 20), n_blocks
    return sizes, torch.randint(v, (random.randint(2, 5), random.randint(6, 10)))


def logits_for(model_class, sizes, batches):
    """Make a new model; its logits for each of several batches."""
    model = model_class(*sizes).eval()
    with torch.no_grad():
        return [model(tokens) for tokens in batches]


def given_to_the_first_block(model_class, block_class, sizes, tokens):
    """Make a new model; what its first block is given, None if it has no such block."""
    model = model_class(*sizes).eval()
    given = []

    def note(block, args, kwargs):
        given.append((*args, *kwargs.values())[0].detach().clone())

    for module in model.modules():
        if isinstance(module, block_class):
            module.register_forward_pre_hook(note, with_kwargs=True)
    with torch.no_grad():
        model(tokens)
    return given[0] if given else None


def loss_and_gradient(next_token_loss, logits, tokens, counts):
    """The loss, and its gradient by the logits."""
    logits = logits.clone().requires_grad_()
    loss = next_token_loss(logits, tokens, counts)
    (grad,) = torch.autograd.grad(loss, logits)
    return loss.detach(), grad


def walk(generate, table, prompt, n_new):
    """Generate with a model that looks up what follows the last two tokens, and track no graph."""
    table = table.clone().requires_grad_()

    def model(tokens):
        before = torch.cat([tokens[:, :1], tokens[:, :-1]], dim=1)
        return table[before, tokens]

    out = generate(model, prompt, n_new)
    return out, prompt, out.requires_grad


def loss_case():
    """Draw logits, tokens, and which of them count: not the same number in each sequence."""
    b, t, v = random.randint(3, 5), random.randint(5, 8), random.randint(4, 9)
    counts = torch.arange(t) >= torch.randint(1, t, (b, 1))
    counts[0, 1:], counts[1, 1:-1] = True, False
    return 3 * torch.randn(b, t, v, dtype=torch.float64), torch.randint(v, (b, t)), counts


def spelt_out(logits, tokens, counts):
    """The loss, token by token."""
    log_p = logits.log_softmax(-1)
    terms = [
        -log_p[b, t - 1, tokens[b, t]]
        for b in range(tokens.shape[0])
        for t in range(1, tokens.shape[1])
        if counts[b, t]
    ]
    return torch.stack(terms).mean()


def share_reversed(student, reference, n_words=400):
    """Share of new words that the student's model reverses without a mistake.

    The text asks to train again below 97 % of 300 words. Who has just that, and by luck, has 94 %
    in truth: of so many words as here, less than 90 % are then reversed once in 10^4.
    """
    hint("`reverser` must hold the trained model, which takes tokens and returns logits.")
    reverser = student.reverser
    assert reverser is not None
    tokens, counts = reference.reversal_batch(n_words)
    right = 0
    for n in range(1, reference.MAX_WORD + 1):
        expected = tokens[counts.sum(1) == n + 1, : 2 * n + 2]
        written = expected[:, : n + 1]
        for _ in range(n + 1):
            if len(written):
                following = reverser(written)[:, -1].argmax(-1, keepdim=True)
                written = torch.cat([written, following], dim=1)
        right += (written == expected).all(1).sum().item() if len(written) else 0
    return right / n_words


def check_that_it_reads(logits, again, others):
    """Logits are numbers of their own for each token: the same for the same, others for others."""
    assert logits.is_floating_point() and logits.dim() == 3
    assert_close(again, logits, rtol=1e-4, atol=1e-5)
    assert not torch.allclose(others, logits, atol=1e-4)


@pytest.mark.points(1)
def test_logits_have_the_right_shape(student):
    """The model gives V logits at each position, for any batch, one of a single token included."""
    sizes, tokens = draw()
    batches = [tokens, tokens[:1], tokens[:, :1], (tokens + 1) % sizes[0], tokens]
    found = student.run(logits_for, student.LanguageModel, sizes, batches)
    for out, given in zip(found, batches, strict=True):
        assert out.shape == (*given.shape, sizes[0])
        assert out.isfinite().all()
    check_that_it_reads(found[0], found[4], found[3])


@pytest.mark.points(2)
def test_model_does_not_see_the_future(student):
    """Changing later tokens, or cutting them off, changes no earlier logits."""
    hint("Does every block get the causal mask? What may position t know about position t + 1?")
    sizes, tokens = draw()
    cut = random.randint(1, tokens.shape[1] - 1)
    changed = tokens.clone()
    changed[:, cut:] = (tokens[:, cut:] + 1) % sizes[0]
    batches = [tokens, changed, tokens[:, :cut], tokens]
    before, after, alone, again = student.run(logits_for, student.LanguageModel, sizes, batches)
    check_that_it_reads(before, again, after)
    assert_close(after[:, :cut], before[:, :cut], rtol=1e-4, atol=1e-5)
    assert_close(alone, before[:, :cut], rtol=1e-4, atol=1e-5)
    hint("The logits must depend on the token at their own position.")
    assert not torch.allclose(after[:, cut:], before[:, cut:], atol=1e-4)


@pytest.mark.points(2)
def test_model_sees_all_of_the_past(student, by_hand):
    """The logits of every position depend on the very first token, even with one block."""
    by_hand("LanguageModel")
    hint("Is your mask the right way round? Does attention reach back to the beginning?")
    sizes, tokens = draw(n_blocks=1)
    changed = tokens.clone()
    changed[:, 0] = (tokens[:, 0] + 1) % sizes[0]
    batches = [tokens, changed, tokens]
    before, after, again = student.run(logits_for, student.LanguageModel, sizes, batches)
    check_that_it_reads(before, again, after)
    assert ((after - before).abs().amax(-1) > 1e-6).all()


@pytest.mark.points(1)
def test_model_knows_the_order(student):
    """Swapping two earlier tokens changes the logits of the last position: positions are added."""
    hint("With one block, order comes from the positional encoding alone.")
    sizes, tokens = draw(n_blocks=1)
    tokens[:, 1] = (tokens[:, 0] + 1) % sizes[0]
    swapped = tokens.clone()
    swapped[:, :2] = tokens[:, :2].flip(1)
    batches = [tokens, swapped, tokens]
    before, after, again = student.run(logits_for, student.LanguageModel, sizes, batches)
    assert_close(again, before, rtol=1e-4, atol=1e-5)
    assert (after - before)[:, -1].abs().max() > 1e-4
    hint("The first block reads the embedding of each token plus the encoding of its position.")
    same = torch.full_like(tokens, random.randrange(sizes[0]))
    case = student.LanguageModel, student.Block, sizes, same
    given = student.run(given_to_the_first_block, *case)
    if given is not None:
        # The student's own: what is wrong with it has cost its points in Question 3.
        positions = student.positional_encoding(same.shape[1], sizes[1]).float()
        found = (given - given[:, :1]).float()
        assert_close(found, (positions - positions[:1]).expand_as(found), rtol=1e-4, atol=1e-4)


@pytest.mark.points(2)
def test_next_token_loss(student, close):
    """next_token_loss is the mean over all tokens that count, whichever sequence they are in."""
    hint("Which logits foretell the token at position t? The mean goes over how many tokens?")
    logits, tokens, counts = loss_case()
    close(student.next_token_loss(logits, tokens, counts), spelt_out(logits, tokens, counts))
    hint("Whatever counts says about position 0, nothing foretells that token.")
    counts[:, 0] = True
    close(student.next_token_loss(logits, tokens, counts), spelt_out(logits, tokens, counts))


@pytest.mark.points(1)
def test_gradient_of_the_loss(student, close):
    """The gradient of next_token_loss reaches the logits that count, and only those."""
    logits, tokens, counts = loss_case()
    case = student.next_token_loss, logits, tokens, counts
    _, found = student.run(loss_and_gradient, *case)
    leaf = logits.clone().requires_grad_()
    (expected,) = torch.autograd.grad(spelt_out(leaf, tokens, counts), leaf)
    close(found, expected)


@pytest.mark.points(2)
def test_generate(student):
    """generate appends the most likely token again and again, each time reading all so far."""
    hint("The token just written belongs to what is read next. Which position foretells it?")
    v, n_new = random.randint(5, 9), random.randint(3, 6)
    table, prompt = torch.randn(v, v, v), torch.randint(v, (3, random.randint(2, 4)))
    out, after, tracked = student.run(walk, student.generate, table, prompt, n_new)
    expected = prompt
    for _ in range(n_new):
        following = table[expected[:, -2], expected[:, -1]].argmax(-1, keepdim=True)
        expected = torch.cat([expected, following], dim=1)
    assert_close(out, expected, check_dtype=False)
    assert torch.equal(after, prompt)
    assert not tracked


@pytest.mark.points(2)
def test_reverser_reverses_half_of_the_words(student, reference):
    """The trained model reverses at least half of the words that the judge draws."""
    assert share_reversed(student, reference) >= 0.5


@pytest.mark.points(3)
@pytest.mark.needs("test_reverser_reverses_half_of_the_words")
def test_reverser_reverses_nearly_all_words(student, reference):
    """The trained model reverses at least 90 % of the words that the judge draws."""
    hint("Does the loss still fall at the end? Look at steps, width and learning rate.")
    assert share_reversed(student, reference) >= 0.9
