"""The sandbox image: what it is made from, whether it is fresh, and how it is built.

An image carries the hash of what it was made from. A stale one is named, never used silently.
It is built by running one script in a container without network and committing the result, which
works alike with every engine, old or new, with or without BuildKit.
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
from typing import Any, Literal

from docker.errors import ImageNotFound

import grader
from grader import __version__
from grader.errors import ImageError
from grader.sandbox.engine import Engine, connect, speaking
from grader.sandbox.image_base import find_base
from grader.sandbox.wheels import Target, box_requirements, fetch

REPOSITORY = "grader-sandbox"
LABELS = "org.grader."
BUILD_FIX = "Run `grader sandbox build`."
_BUILD_FOLDER = "/grader-build"
_WAIT_S = 1800
_INSTALL = """\
set -eu
build=/grader-build
[ -x /opt/python/bin/python3 ] || python3 -m venv --without-pip /opt/python
pip="/opt/python/bin/python3 $build/pip.pyz"
$pip install --quiet --no-index --no-compile --disable-pip-version-check \\
    --root-user-action ignore --find-links $build/wheels -r $build/requirements.txt
rm -rf /opt/grader-box && cp -r $build/code /opt/grader-box
mkdir -p /box-data && chmod 755 /box-data
/opt/python/bin/python3 -m compileall -q -j 0 /opt/python/lib /opt/grader-box || true
find / -xdev -type f -perm /6000 -exec chmod a-s {} +
rm -rf $build /root/.cache
"""
_PROBE = (
    "import platform,sys;print('%d.%d' % sys.version_info[:2], platform.machine(), "
    "platform.libc_ver()[1] or '2.17')"
)
Tell = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ImageState:
    """Whether there is an image for a set of libraries."""

    status: Literal["missing", "stale", "ready"]
    tag: str
    image_id: str = ""
    reason: str = ""
    fix: str = ""


def image_tag(libraries: Sequence[str]) -> str:
    """The tag of the image with these libraries beyond the base."""
    if not libraries:
        return f"{REPOSITORY}:base"
    digest = hashlib.sha256("\n".join(sorted(libraries)).encode()).hexdigest()[:12]
    return f"{REPOSITORY}:with-{digest}"


def find_image(libraries: Sequence[str], *, engine: Engine) -> ImageState:
    """Say whether the image for these libraries is there and made from what we have now."""
    tag = image_tag(libraries)
    fix = "Run `grader sandbox build --for ASSIGNMENT`." if libraries else BUILD_FIX
    if libraries:
        base = find_image((), engine=engine)
        if base.status != "ready":
            return base
    found = _inspect(engine, tag)
    if found is None:
        reason = f"the sandbox image {tag} is not built"
        return ImageState(status="missing", tag=tag, reason=reason, fix=fix)
    labels = (found.get("Config") or {}).get("Labels") or {}
    changed = [
        name
        for name, value in _inputs(libraries, engine).items()
        if labels.get(LABELS + name) != value
    ]
    if changed:
        what = ", ".join(_SAID[name] for name in changed)
        reason = f"the sandbox image {tag} is stale: {what} changed since it was built"
        return ImageState(
            status="stale", tag=tag, image_id=str(found["Id"]), reason=reason, fix=fix
        )
    return ImageState(status="ready", tag=tag, image_id=str(found["Id"]))


_SAID = {
    "box": "the box's code",
    "requirements": "the versions of its libraries",
    "recipe": "the way it is built",
    "from": "the base image",
}


def _inputs(libraries: Sequence[str], engine: Engine) -> dict[str, str]:
    """What an image is made from, but for its base: cheap to compute, so asked at every start."""
    inputs = {
        "box": box_hash(),
        "requirements": json.dumps(list(libraries) or box_requirements()),
        "recipe": hashlib.sha256(_INSTALL.encode()).hexdigest(),
    }
    if libraries:
        base = _inspect(engine, image_tag(()))
        inputs["from"] = str(base["Id"]) if base else ""
    return inputs


def build_image(
    libraries: Sequence[str] = (),
    *,
    base: str | None = None,
    rebuild: bool = False,
    tell: Tell = lambda text: None,
) -> ImageState:
    """Build the image for these libraries, and the one that it stands on; nothing if it is fresh.

    Raises:
        InfrastructureError: no engine.
        ImageError: no base, no wheels, or the build failed.
    """
    engine = connect()
    if libraries:
        build_image((), base=base, tell=tell)
    state = find_image(libraries, engine=engine)
    if state.status == "ready" and not rebuild:
        tell(f"{state.tag} is up to date")
        return state
    start = image_tag(()) if libraries else find_base(engine, base, tell)
    target = _target(engine, start)
    wanted = list(libraries) or list(box_requirements())
    with tempfile.TemporaryDirectory(prefix="grader-image-") as folder:
        wheels = Path(folder, "wheels")
        wheels.mkdir()
        tell(f"downloading wheels for Python {target.python}")
        have = None
        if libraries:
            have = Path(folder, "constraints.txt")
            have.write_text("\n".join(box_requirements()) + "\n")
        fetch(wanted, wheels, target, have=have)
        tell(f"installing {len(list(wheels.iterdir()))} wheels, without network")
        labels = {LABELS + k: v for k, v in _inputs(libraries, engine).items()}
        _install(engine, start, wheels, wanted, state.tag, labels)
    found = find_image(libraries, engine=engine)
    if found.status != "ready":
        raise ImageError(f"the image was built and is {found.status}: {found.reason}")
    tell(f"{found.tag} is ready")
    return found


def _install(
    engine: Engine,
    start: str,
    wheels: Path,
    wanted: Sequence[str],
    tag: str,
    labels: dict[str, str],
) -> None:
    """Run the script in a container of `start` and commit what it leaves."""
    api = engine.api
    with speaking():
        container = api.create_container(
            start,
            command=["sh", f"{_BUILD_FOLDER}/install.sh"],
            entrypoint=[],
            user="0:0",
            labels={LABELS + "slot": "build"},
            host_config=api.create_host_config(network_mode="none"),
        )["Id"]
    try:
        with tempfile.TemporaryFile() as archive:
            _write_context(archive, wheels, wanted)
            archive.seek(0)
            with speaking():
                api.put_archive(container, "/", archive)
                api.start(container)
                status = api.wait(container, timeout=_WAIT_S)["StatusCode"]
        if status:
            log = api.logs(container, tail=20).decode("utf-8", "replace").strip()
            raise ImageError(f"the image can't be built: {log[-800:]}")
        repository, _, name = tag.partition(":")
        with speaking():
            api.commit(container, repository=repository, tag=name, conf=_config(labels))
    finally:
        with speaking():
            api.remove_container(container, force=True, v=True)


def _config(labels: dict[str, str]) -> dict[str, Any]:
    return {
        "Labels": {**labels, LABELS + "version": __version__},
        "Env": [
            "PATH=/opt/python/bin:/usr/local/bin:/usr/bin:/bin",
            "PYTHONPATH=/opt/grader-box",
            "LANG=C.UTF-8",
            "MPLCONFIGDIR=/tmp/matplotlib",
        ],
        "User": "10001:10001",
        "Cmd": ["python3", "-m", "grader.box.zygote", "--isolation", "warm"],
        "Entrypoint": [],
        "WorkingDir": "/tmp",  # noqa: S108 - inside the image
    }


def _write_context(file: Any, wheels: Path, wanted: Sequence[str]) -> None:
    """Everything that the build needs, under one folder, owned by root."""
    texts = {"install.sh": _INSTALL, "requirements.txt": "\n".join(wanted) + "\n"}
    with tarfile.open(fileobj=file, mode="w") as archive:
        for name, text in texts.items():
            _add(archive, name, text.encode())
        for wheel in sorted(wheels.iterdir()):
            _add_file(archive, f"wheels/{wheel.name}", wheel)
        for name, source in box_files().items():
            _add(archive, f"code/{name}", source)
        _add(archive, "pip.pyz", _pip_archive())


def _add(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    member = tarfile.TarInfo(f"{_BUILD_FOLDER[1:]}/{name}")
    member.size, member.mode = len(data), 0o644
    archive.addfile(member, io.BytesIO(data))


def _add_file(archive: tarfile.TarFile, name: str, path: Path) -> None:
    member = tarfile.TarInfo(f"{_BUILD_FOLDER[1:]}/{name}")
    member.size, member.mode = path.stat().st_size, 0o644
    with path.open("rb") as file:
        archive.addfile(member, file)


def _pip_archive() -> bytes:
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


def _target(engine: Engine, image: str) -> Target:
    """Ask the image which Python it has."""
    api = engine.api
    with speaking():
        container = api.create_container(
            image,
            command=["python3", "-c", _PROBE],
            entrypoint=[],
            labels={LABELS + "slot": "build"},
            host_config=api.create_host_config(network_mode="none"),
        )["Id"]
        try:
            api.start(container)
            api.wait(container, timeout=60)
            words = api.logs(container, stderr=False).decode().split()
        finally:
            api.remove_container(container, force=True)
    if len(words) != 3:
        raise ImageError(
            f"the base image {image} has no python3", hint="Name one that has, with --base."
        )
    return Target(*words)


def _inspect(engine: Engine, tag: str) -> dict[str, Any] | None:
    with speaking():
        try:
            found: dict[str, Any] = engine.api.inspect_image(tag)
        except ImageNotFound:
            return None
    return found
