"""Question 7: pieces of words. The bounds are explained in the note for instructors."""

import random

import pytest
import torch

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q7")

own_share = bands((0.25, 0), (0.5, 1))


def pieces_of(word, shortest, longest):
    text, found = "<" + word + ">", []
    for length in range(shortest, longest + 1):
        for end in range(length, len(text) + 1):
            found.append(text[end - length : end])
    if text not in found:
        found.append(text)
    return found


def draw_word(length):
    return "".join(random.choices("abé", k=length))


@pytest.mark.points(3)
def test_ngrams(student):
    """ngrams lists pieces by length, from left to right, and at last the whole word, once."""
    hint("Brackets count as characters. A piece that occurs twice is there twice.")
    for shortest, longest in ((3, 5), (2, 2), (1, 4), (4, 9)):
        for length in (1, 2, 3, 6, random.randint(8, 12)):
            word = draw_word(length)
            assert student.ngrams(word, shortest, longest) == pieces_of(word, shortest, longest)
    word = draw_word(7)
    assert student.ngrams(word) == pieces_of(word, 3, 5)


@pytest.mark.points(3)
def test_membership(student, close):
    """membership has the shares of a word's known pieces, and zeros for a word without any."""
    hint("Divide by how many pieces of the word are known, each as often as it occurs.")
    for shortest, longest in ((3, 5), (2, 3)):
        twice = 2 * draw_word(4)  # its pieces are there twice, whatever is drawn
        words = [draw_word(random.randint(1, 9)) for _ in range(8)] + [twice, "xyz"]
        every = sorted({p for word in words[:-1] for p in pieces_of(word, shortest, longest)})
        some = {*random.sample(every, len(every) * 2 // 3), *pieces_of(twice, shortest, longest)}
        known = [*random.sample(sorted(some), len(some)), "qqq"]
        rows = []
        for word in words:
            found = [p for p in pieces_of(word, shortest, longest) if p in known]
            rows.append([found.count(p) / max(1, len(found)) for p in known])
        right = torch.tensor(rows, dtype=torch.float64)
        close(student.membership(words, known, shortest, longest), right)
        if (shortest, longest) == (3, 5):
            close(student.membership(words, known), right)


def own_companions(vectors, families, unseen):
    """Of the three nearest companions of each unseen word, the share that is of its own base."""
    companions = torch.cat([family["companions"].flatten() for family in families])
    unit = torch.nn.functional.normalize(vectors, dim=1, eps=1e-30)
    shares = []
    for family in families:
        for pair, own in zip(family["pairs"], family["companions"], strict=True):
            if pair[1] in unseen:
                order = (unit[companions] @ unit[pair[1]]).argsort(descending=True)
                near = companions[order[:3]]
                shares.append(torch.isin(near, own).double().mean().item())
    return sum(shares) / len(shares)


@pytest.mark.points(6)
@pytest.mark.trials(3, need=2)
def test_train_subwords(student, reference, invent_language):
    """train_subwords learns pieces of which the vectors of words it never read can be made."""
    hint("Do the gradients of Question 5 pass? That of the table of pieces is the transpose of A.")
    world = invent_language()
    tokens, sentences = reference.write_text(world, 8000)
    inflected = [family["pairs"] for family in world["families"] if family["inflected"]]
    unseen = torch.cat([pairs[torch.randperm(len(pairs))[:4], 1] for pairs in inflected])
    read = ~torch.isin(sentences, sentences[torch.isin(tokens, unseen)])
    words, dim = world["words"], random.choice([20, 22, 26])
    known, table = student.train_subwords(tokens[read], sentences[read], words, dim)
    assert len(known) == len(set(known))
    assert tuple(table.shape) == (len(known), dim)
    assert table.isfinite().all()
    # The unseen words' own pieces, which no text can have taught, are left out.
    whole = {f"<{words[i]}>" for i in unseen.tolist()}
    places = [p for p, piece in enumerate(known) if piece not in whole]
    pieces = [known[p] for p in places]
    vectors = reference.membership(words, pieces) @ table[places].double()
    share = own_companions(vectors, world["families"], unseen)
    credit(
        own_share(share),
        f"Of the three nearest companions of unseen words, {share:.1%} are their own.",
        measured=share,
    )
