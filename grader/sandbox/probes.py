"""What `grader doctor` tries from inside a box, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_TELL = "Tell us: this must never happen. Until then use another sandbox (`--sandbox docker`)."
_IMAGE = "Build the image again: `grader sandbox build --rebuild`."


@dataclass(frozen=True, kw_only=True)
class Probe:
    """A cell, and whether what it says (or how it was stopped) is as promised."""

    name: str
    source: str
    holds: Callable[[str], bool]
    fix: str = _TELL
    timeout_s: float = 600.0
    """Of the cell. Where it is no part of the promise: longer than on any machine that is busy."""
    without_walls: bool = False
    """Whether the unsafe sandbox promises it as well."""


def _is(text: str) -> Callable[[str], bool]:
    return lambda said: said == text


def _stopped(*reasons: str) -> Callable[[str], bool]:
    return lambda said: any(reason in said for reason in reasons)


PROBES = (
    Probe(
        name="no privileges",
        source=(
            "import os\ns = dict(l.split(':', 1) for l in open('/proc/self/status'))\n"
            "print('uid', 'root' if os.getuid() == 0 else 'plain', 'capabilities',"
            " int(s['CapEff'], 16), 'no new ones', s['NoNewPrivs'].strip(),"
            " 'filter', s['Seccomp'].strip())"
        ),
        holds=_is("uid plain capabilities 0 no new ones 1 filter 2"),
    ),
    Probe(
        name="no way out by system calls",
        source=(
            "import ctypes\nlibc = ctypes.CDLL(None, use_errno=True)\n"
            "calls = [libc.unshare(0x10000000), libc.mount(b'x', b'/tmp', b'tmpfs', 0, None),"
            " libc.ptrace(16, 1, 0, 0), libc.chroot(b'/tmp'), libc.syscall(321, 0, 0, 0)]\n"
            "print('refused', sum(c == -1 for c in calls), 'of', len(calls))"
        ),
        holds=_is("refused 5 of 5"),
    ),
    Probe(
        name="network is closed",
        source=(
            "import socket\nopen_ = []\n"
            "for host in ('1.1.1.1', '169.254.169.254', '172.17.0.1', '192.168.0.1'):\n"
            "    s = socket.socket(); s.settimeout(1)\n"
            "    try:\n        s.connect((host, 80)); open_.append(host)\n"
            "    except OSError: pass\n"
            "try:\n    socket.gethostbyname('example.org'); open_.append('dns')\n"
            "except OSError: pass\nprint('open', open_)"
        ),
        holds=_is("open []"),
    ),
    Probe(
        name="nothing can be written but the work directory",
        source=(
            "import os, tempfile\nwritable = []\n"
            "for top, folders, files in os.walk('/'):\n"
            "    folders[:] = [f for f in folders if os.path.join(top, f) not in"
            " ('/proc', '/sys', '/tmp', '/dev')][:200]\n"
            "    if top.count('/') > 3: folders.clear()\n"
            "    try:\n        tempfile.TemporaryFile(dir=top).close(); writable.append(top)\n"
            "    except OSError: pass\nprint('writable', writable[:5])"
        ),
        holds=_is("writable []"),
        fix=_IMAGE,
    ),
    Probe(
        name="no tests, reference or other submissions",
        source=(
            "import os\nhits = []\nnames = {'assignment.toml', 'gradebook.db', 'verdict.py'}\n"
            "for top, folders, files in os.walk('/'):\n"
            "    if top.startswith(('/proc', '/sys')): folders.clear(); continue\n"
            "    hits += [os.path.join(top, f) for f in files if f in names]\n"
            "print('found', hits[:5])"
        ),
        holds=_is("found []"),
    ),
    Probe(
        name="memory is limited",
        source="import torch\nkept = [torch.ones(10_000_000) for _ in range(200)]\nprint('all')",
        holds=_stopped("stopped: memory", "MemoryError", "RuntimeError"),
        fix="Let the engine use cgroups for memory.",
    ),
    Probe(
        name="processes are limited",
        source=(
            "import os, time\nn = 0\ntry:\n    while n < 3000:\n"
            "        if os.fork() == 0: time.sleep(60); os._exit(0)\n        n += 1\n"
            "except OSError: pass\nprint('bounded' if n < 1000 else 'unbounded')"
        ),
        holds=lambda said: said == "bounded" or said.startswith("stopped"),
        fix="Let the engine use cgroups for pids.",
    ),
    Probe(
        name="disk is limited",
        source=(
            "try:\n    for i in range(200): open(f'f{i}', 'wb').write(b'x' * (1 << 20))\n"
            "    print('unbounded')\nexcept OSError: print('bounded')"
        ),
        holds=_is("bounded"),
    ),
    Probe(
        name="shared memory is limited",
        source=(
            "try:\n    for i in range(400): open(f'/dev/shm/f{i}', 'wb').write(b'x' * (1 << 20))\n"
            "    print('unbounded')\nexcept OSError: print('bounded')"
        ),
        holds=lambda said: said == "bounded" or said.startswith("stopped"),
    ),
    Probe(
        name="memory without a name is limited",
        source=(
            "import os, time\nkept, piece = [], bytes(32 << 20)\ntry:\n    for i in range(20):\n"
            "        kept.append(os.memfd_create('x')); os.write(kept[-1], piece)\n"
            "    time.sleep(2)\n"  # it is seen by looking, at most a moment after it was taken
            "    print('unbounded')\nexcept OSError: print('bounded')"
        ),
        holds=lambda said: said == "bounded" or said.startswith("stopped"),
        fix="Let the engine use cgroups for memory.",
    ),
    Probe(
        name="processors are limited",
        source=(
            "import os, resource, time\n"
            "began = time.monotonic()\n"
            "for i in range(8):\n"
            "    if os.fork() == 0:\n"
            "        while time.monotonic() < began + 2: pass\n"
            "        os._exit(0)\n"
            "for i in range(8): os.wait()\n"
            "usage = resource.getrusage(resource.RUSAGE_CHILDREN)\n"
            "share = (usage.ru_utime + usage.ru_stime) / (time.monotonic() - began)\n"
            "print('bounded' if share < 1.5 else f'it has {share:.1f} of them')"
        ),
        holds=_is("bounded"),
        fix="Let the engine use cgroups for cpu.",
    ),
    Probe(
        name="output is limited",
        source="while True: print('x' * 1000)",
        holds=_is("stopped: output_limit"),
        without_walls=True,
    ),
    Probe(
        name="time is limited",
        source="while True: pass",
        holds=_stopped("stopped: time"),
        timeout_s=1.0,
        without_walls=True,
    ),
    Probe(
        name="time is limited, alarms ignored",
        source="import signal\nsignal.signal(14, signal.SIG_IGN)\nwhile True: pass",
        holds=_stopped("stopped: time"),
        timeout_s=1.0,
        without_walls=True,
    ),
)

ON_A_GPU = Probe(
    name="computes on a GPU",
    source=(
        "import torch\n"
        "x = torch.ones(1000, device='cuda')\n"
        "print('devices', torch.cuda.device_count(), 'sum', int((x @ x).item()))"
    ),
    holds=_is("devices 1 sum 1000"),
    fix="Install the NVIDIA container toolkit, and a torch with CUDA: `grader sandbox build` takes "
    "the one that is installed here.",
)
"""It must see the one device that is its own."""
