"""What the sandbox image is built on: a Python image, or a Debian that debootstrap makes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import requests
from docker.errors import DockerException, ImageNotFound

from grader.errors import ImageError
from grader.sandbox.engine import Engine, speaking

DEBIAN_TAG = "grader-debian"
_INCLUDE = "python3,python3-venv,ca-certificates"
_LEFT_OUT = (
    "var/cache/apt",
    "var/lib/apt/lists",
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "var/log",
)
Tell = Callable[[str], None]


def find_base(engine: Engine, asked: str | None, tell: Tell) -> str:
    """An image to build on: the one asked for, a Python image, or a Debian made here.

    Returns its id.

    Raises:
        ImageError: none can be had: what was tried, and what to do.
    """
    if asked:
        return _present(engine, asked) or _pulled(engine, asked, tell) or _refuse(asked)
    made = _present(engine, DEBIAN_TAG)
    if made:
        return made
    for name in (f"python:{_python()}-slim", "python:3.12-slim"):
        found = _present(engine, name) or _pulled(engine, name, tell)
        if found:
            return found
    return _debootstrap(engine, tell)


def _python() -> str:
    import platform

    return ".".join(platform.python_version_tuple()[:2])


def _present(engine: Engine, name: str) -> str | None:
    try:
        return str(engine.api.inspect_image(name)["Id"])
    except ImageNotFound:
        return None
    except (DockerException, requests.RequestException) as error:
        raise ImageError(f"the engine can't look for {name}: {error}") from error


def _pulled(engine: Engine, name: str, tell: Tell) -> str | None:
    tell(f"pulling {name}")
    exact = ":" in name.rpartition("/")[2] or "@" in name  # a registry's port has a colon too
    try:
        engine.client.images.pull(name if exact else f"{name}:latest")
    except (DockerException, requests.RequestException):
        tell(f"no registry gives {name}")
        return None
    return _present(engine, name)


def _refuse(name: str) -> str:
    raise ImageError(
        f"the base image {name} is not here and can't be pulled",
        hint="Pull or load it first, or leave --base out.",
    )


def _debootstrap(engine: Engine, tell: Tell) -> str:
    if shutil.which("debootstrap") is None or os.getuid() != 0:
        raise ImageError(
            "there is no base image: no registry answers, and debootstrap can't be used here",
            hint="Load a Python image (`docker load`) and name it with --base; or install "
            "debootstrap and run this as root.",
        )
    release, mirrors = _distribution()
    tell(f"making a Debian base with debootstrap ({release})")
    with tempfile.TemporaryDirectory(prefix="grader-base-") as folder:
        root = Path(folder, "root")
        command = ["debootstrap", "--variant=minbase", f"--include={_INCLUDE}", release, str(root)]
        done = subprocess.run([*command, *mirrors], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ImageError(
                f"debootstrap failed: {(done.stdout + done.stderr).strip()[-500:]}",
                hint="Check that the distribution's packages can be reached (`apt-get update`).",
            )
        for path in _LEFT_OUT:
            shutil.rmtree(root / path, ignore_errors=True)
        return _import(engine, root, tell)


def _import(engine: Engine, root: Path, tell: Tell) -> str:
    tell("importing the base into the engine")
    archive = root.parent / "base.tar"
    subprocess.run(
        ["tar", "--numeric-owner", "-C", str(root), "-cf", str(archive), "."],
        check=True,
        capture_output=True,
    )
    with speaking():
        engine.api.import_image_from_file(str(archive), repository=DEBIAN_TAG, tag="latest")
    found = _present(engine, DEBIAN_TAG)
    if found is None:
        raise ImageError("the engine took the base and does not have it")
    return found


def _distribution() -> tuple[str, list[str]]:
    """The host's own release, and the arguments that name its own mirror, if it names one."""
    facts = dict(
        line.split("=", 1)
        for line in Path("/etc/os-release").read_text().splitlines()
        if "=" in line
    )
    release = facts.get("VERSION_CODENAME", "bookworm").strip('"')
    found = mirror(release, Path("/etc/apt"))
    return release, [found] if found else []


def mirror(release: str, folder: Path) -> str | None:
    """Where apt gets a release from, by its configuration in `folder`; None where it says nothing.

    Other vendors' entries, and those for updates and security alone, are passed over: debootstrap
    wants the place that has the release itself.
    """
    for file in [folder / "sources.list", *sorted((folder / "sources.list.d").glob("*.list"))]:
        for line in _lines(file):
            words = [w for w in re.sub(r"\[.*?\]", "", line).split() if w]
            if words[:1] == ["deb"] and words[2:3] == [release] and "://" in words[1]:
                return words[1].rstrip("/")
    for file in sorted((folder / "sources.list.d").glob("*.sources")):
        for stanza in "\n".join(_lines(file)).split("\n\n"):
            fields = _fields(stanza)
            urls = [url for url in fields.get("URIs", []) if "://" in url]
            has_it = release in fields.get("Suites", []) and "deb" in fields.get("Types", [])
            if urls and has_it:
                return urls[0].rstrip("/")
    return None


def _fields(stanza: str) -> dict[str, list[str]]:
    found: list[tuple[str, str]] = re.findall(r"^([\w-]+):[ \t]*(.*)$", stanza, re.MULTILINE)
    return {name: words.split() for name, words in found}


def _lines(file: Path) -> list[str]:
    if not file.is_file():
        return []
    lines = file.read_text(errors="replace").splitlines()
    return [line for line in lines if not line.lstrip().startswith("#")]
