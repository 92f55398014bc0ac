"""The sandbox image: what it is made from, whether it is fresh, and how it is built.

An image's tag and labels carry the hash of what it was made from. A stale one is named, never used
silently, and two versions of the grader on one machine have an image each.
Each layer is made by running a script in a container and committing the result, which works alike
with every engine, old or new, with or without BuildKit. Only the Debian packages of an assignment
that asks for some are installed with a network.
"""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Literal

from docker.errors import ImageNotFound

import grader
from grader import __version__
from grader.course.spec import BoxSpec
from grader.errors import ImageError
from grader.sandbox.engine import OWNER_LABEL, SLOT_LABEL, Engine, connect, ours, speaking
from grader.sandbox.image_base import find_base
from grader.sandbox.image_scripts import ADD_CODE, ADD_LIBRARIES, ADD_PACKAGES, PROBE, proxies
from grader.sandbox.wheels import WheelTarget, box_requirements, fetch

REPOSITORY = "grader-sandbox"
LABELS = "org.grader."
BUILD_FIX = "Run `grader sandbox build`."
_BUILD_FOLDER = "/grader-build"
_WAIT_S = 1800
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ImageState:
    """Whether there is an image for a set of libraries and packages."""

    status: Literal["missing", "stale", "ready"]
    tag: str
    image_id: str = ""
    reason: str = ""
    fix: str = ""


BASE = BoxSpec()


def image_tag(box: BoxSpec = BASE, *, code: bool = True) -> str:
    """The tag of the image for a box, with or before the box's code."""
    inputs = _inputs(box, code=code)
    return f"{REPOSITORY}:{inputs['kind']}-{_digest(sorted(inputs.values()))}"


def find_image(box: BoxSpec = BASE, *, engine: Engine) -> ImageState:
    """Say whether the image for a box is there and made from what we have now."""
    return _state(box, engine, code=True)


def _state(box: BoxSpec, engine: Engine, *, code: bool) -> ImageState:
    tag, inputs = image_tag(box, code=code), _inputs(box, code=code)
    more = box.libraries or box.packages
    fix = "Run `grader sandbox build --for ASSIGNMENT`." if more else BUILD_FIX
    found = _inspect(engine, tag) or _newest(engine, inputs["kind"])
    if found is None:
        reason = f"the sandbox image {tag} is not built"
        return ImageState(status="missing", tag=tag, reason=reason, fix=fix)
    labels = (found.get("Config") or {}).get("Labels") or {}
    changed = [
        name for name in _SAID if name in inputs and labels.get(LABELS + name) != inputs[name]
    ]
    if changed:
        what = " and ".join(_SAID[name] for name in changed)
        reason = f"the sandbox image {tag} is stale: {what} changed since it was built"
        return ImageState(
            status="stale", tag=tag, image_id=str(found["Id"]), reason=reason, fix=fix
        )
    return ImageState(status="ready", tag=tag, image_id=str(found["Id"]))


_SAID = {
    "box": "the box's code",
    "requirements": "the versions of its libraries",
    "recipe": "the way it is built",
}


def _inputs(box: BoxSpec, *, code: bool) -> dict[str, str]:
    """What an image is made from, but for its base: cheap to compute, so asked at every start."""
    more = [*sorted(box.libraries), *(f"{name} (package)" for name in sorted(box.packages))]
    name = f"with-{_digest(more)}" if more else "base"
    inputs = {
        "kind": name if code else f"{name}-libraries",
        "requirements": json.dumps([*box_requirements(), *sorted(box.libraries)]),
        "recipe": recipe_hash(),
    }
    return {**inputs, "box": box_hash()} if code else inputs


def recipe_hash() -> str:
    """What stands for the way in which an image is built."""
    return _digest([ADD_LIBRARIES, ADD_PACKAGES, ADD_CODE])


def _digest(texts: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(texts).encode()).hexdigest()[:12]


def build_image(
    box: BoxSpec = BASE,
    *,
    base: str | None = None,
    rebuild: bool = False,
    tell: Tell = lambda text: None,
) -> ImageState:
    """Build the image for a box; what is up to date is kept.

    Libraries and packages make an image of their own, so that a change of the box's code costs
    seconds.

    Raises:
        InfrastructureError: no engine.
        ImageError: no base, no wheels, no packages, or the build failed.
    """
    engine = connect(timeout_s=_WAIT_S)  # a commit of gigabytes takes minutes on a slow disk
    state = find_image(box, engine=engine)
    if state.status == "ready" and not rebuild:
        tell(f"{state.tag} is up to date")
        return state
    start = _without_code(engine, box, base, rebuild, tell)
    tell("adding the box's code")
    code = {f"code/{name}": data for name, data in box_files().items()}
    _run_and_commit(engine, start, ADD_CODE, code, state.tag, _inputs(box, code=True))
    found = find_image(box, engine=engine)
    if found.status != "ready":
        raise ImageError(f"the image was built and is {found.status}: {found.reason}")
    tell(f"{found.tag} is ready")
    return found


def _without_code(engine: Engine, box: BoxSpec, base: str | None, rebuild: bool, tell: Tell) -> str:
    """The image with all but our own code, layer by layer; returns its id.

    From the bottom: a base, torch and what else every box has, packages, libraries.
    """
    state = _state(box, engine, code=False)
    if state.status == "ready" and not rebuild and base is None:
        return state.image_id
    labels = _inputs(box, code=False)
    if box.libraries:
        below = BoxSpec(packages=box.packages)
        start = _without_code(engine, below, base, rebuild and below != BASE, tell)
        _add_libraries(engine, start, box.libraries, box_requirements(), state.tag, labels, tell)
    elif box.packages:
        start = _without_code(engine, BASE, base, False, tell)
        tell(f"installing Debian packages: {' '.join(box.packages)}")
        files = {"packages": " ".join(box.packages).encode(), "proxies": proxies()}
        _run_and_commit(engine, start, ADD_PACKAGES, files, state.tag, labels, online=True)
    else:
        start = find_base(engine, base, tell)
        _add_libraries(engine, start, box_requirements(), (), state.tag, labels, tell)
    return _state(box, engine, code=False).image_id


def _add_libraries(
    engine: Engine,
    start: str,
    wanted: Sequence[str],
    have: Sequence[str],
    tag: str,
    labels: dict[str, str],
    tell: Tell,
) -> None:
    """Install libraries; what the image has already keeps its version."""
    target = _target(engine, start)
    with tempfile.TemporaryDirectory(prefix="grader-image-") as folder:
        wheels = Path(folder, "wheels")
        wheels.mkdir()
        constraints = Path(folder, "constraints.txt") if have else None
        if constraints:
            constraints.write_text("\n".join(have) + "\n")
        tell(f"downloading wheels for Python {target.python}")
        fetch(wanted, wheels, target, have=constraints)
        tell(f"installing {len(list(wheels.iterdir()))} wheels, without network")
        files = {"requirements.txt": ("\n".join(wanted) + "\n").encode(), "pip.pyz": pip_archive()}
        _run_and_commit(engine, start, ADD_LIBRARIES, files, tag, labels, wheels=wheels)


def _run_and_commit(
    engine: Engine,
    start: str,
    script: str,
    files: dict[str, bytes],
    tag: str,
    labels: dict[str, str],
    *,
    wheels: Path | None = None,
    online: bool = False,
) -> None:
    """Run a script with its files in a container of `start`, and commit what it leaves."""
    api = engine.api
    with speaking():
        container = api.create_container(
            start,
            command=["sh", f"{_BUILD_FOLDER}/script.sh"],
            entrypoint=[],
            user="0:0",
            labels=ours("build"),
            # An engine without a bridge has this machine's network alone.
            host_config=engine.host_config(network_mode="host" if online else "none"),
        )["Id"]
    try:
        with tempfile.TemporaryFile() as context:
            _write_context(context, {"script.sh": script.encode(), **files}, wheels)
            context.seek(0)
            with speaking():
                api.put_archive(container, "/", context)
                api.start(container)
                status = api.wait(container)["StatusCode"]
        if status:
            log = api.logs(container, tail=20).decode("utf-8", "replace").strip()
            raise ImageError(f"the image can't be built: {log[-800:]}")
        repository, _, name = tag.partition(":")
        config = _config({LABELS + k: v for k, v in labels.items()})
        # Podman passes over a configuration in silence, and takes it as lines of a Dockerfile.
        how = {"changes": as_changes(config)} if engine.is_podman else {"conf": config}
        with speaking():
            api.commit(container, repository=repository, tag=name, **how)
    finally:
        with speaking():
            api.remove_container(container, force=True, v=True)


def _config(labels: dict[str, str]) -> dict[str, Any]:
    # An image takes over its container's labels: whoever runs it would have a slot of a dead owner.
    nobodys = {SLOT_LABEL: "", OWNER_LABEL: ""}
    return {
        "Labels": {**nobodys, **labels, LABELS + "version": __version__},
        "Env": [
            "PATH=/opt/python/bin:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH=/opt/grader-box",
            "LANG=C.UTF-8",
            "MPLCONFIGDIR=/tmp/matplotlib",
        ],
        "User": "10001:10001",
        "Cmd": ["python3", "-m", "grader.box.zygote", "--isolation", "warm"],
        "Entrypoint": ["/opt/start"],
        "WorkingDir": "/tmp",  # noqa: S108 - inside the image
    }


def as_changes(config: dict[str, Any]) -> list[str]:
    """An image's configuration as lines of a Dockerfile, as Podman reads them: without quoting."""
    return [
        *(f"LABEL {name}={value}" for name, value in config["Labels"].items()),
        *(f"ENV {setting}" for setting in config["Env"]),
        f"USER {config['User']}",
        f"CMD {json.dumps(config['Cmd'])}",
        f"ENTRYPOINT {json.dumps(config['Entrypoint'])}",
        f"WORKDIR {config['WorkingDir']}",
    ]


def _write_context(file: IO[bytes], files: dict[str, bytes], wheels: Path | None) -> None:
    """Everything that a build step needs, under one folder, owned by root."""
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, data in files.items():
            _add(archive, name, data)
        for wheel in sorted(wheels.iterdir()) if wheels else ():
            _add_file(archive, f"wheels/{wheel.name}", wheel)


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(f"{_BUILD_FOLDER[1:]}/{name}")
    member.size, member.mode = len(data), 0o644
    archive.addfile(member, io.BytesIO(data))


def _add_file(archive: tarfile.TarFile, name: str, path: Path) -> None:
    member = tarfile.TarInfo(f"{_BUILD_FOLDER[1:]}/{name}")
    member.size, member.mode = path.stat().st_size, 0o644
    with path.open("rb") as file:
        archive.addfile(member, file)


def pip_archive() -> bytes:
    """The host's own pip as one file that the image's Python can run; it does not stay there."""
    import zipfile

    import pip

    buffer = io.BytesIO()
    package = Path(pip.__file__).parent
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        start = "import runpy\nrunpy.run_module('pip', run_name='__main__')\n"
        archive.writestr("__main__.py", start)
        for path in sorted(package.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, f"pip/{path.relative_to(package)}")
    return buffer.getvalue()


def box_files() -> dict[str, bytes]:
    """The only code of ours in an image: the box and the wire."""
    package = Path(grader.__file__).parent
    files = {"grader/__init__.py": (package / "__init__.py").read_bytes()}
    for room in ("wire", "box"):
        for path in sorted((package / room).glob("*.py")):
            files[f"grader/{room}/{path.name}"] = path.read_bytes()
    return files


def box_hash() -> str:
    """What stands for the box's code."""
    digest = hashlib.sha256()
    for name, data in sorted(box_files().items()):
        digest.update(f"{name} {len(data)}\n".encode() + data)
    return digest.hexdigest()


def _target(engine: Engine, image: str) -> WheelTarget:
    """Ask the image which Python it has."""
    api = engine.api
    with speaking():
        container = api.create_container(
            image,
            command=["python3", "-c", PROBE],
            entrypoint=[],
            labels=ours("build"),
            host_config=engine.host_config(network_mode="none"),
        )["Id"]
        try:
            api.start(container)
            api.wait(container, timeout=_WAIT_S)
            words = api.logs(container, stderr=False).decode().split()
        finally:
            api.remove_container(container, force=True)
    if len(words) != 3:
        raise ImageError(
            f"the base image {image} has no python3", hint="Name one that has, with --base."
        )
    return WheelTarget(*words)


def _inspect(engine: Engine, tag: str) -> dict[str, Any] | None:
    with speaking():
        try:
            found: dict[str, Any] = engine.api.inspect_image(tag)
        except ImageNotFound:
            return None
    return found


def _newest(engine: Engine, kind: str) -> dict[str, Any] | None:
    """The image of this kind that was made last, from whatever it was made."""
    with speaking():
        made = engine.api.images(filters={"label": [f"{LABELS}kind={kind}"]})
    newest = max(made, key=lambda image: int(image.get("Created") or 0), default=None)
    return _inspect(engine, newest["Id"]) if newest else None
