"""Settings for all tests."""

from __future__ import annotations

from hypothesis import HealthCheck, settings

# No verdict by wall clock: on a busy machine anything may take long once.
settings.register_profile("grader", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("grader")
