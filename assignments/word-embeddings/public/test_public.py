"""The checks that you can run yourself: `grader check word-embeddings.ipynb`.

They look at small cases only. The tests that give marks use other inputs and look closer.
"""

import math

import pytest
import torch
from torch.testing import assert_close

from grader.suite.hints import hint

TEXT = torch.tensor([0, 1, 0, 2]), torch.tensor([0, 0, 0, 1])


@pytest.mark.question("q1")
def test_vocabulary(student):
    """The most frequent word comes first, and has its number."""
    words, counts = student.vocabulary([["b", "a"], ["b"]])
    assert words == ["b", "a"]
    assert counts.tolist() == [2, 1]
    assert student.encode([["a"], ["b"]], words)[0].tolist() == [1, 0]


@pytest.mark.question("q1")
def test_co_occurrences(student):
    """In "a b a" each a stands once beside b; the c of the next sentence stands alone."""
    hint("Window 1: only the next neighbours.")
    found = student.co_occurrences(*TEXT, 3, 1)
    assert found.tolist() == [[0, 2, 0], [2, 0, 0], [0, 0, 0]]


@pytest.mark.question("q2")
def test_ppmi(student):
    """Two words that meet only each other: twice as often as by chance."""
    counts = torch.tensor([[0.0, 3.0], [3.0, 0.0]], dtype=torch.float64)
    right = torch.tensor([[0.0, math.log(2)], [math.log(2), 0.0]], dtype=torch.float64)
    assert_close(student.ppmi(counts), right)


@pytest.mark.question("q2")
def test_factorise(student):
    """Of a diagonal matrix the largest entry is left."""
    w, c = student.factorise(torch.tensor([[4.0, 0.0], [0.0, 1.0]], dtype=torch.float64), 1)
    assert_close(w @ c.T, torch.tensor([[4.0, 0.0], [0.0, 0.0]], dtype=torch.float64))


@pytest.mark.question("q3")
def test_cosines(student):
    """Lengths don't matter."""
    found = student.cosines(torch.tensor([[2.0, 0.0]]), torch.tensor([[0.0, 3.0], [5.0, 0.0]]))
    assert_close(found, torch.tensor([[0.0, 1.0]]))


@pytest.mark.question("q3")
def test_solve_analogies(student):
    """Along the axes: from the first axis to the second, from the third to between."""
    vectors = torch.eye(3, 4)
    vectors = torch.cat([vectors, torch.tensor([[-1.0, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 1.0]])])
    assert student.solve_analogies(vectors, torch.tensor([[0, 1, 2]])).tolist() == [3]


@pytest.mark.question("q3")
def test_spearman(student):
    """Only the order counts; equal values share their ranks."""
    assert student.ranks(torch.tensor([4.0, 4.0, 1.0])).tolist() == [2.5, 2.5, 1]
    a = torch.tensor([1.0, 2.0, 5.0])
    assert student.spearman(a, -(a**3)) == pytest.approx(-1)


@pytest.mark.question("q4")
def test_keep_probabilities(student):
    """A word with four times the threshold is kept half of the time."""
    found = student.keep_probabilities(torch.tensor([4, 96]), 0.01)
    assert found[0] == pytest.approx(0.5)


@pytest.mark.question("q4")
def test_pairs(student):
    """Both ways, within a sentence."""
    assert sorted(student.pairs(*TEXT, 1).tolist()) == [[0, 1], [0, 1], [1, 0], [1, 0]]


@pytest.mark.question("q4")
def test_noise(student):
    """The power of the counts, as shares; and as many draws as are wanted."""
    noise = student.noise_distribution(torch.tensor([16, 16]))
    assert noise.tolist() == [0.5, 0.5]
    assert tuple(student.draw_negatives(noise, 3, 2).shape) == (3, 2)


@pytest.mark.question("q5")
def test_negative_sampling(student):
    """With all products zero, every term is log 2 and every slope a half."""
    w, c = torch.zeros(2, 1, dtype=torch.float64), torch.ones(3, 1, dtype=torch.float64)
    batch = torch.tensor([0, 0]), torch.tensor([1, 1]), torch.tensor([[2], [0]])
    loss, grad_w, grad_c = student.negative_sampling(w, c, *batch)
    assert loss.item() == pytest.approx(2 * math.log(2))
    assert_close(grad_w, torch.zeros_like(w))
    assert_close(grad_c, torch.zeros_like(c))
    loss, grad_w, grad_c = student.negative_sampling(w + 1, 0 * c, *batch)
    assert_close(grad_c[:, 0], torch.tensor([0.25, -0.5, 0.25], dtype=torch.float64))


@pytest.mark.question("q6")
def test_glove(student):
    """One pair with the count 1, and one that never met."""
    counts = torch.tensor([[1.0, 0.0]], dtype=torch.float64)
    tables = [torch.ones(shape, dtype=torch.float64) for shape in ((1, 2), (2, 2), (1,), (2,))]
    loss, grads = student.glove(counts, *tables, x_max=1.0)
    assert loss.item() == pytest.approx(16)
    assert_close(grads[3], torch.tensor([8.0, 0.0], dtype=torch.float64))


@pytest.mark.question("q7")
def test_ngrams(student):
    """Pieces of three characters, and the whole."""
    assert student.ngrams("cat", 3, 3) == ["<ca", "cat", "at>", "<cat>"]


@pytest.mark.question("q7")
def test_membership(student):
    """Half of the known pieces are this one."""
    found = student.membership(["cat"], ["cat", "<ca", "dog"], 3, 3)
    assert found.tolist() == [[0.5, 0.5, 0.0]]
