"""What is slow the first time has been done before the fork: a session imports nothing more."""

from __future__ import annotations

import subprocess
import sys

import pytest

from grader.wire.seeding import HAS_DEVICES

SESSION = r"""
import os, socket, sys, threading
from IPython.core.interactiveshell import InteractiveShell
from grader.box.serve import Channel, Server
from grader.box.preloading import warm_up
from grader.wire.messages import RunCell

warm_up()
shell = InteractiveShell.instance()
names, count, loaded = set(shell.user_ns), shell.execution_count, set(sys.modules)
threads = threading.active_count()
said = os.dup(1)
ours, theirs = socket.socketpair()
ours.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
theirs.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 22)
server = Server(Channel(theirs.detach()), shell)
CELLS = '''
import torch, matplotlib.pyplot as plt
from torch import nn
model = nn.Linear(2, 2)
optimizer = torch.optim.Adam(model.parameters())
###
for _ in range(2):
    optimizer.zero_grad()
    nn.functional.cross_entropy(model(torch.ones(3, 2)), torch.zeros(3).long()).backward()
    optimizer.step()
print("trained")
###
plt.plot([1, 2])
###
1 / 0
'''
for index, source in enumerate(CELLS.split("###\n"), 1):
    server._run_cell(RunCell(index=index, source=source, timeout_s=60, stop_output_at=1 << 20))
new = sorted(set(sys.modules) - loaded)
os.write(said, repr((count, threads, "model" in names, "f" in names, new)).encode())
os._exit(0)
"""


@pytest.mark.skipif(HAS_DEVICES, reason="trains only before the fork where torch has no devices")
def test_a_session_imports_nothing_that_was_not_there_before_the_fork() -> None:
    done = subprocess.run([sys.executable, "-c", SESSION], capture_output=True, text=True)
    assert done.stdout == "(1, 1, False, False, [])", done.stderr[-2000:]
