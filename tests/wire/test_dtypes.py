"""Which codes in an array of text are characters."""

from __future__ import annotations

import numpy as np
import pytest

from grader.wire.dtypes import is_text


@pytest.mark.parametrize(
    ("code", "is_character"),
    [
        (0, True),
        (0xD7FF, True),
        (0xD800, False),
        (0xDFFF, False),
        (0xE000, True),
        (0x10FFFF, True),
        (0x110000, False),
        (0xFFFFFFFF, False),
    ],
)
@pytest.mark.parametrize("order", ["<", ">"])
def test_surrogates_and_codes_beyond_unicode_are_no_characters(
    code: int, is_character: bool, order: str
) -> None:
    codes = np.array([0x61, code], dtype=f"{order}u4")
    assert is_text(codes.view(f"{order}U2")) is is_character
