"""Question 6: a character language model."""

from pathlib import Path

import pytest
import torch
from torch.testing import assert_close

from grader.suite.credit import at_most, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q6")

FOLDER = Path(__file__).parent
V, E, H = 11, 6, 9
PATTERN = at_most((1.5, 1))  # of the reference 1.01 to 1.02; without memory it is at least 2


def new_model(student):
    return student.CharModel(V, E, H)


def random_chunks(streams=3, lengths=(5, 5, 2), vocab_size=V):
    """Chunks that follow one another; the last is shorter."""
    return [tuple(torch.randint(vocab_size, (2, steps, streams))) for steps in lengths]


def random_table():
    """Weights for the small model, in float64: what is right must agree to many digits."""
    return torch.randn(V, V, dtype=torch.float64)


def tiny_model(start):
    """A small recurrent model with one table of weights; it notes the states that it is given."""

    class Tiny(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.table = torch.nn.Parameter(start.clone())
            self.given = []

        def forward(self, tokens, state=None):
            if state is None:
                self.given.append(None)
                state = (self.table.new_zeros(tokens.shape[1], len(self.table)),) * 2
            else:
                self.given.append([(part.detach().clone(), part.requires_grad) for part in state])
            h, c = state
            logits = []
            for row in tokens:
                c = 0.5 * c + self.table[row]
                h = torch.tanh(c + 0.3 * h)
                logits.append(2 * h)
            return torch.stack(logits), (h, c)

    return Tiny()


def tiny_perplexity(perplexity, start, chunks):
    return perplexity(tiny_model(start), chunks)


def tiny_training(train_epoch, start, chunks, rate, max_norm):
    """Train the small model for an epoch: its loss, its weights after, the states it was given."""
    model = tiny_model(start)
    optimizer = torch.optim.SGD(model.parameters(), lr=rate)
    loss = train_epoch(model, chunks, optimizer, max_norm)
    return loss, model.table.detach(), model.given


def logits_after_training(make_model, train_epoch, chunks, epochs):
    """Train a new model on chunks: its logits on them, one step after the other, and its losses."""
    model = make_model(5, 8, 16)
    optimizer = torch.optim.Adam(model.parameters(), lr=0.02)
    losses = [train_epoch(model, chunks, optimizer, 1.0) for _ in range(epochs)]
    state, logits = None, []
    for inputs, _ in chunks:
        part, state = model(inputs, state)
        logits.append(part.detach())
    return torch.cat(logits), losses


def check_that_it_reads(model, tokens):
    """The same tokens give the same logits, and others give others."""
    logits, _ = model(tokens)
    again, _ = model(tokens)
    others, _ = model((tokens + 1) % V)
    assert_close(again, logits)
    assert not torch.allclose(others, logits)


@pytest.mark.points(1)
def test_shapes(student):
    """CharModel returns logits for each position, and the state as a pair."""
    hint("Logits have shape (T, N, V); h and c have shape (N, H) each. Time comes first.")
    model, tokens = new_model(student), torch.randint(V, (7, 3))
    logits, state = model(tokens)
    assert tuple(logits.shape) == (7, 3, V)
    assert [tuple(part.shape) for part in state] == [(3, H), (3, H)]
    check_that_it_reads(model, tokens)


def matrices_without_letters(make_model, vocab_size, embedding_size, hidden_size):
    """The new weights that are no vectors, but those with an axis for the vocabulary."""
    model = make_model(vocab_size, embedding_size, hidden_size)
    return [p.detach() for p in model.parameters() if p.dim() > 1 and vocab_size not in p.shape]


@pytest.mark.points(1)
def test_initial_weights(student):
    """The weight matrices of a new LSTM are uniform in the range that the text gives."""
    hint("Uniform between plus and minus one over the root of the number of hidden units.")
    weights = student.run(matrices_without_letters, student.CharModel, V, 50, 64)
    assert len(weights) > 0
    assert torch.stack([weight.abs().max() for weight in weights]).max() <= 1.0001 / 8
    # Of 3200 numbers or more, the mean square is within a tenth but once in 10^9.
    spread = torch.stack([weight.square().mean() for weight in weights]) * 3 * 64
    assert (spread - 1).abs().max() <= 0.1


@pytest.mark.points(1)
def test_reading_in_parts(student):
    """A text read in two parts, with the state carried over, is as good as read at once."""
    model, tokens = new_model(student), torch.randint(V, (9, 3))
    hint("Start from the state that is given, and return the one after the last token.")
    first, state = model(tokens[:4])
    second, last = model(tokens[4:], state)
    logits, expected = model(tokens)
    assert_close(torch.cat([first, second]), logits, rtol=1e-4, atol=1e-5)
    assert_close(tuple(last), tuple(expected), rtol=1e-4, atol=1e-5)
    fresh, _ = model(tokens[4:])
    assert not torch.allclose(fresh, second, atol=1e-4)


@pytest.mark.points(1)
def test_sequences_do_not_mix(student):
    """Each sequence of a batch is read for itself: alone it gives the same logits."""
    model, tokens = new_model(student), torch.randint(V, (6, 4))
    hint("Which dimension is time, and which is the batch?")
    together, _ = model(tokens)
    alone, _ = model(tokens[:, 2:3])
    assert_close(together[:, 2:3], alone, rtol=1e-4, atol=1e-5)
    check_that_it_reads(model, tokens)


@pytest.mark.points(1)
def test_future_is_not_seen(student):
    """A prediction depends on the past, and not on what comes after."""
    model, tokens = new_model(student), torch.randint(V, (8, 2))
    other = tokens.clone()
    other[5:] = (other[5:] + 1) % V
    hint("The logits of step t may depend on tokens 0 to t only.")
    logits, _ = model(tokens)
    changed, _ = model(other)
    assert_close(changed[:5], logits[:5], rtol=1e-4, atol=1e-5)
    earlier = tokens.clone()
    earlier[0] = (earlier[0] + 1) % V
    moved, _ = model(earlier)
    assert not torch.equal(moved[-1], logits[-1])


@pytest.mark.points(1)
def test_logits_are_linear_in_h(student):
    """The logits are a linear layer of the hidden state h."""
    hint("The gates decide what of the memory c is shown: that is h, and the readout sees h alone.")
    model, tokens = new_model(student), torch.randint(V, (5, 60))
    logits, (h, _) = model(tokens)
    seen = torch.cat([h, torch.ones(len(h), 1)], dim=1).double()
    fitted = seen @ torch.linalg.lstsq(seen, logits[-1].double()).solution
    assert_close(fitted, logits[-1].double(), rtol=0, atol=1e-4)
    check_that_it_reads(model, tokens)


def last_gradients(model, tokens):
    """Gradient of the squared last logits with respect to each parameter."""
    logits, _ = model(tokens)
    parameters = list(model.parameters())
    return torch.autograd.grad(logits[-1].square().sum(), parameters, allow_unused=True)


@pytest.mark.points(1)
def test_gradients_flow_through_all_steps(student):
    """The embedding of the first character gets a gradient from the last prediction."""
    first, later, absent = torch.randperm(V)[:3].tolist()
    tokens = torch.tensor([first] + 5 * [later])[:, None]
    hint("Within a chunk nothing is detached: that happens between chunks, in train_epoch.")
    grads = student.run(last_gradients, new_model(student), tokens)
    tables = [g.movedim(g.shape.index(V), 0) for g in grads if g is not None and V in g.shape]
    embeddings = [table for table in tables if not table[absent].any()]
    assert any(table[first].any() for table in embeddings)


@pytest.mark.points(2)
def test_perplexity(student, reference):
    """perplexity weighs each character equally and carries the state from chunk to chunk."""
    start, chunks = 2 * random_table(), random_chunks()
    hint("exp of one mean over all characters: neither a mean of chunks nor of perplexities.")
    got = student.run(tiny_perplexity, student.perplexity, start, chunks)
    expected = tiny_perplexity(reference.perplexity, start, chunks)
    assert_close(float(got), expected, rtol=1e-5, atol=0)


@pytest.mark.points(2)
def test_training_carries_the_state_without_its_history(student, reference):
    """Each chunk starts from the state that the chunk before it left, detached."""
    start, chunks = random_table(), random_chunks(lengths=(4, 4, 4, 1))
    hint("None at the beginning of the epoch; after that, the state of the chunk before, detached.")
    _, _, given = student.run(tiny_training, student.train_epoch, start, chunks, 0.1, 1e6)
    _, _, expected = tiny_training(reference.train_epoch, start, chunks, 0.1, 1e6)
    assert given[0] is None and len(given) == len(expected)
    for got, wanted in zip(given[1:], expected[1:], strict=True):
        assert got is not None
        for (value, has_history), (wanted_value, _) in zip(got, wanted, strict=True):
            assert has_history is False
            assert_close(value, wanted_value, rtol=1e-4, atol=1e-5)


@pytest.mark.points(2)
@pytest.mark.parametrize("max_norm", [1e6, 0.02], ids=["unclipped", "clipped"])
def test_training_takes_one_step_per_chunk(student, reference, max_norm):
    """After an epoch the weights are where one clipped step per chunk leads them."""
    start, chunks = random_table(), random_chunks(lengths=(4, 4, 4, 1))
    hint("Fresh gradients for each chunk; mean over its characters; clip before the step.")
    _, weights, _ = student.run(tiny_training, student.train_epoch, start, chunks, 0.7, max_norm)
    _, expected, _ = tiny_training(reference.train_epoch, start, chunks, 0.7, max_norm)
    assert_close(weights - start, expected - start, rtol=1e-3, atol=1e-6)


@pytest.mark.points(1)
def test_training_returns_the_mean_loss(student, reference):
    """train_epoch returns the mean of the chunks' losses."""
    start, chunks = random_table(), random_chunks()
    hint("A float: the mean over the chunks, not the last one, nor the sum.")
    loss, _, _ = student.run(tiny_training, student.train_epoch, start, chunks, 0.5, 1e6)
    expected, _, _ = tiny_training(reference.train_epoch, start, chunks, 0.5, 1e6)
    assert_close(float(loss), expected, rtol=1e-5, atol=0)


@pytest.mark.points(1)
@pytest.mark.trials(3)
def test_new_model_learns_a_pattern(student):
    """A new CharModel learns a pattern that needs memory, in a few epochs of train_epoch."""
    pattern = torch.tensor([0, 1, 0, 2, 0, 3, 0, 4]).repeat(17)
    inputs, targets = (part[:132].view(4, 33).T for part in (pattern, pattern[1:]))
    chunks = list(zip(inputs.split(8), targets.split(8), strict=True))
    hint("Are all weights parameters of the module, and do gradients flow through all steps?")
    model, train_epoch = student.CharModel, student.train_epoch
    logits, losses = student.run(logits_after_training, model, train_epoch, chunks, 30)
    loss = torch.nn.functional.cross_entropy(logits.flatten(0, 1), targets.flatten())
    perplexity = loss.exp().item()
    credit(PATTERN(perplexity), f"Perplexity {perplexity:.2f} on the pattern.", curve=losses)


def perplexity_one_by_one(model, streams=64, steps=100):
    """Perplexity on the chapter held back, of which the model is given one character at a time."""
    book = (FOLDER.parent / "data" / "alice.txt").read_text(encoding="utf-8")
    index = {character: i for i, character in enumerate(sorted(set(book)))}
    chapter = (FOLDER / "held_out.txt").read_text(encoding="utf-8")
    tokens = torch.tensor([index[character] for character in chapter])
    starts = torch.arange(streams) * ((len(tokens) - steps - 1) // (streams - 1))
    state, losses = None, []
    for step in range(steps):
        logits, state = model(tokens[starts + step][None], state)
        assert tuple(logits.shape) == (1, streams, len(index))
        losses.append(torch.nn.functional.cross_entropy(logits[0], tokens[starts + step + 1]))
    return torch.stack(losses).mean().exp().item()


@pytest.mark.points(2)
def test_trained_model_beats_pairs_of_characters(student):
    """The trained `model` has a perplexity below 9 on a chapter that it has not seen."""
    hint("Did the training cells run, is the result called model, and is vocab as it was given?")
    assert perplexity_one_by_one(student.model) < 9


@pytest.mark.points(3)
def test_trained_model_reaches_the_goal(student):
    """The trained `model` has a perplexity below 6.5 on a chapter that it has not seen."""
    hint("Does the state help? Compare the perplexity with and without it; then train longer.")
    assert perplexity_one_by_one(student.model) < 6.5
