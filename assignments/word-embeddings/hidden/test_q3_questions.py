"""Question 3: cosines, analogies, rank correlation."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q3")


def apply_and_look_back(function, values):
    """What a function returns, and what it was given as it is afterwards."""
    return function(*values), values


def unit(vector):
    return vector / vector.norm() if vector.any() else vector


def draw_vectors(n, d):
    """Vectors of very different lengths; the last one is zero."""
    vectors = torch.randn(n, d, dtype=torch.float64) * torch.logspace(-9, 4, n).double()[:, None]
    vectors[-1] = 0
    return vectors[torch.randperm(n)]


@pytest.mark.points(2)
def test_cosines(student, close):
    """cosines compares each vector of a table with each of another, whatever their lengths."""
    hint("Short vectors have a direction too; a zero vector has the cosine 0, not NaN.")
    for n, m, d in ((4, 6, 3), (1, 5, 2), (7, 1, random.randint(4, 8))):
        a, b = draw_vectors(n, d), draw_vectors(m, d)
        if n == 1:
            a = torch.randn(1, d, dtype=torch.float64)
        (found, after) = student.run(apply_and_look_back, student.cosines, (a, b))
        close(found, torch.stack([torch.stack([unit(x) @ unit(y) for y in b]) for x in a]))
        close(after[0], a, atol=0)
        close(after[1], b, atol=0)


def answer(vectors, a, b, c):
    """The best word for one question, and by how much it is better than the next one."""
    rows = [unit(vector) for vector in vectors]
    way = unit(rows[b] - rows[a] + rows[c])
    scores = sorted(((row @ way).item(), x) for x, row in enumerate(rows) if x not in (a, b, c))
    return scores[-1][1], scores[-1][0] - scores[-2][0]


def clear_questions(vectors, count, draw):
    """Questions whose answer hangs on no rounding, and their answers."""
    asked, right = [], []
    while len(asked) < count:
        question = draw()
        best, lead = answer(vectors, *question)
        if lead > 1e-6:
            asked.append(question)
            right.append(best)
    return torch.tensor(asked), torch.tensor(right)


@pytest.mark.points(3)
def test_solve_analogies(student, close):
    """solve_analogies finds the word that lies best in the direction b - a + c of unit vectors."""
    hint("b - a + c, with all vectors of length 1, and then the cosine.")
    for n, d in ((9, 3), (20, 5), (12, random.randint(6, 9))):
        vectors = torch.randn(n, d, dtype=torch.float64)
        vectors = vectors * torch.logspace(-2, 2, n).double()[torch.randperm(n)][:, None]
        questions, right = clear_questions(vectors, 15, lambda n=n: random.sample(range(n), 3))
        args = (vectors, questions)
        found, after = student.run(apply_and_look_back, student.solve_analogies, args)
        close(found, right)
        close(after[0], vectors, atol=0)
        close(after[1], questions)
        close(student.solve_analogies(vectors, questions[:1]), right[:1])


@pytest.mark.points(1)
def test_words_of_the_question_are_no_answers(student, close):
    """No word of the question is its answer, even where two of its words are the same."""
    hint("Exclude all three, of each question its own.")
    n, d = random.randint(6, 9), 4
    vectors = torch.randn(n, d, dtype=torch.float64)
    vectors[0] = 0
    questions, right = clear_questions(vectors, 20, lambda: random.choices(range(n), k=3))
    close(student.solve_analogies(vectors, questions), right)
    hint("No questions have no answers.")
    close(student.solve_analogies(vectors, questions[:0]), right[:0])


def ranked(values):
    """Mean places of each value in the sorted list."""
    order = sorted(values)
    places = {v: [k for k, w in enumerate(order, 1) if v == w] for v in values}
    return torch.tensor([sum(places[v]) / len(places[v]) for v in values], dtype=torch.float64)


@pytest.mark.points(2)
@pytest.mark.parametrize("ties", [False, True])
def test_ranks(student, close, ties):
    """ranks begin with 1 for the smallest; equal values share the mean of their ranks."""
    hint("argsort of argsort gives different ranks to equal values.")
    for n in (1, 7, random.randint(15, 30)):
        values = torch.randint(-3, 4, (n,)).double() if ties else torch.randn(n).double()
        if ties:
            values[::2] += 1e-12  # close to others, but not equal to them
        found, after = student.run(apply_and_look_back, student.ranks, (values,))
        close(found, ranked(values.tolist()))
        close(after[0], values, atol=0)


@pytest.mark.points(2)
def test_spearman(student):
    """spearman is the correlation of ranks, with ties; 0 where one list is constant."""
    hint("Pearson's formula on ranks. The short one with squared differences fails for ties.")
    for n in (2, 5, 12, random.randint(20, 40)):
        a = torch.randint(4, (n,)).double()
        a[:2] = torch.tensor([0.0, 3.0])
        b = (a + torch.randn(n)).double() ** 3
        r, s = ranked(a.tolist()), ranked(b.tolist())
        right = torch.corrcoef(torch.stack([r, s]))[0, 1].item()
        assert student.spearman(a, b) == pytest.approx(right, abs=1e-9)
        assert student.spearman(-a, b) == pytest.approx(-right, abs=1e-9)
        assert student.spearman(torch.full_like(b, 2.5), b) == 0
        assert student.spearman(b, torch.zeros_like(b)) == 0
        assert student.spearman(a[:1], b[:1]) == 0
