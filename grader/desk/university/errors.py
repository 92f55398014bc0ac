"""What can go wrong with a university's sign-in, each as a sentence for who wanted to sign in."""

from __future__ import annotations

from grader.errors import GraderError, InfrastructureError


class ProviderAwayError(InfrastructureError):
    """The provider can't be reached, or says what no provider may say of itself."""


class NotBelievedError(GraderError):
    """An answer that is not of this provider, to this browser, for this desk, and now."""
