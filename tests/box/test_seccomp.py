"""The jail's system call filter, read back and run on calls by a small BPF machine."""

from __future__ import annotations

import struct

import pytest

from grader.box import linux, seccomp

X86_64, AARCH64 = 0xC000003E, 0xC00000B7
MACHINES = {"x86_64": X86_64, "aarch64": AARCH64}
ALLOW, KILL, EPERM, ENOSYS = 0x7FFF0000, 0x80000000, 0x00050001, 0x00050026


def instructions(machine: str, **more: bool) -> list[tuple[int, int, int, int]]:
    return list(struct.iter_unpack("=HBBI", seccomp.program(machine, **more)))


def verdict(machine: str, number: int, *args: int, arch: int | None = None, **more: bool) -> int:
    """What the kernel would answer to this call."""
    padded = [*args, 0, 0, 0, 0, 0, 0][:6]
    data = struct.pack("<iIQ6Q", number, arch or MACHINES[machine], 0, *padded)
    code, at, accumulator = instructions(machine, **more), 0, 0
    while True:
        operation, if_true, if_false, k = code[at]
        at += 1
        if operation == 0x06:
            return k
        if operation == 0x20:
            (accumulator,) = struct.unpack_from("<I", data, k)
            continue
        holds = {
            0x15: accumulator == k,
            0x35: accumulator >= k,
            0x45: bool(accumulator & k),
        }[operation]
        at += if_true if holds else if_false


@pytest.mark.parametrize("machine", MACHINES)
def test_every_jump_lands_inside_and_the_last_instruction_answers(machine: str) -> None:
    code = instructions(machine)
    assert len(code) < 4096
    for at, (operation, if_true, if_false, _) in enumerate(code):
        assert operation in (0x06, 0x20, 0x15, 0x35, 0x45)
        assert at + 1 + max(if_true, if_false) < len(code) or operation == 0x06
    assert code[-1][0] == 0x06


@pytest.mark.parametrize("machine", MACHINES)
def test_loads_read_inside_the_data_of_a_call(machine: str) -> None:
    loads = [k for operation, _, _, k in instructions(machine) if operation == 0x20]
    assert loads and all(k % 4 == 0 and k <= 60 for k in loads)


@pytest.mark.parametrize(
    ("machine", "number"),
    [
        *[("x86_64", n) for n in (272, 308, 165, 166, 155, 161, 101, 310, 321, 298, 323, 425, 250)],
        *[("aarch64", n) for n in (97, 268, 40, 39, 41, 51, 117, 270, 280, 241, 282, 425, 219)],
    ],
)
def test_a_way_out_is_refused(machine: str, number: int) -> None:
    assert verdict(machine, number) == EPERM


@pytest.mark.parametrize(
    ("machine", "number"),
    [
        *[("x86_64", n) for n in (0, 1, 9, 39, 57, 59, 60, 202, 231, 257, 262)],
        *[("aarch64", n) for n in (63, 64, 222, 172, 221, 93, 98, 94, 56, 79)],
    ],
)
def test_what_a_notebook_needs_is_allowed(machine: str, number: int) -> None:
    assert verdict(machine, number) == ALLOW


@pytest.mark.parametrize("machine", MACHINES)
def test_calls_of_another_architecture_end_the_process(machine: str) -> None:
    assert verdict(machine, 1, arch=0x40000003) == KILL


def test_calls_by_the_x32_numbers_are_refused() -> None:
    assert verdict("x86_64", 0x40000000 | 1) == EPERM
    assert verdict("x86_64", 0x40000000 | 272) == EPERM


@pytest.mark.parametrize(
    ("machine", "memfd", "affinity"), [("x86_64", 319, 203), ("aarch64", 279, 122)]
)
def test_where_no_group_counts_or_bounds_what_only_it_could_is_refused(
    machine: str, memfd: int, affinity: int
) -> None:
    assert verdict(machine, memfd) == verdict(machine, affinity) == ALLOW
    assert verdict(machine, memfd, uncounted=True) == EPERM
    assert verdict(machine, affinity, pinned=True) == EPERM
    assert verdict(machine, affinity, uncounted=True) == ALLOW


CLONE = {"x86_64": 56, "aarch64": 220}
SOCKET = {"x86_64": 41, "aarch64": 198}


@pytest.mark.parametrize("machine", MACHINES)
def test_threads_and_children_may_be_made_but_no_namespaces(machine: str) -> None:
    thread = 0x003D0F00  # what glibc passes for a thread
    assert verdict(machine, CLONE[machine], thread) == ALLOW
    assert verdict(machine, CLONE[machine], 17) == ALLOW
    for flag in (linux.CLONE_NEWUSER, linux.CLONE_NEWNS, linux.CLONE_NEWPID, linux.CLONE_NEWNET):
        assert verdict(machine, CLONE[machine], 17 | flag) == EPERM
    assert verdict(machine, 435) == ENOSYS  # clone3: glibc falls back to clone


@pytest.mark.parametrize("machine", MACHINES)
def test_only_common_families_of_sockets_can_be_had(machine: str) -> None:
    for family in (1, 2, 10):  # unix, IPv4, IPv6
        assert verdict(machine, SOCKET[machine], family, 1) == ALLOW
    for family in (16, 17, 38, 40, 44):  # netlink, packet, AF_ALG, AF_VSOCK, XDP
        assert verdict(machine, SOCKET[machine], family, 1) == EPERM


def test_an_unknown_machine_has_no_filter_and_so_no_jail() -> None:
    with pytest.raises(OSError, match="no seccomp filter"):
        seccomp.program("riscv64")
