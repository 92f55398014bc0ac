"""The jail's own seccomp filter: a list of system calls that a notebook never needs.

It comes on top of the engine's profile, which is a list of what is allowed. The calls below are
those with which a process leaves its jail, reaches into another, or talks to parts of the kernel
with a history of holes. Each is refused with EPERM (`clone3` with ENOSYS: libc then uses `clone`,
whose flags a filter can read).

Numbers: Linux `arch/x86/entry/syscalls/syscall_64.tbl` and `include/uapi/asm-generic/unistd.h`.
What each group stops is said beside it, with a hole of the past that was reached through it. The
kernels of today have those holes closed; the calls are refused for the next one. "Docker" is the
list of reasons at https://docs.docker.com/engine/security/seccomp/. "Attack X" is the folder of
that name in tests/attacks: it is stopped here, and succeeds against a weakened box.
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
    # New namespaces: in one of its own any user has every capability, and with those the parts of
    # the kernel that were written for root (CVE-2022-0185, fsconfig; CVE-2023-0386, overlayfs;
    # CVE-2024-1086, nf_tables; attack forge/new-namespaces). `setns` enters those of others.
    "unshare": (272, 97),
    "setns": (308, 268),
    # Mounts and roots: what is read-only could be covered or written, and a root be left by a
    # second chroot (chroot(2), Notes). With a mount of a cgroup its release_agent runs a program
    # outside (CVE-2022-0492).
    "mount": (165, 40),
    "umount2": (166, 39),
    "pivot_root": (155, 41),
    "chroot": (161, 51),
    # The same by newer calls, which a filter that knows only `mount` lets through: so programs left
    # Flatpak's sandbox (CVE-2021-41133).
    "open_tree": (428, 428),
    "move_mount": (429, 429),
    "fsopen": (430, 430),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fspick": (433, 433),
    "mount_setattr": (442, 442),
    # Into other processes: the zygote holds the stream to the judge, and whoever reads its memory
    # or takes its descriptors could write frames. `ptrace` has given root besides (CVE-2019-13272).
    # `kcmp` tells the order of the kernel's own addresses. Attack steal/memory-of-others.
    "ptrace": (101, 117),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "process_madvise": (440, 440),
    "kcmp": (312, 272),
    "pidfd_getfd": (438, 438),
    # Parts of the kernel with a large attack surface and no use in a notebook.
    # Programs that run in the kernel, past a verifier with holes (CVE-2021-3490, CVE-2022-23222).
    "bpf": (321, 280),
    # Counters of the processor: CVE-2013-2094, and a clock for side channels.
    "perf_event_open": (298, 241),
    # Stops the kernel in the middle of a copy for as long as one likes, which wins races
    # (Documentation/admin-guide/sysctl/vm.rst, unprivileged_userfaultfd).
    "userfaultfd": (323, 282),
    # Carries out calls that no filter sees, and has had holes year after year (CVE-2021-41073,
    # CVE-2022-29582, CVE-2023-2598).
    "io_uring_setup": (425, 425),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    # Keyrings belong to no namespace: sessions of one uid would share them (Docker); CVE-2016-0728.
    "keyctl": (250, 219),
    "add_key": (248, 217),
    "request_key": (249, 218),
    # Watches whole file systems, also outside the jail.
    "fanotify_init": (300, 262),
    # Opens files by number, past every mount: "shocker" read a host's disk from a container so
    # (2014).
    "open_by_handle_at": (304, 265),
    "name_to_handle_at": (303, 264),
    # Profiles, quotas and an NFS server: of the host (Docker).
    "lookup_dcookie": (212, 18),
    "quotactl": (179, 60),
    "nfsservctl": (180, 42),
    # Pages that are given away and still seen: CVE-2008-0600, CVE-2020-29374.
    "vmsplice": (278, 75),
    # Memory that a watcher cannot look into.
    "memfd_secret": (447, 447),
    # Turns off the randomness of addresses; emulations that nobody tests (Docker).
    "personality": (135, 92),
    # Segments of one's own: CVE-2015-3290, CVE-2017-17053.
    "modify_ldt": (154, None),
    # The machine itself. All of it takes capabilities, which the jail has dropped; this is for the
    # day on which that fails. `syslog` tells addresses of the kernel; time has no namespace.
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
    # Memory without a name or a place in /proc, which only a control group counts: a notebook could
    # fill the machine with it unseen (attacks exhaust/memory-files, exhaust/memory-of-system-v).
    # What System V keeps outlives who made it besides.
    "memfd_create": (319, 279),
    "shmget": (29, 194),
    "msgget": (68, 186),
    "semget": (64, 190),
}
_PINNED: dict[str, tuple[int | None, int | None]] = {
    # A notebook that leaves the processors it was given takes time from the others' deadlines
    # (attack exhaust/processors-of-others).
    "sched_setaffinity": (203, 122)
}
_CLONE = (56, 220)
# Its flags lie in memory, which a filter can't read (and which could change after it has looked).
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
# Netlink is the door to nf_tables and the like (CVE-2024-1086). Packet sockets: CVE-2016-8655,
# CVE-2020-14386. AF_ALG, the kernel's cryptography: CVE-2019-8912. AF_VSOCK leads out of a virtual
# machine past every network namespace (CVE-2021-26708). XDP shares rings with the kernel.
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
        _op(_RETURN, _KILL),  # a 32-bit call would have other numbers (seccomp(2), Caveats)
        _op(_LOAD, _NUMBER_AT),
    ]
    if machine == "x86_64":
        # x32: the same architecture, one more bit in each number (CVE-2014-0038).
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
