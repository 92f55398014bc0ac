"""What the tests of this suite share."""

import numpy as np
import pytest
from numpy.testing import assert_allclose


@pytest.fixture
def close():
    """Return a check that arrays have the same shape and agree to the precision of float64."""

    def check(actual, expected, rtol=1e-9, atol=1e-11):
        actual, expected = np.asarray(actual), np.asarray(expected)
        assert actual.shape == expected.shape
        assert_allclose(actual, expected, rtol=rtol, atol=atol)

    return check
