"""Why no engine answers: each cause has a sentence and a cure of its own."""

from __future__ import annotations

import errno
import os
import socket
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from urllib.parse import urlsplit

import requests
import urllib3.exceptions
from docker.errors import TLSParameterError

from grader.account import login_of
from grader.errors import InfrastructureError, SlowError

DEFAULT_HOST = "unix:///var/run/docker.sock"
NO_ENGINE = "no Docker engine answers"
_WITHOUT = "Or use `--sandbox local`, which needs no engine."
_START = "Start it (as root on Debian: `.ci/start-engine`)."
_FORMS = "It is such as unix:///run/user/1000/podman/podman.sock or tcp://engine.example.org:2376."


def unreachable(
    error: BaseException, environment: Mapping[str, str], timeout_s: float
) -> InfrastructureError:
    """The error of ours for one that came of connecting to an engine."""
    told = environment.get("DOCKER_HOST", "")
    host = told or DEFAULT_HOST
    at = f"at {host}" + (", which DOCKER_HOST names" if told else "")
    if timed_out(error):
        return SlowError(
            f"the engine {at} has not answered in {timeout_s:g} s: it is busy, or hangs",
            hint=f"Try again; if it does nothing else either, restart it. {_WITHOUT}",
        )
    what, hint = _reason(error, host, told=bool(told))
    return InfrastructureError(f"{NO_ENGINE} {at}: {what}", hint=f"{hint} {_WITHOUT}")


def _reason(error: BaseException, host: str, *, told: bool) -> tuple[str, str]:
    """What is wrong, and what to do."""
    wrong = _malformed(host)
    if wrong:
        return wrong, f"Fix DOCKER_HOST, or unset it. {_FORMS}"
    found = list(causes(error))
    numbers = {cause.errno for cause in found if isinstance(cause, OSError)}
    path = host.partition("://")[2] if host.startswith("unix://") else ""
    if any(isinstance(cause, TLSParameterError | ssl.SSLError) for cause in found):
        return (
            f"no TLS with it ({found[-1]})",
            "Set DOCKER_TLS_VERIFY=1, and DOCKER_CERT_PATH to the folder with ca.pem, cert.pem and "
            "key.pem.",
        )
    if errno.EACCES in numbers or errno.EPERM in numbers:
        user = f"user {login_of(os.geteuid()) or os.geteuid()}"
        return (
            f"{user} may not open its socket (permission denied)",
            f"Let an administrator add {user} to the group that owns it ({_group(path)}), and "
            "log in again. Members of that group are root on this machine. It is safer to run the "
            "engine without root, see docs/how-to/harden.md.",
        )
    if errno.ENOENT in numbers:
        cure = f"Fix DOCKER_HOST, or unset it. {_FORMS}" if told else _START
        return "there is no such socket", cure
    if any(isinstance(cause, socket.gaierror) for cause in found):
        return "no machine of that name is known", f"Fix DOCKER_HOST, or unset it. {_FORMS}"
    if errno.ECONNREFUSED in numbers:
        return (
            "nothing is listening there",
            f"Start the engine{', or fix DOCKER_HOST' if told else ''}.",
        )
    return str(found[-1]), f"Fix DOCKER_HOST, or unset it. {_FORMS}" if told else _START


def _malformed(host: str) -> str:
    """What is wrong with an address, before anything is asked of it."""
    parts = urlsplit(host)
    if parts.scheme not in ("unix", "http+unix", "tcp", "http", "https", "ssh", "npipe"):
        return "that is no address of an engine"
    if parts.scheme in ("tcp", "http", "https", "ssh"):
        try:
            port = parts.port
        except ValueError:
            return f"its port is no number from 1 to 65535 ({parts.netloc})"
        if port == 0:
            return "its port is no number from 1 to 65535 (0)"
        if not parts.hostname:
            return "it names no machine"
    return ""


def timed_out(error: BaseException) -> bool:
    """Whether it is silence, which says nothing of whether the engine works."""
    kinds = (TimeoutError, requests.Timeout, urllib3.exceptions.ReadTimeoutError)
    return any(isinstance(cause, kinds) for cause in causes(error))


def causes(error: BaseException) -> Iterator[BaseException]:
    """An error and what it came of, which libraries keep in four places."""
    seen: list[BaseException] = []
    todo: list[object] = [error]
    while todo:
        one = todo.pop(0)
        if isinstance(one, BaseException) and not any(one is other for other in seen):
            seen.append(one)
            todo += [one.__cause__, one.__context__, getattr(one, "reason", None), *one.args]
    return iter(seen)


def _group(path: str) -> str:
    try:
        return Path(path).group() if path else "docker"
    except (KeyError, OSError):
        return "docker"
