"""Remove what batches that were killed have left in the engine."""

from __future__ import annotations

import os
import socket
from typing import Any

from grader.sandbox.docker_slot import OWNER_LABEL
from grader.sandbox.engine import SLOT_LABEL, connect, speaking
from grader.sandbox.image import REPOSITORY


def prune(*, images: bool = False) -> list[str]:
    """Remove containers and volumes of ours whose owner is gone; returns what was removed."""
    engine = connect()
    removed = []
    ours = {"label": [SLOT_LABEL]}
    with speaking():
        for container in engine.api.containers(all=True, filters=ours):
            if not _owner_lives(container.get("Labels") or {}):
                engine.api.remove_container(container["Id"], force=True, v=True)
                removed.append(f"container {container['Id'][:12]}")
        for volume in engine.api.volumes(filters=ours).get("Volumes") or []:
            if not _owner_lives(volume.get("Labels") or {}):
                engine.api.remove_volume(volume["Name"], force=True)
                removed.append(f"volume {volume['Name']}")
        if images:
            for image in engine.api.images(name=REPOSITORY):
                for tag in image.get("RepoTags") or []:
                    engine.api.remove_image(tag)
                    removed.append(f"image {tag}")
    return removed


def _owner_lives(labels: dict[str, Any]) -> bool:
    """Whether the process that made it still runs; one of another machine is left alone."""
    host, _, pid = str(labels.get(OWNER_LABEL, "")).rpartition(":")
    if not pid.isdigit():
        return False
    if host != socket.gethostname():
        return True
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
