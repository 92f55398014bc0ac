"""Question 1: words, numbers, and counts of company."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q1")


def apply_and_look_back(function, values, *args):
    """What a function returns, and what it was given as it is afterwards."""
    return function(*values, *args), values


def draw_sentences(n):
    """Sentences of invented words, some of them rare, some sentences empty."""
    known = ["".join(random.choices("abCDé", k=random.randint(1, 3))) for _ in range(12)]
    lengths = [0, 3, *(random.randint(0, 7) for _ in range(n))]
    return [random.choices(known, weights=range(1, 13), k=length) for length in lengths]


def counted(texts):
    every = [word for sentence in texts for word in sentence]
    return {word: every.count(word) for word in every}


@pytest.mark.points(2)
@pytest.mark.parametrize("min_count", [1, 3])
def test_vocabulary(student, close, min_count):
    """vocabulary lists the words that are not too rare, most frequent first, then by alphabet."""
    hint("Two keys: falling counts, and of equal counts the alphabet. Not one sentence, all.")
    for n in (1, 12, 40):
        texts = draw_sentences(n)
        counts = counted(texts)
        right = sorted(word for word in counts if counts[word] >= min_count)
        right.sort(key=lambda word: -counts[word])
        words, found = student.vocabulary(texts, min_count)
        assert words == right
        close(found, torch.tensor([counts[word] for word in right], dtype=torch.int64))
        if min_count == 1:
            assert student.vocabulary(texts)[0] == right
    for texts in ([], [[]]):
        words, found = student.vocabulary(texts, min_count)
        assert words == []
        close(found, torch.empty(0, dtype=torch.int64))


@pytest.mark.points(1)
def test_encode(student, close):
    """encode numbers the words of a list, with the sentences they stand in, and drops others."""
    hint("An empty sentence has a number too; and a text without known words is no error.")
    texts = draw_sentences(15)
    words = sorted(counted(texts))
    random.shuffle(words)
    dropped = words.pop()
    rows = [(w, k) for k, sentence in enumerate(texts) for w in sentence if w != dropped]
    tokens, sentences = student.encode(texts, words)
    close(tokens, torch.tensor([words.index(word) for word, _ in rows]))
    close(sentences, torch.tensor([k for _, k in rows]))
    for empty in student.encode([[dropped], []], words):
        close(empty, torch.empty(0, dtype=torch.int64))


def company(tokens, sentences, n_words, window, harmonic):
    """Counts, one pair of places after the other."""
    counts = torch.zeros(n_words, n_words, dtype=torch.float64)
    for t in range(len(tokens)):
        for u in range(len(tokens)):
            if 0 < abs(t - u) <= window and sentences[t] == sentences[u]:
                counts[tokens[t], tokens[u]] += 1 / abs(t - u) if harmonic else 1
    return counts


@pytest.mark.points(4)
@pytest.mark.parametrize("harmonic", [False, True])
def test_co_occurrences(student, close, draw_text, harmonic):
    """co_occurrences sums over all pairs of places in the window, within a sentence."""
    hint("A pair that occurs twice counts twice. Windows end where a sentence ends.")
    for n_words, window in ((3, 1), (7, 2), (5, random.randint(3, 9))):
        text = draw_text(n_words, 12)
        args = n_words, window, harmonic
        found, after = student.run(apply_and_look_back, student.co_occurrences, text, *args)
        close(found, company(*text, *args))
        assert torch.equal(after[0], text[0])
        assert torch.equal(after[1], text[1])


@pytest.mark.points(1)
def test_co_occurrences_at_the_edge(student, close, draw_text):
    """Words that never occur, texts of one word and of none, and windows longer than the text."""
    hint("tokens[:-δ] with a δ longer than the text; the default counts every pair as 1.")
    text = draw_text(4, 9)
    close(student.co_occurrences(*text, 6, 50), company(*text, 6, 50, False))
    one = torch.tensor([0, 0, 1]), torch.tensor([3, 3, 5])
    for length in (0, 1, 2, 3):
        part = one[0][:length], one[1][:length]
        close(student.co_occurrences(*part, 3, 4), company(*part, 3, 4, False))
