"""The seccomp profile of warm slots: an allow-list, in which every group has its reason."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from grader.sandbox.engine import SECCOMP_PROFILE, connect
from tests.sandbox.places import docker_image

FORBIDDEN = (
    "ptrace",
    "process_vm_readv",
    "process_vm_writev",
    "process_madvise",
    "kcmp",
    "pidfd_getfd",
    "keyctl",
    "add_key",
    "request_key",
    "bpf",
    "perf_event_open",
    "userfaultfd",
    "io_uring_setup",
    "io_uring_enter",
    "io_uring_register",
    "io_setup",
    "vmsplice",
    "open_by_handle_at",
    "name_to_handle_at",
    "fanotify_init",
    "modify_ldt",
    "setns",
    "chroot",
    "fsopen",
    "fsmount",
    "fsconfig",
    "move_mount",
    "open_tree",
    "mount_setattr",
    "init_module",
    "finit_module",
    "kexec_load",
    "reboot",
    "swapon",
    "settimeofday",
    "clock_settime",
    "iopl",
    "ioperm",
    "syslog",
    "acct",
    "quotactl",
    "pivot_root",
    "umount2",
    "unshare",
    "uselib",
    "ustat",
)
TRY = """
import ctypes, os, socket, threading
libc = ctypes.CDLL(None, use_errno=True)
for number in (101, 250, 321, 425, 323, 298, 308, 161, 310, 304):
    ctypes.set_errno(0)
    print(libc.syscall(number, 0, 0, 0, 0, 0), ctypes.get_errno())
for family in (38, 40, 17, 44):
    try: socket.socket(family, socket.SOCK_RAW); print("open")
    except OSError as error: print(-1, error.errno)
thread = threading.Thread(target=print, args=("a thread",)); thread.start(); thread.join()
print(os.waitstatus_to_exitcode(os.system("exit 3")))
print(libc.personality(0x0040000), libc.unshare(0x10000000 | 0x00020000))
USER, MOUNT, PID, IPC, NET, SIGCHLD = 1 << 28, 1 << 17, 1 << 29, 1 << 27, 1 << 30, 17
for flags in (USER | MOUNT | PID | IPC | NET, USER | MOUNT | PID | IPC, USER, NET, PID):
    pid = libc.syscall(56, flags | SIGCHLD, 0, 0, 0, 0)
    if pid == 0: os._exit(0)
    print(min(pid, 1))
"""


@pytest.fixture(scope="module")
def profile() -> dict[str, Any]:
    loaded: dict[str, Any] = json.loads(SECCOMP_PROFILE.read_text())
    return loaded


def test_what_is_not_named_is_refused(profile: dict[str, Any]) -> None:
    assert profile["defaultAction"] == "SCMP_ACT_ERRNO"
    assert {rule["action"] for rule in profile["syscalls"]} <= {"SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO"}


@pytest.mark.parametrize("name", FORBIDDEN)
def test_a_dangerous_call_is_not_on_the_list(profile: dict[str, Any], name: str) -> None:
    assert not [rule for rule in profile["syscalls"] if name in rule["names"]]


def test_the_calls_with_which_a_session_is_jailed_are_on_it(profile: dict[str, Any]) -> None:
    allowed = {name for rule in profile["syscalls"] for name in rule["names"]}
    assert {"clone", "mount", "seccomp", "prctl"} <= allowed


@pytest.mark.parametrize("name", ["clone", "socket", "personality"])
def test_calls_with_a_dangerous_half_have_a_rule_for_their_argument(
    profile: dict[str, Any], name: str
) -> None:
    rules = [rule for rule in profile["syscalls"] if name in rule["names"]]
    assert rules
    assert all(rule.get("args") for rule in rules)


def test_no_call_is_listed_twice_and_every_group_says_why(profile: dict[str, Any]) -> None:
    plain = [n for rule in profile["syscalls"] if "args" not in rule for n in rule["names"]]
    assert [name for name, count in Counter(plain).items() if count > 1] == []
    assert all(rule["comment"].endswith(".") for rule in profile["syscalls"])


def test_only_calls_of_the_native_word_size_exist(profile: dict[str, Any]) -> None:
    assert [arch["subArchitectures"] for arch in profile["archMap"]] == [[], []]


@pytest.mark.docker
def test_the_engine_takes_it_and_the_kernel_enforces_it() -> None:
    image, engine = docker_image(), connect()
    if engine.info["Architecture"] not in ("x86_64", "amd64"):
        pytest.skip("the numbers in this test are those of x86_64")
    said = engine.client.containers.run(
        image,
        command=["python3", "-c", TRY],
        entrypoint=[],
        remove=True,
        network_mode="none",
        cap_drop=["ALL"],
        security_opt=["no-new-privileges", f"seccomp={SECCOMP_PROFILE.read_text()}"],
    ).decode()
    *refused, thread, shell, others = said.splitlines()[:-5]
    assert set(refused) == {"-1 1"}
    assert (thread, shell, others) == ("a thread", "3", "-1 -1")
    assert said.splitlines()[-5:] == ["1", "-1", "-1", "-1", "-1"]  # what the jail is made of
