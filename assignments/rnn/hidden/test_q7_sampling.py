"""Question 7: sampling."""

import random

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q7")

SIZE = 101


def generate_from_fixed(generate, logits, length, temperature):
    """Generate with a model that gives the same logits whatever it reads."""

    class Fixed(torch.nn.Module):
        def forward(self, tokens, state=None):
            steps, batch = tokens.shape
            zero = torch.zeros(batch, 1)
            return logits.expand(steps, batch, len(logits)), (zero, zero)

    prompt = torch.zeros(2, dtype=torch.int64)
    return generate(Fixed(), prompt, length, temperature)


def generate_from_sums(generate, vocab_size, prompt, length):
    """Generate with a model that predicts the sum of all that it has read, plus one."""

    class Sums(torch.nn.Module):
        def forward(self, tokens, state=None):
            total = torch.zeros(tokens.shape[1], 1) if state is None else state[0]
            logits = []
            for row in tokens:
                total = total + row[:, None]
                following = (total[:, 0].long() + 1) % vocab_size
                logits.append(60.0 * torch.nn.functional.one_hot(following, vocab_size))
            return torch.stack(logits), (total, total)

    return generate(Sums(), prompt, length, 1.0)


@pytest.mark.points(1)
@pytest.mark.parametrize("temperature", [0.3, 3.0])
def test_temperature(student, temperature):
    """next_probabilities gives the distribution over the last dimension at a temperature."""
    logits = torch.randn(3, 4, 7, dtype=torch.float64)
    hint("Does a small temperature sharpen? Over which dimension do the probabilities sum to one?")
    expected = (logits / temperature).softmax(-1)
    assert_close(student.next_probabilities(logits, temperature), expected)


@pytest.mark.points(1)
def test_small_temperature_does_not_overflow(student):
    """Probabilities stay finite where logits divided by the temperature are huge."""
    logits = 50 + 50 * torch.rand(6)
    hint("exp overflows: what can be subtracted from all logits without changing the result?")
    expected = (logits.double() / 1e-3).softmax(-1).float()
    assert_close(student.next_probabilities(logits, 1e-3), expected, rtol=1e-2, atol=1e-4)


@pytest.mark.points(1)
def test_shape_of_what_is_generated(student):
    """generate returns as many tokens as asked for, without the prompt."""
    hint("One int64 tensor with one dimension.")
    logits, likeliest = torch.randn(5), random.randint(2, 4)
    logits[likeliest] = 30.0
    tokens = student.run(generate_from_fixed, student.generate, logits, 9, 1.0)
    assert tokens.dtype == torch.int64
    assert tokens.tolist() == [likeliest] * 9


@pytest.mark.points(2)
@pytest.mark.parametrize("temperature", [0.6, 2.0])
def test_frequencies(student, temperature):
    """Tokens are drawn as often as the distribution at the temperature says."""
    logits, draws = torch.randn(5), 1500
    hint("Draw at random from the distribution: neither its maximum, nor at temperature 1.")
    tokens = student.run(generate_from_fixed, student.generate, logits, draws, temperature)
    p = (logits.double() / temperature).softmax(0)
    seen = torch.bincount(tokens, minlength=5)[:5].double() / draws
    # Five standard deviations of a share: a right sampler is refused once in 10^5 or less.
    assert ((seen - p).abs() <= 5 * (p * (1 - p) / draws).sqrt() + 2 / draws).all()
    hint("Does each call write another text? A seed that is set in generate writes the same.")
    again = student.run(generate_from_fixed, student.generate, torch.zeros(5), 60, temperature)
    more = student.run(generate_from_fixed, student.generate, torch.zeros(5), 60, temperature)
    assert again.shape == more.shape == (60,)
    assert again.tolist() != more.tolist()


def what_sums_write(vocab_size, prompt, length):
    """What generate_from_sums must give."""
    total, written = sum(prompt), []
    for _ in range(length):
        written.append((total + 1) % vocab_size)
        total += written[-1]
    return written


@pytest.mark.points(2)
def test_whole_past_is_read_once(student):
    """The model reads the whole prompt, then each token that was drawn, with its state carried."""
    prompt = torch.randint(1, 13, (6,))  # their sum stays below SIZE: leaving some out shows
    hint("Feed the prompt once, then each drawn token alone; hand the state on each time.")
    got = student.run(generate_from_sums, student.generate, SIZE, prompt, 12)
    assert got.tolist() == what_sums_write(SIZE, prompt.tolist(), 12)


@pytest.mark.points(1)
def test_short_prompt(student):
    """A prompt of one token is enough, and a single token can be asked for."""
    prompt = torch.randint(1, 13, (1,))
    hint("Even one token has shape (1, 1) for the model: (T, N).")
    got = student.run(generate_from_sums, student.generate, SIZE, prompt, 1)
    assert got.tolist() == what_sums_write(SIZE, prompt.tolist(), 1)
