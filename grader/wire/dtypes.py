"""The kinds of numbers that tensors and arrays may have."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch

ARRAY_KINDS = "biufcSU"
DTYPES: dict[str, torch.dtype] = {
    str(d).removeprefix("torch."): d for d in vars(torch).values() if isinstance(d, torch.dtype)
}
TENSOR_DTYPES = {name: d for name, d in DTYPES.items() if not name.startswith(("q", "bits"))}


def is_text(array: np.ndarray[Any, Any]) -> bool:
    """Whether a flat array of numpy's `U` kind holds characters only, of which Python makes str."""
    codes = array.view(f"{array.dtype.str[0]}u4")
    surrogate = (codes >= 0xD800) & (codes <= 0xDFFF)
    return not bool((surrogate | (codes > 0x10FFFF)).any())
