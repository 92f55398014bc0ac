"""Every kind of mistake that can be told: what is kept of it, and what the student reads."""

from __future__ import annotations

import re
from collections.abc import Collection

OF_VALUES: dict[str, str] = {
    # What it is.
    "no-number": "A number, a tensor or an array was expected; your code gave something else.",
    "empty": "There are no values in it: look at a slice that leaves nothing, such as one that is "
    "cut by a size or a padding of zero.",
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
    "nearly": "Close, and off by more than rounding: something small is missing, or approximated.",
}
"""What a value shows beside the one that was expected (see `explain`)."""

_OF_SOLUTIONS: dict[str, tuple[str, str]] = {
    # What the mutants of a solution call it, and what the student reads.
    "another-axis": (
        "taken over another axis",
        "A sum, a mean, a maximum or the like is taken over another axis.",
    ),
    "over-everything": (
        "taken over everything, where one axis is asked for",
        "A sum, a mean or the like is taken over everything, where one axis is asked for.",
    ),
    "axis-lost": (
        "an axis of size one is lost, so that something is broadcast wrongly",
        "An axis of size one is lost (`keepdim`), so that something is broadcast wrongly.",
    ),
    "summed": ("summed where a mean is asked for", "Summed where a mean is asked for."),
    "mean-taken": (
        "averaged where a sum is asked for",
        "Averaged where a sum is asked for, or divided by the size of the batch once too often.",
    ),
    "other-reduction": ("reduced in another way", "The loss is reduced in another way."),
    "variance": (
        "the variance is divided by n − 1 where n is asked for, or the other way round",
        "The variance is divided by n − 1 where n is asked for, or the other way round.",
    ),
    "root-missing": ("a square root is missing", "A square root is missing."),
    "operand-transposed": (
        "an operand is transposed, or not, the other way round",
        "In a product something is transposed that should not be, or the other way round.",
    ),
    "all-pairs": (
        "each row takes the index of every row, where it has one of its own",
        "Each row has an index of its own, and takes those of all rows: a slice and a list of "
        "indices give every pair.",
    ),
    "permuted": (
        "axes are permuted in another order",
        "Axes are put into another order than the one asked for.",
    ),
    "reshaped": (
        "axes are reshaped in another order",
        "Values are reshaped with the axes in another order: a reshape does not transpose.",
    ),
    "mask-inverted": ("the mask is inverted", "The mask is the other way round."),
    "mask-side": ("the mask hides the wrong side", "The mask hides the wrong side."),
    "off-by-one-position": ("off by one position", "A range or a slice is off by one position."),
    "last-left-out": ("the last step is left out", "The last step of a loop is left out."),
    "first-left-out": ("the first step is left out", "The first step of a loop is left out."),
    "eps-misplaced": (
        "eps stands inside of the root, or outside",
        "The `eps` stands inside of the root where it should be outside, or the other way round.",
    ),
    "no-eps": ("the eps is missing", "The `eps` is missing."),
    "in-place": (
        "an input is changed in place",
        "An input is changed in place, and what is computed from it later is wrong.",
    ),
    "no-activation": (
        "the activation function is missing",
        "An activation function is missing.",
    ),
    "other-activation": ("another activation function", "It is another activation function."),
    "log-softmax": (
        "a log-softmax where a softmax is asked for",
        "It is the logarithm of the softmax, where the softmax is asked for.",
    ),
    "softmax": (
        "a softmax where a log-softmax is asked for",
        "It is the softmax, where its logarithm is asked for.",
    ),
    "other-logarithm": ("the logarithm has another base", "The logarithm has another base."),
    "other-exponential": ("the exponential has another base", "The exponential has another base."),
    "no-upstream": (
        "the upstream gradient is not used",
        "The gradient that comes from above is not used: multiply by it.",
    ),
    "assigned": (
        "assigned where it should be accumulated",
        "Assigned where it should be added up: what came before is lost.",
    ),
    "accumulates": (
        "accumulated where it should be assigned",
        "Added to what was there, where it should be replaced.",
    ),
    "not-reset": (
        "gradients of earlier steps are not reset",
        "Gradients of earlier steps are not reset.",
    ),
    "not-stopped": (
        "a gradient flows where it should be stopped",
        "A gradient flows where it should be stopped.",
    ),
    "cut-off": ("the result is cut from its graph", "The result is cut from its graph."),
    "other-mode": (
        "the other mode: training where evaluation is asked for, or the other way round",
        "It behaves as in training where evaluation is asked for, or the other way round.",
    ),
    "weights-swapped": (
        "the two weights of a moving average are swapped",
        "The two weights of a moving average are the other way round: which part is kept?",
    ),
    "argument-ignored": (
        "an argument is not used",
        "An argument is not used: it is as with its default, whatever is given.",
    ),
    "order-of-steps": (
        "two steps stand in the other order",
        "Two steps are done in the other order: one of them uses a value from before the other.",
    ),
    "zeros-drawn": (
        "zeros where something random is asked for",
        "Zeros, where something random is asked for.",
    ),
    "no-bias": ("the bias is missing", "The bias is missing."),
    "no-scaling": (
        "the scaling by a square root is missing",
        "The scaling by a square root is missing.",
    ),
    "arguments-swapped": ("two arguments are swapped", "Two arguments are swapped."),
    "results-swapped": ("two results are swapped", "Two results are swapped."),
    # These say little more than that something is wrong there.
    "wrong-sign": ("the sign is wrong", "A sign is wrong."),
    "sign-inside": (
        "a sign is the other way round",
        "Within the formula a sign is the other way round.",
    ),
    "divided": (
        "divided where it should be multiplied",
        "Somewhere it is divided where it should be multiplied.",
    ),
    "multiplied": (
        "multiplied where it should be divided",
        "Somewhere it is multiplied where it should be divided.",
    ),
    "factor-missing": (
        "a factor of the formula is missing",
        "A factor of the formula is missing.",
    ),
    "term-missing": ("a term of the formula is missing", "A term of the formula is missing."),
    "power-missing": ("a power is missing", "A power is missing."),
    "other-constant": (
        "a constant of the formula differs",
        "A constant of the formula is another.",
    ),
    "condition": (
        "a condition is the other way round",
        "A condition is the other way round.",
    ),
    "boundary": (
        "a boundary case is treated as the other side",
        "A boundary case is treated as the other side.",
    ),
    "part-missing": (
        "a part of the formula is missing",
        "A part of the formula is missing.",
    ),
    "function-missing": (
        "`…` is missing",
        "A function of the formula is not applied, such as a logarithm or a bound.",
    ),
    "parentheses": (
        "what belongs together is computed in another order",
        "Something is computed in another order: parentheses are missing, or stand elsewhere.",
    ),
    "other-variable": (
        "another variable is used",
        "Somewhere another variable is used, such as the width for the height, or the mean for "
        "the variance.",
    ),
    "step-missing": ("a step is missing", "A step is missing."),
    "update-missing": (
        "a step of an update is missing",
        "A part of an update is missing.",
    ),
}
"""What a solution gives with one thing in it changed (see `mutation`), if a value equals that."""

KINDS = {**OF_VALUES, **{kind: sentence for kind, (_, sentence) in _OF_SOLUTIONS.items()}}
"""Every sentence, by the name under which a verdict keeps its kind."""

_KIND_OF_MISTAKE = {mistake: kind for kind, (mistake, _) in _OF_SOLUTIONS.items()}

_VAGUE_OF_VALUES = frozenset(
    {
        *("factor", "offset", "nearly", "wrong-shape", "reduced-too-far", "not-broadcast"),
        *("factor-by-row", "factor-by-column", "offset-by-row", "offset-by-column"),
        *("one-row", "one-column", "all-but-first", "all-but-last", "first-only", "other-order"),
        *("constant", "same-rows", "other-shape", "half-precision", "negative-inputs"),
        *("lower-triangle", "upper-triangle", "diagonal"),
    }
)
_VAGUE_OF_SOLUTIONS = frozenset(
    {
        *("wrong-sign", "sign-inside", "divided", "multiplied", "factor-missing", "term-missing"),
        *("power-missing", "other-constant", "condition", "boundary", "step-missing"),
        *(
            "update-missing",
            "function-missing",
            "part-missing",
            "arguments-swapped",
            "results-swapped",
            "parentheses",
            "other-variable",
        ),
    }
)


_MISSING = frozenset({"factor-missing", "term-missing", "power-missing", "function-missing"})


def kind_of_mistake(mistake: str) -> str:
    """The kind that tells what a mutant calls its mistake; empty of one that tells nothing."""
    return _KIND_OF_MISTAKE.get(_NAMED.sub("`…`", mistake), "")


_NAMED = re.compile(r"`\w+`")


def is_vague(kind: str) -> bool:
    """Whether a kind of mistake of a solution says little more than that something is wrong."""
    return kind in _VAGUE_OF_SOLUTIONS


def most_telling(of_value: str, of_solutions: Collection[tuple[str, int]]) -> str:
    """Choose what is said: the kind that a value shows, or a mistake that gives the same value.

    What could as well be another mistake is not said. In one line a precise name and a vague one
    are two names of the same mistake; in different lines they are two mistakes.

    Args:
        of_value: what `explain` says; may be empty.
        of_solutions: the kinds of the mistakes with which the solution gives that value, and the
            lines in which they are made.
    """
    kinds = {kind for kind, _ in of_solutions}
    precise, vague = kinds - _VAGUE_OF_SOLUTIONS, kinds & _VAGUE_OF_SOLUTIONS
    if len(precise) == 1:
        lines = {line for kind, line in of_solutions if kind in precise}
        elsewhere = any(line not in lines for _, line in of_solutions)
        return of_value if elsewhere else next(iter(precise))
    if precise or (of_value and of_value not in _VAGUE_OF_VALUES):
        return of_value
    if len(vague) > 1 and vague <= _MISSING:
        return "part-missing"
    return next(iter(vague)) if len(vague) == 1 else of_value


def sentence_of(kind: str) -> str:
    """What the student reads of a kind; empty of one that is not known, as from a newer version."""
    return KINDS.get(kind, "")
