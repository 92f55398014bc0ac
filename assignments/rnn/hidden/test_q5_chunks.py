"""Question 5: from text to chunks."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q5")


def random_text(length=40):
    """A vocabulary in no order, and a text made of it."""
    vocab = random.sample("abcdefghij .,;!\n", 12)
    return "".join(random.choices(vocab, k=length)), vocab


def chunks_of(student, tokens, streams, length):
    return [tuple(pair) for pair in student.make_chunks(tokens, streams, length)]


def what_comes(encode, texts, vocab):
    """The tokens of each text, or the name of the exception that there was instead."""
    found = []
    for text in texts:
        try:
            found.append(encode(text, vocab))
        except ValueError:
            found.append("ValueError")
    return found


@pytest.mark.points(1)
def test_encode(student):
    """encode gives each character's index in the vocabulary, in whatever order that is."""
    text, vocab = random_text()
    hint("The vocabulary need not be sorted. The result is one tensor of int64.")
    tokens = student.encode(text, vocab)
    assert tokens.dtype == torch.int64
    assert tokens.tolist() == [vocab.index(character) for character in text]


@pytest.mark.points(1)
def test_unknown_characters_are_refused(student):
    """encode raises ValueError for a character that is not in the vocabulary."""
    text, vocab = random_text()
    hint("A KeyError, or a made-up index, is not what the docstring promises.")
    known, unknown = student.run(what_comes, student.encode, [text, text + "Q"], vocab)
    assert len(known) == len(text)
    assert isinstance(unknown, str) and unknown == "ValueError"


@pytest.mark.points(1)
def test_decode(student):
    """decode turns tokens back into the text."""
    text, vocab = random_text()
    hint("The inverse of encode: one string, as long as the tokens.")
    tokens = torch.tensor([vocab.index(character) for character in text])
    assert student.decode(tokens, vocab) == text


@pytest.mark.points(2)
def test_columns_go_on_from_chunk_to_chunk(student):
    """Column n of all the inputs, one chunk after the other, is the n-th part of the text."""
    streams, steps, length = 3, 14, 4
    tokens = torch.randperm(streams * steps + 1)
    hint("Time goes down and streams go side by side: check the first column over all chunks.")
    inputs = torch.cat([pair[0] for pair in chunks_of(student, tokens, streams, length)])
    assert inputs.T.flatten().tolist() == tokens[:-1].tolist()


@pytest.mark.points(1)
def test_targets_are_the_next_characters_of_the_text(student):
    """The target of each character is the one that follows it in the text, at a chunk's end too."""
    streams, length = 4, 5
    tokens = torch.randperm(83)
    follower = dict(zip(tokens[:-1].tolist(), tokens[1:].tolist(), strict=True))
    hint("Look at the last row of a chunk and of a stream: which character comes next in the text?")
    chunks = chunks_of(student, tokens, streams, length)
    assert sum(inputs.numel() for inputs, _ in chunks) == 80
    for inputs, targets in chunks:
        assert targets.tolist() == [[follower[i] for i in row] for row in inputs.tolist()]


@pytest.mark.points(1)
def test_lengths_of_chunks(student):
    """All chunks have the length asked for, but the last, which holds the steps that are left."""
    hint("A last chunk that is shorter is kept; tokens that do not fill all streams are dropped.")
    chunks = chunks_of(student, torch.arange(5 * 11 + 4), 5, 4)
    assert [tuple(inputs.shape) for inputs, _ in chunks] == [(4, 5), (4, 5), (3, 5)]
    assert len({token for inputs, _ in chunks for token in inputs.flatten().tolist()}) == 55


@pytest.mark.points(1)
def test_one_chunk_holds_all(student):
    """A stream shorter than a chunk gives one chunk, in which every token has its target."""
    tokens = torch.randperm(12)
    hint("(number of tokens - 1) steps are to be shared: the last token is a target alone.")
    ((inputs, targets),) = chunks_of(student, tokens, 1, 50)
    assert inputs.flatten().tolist() == tokens[:-1].tolist()
    assert targets.flatten().tolist() == tokens[1:].tolist()
