"""Question 3: AdaGrad, RMSProp, Adam and AdamW."""

import random

import pytest
import torch

from grader.suite.hints import hint

pytestmark = pytest.mark.question("q3")

IN_TORCH = {
    "AdaGrad": torch.optim.Adagrad,
    "RMSProp": torch.optim.RMSprop,
    "Adam": torch.optim.Adam,
    "AdamW": torch.optim.AdamW,
}
EVERY_RULE = pytest.mark.parametrize("name", list(IN_TORCH))


def check(steps, name, settings, **more):
    """The parameters after each step are those of the same rule in torch.optim."""
    theirs = {"alpha" if key == "rho" else key: value for key, value in settings.items()}
    steps.check(name, IN_TORCH[name], settings, theirs=theirs, **more)


def betas():
    return random.uniform(0.3, 0.9), random.uniform(0.6, 0.99)


@pytest.mark.points(2)
def test_adagrad(steps):
    """AdaGrad takes the right steps, with a learning rate that changes."""
    hint("A sum of squares, never forgotten. ε stands outside the root.")
    check(steps, "AdaGrad", {"eps": random.uniform(0.1, 0.5)})


@pytest.mark.points(2)
def test_rmsprop(steps):
    """RMSProp takes the right steps, with a learning rate that changes."""
    hint("ρ is how much is kept. ε stands outside the root.")
    settings = {"rho": random.uniform(0.5, 0.95), "eps": random.uniform(0.1, 0.5)}
    check(steps, "RMSProp", settings)


@pytest.mark.points(3)
def test_adam(steps):
    """Adam takes the right steps, without weight decay."""
    hint("Both averages are corrected, and neither correction may leak into the next average.")
    check(steps, "Adam", {"betas": betas(), "eps": random.uniform(0.1, 0.5)})


@pytest.mark.points(1)
@pytest.mark.needs("test_adam")
def test_adam_with_weight_decay(steps):
    """Adam's weight decay is added to the gradient, before everything else."""
    hint("g + λθ is what both averages see.")
    settings = {"betas": betas(), "weight_decay": random.uniform(0.3, 2), "eps": 0.1}
    check(steps, "Adam", settings)


@pytest.mark.points(2)
def test_adamw(steps):
    """AdamW shrinks the parameters apart from Adam's step."""
    hint("Does the decay follow a learning rate that changes? Do the averages see g alone?")
    settings = {"betas": betas(), "weight_decay": random.uniform(0.3, 2), "eps": 0.1}
    check(steps, "AdamW", settings)


@pytest.mark.points(1)
@EVERY_RULE
def test_defaults_are_those_of_the_text(steps, name):
    """Without other settings the rules use the numbers of their signatures."""
    hint("The defaults were given: ε, ρ, β₁, β₂ and λ.")
    # Small gradients, beside which ε is not small.
    grads = [[1e-8 * grad for grad in steps.draw()] for _ in range(5)]
    check(steps, name, {}, grads=grads)


@pytest.mark.points(1)
@pytest.mark.needs("test_adam")
def test_first_step_of_adam_has_the_length_of_the_rate(steps, close):
    """Adam's first step has the length η in every element, however large the gradients are."""
    hint("With both corrections, the first step is η times the sign of the gradient.")
    params, lr = steps.draw(), random.uniform(0.1, 1)
    for scale in (1e-3, 1.0, 1e6):
        grads = [scale * (g + g.sign()) for g in steps.draw()]
        settings = {"eps": 0.0, "betas": betas()}
        found = steps.of_student("Adam", params, settings, [grads], [lr])
        expected = [p - lr * g.sign() for p, g in zip(params, grads, strict=True)]
        close(found[0], torch.cat([part.flatten() for part in expected]))


@pytest.mark.points(2)
@EVERY_RULE
def test_each_parameter_counts_its_own_steps(steps, name):
    """A parameter without gradient waits, with its averages and count; empty ones do no harm."""
    hint("None is no gradient of zero: nothing of this parameter moves in that step.")
    params = [*steps.draw(), torch.empty(0, 3, dtype=torch.float64)]
    grads = [[*steps.draw(), torch.empty(0, 3, dtype=torch.float64)] for _ in range(7)]
    for number, one in enumerate(grads):
        one[number % 4] = None
        one[(number * number) % 3] = None
    settings = {"eps": 0.1, **({"betas": (0.6, 0.8)} if name.startswith("Adam") else {})}
    check(steps, name, settings, params=params, grads=grads)


@pytest.mark.points(1)
@pytest.mark.parametrize("name", ["AdaGrad", "RMSProp", "Adam"])
def test_steps_do_not_depend_on_the_scale_of_the_loss(steps, close, name):
    """With ε = 0, a loss that is a thousand times as large leads to the same steps."""
    hint("Divide by what grows like the gradient: the root of an average of squares.")
    params, grads = steps.draw(), [steps.draw() for _ in range(5)]
    larger, rates = [[1000 * g for g in one] for one in grads], [0.1, 0.2, 0.1, 0.3, 0.05]
    found = steps.of_student(name, params, {"eps": 0.0}, grads, rates)
    scaled = steps.of_student(name, params, {"eps": 0.0}, larger, rates)
    close(scaled, found)
    check(steps, name, {"eps": 0.0}, params=params, grads=grads)
