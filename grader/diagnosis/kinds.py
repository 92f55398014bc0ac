"""Every kind of mistake that can be told: what is kept of it, and what the student reads."""

from __future__ import annotations

KINDS: dict[str, str] = {
    # What it is.
    "no-number": "A number, a tensor or an array was expected; your code gave something else.",
    "nan-everywhere": "Every value is NaN.",
    "nan-somewhere": "Some values are NaN: look for 0/0, the root or the logarithm of a negative "
    "number, or infinity minus infinity.",
    "infinite": "Some values are infinite: look for a division by zero, or the exponential of a "
    "large number.",
    # Shape.
    "transposed": "The values are right, and transposed.",
    "axes-permuted": "The values are right, with the axes in another order.",
    "other-shape": "The values are right, in another shape.",
    "batch-axis-missing": "The axis of the batch is missing.",
    "axis-too-many": "There is one axis too many.",
    "axis-of-one-missing": "An axis of size one is missing: was it squeezed out, or `keepdim` left "
    "out?",
    "not-broadcast": "An axis has size one, where it should have a value for each position.",
    "summed-too-far": "An axis that should stay was summed over.",
    "averaged-too-far": "An axis that should stay was averaged over.",
    "reduced-too-far": "An axis that should stay is gone.",
    "not-reduced": "An axis that should be summed or averaged over is still there.",
    "one-too-few": "One position of an axis is missing, at its beginning or its end.",
    "one-too-many": "An axis has one position too many.",
    "wrong-shape": "The shape is another than the one that was asked for.",
    # All of it.
    "all-zero": "Every value is zero.",
    "constant": "The same value stands everywhere.",
    "same-rows": "Every row is the same.",
    "sign": "The sign is the other way round.",
    "absolute": "A sign was lost: it looks like the absolute value.",
    "single-precision": "Right to single precision only: was something computed in float32?",
    "half-precision": "Right to half precision only: was something computed in float16?",
    "rounded": "The values are rounded, or cut off, to whole numbers.",
    # Factors.
    "not-averaged": "Summed where the mean was asked for: not divided by a number of values.",
    "averaged": "Averaged where the sum was asked for: divided by a number of values.",
    "square-root-factor": "Off by a factor that is the square root of a size: look at the scaling.",
    "factor-two": "Off by a factor of two.",
    "bessel": "Off by n/(n − 1): the other definition of the variance.",
    "logarithm-base": "The logarithm, or the exponential, has another base.",
    "factor": "Off by one constant factor everywhere.",
    "factor-by-row": "Each row is off by a factor of its own: look at the normalised axis.",
    "factor-by-column": "Each column is off by a factor of its own: look at the normalised axis.",
    # Offsets.
    "off-by-one": "Every value is off by one: does counting begin at zero or at one?",
    "not-centred": "A constant should have been subtracted, such as the mean.",
    "offset": "Off by one constant amount everywhere.",
    "offset-by-row": "Each row is off by an amount of its own: over which axis is it "
    "added or subtracted?",
    "offset-by-column": "Each column is off by an amount of its own, as where a bias is missing or "
    "wrong.",
    # Functions.
    "squared": "The values are squared: a root is missing.",
    "rooted": "The root was taken where it was not asked for.",
    "exponential": "An exponential too many, or a logarithm is missing.",
    "logarithm": "A logarithm too many, or an exponential is missing.",
    "reciprocal": "The values are upside down: one divided by what was expected.",
    "complement": "One minus what was expected.",
    "inverted": "True and false are the other way round.",
    "negatives-cut-off": "Negative values are cut off.",
    "other-axis": "Normalised over another axis.",
    "accumulated": "Added up along an axis, where each value was asked for alone.",
    "differences": "Differences along an axis, where the sums were asked for.",
    # Order.
    "reversed": "Right, and in reverse order along an axis.",
    "shifted": "Right, and shifted by one position along an axis.",
    "rows-reordered": "The rows are right, in another order.",
    "other-order": "The values are right, in another order.",
    # Part of it.
    "first-only": "Only the first row, or position, is right.",
    "all-but-first": "Right but for the first row, or position.",
    "all-but-last": "Right but for the last row, or position.",
    "one-column": "Right but for one column.",
    "one-row": "Right but for one row.",
    "upper-triangle": "Right below the diagonal, and wrong above it: look at the mask.",
    "lower-triangle": "Right above the diagonal, and wrong below it: look at the mask.",
    "diagonal": "Right but for the diagonal.",
    "negative-inputs": "Right where the result is positive, and wrong elsewhere.",
    "nearly": "Close, and off by more than rounding: look for an `eps`, a step size or an "
    "approximation.",
}
"""By the name under which a verdict keeps it."""


def sentence_of(kind: str) -> str:
    """What the student reads of a kind; empty of one that is not known, as from a newer version."""
    return KINDS.get(kind, "")
