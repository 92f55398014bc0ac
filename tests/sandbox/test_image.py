"""What the sandbox image is made from, and that a stale one is named."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import ImageNotFound

from grader.course.spec import BoxSpec
from grader.errors import ImageError
from grader.sandbox import image, prune, wheels
from grader.sandbox.engine import Engine
from grader.sandbox.image import BASE, box_files, box_hash, find_image, image_tag
from grader.sandbox.image_scripts import proxies
from grader.sandbox.wheels import WheelTarget, box_requirements


def engine_with(images: dict[str, dict[str, str]]) -> Engine:
    """An engine that has these images: tag to labels, the last one made last."""

    def inspect_image(tag: str) -> dict[str, Any]:
        if tag not in images:
            raise ImageNotFound(tag)
        return {"Id": tag, "Config": {"Labels": images[tag]}}

    def list_images(filters: dict[str, list[str]]) -> list[dict[str, Any]]:
        name, _, value = filters["label"][0].partition("=")
        return [
            {"Id": tag, "Created": index, "Labels": labels}
            for index, (tag, labels) in enumerate(images.items())
            if labels.get(name) == value
        ]

    api = SimpleNamespace(inspect_image=inspect_image, images=list_images)
    return Engine(SimpleNamespace(api=api))


def fresh_labels(box: BoxSpec = BASE) -> dict[str, str]:
    return {f"{image.LABELS}{name}": value for name, value in image._inputs(box, code=True).items()}


def test_an_image_that_was_never_built_is_missing_and_the_command_is_named() -> None:
    state = find_image(engine=engine_with({}))
    assert state.status == "missing"
    assert "grader sandbox build" in state.fix


def test_an_image_made_from_what_we_have_now_is_ready() -> None:
    state = find_image(engine=engine_with({image_tag(): fresh_labels()}))
    assert (state.status, state.image_id) == ("ready", image_tag())


@pytest.mark.parametrize(
    ("label", "named"),
    [
        ("box", "the box's code"),
        ("requirements", "the versions of its libraries"),
        ("recipe", "the way it is built"),
    ],
)
def test_a_stale_image_is_named_with_what_changed(label: str, named: str) -> None:
    labels = {**fresh_labels(), f"{image.LABELS}{label}": "of last term"}
    state = find_image(engine=engine_with({"grader-sandbox:base-old": labels}))
    assert state.status == "stale"
    assert f"{named} changed" in state.reason


def test_of_several_stale_images_the_newest_says_what_changed() -> None:
    older = {**fresh_labels(), f"{image.LABELS}recipe": "of last year"}
    newer = {**fresh_labels(), f"{image.LABELS}box": "of last term"}
    state = find_image(engine=engine_with({"r:older": older, "r:newer": newer}))
    assert "the box's code changed" in state.reason
    assert "the way it is built" not in state.reason


def test_two_versions_of_the_grader_have_an_image_each(monkeypatch: pytest.MonkeyPatch) -> None:
    ours, labels = image_tag(), fresh_labels()
    monkeypatch.setattr(image, "box_hash", lambda: "another version's")
    theirs = image_tag()
    assert theirs != ours
    engine = engine_with({ours: labels, theirs: fresh_labels()})
    assert find_image(engine=engine).image_id == theirs
    monkeypatch.undo()
    assert find_image(engine=engine).image_id == ours


def test_an_image_that_carries_the_right_tag_and_no_labels_is_stale() -> None:
    assert find_image(engine=engine_with({image_tag(): {}})).status == "stale"


def test_each_set_of_libraries_has_an_image_of_its_own_in_whatever_order_they_are_named() -> None:
    def tag(*libraries: str) -> str:
        return image_tag(BoxSpec(libraries=libraries))

    assert tag("scipy", "pandas") == tag("pandas", "scipy")
    assert len({tag(), tag("scipy"), tag("pandas")}) == 3


def test_a_package_of_debian_is_no_library_of_the_same_name() -> None:
    tags = {
        image_tag(BoxSpec(libraries=libraries, packages=packages))
        for libraries in ((), ("ffmpeg",))
        for packages in ((), ("ffmpeg",))
    }
    assert len(tags) == 4


def test_files_beside_the_notebook_ask_for_no_image_of_their_own() -> None:
    assert image_tag(BoxSpec(files=("*.py",), on_error="stop")) == image_tag()


def test_this_machines_proxies_are_lines_of_shell(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert proxies() == b""
    monkeypatch.setenv("http_proxy", "http://me:o'clock@proxy.example:3128; rm -rf /")
    script = proxies() + b'printf %s "$http_proxy"'
    done = subprocess.run(["sh", "-c", script], stdout=subprocess.PIPE, check=True, env={})
    assert done.stdout == b"http://me:o'clock@proxy.example:3128; rm -rf /"


def test_only_box_and_wire_are_in_the_image() -> None:
    rooms = {name.split("/")[1] for name in box_files()}
    assert rooms == {"__init__.py", "box", "wire"}
    assert "grader/box/zygote.py" in box_files()


def test_the_hash_stands_for_every_byte_of_the_box(monkeypatch: pytest.MonkeyPatch) -> None:
    before = box_hash()
    changed = {**box_files(), "grader/box/jail.py": b"pass\n"}
    monkeypatch.setattr(image, "box_files", lambda: changed)
    assert box_hash() != before


def test_the_box_has_the_versions_that_the_judge_has() -> None:
    import torch

    wanted = dict(r.split("==") for r in box_requirements())
    assert wanted["torch"] == torch.__version__.split("+")[0]
    assert set(wanted) == set(wheels.BOX_LIBRARIES)


def test_an_older_base_gets_wheels_for_its_own_libc() -> None:
    platforms = WheelTarget(python="3.11", machine="x86_64", glibc="2.28").platforms()
    assert platforms[0] == "manylinux_2_28_x86_64"
    assert "manylinux_2_29_x86_64" not in platforms
    assert "manylinux2014_x86_64" in platforms


def test_another_python_is_not_served_by_the_hosts_own_wheels() -> None:
    assert not WheelTarget(python="3.99", machine="x86_64", glibc="2.36").is_like_host


def test_a_library_that_pip_cannot_get_is_an_error_that_quotes_pip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    target = WheelTarget(python="3.11", machine="x86_64", glibc="2.36")
    with pytest.raises(ImageError, match="no-such-library") as caught:
        wheels.fetch(["no-such-library==1"], tmp_path, target, have=None)
    assert caught.value.hint is not None


def test_pip_travels_as_one_file_that_starts_by_itself() -> None:
    with zipfile.ZipFile(io.BytesIO(image.pip_archive())) as archive:
        names = archive.namelist()
    assert "__main__.py" in names
    assert "pip/__init__.py" in names
    assert not [name for name in names if "__pycache__" in name]


@pytest.mark.parametrize(
    ("which", "removed"),
    [
        ("old", ["older box", "older recipe"]),
        ("all", ["older box", "older recipe", "ours", "libraries"]),
    ],
)
def test_prune_removes_images_of_other_versions_or_all(
    which: Any, removed: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    libraries = image._inputs(BASE, code=False)
    made_from = {
        "ours": image._inputs(BASE, code=True),
        "older box": {**image._inputs(BASE, code=True), "box": "older"},
        "libraries": libraries,
        "older recipe": {**libraries, "recipe": "older"},
    }
    images = [
        {"Id": tag, "RepoTags": [tag], "Labels": {image.LABELS + k: v for k, v in of.items()}}
        for tag, of in made_from.items()
    ]
    gone: list[str] = []
    api = SimpleNamespace(
        containers=lambda **_: [],
        volumes=lambda **_: {"Volumes": None},
        images=lambda **_: images,
        remove_image=gone.append,
    )
    monkeypatch.setattr(prune, "connect", lambda: Engine(SimpleNamespace(api=api)))
    assert len(prune.prune(images=which)) == len(removed)
    assert sorted(gone) == sorted(removed)
