"""The system calls of a jail that Python has no function for."""

from __future__ import annotations

import ctypes
import errno
import os
import signal
import sys
from pathlib import Path

CLONE_NEWNS = 0x00020000
CLONE_NEWCGROUP = 0x02000000
CLONE_NEWUTS = 0x04000000
CLONE_NEWIPC = 0x08000000
CLONE_NEWUSER = 0x10000000
CLONE_NEWPID = 0x20000000
CLONE_NEWNET = 0x40000000
CLONE_CHILD_CLEARTID = 0x00200000
CLONE_CHILD_SETTID = 0x01000000

MS_RDONLY = 1
MS_NOSUID = 2
MS_NODEV = 4
MS_NOEXEC = 8
MS_REMOUNT = 32
MS_BIND = 4096
MS_REC = 16384
MS_PRIVATE = 1 << 18
MNT_DETACH = 2

PR_SET_PDEATHSIG = 1
PR_SET_DUMPABLE = 4
PR_CAPBSET_DROP = 24
PR_SET_CHILD_SUBREAPER = 36
PR_SET_NO_NEW_PRIVS = 38
PR_GET_TID_ADDRESS = 40
PR_SET_SECCOMP = 22
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_CLEAR_ALL = 4
SECCOMP_MODE_FILTER = 2
LAST_CAPABILITY = 63

_libc = ctypes.CDLL(None, use_errno=True)
_libc_with_gil = ctypes.PyDLL(None, use_errno=True)


def _check(result: int, what: str) -> None:
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")


def unshare(flags: int) -> None:
    """Leave the namespaces named by `flags` for new ones."""
    _check(_libc.unshare(ctypes.c_int(flags)), f"unshare(0x{flags:x})")


def fork_into(namespaces: int) -> int:
    """Fork; the child begins in new namespaces, and is process 1 where one of them is of pids.

    After `unshare` only a further child would be in the new pid namespace: a second fork, and the
    end of a process as large as this one, which took as long as all the rest of the jail.

    The kernel is asked past the C library, whose own fork waits for the locks of other threads:
    there must be none. What the library knows of the main thread's id is put right as it does.

    Raises:
        OSError: there are other threads, or the kernel refuses (it must know PR_GET_TID_ADDRESS,
            which comes with CONFIG_CHECKPOINT_RESTORE).
    """
    if len(list(Path("/proc/self/task").iterdir())) > 1:
        raise OSError(errno.EBUSY, "a library has started a thread; no process can be forked")
    thread_id = ctypes.c_void_p()
    prctl(PR_GET_TID_ADDRESS, ctypes.addressof(thread_id))
    flags = ctypes.c_ulong(namespaces | CLONE_CHILD_SETTID | CLONE_CHILD_CLEARTID | signal.SIGCHLD)
    machine = os.uname().machine
    number = {"x86_64": 56, "aarch64": 220}.get(machine)
    if number is None:
        raise OSError(errno.ENOSYS, f"clone: no known system call number on {machine}")
    # The thread's storage, which stays, comes last on the one and before its id on the other.
    last = (thread_id, None) if machine == "x86_64" else (None, thread_id)
    ctypes.pythonapi.PyOS_BeforeFork()
    pid = int(_libc_with_gil.syscall(ctypes.c_long(number), flags, None, None, *last))
    if pid == 0:
        ctypes.pythonapi.PyOS_AfterFork_Child()
    else:
        ctypes.pythonapi.PyOS_AfterFork_Parent()
    if pid < 0:
        _check(pid, f"clone(0x{namespaces:x})")
    return pid


def mount(source: str | None, target: str, kind: str | None, flags: int, data: str = "") -> None:
    """Mount, bind or remount."""
    result = _libc.mount(
        None if source is None else os.fsencode(source),
        os.fsencode(target),
        None if kind is None else kind.encode(),
        ctypes.c_ulong(flags),
        data.encode() or None,
    )
    _check(result, f"mount {kind or 'bind'} on {target}")


def unmount(target: str, flags: int = 0) -> None:
    """Unmount."""
    _check(_libc.umount2(os.fsencode(target), ctypes.c_int(flags)), f"umount {target}")


def pivot_root(new_root: str, put_old: str) -> None:
    """Make `new_root` the root of this mount namespace."""
    number = {"x86_64": 155, "aarch64": 41}.get(os.uname().machine)
    if number is None:
        raise OSError(f"pivot_root: no known system call number on {os.uname().machine}")
    result = _libc.syscall(ctypes.c_long(number), os.fsencode(new_root), os.fsencode(put_old))
    _check(result, "pivot_root")


def prctl(option: int, *args: int) -> None:
    """Call prctl with integer arguments."""
    padded = [ctypes.c_ulong(a) for a in (*args, 0, 0, 0, 0)[:4]]
    _check(_libc.prctl(ctypes.c_int(option), *padded), f"prctl({option})")


def allow_own_proc_files() -> None:
    """Undo the zygote's PR_SET_DUMPABLE in its child, which must write its own uid map."""
    if sys.platform == "linux":
        prctl(PR_SET_DUMPABLE, 1)


def drop_capabilities() -> None:
    """Give up every capability, for this process and whatever it executes."""
    prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL)
    for capability in range(LAST_CAPABILITY + 1):
        try:
            prctl(PR_CAPBSET_DROP, capability)
        except OSError as error:
            if error.errno == errno.EINVAL:  # past the last one that this kernel knows
                break
            # Without CAP_SETPCAP the bounding set stays; no_new_privs holds.
            if error.errno != errno.EPERM:
                raise
            break
    header = (ctypes.c_uint32 * 2)(0x20080522, 0)
    nothing = (ctypes.c_uint32 * 6)()
    _check(_libc.capset(ctypes.byref(header), ctypes.byref(nothing)), "capset")


def flush_c_streams() -> None:
    """Flush what C code has printed through stdio."""
    _libc.fflush(None)


def bring_up_loopback() -> None:
    """Bring up `lo` in a fresh network namespace, so that 127.0.0.1 works inside it."""
    import fcntl
    import socket
    import struct

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        request = struct.pack("16sH14s", b"lo", 1, b"")
        fcntl.ioctl(sock.fileno(), 0x8914, request)
