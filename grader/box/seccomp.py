"""The jail's own seccomp filter: a list of system calls that a notebook never needs.

It comes on top of the engine's profile, which is a list of what is allowed. The calls below are
those with which a process leaves its jail, reaches into another, or talks to parts of the kernel
with a history of holes. Each is refused with EPERM (`clone3` with ENOSYS: libc then uses `clone`,
whose flags a filter can read).

Numbers: Linux `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`.
"""

from __future__ import annotations

import ctypes
import os
import struct

from grader.box import linux

EPERM, ENOSYS = 1, 38
_ALLOW = 0x7FFF0000
_ERRNO = 0x00050000
_KILL = 0x80000000
_LOAD, _JEQ, _JGE, _JSET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER_AT, _ARCH_AT, _ARGS_AT = 0, 4, 16
_X32 = 0x40000000

# name: (x86_64, aarch64); None where the architecture has no such call
_REFUSED: dict[str, tuple[int | None, int | None]] = {
    # new namespaces, mounts, roots: the way out of the jail
    "unshare": (272, 97),
    "setns": (308, 268),
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    # into other processes
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    # kernel interfaces with a large attack surface and no use in a notebook
    "bpf": (321, 280),
    "perf_event_open": (298, 241),
    "userfaultfd": (323, 282),
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    "fanotify_init": (300, 262),
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    "lookup_dcookie": (212, 18),
    "quotactl": (179, 60),
    "nfsservctl": (180, 42),
    "vmsplice": (278, 75),
    "memfd_secret": (447, 447),
    "personality": (135, 92),
    "modify_ldt": (154, None),
    # the machine itself
    "kexec_load": (246, 104),
    "kexec_file_load": (320, 294),
    "init_module": (175, 105),
    "finit_module": (313, 273),
    "delete_module": (176, 106),
    "reboot": (169, 142),
    "swapon": (167, 224),
    "swapoff": (168, 225),
    "acct": (163, 89),
    "syslog": (103, 116),
    "settimeofday": (164, 170),
    "clock_settime": (227, 112),
    "clock_adjtime": (305, 266),
    "adjtimex": (159, 171),
    "iopl": (172, None),
    "ioperm": (173, None),
}
_UNCOUNTED: dict[str, tuple[int | None, int | None]] = {
    # memory without a name or a place in /proc, which only a control group counts
    "memfd_create": (319, 279),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
}
_PINNED: dict[str, tuple[int | None, int | None]] = {"sched_setaffinity": (203, 122)}
_CLONE = (56, 220)
_CLONE3 = (435, 435)
_SOCKET = (41, 198)
_NAMESPACE_FLAGS = (
    linux.CLONE_NEWNS
    | linux.CLONE_NEWCGROUP
    | linux.CLONE_NEWUTS
    | linux.CLONE_NEWIPC
    | linux.CLONE_NEWUSER
    | linux.CLONE_NEWPID
    | linux.CLONE_NEWNET
)
_REFUSED_FAMILIES = (16, 17, 38, 40, 44)  # netlink, packet, AF_ALG, AF_VSOCK, XDP
_ARCHITECTURES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}


def _op(code: int, k: int, if_true: int = 0, if_false: int = 0) -> bytes:
    return struct.pack("=HBBI", code, if_true, if_false, k)


def program(machine: str, *, uncounted: bool = False, pinned: bool = False) -> bytes:
    """The filter as a BPF program for `machine` (`x86_64` or `aarch64`).

    Args:
        machine: as `os.uname` names it.
        uncounted: no control group counts memory: refuse what nothing else would count.
        pinned: no control group bounds processors: refuse to leave those that were given.

    Raises:
        OSError: no filter is known for this machine.
    """
    if machine not in _ARCHITECTURES:
        raise OSError(f"no seccomp filter for the machine {machine!r}")
    column, architecture = _ARCHITECTURES[machine]
    code = [
        _op(_LOAD, _ARCH_AT),
        _op(_JEQ, architecture, 1, 0),
        _op(_RETURN, _KILL),  # a 32-bit call would have other numbers
        _op(_LOAD, _NUMBER_AT),
    ]
    if machine == "x86_64":
        code += [_op(_JGE, _X32, 0, 1), _op(_RETURN, _ERRNO | EPERM)]
    refused = _REFUSED | (_UNCOUNTED if uncounted else {}) | (_PINNED if pinned else {})
    for numbers in refused.values():
        number = numbers[column]
        if number is not None:
            code += [_op(_JEQ, number, 0, 1), _op(_RETURN, _ERRNO | EPERM)]
    code += [_op(_JEQ, _CLONE3[column], 0, 1), _op(_RETURN, _ERRNO | ENOSYS)]
    code += [
        _op(_JEQ, _CLONE[column], 0, 4),
        _op(_LOAD, _ARGS_AT),
        _op(_JSET, _NAMESPACE_FLAGS, 0, 1),
        _op(_RETURN, _ERRNO | EPERM),
        _op(_RETURN, _ALLOW),
    ]
    families = [
        part
        for family in _REFUSED_FAMILIES
        for part in (_op(_JEQ, family, 0, 1), _op(_RETURN, _ERRNO | EPERM))
    ]
    code += [_op(_JEQ, _SOCKET[column], 0, 1 + len(families)), _op(_LOAD, _ARGS_AT), *families]
    code.append(_op(_RETURN, _ALLOW))
    return b"".join(code)


def install(*, uncounted: bool = False, pinned: bool = False) -> None:
    """Put the filter on this process and all that it will start; it can't be taken off.

    Raises:
        OSError: the kernel refused it.
    """
    code = program(os.uname().machine, uncounted=uncounted, pinned=pinned)
    buffer = ctypes.create_string_buffer(code, len(code))

    class SockFprog(ctypes.Structure):
        _fields_ = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]

    prog = SockFprog(len(code) // 8, ctypes.addressof(buffer))
    linux.prctl(linux.PR_SET_NO_NEW_PRIVS, 1)
    linux.prctl(linux.PR_SET_SECCOMP, linux.SECCOMP_MODE_FILTER, ctypes.addressof(prog))
