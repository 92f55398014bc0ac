"""The CPU where a notebook asks for a GPU, for an assignment that says so on a machine without one.

`torch.cuda.is_available()` still says that there is none: a notebook that asks takes its own way.
It is a help and no wall; what a notebook does about it costs that notebook alone.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from typing import Any

import torch
from torch.overrides import TorchFunctionMode

SAID = "There is no GPU in this sandbox: the CPU takes its place.\n"
_MOVES = frozenset({"to", "_parse_to"})
_IN_PLACE = frozenset({"cuda", "pin_memory"})


class CudaAsCpu(TorchFunctionMode):
    """Turns a CUDA device that torch is asked for into the CPU, in the thread that enters it."""

    def __init__(self) -> None:
        super().__init__()
        self._said = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call the function with the CPU in place of a CUDA device."""
        named = dict(kwargs or {})
        name = getattr(func, "__name__", "")
        if name in _IN_PLACE and len(args) and isinstance(args[0], torch.Tensor):
            if name == "cuda":
                self.say()
            return args[0]
        if is_cuda(named.get("device")):
            named["device"] = "cpu"
            self.say()
        if name in _MOVES and any(map(is_cuda, args)):
            args = ["cpu" if is_cuda(arg) else arg for arg in args]
            self.say()
        return func(*args, **named)

    def say(self) -> None:
        """Tell the student, once in a session."""
        if not self._said:
            self._said = True
            sys.stderr.write(SAID)


def is_cuda(device: object) -> bool:
    """Whether something names a CUDA device: `"cuda:0"`, `torch.device("cuda")`, or 0."""
    if isinstance(device, torch.device):
        return device.type == "cuda"
    if isinstance(device, str):
        return device == "cuda" or device.startswith("cuda:")
    return type(device) is int


def begin() -> None:
    """Have this session use the CPU, unless torch sees a GPU."""
    if torch.cuda.is_available():
        return
    mode = CudaAsCpu()
    mode.__enter__()  # type: ignore[no-untyped-call]
    torch.load = _loading(torch.load, mode)
    torch.cuda.synchronize = torch.cuda.set_device = _nothing
    torch.cuda.reset_peak_memory_stats = _nothing
    torch.cuda.current_device = lambda: 0
    torch.cuda.get_device_name = lambda *_args, **_kwargs: "CPU (there is no GPU in this sandbox)"


def _nothing(*_args: object, **_kwargs: object) -> None:
    """What only a GPU has to do."""


def _loading(load: Callable[..., Any], mode: CudaAsCpu) -> Callable[..., Any]:
    @wraps(load)
    def to_cpu(f: Any, map_location: Any = None, *args: Any, **kwargs: Any) -> Any:
        if map_location is None or isinstance(map_location, dict) or is_cuda(map_location):
            if is_cuda(map_location):
                mode.say()
            map_location = "cpu"
        return load(f, map_location, *args, **kwargs)

    return to_cpu
