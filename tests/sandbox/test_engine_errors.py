"""Why no engine answers: each cause has its sentence and its cure, in every command."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docker.errors import APIError

from grader.errors import InfrastructureError, SlowError
from grader.sandbox import engine
from grader.sandbox.choose import choose
from grader.sandbox.doctor import diagnose
from grader.sandbox.engine import connect, in_short, speaking

Address = Callable[[Path], str]


def _abandoned(folder: Path) -> str:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(folder / "engine"))
    return f"unix://{folder}/engine"


@pytest.mark.parametrize(
    ("address", "says", "cure"),
    [
        (lambda folder: f"unix://{folder}/none", "there is no such socket", "Fix DOCKER_HOST"),
        (_abandoned, "nothing is listening there", "Start the engine"),
        (lambda _: "tcp://127.0.0.1:9", "nothing is listening there", "Start the engine"),
        (lambda _: "tcp://127.0.0.1:99999", "its port is no number from 1 to 65535", "Fix"),
        (lambda _: "tcp://127.0.0.1:http", "its port is no number from 1 to 65535", "Fix"),
        (lambda _: "tcp://127.0.0.1:0", "its port is no number from 1 to 65535", "Fix"),
        (lambda _: "tcp://", "it names no machine", "Fix DOCKER_HOST"),
        (lambda _: "docker.sock", "that is no address of an engine", "unix:///run/user/1000"),
        (lambda _: "tcp://engine.invalid:2375", "no machine of that name is known", "Fix"),
    ],
    ids=["no socket", "abandoned", "refused", "99999", "http", "0", "no host", "no scheme", "name"],
)
def test_each_wrong_address_has_its_own_sentence_and_cure(
    address: Address, says: str, cure: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    host = address(tmp_path)
    monkeypatch.setenv("DOCKER_HOST", host)
    with pytest.raises(InfrastructureError) as caught:
        connect()
    assert not isinstance(caught.value, SlowError)
    assert (
        f"no Docker engine answers at {host}, which DOCKER_HOST names: {says}" in caught.value.what
    )
    assert cure in str(caught.value.hint)
    first = next(diagnose("docker"))
    assert (first.ok, first.found) == (False, caught.value.what)


@pytest.mark.skipif(os.getuid() != 0, reason="only root can be another user")
def test_a_user_who_may_not_open_the_socket_is_told_of_its_group_and_what_it_means(
    tmp_path: Path,
) -> None:
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "engine"))
        (tmp_path / "engine").chmod(0o660)
        for folder in (tmp_path, *list(tmp_path.parents)[:-2]):
            folder.chmod(folder.stat().st_mode | 0o111)
        program = (
            "import os, sys\nfrom grader.errors import InfrastructureError\n"
            "from grader.sandbox.engine import connect\nos.setgroups([]); os.setgid(65534)\n"
            "os.setuid(65534)\ntry:\n    connect()\n"
            "except InfrastructureError as error:\n    print(error)\n"
        )
        environment = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/engine"}
        done = subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, text=True
        )
    assert "may not open its socket (permission denied)" in done.stdout, done.stderr
    assert "add user nobody to the group that owns it (root)" in done.stdout
    assert "are root on this machine" in done.stdout


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    """An engine that takes every connection and says nothing."""
    with socket.socket(socket.AF_UNIX) as sock:
        sock.bind(str(tmp_path / "engine"))
        sock.listen(16)
        monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/engine")
        monkeypatch.setattr(engine.connect, "__kwdefaults__", {"timeout_s": 1})
        yield


@pytest.mark.parametrize("sandbox", ["auto", "docker"])
def test_an_engine_that_is_silent_is_slow_and_no_other_sandbox_is_taken_for_it(
    silent: None, sandbox: str
) -> None:
    with pytest.raises(SlowError, match="it is busy, or hangs"):
        choose(sandbox)


def test_an_engine_that_refuses_gives_no_profile_back() -> None:
    profile = '{"defaultAction": "SCMP_ACT_ERRNO", "syscalls": [' + '{"names": []}, ' * 500 + "]}"
    with pytest.raises(InfrastructureError) as caught, speaking():
        raise APIError("500", explanation=f"opening seccomp profile {profile}: file name too long")
    assert caught.value.what == (
        "the engine refused: opening seccomp profile {…}: file name too long"
    )
    assert len(in_short("word " * 1000)) < 500
