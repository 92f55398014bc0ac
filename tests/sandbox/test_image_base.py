"""Where the base of the sandbox image comes from."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest
from docker.errors import APIError, ImageNotFound

from grader.errors import ImageError
from grader.sandbox import image_base
from grader.sandbox.engine import Engine
from grader.sandbox.image_base import find_base, mirror

VENDOR = "Types: deb\nURIs: https://vendor.example/node\nSuites: nodistro\nComponents: main\n"
DEBIAN = """\
# the release
Types: deb
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main

Types: deb
URIs: http://mirror.example/debian-security
Suites: bookworm-security
Components: main
"""


class Registry:
    """An engine that holds some images, and can pull some more."""

    def __init__(self, *present: str, pullable: tuple[str, ...] = ()) -> None:
        self.present = set(present)
        self.pullable = pullable
        self.asked: list[str] = []

    def inspect_image(self, name: str) -> dict[str, str]:
        if name not in self.present:
            raise ImageNotFound(name)
        return {"Id": f"id of {name}"}

    def pull(self, name: str) -> None:
        self.asked.append(name)
        if name not in self.pullable:
            raise APIError("no registry answers")
        self.present.add(name)

    def engine(self) -> Engine:
        images = SimpleNamespace(pull=self.pull)
        return Engine(SimpleNamespace(api=self, images=images))


def quiet(text: str) -> None:
    pass


@pytest.fixture
def apt(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_the_mirror_is_the_one_that_has_the_release(apt: Path) -> None:
    (apt / "sources.list.d/a-vendor.sources").write_text(VENDOR)
    (apt / "sources.list.d/debian.sources").write_text(DEBIAN)
    assert mirror("bookworm", apt) == "http://mirror.example/debian"


def test_a_line_with_options_is_read(apt: Path) -> None:
    line = "deb [arch=amd64 signed-by=/k.gpg] http://mirror.example/ubuntu noble main universe\n"
    (apt / "sources.list").write_text(f"# deb http://old.example/ubuntu noble main\n{line}")
    assert mirror("noble", apt) == "http://mirror.example/ubuntu"


def test_entries_for_security_and_files_that_apt_ignores_are_passed_over(apt: Path) -> None:
    (apt / "sources.list").write_text("deb http://mirror.example/security noble-security main\n")
    (apt / "sources.list.d/off.list.disabled").write_text("deb http://off.example noble main\n")
    assert mirror("noble", apt) is None


def test_the_base_that_was_asked_for_is_pulled_when_it_is_not_here() -> None:
    registry = Registry(pullable=("course/python:3.12",))
    assert find_base(registry.engine(), "course/python:3.12", quiet) == "id of course/python:3.12"


def test_no_other_base_is_taken_for_one_that_was_asked_for() -> None:
    registry = Registry("grader-debian")
    with pytest.raises(ImageError, match="can't be pulled"):
        find_base(registry.engine(), "course/python:3.12", quiet)


def test_the_port_of_a_registry_is_not_taken_for_a_tag() -> None:
    registry = Registry()
    with pytest.raises(ImageError):
        find_base(registry.engine(), "registry.example:5000/python", quiet)
    assert registry.asked == ["registry.example:5000/python:latest"]


def test_a_python_image_is_taken_before_a_debian_is_made() -> None:
    name = f"python:{image_base._python()}-slim"
    registry = Registry(pullable=(name,))
    assert find_base(registry.engine(), None, quiet) == f"id of {name}"


def test_without_registry_and_debootstrap_it_says_what_to_load(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(image_base.shutil, "which", lambda name: None)
    with pytest.raises(ImageError, match="no registry answers") as caught:
        find_base(Registry().engine(), None, quiet)
    assert "--base" in str(caught.value)
