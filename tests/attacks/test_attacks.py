"""Every case in every sandbox: nobody gains, nothing gets out, the next submission is untouched."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.attacks.batches import Batch, Class, faults
from tests.attacks.corpus import CHOSEN, FULL, PLACES, Case, Place, cases, is_chosen
from tests.attacks.leftovers import nothing_is_left
from tests.sandbox.places import docker_image

_SAMPLE = {"local-warm": 1, "docker-warm": 12, "docker-single-use": 45}
"""Of so many cases one is run in `make test`; all of them in `make test-attacks`."""


def _chosen(place: Place) -> list[Case]:
    if CHOSEN:
        return [c for c in cases() if is_chosen(c) and place in c.places]
    return [c for c in cases()[:: _SAMPLE[place]] if place in c.places]


def _parameters() -> list[Any]:
    found = []
    for place in PLACES:
        mark = pytest.mark.local_box if place == "local-warm" else pytest.mark.docker
        found += [pytest.param(place, c, id=f"{place}-{c.id}", marks=mark) for c in _chosen(place)]
    return found


class _Graded:
    """The batches that have been graded, each when its first case is asked for."""

    def __init__(self, factory: pytest.TempPathFactory, say: Callable[[str], None]) -> None:
        self._factory = factory
        self._say = say
        self._batches: dict[Place, Batch] = {}

    def batch(self, place: Place) -> Batch:
        if place not in self._batches:
            if place.startswith("docker"):
                docker_image()
            root: Path = self._factory.mktemp(place)
            # In full each is followed in its own slot; in single use none is, and few are tried.
            followed = bool(CHOSEN) and place != "docker-single-use"
            every = 1 if followed else 10
            handed_in = Class(root=root, cases=_chosen(place), every=every)
            sandbox, _, isolation = place.partition("-")
            with nothing_is_left():
                slots = 1 if followed else 2
                batch = handed_in.grade(sandbox, isolation, slots=slots, say=self._say)
                assert batch.trouble == ""
            self._batches[place] = batch
        return self._batches[place]


@pytest.fixture(scope="module")
def graded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> _Graded:
    terminal = request.config.pluginmanager.get_plugin("terminalreporter")
    return _Graded(tmp_path_factory, terminal.write_line if CHOSEN and terminal else lambda _: None)


@pytest.mark.slow
@pytest.mark.timeout(3600)
@pytest.mark.parametrize(("place", "case"), _parameters())
def test_the_attack_fails(graded: _Graded, place: Place, case: Case) -> None:
    batch = graded.batch(place)
    assert batch.honest.verdict is not None
    assert batch.honest.verdict.points == FULL
    assert faults(case, batch) == []
