"""The system calls of the jail, in a child process where they change something."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grader.box import linux

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="Linux only")


def told_by_child(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", "from grader.box import linux, seccomp\n" + code],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


STATUS = "s = dict(l.split(':', 1) for l in open('/proc/self/status'))\n"


def test_a_call_that_fails_says_which_and_why() -> None:
    with pytest.raises(OSError, match=r"umount /no/such/place: (No such file|Operation not)"):
        linux.unmount("/no/such/place")
    with pytest.raises(OSError, match=r"prctl\(9999\): Invalid argument"):
        linux.prctl(9999)


def test_capabilities_are_gone_after_they_are_dropped() -> None:
    said = told_by_child(
        "linux.drop_capabilities()\n"
        + STATUS
        + "print(*(int(s[k], 16) for k in ('CapInh', 'CapPrm', 'CapEff', 'CapAmb')))"
    )
    assert said == "0 0 0 0\n"


def test_the_filter_stays_and_refuses_what_it_must() -> None:
    said = told_by_child(
        "seccomp.install()\n"
        + STATUS
        + "print(s['NoNewPrivs'].strip(), s['Seccomp'].strip())\n"
        + "try:\n    linux.unshare(linux.CLONE_NEWUSER)\n"
        + "except OSError as error:\n    print(error)\n"
        + "import threading, subprocess, socket\n"
        + "t = threading.Thread(target=print, args=('thread',)); t.start(); t.join()\n"
        + "print(subprocess.run(['echo', 'child'], capture_output=True).stdout.decode(), end='')\n"
        + "socket.socketpair(); socket.socket(); print('sockets')\n"
    )
    assert said == (
        "1 2\n[Errno 1] unshare(0x10000000): Operation not permitted\nthread\nchild\nsockets\n"
    )


def test_what_c_code_printed_is_flushed() -> None:
    said = told_by_child(
        "import ctypes, os\n"
        "libc = ctypes.CDLL(None)\n"
        "libc.printf(b'from c, ')\n"
        "linux.flush_c_streams()\n"
        "os.write(1, b'then python\\n')\n"
    )
    assert said == "from c, then python\n"


FORK = """
import ctypes, os, threading
from grader.box import jail

def owner_of_a_lock():
    # What the C library takes for this thread's id, which it writes into a mutex that it locks.
    libc, mutex = ctypes.CDLL(None), (ctypes.c_int * 16)()
    assert libc.pthread_mutex_lock(mutex) == 0
    return mutex[2]

def of_this_process():
    kinds = ("user", "mnt", "pid", "ipc", "net")
    names = {kind: os.stat(f"/proc/self/ns/{kind}").st_ino for kind in kinds}
    return names, os.getpid(), threading.get_native_id(), owner_of_a_lock()

came, went = os.pipe()
pid = linux.fork_into(jail.NAMESPACES)
if pid == 0:
    try:
        linux.drop_capabilities()
        thread = threading.Thread(target=lambda: None)
        thread.start()
        thread.join()
        names, *ids = of_this_process()
        os.write(went, repr((names, *ids)).encode())
    finally:
        os._exit(7)
os.close(went)
ours, theirs = of_this_process(), eval(os.read(came, 4096))
print([name for name in ours[0] if ours[0][name] != theirs[0][name]])
print(theirs[1:], ours[1] == ours[2] == ours[3] == os.getpid())
print(os.waitpid(pid, 0) == (pid, 7 << 8))
"""


def test_a_fork_into_namespaces_is_process_1_there_and_a_child_of_ours() -> None:
    said = told_by_child(FORK)
    assert said == "['user', 'mnt', 'pid', 'ipc', 'net']\n(1, 1, 1) True\nTrue\n"


def test_a_process_with_threads_is_not_forked_past_the_c_library() -> None:
    said = told_by_child(
        "import threading\nfrom grader.box import jail\n"
        "enough = threading.Event()\nthreading.Thread(target=enough.wait).start()\n"
        "try:\n    linux.fork_into(jail.NAMESPACES)\n"
        "except OSError as error:\n    print(error)\nenough.set()\n"
    )
    assert said == "[Errno 16] a library has started a thread; no process can be forked\n"


def test_namespaces_that_the_kernel_refuses_are_an_error_in_the_parent() -> None:
    said = told_by_child(
        "linux.drop_capabilities()\nseccomp.install()\n"
        "try:\n    linux.fork_into(linux.CLONE_NEWUSER)\n"
        "except OSError as error:\n    print(error)\n"
    )
    assert said == "[Errno 1] clone(0x10000000): Operation not permitted\n"
