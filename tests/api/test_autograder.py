"""What Gradescope runs: the zip that is uploaded, and what it does with a submission."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import sys
import sysconfig
import zipfile
from pathlib import Path
from typing import Any

import pytest

from grader.api import autograder
from grader.course.directory import Assignment
from grader.errors import GraderError, InfrastructureError, SpecError, UsageError
from grader.release.gradescope import gradescope_bundle
from grader.release.notebooks import notebook_bytes, solution_notebook
from grader.release.wheel import requirements, wheel
from grader.sandbox.choose import Choice
from tests.helpers.assignments import HIDDEN, SPEC, make_assignment
from tests.helpers.notebooks import code
from tests.report.test_gradescope import ALLOWED, ALLOWED_IN_TEST
from tests.sandbox.places import docker_image

PYTHON = "/opt/python/bin/python"  # of the sandbox image


@pytest.fixture
def assignment(tmp_path: Path) -> Assignment:
    return make_assignment(tmp_path / "course")


def unpacked(data: bytes, folder: Path) -> Path:
    """Lay a bundle out as Gradescope does."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        archive.extractall(folder / "source")
        for entry in archive.infolist():
            (folder / "source" / entry.filename).chmod(entry.external_attr >> 16 & 0o777)
    (folder / "submission").mkdir()
    (folder / "results").mkdir()
    return folder


# -- the zip


def test_the_bundle_holds_what_gives_the_marks_and_nothing_else(assignment: Assignment) -> None:
    with zipfile.ZipFile(io.BytesIO(gradescope_bundle(assignment))) as archive:
        names = set(archive.namelist())
        modes = {e.filename: e.external_attr >> 16 & 0o111 for e in archive.infolist()}
        runs = archive.read("run_autograder").decode()
    (packed,) = [name for name in names if name.startswith("packages/")]
    assert names - {packed} == {
        "setup.sh",
        "run_autograder",
        "requirements.txt",
        "course/assignments/warm-up/assignment.toml",
        "course/assignments/warm-up/hidden/test_warm_up.py",
        "course/assignments/warm-up/data/numbers.csv",
        "course/reference/warm_up.py",
    }
    assert {name for name, executable in modes.items() if executable} == {
        "setup.sh",
        "run_autograder",
    }
    assert runs.rstrip().endswith('-m grader.api.autograder "$root" warm-up')


def test_the_same_assignment_gives_the_same_bytes(assignment: Assignment) -> None:
    assert gradescope_bundle(assignment) == gradescope_bundle(assignment)


def test_both_scripts_are_shell(assignment: Assignment, tmp_path: Path) -> None:
    url = "https://packages.example.edu/simple"
    root = unpacked(gradescope_bundle(assignment, index_url=url), tmp_path / "autograder")
    for name in ("setup.sh", "run_autograder"):
        subprocess.run(["bash", "-n", root / "source" / name], check=True)
    assert f" --index-url {url} -r " in (root / "source" / "setup.sh").read_text()


def test_packages_of_debian_are_installed_where_the_assignment_asks_for_them(
    tmp_path: Path,
) -> None:
    def setup(spec: str, place: str) -> str:
        bundle = gradescope_bundle(make_assignment(tmp_path / place, spec=spec))
        path = unpacked(bundle, tmp_path / f"{place}-bundle") / "source" / "setup.sh"
        subprocess.run(["bash", "-n", path], check=True)
        return path.read_text()

    asked = SPEC.replace("[[questions]]", '[box]\npackages = ["g++", "git"]\n[[questions]]', 1)
    assert "apt-get install -qq -y --no-install-recommends g++ git\n" in setup(asked, "some")
    assert "recommends g++" not in setup(SPEC, "none")


@pytest.mark.parametrize("url", ["$(rm -rf /)", "https://a; true", "ftp://a", "https://a b"])
def test_an_address_that_is_none_never_gets_into_a_script(assignment: Assignment, url: str) -> None:
    with pytest.raises(UsageError):
        gradescope_bundle(assignment, index_url=url)


def test_what_needs_a_gpu_is_refused(tmp_path: Path) -> None:
    spec = SPEC.replace("memory_mb = 1024", "memory_mb = 1024\ngpu = true")
    with pytest.raises(SpecError, match="GPU"):
        gradescope_bundle(make_assignment(tmp_path, spec=spec))


def test_the_wheel_can_be_installed_and_holds_templates_but_no_assignment(tmp_path: Path) -> None:
    name, data = wheel()
    (tmp_path / name).write_bytes(data)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index"]
    target = tmp_path / "there"
    subprocess.run([*pip, "--target", target, tmp_path / name], check=True, capture_output=True)
    assert (target / "grader" / "_shipped" / "templates" / "gradescope").is_dir()
    assert not (target / "grader" / "_shipped" / "assignments").exists()
    script = "from grader.resources import shipped_dir; print(shipped_dir('templates'))"
    done = subprocess.run(
        [sys.executable, "-P", "-c", script],
        env={**os.environ, "PYTHONPATH": str(target)},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == str(target / "grader" / "_shipped" / "templates")


def test_versions_are_those_that_the_assignment_was_tried_with() -> None:
    pinned = dict(line.split("==") for line in requirements())
    import torch

    assert pinned["torch"] == torch.__version__.partition("+")[0]
    assert "pytest" in pinned
    assert "hypothesis" not in pinned


# -- the run


def test_files_of_the_autograder_are_for_root_alone(tmp_path: Path) -> None:
    (tmp_path / "source" / "course").mkdir(parents=True)
    (tmp_path / "source" / "course" / "test.py").touch(0o644)
    (tmp_path / "submission_metadata.json").touch(0o644)
    (tmp_path / "results").mkdir(mode=0o777)
    autograder.protect(tmp_path)
    for name in ("source", "source/course", "source/course/test.py", "results"):
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) & 0o077 == 0
    assert stat.S_IMODE((tmp_path / "submission_metadata.json").stat().st_mode) == 0o600


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [('{"id": 12}', "12"), ("[]", None), ("{", None), ("[" * 10_000, None), ('{"id": {}}', None)],
)
def test_metadata_is_read_with_care(tmp_path: Path, metadata: str, expected: str | None) -> None:
    (tmp_path / "submission_metadata.json").write_text(metadata)
    assert autograder.submission_id(tmp_path) == expected


def test_trouble_of_ours_is_no_score(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(root: Path, name: str) -> dict[str, Any]:
        raise InfrastructureError("no sandbox holds here", hint="…")

    monkeypatch.setattr(autograder, "autograde", fail)
    assert autograder.main([str(tmp_path), "warm-up"]) == 1
    result = json.loads((tmp_path / "results" / "results.json").read_text())
    assert "score" not in result and "tests" not in result
    assert "no sandbox holds here" not in json.dumps(result)
    assert "no sandbox holds here" in capsys.readouterr().err


@pytest.mark.local_box
@pytest.mark.skipif(os.getuid() != 0, reason="the autograder runs as root")
def test_a_broken_suite_is_no_score_and_is_told_to_the_instructor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    head = "def test_rows_sum_to_one(student):\n"
    hidden = HIDDEN.replace(head, f"{head}    {{}}['oops']\n", 1)
    assignment = make_assignment(tmp_path / "course", hidden=hidden)
    root = unpacked(gradescope_bundle(assignment), tmp_path / "autograder")
    (root / "submission" / "warm-up.ipynb").write_bytes(
        notebook_bytes(solution_notebook(assignment))
    )
    choice = Choice(sandbox="local", isolation="warm", hide=(root,), why="tried here")
    monkeypatch.setattr(autograder, "choose_in_container", lambda hide: choice)
    assert autograder.main([str(root), "warm-up"]) == 1
    result = json.loads((root / "results" / "results.json").read_text())
    assert "score" not in result and "tests" not in result
    assert "a check of the assignment is broken, not your work" in result["output"]
    assert "oops" not in json.dumps(result)
    said = capsys.readouterr().err
    assert "The suite is broken in test_rows_sum_to_one" in said and "KeyError: 'oops'" in said


def test_files_without_a_notebook_are_an_invalid_submission(
    assignment: Assignment, tmp_path: Path
) -> None:
    root = unpacked(gradescope_bundle(assignment), tmp_path / "autograder")
    (root / "submission" / "essay.pdf").write_bytes(b"%PDF")
    (root / "submission" / "x.ipynb").symlink_to("/etc/passwd")
    assert "no notebook" in autograder._job(root, assignment).problem
    (root / "submission" / "ada").mkdir()
    for name in ("ada/other.ipynb", "warm-up.ipynb"):
        (root / "submission" / name).write_bytes(notebook_bytes(solution_notebook(assignment)))
    job = autograder._job(root, assignment)
    assert (job.student, job.file, job.problem) == ("student", "warm-up.ipynb", "")


ATTACKS = """
import glob, os, pathlib, signal
found = []
def attempt(what, action):
    try:
        action()
    except (OSError, PermissionError) as error:
        pass
    else:
        found.append(what)
attempt("list the tests", lambda: os.listdir("/autograder/source"))
attempt("read the reference", lambda: open("/autograder/source/course/reference/warm_up.py").read())
attempt("write the result", lambda: open("/autograder/results/results.json", "w").write("{}"))
attempt("replace the result", lambda: os.rename("/autograder/results", "/tmp/gone"))
attempt("change the package", lambda: open("/pk/grader/points.py", "a").write("1"))
attempt("become root", lambda: os.setuid(0))
for place in glob.glob("/proc/[0-9]*"):
    if os.stat(place).st_uid == 0 and place != f"/proc/{os.getpid()}":
        attempt("environment " + place, lambda: open(place + "/environ", "rb").read())
        attempt("memory " + place, lambda: open(place + "/mem", "rb").read(1))
        attempt("descriptors " + place, lambda: os.listdir(place + "/fd"))
        attempt("kill " + place, lambda: os.kill(int(place[6:]), signal.SIGKILL))
print(os.getuid(), found)
"""
LEFT_BEHIND = """
if os.fork() == 0:
    os.setsid()
    while True:
        pass
"""


@pytest.mark.docker
@pytest.mark.slow
def test_in_a_container_without_namespaces_the_notebook_is_another_user(
    assignment: Assignment, tmp_path: Path
) -> None:
    image = docker_image()
    root = unpacked(gradescope_bundle(assignment), tmp_path / "autograder")
    notebook = json.loads(notebook_bytes(solution_notebook(assignment)))
    attack = {**code(ATTACKS + LEFT_BEHIND), "id": "attack"}
    proof = {**code("uid = os.getuid()"), "id": "proof"}
    (root / "attacks.py").write_text(ATTACKS)
    notebook["cells"] = [attack, proof, *notebook["cells"]]
    (root / "submission" / "hw.ipynb").write_text(json.dumps(notebook))
    (root / "submission_metadata.json").write_text('{"id": 4711}')
    hidden = root / "source/course/assignments/warm-up/hidden/test_warm_up.py"
    # The suite itself asks whether the attacks failed: who printed nothing could have hidden it.
    hidden.write_text(
        hidden.read_text().replace(
            "    assert_close(student.softmax(torch.randn(5, 7)).sum(1), torch.ones(5))",
            "    assert student.found == [] and student.uid >= 20_000",
        )
    )
    package = tmp_path / "package"
    with zipfile.ZipFile(next((root / "source" / "packages").glob("*.whl"))) as archive:
        archive.extractall(package)
    script = (
        "mkdir -p /opt/grader/bin && cd /opt/grader/bin && "
        f"printf '#!/bin/sh\\nPYTHONPATH=/pk:/site exec {PYTHON} \"$@\"\\n' > python && "
        "chmod 755 python && chmod 777 /autograder/results && "
        "./python /autograder/attacks.py && "
        "exec /autograder/source/run_autograder"
    )
    found = _in_container(image, root, package, script)
    assert found.returncode == 0, found.stderr
    assert "Sandbox: user" in found.stderr
    # Where the wall is missing, as for root, the same attacks succeed.
    for attack_of_root in ("list the tests", "read the reference", "write the result", "kill"):
        assert attack_of_root in found.stdout
    result = json.loads((root / "results" / "results.json").read_text())
    assert set(result) == ALLOWED
    assert all(set(test) == ALLOWED_IN_TEST for test in result["tests"])
    assert result["score"] == 8.0, result["tests"]
    assert result["extra_data"]["submission"] == "4711"
    assert not any(path.stat().st_mode & 0o077 for path in (root / "results").iterdir())


def _in_container(
    image: str, root: Path, package: Path, script: str
) -> subprocess.CompletedProcess[str]:
    """Run a script as root under the engine's default profiles, as Gradescope does."""
    from grader.sandbox.engine import connect

    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    api = connect().api
    made = api.create_container(
        image,
        entrypoint=["sh", "-c", script],
        command=[],
        user="0",
        working_dir="/",
        host_config=api.create_host_config(
            network_mode="none",
            binds=[
                f"{root}:/autograder",
                f"{package}:/pk:ro",
                f"{sysconfig.get_paths()['purelib']}:/site:ro",
            ],
        ),
    )
    try:
        api.start(made)
        code = api.wait(made, timeout=240)["StatusCode"]
        out, err = (api.logs(made, stdout=not e, stderr=e).decode() for e in (False, True))
    finally:
        api.remove_container(made, force=True)
    if "No module named" in err and version not in err:
        pytest.skip(f"the image has another Python than {version}")
    return subprocess.CompletedProcess([script], code, out, err)


def test_the_autograder_refuses_to_run_as_somebody_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "getuid", lambda: 1000)
    with pytest.raises(GraderError, match="must run as root"):
        autograder.autograde(tmp_path, "warm-up")
