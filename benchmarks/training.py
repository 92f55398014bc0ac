"""A training in a slot beside the same training in a plain process, in turns within seconds.

    python benchmarks/training.py --rounds 6

`compare.py` takes minutes from one system to the next, in which a virtual machine may change its
speed by half; what a slot adds to a training of five seconds is less than that.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable
from functools import partial

import task
import torch

from grader.sandbox.base import Slot, SlotOptions
from grader.sandbox.choose import choose
from grader.sandbox.notebook_box import NotebookBox, RunLimits

SOURCE = "import torch\nfrom torch import nn\n" + task.text(task.training_cells("medium")[0])
LIMITS = RunLimits(call_s=60, notebook_s=600, cell_s=300)


def plain() -> float:
    """Seconds in a child of this process, which has torch loaded."""
    read, write = os.pipe()
    if os.fork() == 0:
        began = time.perf_counter()
        exec(SOURCE, {})
        os.write(write, str(time.perf_counter() - began).encode())
        os._exit(0)
    os.close(write)
    with open(read) as told:  # noqa: PTH123 - a descriptor
        seconds = float(told.read())
    os.wait()
    return seconds


def in_slot(slot: Slot) -> float:
    """Seconds in a session: from before its fork until the cell is done."""
    box = NotebookBox(slot, [SOURCE], limits=LIMITS, seed=0)
    began = time.perf_counter()
    box.run()
    seconds = time.perf_counter() - began
    box.close()
    return seconds


def main() -> None:
    """Measure in turns and print a line of JSON for each place."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=6)
    rounds = parser.parse_args().rounds
    torch.set_num_threads(1)
    slots: list[Slot] = []
    places: dict[str, Callable[[], float]] = {"plain": plain}
    for sandbox in ("local", "docker"):
        choice = choose(sandbox)
        slot = choice.slot(SlotOptions(isolation=choice.isolation, image=choice.image or None))
        slot.wait_ready()
        slots.append(slot)
        places[sandbox] = partial(in_slot, slot)
    found: dict[str, list[float]] = {name: [] for name in places}
    for number in range(rounds):
        for name in sorted(places, reverse=bool(number % 2)):
            found[name].append(places[name]())
    for name, seconds in found.items():
        ratios = [s / p for s, p in zip(seconds, found["plain"], strict=True)]
        line = {"place": name, "s": [round(s, 2) for s in seconds]}
        print(json.dumps(line | {"times_plain": round(statistics.median(ratios), 3)}))
    for slot in slots:
        slot.stop()


if __name__ == "__main__":
    main()
