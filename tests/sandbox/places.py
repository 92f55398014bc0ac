"""Every sandbox that the contract holds for, and how to skip one loudly where it can't be had."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from dataclasses import replace
from unittest import mock

import pytest

from grader.errors import InfrastructureError
from grader.sandbox import local_slot
from grader.sandbox.base import Slot, SlotOptions
from grader.sandbox.cgroups import SlotGroup
from grader.sandbox.local_slot import LocalSlot
from grader.sandbox.transport import Transport
from grader.sandbox.unsafe_slot import UnsafeSlot

PLACES = [
    pytest.param("local-warm", marks=pytest.mark.local_box),
    pytest.param("local-single-use", marks=[pytest.mark.local_box, pytest.mark.slow]),
    pytest.param("local-watched", marks=[pytest.mark.local_box, pytest.mark.slow]),
    pytest.param("unsafe", marks=pytest.mark.local_box),
    pytest.param("docker-warm", marks=pytest.mark.docker),
    pytest.param("docker-single-use", marks=[pytest.mark.docker, pytest.mark.slow]),
    pytest.param("docker-attached", marks=[pytest.mark.docker, pytest.mark.slow]),
]
JAILED = [p for p in PLACES if p.values[0] != "unsafe"]
_HOW = "start an engine, then `grader sandbox build` (as root on Debian: `.ci/start-engine`)"


def docker_image() -> str:
    """The id of the base image, or a loud skip (a failure where GRADER_REQUIRE_DOCKER is set)."""
    from grader.sandbox.engine import connect
    from grader.sandbox.image import find_image

    try:
        state = find_image(engine=connect())
        reason = "" if state.status == "ready" else state.reason
    except InfrastructureError as error:
        reason = error.what
    if not reason:
        return state.image_id
    if os.environ.get("GRADER_REQUIRE_DOCKER"):
        pytest.fail(f"Docker tests are required here, but: {reason}")
    pytest.skip(f"Docker tests are skipped: {reason}. To run them: {_HOW}")


def slot_maker(place: str) -> Callable[[SlotOptions], Slot]:
    """What makes slots of that place."""
    if place == "unsafe":
        return lambda options: UnsafeSlot(replace(options, isolation="unsafe"))
    sandbox, _, isolation = place.partition("-")
    if sandbox == "local":
        if sys.platform != "linux":
            pytest.skip("the local sandbox needs Linux")
        if isolation == "watched":
            return _WatchedSlot
        return lambda options: LocalSlot(replace(options, isolation=isolation))  # type: ignore[arg-type]
    from grader.sandbox.docker_slot import DockerSlot

    image = docker_image()
    if isolation == "attached":
        return lambda options: _attached(replace(options, image=image))
    return lambda options: DockerSlot(replace(options, isolation=isolation, image=image))  # type: ignore[arg-type]


class _WatchedSlot(LocalSlot):
    """A local slot where no control group can be had."""

    def connect(self) -> Transport:
        """Start it as where nobody may make a group."""
        nowhere = {
            "make_group": lambda bounds: SlotGroup(places={}),
            "scope_controllers": frozenset,
        }
        with mock.patch.multiple(local_slot, **nowhere):
            return super().connect()


def _attached(options: SlotOptions) -> Slot:
    """A container that speaks over its attached streams, as with an engine on another machine."""
    from grader.sandbox.docker_slot import DockerSlot
    from grader.sandbox.rendezvous import Rendezvous

    class AttachedSlot(DockerSlot):
        def connect(self) -> Transport:
            with mock.patch.object(Rendezvous, "offer", return_value=None):
                return super().connect()

    return AttachedSlot(options)
