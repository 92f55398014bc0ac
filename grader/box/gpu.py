"""How much of its GPU a session may use."""

from __future__ import annotations

import torch


def cap(limit: int) -> None:
    """Have torch give no more than so many bytes of the GPU, whatever GPU it is.

    It is no wall: student code can lift it, and gains nothing but what the GPU has. It takes effect
    when torch first uses the GPU, and starts nothing before.
    """
    torch.cuda._lazy_call(lambda: _apply(limit))  # type: ignore[no-untyped-call]


def _apply(limit: int) -> None:
    total: int = torch.cuda.get_device_properties(0).total_memory
    torch.cuda.set_per_process_memory_fraction(min(limit / total, 1.0), 0)
