"""Remove what batches that were killed have left in the engine."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any, Literal

from docker.errors import APIError

from grader.sandbox.engine import OWNER_LABEL, SLOT_LABEL, Engine, connect, speaking
from grader.sandbox.image import LABELS, box_hash, recipe_hash
from grader.sandbox.owners import process_lives

Images = Literal["none", "old", "all"]


def prune(*, images: Images = "none") -> list[str]:
    """Remove containers and volumes whose owner is gone.

    Args:
        images: "old" removes the images that were not made from this version of the grader's code,
            "all" every image of ours; the next batch that needs one asks for a build.

    Returns what was removed, a phrase each.

    Raises:
        InfrastructureError: no engine answers, or it refuses.
    """
    engine = connect()
    with speaking():
        return [
            *_containers(engine),
            *_volumes(engine),
            *(_images(engine, images) if images != "none" else ()),
        ]


def sweep(engine: Engine) -> None:
    """Remove what batches that were killed have left, so that the next one cleans up after them.

    Raises:
        DockerException: the engine refuses.
    """
    for _ in (*_containers(engine), *_volumes(engine)):
        pass


def _containers(engine: Engine) -> Iterator[str]:
    for container in engine.api.containers(all=True, filters={"label": [SLOT_LABEL]}):
        labels = container.get("Labels") or {}
        if labels.get(SLOT_LABEL) and not _owner_lives(labels):
            with _someone_elses_turn():
                engine.api.remove_container(container["Id"], force=True, v=True)
                yield f"container {container['Id'][:12]}"


def _volumes(engine: Engine) -> Iterator[str]:
    for volume in engine.api.volumes(filters={"label": [SLOT_LABEL]}).get("Volumes") or []:
        if not _owner_lives(volume.get("Labels") or {}):
            with _someone_elses_turn():
                engine.api.remove_volume(volume["Name"], force=True)
                yield f"volume {volume['Name']}"


@contextmanager
def _someone_elses_turn() -> Iterator[None]:
    """Leave alone what another process is removing at this moment, or has removed."""
    try:
        yield
    except APIError as error:
        if error.status_code not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
            raise


def _images(engine: Engine, which: Images) -> Iterator[str]:
    for image in engine.api.images(filters={"label": [f"{LABELS}recipe"]}):
        if which == "old" and _is_current(image.get("Labels") or {}):
            continue
        tags = [tag for tag in image.get("RepoTags") or [] if tag != "<none>:<none>"]
        for name in tags or [image["Id"]]:
            try:
                engine.api.remove_image(name)
            except APIError as error:
                if error.status_code != HTTPStatus.CONFLICT:  # a batch that runs still uses it
                    raise
            else:
                yield f"image {name.removeprefix('sha256:')[:40]}"


def _is_current(labels: dict[str, Any]) -> bool:
    """Whether an image has this version's box; one of libraries alone, whether its recipe."""
    if f"{LABELS}box" in labels:
        return bool(labels[f"{LABELS}box"] == box_hash())
    return bool(labels.get(f"{LABELS}recipe") == recipe_hash())


def _owner_lives(labels: dict[str, Any]) -> bool:
    """Whether the process that made it still runs; one of another machine is left alone."""
    host, _, pid = str(labels.get(OWNER_LABEL, "")).rpartition(":")
    if not pid.isdigit():
        return False
    if host != socket.gethostname():
        return True
    return process_lives(int(pid))
