"""Several users of this machine, for real: what one may do to another's files, the kernel says."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import shutil
import tempfile
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

REQUIRE = "GRADER_REQUIRE_USERS"
EVE, BEN = "games", "news"
"""Accounts that every Debian has, each with a group of its own."""


def _alone() -> str:
    """Another one, into whose group no package has put anybody, as Caddy's into `www-data`."""
    for name in ("backup", "list", "irc", "uucp"):
        with contextlib.suppress(KeyError):
            group = grp.getgrgid(pwd.getpwnam(name).pw_gid)
            if group.gr_name == name and not group.gr_mem:
                return name
    return "www-data"


STAFF = _alone()


def need_users() -> None:
    """Skip loudly where this process can't be another user; a failure where it must."""
    if os.geteuid() == 0:
        return
    reason = "needs root, to act as several users of this machine"
    if os.environ.get(REQUIRE):
        pytest.fail(reason)
    pytest.skip(reason)


def open_folder() -> Iterator[Path]:
    """Yield a folder that all users can enter (pytest's own are for one user)."""
    folder = Path(tempfile.mkdtemp(prefix="grader-users-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def as_user(name: str, action: Callable[[], Any]) -> Any:
    """Run an action as another user, in a process of its own; its error becomes one here."""
    account = pwd.getpwnam(name)
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(read)
            os.setgroups([])
            os.setgid(account.pw_gid)
            os.setuid(account.pw_uid)
            os.umask(0o077)
            try:
                said = {"value": action()}
            except BaseException as error:  # noqa: BLE001 - it is raised again on the other side
                said = {"error": type(error).__name__, "text": traceback.format_exc()}
            os.write(write, msgspec.msgpack.encode(said))
        finally:
            os._exit(0)
    os.close(write)
    with os.fdopen(read, "rb") as file:
        answer = msgspec.msgpack.decode(file.read())
    os.waitpid(pid, 0)
    if "error" in answer:
        raise AsUserError(answer["error"], answer["text"])
    return answer["value"]


class AsUserError(Exception):
    """What an action raised: the name of the error's type, and its traceback."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(f"{kind}\n{text}")
        self.kind = kind


def refused(name: str, action: Callable[[], object]) -> str:
    """Return the kind of error with which a user's action ends; "" where it succeeds."""
    try:
        as_user(name, lambda: action() and None)
    except AsUserError as error:
        return error.kind
    return ""
