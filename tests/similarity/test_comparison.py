"""Which pairs of a class are found, and which are not."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from itertools import combinations

import pytest

from grader.api.similarity import similarity
from grader.course.directory import Course
from grader.resources import shipped_dir
from grader.similarity import comparison
from grader.similarity.comparison import COMMON_MOST, LEAST_SCORE, SMALL_CLASS, compare
from grader.similarity.fingerprints import ComparedCode, fingerprinted
from tests.similarity.disguises import (
    DEAD_CODE,
    INDEPENDENT,
    REFORMATTED,
    RENAMED,
    REORDERED,
    RIGHT,
    code,
    random_solution,
)

Others = Callable[[], dict[str, ComparedCode]]
STARTER = """\
def load(path):
    table = torch.load(path)
    images, labels = table["images"], table["labels"]
    images = images.float().div(255).sub(0.5).div(0.25)
    return images.reshape(len(images), -1), labels.long()

def show(images, labels, count):
    figure, axes = plt.subplots(1, count, figsize=(count, 1.2))
    for axis, image, label in zip(axes, images, labels):
        axis.imshow(image.reshape(8, 8), cmap="gray")
        axis.set_title(str(label.item()))
        axis.axis("off")
    figure.tight_layout()
"""


@cache
def crowd() -> dict[str, ComparedCode]:
    """A class whose members have solved the task each by themselves."""
    return {f"s{seed:02}": code(random_solution(seed)) for seed in range(SMALL_CLASS)}


@pytest.mark.parametrize(
    "disguise",
    [RIGHT, RENAMED, REORDERED, REFORMATTED, DEAD_CODE],
    ids=["copied", "renamed", "reordered", "reformatted", "dead-code"],
)
@pytest.mark.parametrize("others", [crowd, dict], ids=["in a class", "two alone"])
def test_a_disguised_copy_is_found(disguise: str, others: Others) -> None:
    compile(disguise, "disguise", "exec")
    found = compare({"ada": code(RIGHT), "bob": code(disguise), **others()})
    assert [pair.students for pair in found.pairs] == [("ada", "bob")]
    assert found.pairs[0].score > LEAST_SCORE


@pytest.mark.parametrize("others", [crowd, dict], ids=["in a class", "two alone"])
def test_two_who_solved_the_same_task_by_themselves_are_not_found(
    others: Others,
) -> None:
    assert not compare({"ada": code(RIGHT), "bob": code(INDEPENDENT), **others()}).pairs


def test_a_copy_split_over_cells_is_found() -> None:
    parts = RENAMED.split("\n\n\n")
    found = compare({"ada": code(RIGHT), "bob": code(*parts), **crowd()})
    assert [pair.students for pair in found.pairs] == [("ada", "bob")]


def test_released_code_alone_makes_no_pair() -> None:
    starter = fingerprinted([(1, STARTER)], every_run=True).fingerprints
    class_ = {f"s{i}": code(STARTER, random_solution(i, 6)) for i in range(4)}
    assert compare(class_).pairs  # it would make some
    assert not compare(class_, starter).pairs


def test_who_handed_in_only_the_released_code_is_too_short_to_compare() -> None:
    starter = fingerprinted([(1, STARTER)], every_run=True).fingerprints
    found = compare({"ada": code(STARTER), "bob": code(STARTER)}, starter)
    assert found.too_short == ("ada", "bob")
    assert not found.pairs


def test_what_a_good_part_of_the_class_has_says_nothing() -> None:
    class_ = {f"s{i:02}": code(RIGHT, random_solution(i, 12)) for i in range(30)}
    assert not compare(class_).pairs


def test_a_group_is_found_and_marked_as_known() -> None:
    class_ = {"ada": code(RIGHT), "bob": code(RENAMED), **crowd()}
    (pair,) = compare(class_, known={("ada", "bob"): "one group"}).pairs
    assert pair.known == "one group"


def test_the_order_of_the_class_does_not_matter() -> None:
    class_ = {"ada": code(RIGHT), "bob": code(RENAMED), **crowd()}
    assert compare(class_) == compare(dict(reversed(class_.items())))


def test_a_class_of_nobody_and_of_one_has_no_pairs() -> None:
    assert not compare({}).pairs
    assert not compare({"ada": code(RIGHT)}).pairs


@pytest.mark.parametrize(
    "name", ["mlp-backprop", "rnn", "cnn", "transformers-gnns", "optimisation"]
)
def test_right_answers_in_two_ways_are_not_a_pair_and_copies_of_one_are(name: str) -> None:
    course = Course(shipped_dir("assignments").parent)
    samples = course.assignment(name).folder / "samples"
    found = similarity(course, name, [samples]).comparison
    pairs = {pair.students for pair in found.pairs}
    assert ("name_missing", "right") in pairs
    assert not any("other_way" in pair for pair in pairs)
    assert found.too_short == ("untouched",)


def test_the_work_grows_with_the_class_and_not_with_its_square(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_at: list[int] = []

    def counted(students: list[str], size: int) -> list[tuple[str, ...]]:
        assert len(students) <= COMMON_MOST
        found = list(combinations(students, size))
        looked_at[-1] += len(found)
        return found

    monkeypatch.setattr(comparison, "combinations", counted)
    for size in (105, 420):
        # In sevens they share what seven have, and everybody has the starter code.
        sevens = [code(STARTER, random_solution(i, 24)) for i in range(size // 7)]
        looked_at.append(0)
        class_ = {f"s{i:03}": sevens[i // 7] for i in range(size)}
        assert compare(class_).compared == size
    assert looked_at[0] > 0
    assert looked_at[1] < 10 * looked_at[0]  # all pairs are sixteen times as many
