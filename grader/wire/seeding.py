"""Both sides start from a seed in the same way."""

from __future__ import annotations

import random

import numpy as np
import torch

HAS_DEVICES: bool = (
    torch.backends.cuda.is_built()  # type: ignore[no-untyped-call]
    or torch.backends.mps.is_built()
)
"""Whether this torch could use another device than the processor, if there were one."""


def seed_everything(seed: int) -> None:
    """Seed Python's, numpy's and torch's generators; `seed` is in [0, 2**64)."""
    random.seed(seed)
    np.random.seed(seed % (1 << 32))
    if HAS_DEVICES:
        torch.manual_seed(seed)
    else:
        # manual_seed notes the whole call stack as text for each kind of device that there could
        # be, which takes longer than many a test.
        torch.default_generator.manual_seed(seed)
