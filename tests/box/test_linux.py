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
