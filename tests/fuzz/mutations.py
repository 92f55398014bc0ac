"""Sound bytes with damage done to them, the same for the same seed."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence

TOKENS = (
    b'{"', b"}", b"[", b"]", b'"', b"null", b"1e999", b"-0", b"NaN", b"\\u0000", b"\\ud800",
    b"\x00", b"\xef\xbb\xbf", b"\xff\xfe", b"\xff\xff\xff\xff", b"\xdd\xff\xff\xff\xff",
    b"../", b"\x80",
    b"PK\x03\x04", b"PK\x01\x02", b"ustar\x0000", b"L", b"99999999999999999999", b'"cells"',
    b'"outputs"', b'"source"', b"=", b"[[", b"inf", b"nan", b"[" * 3000, b'{"a":' * 1000,
)  # fmt: skip


def damaged(seeds: Sequence[bytes], count: int, *, seed: int) -> Iterator[bytes]:
    """Yield so many: cut, flipped, repeated, spliced with one another and with telling tokens."""
    chance = random.Random(seed)
    for _ in range(count):
        data = bytearray(chance.choice(seeds))
        for _ in range(chance.randint(1, 6)):
            _damage(data, chance, seeds)
        yield bytes(data)


def _damage(data: bytearray, chance: random.Random, seeds: Sequence[bytes]) -> None:
    at = chance.randint(0, len(data))
    end = min(len(data), at + chance.choice([0, 1, 2, 8, 200]))
    kind = chance.randrange(6)
    if kind == 0:
        data[at:end] = chance.choice(TOKENS)
    elif kind == 1:
        del data[at:end]
    elif kind == 2 and at < len(data):
        data[at] ^= 1 << chance.randrange(8)
    elif kind == 3:
        data[at:at] = data[at:end] * chance.choice([1, 2, 50])
    elif kind == 4:
        other = chance.choice(seeds)
        start = chance.randint(0, len(other))
        data[at:end] = other[start : start + chance.randint(0, 300)]
    else:
        del data[at:]
