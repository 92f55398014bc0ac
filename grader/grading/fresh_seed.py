"""A seed that nobody can foresee: of a batch, or of one submission where there is no batch."""

from __future__ import annotations

import secrets

SEED_BITS = 53
"""It is a whole number that JSON's readers keep exactly."""


def fresh_seed() -> int:
    """Return a new seed, below 2**53."""
    return secrets.randbits(SEED_BITS)
