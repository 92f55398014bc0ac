"""Batches of this room in light boxes."""

from __future__ import annotations

from tests.helpers.light_boxes import light_boxes  # noqa: F401 - a fixture
