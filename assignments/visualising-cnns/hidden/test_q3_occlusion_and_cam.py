"""Question 3: occlusion and Grad-CAM.

The bounds of the maps of the judge's own network are explained in the reference's note for
instructors.
"""

import random

import pytest
import torch
from networks import called, called_at, hooks_after_failure, judged_network

from grader.suite.credit import bands, credit
from grader.suite.hints import hint

pytestmark = pytest.mark.question("q3")

occlusion_share = bands((0.20, 0), (0.40, 1))
cam_share = bands((0.12, 0), (0.27, 1))


@pytest.mark.points(4)
@pytest.mark.parametrize(
    ("shape", "size", "stride"),
    [((1, 6, 9), (2, 3), 1), ((3, 5, 8), (3, 2), 2), ((2, 7, 4), (1, 4), 3)],
    ids=str,
)
def test_occlusion(student, reference, draw, close, shape, size, stride):
    """occlusion is the mean drop of the score over the windows that cover a pixel."""
    hint("Rows before columns. The drop of the logit, with its sign; divide by each pixel's count.")
    for n, value in ((1, 0.4), (random.randint(3, 4), random.uniform(-1, 1))):
        case = (*draw(n, *shape), size, stride, value)
        found, _ = student.run(called, student.occlusion, *case)
        close(found, called(reference.occlusion, *case)[0])


@pytest.mark.points(2)
def test_occlusion_at_the_border(student, reference, draw, close):
    """Pixels that no window covers get 0; stride 1 and value 0 are the defaults; no traces."""
    hint("A window that sticks out is left out. The pictures that were given stay as they are.")
    weights, x, target = draw(2, 2, 7, 6)
    found, traces = student.run(called, student.occlusion, weights, x, target, (2, 4), 3)
    close(found, called(reference.occlusion, weights, x, target, (2, 4), 3, 0.0)[0])
    assert (found[:, 2] == 0).all()
    assert (found[:, :, 4:] == 0).all()
    hint(f"Left behind: {', '.join(traces)}.")
    assert traces == []
    for size in ((7, 6), (3, 3)):
        found, _ = student.run(called, student.occlusion, weights, x, target, size)
        close(found, called(reference.occlusion, weights, x, target, size, 1, 0.0)[0])


def cam(grad_cam, weights, place, x, target):
    """Grad-CAM of the layer at a place, and its traces."""

    def with_layer(model, layers, x, target):
        return grad_cam(model, layers[0], x, target)

    return called_at(with_layer, weights, [place], x, target)


def cam_after_failure(grad_cam, weights, place, x, target):
    """How many hooks are left when the model fails."""

    def with_layer(model, x, target):
        return grad_cam(model, model.get_submodule(place), x, target)

    return hooks_after_failure(with_layer, weights, x, target)


@pytest.mark.points(4)
@pytest.mark.parametrize("place", ["0", "1", "2", "1.0"])
def test_grad_cam(student, reference, draw, close, place):
    """grad_cam weighs a layer's maps by their mean gradients, keeps what is positive, enlarges."""
    hint("Mean over positions, sum over maps, then ReLU, then bilinear; H before W.")
    for n, shape in ((1, (1, 8, 5)), (random.randint(3, 4), (2, 7, 11))):
        weights, x, target = draw(n, *shape)
        found, _ = student.run(cam, student.grad_cam, weights, place, x, target)
        close(found, cam(reference.grad_cam, weights, place, x, target)[0])


@pytest.mark.points(2)
def test_grad_cam_leaves_no_traces(student, reference, draw, close):
    """The hook is removed, also when the model fails; where all speaks against, the map is 0."""
    weights, x, target = draw(3, 2, 7, 5)
    found, traces = student.run(cam, student.grad_cam, weights, "2", x, target)
    close(found, cam(reference.grad_cam, weights, "2", x, target)[0])
    hint(f"Left behind: {', '.join(traces)}.")
    assert traces == []
    hint("A layer may stand before all weights: then only the picture can ask for gradients.")
    large = torch.rand(3, 2, 14, 5, dtype=torch.float64)
    found, _ = student.run(cam_of_pixels, student.grad_cam, weights, large, target)
    close(found, cam_of_pixels(reference.grad_cam, weights, large, target)[0])
    hint("A class with negative weights alone has a map of zeros behind a ReLU, no NaN.")
    weights[-2] = -weights[-2].abs()
    found, _ = student.run(cam, student.grad_cam, weights, "1", x, target)
    close(found, cam(reference.grad_cam, weights, "1", x, target)[0])
    hint("try … finally: the hook goes whatever happens.")
    many = torch.rand(2, 5, 7, 5, dtype=torch.float64)
    assert student.run(cam_after_failure, student.grad_cam, weights, "0", many, target[:2]) == 0
    assert student.run(cam_after_failure, student.grad_cam, weights, "2", x, target + 99) == 0


def cam_of_pixels(grad_cam, weights, x, target):
    """Grad-CAM of what stands before all weights of a model."""

    def with_layer(model, x, target):
        whole = torch.nn.Sequential(torch.nn.AvgPool2d((2, 1)), model)
        return grad_cam(whole, whole[0], x, target)

    return called(with_layer, weights, x, target)


def occlusion_maps(occlusion, state, x, y):
    """Occlusion maps of a network that the judge has trained."""
    return occlusion(judged_network(state), x, y, (3, 3), 1, 0.3).detach()


def cam_maps(grad_cam, state, x, y):
    """Grad-CAM of the last convolution of a network that the judge has trained."""
    model = judged_network(state)
    return grad_cam(model, model[9], x, y).detach()


def judge(maps, region, share, name):
    """Give credit for the share of the maps that lies where the glyph is."""
    assert maps.shape == region.shape
    assert maps.isfinite().all()
    sizes = maps.double().abs().flatten(1)
    inside = (sizes * region.flatten(1)).sum(1) / sizes.sum(1).clamp(min=1e-30)
    found = inside.mean().item()
    credit(share(found), f"{name}: {found:.0%} lie in the true region.", measured=found)


@pytest.mark.points(2)
def test_occlusion_finds_the_glyph(student, judged):
    """Of a network that reads glyphs, the occlusion map lies where the glyph is."""
    hint("An even map has 8 % there. Which picture belongs to which map? Rows and columns?")
    state, x, y, region = judged
    maps = student.run(occlusion_maps, student.occlusion, state, x, y)
    judge(maps, region, occlusion_share, "Occlusion")


@pytest.mark.points(2)
def test_grad_cam_finds_the_glyph(student, judged):
    """Of a network that reads glyphs, Grad-CAM lies where the glyph is."""
    hint("An even map has 8 % there. Which picture belongs to which map? Rows and columns?")
    state, x, y, region = judged
    judge(student.run(cam_maps, student.grad_cam, state, x, y), region, cam_share, "Grad-CAM")
