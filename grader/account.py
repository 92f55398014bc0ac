"""The account that runs a command."""

from __future__ import annotations

import getpass

from grader.errors import UsageError


def account_name(*, instead: str) -> str:
    """Return its login.

    Args:
        instead: what to do where it has none, as in a container that runs under a bare number.

    Raises:
        UsageError: it has none.
    """
    try:
        return getpass.getuser()
    except (KeyError, OSError):  # KeyError before Python 3.13
        raise UsageError("the account that runs this has no name", hint=instead) from None
