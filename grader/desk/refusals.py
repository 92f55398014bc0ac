"""What somebody tried and might not, in the log of the process: one line each, without secrets."""

from __future__ import annotations

import logging

from grader.desk.routing import Visit

LOG = logging.getLogger("grader.desk")


def log_refusal(visit: Visit, what: str) -> None:
    """Write down that something was refused, to whom and from where.

    `what` holds no link and no token: whoever reads the log must not sign in with it.
    """
    who = visit.user.person if visit.user else ""
    client = visit.request.client
    LOG.warning("refused: %s; %r from %s", what, who, client.host if client else "nowhere")
