"""An assignment that asks for Debian packages has them in its box: a compiler, git, fonts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from grader.course.spec import BoxSpec
from grader.sandbox.base import Session, SlotOptions
from grader.sandbox.docker_slot import DockerSlot
from grader.sandbox.image import build_image
from grader.wire.messages import Limits
from tests.sandbox.places import docker_image

pytestmark = [pytest.mark.docker, pytest.mark.slow, pytest.mark.timeout(1800)]
PACKAGES = ("fonts-wqy-microhei", "g++", "git")
COMPILED = """
import torch

@torch.compile
def scaled(x):
    return (x.sin() ** 2 + x.cos() ** 2) * 3

print(scaled(torch.arange(1000.)).sum().item())
"""
CHINESE = """
import warnings, matplotlib.pyplot as plt
warnings.simplefilter("error")
plt.rcParams["font.family"] = "WenQuanYi Micro Hei"
plt.title("梯度")
plt.show()
"""


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    docker_image()  # skips where there is no engine
    image = build_image(BoxSpec(packages=PACKAGES)).image_id
    slot = DockerSlot(SlotOptions(image=image, disk_bytes=512 << 20))
    try:
        slot.wait_ready()
        session = slot.open(seed=1, limits=Limits(disk_bytes=512 << 20))
        yield session
        session.close()
    finally:
        slot.stop()


def said(session: Session, source: str, index: int) -> str:
    done = session.run_cell(source, index=index, timeout_s=600, output_bytes=1 << 20)
    assert done.status == "ok", done
    return "".join(str(output.get("text", "")) for output in done.outputs)


def test_torch_compile_works_in_the_box(session: Session) -> None:
    assert float(said(session, COMPILED, 1)) == pytest.approx(3000, rel=1e-5)
    made = "import glob; print(bool(glob.glob('/tmp/torchinductor*/**/*.so', recursive=True)))"
    assert said(session, made, 2) == "True\n"  # by the compiler, and not in eager mode


def test_git_is_there_and_has_no_network(session: Session) -> None:
    source = "import subprocess as s; print(s.run(['git', {}], capture_output=True, text=True))"
    assert "git version" in said(session, source.format("'--version'"), 3)
    clone = source.format("'clone', 'https://example.org/a.git'")
    assert "Could not resolve host" in said(session, clone, 4)


def test_a_font_of_a_package_is_known_to_matplotlib(session: Session) -> None:
    said(session, CHINESE, 5)


def test_a_package_leaves_no_program_that_changes_its_user(session: Session) -> None:
    find = "import subprocess as s; print(s.getoutput('find / -xdev -perm /6000 -type f'))"
    assert [line for line in said(session, find, 6).split() if line.startswith("/usr")] == []
