"""E-mail addresses that can be written to: plain ones, in which nothing can hide."""

from __future__ import annotations

import re

# One address and nothing else: no second recipient, no comment, no line of a header.
_PLAIN = re.compile(
    r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@"
    r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,62}\.)*[A-Za-z0-9-]{0,62}[A-Za-z0-9]"
)


def plain_address(text: str) -> str | None:
    """Return an address as it can be written to, its domain in ASCII; None: it can't."""
    local, at, domain = text.strip().rpartition("@")
    try:
        address = f"{local}{at}{domain.encode('idna').decode('ascii')}"
    except UnicodeError:
        return None
    return address if len(address) <= 254 and _PLAIN.fullmatch(address) else None
