"""Checks to run while you work: they find the common slips, not all of them."""

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint


@pytest.mark.question("q1")
def test_step_has_the_right_shape(student):
    """rnn_step gives one state per sequence, between -1 and 1."""
    hint("x is (N, D), w_ih is (H, D): one of them must be transposed.")
    x, h, b = torch.randn(3, 5), torch.randn(3, 4), torch.randn(4)
    state = student.rnn_step(x, h, torch.randn(4, 5), torch.randn(4, 4), b)
    assert tuple(state.shape) == (3, 4)
    assert (state.abs() <= 1).all()


@pytest.mark.question("q1")
def test_sequence_begins_with_one_step_from_h0(student):
    """The first state of rnn_forward is one step from h0, the second is one step from there."""
    hint("Call rnn_step in a loop and stack the states.")
    xs, h0 = torch.randn(4, 3, 5), torch.randn(3, 2)
    weights = (torch.randn(2, 5), torch.randn(2, 2), torch.randn(2))
    hs = student.rnn_forward(xs, h0, *weights)
    assert tuple(hs.shape) == (4, 3, 2)
    assert_close(hs[0], student.rnn_step(xs[0], h0, *weights))
    assert_close(hs[1], student.rnn_step(xs[1], hs[0], *weights))


@pytest.mark.question("q2")
def test_gradients_have_the_shapes_of_their_tensors(student):
    """Each gradient of rnn_backward has the shape of what it belongs to."""
    hint("Five gradients, in the order of the docstring.")
    xs, h0, hs = torch.randn(6, 3, 5), torch.randn(3, 4), torch.rand(6, 3, 4)
    w_ih, w_hh = torch.randn(4, 5), torch.randn(4, 4)
    grads = student.rnn_backward(torch.randn(6, 3, 4), xs, h0, hs, w_ih, w_hh)
    shapes = [tuple(grad.shape) for grad in grads]
    assert shapes == [(6, 3, 5), (3, 4), (4, 5), (4, 4), (4,)]


@pytest.mark.question("q2")
def test_bias_gradient_of_a_saturated_step(student):
    """Where tanh is saturated, no gradient comes through."""
    hint("The slope of tanh at a is 1 - tanh(a)²; you are given tanh(a) itself.")
    ones = torch.ones(2, 3)
    w_ih, w_hh = torch.randn(3, 4), torch.randn(3, 3)
    grads = student.rnn_step_backward(ones, torch.randn(2, 4), ones, ones, w_ih, w_hh)
    assert_close(grads[4], torch.zeros(3))


def clip_three_and_four(clip):
    a, b = torch.nn.Parameter(torch.zeros(1)), torch.nn.Parameter(torch.zeros(1))
    a.grad, b.grad = torch.tensor([3.0]), torch.tensor([4.0])
    return clip([a, b], 1.0), a.grad, b.grad


@pytest.mark.question("q3")
def test_gradients_three_and_four(student):
    """Gradients 3 and 4 have the norm 5, and become 0.6 and 0.8."""
    hint("One norm over all gradients together, returned as it was before clipping.")
    norm, a, b = student.run(clip_three_and_four, student.clip_gradients)
    assert float(norm) == pytest.approx(5.0, rel=1e-4)
    assert_close(torch.cat([a, b]), torch.tensor([0.6, 0.8]), rtol=1e-4, atol=1e-6)


@pytest.mark.question("q4")
def test_lstm_with_zero_weights(student):
    """With all weights zero each gate is one half: c is halved."""
    hint("f multiplies the old c; a gate with nothing to go by is 1/2; the candidate g is zero.")
    state = (torch.randn(2, 3), torch.randn(2, 3))
    zeros = (torch.zeros(12, 4), torch.zeros(12, 3), torch.zeros(12), torch.zeros(12))
    _, c = student.lstm_step(torch.randn(2, 4), state, *zeros)
    assert_close(c, state[1] / 2)


@pytest.mark.question("q4")
def test_gru_with_zero_weights(student):
    """With all weights zero the GRU halves its state."""
    hint("n is zero then, and z is one half.")
    h = torch.randn(2, 3)
    zeros = (torch.zeros(9, 4), torch.zeros(9, 3), torch.zeros(9), torch.zeros(9))
    assert_close(student.gru_step(torch.randn(2, 4), h, *zeros), h / 2)


@pytest.mark.question("q5")
def test_encode_and_decode_are_inverse(student):
    """Decoding what was encoded gives the text back."""
    hint("An index is a position in the vocabulary as it is given.")
    vocab = list("lice a")
    assert student.decode(student.encode("a lice", vocab), vocab) == "a lice"


@pytest.mark.question("q5")
def test_example_of_the_notebook(student):
    """The example "abcdefghijk" in 2 streams and chunks of 3 steps."""
    hint("Compare with the table in the notebook: time goes down, streams go side by side.")
    chunks = [tuple(pair) for pair in student.make_chunks(torch.arange(11), 2, 3)]
    assert [inputs.tolist() for inputs, _ in chunks] == [
        [[0, 5], [1, 6], [2, 7]],
        [[3, 8], [4, 9]],
    ]
    assert chunks[1][1].tolist() == [[4, 9], [5, 10]]


@pytest.mark.question("q6")
def test_model_returns_logits_and_a_pair(student):
    """CharModel gives logits (T, N, V) and the state (h, c)."""
    hint("forward returns two things: the logits, and the state as a pair of (N, H) tensors.")
    logits, state = student.CharModel(10, 4, 6)(torch.randint(10, (5, 3)))
    assert tuple(logits.shape) == (5, 3, 10)
    assert [tuple(part.shape) for part in state] == [(3, 6), (3, 6)]


def perplexity_of_uniform(perplexity, size):
    class Uniform(torch.nn.Module):
        def forward(self, tokens, state=None):
            zero = torch.zeros(tokens.shape[1], 1)
            return torch.zeros(*tokens.shape, size), (zero, zero)

    tokens = torch.zeros(4, 2, dtype=torch.int64)
    return perplexity(Uniform(), [(tokens, tokens), (tokens[:1], tokens[:1])])


@pytest.mark.question("q6")
def test_perplexity_of_pure_chance(student):
    """A model that finds all of 7 characters equally likely has the perplexity 7."""
    hint("exp of the mean negative log-likelihood per character.")
    got = student.run(perplexity_of_uniform, student.perplexity, 7)
    assert float(got) == pytest.approx(7.0, rel=1e-4)


@pytest.mark.question("q6")
def test_model_is_trained(student):
    """The name `model` holds a model for the 38 characters of the text."""
    hint("Run the training cells; the model they make must be called model.")
    logits, _ = student.model(torch.zeros(1, 1, dtype=torch.int64))
    assert tuple(logits.shape) == (1, 1, 38)


@pytest.mark.question("q7")
def test_probabilities_sum_to_one(student):
    """At any temperature the probabilities sum to one."""
    hint("Normalise over the last dimension, after dividing by the temperature.")
    total = student.next_probabilities(torch.randn(4, 9), 0.5).sum(-1)
    assert_close(total, torch.ones(4))


def generate_from_certainty(generate):
    class Certain(torch.nn.Module):
        def forward(self, tokens, state=None):
            zero = torch.zeros(tokens.shape[1], 1)
            following = torch.nn.functional.one_hot((tokens + 1) % 5, 5)
            return 60.0 * following, (zero, zero)

    return generate(Certain(), torch.tensor([0, 1, 2]), 4, 1.0)


@pytest.mark.question("q7")
def test_drawn_tokens_are_fed_back(student):
    """A model that counts upwards is made to count."""
    hint("Each drawn token is the next input; the prompt is not part of the result.")
    assert student.run(generate_from_certainty, student.generate).tolist() == [3, 4, 0, 1]
