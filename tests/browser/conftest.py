"""What the tests in a browser share."""

from __future__ import annotations

from tests.browser.serving import served  # noqa: F401 - a fixture
from tests.desk.conftest import filled  # noqa: F401 - a fixture
