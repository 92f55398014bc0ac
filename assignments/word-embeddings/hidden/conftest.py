"""What the tests of this suite share: comparisons, and languages that nobody has seen before."""

import itertools
import random

import pytest
import torch
from torch.testing import assert_close


@pytest.fixture
def close():
    """Return a check that numbers have the same dtype, and agree to nearly its precision."""

    def check(actual, expected, rtol=1e-7, atol=1e-9):
        assert actual.dtype == expected.dtype
        assert_close(actual, expected, rtol=rtol, atol=atol)

    return check


@pytest.fixture
def draw_text():
    """Return a function that draws a text: numbers of words, and of sentences that may be empty."""

    def draw(n_words, n_sentences, longest=6):
        lengths = [random.randint(0, longest) for _ in range(n_sentences)]
        tokens = torch.randint(n_words, (sum(lengths),))
        return tokens, torch.arange(n_sentences).repeat_interleave(torch.tensor(lengths))

    return draw


def invented_words():
    """Words of two to four syllables, each another one; all end with a vowel."""
    seen = set()
    while True:
        word = "".join(
            random.choice("bdfgklmnprstvz") + random.choice("aeiou")
            for _ in range(random.randint(2, 4))
        )
        if word not in seen:
            seen.add(word)
            yield word


@pytest.fixture
def invent_language(reference):
    """Return a function that invents a language like that of the text, as make_world returns it.

    Two of its four families inflect their words by an ending of their own ("inflected": True).
    """

    def invent():
        words = invented_words()
        endings = random.sample([a + b for a, b in itertools.product("aeiou", "kmnrsx")], 2)
        families, inflected = [], random.sample([True, True, False, False], 4)
        for regular in inflected:
            groups = [" ".join(itertools.islice(words, n)) for n in (4, 4, 3)]
            lines = [" | ".join(groups)]
            ending = endings.pop() if regular else ""
            for _ in range(random.randint(6, 9)):
                first = next(words)
                second = first + ending if regular else next(words)
                lines.append(f"{first} {second}: {' '.join(itertools.islice(words, 3))}")
            families.append("\n".join(lines))
        world = reference.make_world(families, " ".join(itertools.islice(words, 10)))
        for family, regular in zip(world["families"], inflected, strict=True):
            family["inflected"] = regular
        return world

    return invent
