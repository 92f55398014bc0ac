"""Question 2: the graph, and one walk back. The graphs are built by hand, from Vars alone."""

import random

import numpy as np
import pytest

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q2")


def random_graph():
    """For each node the nodes shortly before it that are its parents, some of them twice."""
    nodes = [[] for _ in range(3)]
    for i in range(3, 40):
        near = range(max(0, i - 5), i)
        nodes.append(random.sample(near, random.randint(2, 3)))
        if i % 5 == 0:
            nodes[-1].append(nodes[-1][0])
    return nodes


def order_of(topological_order, Var, nodes):
    """The places of the nodes in the order, by number; and how many there are in it."""
    made = []
    for parents in nodes:
        made.append(Var(1.0, [made[p] for p in parents], [None] * len(parents)))
    order = topological_order(made[-1])
    numbers = {id(node): i for i, node in enumerate(made)}
    return [numbers.get(id(node), -1) for node in order]


def ladder(n):
    """A graph of n diamonds on top of each other: 2 ** n paths."""
    nodes = [[]]
    for _ in range(n):
        top = len(nodes) - 1
        nodes += [[top], [top], [top + 1, top + 2]]
    return nodes


def chain(topological_order, Var, n):
    """The length of the order of a chain, and whether it begins and ends where it must."""
    first = node = Var(1.0)
    for _ in range(n - 1):
        node = Var(1.0, [node], [None])
    order = topological_order(node)
    return len(order), order[0] is first, order[-1] is node


def ancestors(nodes):
    """The numbers of the last node and all that it was computed from."""
    found, waiting = set(), [len(nodes) - 1]
    while waiting:
        number = waiting.pop()
        if number not in found:
            found.add(number)
            waiting += nodes[number]
    return found


def walk_back(gradients, Var, nodes, factors, value, wanted, seed):
    """Adjoints in a graph whose VJPs multiply by a number each."""

    def times(factor):
        return lambda g: Var(factor * g.value)

    made = []
    for parents, own in zip(nodes, factors, strict=True):
        made.append(Var(value, [made[p] for p in parents], [times(f) for f in own]))
    found = gradients(made[-1], [made[i] for i in wanted], seed)
    return [g.value for g in found], [node.value for node in made]


def weights_of_paths(nodes, factors):
    """The derivative of the last node by each: the sum over all paths of the products."""
    weights = [0.0] * len(nodes)
    weights[-1] = 1.0
    for i in reversed(range(len(nodes))):
        for parent, factor in zip(nodes[i], factors[i], strict=True):
            weights[parent] += weights[i] * factor
    return weights


@pytest.fixture
def graph():
    nodes = random_graph()
    return nodes, [[random.uniform(-1, 1) for _ in parents] for parents in nodes]


@pytest.mark.points(2)
def test_order(student, graph):
    """Every variable comes after its parents, each once, the root last, and no others."""
    hint("A variable may be added only when all of its parents have been.")
    nodes, _ = graph
    order = student.run(order_of, student.topological_order, student.Var, nodes)
    assert len(order) == len(ancestors(nodes))
    assert set(order) == ancestors(nodes)
    assert order[-1] == len(nodes) - 1
    place = {number: i for i, number in enumerate(order)}
    late = [n for n in order for parent in nodes[n] if place[parent] > place[n]]
    assert late == []


@pytest.mark.points(1)
def test_many_paths(student):
    """A graph with 2^60 paths is sorted at once: each variable is visited once."""
    hint("Remember which variables you have seen.")
    order = student.run(order_of, student.topological_order, student.Var, ladder(60))
    assert len(order) == 181
    assert sorted(order) == list(range(181))


@pytest.mark.points(1)
def test_deep_graph(student):
    """A chain of 30,000 variables is sorted: no recursion."""
    hint("Use a loop and a list as your stack.")
    length, begins, ends = student.run(chain, student.topological_order, student.Var, 30_000)
    assert (length, begins, ends) == (30_000, True, True)


@pytest.mark.points(2)
def test_adjoints_are_complete_before_they_are_passed_on(student, graph, close):
    """Adjoints are the sums over all paths, of any shape; the graph is as it was."""
    hint("What comes back along several paths is added, before it is passed on.")
    nodes, factors = graph
    value = np.random.randn(2, 3)
    weights = weights_of_paths(nodes, factors)
    args = student.gradients, student.Var, nodes, factors, value, list(range(len(nodes))), None
    found, values = student.run(walk_back, *args)
    for gradient, weight in zip(found, weights, strict=True):
        close(gradient, np.full((2, 3), weight))
    for now in values:
        close(now, value, rtol=0, atol=0)


@pytest.mark.points(1)
def test_seed(student, graph, close):
    """The walk begins with the seed that it is given."""
    nodes, factors = graph
    seed = np.random.randn(3)
    weights = weights_of_paths(nodes, factors)
    args = student.gradients, student.Var, nodes, factors, np.ones(3), [0, 5, 36], seed
    found, _ = student.run(walk_back, *args)
    for gradient, number in zip(found, [0, 5, 36], strict=True):
        close(gradient, seed * weights[number])


def by_strangers(gradients, Var, shape):
    """Gradients by a Var that was not used, by the root itself, and by a parent."""
    stranger, x = Var([[1.0, 2.0, 3.0]]), Var(2.0)
    root = Var(shape, [x], [lambda g: Var(g.value.sum())])
    return [g.value for g in gradients(root, [stranger, root, x])]


@pytest.mark.points(1)
def test_inputs_that_were_not_used_and_the_root_itself(student, close):
    """An input that was not used has zeros of its shape; the root has its seed."""
    hint("What is the derivative by something that the result does not depend on?")
    found = student.run(by_strangers, student.gradients, student.Var, np.random.randn(2, 2))
    close(found[0], np.zeros((1, 3)))
    close(found[1], np.ones((2, 2)))
    close(found[2], np.array(4.0))
