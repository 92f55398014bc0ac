"""Question 7: the karate club, from two labels."""

from pathlib import Path

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q7")

KARATE = Path(__file__).parent.parent / "data" / "karate.npz"
PATH = torch.tensor([[i, i + 1] for i in range(8)])


def logits_of(model_class, sizes, a_hat, batches):
    """Make a new model; its logits for each of several inputs."""
    model = model_class(*sizes).double()
    with torch.no_grad():
        return [model(x, a_hat) for x in batches]


def renumbered(edges, labels, labelled):
    """Renumber the nodes and the classes at random, so that no number can be known by heart."""
    order = torch.randperm(len(labels))
    place = order.argsort()
    classes = torch.randperm(int(labels.max()) + 1)
    edges = place[edges][torch.randperm(len(edges))]
    return edges, classes[labels[order]], labelled[order]


def karate(reference):
    """The club, renumbered; the labels of the instructor and the administrator may be used."""
    edges, labels = reference.load_karate(KARATE)
    labelled = torch.zeros(len(labels), dtype=torch.bool)
    labelled[[0, 33]] = True
    return renumbered(edges, labels, labelled)


def club():
    """Draw a club that split: its two leaders' choices may be used.

    The karate club is published, and can be known again by its degrees however it is numbered. This
    one has never been seen: most members are friends of their own leader, and of few others.
    """
    sizes = torch.randint(14, 21, (2,))
    labels = torch.arange(2).repeat_interleave(sizes)
    leaders = torch.tensor([0, int(sizes[0])])
    share = torch.where(labels[:, None] == labels, 0.15, 0.012)
    friends = torch.rand(share.shape) < share
    own = leaders[labels]
    friends[own, torch.arange(len(labels))] = torch.rand(len(labels)) < 0.8
    friends[leaders[0], leaders[1]] = friends[leaders[1], leaders[0]] = False
    friends = (friends | friends.T).fill_diagonal_(False)
    alone = ~friends.any(1)
    friends[own[alone], alone.nonzero()[:, 0]] = True
    labelled = torch.zeros(len(labels), dtype=torch.bool)
    labelled[leaders] = True
    return renumbered((friends | friends.T).triu(1).nonzero(), labels, labelled)


def communities(count=3, size=18, inside=0.4, outside=0.02):
    """Draw a graph of some communities, with three labels in each."""
    labels = torch.arange(count).repeat_interleave(size)
    share = torch.where(labels[:, None] == labels, inside, outside)
    edges = (torch.rand(share.shape) < share).triu(1).nonzero()
    labelled = (torch.arange(len(labels)) % size) < 3
    return renumbered(edges, labels, labelled)


def accuracy(student, edges, labels, labelled, shown):
    """Share of the nodes without label that are classified well, given the labels in `shown`."""
    guesses = student.classify_nodes(edges, shown, labelled, int(labels.max()) + 1)
    assert guesses.shape == labels.shape
    return (guesses == labels)[~labelled].double().mean().item()


def mean_accuracy(student, draw, trainings=3):
    """Mean over some trainings, with -1 for the labels that may not be used."""
    hint("Only labelled nodes may enter the loss, and the labels of the others are -1.")
    found = []
    for _ in range(trainings):
        edges, labels, labelled = draw()
        shown = labels.where(labelled, -1)
        found.append(accuracy(student, edges, labels, labelled, shown))
    return sum(found) / trainings


@pytest.mark.points(2)
def test_network_reaches_two_steps_far(student, reference):
    """A node's logits depend on the nodes within two steps of it, and on no other."""
    hint("Two convolutions, each of which reaches one step along the edges.")
    a_hat = reference.normalised_adjacency(PATH, 9).double()
    x = torch.randn(9, 4, dtype=torch.float64)
    changed = x.clone()
    changed[4] += 10 * torch.randn(4, dtype=torch.float64)
    before, after = student.run(logits_of, student.GCN, (4, 32, 3), a_hat, [x, changed])
    assert before.shape == (9, 3)
    differs = (after - before).abs().amax(1) > 1e-9
    assert differs.tolist() == [2 <= node <= 6 for node in range(9)]


@pytest.mark.points(1)
def test_network_is_not_linear(student, reference):
    """There is a ReLU after the first convolution, and none after the second."""
    hint("Logits may be negative. And without a ReLU, two convolutions are one.")
    a_hat = reference.normalised_adjacency(PATH, 9).double()
    x = torch.randn(9, 4, dtype=torch.float64)
    batches = [x, -x, torch.zeros_like(x)]
    up, down, zero = student.run(logits_of, student.GCN, (4, 32, 5), a_hat, batches)
    assert (up + down - 2 * zero).abs().max() > 1e-6
    both = torch.stack([up, down])
    assert both.min() < 0 < both.max()


@pytest.mark.points(4)
@pytest.mark.parametrize("share", [0.8, 0.9])
def test_karate_club(student, reference, share):
    """From the labels of two members, the network foretells the choice of nearly all others."""
    assert mean_accuracy(student, lambda: karate(reference)) >= share
    hint("It is right about the karate club. What does it make of a club that it has not seen?")
    assert mean_accuracy(student, club) >= share


@pytest.mark.points(2)
def test_labels_that_may_not_be_used_are_not_used(student):
    """Labels drawn at random on the nodes that are not labelled make no difference."""
    hint("Which nodes enter your loss? Ask `labelled`, not the labels.")
    found = []
    for _ in range(2):
        edges, labels, labelled = club()
        # Not the wrong ones: of two classes, those would give the right ones away.
        shown = labels.where(labelled, torch.randint_like(labels, 2))
        found.append(accuracy(student, edges, labels, labelled, shown))
    assert sum(found) / 2 >= 0.75


@pytest.mark.points(2)
@pytest.mark.trials(3, need=2)
def test_three_communities(student):
    """With three labels in each of three communities, the network finds nine nodes of ten."""
    hint("Is anything in classify_nodes made for the karate club, or for two classes?")
    edges, labels, labelled = communities()
    assert accuracy(student, edges, labels, labelled, labels.where(labelled, -1)) >= 0.9
