"""Question 1: output sizes and receptive fields."""

import random

import pytest

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q1")


def positions(n, kernel_size, stride, padding):
    """Count the places of the kernel one by one."""
    return len(range(0, n + 2 * padding - kernel_size + 1, stride))


def pixels_seen(layers):
    """Walk back from one unit of the last layer to the pixels that it sees."""
    first, last = 0, 0
    for kernel_size, stride in reversed(layers):
        first, last = first * stride, last * stride + kernel_size - 1
    return last - first + 1


def sizes_or_refusals(function, cases):
    """Run in the box: what each call returns, or the ValueError that it raises."""
    found = []
    for case in cases:
        try:
            found.append(function(*case))
        except ValueError:
            found.append("ValueError")
    return found


@pytest.mark.points(1)
def test_receptive_field_without_strides(student):
    """receptive_field is right for stacks of layers of stride 1, and for no layer at all."""
    hint("Each further layer of stride 1 adds its kernel size less one.")
    assert student.receptive_field([]) == 1
    for depth in range(1, 6):
        layers = [(random.randint(1, 7), 1) for _ in range(depth)]
        assert student.receptive_field(layers) == pixels_seen(layers)


@pytest.mark.points(2)
def test_receptive_field_with_strides(student):
    """receptive_field is right for networks with strides and pooling."""
    hint("A stride widens what comes after it, not its own layer: follow the order of the layers.")
    networks = [
        [(5, 1), (2, 2), (5, 1), (2, 2)],
        *([(random.randint(1, 5), random.randint(1, 3)) for _ in range(4)] for _ in range(10)),
    ]
    for layers in networks:
        assert student.receptive_field(layers) == pixels_seen(layers)


@pytest.mark.points(2)
@pytest.mark.parametrize(
    ("strides", "paddings"),
    [((1,), (0,)), ((1,), (1, 2, 3)), ((2, 3, 4), (0,)), ((2, 3, 4), (1, 2, 3))],
    ids=["plain", "padded", "strided", "both"],
)
def test_output_size(student, strides, paddings):
    """conv_output_size counts the places at which the kernel fits."""
    hint("Padding counts on both sides; where the steps do not come out even, round down.")
    for _ in range(20):
        case = (
            random.randint(7, 40),
            random.randint(1, 7),
            random.choice(strides),
            random.choice(paddings),
        )
        assert student.conv_output_size(*case) == positions(*case)


@pytest.mark.points(1)
def test_output_size_refuses_a_kernel_that_does_not_fit(student):
    """conv_output_size raises a ValueError for a kernel larger than the padded input, only then."""
    hint("Mind the border case: a kernel exactly as large as the padded input fits once.")
    for padding in (0, 1, 2):
        n, stride = random.randint(4, 9), random.randint(1, 3)
        border = n + 2 * padding
        kernels = [border, border + random.randint(1, 4), border - stride, border + 1]
        cases = [(n, kernel, stride, padding) for kernel in random.sample(kernels, 4)]
        wanted = [positions(*case) if case[1] <= border else "ValueError" for case in cases]
        found = student.run(sizes_or_refusals, student.conv_output_size, cases)
        assert [str(size) for size in found] == [str(size) for size in wanted]
