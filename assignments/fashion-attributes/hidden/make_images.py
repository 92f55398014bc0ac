"""Draw the images of the assignment: dresses and tops with one attribute of each of six groups.

    python make_images.py [--seed N]

writes `../data/fashion.npz` (images and labels to train with, images without labels) and
`labels.npz` (the labels that the judge keeps). The same seed draws the same images, so a course
that keeps its repository open should choose another one.
"""

from __future__ import annotations

import argparse
import colorsys
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
SEED = 7454
TRAINING, UNLABELED = 2400, 600
SIZE, FINE = 32, 64  # drawn at twice the size, then averaged: no hard edges
LEVELS = 13  # of brightness, which keeps the files small

GROUPS = {
    "pattern": ("plain", "rows", "columns", "diagonals", "checks", "dots", "emblem"),
    "sleeve": ("none", "short", "long"),
    "length": ("top", "knee", "floor"),
    "neckline": ("round", "v", "square", "high"),
    "colour": ("red", "yellow", "green", "cyan", "blue", "purple"),
    "fit": ("tight", "straight", "flared"),
}
HUES = (0.0, 0.15, 0.34, 0.5, 0.63, 0.81)
SKINS = ((0.95, 0.8, 0.69), (0.85, 0.65, 0.5), (0.62, 0.43, 0.3), (0.38, 0.25, 0.18))


def draw(rng: np.random.Generator, labels: np.ndarray) -> np.ndarray:
    """Draw one image, (SIZE, SIZE, 3) uint8, of a garment with these six labels."""
    pattern, sleeve, length, neckline, colour, fit = labels
    image = _background(rng)
    x, y = _body_coordinates(rng)
    skin = np.array(SKINS[rng.integers(len(SKINS))])
    cloth, arms, person = _shapes(rng, x, y, sleeve, length, neckline, fit)
    fabric = _fabric(rng, x, y, pattern, colour)
    image[person] = skin
    image[arms] = skin * 0.93
    image[cloth] = fabric[cloth]
    _occlude(rng, image)
    light = rng.uniform(0.7, 1.15) * (1 + rng.uniform(-0.25, 0.25) * x)
    image = image * light[..., None] * rng.uniform(0.92, 1.08, 3)
    small = image.reshape(SIZE, 2, SIZE, 2, 3).mean(axis=(1, 3))
    small += rng.normal(0, 0.025, small.shape)
    return (np.rint(small.clip(0, 1) * (LEVELS - 1)) * (252 // (LEVELS - 1))).astype(np.uint8)


def _body_coordinates(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Coordinates of the body at each pixel: moved, turned and scaled at random."""
    axis = (np.arange(FINE) + 0.5) / FINE * 2 - 1
    y, x = np.meshgrid(axis, axis, indexing="ij")
    x, y = x - rng.uniform(-0.2, 0.2), y - rng.uniform(-0.12, 0.12)
    angle, scale = rng.uniform(-0.15, 0.15), rng.uniform(0.95, 1.15)
    return (
        (x * np.cos(angle) - y * np.sin(angle)) / scale,
        (x * np.sin(angle) + y * np.cos(angle)) / scale,
    )


def _shapes(
    rng: np.random.Generator,
    x: np.ndarray,
    y: np.ndarray,
    sleeve: int,
    length: int,
    neckline: int,
    fit: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Where cloth, bare arms and the rest of the person are."""
    top = -0.6
    hem = (-0.02, 0.4, 0.85)[length] + rng.uniform(-0.06, 0.06)
    down = ((y - top) / (hem - top)).clip(0, 1)
    shoulder = 0.3 + rng.uniform(-0.02, 0.02)
    if fit == 0:
        width = shoulder - 0.12 * np.sin(np.pi * down) - 0.06 * down
    elif fit == 1:
        width = shoulder + 0.05 + 0 * down
    else:
        width = shoulder + (0.34 + rng.uniform(-0.04, 0.06)) * down**1.2
    cloth = (np.abs(x) < width) & (y > top) & (y < hem)
    spread = rng.uniform(0.3, 0.6)
    along = y - top
    across = np.abs(x) - shoulder + 0.02 - spread * along
    arm = (np.abs(across) < 0.085) & (along > 0)
    bare = arm & (along < 0.8)
    reach = (0.0, 0.24, 0.72)[sleeve] + rng.uniform(-0.04, 0.04) * (sleeve > 0)
    cloth |= (np.abs(across) < 0.11) & (along > 0) & (along < reach)
    neck = (np.abs(x) < 0.1) & (y > top - 0.15) & (y <= top)
    head = (x / 0.16) ** 2 + ((y - top + 0.27) / 0.19) ** 2 < 1
    depth = rng.uniform(0.85, 1.15)
    if neckline == 0:
        cut = (x / 0.2) ** 2 + ((y - top) / (0.14 * depth)) ** 2 < 1
    elif neckline == 1:
        cut = (along >= 0) & (np.abs(x) < 0.2 * (1 - along / (0.42 * depth)))
    elif neckline == 2:
        cut = (np.abs(x) < 0.22) & (along >= 0) & (along < 0.24 * depth)
    else:
        cut = np.zeros_like(cloth)
        cloth |= (np.abs(x) < 0.13) & (y > top - 0.15) & (y <= top)
    legs = (np.abs(np.abs(x) - 0.11) < 0.085) & (y > 0) & (y < 1)
    return cloth & ~cut, bare, neck | head | cut | legs


def _fabric(
    rng: np.random.Generator, x: np.ndarray, y: np.ndarray, pattern: int, colour: int
) -> np.ndarray:
    """The colour of the cloth everywhere."""
    hue = (HUES[colour] + rng.uniform(-0.035, 0.035)) % 1
    base = np.array(colorsys.hsv_to_rgb(hue, rng.uniform(0.55, 0.95), rng.uniform(0.55, 0.95)))
    other = np.full(3, rng.uniform(0.85, 1.0) if rng.random() < 0.6 else rng.uniform(0.0, 0.15))
    u, v = x + rng.uniform(0, 1), y + rng.uniform(0, 1)
    step = rng.uniform(0.2, 0.28)
    rows, columns = (v / step) % 1 < 0.4, (u / step) % 1 < 0.4
    sign = rng.choice([-1, 1])
    if pattern == 0:
        marked = np.zeros_like(rows)
    elif pattern == 1:
        marked = rows
    elif pattern == 2:
        marked = columns
    elif pattern == 3:
        marked = ((u + sign * v) / (step * 1.4)) % 1 < 0.4
    elif pattern == 4:
        marked = rows ^ columns
    elif pattern == 5:
        marked = ((u / step) % 1 - 0.5) ** 2 + ((v / step) % 1 - 0.5) ** 2 < 0.09
    else:
        middle = rng.uniform(-0.3, -0.12)
        marked = (x / 0.15) ** 2 + ((y - middle) / 0.13) ** 2 < 1
    return np.where(marked[..., None], 0.2 * base + 0.8 * other, base)


def _background(rng: np.random.Generator) -> np.ndarray:
    """A wall with things in it, none of which says anything about the garment."""
    corners = rng.uniform(0.15, 0.95, (2, 3))
    mix = np.linspace(0, 1, FINE)[:, None, None]
    image = np.broadcast_to(corners[0] * (1 - mix) + corners[1] * mix, (FINE, FINE, 3)).copy()
    for _ in range(rng.integers(2, 7)):
        _box(rng, image, smallest=6, largest=26)
    if rng.random() < 0.3:
        image[:, :: rng.integers(4, 9)] *= rng.uniform(0.6, 0.9)
    return image


def _occlude(rng: np.random.Generator, image: np.ndarray) -> None:
    """Something stands in front, mostly."""
    for _ in range(rng.integers(0, 3)):
        _box(rng, image, smallest=5, largest=13)


def _box(rng: np.random.Generator, image: np.ndarray, *, smallest: int, largest: int) -> None:
    height, width = rng.integers(smallest, largest, 2)
    row, column = rng.integers(0, FINE - height), rng.integers(0, FINE - width)
    image[row : row + height, column : column + width] = rng.uniform(0, 1, 3)


def draw_many(rng: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Draw images, (count, SIZE, SIZE, 3), with labels, (count, 6), each class as often."""
    labels = np.stack(
        [rng.permutation(np.arange(count) % len(names)) for names in GROUPS.values()], axis=1
    )
    return np.stack([draw(rng, row) for row in labels]), labels.astype(np.uint8)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED)
    rng = np.random.default_rng(parser.parse_args().seed)
    images, labels = draw_many(rng, TRAINING)
    unlabeled, kept = draw_many(rng, UNLABELED)
    np.savez_compressed(
        HERE.parent / "data" / "fashion.npz", images=images, labels=labels, unlabeled=unlabeled
    )
    np.savez_compressed(HERE / "labels.npz", labels=kept)


if __name__ == "__main__":
    main()
